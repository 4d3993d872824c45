package avatar

import (
	"image"
	"image/color"

	"nameplate/internal/icc"
)

// squares returns a part of a decoded picture, upright and in sRGB, in the sizes
// of [SidesUpTo]. The picture may have been decoded at a fraction of its size,
// 1/reduced; part is in the pixels of its whole size, as they were stored.
//
// The large picture is read once: each smaller square is made from the next one, and
// it is the largest which is turned and whose colours are converted.
func squares(img image.Image, h header, part image.Rectangle, reduced int) []image.Image {
	sides := SidesUpTo(part.Dx())
	last := len(sides) - 1
	profile := icc.Parse(h.profile)
	d := float64(reduced)
	from := square{float64(part.Min.X) / d, float64(part.Min.Y) / d, float64(part.Dx()) / d}
	largest := resized(img, from, sides[last], profile != nil)
	turn(largest, h.orientation)
	if _, grey := largest.(*image.Gray); profile != nil && !grey {
		straight := toNRGBA(largest)
		profile.ToSRGB(straight)
		largest = straight
	}
	out := make([]image.Image, len(sides))
	out[last] = largest
	for i := last - 1; i >= 0; i-- {
		out[i] = resized(out[i+1], square{0, 0, float64(sides[i+1])}, sides[i], false)
	}
	return out
}

// square is a part of a picture, in its pixels.
type square struct{ x, y, side float64 }

// views are those of the part along both axes, for a result of n samples.
func (s square) views(n float64) (h, v view) {
	return view{s.x, s.side / n}, view{s.y, s.side / n}
}

// resized resamples a part of img to side by side pixels. Of a JPEG, which has
// luma and chroma apart, it makes the same, with chroma at half the resolution
// unless fullColor asks for more or a side is odd; a grey one stays grey, and
// everything else becomes NRGBA.
func resized(img image.Image, part square, side int, fullColor bool) image.Image {
	switch img := img.(type) {
	case *image.Gray:
		h, v := part.views(float64(side))
		out := image.NewGray(image.Rect(0, 0, side, side))
		resizePlane(out.Pix, plane{img.Pix, img.Stride, img.Rect.Dx(), img.Rect.Dy()}, h, v, side)
		return out
	case *image.YCbCr:
		return resizedYCbCr(img, part, side, fullColor || side%2 == 1)
	default:
		h, v := part.views(float64(side))
		out := image.NewNRGBA(image.Rect(0, 0, side, side))
		resample(colorRows(img), h, v, side, func(y int, samples []int32) {
			straighten(out.Pix[y*out.Stride:], samples)
		})
		return out
	}
}

func resizedYCbCr(img *image.YCbCr, part square, side int, fullColor bool) *image.YCbCr {
	ratio, sub := image.YCbCrSubsampleRatio420, 2
	if fullColor {
		ratio, sub = image.YCbCrSubsampleRatio444, 1
	}
	out := image.NewYCbCr(image.Rect(0, 0, side, side), ratio)
	width, height := img.Rect.Dx(), img.Rect.Dy()
	h, v := part.views(float64(side))
	resizePlane(out.Y, plane{img.Y, img.YStride, width, height}, h, v, side)

	// A sample of chroma stands in the middle of the pixels that share it
	// (JFIF 1.02), so that its plane is the picture at a fraction of its size.
	x, y := sampling(img.SubsampleRatio)
	h = view{h.origin / float64(x), h.step * float64(sub) / float64(x)}
	v = view{v.origin / float64(y), v.step * float64(sub) / float64(y)}
	width, height = (width+x-1)/x, (height+y-1)/y
	resizePlane(out.Cb, plane{img.Cb, img.CStride, width, height}, h, v, side/sub)
	resizePlane(out.Cr, plane{img.Cr, img.CStride, width, height}, h, v, side/sub)
	return out
}

// sampling is how many pixels share a sample of chroma, across and down.
func sampling(ratio image.YCbCrSubsampleRatio) (x, y int) {
	switch ratio {
	case image.YCbCrSubsampleRatio422:
		return 2, 1
	case image.YCbCrSubsampleRatio420:
		return 2, 2
	case image.YCbCrSubsampleRatio440:
		return 1, 2
	case image.YCbCrSubsampleRatio411:
		return 4, 1
	case image.YCbCrSubsampleRatio410:
		return 4, 2
	default:
		return 1, 1
	}
}

// plane is one component of a picture.
type plane struct {
	pix                   []uint8
	stride, width, height int
}

func (p plane) read(dst []uint16, y, from, to int) {
	for i, v := range p.pix[y*p.stride+from:][:to-from] {
		dst[i] = uint16(v) << (sampleBits - 8)
	}
}

func resizePlane(dst []uint8, src plane, h, v view, side int) {
	if from := image.Pt(int(h.origin), int(v.origin)); src.has(from, h, v, side) {
		for y := range side {
			copy(dst[y*side:][:side], src.pix[(from.Y+y)*src.stride+from.X:])
		}
		return
	}
	resample(rows{src.width, src.height, 1, src.read}, h, v, side, func(y int, samples []int32) {
		for x, s := range samples {
			dst[y*side+x] = toByte(s)
		}
	})
}

