package avatar

import (
	"image"
	"image/color"
	"slices"
	"testing"
)

// animation has frames on a canvas of 96 by 64 pixels, of which the first 16
// columns on either side are cut away.
func animation(t *testing.T, frames ...*image.Paletted) []byte {
	t.Helper()
	return gifOf(t, image.Rect(0, 0, 96, 64), frames...)
}

func frame(r image.Rectangle, colors ...color.Color) *image.Paletted {
	return image.NewPaletted(r, colors)
}

func TestOfAnAnimationTheFirstFrameIsTaken(t *testing.T) {
	canvas := image.Rect(0, 0, 96, 64)
	first := quarters(image.NewPaletted(canvas, color.Palette{red, green, blue, white}))
	file := animation(t, first, frame(canvas, red), frame(image.Rect(10, 10, 20, 20), green))
	p := mustProcess(t, file)
	wantQuarters(t, largest(t, p), "RGBW")
	if p.MediaType != "image/jpeg" {
		t.Errorf("made %s of an opaque animation", p.MediaType)
	}
}

// What the first frame leaves free of the canvas can be seen through.
func TestAFirstFrameStandsWhereItIsOnTheCanvas(t *testing.T) {
	p := mustProcess(t, animation(t, frame(image.Rect(48, 32, 96, 64), red)))
	if p.MediaType != "image/png" {
		t.Fatalf("made %s", p.MediaType)
	}
	img := largest(t, p)
	for _, c := range []struct {
		x, y int
		want color.NRGBA
	}{{10, 10, color.NRGBA{}}, {50, 10, color.NRGBA{}}, {10, 50, color.NRGBA{}}, {34, 34, red}, {60, 60, red}} {
		if got := color.NRGBAModel.Convert(img.At(c.x, c.y)); got != c.want {
			t.Errorf("at %d, %d: %v, want %v", c.x, c.y, got, c.want)
		}
	}
}

func TestTransparentColoursOfAGIFStayTransparent(t *testing.T) {
	holed := frame(image.Rect(0, 0, 96, 64), color.NRGBA{}, red)
	for y := range 64 {
		for x := 48; x < 96; x++ {
			holed.SetColorIndex(x, y, 1)
		}
	}
	p := mustProcess(t, animation(t, holed))
	img := largest(t, p)
	_, _, _, left := img.At(10, 30).RGBA()
	_, _, _, right := img.At(50, 30).RGBA()
	if p.MediaType != "image/png" || left != 0 || right != 0xffff {
		t.Errorf("made %s with alpha %d and %d", p.MediaType, left, right)
	}
}

// A GIF says nothing of how many frames it has, and only the first is read: a
// thousand more cost what their bytes cost to receive.
func TestTheOtherFramesOfAnAnimationAreNotDecoded(t *testing.T) {
	canvas := image.Rect(0, 0, 1000, 1000)
	file := gifOf(t, canvas, slices.Repeat([]*image.Paletted{frame(canvas, red, blue)}, 50)...)
	if n := allocated(func() { mustProcess(t, file) }); n > 8<<20 {
		t.Errorf("%d bytes allocated for frames of a megabyte each", n)
	}
}
