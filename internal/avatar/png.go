package avatar

import (
	"encoding/binary"
	"image"
	"image/png"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

func readPNG(data []byte) (header, error) {
	c, err := guard(data, png.DecodeConfig)
	if err != nil {
		return header{}, err
	}
	h := header{width: c.Width, height: c.Height, orientation: upright}
	h.memory = c.Width * c.Height * pngPixelBytes(data)
	// A chunk is its length, its type, its data and a checksum, which the
	// decoder verifies.
	for rest := data[len(pngSignature):]; len(rest) >= 12; {
		n := binary.BigEndian.Uint32(rest)
		if uint64(n)+12 > uint64(len(rest)) {
			break
		}
		switch body := rest[8 : 8+n]; string(rest[4:8]) {
		case "eXIf": // on either side of the pixels: W3C PNG, third edition, 11.3.4.5
			h.orientation = tiffOrientation(body)
		case "iCCP":
			h.profile = pngProfile(body)
		case "IEND":
			return h, nil
		}
		rest = rest[12+n:]
	}
	return h, nil
}

// pngPixelBytes is what the decoder takes for a pixel: what its picture has of
// it, and as much again where seven pictures are made one.
func pngPixelBytes(data []byte) int {
	// The header chunk stands first: width, height, depth, colour type,
	// compression, filter, interlacing.
	depth, colors, interlaced := data[24], data[25], data[28]
	const palette = 3
	bytes := 4
	if colors == palette {
		bytes = 1
	}
	if depth == 16 {
		bytes = 8
	}
	if interlaced != 0 {
		bytes *= 2
	}
	return bytes
}

func decodePNG(data []byte, _ header, _ int) (image.Image, error) { return guard(data, png.Decode) }
