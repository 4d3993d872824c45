package avatar

import (
	"bytes"
	"encoding/binary"
)

// Markers of ITU-T T.81, table B.1.
const (
	markerRST0 = 0xd0
	markerRST7 = 0xd7
	markerEOI  = 0xd9
	markerSOS  = 0xda
	markerAPP1 = 0xe1
)

// examineJPEG counts the scans of a JPEG and reads the orientation from the
// first EXIF segment in front of them (JEITA CP-3451, 4.7.2).
func examineJPEG(data []byte) traits {
	t := traits{orientation: upright}
	rest := data[len("\xff\xd8"):]
	for known := false; ; {
		var marker byte
		var body []byte
		marker, body, rest = nextSegment(rest)
		switch marker {
		case 0:
			return t
		case markerSOS:
			t.scans++
		case markerAPP1:
			tiff, isExif := bytes.CutPrefix(body, []byte("Exif\x00\x00"))
			if isExif && !known && t.scans == 0 {
				t.orientation, known = tiffOrientation(tiff), true
			}
		}
	}
}

// nextSegment returns the marker, 0 when there is none, and the body of the
// first segment in data, and what follows it.
//
// A scan must not escape the count, so every one that the decoder could come
// to is found: the walk is as lenient as the decoder's, which skips what lies
// between segments, and coded data, where no marker stands but RSTn (T.81,
// B.1.1.5), is skipped as such. Behind EOI the decoder doesn't look.
func nextSegment(data []byte) (marker byte, body, rest []byte) {
	for {
		i := bytes.IndexByte(data, 0xff)
		if i < 0 {
			return 0, nil, nil
		}
		data = data[i:]
		for len(data) > 0 && data[0] == 0xff { // any number of fill bytes
			data = data[1:]
		}
		if len(data) < 3 || data[0] == markerEOI {
			return 0, nil, nil
		}
		marker, data = data[0], data[1:]
		if marker == 0 || markerRST0 <= marker && marker <= markerRST7 {
			continue
		}
		n := int(binary.BigEndian.Uint16(data))
		if n < 2 || n > len(data) {
			return 0, nil, nil
		}
		return marker, data[2:n], data[n:]
	}
}
