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

// A compressed profile has its header (ICC.1:2022, 7.2), and at most so many bytes.
// One that has a matrix has some hundreds, or some tens of thousands with tables.
const (
	minProfile = 128
	maxProfile = 1 << 20
)

func readPNG(data []byte) (header, error) {
	c, err := guard(data, png.DecodeConfig)
	if err == nil {
		err = checkSize(c.Width, c.Height)
	}
	if err != nil {
		return header{}, err
	}
	h := header{width: c.Width, height: c.Height, orientation: upright}
	chunks := pngChunks(data[len(pngSignature):])
	if exif := chunks["eXIf"]; exif != nil { // on either side of the pixels: W3C PNG, third edition, 11.3.4.5
		h.orientation = tiffOrientation(exif)
	}
	if icc := chunks["iCCP"]; icc != nil {
		h.profile = pngProfile(icc)
	}
	_, seeThrough := chunks["tRNS"]
	h.memory = c.Width * c.Height * pngPixelBytes(chunks["IHDR"], seeThrough)
	return h, nil
}

// pngChunks are the first of each kind that is read here. A chunk is its length, its
// type, its data and a checksum, which the decoder verifies.
func pngChunks(rest []byte) map[string][]byte {
	first := map[string][]byte{}
	for len(rest) >= 12 {
		n := binary.BigEndian.Uint32(rest)
		if uint64(n)+12 > uint64(len(rest)) {
			break
		}
		switch kind := string(rest[4:8]); kind {
		case "IHDR", "tRNS", "iCCP", "eXIf":
			if _, known := first[kind]; !known {
				first[kind] = rest[8 : 8+n]
			}
		case "IEND":
			return first
		}
		rest = rest[12+n:]
	}
	return first
}

// Colour types of a PNG (W3C PNG, third edition, 11.2.1).
const (
	pngGrey    = 0
	pngPalette = 3
)

// pngPixelBytes is what the decoder takes for a pixel: what its picture has of
// it, and as much again where seven pictures are made one. The header is width,
// height, depth, colour type, compression, filter and interlacing.
func pngPixelBytes(ihdr []byte, seeThrough bool) int {
	depth, colors, interlaced := ihdr[8], ihdr[9], ihdr[12] != 0
	bytes := 4
	if colors == pngPalette || colors == pngGrey && !seeThrough {
		bytes = 1
	}
	if depth == 16 {
		bytes *= 2
	}
	if interlaced {
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
	if n < minProfile || n > maxProfile {
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
