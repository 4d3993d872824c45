package avatar

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"image"
	"image/png"
	"io"
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

// pngProfile returns the profile in the data of an iCCP chunk (W3C PNG, third
// edition, 11.3.2.3): a name, a zero byte, the method 0 and the compressed
// profile. It returns nil when the chunk is malformed, or the profile larger than maxProfile.
func pngProfile(chunk []byte) []byte {
	name, rest, ok := bytes.Cut(chunk, []byte{0})
	if !ok || len(name) < 1 || len(name) > 79 || len(rest) < 1 || rest[0] != 0 {
		return nil
	}
	r, err := zlib.NewReader(bytes.NewReader(rest[1:]))
	if err != nil {
		return nil
	}
	return readProfile(r)
}

// readProfile reads as many bytes as the profile's header says it has, so
// that no more is inflated, or made room for, than will be used.
func readProfile(r io.Reader) []byte {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil
	}
	n := binary.BigEndian.Uint32(size[:])
	if n < iccHeaderBytes || n > maxProfile {
		return nil
	}
	icc := append(make([]byte, 0, n), size[:]...)[:n]
	if _, err := io.ReadFull(r, icc[len(size):]); err != nil {
		return nil
	}
	// At the end the checksum is compared. What follows in its place instead
	// belongs to nothing.
	var more [1]byte
	if _, err := io.ReadFull(r, more[:]); err != nil && !errors.Is(err, io.EOF) {
		return nil
	}
	return icc
}
