package icc

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"testing"
)

var (
	red   = color.NRGBA{255, 0, 0, 255}
	green = color.NRGBA{0, 255, 0, 255}
	blue  = color.NRGBA{0, 0, 255, 255}
	white = color.NRGBA{255, 255, 255, 255}
)

func TestTheMatrixOfSRGBIsThatOfItsChromaticities(t *testing.T) {
	want := srgbSpace().primaries().inverse()
	for row, numbers := range sRGBFromXYZ() {
		for col, got := range numbers {
			if math.Abs(got-want[row][col]) > 1e-7 {
				t.Errorf("row %d, column %d is %.8f, want %.8f", row, col, got, want[row][col])
			}
		}
	}
}

func TestDisplayP3BecomesSRGB(t *testing.T) {
	p := mustParse(t, displayP3())
	for _, c := range []struct {
		in, want color.NRGBA
		off      int
	}{
		{red, red, 0},     // as red as sRGB can be
		{green, green, 0}, // likewise
		{blue, blue, 0},
		{white, white, 0},
		{color.NRGBA{0, 0, 0, 255}, color.NRGBA{0, 0, 0, 255}, 0},
		{color.NRGBA{234, 51, 35, 255}, red, 3}, // those of sRGB, rounded
		{color.NRGBA{117, 251, 76, 255}, green, 3},
		{color.NRGBA{0, 0, 245, 255}, blue, 3},
		{color.NRGBA{200, 100, 100, 255}, color.NRGBA{215, 93, 97, 255}, 1},
		{color.NRGBA{234, 51, 35, 7}, color.NRGBA{255, 0, 0, 7}, 3},
	} {
		wantNear(t, fmt.Sprint(c.in), converted(p, c.in), c.want, c.off)
	}
}

// Tests of other packages read the sample, and can't make one.
func TestTheSampleIsDisplayP3(t *testing.T) {
	sample, err := os.ReadFile("testdata/display-p3.icc")
	if err != nil {
		t.Fatal(err)
	}
	if want := displayP3().bytes(); !bytes.Equal(sample, want) {
		t.Errorf("the file has the bytes %x, want %x", sample, want)
	}
}

func TestColoursAreConvertedAsTheFormulasSay(t *testing.T) {
	for name, c := range map[string]struct {
		file  file
		light curve
	}{
		"Display P3":                 {displayP3(), sRGBLight},
		"Display P3, 4096 samples":   {file{space: p3Space(), curves: all(sampled(4096, sRGBLight))}, sRGBLight},
		"Display P3, tags backwards": {file{space: p3Space(), curves: all(srgbPara()), backwards: true}, sRGBLight},
		"Display P3 beside a table": {file{
			space: p3Space(), curves: all(srgbPara()), extra: []tagData{{"A2B0", []byte("mft2\x00\x00\x00\x00")}},
		}, sRGBLight},
		"Adobe RGB":                      {adobeRGB(), power(563.0 / 256)},
		"Adobe RGB of a scanner":         {file{version: 2, class: "scnr", space: adobeSpace(), curves: all(curv(563))}, power(563.0 / 256)},
		"ProPhoto":                       {file{space: proPhotoSpace(), curves: all(para(3, 1.8, 1, 0, 1.0/16, 1.0/32))}, proPhotoLight},
		"linear sRGB":                    {file{space: srgbSpace(), curves: all(curv())}, power(1)},
		"linear sRGB, two samples":       {file{space: srgbSpace(), curves: all(curv(0, 65535))}, power(1)},
		"primaries of sRGB, gamma 2.2":   {file{space: srgbSpace(), curves: all(para(0, 2.2))}, power(2.2)},
		"primaries of P3, gamma 2.6":     {file{space: p3Space(), curves: all(para(0, 2.6))}, power(2.6)},
		"green and red are interchanged": {file{space: swapped(), curves: all(srgbPara())}, sRGBLight},
	} {
		t.Run(name, func(t *testing.T) {
			p := mustParse(t, c.file)
			random := rand.New(rand.NewPCG(1, 2))
			exact := exactly(c.file.space, c.light)
			same := 0
			const colours = 20_000
			for i := range colours {
				in := color.NRGBA{uint8(i), uint8(i), uint8(i), uint8(random.Uint32())}
				if i > 255 {
					n := random.Uint32()
					in.R, in.G, in.B = uint8(n), uint8(n>>8), uint8(n>>16)
				}
				got, want := converted(p, in), exact(in)
				wantNear(t, fmt.Sprint(in), got, want, 1)
				if got == want {
					same++
				}
			}
			if same < colours*98/100 {
				t.Errorf("%d of %d colours are exact", same, colours)
			}
		})
	}
}

