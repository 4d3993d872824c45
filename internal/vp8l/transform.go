package vp8l

import (
	"encoding/binary"
	"image"
)

// Kinds of transforms (RFC 9649, 3.5), each at most once in a picture.
const (
	predictorTransform = iota
	colorTransform
	subtractGreenTransform
	colorIndexingTransform
	transformKinds
)

// transform is what was done to the pixels.
type transform struct {
	kind  int
	width int // of a row of the pixels before it was done
	// shift is, as a power of 2, the side of a block; of a colour indexing,
	// how many pixels are bundled.
	shift   uint
	modes   []uint8  // of each block, its predictor
	factors []uint32 // of each block, its colour transform
	palette *[256]uint32
}

// transforms reads all transforms, and how wide the rows are that they leave.
func (d *decoder) transforms(size image.Point) ([]transform, int, error) {
	var all []transform
	var seen [transformKinds]bool
	width := size.X
	for d.read(1) == 1 {
		t := transform{kind: d.read(2), width: width}
		if seen[t.kind] {
			return nil, 0, ErrCorrupt
		}
		seen[t.kind] = true
		if err := d.readTransform(&t, size.Y); err != nil {
			return nil, 0, err
		}
		if t.kind == colorIndexingTransform {
			width = blocksOf(width, t.shift)
		}
		all = append(all, t)
	}
	return all, width, nil
}

func (d *decoder) readTransform(t *transform, height int) error {
	switch t.kind {
	case subtractGreenTransform:
		return nil
	case colorIndexingTransform:
		return d.readPalette(t)
	}
	t.shift = uint(2 + d.read(3))
	stride := blocksOf(t.width, t.shift)
	blocks := d.pix[:4*stride*blocksOf(height, t.shift)]
	if err := d.subimage(blocks, stride); err != nil {
		return err
	}
	if t.kind == predictorTransform {
		return t.setModes(blocks)
	}
	t.factors = make([]uint32, len(blocks)/4)
	for i := range t.factors {
		t.factors[i] = binary.LittleEndian.Uint32(blocks[4*i:])
	}
	return nil
}

// predictors are how many there are. What those above would be isn't said.
const predictors = 14

func (t *transform) setModes(blocks []byte) error {
	t.modes = make([]uint8, len(blocks)/4)
	for i := range t.modes {
		t.modes[i] = blocks[4*i+1]
		if t.modes[i] >= predictors {
			return ErrCorrupt
		}
	}
	return nil
}

// readPalette reads a palette, in which a colour is written as the difference
// from the one before it, and of which the rest is transparent black (RFC 9649,
// 3.5.4).
func (d *decoder) readPalette(t *transform) error {
	var colors [4 * 256]byte
	n := 1 + d.read(8)
	if err := d.subimage(colors[:4*n], n); err != nil {
		return err
	}
	t.palette = new([256]uint32)
	last := uint32(0)
	for i := range n {
		last = addPixels(last, binary.LittleEndian.Uint32(colors[4*i:]))
		t.palette[i] = last
	}
	switch {
	case n <= 2:
		t.shift = 3
	case n <= 4:
		t.shift = 2
	case n <= 16:
		t.shift = 1
	}
	return nil
}

// invert undoes the transform on part, which lies at the end of pix, and
// returns what is then the part: more of pix, when it was bundled.
func (t *transform) invert(pix, part []byte) []byte {
	switch t.kind {
	case predictorTransform:
		t.unpredict(part)
	case colorTransform:
		t.uncolor(part)
	case subtractGreenTransform:
		addGreen(part)
	case colorIndexingTransform:
		t.unindex(pix, len(pix)-len(part))
		return pix
	}
	return part
}

// addGreen adds the green of each pixel to its red and its blue.
func addGreen(pix []byte) {
	for ; len(pix) >= 4; pix = pix[4:] {
		v := binary.LittleEndian.Uint32(pix)
		green := v >> 8 & 0xff
		binary.LittleEndian.PutUint32(pix, v&0xff00ff00|(v&0x00ff00ff+green*0x00010001)&0x00ff00ff)
	}
}

