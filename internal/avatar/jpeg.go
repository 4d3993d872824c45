package avatar

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/jpeg"
	"io"
	"runtime/debug"

	"github.com/gen2brain/jpegn"
)

// Markers of ITU-T T.81, table B.1.
const (
	markerSOF0  = 0xc0
	markerSOF2  = 0xc2
	markerDHT   = 0xc4
	markerJPG   = 0xc8
	markerDAC   = 0xcc
	markerSOF15 = 0xcf
	markerRST0  = 0xd0
	markerRST7  = 0xd7
	markerEOI   = 0xd9
	markerSOS   = 0xda
	markerDQT   = 0xdb
	markerDRI   = 0xdd
	markerAPP1  = 0xe1
	markerAPP2  = 0xe2
	markerAPP14 = 0xee
)

// Limits of the work that a JPEG within [MaxPixels] may ask for. Each scan runs
// over all of its pixels: 500 scans of next to no bytes each keep a core busy
// for most of a minute. Encoders write up to 14, and up to four tables for each.
const (
	maxScans      = 32
	maxScanPixels = 200_000_000
	maxTables     = 4 * maxScans
)

// jpegHeader collects what the segments of a JPEG say.
type jpegHeader struct {
	header
	components   []component
	progressive  bool
	scans        int
	tables       int // of Huffman codes
	knowsTurn    bool
	isRGB        bool
	profileParts int
}

// component is one of a frame: Y, Cb or Cr, as a rule.
type component struct{ id, across, down int }

func readJPEG(data []byte) (header, error) {
	h := jpegHeader{header: header{orientation: upright}}
	err := h.walk(data[len("\xff\xd8"):])
	return h.header, err
}

// walk reads all segments. A file that ends before EOI was cut short, which a
// decoder may not say.
func (h *jpegHeader) walk(rest []byte) error {
	for coded := false; ; {
		var marker byte
		var body []byte
		marker, body, rest = nextSegment(rest, coded)
		coded = marker == markerSOS
		switch marker {
		case 0:
			return corrupt()
		case markerEOI:
			return h.finish()
		}
		if err := h.read(marker, body); err != nil {
			return err
		}
	}
}

// read reads a segment. What no encoder writes is refused, since two decoders may
// read it differently and one see another picture than is checked here: markers
// without a meaning, of which some may have no length, and segments that are longer
// than what they are for.
func (h *jpegHeader) read(marker byte, body []byte) error {
	switch marker {
	case markerDHT:
		return h.readTables(body)
	case markerDQT:
		return checkQuantization(body)
	case markerDRI:
		return wantLength(body, 2)
	case markerSOS:
		return h.readScan(body)
	case markerAPP1:
		h.readEXIF(body)
	case markerAPP2:
		h.readProfile(body)
	case markerAPP14:
		h.readAdobe(body)
	case markerJPG, markerDAC:
		return unsupported()
	}
	switch {
	case marker < markerSOF0:
		return corrupt()
	case marker <= markerSOF15:
		return h.readFrame(marker, body)
	}
	return nil
}

func wantLength(body []byte, n int) error {
	if len(body) != n {
		return corrupt()
	}
	return nil
}

// readFrame reads the frame header (T.81, B.2.2), of which there is one.
func (h *jpegHeader) readFrame(marker byte, body []byte) error {
	if marker > markerSOF2 {
		return unsupported() // lossless, hierarchical, arithmetic
	}
	if h.components != nil || len(body) < 6 || len(body) != 6+3*int(body[5]) {
		return corrupt()
	}
	if body[0] != 8 {
		return unsupported() // 12 bits
	}
	h.height, h.width = int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
	h.progressive = marker == markerSOF2
	ids := ""
	for i := range int(body[5]) {
		c := body[6+3*i:]
		h.components = append(h.components, component{int(c[0]), int(c[1] >> 4), int(c[1] & 15)})
		ids += string(rune(c[0]))
	}
	h.isRGB = h.isRGB || ids == "RGB"
	if err := checkSize(h.width, h.height); err != nil {
		return err
	}
	return h.checkComponents()
}

// checkComponents holds the sampling factors to T.81, table B.2.
func (h *jpegHeader) checkComponents() error {
	if n := len(h.components); n != 1 && n != 3 && n != 4 {
		return unsupported()
	}
	for _, c := range h.components {
		if c.across < 1 || c.across > 4 || c.down < 1 || c.down > 4 {
			return corrupt()
		}
	}
	return nil
}

// readScan counts a scan (T.81, B.2.3).
func (h *jpegHeader) readScan(body []byte) error {
	h.scans++
	switch {
	case h.components == nil || h.scans > maxScans || len(body) < 1:
		return corrupt()
	case h.scans*h.width*h.height > maxScanPixels:
		return tooLarge(maxScanPixels / h.scans)
	}
	return wantLength(body, 4+2*int(body[0]))
}

// readTables counts the Huffman tables of a segment (T.81, B.2.4.2): making one
// takes a decoder longer than reading its few bytes.
func (h *jpegHeader) readTables(body []byte) error {
	for len(body) > 0 {
		const classes, destinations = 2, 4
		if len(body) < 17 || body[0]>>4 >= classes || body[0]&15 >= destinations {
			return corrupt()
		}
		size := 17
		for _, codes := range body[1:17] {
			size += int(codes)
		}
		if h.tables++; h.tables > maxTables || size > len(body) {
			return corrupt()
		}
		body = body[size:]
	}
	return nil
}

