package avatar

import (
	"image"

	"golang.org/x/image/draw"
)

// squares returns the upright middle of img in the sizes of [SidesUpTo].
//
// The large picture is read once: the smaller squares are made from the
// largest, and it is that which is turned.
func squares(img image.Image, o orientation) []*image.RGBA {
	middle := centred(img.Bounds())
	sides := SidesUpTo(middle.Dx())
	out := make([]*image.RGBA, len(sides))
	last := len(sides) - 1
	out[last] = turn(scale(img, middle, sides[last]), o)
	for i, side := range sides[:last] {
		out[i] = scale(out[last], out[last].Rect, side)
	}
	return out
}

// centred returns the largest square in the middle of r.
func centred(r image.Rectangle) image.Rectangle {
	side := min(r.Dx(), r.Dy())
	corner := r.Min.Add(image.Pt((r.Dx()-side)/2, (r.Dy()-side)/2))
	return image.Rectangle{corner, corner.Add(image.Pt(side, side))}
}

// scale resamples a part of img. The kernel widens with the reduction, so fine
// patterns turn grey instead of into moiré, and it weighs colours multiplied
// by their alpha, so what can't be seen doesn't bleed into what can.
func scale(img image.Image, part image.Rectangle, side int) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, side, side))
	draw.CatmullRom.Scale(out, out.Rect, img, part, draw.Src, nil)
	return out
}

func turn(img *image.RGBA, o orientation) *image.RGBA {
	if o == upright {
		return img
	}
	out := image.NewRGBA(img.Rect)
	side := img.Rect.Dx()
	for y := range side {
		for x := range side {
			out.SetRGBA(x, y, img.RGBAAt(o.source(x, y, side-1)))
		}
	}
	return out
}
