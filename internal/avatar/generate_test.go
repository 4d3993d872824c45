package avatar

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"testing"
)

func generated(t *testing.T, seed string, side int) *image.Paletted {
	t.Helper()
	img, ok := decoded(t, Generate([]byte(seed), side)).(*image.Paletted)
	if !ok {
		t.Fatal("not a picture with a palette")
	}
	return img
}

// A failure means that pictures behind URLs that are cached for ever have
// changed: make it a new version of the drawing instead.
func TestTheDrawingOfASeedNeverChanges(t *testing.T) {
	h := sha256.New()
	for i := range 20 {
		img := generated(t, fmt.Sprint("user ", i), 128)
		for _, index := range img.Pix {
			r, g, b, _ := img.Palette[index].RGBA()
			h.Write([]byte{byte(r), byte(g), byte(b)})
		}
	}
	const want = "7e06b2b1941b539a772fccd15d3b4eee8f8e9fde5fee8b8958a6cdeba6180378"
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("pixels %s, want %s", got, want)
	}
}

func TestDrawingsDiffer(t *testing.T) {
	seen := map[string]int{}
	for i := range 1000 {
		img := drawing([]byte{byte(i), byte(i >> 8)}, 16)
		data := fmt.Sprint(img.Palette) + string(img.Pix)
		if other, found := seen[data]; found {
			t.Errorf("seeds %d and %d look alike", other, i)
		}
		seen[data] = i
	}
}

func TestDrawingsAreSymmetrical(t *testing.T) {
	for _, side := range []int{1, 7, 64, 300} {
		img := generated(t, "someone", side)
		for y := range side {
			for x := range side {
				c := img.ColorIndexAt(x, y)
				if c != img.ColorIndexAt(side-1-x, y) || c != img.ColorIndexAt(x, side-1-y) {
					t.Fatalf("side %d: %d, %d is not mirrored", side, x, y)
				}
			}
		}
	}
}

func TestDrawingsHaveTheSideAskedForWithinReason(t *testing.T) {
	for asked, want := range map[int]int{-1: 1, 0: 1, 1: 1, 40: 40, 512: 512, 100_000: 512} {
		if got := generated(t, "someone", asked).Rect; got != image.Rect(0, 0, want, want) {
			t.Errorf("asked for %d: %v", asked, got)
		}
	}
}

func TestDrawingsAreSmall(t *testing.T) {
	for i := range 10 {
		if n := len(Generate([]byte{byte(i)}, 512)); n > 16<<10 {
			t.Errorf("seed %d: %d bytes", i, n)
		}
	}
}

func TestDrawingsHoldNothingOfTheSeed(t *testing.T) {
	seed := []byte("0197a5c2-4c1e-7c11-9a5e-2f8a3b1d6e70")
	data := Generate(seed, 64)
	if bytes.Contains(data, seed) {
		t.Error("the seed is in the file")
	}
	wantPixelsOnly(t, data)
}

func BenchmarkGenerate(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Generate([]byte("someone"), 512)
	}
}
