package avatar

import (
	"image"
	"image/color"
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

func fromMiddle(x, y, n int) float64 {
	return math.Hypot(float64(x)+0.5-float64(n)/2, float64(y)+0.5-float64(n)/2)
}

// lanczos resamples exactly, with the Lanczos kernel of three lobes.
func lanczos(img *image.Gray, side int) [][]float64 {
	n := img.Rect.Dx()
	rows := make([][]float64, n)
	for y := range rows {
		rows[y] = make([]float64, n)
		for x := range n {
			rows[y][x] = float64(img.GrayAt(x, y).Y)
		}
	}
	return transposed(lanczosRows(transposed(lanczosRows(rows, side)), side))
}

func lanczosRows(rows [][]float64, side int) [][]float64 {
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

func TestFinePatternsTurnGreyAndCoarseOnesStay(t *testing.T) {
	const side = 128
	for n, want := range map[int]float64{256: 30, 325: 30, 512: 35} {
		plate := zonePlate(n)
		got, ideal := scale(plate, plate.Rect, side), lanczos(plate, side)
		var squared, moiré float64
		for y := range side {
			for x := range side {
				v := float64(got.RGBAAt(x, y).R)
				d := v - min(max(ideal[y][x], 0), 255)
				squared += d * d
				// Cycles per pixel of the result: it can show half a one.
				if fromMiddle(x, y, side)*float64(n)/side/side > 1 {
					moiré = max(moiré, math.Abs(v-127.5))
				}
			}
		}
		psnr := 10 * math.Log10(255*255*side*side/squared)
		t.Logf("%d to %d: %.1f dB, moiré %.1f", n, side, psnr, moiré)
		if psnr < want {
			t.Errorf("%d to %d: %.1f dB from the ideal, want %.0f", n, side, psnr, want)
		}
		if moiré > 24 {
			t.Errorf("%d to %d: moiré of %.0f around the middle grey", n, side, moiré)
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

func TestTheMiddleIsKept(t *testing.T) {
	for _, r := range []image.Rectangle{image.Rect(0, 0, 300, 100), image.Rect(0, 0, 100, 300), image.Rect(50, 70, 350, 170)} {
		img := image.NewRGBA(r)
		middle := image.Rect(0, 0, 100, 100).Add(r.Min).Add(image.Pt((r.Dx()-100)/2, (r.Dy()-100)/2))
		quarters(img.SubImage(middle).(*image.RGBA))
		all := squares(img, upright)
		wantQuarters(t, all[len(all)-1], "RGBW")
	}
}

func TestASourceOfASquaresSizeIsNotBlurred(t *testing.T) {
	img := quarters(image.NewRGBA(image.Rect(0, 0, 256, 256)))
	all := squares(img, upright)
	if got := all[len(all)-1]; string(got.Pix) != string(img.Pix) {
		t.Error("the pixels changed")
	}
}