// uncolor adds to red what it has in common with green, then to blue what it
// has in common with green and with red (RFC 9649, 3.5.2).
func (t *transform) uncolor(pix []byte) {
	stride := blocksOf(t.width, t.shift)
	for y := 0; len(pix) > 0; y++ {
		factors := t.factors[y>>t.shift*stride:]
		row := pix[:4*t.width]
		pix = pix[4*t.width:]
		for len(row) > 0 {
			n := min(len(row), 4<<t.shift)
			uncolorRun(row[:n], factors[0])
			row, factors = row[n:], factors[1:]
		}
	}
}

func uncolorRun(pix []byte, factors uint32) {
	redToBlue, greenToBlue, greenToRed := int8(factors), int8(factors>>8), int8(factors>>16)
	for ; len(pix) >= 4; pix = pix[4:] {
		v := binary.LittleEndian.Uint32(pix)
		green := int8(v >> 8)
		red := int8(v) + share(greenToRed, green)
		blue := int8(v>>16) + share(greenToBlue, green) + share(redToBlue, red)
		binary.LittleEndian.PutUint32(pix, v&0xff00ff00|uint32(uint8(red))|uint32(uint8(blue))<<16)
	}
}

// share is a factor, in 32nds, of a value.
func share(factor, value int8) int8 { return int8(int(factor) * int(value) >> 5) }

// unindex replaces the indices of pix, which begin at from, by their colours.
// Going forwards overwrites none that is still needed: with pixels to come, at
// least as many indices are, and these are at the end.
func (t *transform) unindex(pix []byte, from int) {
	each := uint(8) >> t.shift // bits of an index
	for to := 0; to < len(pix); {
		indices := uint(0)
		for x := range t.width {
			if x&(1<<t.shift-1) == 0 {
				indices = uint(pix[from+1])
				from += 4
			}
			binary.LittleEndian.PutUint32(pix[to:], t.palette[indices&(1<<each-1)])
			indices >>= each
			to += 4
		}
	}
}

// unpredict adds to each pixel what was predicted of it from its neighbours
// (RFC 9649, 3.5.1): of the first row, the pixel to the left; of the first
// column, the pixel above.
func (t *transform) unpredict(pix []byte) {
	const black = 0xff000000
	left := uint32(black)
	for i := 0; i < 4*t.width; i += 4 {
		left = addTo(pix[i:], left)
	}
	stride := blocksOf(t.width, t.shift)
	for y := 1; y < len(pix)/4/t.width; y++ {
		modes := t.modes[y>>t.shift*stride:]
		start := y * t.width
		addTo(pix[4*start:], binary.LittleEndian.Uint32(pix[4*(start-t.width):]))
		for x := 1; x < t.width; {
			end := min(t.width, (x>>t.shift+1)<<t.shift)
			unpredictRun(pix[4*(start-t.width+x-1):4*(start+end)], t.width, modes[x>>t.shift])
			x = end
		}
	}
}

// unpredictRun adds predictions to pixels that follow each other. pix begins
// with the pixel above and left of the first and ends with the last. Of the
// last pixel of a row, the one above and right is that which follows in memory:
// the first of its own row, as the standard has it.
func unpredictRun(pix []byte, width int, mode uint8) {
	up, cur := pix, pix[4*width:]
	n := len(cur) - 4
	upLeft, above := binary.LittleEndian.Uint32(up), binary.LittleEndian.Uint32(up[4:])
	left := binary.LittleEndian.Uint32(cur)
	up, cur = up[8:][:n], cur[4:][:n]
	for i := 0; i+4 <= len(cur) && i+4 <= len(up); i += 4 {
		upRight := binary.LittleEndian.Uint32(up[i:])
		left = addTo(cur[i:], predict(mode, left, above, upLeft, upRight))
		upLeft, above = above, upRight
	}
}

// addTo adds to the first pixel of pix.
func addTo(pix []byte, v uint32) uint32 {
	v = addPixels(binary.LittleEndian.Uint32(pix), v)
	binary.LittleEndian.PutUint32(pix, v)
	return v
}
