package avatar

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"

	"nameplate/internal/vp8l"
)

// errWebPCorrupt is of all but the lossless picture, whose errors are those of
// package vp8l.
var errWebPCorrupt = errors.New("the WebP file is cut short or makes no sense")

func isWebP(head []byte) bool {
	return len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP"
}

// webP is what the container of a WebP file says of its picture: of an
// animation, of its first frame.
type webP struct {
	width, height   int             // of the canvas
	frame           image.Rectangle // where on it the picture lies: everywhere, unless animated
	lossy, lossless []byte          // the bitstream, which is one of both
	alpha           []byte          // the chunk ALPH of a lossy picture; nil when it is opaque
	exif, icc       []byte          // nil when there are none; exif begins with the header of a TIFF
}

// Flags, and sizes without the chunk's header, of the extended format (RFC
// 9649, 2.7).
const (
	flagAnimated     = 0x02
	vp8xBytes        = 10
	frameHeaderBytes = 16
)

// readWebP reads the container of a WebP file (RFC 9649, 2) and the sizes in
// its bitstream. It copies nothing. The caller holds the size of the canvas to
// its limits before it has the picture decoded: up to 2 to the power of 24
// pixels each way are possible.
func readWebP(data []byte) (webP, error) {
	body, err := riffBody(data)
	if err != nil {
		return webP{}, err
	}
	var w webP
	var canvas []byte
	first, animated := true, false
	for rest := body; len(rest) > 0; first = false {
		var c webPChunk
		if c, rest, err = nextChunk(rest); err != nil {
			return webP{}, err
		}
		switch {
		case string(c.kind) == "VP8X" && first:
			if len(c.data) < vp8xBytes {
				return webP{}, errWebPCorrupt
			}
			canvas, animated = c.data, c.data[0]&flagAnimated != 0
		case string(c.kind) == "ANMF" && animated:
			err = w.takeFrame(c.data)
		case !animated:
			err = w.take(c)
		}
		if err != nil {
			return webP{}, err
		}
		w.takeMetadata(c)
	}
	if canvas == nil {
		return w, w.fill(w.frame.Max)
	}
	return w, w.place(image.Pt(1+uint24(canvas[4:]), 1+uint24(canvas[7:])), animated)
}

// riffBody returns the chunks of a file. What lies behind them isn't part of
// it.
func riffBody(data []byte) ([]byte, error) {
	if !isWebP(data) {
		return nil, errWebPCorrupt
	}
	n := uint64(binary.LittleEndian.Uint32(data[4:]))
	if n < 4 || n > uint64(len(data)-8) {
		return nil, errWebPCorrupt
	}
	return data[12 : 8+n], nil
}

type webPChunk struct{ kind, data []byte }

// nextChunk returns the first chunk and what follows it. Chunks are padded to
// an even size; the last may lack it.
func nextChunk(data []byte) (c webPChunk, rest []byte, err error) {
	if len(data) < 8 {
		return webPChunk{}, nil, errWebPCorrupt
	}
	n := uint64(binary.LittleEndian.Uint32(data[4:]))
	c.kind, data = data[:4], data[8:]
	if n > uint64(len(data)) {
		return webPChunk{}, nil, errWebPCorrupt
	}
	c.data = data[:n:n]
	return c, data[min(n+n%2, uint64(len(data))):], nil
}

// take takes a chunk of a still picture or of a frame. Only the first bitstream
// counts, and only what alpha stands before it.
func (w *webP) take(c webPChunk) error {
	if w.found() {
		return nil
	}
	var err error
	switch string(c.kind) {
	case "ALPH":
		if w.alpha == nil {
			w.alpha = c.data
		}
	case "VP8 ":
		w.lossy = c.data
		w.frame.Max, err = vp8Size(c.data)
	case "VP8L":
		w.lossless, w.alpha = c.data, nil
		w.frame.Max, err = vp8l.Size(c.data)
	}
	return err
}

func (w *webP) found() bool { return w.lossy != nil || w.lossless != nil }

// takeFrame takes the first frame of an animation: where it lies, in units of
// two pixels, its size, its duration and flags, then its own chunks.
func (w *webP) takeFrame(data []byte) error {
	if w.found() {
		return nil
	}
	if len(data) < frameHeaderBytes {
		return errWebPCorrupt
	}
	for rest := data[frameHeaderBytes:]; len(rest) > 0; {
		var c webPChunk
		var err error
		if c, rest, err = nextChunk(rest); err != nil {
			return err
		}
		if err = w.take(c); err != nil {
			return err
		}
	}
	if w.frame.Max != image.Pt(1+uint24(data[6:]), 1+uint24(data[9:])) {
		return errWebPCorrupt
	}
	w.frame = w.frame.Add(image.Pt(2*uint24(data), 2*uint24(data[3:])))
	return nil
}

// takeMetadata takes what isn't the picture, and may stand behind it.
func (w *webP) takeMetadata(c webPChunk) {
	switch kind := string(c.kind); {
	case kind == "EXIF" && w.exif == nil:
		// Some write the header that EXIF data has in a JPEG.
		w.exif = bytes.TrimPrefix(c.data, []byte("Exif\x00\x00"))
	case kind == "ICCP" && w.icc == nil:
		w.icc = c.data
	}
}

// place sets the canvas, on which a still picture must be as large, and a frame
// must lie.
func (w *webP) place(canvas image.Point, animated bool) error {
	if !animated && w.frame.Max != canvas || !w.frame.In(image.Rectangle{Max: canvas}) {
		return errWebPCorrupt
	}
	return w.fill(canvas)
}

func (w *webP) fill(canvas image.Point) error {
	if !w.found() {
		return errWebPCorrupt
	}
	w.width, w.height = canvas.X, canvas.Y
	return nil
}

// vp8Size reads the header of a key frame, which every lossy picture is (RFC
// 6386, 9.1): three bytes whose lowest bit is 0, a start code, and sizes of 14
// bits each.
func vp8Size(data []byte) (image.Point, error) {
	if len(data) < 10 || data[0]&1 != 0 || string(data[3:6]) != "\x9d\x01\x2a" {
		return image.Point{}, errWebPCorrupt
	}
	width := int(binary.LittleEndian.Uint16(data[6:]) & 0x3fff)
	height := int(binary.LittleEndian.Uint16(data[8:]) & 0x3fff)
	if width == 0 || height == 0 {
		return image.Point{}, errWebPCorrupt
	}
	return image.Pt(width, height), nil
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
