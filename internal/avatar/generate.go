package avatar

import (
	"bytes"
	"crypto/sha256"
	"image"
	"image/color"
	"image/png"
	"math"
	"slices"
)

// Generate draws the picture of a user who has uploaded none, as a PNG of side
// times side pixels; side is held to 1 and the largest of [Sizes].
//
// This is version 1 of the drawing, and stays as it is: a URL that names it is
// cached for ever. The same seed gives the same pixels, and from the pixels
// the seed can't be told. SHA-256 of "nameplate avatar 1", a zero byte and the
// seed chooses two hues and four motifs, which fill a quarter of a quilt of
// four by four that is mirrored across and down.
func Generate(seed []byte, side int) []byte {
	var b bytes.Buffer
	e := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := e.Encode(&b, drawing(seed, side)); err != nil {
		panic(err) // neither the buffer nor a picture of this size can fail
	}
	return b.Bytes()
}

func drawing(seed []byte, side int) *image.Paletted {
	side = min(max(side, 1), slices.Max(Sizes()))
	q := newQuilt(sha256.Sum256(append([]byte("nameplate avatar 1\x00"), seed...)))
	img := image.NewPaletted(image.Rect(0, 0, side, side), q.palette())
	places := places(side)
	for y, v := range places {
		row := img.Pix[y*img.Stride:][:side]
		for x, u := range places {
			row[x] = q.at(u, v, float64(side)/4)
			row[side-1-x] = row[x]
		}
		copy(img.Pix[(side-1-y)*img.Stride:], row)
	}
	return img
}

// place is where a column or row of pixels lies: in which of the tiles of a
// quarter, and how far in it.
type place struct {
	tile   int
	within float64
}

// places are those of the columns of a quarter, and of its rows.
func places(side int) []place {
	out := make([]place, (side+1)/2)
	for i := range out {
		u := (float64(i) + 0.5) / (float64(side) / 4)
		tile := min(int(u), 1)
		out[i] = place{tile, u - float64(tile)}
	}
	return out
}

// A quilt has a ground and three tones, and smooths an edge between ground and
// tone in levels. With more than 16 colours in all a pixel is a byte, which
// the encoder of package png writes twice as fast as packed ones.
const (
	tones  = 3
	levels = 8
)

type quilt struct {
	hue, second float64 // degrees
	motifs      [4]motif
}

// motif is a shape, in which of its corners it stands, and its tone.
type motif struct {
	shape        int
	flipX, flipY bool
	tone         int
}

func newQuilt(hash [sha256.Size]byte) quilt {
	q := quilt{hue: float64(int(hash[0])<<8|int(hash[1])) * 360 / 65536}
	q.second = q.hue + [...]float64{40, -40, 120, 180}[hash[2]%4]
	first, step := int(hash[3]%tones), 1+int(hash[4]%2)
	for i := range q.motifs {
		h := hash[5+2*i:]
		q.motifs[i] = motif{
			shape: int(h[0]) % len(shapes),
			flipX: h[1]&1 != 0,
			flipY: h[1]&2 != 0,
			tone:  (first + i*step) % tones,
		}
	}
	return q
}

// palette holds the ground, then each tone from its faintest level to itself.
func (q quilt) palette() color.Palette {
	ground := oklch(0.95, 0.025, q.hue)
	p := color.Palette{ground}
	for _, tone := range [tones]color.RGBA{
		oklch(0.48, 0.12, q.hue),
		oklch(0.66, 0.13, q.hue),
		oklch(0.80, 0.11, q.second),
	} {
		for level := 1; level <= levels; level++ {
			p = append(p, mix(ground, tone, level))
		}
	}
	return p
}

func mix(a, b color.RGBA, level int) color.RGBA {
	m := func(a, b uint8) uint8 {
		return uint8((int(a)*(levels-level) + int(b)*level + levels/2) / levels)
	}
	return color.RGBA{m(a.R, b.R), m(a.G, b.G), m(a.B, b.B), 0xff}
}

// at returns the palette index of a pixel; a tile has as many pixels a side.
func (q *quilt) at(x, y place, tile float64) uint8 {
	m := &q.motifs[2*y.tile+x.tile]
	u, v := x.within, y.within
	if m.flipX {
		u = 1 - u
	}
	if m.flipY {
		v = 1 - v
	}
	// How much of the pixel is covered follows from how far its middle lies
	// inside, near enough. Products are rounded before they are added to, lest
	// a processor that fuses the two draw another picture.
	covered := 0.5 + float64(shapes[m.shape](u, v)*tile)
	switch {
	case covered <= 0:
		return 0
	case covered >= 1:
		return uint8(m.tone*levels + levels)
	}
	level := int(float64(covered*levels) + 0.5)
	if level == 0 {
		return 0
	}
	return uint8(m.tone*levels + level)
}

// shapes give how far a point of the unit square lies inside of a shape that
// stands in its corner 0, 0.
var shapes = [...]func(u, v float64) float64{
	func(u, v float64) float64 { return 1 - length(u, v) },                                       // quarter
	func(u, v float64) float64 { return 0.25 - math.Abs(length(u, v)-0.75) },                     // arch
	func(u, v float64) float64 { return 1 - max(length(u, 1-v), length(1-u, v)) },                // leaf
	func(u, v float64) float64 { return length(1-u, 1-v) - 1 },                                   // spandrel
	func(u, v float64) float64 { return 0.4 - length(u-0.5, v-0.5) },                             // disc
	func(u, v float64) float64 { return 0.11 - math.Abs(length(u-0.5, v-0.5)-0.31) },             // ring
	func(u, v float64) float64 { return (1 - u - v) / math.Sqrt2 },                               // triangle
	func(u, v float64) float64 { return (0.5 - math.Abs(u-0.5) - math.Abs(v-0.5)) / math.Sqrt2 }, // diamond
}

func length(u, v float64) float64 { return math.Sqrt(float64(u*u) + float64(v*v)) }

// oklch converts Björn Ottosson's OKLCH (2020) to sRGB (IEC 61966-2-1),
// clipping what sRGB can't show.
func oklch(lightness, chroma, hue float64) color.RGBA {
	sin, cos := math.Sincos(hue * math.Pi / 180)
	a, b := chroma*cos, chroma*sin
	l := cube(sum(1, lightness, 0.3963377774, a, 0.2158037573, b))
	m := cube(sum(1, lightness, -0.1055613458, a, -0.0638541728, b))
	s := cube(sum(1, lightness, -0.0894841775, a, -1.2914855480, b))
	return color.RGBA{
		R: gamma(sum(4.0767416621, l, -3.3077115913, m, 0.2309699292, s)),
		G: gamma(sum(-1.2684380046, l, 2.6097574011, m, -0.3413193965, s)),
		B: gamma(sum(-0.0041960863, l, -0.7034186147, m, 1.7076147010, s)),
		A: 0xff,
	}
}

// sum adds up three products. Each is rounded before, for the reason said above.
func sum(a, x, b, y, c, z float64) float64 { return float64(a*x) + float64(b*y) + float64(c*z) }

func cube(x float64) float64 { return x * x * x }

func gamma(linear float64) uint8 {
	v := 12.92 * linear
	if linear > 0.0031308 {
		v = float64(1.055*math.Pow(linear, 1/2.4)) - 0.055
	}
	return uint8(math.Round(255 * min(max(v, 0), 1)))
}
