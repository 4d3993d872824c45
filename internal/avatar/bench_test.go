package avatar

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"io"
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

func greyPhoto(width, height int) *image.Gray {
	img, grey := photo(width, height), image.NewGray(image.Rect(0, 0, width, height))
	for i := range grey.Pix {
		grey.Pix[i] = img.Pix[4*i]
	}
	return grey
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

func BenchmarkProcess(b *testing.B) {
	for name, file := range map[string][]byte{
		"JPEG of 12 megapixels":          jpegOf(photo(4000, 3000)),
		"JPEG of 512 px, 200 kB":         photoOf200kB(),
		"PNG of 512 px":                  pngOf(photo(512, 512)),
		"progressive JPEG, 6 megapixels": flatJPEG{progressive: true, cols: 338, rows: 338, components: 3, moreScans: 10}.bytes(),
	} {
		b.Run(name, func(b *testing.B) { benchmarkProcess(b, file) })
	}
}

func photoOf200kB() []byte {
	return encoded(func(w io.Writer, img image.Image) error {
		return jpeg.Encode(w, img, &jpeg.Options{Quality: 98})
	}, photo(512, 512))
}

// BenchmarkGreediest is about the files that take the most memory.
func BenchmarkGreediest(b *testing.B) {
	for name, file := range greediest() {
		b.Run(name, func(b *testing.B) { benchmarkProcess(b, file()) })
	}
}

// BenchmarkRefusals is what those cost that are refused by their header, or by their
// first bytes.
func BenchmarkRefusals(b *testing.B) {
	for name, file := range map[string][]byte{
		"too many scans":  flatJPEG{progressive: true, cols: 512, rows: 512, components: 1, moreScans: 500}.bytes(),
		"too many pixels": slices.Concat(pngHeader(100_000, 100_000, 16, 6, 1), chunk("IDAT"), chunk("IEND")),
		"another kind":    bytes.Repeat([]byte("<svg/>"), MaxBytes/6),
		"too many bytes":  make([]byte, MaxBytes+1),
		"cut short":       jpegOf(photo(4000, 3000))[:1_000_000],
	} {
		b.Run(name, func(b *testing.B) {
			p := NewProcessor(1)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Process(b.Context(), bytes.NewReader(file), nil); err == nil {
					b.Fatal("it was taken")
				}
			}
		})
	}
}