// checkQuantization wants whole tables of 8 or 16 bits (T.81, B.2.4.1).
func checkQuantization(body []byte) error {
	for len(body) > 0 {
		size := 1 + 64*(1+int(body[0]>>4))
		if size > len(body) {
			return corrupt()
		}
		body = body[size:]
	}
	return nil
}

// readEXIF takes the orientation from the first EXIF segment in front of the
// picture (JEITA CP-3451, 4.7.2).
func (h *jpegHeader) readEXIF(body []byte) {
	tiff, isEXIF := bytes.CutPrefix(body, []byte("Exif\x00\x00"))
	if isEXIF && !h.knowsTurn && h.scans == 0 {
		h.orientation, h.knowsTurn = tiffOrientation(tiff), true
	}
}

// readProfile takes a part of the ICC profile (ICC.1:2022, B.4): its number, how
// many there are, and the data. One that is too large isn't read.
func (h *jpegHeader) readProfile(body []byte) {
	part, isProfile := bytes.CutPrefix(body, []byte("ICC_PROFILE\x00"))
	if isProfile && len(part) > 2 && int(part[0]) == h.profileParts+1 && part[0] <= part[1] && len(h.profile) <= maxProfile {
		h.profile = append(h.profile, part[2:]...)
		h.profileParts++
	}
}

// readAdobe takes from Adobe's segment (Adobe Technical Note 5116, 18) whether
// the components are colours themselves, and not luma and chroma.
func (h *jpegHeader) readAdobe(body []byte) {
	if len(body) >= 12 && bytes.HasPrefix(body, []byte("Adobe")) && body[11] == 0 {
		h.isRGB = true
	}
}

func (h *jpegHeader) finish() error {
	if h.scans == 0 {
		return corrupt()
	}
	h.memory = h.estimate()
	h.fast = h.isFast()
	return nil
}

// estimate is what the standard library's decoder takes, which is more than the
// other does: a byte for each sample, in a progressive file four more for its
// coefficient, and four for each pixel of which it makes RGB or CMYK.
func (h *jpegHeader) estimate() int {
	across, down := 1, 1
	for _, c := range h.components {
		across, down = max(across, c.across), max(down, c.down)
	}
	units := ((h.width + 8*across - 1) / (8 * across)) * ((h.height + 8*down - 1) / (8 * down))
	bytes := 0
	for _, c := range h.components {
		bytes += units * 64 * c.across * c.down
	}
	if h.progressive {
		bytes *= 5
	}
	if h.isRGB || len(h.components) == 4 {
		bytes += 4 * h.width * h.height
	}
	return bytes
}

// isFast tells the files that jpegn decodes as the standard library does: grey
// ones, and luma with chroma in one of the ratios that image.YCbCr has. Of four
// components it takes none whose chroma has fewer samples rightly, and RGB has
// rules that the two read differently.
func (h *jpegHeader) isFast() bool {
	if len(h.components) == 1 {
		return true
	}
	if len(h.components) != 3 || h.isRGB {
		return false
	}
	luma, cb, cr := h.components[0], h.components[1], h.components[2]
	if cb.across != 1 || cb.down != 1 || cr.across != 1 || cr.down != 1 {
		return false
	}
	switch [2]int{luma.across, luma.down} {
	case [2]int{1, 1}, [2]int{2, 1}, [2]int{2, 2}, [2]int{1, 2}, [2]int{4, 1}, [2]int{4, 2}:
		return true
	}
	return false
}

// decodeJPEG decodes at 1/reduce of the size, where that can be done, which
// spares most of the work. What jpegn doesn't take is left to the standard
// library, which then says what is wrong with it.
func decodeJPEG(data []byte, h header, reduce int) (image.Image, error) {
	if !h.fast {
		return guard(data, jpeg.Decode)
	}
	img, err := guard(data, func(r io.Reader) (image.Image, error) {
		return jpegn.Decode(r, &jpegn.Options{ScaleDenom: reduce})
	})
	if err == nil && img.Bounds().Max == image.Pt((h.width+reduce-1)/reduce, (h.height+reduce-1)/reduce) {
		return img, nil
	}
	if h.memory > muchMemory {
		debug.FreeOSMemory() // the two must not add up
	}
	return guard(data, jpeg.Decode)
}

// nextSegment returns the marker, 0 when there is none that makes sense, and the body
// of the first segment in data, and what follows it. EOI has no body. coded says
// that data begins with the coded data of a scan.
//
// A scan must not escape the count, so every one that a decoder could come to is
// found: the walk is as lenient as the decoders', which skip what lies between
// segments, and coded data, where no marker stands but RSTn (T.81, B.1.1.5), is skipped
// as such. Behind EOI no decoder looks.
func nextSegment(data []byte, coded bool) (marker byte, body, rest []byte) {
	for {
		i := bytes.IndexByte(data, 0xff)
		if i < 0 {
			return 0, nil, nil
		}
		data = data[i:]
		for len(data) > 0 && data[0] == 0xff { // any number of fill bytes
			data = data[1:]
		}
		if len(data) > 0 && data[0] == markerEOI {
			return markerEOI, nil, data[1:]
		}
		if len(data) < 3 {
			return 0, nil, nil
		}
		marker, data = data[0], data[1:]
		switch {
		case marker == 0 && !coded:
			return 0, nil, nil
		case marker == 0 || markerRST0 <= marker && marker <= markerRST7:
			continue
		}
		n := int(binary.BigEndian.Uint16(data))
		if n < 2 || n > len(data) {
			return 0, nil, nil
		}
		return marker, data[2:n], data[n:]
	}
}
