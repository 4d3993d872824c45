package vp8l

import (
	"math/bits"
	"slices"
)

// writer writes lossless pictures, as hostile as is wanted.
type writer struct {
	out  []byte
	acc  uint64
	held int // bits in acc
}

// newPicture begins a picture.
func newPicture(width, height int) *writer {
	w := &writer{out: []byte{signature}}
	w.write(width-1, 14)
	w.write(height-1, 14)
	w.write(0, 1+3) // no hint of alpha, version 0
	return w
}

func (w *writer) write(v, n int) {
	w.acc |= uint64(v) << w.held
	for w.held += n; w.held >= 8; w.held -= 8 {
		w.out = append(w.out, byte(w.acc))
		w.acc >>= 8
	}
}

func (w *writer) bytes() []byte {
	if w.held > 0 {
		return append(w.out, byte(w.acc))
	}
	return w.out
}

// testCode is a canonical prefix code: the length of each symbol.
type testCode []uint8

// flat has as many symbols, of as many bits each.
func flat(bits int) testCode { return slices.Repeat(testCode{uint8(bits)}, 1<<bits) }

// put writes a symbol.
func (w *writer) put(c testCode, symbol int) {
	code, used := 0, 0
	for _, n := range c {
		if n > 0 {
			used++
		}
	}
	if used == 1 {
		return
	}
	length := c[symbol]
	for s, n := range c {
		if n > 0 && (n < length || n == length && s < symbol) {
			code += 1 << (maxCodeLength - n)
		}
	}
	w.write(int(bits.Reverse16(uint16(code<<1))), int(length))
}

// describe writes the lengths of a code, four bits each.
func (w *writer) describe(c testCode) {
	w.write(0, 1)
	w.write(15, 4)
	for _, s := range codeLengthOrder {
		if s < 16 {
			w.write(4, 3)
		} else {
			w.write(0, 3)
		}
	}
	w.limit(len(c))
	for _, n := range c {
		w.write(int(bits.Reverse8(n<<4)), 4)
	}
}

// describeFlat writes the lengths of a flat code, at no bits each.
func (w *writer) describeFlat(n int) {
	w.write(0, 1)
	w.write(15, 4)
	for _, s := range codeLengthOrder {
		if int(s) == n {
			w.write(1, 3)
		} else {
			w.write(0, 3)
		}
	}
	w.limit(1 << n)
}

// limit says how many lengths are written.
func (w *writer) limit(n int) {
	w.write(1, 1)
	w.write(5, 3)
	w.write(n-2, 12)
}

// describeSingle writes a code of one symbol.
func (w *writer) describeSingle(symbol int) {
	w.write(0b101, 3)
	w.write(symbol, 8)
}

// literals writes a group of flat codes of literals.
func (w *writer) literals() {
	for range 4 {
		w.describeFlat(8)
	}
	w.describeSingle(0)
}

// solid writes an image of one colour, which takes no bits for its pixels.
func (w *writer) solid(red, green, blue, alpha int) {
	w.write(0, 1) // no cache
	for _, v := range []int{green, red, blue, alpha, 0} {
		w.describeSingle(v)
	}
}

// literal writes a pixel by flat codes.
func (w *writer) literal(red, green, blue, alpha int) {
	for _, v := range []int{green, red, blue, alpha} {
		w.write(int(bits.Reverse8(uint8(v))), 8)
	}
}