func TestEveryParametricFunctionIsKnown(t *testing.T) {
	for function, c := range map[byte]struct {
		numbers []float64
		want    curve
	}{
		0: {[]float64{2}, squared},
		1: {[]float64{2, 1.25, -0.25}, func(x float64) float64 {
			if x < 0.2 {
				return 0
			}
			return squared(1.25*x - 0.25)
		}},
		2: {[]float64{2, 1.25, -0.25, 0.125}, func(x float64) float64 {
			if x < 0.2 {
				return 0.125
			}
			return min(squared(1.25*x-0.25)+0.125, 1)
		}},
		3: {[]float64{3, 0.5, 0.5, 0.25, 0.5}, func(x float64) float64 {
			if x < 0.5 {
				return x / 4
			}
			return cube(x/2 + 0.5)
		}},
		4: {[]float64{3, 0.5, 0.5, 0.25, 0.5, -0.125, 0.0625}, func(x float64) float64 {
			if x < 0.5 {
				return x/4 + 0.0625
			}
			return cube(x/2+0.5) - 0.125
		}},
	} {
		data := para(function, c.numbers...)
		got := new(Profile)
		if !got.linearize(0, parseCurve("para", data[typeBytes:])) {
			t.Errorf("function %d is not taken", function)
		}
		for i, light := range got.linear[0] {
			if want := c.want(float64(i) / 255); math.Abs(float64(light)-want) > 1e-6 {
				t.Errorf("function %d: %d is %v, want %v", function, i, light, want)
			}
		}
		if short := data[typeBytes : len(data)-1]; parseCurve("para", short) != nil {
			t.Errorf("function %d is taken with a byte less", function)
		}
	}
}

func TestEachComponentHasItsOwnCurve(t *testing.T) {
	p := mustParse(t, file{space: srgbSpace(), curves: [3][]byte{curv(), srgbPara(), para(0, 3)}})
	got := converted(p, color.NRGBA{100, 100, 100, 255})
	want := color.NRGBA{
		exactLevel(100.0 / 255), 100, exactLevel(cube(100.0 / 255)), 255,
	}
	wantNear(t, "grey 100", got, want, 1)
}

func TestGreyOfAProfileStaysGrey(t *testing.T) {
	for name, f := range map[string]file{
		"Display P3": displayP3(), "Adobe RGB": adobeRGB(),
		"ProPhoto": {space: proPhotoSpace(), curves: all(curv(461))},
	} {
		p := mustParse(t, f)
		for i := range 256 {
			v := uint8(i)
			got := converted(p, color.NRGBA{v, v, v, 255})
			if got.R != got.G || got.G != got.B {
				t.Errorf("%s: grey %d became %v", name, i, got)
			}
			if name == "Display P3" && got.R != v { // it has the curve of sRGB
				t.Errorf("%s: grey %d became %v", name, i, got)
			}
		}
		if got := converted(p, white); got != white {
			t.Errorf("%s: white became %v", name, got)
		}
	}
}

func TestProfilesOfSRGBChangeNothing(t *testing.T) {
	// What is in the most common of all profiles, and what others compute.
	published := matrix{{0.43607, 0.38515, 0.14307}, {0.22249, 0.71687, 0.06061}, {0.01392, 0.09708, 0.71410}}
	otherD50 := matrix{{0.4360747, 0.3850649, 0.1430804}, {0.2225045, 0.7168786, 0.0606169}, {0.0139322, 0.0971045, 0.7141733}}
	for name, primaries := range map[string]*matrix{"exact": nil, "published": &published, "another D50": &otherD50} {
		for curveName, c := range map[string][]byte{
			"formula": srgbPara(), "26 samples": sampled(26, sRGBLight),
			"1024 samples": sampled(1024, sRGBLight), "4096 samples": sampled(4096, sRGBLight),
		} {
			for _, version := range []byte{2, 4} {
				f := file{version: version, space: srgbSpace(), primaries: primaries, curves: all(c)}
				if Parse(f.bytes()) != nil {
					t.Errorf("version %d, %s primaries, %s: not taken as sRGB", version, name, curveName)
				}
			}
		}
	}
}

