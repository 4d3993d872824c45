package avatar

import "encoding/binary"

const pngSignature = "\x89PNG\r\n\x1a\n"

// examinePNG reads the orientation from the eXIf chunk of a PNG (W3C PNG,
// third edition, 11.3.4.5), which may stand on either side of the pixels.
func examinePNG(data []byte) traits {
	t := traits{orientation: upright, scans: 1}
	// A chunk is its length, its type, its data and a checksum, which the
	// decoder verifies.
	for rest := data[len(pngSignature):]; len(rest) >= 12; {
		n := binary.BigEndian.Uint32(rest)
		if uint64(n)+12 > uint64(len(rest)) {
			break
		}
		switch string(rest[4:8]) {
		case "eXIf":
			t.orientation = tiffOrientation(rest[8 : 8+n])
			return t
		case "IEND":
			return t
		}
		rest = rest[12+n:]
	}
	return t
}
