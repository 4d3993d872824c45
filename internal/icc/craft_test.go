package icc

import (
	"encoding/binary"
	"image"
	"image/color"
	"math"
	"slices"
	"testing"
)

// Spaces of colours, for the tests, by the chromaticities of their red, green,
// blue and white.

type chromaticities [4][2]float64

func srgbSpace() chromaticities {
	return chromaticities{{0.64, 0.33}, {0.30, 0.60}, {0.15, 0.06}, {0.3127, 0.3290}}
}

func p3Space() chromaticities {
	return chromaticities{{0.680, 0.320}, {0.265, 0.690}, {0.150, 0.060}, {0.3127, 0.3290}}
}

func adobeSpace() chromaticities {
	return chromaticities{{0.64, 0.33}, {0.21, 0.71}, {0.15, 0.06}, {0.3127, 0.3290}}
}

func proPhotoSpace() chromaticities {
	return chromaticities{{0.734699, 0.265301}, {0.159597, 0.840403}, {0.036598, 0.000105}, {0.345704, 0.358540}}
}

// xyz is a colour of a chromaticity whose Y is 1.
func xyz(c [2]float64) [3]float64 { return [3]float64{c[0] / c[1], 1, (1 - c[0] - c[1]) / c[1]} }

// primaries returns the X, Y and Z of a space's red, green and blue after its
// white has been adapted to the D50 of ICC profiles.
func (c chromaticities) primaries() matrix {
	var m matrix
	for col := range 3 {
		setColumn(&m, col, xyz(c[col]))
	}
	amounts := m.inverse().apply(xyz(c[3]))
	bradford := matrix{{0.8951, 0.2664, -0.1614}, {-0.7502, 1.7135, 0.0367}, {0.0389, -0.0685, 1.0296}}
	from, to := bradford.apply(xyz(c[3])), bradford.apply([3]float64{0.9642, 1, 0.8249})
	var ratios matrix
	for i := range 3 {
		ratios[i][i] = to[i] / from[i]
		for row := range 3 {
			m[row][i] *= amounts[i]
		}
	}
	return bradford.inverse().times(ratios).times(bradford).times(m)
}

func setColumn(m *matrix, col int, v [3]float64) {
	for row := range 3 {
		m[row][col] = v[row]
	}
}

func (m matrix) apply(v [3]float64) (out [3]float64) {
	for row := range 3 {
		for i := range 3 {
			out[row] += m[row][i] * v[i]
		}
	}
	return out
}

// inverse solves for each column by Cramer's rule.
func (m matrix) inverse() (out matrix) {
	for col := range 3 {
		for row := range 3 {
			replaced := m
			var unit [3]float64
			unit[col] = 1
			setColumn(&replaced, row, unit)
			out[row][col] = replaced.determinant() / m.determinant()
		}
	}
	return out
}

// file writes a profile.
type file struct {
	space     chromaticities
	curves    [3][]byte // of red, green and blue, or one for all
	version   byte
	class     string
	primaries *matrix // in place of those of the space
	extra     []tagData
	backwards bool // tags
}

type tagData struct {
	signature string
	data      []byte
}

func (f file) tags() []tagData {
	m := f.space.primaries()
	if f.primaries != nil {
		m = *f.primaries
	}
	tags := slices.Clone(f.extra)
	for i, name := range []string{"r", "g", "b"} {
		curve := f.curves[i]
		if curve == nil {
			curve = f.curves[0]
		}
		tags = append(tags,
			tagData{name + "XYZ", xyzData(m[0][i], m[1][i], m[2][i])}, tagData{name + "TRC", curve})
	}
	if f.backwards {
		slices.Reverse(tags)
	}
	return tags
}

func (f file) bytes() []byte {
	tags := f.tags()
	head := make([]byte, headerBytes)
	head[8] = 4
	if f.version != 0 {
		head[8] = f.version
	}
	copy(head[12:], "mntrRGB XYZ ")
	copy(head[12:], f.class)
	copy(head[36:], "acsp")
	table := binary.BigEndian.AppendUint32(nil, uint32(len(tags)))
	var data []byte
	written := map[string]int{} // data that tags share is written once
	for _, t := range tags {
		at, known := written[string(t.data)]
		if !known {
			at = headerBytes + 4 + len(tags)*tagBytes + len(data)
			written[string(t.data)] = at
			data = append(data, t.data...)
			data = append(data, make([]byte, -len(data)&3)...)
		}
		table = append(table, t.signature...)
		table = binary.BigEndian.AppendUint32(table, uint32(at))
		table = binary.BigEndian.AppendUint32(table, uint32(len(t.data)))
	}
	b := slices.Concat(head, table, data)
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	return b
}