func TestOtherProfilesAreTakenAsSRGB(t *testing.T) {
	valid := displayP3().bytes()
	change := func(at int, with string) []byte {
		b := slices.Clone(valid)
		copy(b[at:], with)
		return b
	}
	withCurve := func(c []byte) []byte { return file{space: p3Space(), curves: all(c)}.bytes() }
	withPrimaries := func(m matrix) []byte { return file{primaries: &m, curves: all(srgbPara())}.bytes() }
	d65 := srgbSpace().primaries()
	for row, ratio := range [3]float64{0.9505 / 0.9642, 1, 1.0891 / 0.8249} {
		for col := range 3 {
			d65[row][col] *= ratio
		}
	}
	thirds := matrix{}
	for row, white := range [3]float64{0.9642, 1, 0.8249} {
		thirds[row] = [3]float64{white / 3, white / 3, white / 3}
	}
	const firstTag = headerBytes + 4
	for name, b := range map[string][]byte{
		"none":                      nil,
		"no profile":                []byte("hello"),
		"size beyond the end":       change(0, "\x00\x01\x00\x00"),
		"size of less than a table": change(0, "\x00\x00\x00\x83"),
		"version 5":                 change(8, "\x05"),
		"version 0":                 change(8, "\x00"),
		"CMYK":                      change(16, "CMYK"),
		"grey":                      change(16, "GRAY"),
		"Lab":                       change(20, "Lab "),
		"another signature":         change(36, "acsq"),
		"101 tags":                  change(headerBytes, "\x00\x00\x00\x65"),
		"2^32-1 tags":               change(headerBytes, "\xff\xff\xff\xff"),
		"more tags than fit":        change(headerBytes, "\x00\x00\x00\x40"),
		"a tag less":                change(firstTag, "none"),
		"a tag outside":             change(firstTag+4, "\xff\xff\xff\xff"),
		"a tag that ends outside":   change(firstTag+8, "\xff\xff\xff\xff"),
		"a tag of seven bytes":      change(firstTag+8, "\x00\x00\x00\x07"),
		"a primary of 19 bytes":     change(firstTag+8, "\x00\x00\x00\x13"),
		"a curve for a primary":     change(firstTag+4, string(valid[firstTag+tagBytes+4:][:8])),
		"2^32-1 samples":            withCurve([]byte("curv\x00\x00\x00\x00\xff\xff\xff\xff\x00\x00\xff\xff")),
		"no number of samples":      withCurve([]byte("curv\x00\x00\x00\x00")),
		"gamma 0":                   withCurve(curv(0)),
		"gamma 255":                 withCurve(curv(0xffff)),
		"gamma below 0":             withCurve(para(0, -2.2)),
		"function 5":                withCurve(para(5, 1, 1, 1, 1, 1, 1, 1, 1)),
		"curve of another type":     withCurve([]byte("mft2\x00\x00\x00\x00\x00\x00\x00\x00")),
		"curve that is level":       withCurve(curv(9, 9, 9)),
		"curve that falls":          withCurve(curv(0xffff, 0)),
		"roots of less than 0":      withCurve(para(4, 2.4, -30000, -30000, 0, 0, 0, 0)),
		"no light":                  withPrimaries(matrix{}),
		"one primary thrice":        withPrimaries(thirds),
		"too bright":                withPrimaries(matrix{{9, 0, 0}, {0, 9, 0}, {0, 0, 9}}),
		"white of D65":              withPrimaries(d65),
	} {
		if Parse(b) != nil {
			t.Errorf("%s: there is a profile", name)
		}
	}
}

func TestAProfileHasUpToAHundredTags(t *testing.T) {
	f := displayP3()
	f.extra = slices.Repeat([]tagData{{"desc", []byte("desc\x00\x00\x00\x00")}}, maxTags-6)
	if Parse(f.bytes()) == nil {
		t.Error("a hundred are too many")
	}
	f.extra = append(f.extra, f.extra[0])
	if Parse(f.bytes()) != nil {
		t.Error("a hundred and one are not too many")
	}
}

