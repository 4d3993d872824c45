package icc

import (
	"image"
	"math/rand/v2"
	"testing"
)

func BenchmarkToSRGB(b *testing.B) {
	p := mustParse(b, displayP3())
	from, img := image.NewNRGBA(image.Rect(0, 0, 512, 512)), image.NewNRGBA(image.Rect(0, 0, 512, 512))
	random := rand.New(rand.NewPCG(1, 2))
	for i := range from.Pix {
		from.Pix[i] = uint8(random.Uint32())
	}
	b.ReportAllocs()
	for b.Loop() {
		copy(img.Pix, from.Pix)
		p.ToSRGB(img)
	}
}

func BenchmarkParse(b *testing.B) {
	data := displayP3().bytes()
	b.ReportAllocs()
	for b.Loop() {
		Parse(data)
	}
}
