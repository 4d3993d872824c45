package icc

import "math"

// matrix has the amounts that are the result in rows, and those that are
// given in columns.
type matrix [3][3]float64

// sRGBFromXYZ gives the light of the primaries of sRGB (IEC 61966-2-1) for a
// colour in the connection space. White is D50 there and D65 in sRGB; they are
// made one by the matrix of ICC.1:2022, annex E ("Bradford"), as they have
// been in the primaries of a profile, so nothing else needs to be adapted.
func sRGBFromXYZ() matrix {
	return matrix{
		{3.1341864, -1.6172090, -0.4906941},
		{-0.9787485, 1.9161301, 0.0334334},
		{0.0719639, -0.2289939, 1.4057537},
	}
}

func (m matrix) times(n matrix) (product matrix) {
	for row := range 3 {
		for col := range 3 {
			for i := range 3 {
				product[row][col] += m[row][i] * n[i][col]
			}
		}
	}
	return product
}

func (m matrix) determinant() float64 {
	return m[0][0]*(m[1][1]*m[2][2]-m[1][2]*m[2][1]) -
		m[0][1]*(m[1][0]*m[2][2]-m[1][2]*m[2][0]) +
		m[0][2]*(m[1][0]*m[2][1]-m[1][1]*m[2][0])
}

// encoderSteps is enough for no step to have the ends of two levels in it:
// where the curve of sRGB is steepest, a level is 1/(12.92*255) = 1/3295 long.
const encoderSteps = 4096

// encoder finds the value from 0 to 255 with which sRGB stands for an amount
// of light.
type encoder struct {
	// first has the level at the start of each step.
	first [encoderSteps]uint8
	// end is where the next level starts.
	end [256]float32
}

func newEncoder() *encoder {
	e := new(encoder)
	for level := range e.end {
		e.end[level] = float32(sRGBLight((float64(level) + 0.5) / 255))
	}
	level := uint8(0)
	for i := range e.first {
		if float32(i)/encoderSteps >= e.end[level] {
			level++
		}
		e.first[i] = level
	}
	return e
}

// sRGBLight is the curve of IEC 61966-2-1 from values to light.
func sRGBLight(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

// level returns the nearest.
func (e *encoder) level(light float32) uint8 {
	if light <= 0 {
		return 0
	}
	if light >= 1 {
		return 255
	}
	level := e.first[int(light*encoderSteps)]
	if light >= e.end[level] {
		level++
	}
	return level
}
