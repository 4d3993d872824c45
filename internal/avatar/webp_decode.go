package avatar

import (
	"bytes"
	"image"
	"image/color"
	"io"
	"math"

	"golang.org/x/image/vp8"

	"nameplate/internal/vp8l"
)

func headerOfWebP(data []byte) (header, error) {
	w, err := readWebP(data)
	if err != nil {
		return header{}, asFault(err)
	}
	h := header{width: w.width, height: w.height, orientation: upright, profile: w.icc, memory: w.memory()}
	if w.exif != nil {
		h.orientation = tiffOrientation(w.exif)
	}
	return h, nil
}

// memory estimates what decoding takes: for each pixel four bytes of a lossless
// frame, and of one with alpha before that is taken from them; two of a lossy one;
// and four of the canvas where the frame doesn't cover it. What a lossless stream
// takes besides is said by package vp8l.
func (w webP) memory() int {
	const besides = 20_000_000
	frame := w.frame.Dx() * w.frame.Dy()
	bytes := 0
	if w.lossless != nil || w.alpha != nil {
		bytes += 4*frame + besides
	}
	if w.lossy != nil {
		bytes += 2 * frame
	}
	if frame < w.width*w.height {
		bytes += 4 * w.width * w.height
	}
	return bytes
}

func decodeWebP(data []byte, _ header, _ int) (image.Image, error) {
	return guard(data, func(io.Reader) (image.Image, error) {
		w, err := readWebP(data)
		if err != nil {
			return nil, err
		}
		return w.decode()
	})
}

// decode returns the picture on its canvas: an *image.YCbCr, *image.NYCbCrA or
// *image.NRGBA. Where the first frame of an animation doesn't reach, the canvas
// is transparent.
func (w webP) decode() (image.Image, error) {
	img, err := w.decodeFrame()
	if err != nil || w.frame == image.Rect(0, 0, w.width, w.height) {
		return img, err
	}
	canvas := image.NewNRGBA(image.Rect(0, 0, w.width, w.height))
	paste(canvas, img, w.frame.Min)
	return canvas, nil
}

func (w webP) decodeFrame() (image.Image, error) {
	if w.lossless != nil {
		img, err := vp8l.Decode(w.lossless)
		if err != nil {
			return nil, err // not img, which would be a nil that isn't one
		}
		return img, nil
	}
	var alpha []byte
	if w.alpha != nil {
		var err error
		if alpha, err = decodeAlpha(w.alpha, w.frame.Size()); err != nil {
			return nil, err
		}
	}
	img, err := decodeVP8(w.lossy)
	switch {
	case err != nil:
		return nil, err
	case alpha == nil:
		return img, nil
	}
	return &image.NYCbCrA{YCbCr: *img, A: alpha, AStride: w.frame.Dx()}, nil
}

func decodeVP8(data []byte) (*image.YCbCr, error) {
	d := vp8.NewDecoder()
	d.Init(bytes.NewReader(data), len(data))
	if _, err := d.DecodeFrameHeader(); err != nil {
		return nil, errWebPCorrupt
	}
	img, err := d.DecodeFrame()
	if err != nil {
		return nil, errWebPCorrupt
	}
	widen(img)
	return img, nil
}

// widen stretches the values of a lossy picture, which are those of ITU-R
// BT.601 (RFC 9649, 2.5): luma from 16 to 235, and chroma from 16 to 240. Those
// of an image.YCbCr are as in a JPEG, and go from 0 to 255; without this, black
// and white would be shades of grey.
func widen(img *image.YCbCr) {
	var luma, chroma [256]uint8
	for i := range 256 {
		luma[i] = stretch(i, 16, 219, 0)
		chroma[i] = stretch(i, 128, 224, 128)
	}
	for i, v := range img.Y {
		img.Y[i] = luma[v]
	}
	for i, v := range img.Cb {
		img.Cb[i] = chroma[v]
	}
	for i, v := range img.Cr {
		img.Cr[i] = chroma[v]
	}
}

// stretch returns what lies 255/span times as far from a middle as v does from
// another, rounded.
func stretch(v, was, span, middle int) uint8 {
	return clampByte(middle + int(math.Round(float64(v-was)*255/float64(span))))
}

func clampByte(v int) uint8 { return uint8(min(max(v, 0), 255)) }

// paste copies a decoded frame onto the canvas.
func paste(canvas *image.NRGBA, frame image.Image, at image.Point) {
	b := frame.Bounds()
	for y := range b.Dy() {
		row := canvas.Pix[canvas.PixOffset(at.X, at.Y+y):][:4*b.Dx()]
		switch f := frame.(type) {
		case *image.NRGBA:
			copy(row, f.Pix[f.PixOffset(0, y):])
		case *image.YCbCr:
			for x := range b.Dx() {
				putYCbCr(row[4*x:], f.YCbCrAt(x, y), 0xff)
			}
		case *image.NYCbCrA:
			for x := range b.Dx() {
				putYCbCr(row[4*x:], f.YCbCrAt(x, y), f.A[f.AOffset(x, y)])
			}
		}
	}
}

func putYCbCr(pix []byte, c color.YCbCr, alpha uint8) {
	pix[0], pix[1], pix[2] = color.YCbCrToRGB(c.Y, c.Cb, c.Cr)
	pix[3] = alpha
}

// Filters and methods of alpha, in the first byte of its chunk (RFC 9649,
// 2.7.1.2).
const (
	filterHorizontal = 1
	filterVertical   = 2
	filterGradient   = 3
	methodRaw        = 0
	methodLossless   = 1
)

// decodeAlpha returns the alpha of each pixel.
func decodeAlpha(data []byte, size image.Point) ([]byte, error) {
	if len(data) == 0 {
		return nil, errWebPCorrupt
	}
	method, filter, data := data[0]&3, data[0]>>2&3, data[1:]
	var alpha []byte
	switch n := size.X * size.Y; {
	case method == methodRaw && len(data) >= n:
		alpha = bytes.Clone(data[:n])
	case method == methodLossless:
		var err error
		if alpha, err = vp8l.DecodeAlpha(data, size); err != nil {
			return nil, err
		}
	default:
		return nil, errWebPCorrupt
	}
	unfilter(alpha, size.X, filter)
	return alpha, nil
}

// unfilter adds to each value what was predicted of it from its neighbours.
// Where there is no row above, that is the value to the left, and where there
// is none to the left, the one above, whatever the filter.
func unfilter(alpha []byte, width int, filter byte) {
	if filter == 0 {
		return
	}
	for x := 1; x < width; x++ {
		alpha[x] += alpha[x-1]
	}
	for above, rest := alpha[:width], alpha[width:]; len(rest) > 0; {
		row := rest[:width]
		unfilterRow(row, above, filter)
		above, rest = row, rest[width:]
	}
}

func unfilterRow(row, above []byte, filter byte) {
	row[0] += above[0]
	switch filter {
	case filterHorizontal:
		for x := 1; x < len(row); x++ {
			row[x] += row[x-1]
		}
	case filterVertical:
		for x := 1; x < len(row); x++ {
			row[x] += above[x]
		}
	case filterGradient:
		for x := 1; x < len(row); x++ {
			row[x] += clampByte(int(row[x-1]) + int(above[x]) - int(above[x-1]))
		}
	}
}
