package avatar

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"math"
	"testing"
)

// zonePlate holds every frequency up to that of single pixels, rising from the
// middle outwards.
func zonePlate(n int) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, n, n))
	for y := range n {
		for x := range n {
			r := fromMiddle(x, y, n)
			img.SetGray(x, y, color.Gray{uint8(math.Round(127.5 + 127.5*math.Cos(math.Pi*r*r/float64(n))))})
		}
	}
	return img
}

func resizedGrey(img *image.Gray, side int) *image.Gray {
	return resized(img, square{0, 0, float64(img.Rect.Dx())}, side, false).(*image.Gray)
}

func fromMiddle(x, y, n int) float64 {
	return math.Hypot(float64(x)+0.5-float64(n)/2, float64(y)+0.5-float64(n)/2)
}

// ideal resamples exactly, with the Lanczos kernel of three lobes.
func ideal(img *image.Gray, side int) [][]float64 {
	n := img.Rect.Dx()
	rows := make([][]float64, n)
	for y := range rows {
		rows[y] = make([]float64, n)
		for x := range n {
			rows[y][x] = float64(img.GrayAt(x, y).Y)
		}
	}
	return transposed(idealRows(transposed(idealRows(rows, side)), side))
}

func idealRows(rows [][]float64, side int) [][]float64 {
	out := make([][]float64, len(rows))
	n := len(rows[0])
	step := float64(n) / float64(side)
	for y := range out {
		out[y] = make([]float64, side)
	}
	for x := range side {
		middle := (float64(x) + 0.5) * step
		from, to := max(0, int(middle-3*step)), min(n, int(middle+3*step)+1)
		weights, sum := make([]float64, to-from), 0.0
		for i := range weights {
			d := (float64(from+i) + 0.5 - middle) / step
			if math.Abs(d) < 3 {
				weights[i] = sinc(d) * sinc(d/3)
			}
			sum += weights[i]
		}
		for y, row := range rows {
			for i, w := range weights {
				out[y][x] += row[from+i] * w / sum
			}
		}
	}
	return out
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

func transposed(m [][]float64) [][]float64 {
	out := make([][]float64, len(m[0]))
	for x := range out {
		out[x] = make([]float64, len(m))
		for y := range m {
			out[x][y] = m[y][x]
		}
	}
	return out
}

// The ideal has the kernel's own imperfection: what it leaves of patterns that
// the result can't show is no moiré of ours.
func TestFinePatternsTurnGreyAndCoarseOnesStay(t *testing.T) {
	for _, c := range []struct{ from, to int }{{256, 128}, {325, 128}, {512, 128}, {1500, 512}, {777, 64}} {
		plate := zonePlate(c.from)
		got, want := resizedGrey(plate, c.to), ideal(plate, c.to)
		var squared, moiré, wanted float64
		for y := range c.to {
			for x := range c.to {
				v, w := float64(got.GrayAt(x, y).Y), min(max(want[y][x], 0), 255)
				squared += (v - w) * (v - w)
				// Cycles per pixel of the result: it can show half a one.
				if fromMiddle(x, y, c.to)*float64(c.from)/float64(c.to*c.to) > 1 {
					moiré, wanted = max(moiré, math.Abs(v-127.5)), max(wanted, math.Abs(w-127.5))
				}
			}
		}
		psnr := 10 * math.Log10(255*255*float64(c.to*c.to)/squared)
		t.Logf("%d to %d: %.1f dB, moiré %.1f; the ideal's %.1f", c.from, c.to, psnr, moiré, wanted)
		if psnr < 50 {
			t.Errorf("%d to %d: %.1f dB from the ideal, want 50", c.from, c.to, psnr)
		}
		if moiré > wanted+2 || moiré > 32 {
			t.Errorf("%d to %d: moiré of %.0f around the middle grey; the ideal's is %.0f", c.from, c.to, moiré, wanted)
		}
	}
}

// A JPEG that is decoded at a half of its size is as a phone's photo. The plate has
// the finest patterns everywhere, of which a photo has few.
func TestAReducedJPEGIsCloseToTheIdealToo(t *testing.T) {
	sizes := []int{2048, 3000}
	if raceEnabled {
		sizes = sizes[:1] // the ideal takes ten times as long
	}
	for _, n := range sizes {
		plate := zonePlate(n)
		file := encoded(func(w io.Writer, img image.Image) error {
			return jpeg.Encode(w, img, &jpeg.Options{Quality: 100})
		}, plate)
		h, err := formats[0].header(file)
		if err != nil {
			t.Fatal(err)
		}
		reduce := reduction(n)
		img, err := decodeJPEG(file, h, reduce)
		if err != nil || reduce != 2 {
			t.Fatalf("at 1/%d: %v", reduce, err)
		}
		got := squares(img, h, image.Rect(0, 0, n, n), reduce)[3].(*image.Gray)
		want, squared := ideal(plate, 512), 0.0
		for y := range 512 {
			for x := range 512 {
				d := float64(got.GrayAt(x, y).Y) - min(max(want[y][x], 0), 255)
				squared += d * d
			}
		}
		psnr := 10 * math.Log10(255*255*512*512/squared)
		t.Logf("%d to 512: %.1f dB", n, psnr)
		if psnr < 40 {
			t.Errorf("%d to 512: %.1f dB from the ideal, want 40", n, psnr)
		}
	}
}

// The rows of a source are read in order, so the spans must be too, also where
// chroma is enlarged.
func TestSpansAreInOrder(t *testing.T) {
	for _, step := range []float64{0.25, 0.5, 0.75, 1, 1.01, 1.25, 1.5, 2, 2.9, 7} {
		for eighths := range 64 {
			v := view{float64(eighths) / 8, step}
			const n = 100
			all := spans(v, n, int(v.origin+n*step)+1)
			for i := 1; i < n; i++ {
				was, is := all[i-1], all[i]
				if is.first < was.first || is.first+len(is.weights) < was.first+len(was.weights) {
					t.Fatalf("step %v from %v: span %d is %v, behind %v", step, v.origin, i, is, was)
				}
			}
		}
	}
}

func TestEverySamplingIsCroppedAnywhere(t *testing.T) {
	for _, ratio := range []image.YCbCrSubsampleRatio{
		image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420,
		image.YCbCrSubsampleRatio440, image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410,
	} {
		img := image.NewYCbCr(image.Rect(0, 0, 83, 77), ratio)
		for i := range img.Cb {
			img.Cb[i], img.Cr[i] = 90, 240
		}
		for x := range 9 {
			for side := 1; side <= 64; side += 3 {
				for _, full := range []bool{false, true} {
					got := resized(img, square{float64(x), float64(x) / 2, float64(side)}, side, full).(*image.YCbCr)
					if got.Cb[0] != 90 || got.Cr[len(got.Cr)-1] != 240 {
						t.Fatalf("%v, %d pixels from %d: chroma %d, %d", ratio, side, x, got.Cb[0], got.Cr[len(got.Cr)-1])
					}
				}
			}
		}
	}
}

func TestEdgesOfTransparencyHaveNoFringes(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 550, 550)) // black where it can't be seen
	for y := range 550 {
		for x := range 277 {
			img.SetNRGBA(x, y, white)
		}
	}
	for _, s := range mustProcess(t, pngOf(img)).Squares {
		square := decoded(t, s.Data)
		for x := range s.Side {
			c := color.NRGBAModel.Convert(square.At(x, s.Side/2)).(color.NRGBA)
			if c.A > 0 && (c.R < 250 || c.G < 250 || c.B < 250) {
				t.Errorf("%d px, column %d: white became %v", s.Side, x, c)
			}
		}
	}
}

func TestASourceOfASquaresSizeIsNotBlurred(t *testing.T) {
	r := image.Rect(0, 0, 256, 256)
	img, grey := quarters(image.NewNRGBA(r)), quarters(image.NewGray(r))
	ycc, err := jpeg.Decode(bytes.NewReader(jpegOf(img)))
	if err != nil {
		t.Fatal(err)
	}
	whole := square{0, 0, 256}
	if got := resized(img, whole, 256, false).(*image.NRGBA); !bytes.Equal(got.Pix, img.Pix) {
		t.Error("the pixels changed")
	}
	if got := resized(grey, whole, 256, false).(*image.Gray); !bytes.Equal(got.Pix, grey.Pix) {
		t.Error("the grey pixels changed")
	}
	was, got := ycc.(*image.YCbCr), resized(ycc, whole, 256, false).(*image.YCbCr)
	if !bytes.Equal(got.Y, was.Y) || !bytes.Equal(got.Cb, was.Cb) || !bytes.Equal(got.Cr, was.Cr) {
		t.Error("the planes changed")
	}
}
