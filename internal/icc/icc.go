// Package icc converts pictures from the colours that an ICC profile describes to
// those of sRGB.
package icc

import (
	"bytes"
	"encoding/binary"
	"image"
	"math"
)

// Sizes in a profile (ICC.1:2022, 7.2, 7.3 and 10).
const (
	headerBytes = 128
	tagBytes    = 12
	typeBytes   = 8 // the signature of a tag's type, and zeros
	maxTags     = 100
)

// A Profile converts the colours of an RGB space to sRGB. It doesn't change
// once it is made, so pictures may share it.
//
// Only the model of ICC.1:2022, F.3 is known: a curve for each component, and
// a matrix. That is how Display P3, Adobe RGB and ProPhoto are written.
type Profile struct {
	// linear is how much light each value of each component stands for.
	linear [3][256]float32
	// matrix makes light of sRGB's primaries of that of the profile's.
	matrix [3][3]float32
	encode *encoder
}

// Parse reads an ICC profile of version 2 or 4 (ICC.1:2001-04, ICC.1:2022). It
// returns nil when the colours are best taken as sRGB: because that is what they
// are, because the profile is of another model than a matrix, or because it is
// damaged.
//
// The class of the profile is not looked at: those whose matrix would mean
// something else have none. A table for the perceptual intent (A2B0) that
// stands beside the matrix would be the better way, but the matrix is what the
// profile itself offers to readers that have no use for tables.
func Parse(data []byte) *Profile {
	if data = checked(data); data == nil {
		return nil
	}
	p := &Profile{encode: newEncoder()}
	var primaries matrix
	for i, tags := range [3]struct{ primary, curve string }{
		{"rXYZ", "rTRC"}, {"gXYZ", "gTRC"}, {"bXYZ", "bTRC"},
	} {
		xyz, ok := parseXYZ(tag(data, tags.primary))
		c := parseCurve(tag(data, tags.curve))
		if !ok || c == nil || !p.linearize(i, c) {
			return nil
		}
		for row := range xyz {
			primaries[row][i] = xyz[row]
		}
	}
	if !p.mix(primaries) || p.isSRGB() {
		return nil
	}
	return p
}

// checked returns as much of data as its header says is the profile, nil when the
// header (ICC.1:2022, 7.2) is not one of RGB colours whose connection space is
// XYZ, which a matrix demands.
func checked(data []byte) []byte {
	if len(data) < headerBytes+4 {
		return nil
	}
	size := binary.BigEndian.Uint32(data)
	if size < headerBytes+4 || uint64(size) > uint64(len(data)) {
		return nil
	}
	version := data[8]
	if version != 2 && version != 4 || string(data[36:40]) != "acsp" || string(data[16:24]) != "RGB XYZ " {
		return nil
	}
	return data[:size]
}

// tag returns the data of the tag with a signature, without the eight bytes that
// name its type but with that name; neither when there is no such tag, or it lies
// outside. Tags may share their data.
func tag(profile []byte, signature string) (kind string, data []byte) {
	table := profile[headerBytes+4:]
	n := binary.BigEndian.Uint32(profile[headerBytes:])
	if n > maxTags || int(n)*tagBytes > len(table) {
		return "", nil
	}
	for ; n > 0; n, table = n-1, table[tagBytes:] {
		if string(table[:4]) != signature {
			continue
		}
		start := uint64(binary.BigEndian.Uint32(table[4:]))
		end := start + uint64(binary.BigEndian.Uint32(table[8:]))
		if end > uint64(len(profile)) || end-start < typeBytes {
			return "", nil
		}
		data = profile[start:end]
		return string(data[:4]), data[typeBytes:]
	}
	return "", nil
}

// fixed reads the s15Fixed16Number that data starts with.
func fixed(data []byte) float64 {
	return float64(int32(binary.BigEndian.Uint32(data))) / (1 << 16)
}

// parseXYZ reads an XYZType (ICC.1:2022, 10.31).
func parseXYZ(kind string, data []byte) (xyz [3]float64, ok bool) {
	if kind != "XYZ " || len(data) < 12 {
		return xyz, false
	}
	for i := range xyz {
		xyz[i] = fixed(data[4*i:])
	}
	return xyz, true
}

// curve gives the light that a component from 0 to 1 stands for.
type curve func(x float64) float64

// parseCurve reads a curveType or a parametricCurveType (ICC.1:2022, 10.6 and
// 10.18); nil when it is neither, or its numbers are no curve's.
func parseCurve(kind string, data []byte) curve {
	switch {
	case kind == "curv" && len(data) >= 4:
		return sampledCurve(binary.BigEndian.Uint32(data), data[4:])
	case kind == "para" && len(data) >= 4:
		return parametricCurve(binary.BigEndian.Uint16(data), data[4:])
	default:
		return nil
	}
}

// sampledCurve makes a curve of n numbers: of none the straight one, of one
// that of a gamma, of more the one that runs through them at equal distances.
// How many there may be is left to the length of the data, since the 256
// values that are wanted of a curve cost the same however many there are.
func sampledCurve(n uint32, data []byte) curve {
	if uint64(n)*2 > uint64(len(data)) {
		return nil
	}
	switch n {
	case 0:
		return func(x float64) float64 { return x }
	case 1:
		return gammaCurve(float64(binary.BigEndian.Uint16(data)) / (1 << 8))
	}
	at := func(i int) float64 { return float64(binary.BigEndian.Uint16(data[2*i:])) / math.MaxUint16 }
	last := int(n) - 1
	return func(x float64) float64 {
		x *= float64(last)
		i := min(int(x), last-1)
		return at(i) + (x-float64(i))*(at(i+1)-at(i))
	}
}

