package avatar

import (
	"bytes"
	"image"
	"image/color"
	"slices"
	"testing"
)

// photo has colours that run, edges and noise, as a camera's pictures do.
func photo(width, height int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	random := uint32(1)
	for y := range height {
		for x := range width {
			random = random*1664525 + 1013904223
			noise := int(random >> 28)
			img.SetRGBA(x, y, color.RGBA{
				uint8(x*200/width + noise), uint8(y*200/height + noise), uint8(100 + noise + 60*((x/60+y/60)%2)), 255,
			})
		}
	}
	return img
}

func benchmarkProcess(b *testing.B, file []byte) {
	p := NewProcessor(1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Process(b.Context(), bytes.NewReader(file), nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkProcess12MegapixelJPEG(b *testing.B) { benchmarkProcess(b, jpegOf(photo(4000, 3000))) }

func BenchmarkProcess512JPEG(b *testing.B) { benchmarkProcess(b, jpegOf(photo(512, 512))) }

func BenchmarkProcess512PNG(b *testing.B) { benchmarkProcess(b, pngOf(photo(512, 512))) }

// The two that take the most memory within the limits.

func BenchmarkProcessLargestProgressiveJPEG(b *testing.B) {
	benchmarkProcess(b, flatJPEG{progressive: true, cols: 512, rows: 512, components: 3, moreScans: 10}.bytes())
}

func BenchmarkProcessLargestPNG(b *testing.B) {
	const rows = 4096 / 8 * (1 + 1 + 1 + 2 + 2 + 4 + 4) // of the seven passes
	raw := deflated(make([]byte, 8*MaxPixels+rows))
	benchmarkProcess(b, slices.Concat(pngHeader(4096, 4096, 16, 6, 1), chunk("IDAT", raw...), chunk("IEND")))
}
