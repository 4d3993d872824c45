package vp8l

import (
	"errors"
	"image"
	"testing"
)

func FuzzDecode(f *testing.F) {
	for _, data := range samples(f) {
		f.Add(data)
	}
	for seed := range uint64(10) {
		f.Add(randomPicture(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		size, err := Size(data)
		if err == nil && size.X*size.Y > 1<<20 {
			return
		}
		img, err := Decode(data)
		switch {
		case err == nil && img.Rect != image.Rectangle{Max: size}:
			t.Errorf("bounds %v, want %v", img.Rect, size)
		case err != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrUnsupported):
			t.Errorf("error %#v", err)
		}
	})
}

func FuzzCraftedPictures(f *testing.F) {
	f.Add(uint64(0))
	f.Fuzz(func(t *testing.T, seed uint64) { wantAsXImage(t, randomPicture(seed)) })
}