func gammaCurve(g float64) curve {
	if !isGamma(g) {
		return nil
	}
	return func(x float64) float64 { return math.Pow(x, g) }
}

// isGamma tells exponents that a picture could have been made with from those
// of a damaged file. The largest in use is 2.8.
func isGamma(g float64) bool { return 0.1 <= g && g <= 10 }

// parametricCurve makes a curve of one of the functions 0 to 4. All are the
// last of them, with some of its numbers left out:
//
//	(ax + b)^g + e  where x >= d, and
//	cx + f          elsewhere
//
// Functions 1 and 2 are level up to where ax + b is 0, and so is this one, as
// it doesn't let ax + b fall below: to take the root of it would give no
// number.
func parametricCurve(function uint16, data []byte) curve {
	counts := [...]int{1, 3, 4, 5, 7}
	if int(function) >= len(counts) || len(data) < 4*counts[function] {
		return nil
	}
	var v [7]float64
	for i := range counts[function] {
		v[i] = fixed(data[4*i:])
	}
	g, a, b, c, d, e, f := v[0], v[1], v[2], v[3], v[4], v[5], v[6]
	switch function {
	case 0:
		a = 1
	case 2:
		e = c // which has no other use, as d is 0
	}
	if !isGamma(g) {
		return nil
	}
	return func(x float64) float64 {
		if x < d {
			return c*x + f
		}
		return math.Pow(max(a*x+b, 0), g) + e
	}
}

// linearize fills in what the values of a component stand for. It reports
// whether they stand for more light at their end than at their start: under
// no other curve could a picture be seen.
func (p *Profile) linearize(component int, c curve) bool {
	values := &p.linear[component]
	for i := range values {
		values[i] = float32(min(max(c(float64(i)/255), 0), 1))
	}
	return values[0] < values[255]
}

// mix sets the matrix for primaries whose X, Y and Z are its rows, and reports
// whether they are those of a space to paint in.
func (p *Profile) mix(primaries matrix) bool {
	// As much of sRGB's is 0.2, so less than this is no space but a plane.
	const flat = 0.01
	// All primaries together are the white of the connection space, but for
	// what was lost when they were written. Further off is a profile that is
	// damaged, or whose primaries were left as they are under D65.
	const off = 0.1
	if math.Abs(primaries.determinant()) < flat {
		return false
	}
	m := sRGBFromXYZ().times(primaries)
	for row := range m {
		sum := m[row][0] + m[row][1] + m[row][2]
		if math.Abs(sum-1) > off {
			return false
		}
		// With sums of exactly 1, white stays white and grey grey.
		for col := range m[row] {
			p.matrix[row][col] = float32(m[row][col] / sum)
		}
	}
	return true
}

// isSRGB reports whether the profile is one of the many that were written for
// sRGB, which differ in their rounding and in how many samples they have of
// the curve. To convert by these would only add noise.
//
// They move a component by up to 1 of 255, with 26 samples as with 4096. What
// else comes nearest, a gamma of 2.2 for the same primaries, moves some by 9.
func (p *Profile) isSRGB() bool {
	const noise = 2
	return p.farthest() <= noise
}

// farthest returns by how much of 255 a component changes at most, of all
// greys and of colours spread over the space.
func (p *Profile) farthest() int {
	const side = 64 // as many pixels as 16 steps in three directions
	before := image.NewNRGBA(image.Rect(0, 0, side, side+256/side))
	for i := range len(before.Pix) / 4 {
		r, g, b := i>>8*17, i>>4&15*17, i&15*17
		if i >= side*side {
			r, g, b = i&255, i&255, i&255
		}
		copy(before.Pix[4*i:], []uint8{uint8(r), uint8(g), uint8(b), 0xff})
	}
	after := &image.NRGBA{Pix: bytes.Clone(before.Pix), Stride: before.Stride, Rect: before.Rect}
	p.ToSRGB(after)
	farthest := 0
	for i, v := range before.Pix {
		farthest = max(farthest, int(max(v, after.Pix[i])-min(v, after.Pix[i])))
	}
	return farthest
}

// ToSRGB converts the pixels of img in place. Colours that sRGB can't show
// become the nearest in each component. Alpha stays as it is: the colours are
// not multiplied by it.
func (p *Profile) ToSRGB(img *image.NRGBA) {
	for y := range img.Rect.Dy() {
		row := img.Pix[y*img.Stride:][:4*img.Rect.Dx()]
		for ; len(row) >= 4; row = row[4:] {
			p.convert((*[3]uint8)(row))
		}
	}
}

func (p *Profile) convert(rgb *[3]uint8) {
	r, g, b := p.linear[0][rgb[0]], p.linear[1][rgb[1]], p.linear[2][rgb[2]]
	m := &p.matrix
	rgb[0] = p.encode.level(m[0][0]*r + m[0][1]*g + m[0][2]*b)
	rgb[1] = p.encode.level(m[1][0]*r + m[1][1]*g + m[1][2]*b)
	rgb[2] = p.encode.level(m[2][0]*r + m[2][1]*g + m[2][2]*b)
}
