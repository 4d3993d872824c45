package avatar

import (
	"encoding/binary"
	"slices"
)

// orientation says how a picture must be turned to stand upright, in the
// values of EXIF 2.3 (JEITA CP-3451C), 4.6.4, tag Orientation.
type orientation int

const upright orientation = 1

const (
	tagOrient  = 0x0112
	typeShort  = 3
	entryBytes = 12
)

// tiffOrientation returns the Orientation of the first directory of a TIFF
// (6.0, section 2), in which EXIF data is written; upright if there is none
// that makes sense.
func tiffOrientation(tiff []byte) orientation {
	if len(tiff) < 8 {
		return upright
	}
	var order binary.ByteOrder
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return upright
	}
	start := uint64(order.Uint32(tiff[4:]))
	if start+2 > uint64(len(tiff)) {
		return upright
	}
	entries := tiff[start+2:]
	n := min(int(order.Uint16(tiff[start:])), len(entries)/entryBytes)
	for e := range slices.Chunk(entries[:n*entryBytes], entryBytes) {
		if order.Uint16(e) == tagOrient {
			return shortOrientation(e, order)
		}
	}
	return upright
}

// shortOrientation reads a directory entry: tag, type, count and value.
func shortOrientation(e []byte, order binary.ByteOrder) orientation {
	o := orientation(order.Uint16(e[8:]))
	if order.Uint16(e[2:]) != typeShort || order.Uint32(e[4:]) != 1 || o < 1 || o > 8 {
		return upright
	}
	return o
}

// source returns where in a picture as it was stored, whose last column is right
// and whose last row is bottom, the pixel lies that stands at x, y when it is
// upright.
func (o orientation) source(x, y, right, bottom int) (int, int) {
	switch o {
	case 2: // mirrored
		return right - x, y
	case 3: // upside down
		return right - x, bottom - y
	case 4: // upside down and mirrored
		return x, bottom - y
	case 5: // the first row is the left side, the first column the top
		return y, x
	case 6: // the first row is the right side, the first column the top
		return y, bottom - x
	case 7: // the first row is the right side, the first column the bottom
		return right - y, bottom - x
	case 8: // the first row is the left side, the first column the bottom
		return right - y, x
	default:
		return x, y
	}
}

// swaps tells whether the picture lies on its side.
func (o orientation) swaps() bool { return o >= 5 }