func appendFixed(b []byte, numbers ...float64) []byte {
	for _, v := range numbers {
		b = binary.BigEndian.AppendUint32(b, uint32(int32(math.Round(v*65536))))
	}
	return b
}

func xyzData(v ...float64) []byte { return appendFixed([]byte("XYZ \x00\x00\x00\x00"), v...) }

func para(function byte, v ...float64) []byte {
	return appendFixed([]byte{'p', 'a', 'r', 'a', 0, 0, 0, 0, 0, function, 0, 0}, v...)
}

func curv(samples ...uint16) []byte {
	b := binary.BigEndian.AppendUint32([]byte("curv\x00\x00\x00\x00"), uint32(len(samples)))
	for _, v := range samples {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return b
}

// sampled is a table of n values of a curve.
func sampled(n int, c curve) []byte {
	samples := make([]uint16, n)
	for i := range samples {
		samples[i] = uint16(math.Round(65535 * c(float64(i)/float64(n-1))))
	}
	return curv(samples...)
}

func all(curve []byte) [3][]byte { return [3][]byte{curve} }

// srgbPara is the curve of sRGB, and of Display P3.
func srgbPara() []byte { return para(3, 2.4, 1/1.055, 0.055/1.055, 1/12.92, 0.04045) }

func displayP3() file { return file{space: p3Space(), curves: all(srgbPara())} }

// adobeRGB has a gamma of 563/256, which is 2.19921875.
func adobeRGB() file { return file{version: 2, space: adobeSpace(), curves: all(curv(563))} }

func mustParse(t testing.TB, f file) *Profile {
	t.Helper()
	p := Parse(f.bytes())
	if p == nil {
		t.Fatal("the profile was not understood")
	}
	return p
}

func converted(p *Profile, c color.NRGBA) color.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, 1, 1))
	img.SetNRGBA(0, 0, c)
	p.ToSRGB(img)
	return img.NRGBAAt(0, 0)
}

// wantNear allows each component to be off by some of 255.
func wantNear(t *testing.T, what string, got, want color.NRGBA, off int) {
	t.Helper()
	a, b := [4]uint8{got.R, got.G, got.B, got.A}, [4]uint8{want.R, want.G, want.B, want.A}
	for i := range a {
		if int(max(a[i], b[i])-min(a[i], b[i])) > off {
			t.Errorf("%s became %v, want %v within %d", what, got, want, off)
			return
		}
	}
}

// exactly returns what ToSRGB is to do, without tables, for a space and its
// curve.
func exactly(space chromaticities, light curve) func(color.NRGBA) color.NRGBA {
	m := srgbSpace().primaries().inverse().times(space.primaries())
	return func(c color.NRGBA) color.NRGBA {
		v := m.apply([3]float64{light(float64(c.R) / 255), light(float64(c.G) / 255), light(float64(c.B) / 255)})
		return color.NRGBA{exactLevel(v[0]), exactLevel(v[1]), exactLevel(v[2]), c.A}
	}
}

// exactLevel is the curve of IEC 61966-2-1 from light to values.
func exactLevel(light float64) uint8 {
	v := min(max(light, 0), 1)
	if v <= 0.0031308 {
		v *= 12.92
	} else {
		v = 1.055*math.Pow(v, 1/2.4) - 0.055
	}
	return uint8(math.Round(255 * v))
}

func power(g float64) curve { return func(x float64) float64 { return math.Pow(x, g) } }

// proPhotoLight is a gamma of 1.8 that starts with a straight piece.
func proPhotoLight(x float64) float64 {
	if x < 1.0/32 {
		return x / 16
	}
	return math.Pow(x, 1.8)
}

// swapped is sRGB by other names.
func swapped() chromaticities {
	c := srgbSpace()
	c[0], c[1] = c[1], c[0]
	return c
}

func squared(x float64) float64 { return x * x }

func cube(x float64) float64 { return x * x * x }