func TestNoPartOfAProfileWillDo(t *testing.T) {
	for _, f := range []file{displayP3(), adobeRGB(), {space: p3Space(), curves: all(sampled(32, sRGBLight))}} {
		valid := f.bytes()
		for n := range valid {
			if Parse(valid[:n]) != nil {
				t.Errorf("%d of %d bytes are taken", n, len(valid))
			}
			b := slices.Clone(valid[:n])
			if n >= 4 { // and a header that agrees
				binary.BigEndian.PutUint32(b, uint32(n))
			}
			// Only the zeros that make the last tag's length even are not missed.
			if Parse(b) != nil && n < len(valid)-3 {
				t.Errorf("%d of %d bytes are taken when the header agrees", n, len(valid))
			}
		}
	}
}

func TestDamagedProfilesAreHarmless(t *testing.T) {
	for _, f := range []file{displayP3(), {space: p3Space(), curves: all(sampled(8, sRGBLight))}} {
		valid := f.bytes()
		for i := range valid {
			for _, v := range []byte{0, 0x7f, 0xff} {
				b := slices.Clone(valid)
				b[i] = v
				wantHarmless(t, b)
			}
		}
	}
}

// wantHarmless converts a picture by the profile, if it is one.
func wantHarmless(t *testing.T, data []byte) {
	t.Helper()
	p := Parse(data)
	if p == nil {
		return
	}
	img := image.NewNRGBA(image.Rect(0, 0, 8, 1))
	for i := range img.Pix {
		img.Pix[i] = uint8(i * 37)
	}
	p.ToSRGB(img)
	for x := range 8 {
		if got, want := img.Pix[4*x+3], uint8((4*x+3)*37); got != want {
			t.Errorf("alpha %d became %d", want, got)
		}
	}
	for _, linear := range p.linear {
		for _, light := range linear {
			if !(0 <= light && light <= 1) {
				t.Errorf("a value stands for the light %v", light)
			}
		}
	}
}

func TestParsingTakesLittleMemory(t *testing.T) {
	large := file{space: p3Space(), curves: all(sampled(60_000, sRGBLight))}.bytes()
	liar := file{space: p3Space(), curves: all([]byte("curv\x00\x00\x00\x00\xff\xff\xff\xff"))}.bytes()
	for _, data := range [][]byte{large, liar} {
		if n := allocated(func() { Parse(data) }); n > 128<<10 {
			t.Errorf("%d bytes allocated for a profile of %d", n, len(data))
		}
	}
}

func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestPartOfAPictureIsConvertedAlone(t *testing.T) {
	p := mustParse(t, displayP3())
	in := color.NRGBA{200, 100, 100, 9}
	img := image.NewNRGBA(image.Rect(-2, -1, 3, 3))
	for i := 0; i < len(img.Pix); i += 4 {
		copy(img.Pix[i:], []uint8{in.R, in.G, in.B, in.A})
	}
	part := image.Rect(-1, 0, 2, 2)
	p.ToSRGB(img.SubImage(part).(*image.NRGBA))
	p.ToSRGB(img.SubImage(image.Rectangle{}).(*image.NRGBA)) // has no pixels
	for y := -1; y < 3; y++ {
		for x := -2; x < 3; x++ {
			want := in
			if image.Pt(x, y).In(part) {
				want = converted(p, in)
			}
			if got := img.NRGBAAt(x, y); got != want {
				t.Errorf("%d, %d is %v, want %v", x, y, got, want)
			}
		}
	}
}

func FuzzProfile(f *testing.F) {
	f.Add(displayP3().bytes())
	f.Add(adobeRGB().bytes())
	f.Add(file{space: proPhotoSpace(), curves: all(sampled(5, power(1.8)))}.bytes())
	f.Add(file{space: srgbSpace(), curves: [3][]byte{curv(), para(1, 2, 1, 0), para(4, 2, 1, 0, 0, 0, 0, 0)}}.bytes())
	f.Fuzz(wantHarmless)
}
