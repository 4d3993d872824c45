package avatar

import (
	"bytes"
	"image"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"syscall"
	"testing"
	"time"

	"github.com/gen2brain/jpegn"
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

// photoOf is a photo as a JPEG of at least so many bytes, as far as there are.
func photoOf(width, height, size int) []byte {
	img := photo(width, height)
	write := func(quality int) []byte {
		return encoded(func(w io.Writer, img image.Image) error {
			return jpegn.Encode(w, img, &jpegn.EncodeOptions{Quality: quality})
		}, img)
	}
	return write(1 + sort.Search(99, func(i int) bool { return len(write(i+1)) >= size }))
}

// benchmarkProcess also reports the time of all cores, with the garbage collector's.
func benchmarkProcess(b *testing.B, file []byte) {
	p := NewProcessor(1)
	b.ReportAllocs()
	before := cpuTime()
	for b.Loop() {
		if _, err := p.Process(b.Context(), "alice", bytes.NewReader(file), nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpuTime()-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
}

func cpuTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkProcess writes its files to the folder in BENCH_FILES, if that is set, for
// bench/libvips.mjs to be measured by the same.
func BenchmarkProcess(b *testing.B) {
	for _, c := range []struct {
		name string
		file []byte
	}{
		{"12-megapixels-2MB.jpg", photoOf(4000, 3000, 2_000_000)},
		{"12-megapixels-4MB.jpg", photoOf(4000, 3000, 4_000_000)},
		{"12-megapixels-8MB.jpg", photoOf(4000, 3000, 8_000_000)},
		{"512-pixels-200kB.jpg", photoOf(512, 512, 190_000)},
		{"512-pixels.png", pngOf(photo(512, 512))},
	} {
		if dir := os.Getenv("BENCH_FILES"); dir != "" {
			if err := os.WriteFile(filepath.Join(dir, c.name), c.file, 0o644); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(c.name, func(b *testing.B) { benchmarkProcess(b, c.file) })
	}
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
				if _, err := p.Process(b.Context(), "alice", bytes.NewReader(file), nil); err == nil {
					b.Fatal("it was taken")
				}
			}
		})
	}
}