// has tells whether the result stands in the plane as it is.
func (p plane) has(from image.Point, h, v view, side int) bool {
	return h == view{float64(from.X), 1} && v == view{float64(from.Y), 1} &&
		from.X+side <= p.width && from.Y+side <= p.height
}

// toByte rounds a sample that may lie outside of what there is.
func toByte(sample int32) uint8 {
	const bits = sampleBits - 8
	return uint8(min(max((sample+1<<(bits-1))>>bits, 0), 255))
}

// colorRows gives pixels of red, green, blue and alpha. Colours are multiplied by
// alpha, so that what can't be seen doesn't bleed into what can.
func colorRows(img image.Image) rows {
	b := img.Bounds()
	r := rows{width: b.Dx(), height: b.Dy(), channels: 4}
	switch img := img.(type) {
	case *image.NRGBA:
		r.read = func(dst []uint16, y, from, to int) {
			readStraight(dst, img.Pix[y*img.Stride:][4*from:4*to])
		}
	case *image.RGBA:
		r.read = plane{img.Pix, img.Stride, 4 * b.Dx(), b.Dy()}.readPixels
	case *image.Paletted:
		r.read = palettedRows(img)
	case image.RGBA64Image: // all others of package image
		r.read = func(dst []uint16, y, from, to int) {
			for x := range to - from {
				setPixel(dst[4*x:], img.RGBA64At(b.Min.X+from+x, b.Min.Y+y))
			}
		}
	}
	return r
}

func (p plane) readPixels(dst []uint16, y, from, to int) { p.read(dst, y, 4*from, 4*to) }

func readStraight(dst []uint16, src []uint8) {
	for i := 0; i+4 <= len(src) && i+4 <= len(dst); i += 4 {
		from, to := src[i:i+4:i+4], dst[i:i+4:i+4]
		a := uint32(from[3])
		to[0] = uint16((uint32(from[0])*a*16 + 127) / 255)
		to[1] = uint16((uint32(from[1])*a*16 + 127) / 255)
		to[2] = uint16((uint32(from[2])*a*16 + 127) / 255)
		to[3] = uint16(a * 16)
	}
}

func palettedRows(img *image.Paletted) func(dst []uint16, y, from, to int) {
	var pixels [256][4]uint16
	for i, c := range img.Palette {
		r, g, b, a := c.RGBA()
		setPixel(pixels[i][:], color.RGBA64{uint16(r), uint16(g), uint16(b), uint16(a)})
	}
	return func(dst []uint16, y, from, to int) {
		for i, index := range img.Pix[y*img.Stride:][from:to] {
			copy(dst[4*i:4*i+4], pixels[index][:])
		}
	}
}

func setPixel(dst []uint16, c color.RGBA64) {
	sample := func(v uint16) uint16 { return uint16((uint32(v)*unit + 0xffff/2) / 0xffff) }
	dst[0], dst[1], dst[2], dst[3] = sample(c.R), sample(c.G), sample(c.B), sample(c.A)
}

// straighten writes pixels whose colours are multiplied by alpha as ones whose are not.
func straighten(dst []uint8, samples []int32) {
	for i := 0; i < len(samples); i += 4 {
		a := min(max(samples[i+3], 0), unit)
		pixel := dst[i : i+4 : i+4]
		pixel[3] = toByte(a)
		if pixel[3] == 0 {
			continue
		}
		for c, v := range samples[i : i+3] {
			pixel[c] = uint8((min(max(v, 0), a)*255 + a/2) / a)
		}
	}
}

func toNRGBA(img image.Image) *image.NRGBA {
	ycc, ok := img.(*image.YCbCr)
	if !ok {
		return img.(*image.NRGBA)
	}
	out := image.NewNRGBA(ycc.Rect)
	for y := range ycc.Rect.Dy() {
		for x := range ycc.Rect.Dx() {
			luma, chroma := ycc.YOffset(x, y), ycc.COffset(x, y)
			r, g, b := color.YCbCrToRGB(ycc.Y[luma], ycc.Cb[chroma], ycc.Cr[chroma])
			copy(out.Pix[out.PixOffset(x, y):], []uint8{r, g, b, 0xff})
		}
	}
	return out
}

// turn makes a square stand upright, in place.
func turn(img image.Image, o orientation) {
	if o == upright {
		return
	}
	switch img := img.(type) {
	case *image.Gray:
		img.Pix = turnedPixels(img.Pix, img.Rect.Dx(), 1, o)
	case *image.NRGBA:
		img.Pix = turnedPixels(img.Pix, img.Rect.Dx(), 4, o)
	case *image.YCbCr:
		img.Y = turnedPixels(img.Y, img.YStride, 1, o)
		img.Cb = turnedPixels(img.Cb, img.CStride, 1, o)
		img.Cr = turnedPixels(img.Cr, img.CStride, 1, o)
	}
}

// turnedPixels turns a square of pixels without gaps between its rows.
func turnedPixels(pix []uint8, side, size int, o orientation) []uint8 {
	out := make([]uint8, len(pix))
	for y := range side {
		for x := range side {
			fromX, fromY := o.source(x, y, side-1, side-1)
			copy(out[(y*side+x)*size:][:size], pix[(fromY*side+fromX)*size:])
		}
	}
	return out
}
