// Package vp8l decodes lossless WebP pictures: the bitstream of RFC 9649, section 3,
// which is that of a chunk VP8L and, without its header, of a chunk ALPH.
//
// Package vp8l of golang.org/x/image isn't used since it takes whatever memory
// a file asks for. Here it is, whatever the file says: four bytes for each
// pixel; for each block of at least 4 by 4 pixels up to seven bytes; 11 MiB of
// codes; and less than 500 KB. Besides its pixels, a picture of 4096 by 4096 so
// takes less than 20 MB.
package vp8l

import (
	"encoding/binary"
	"errors"
	"image"
	"math/bits"
)

var (
	// ErrCorrupt is of a picture that is cut short or makes no sense.
	ErrCorrupt = errors.New("the lossless picture is cut short or makes no sense")
	// ErrUnsupported is of a version that doesn't exist yet, or of more codes than
	// are given room to: see maxCodeBytes.
	ErrUnsupported = errors.New("the lossless picture is of a kind that isn't read")
)

// headerBytes are the signature, and sizes of 14 bits each, a hint whether
// there is transparency, and a version of 3 bits (RFC 9649, 3.4).
const (
	headerBytes = 5
	signature   = 0x2f
)

// Size reads the header of a lossless picture. It copies nothing. The caller holds
// the size to its limits before it has the picture decoded: up to 2 to the power
// of 28 pixels are possible.
func Size(data []byte) (image.Point, error) {
	if len(data) < headerBytes || data[0] != signature {
		return image.Point{}, ErrCorrupt
	}
	v := int(binary.LittleEndian.Uint32(data[1:]))
	if v>>29 != 0 {
		return image.Point{}, ErrUnsupported
	}
	return image.Pt(v&0x3fff+1, v>>14&0x3fff+1), nil
}

// Decode decodes a lossless picture. Its error is [ErrCorrupt] or
// [ErrUnsupported]. What lies behind the picture is left alone.
func Decode(data []byte) (*image.NRGBA, error) {
	size, err := Size(data)
	if err != nil {
		return nil, err
	}
	pix, err := decodeImageStream(data[headerBytes:], size)
	if err != nil {
		return nil, err
	}
	return &image.NRGBA{Pix: pix, Stride: 4 * size.X, Rect: image.Rectangle{Max: size}}, nil
}

// DecodeAlpha decodes a lossless picture without a header, whose green values are
// the alpha values of another of that size (RFC 9649, 2.7.1.2). It returns one
// byte for each pixel.
func DecodeAlpha(data []byte, size image.Point) ([]byte, error) {
	pix, err := decodeImageStream(data, size)
	if err != nil {
		return nil, err
	}
	n := size.X * size.Y
	for i := range n {
		pix[i] = pix[4*i+1]
	}
	return pix[:n:n], nil
}

// decodeImageStream decodes transforms and the pixels they are applied to. It
// returns pixels of four bytes: red, green, blue and alpha.
//
// There are no other pixels in between. Images of blocks are decoded where the
// pixels are going to be and kept in less room; pixels that are bundled, and so
// fewer, are decoded to the end and unfold towards it.
func decodeImageStream(data []byte, size image.Point) ([]byte, error) {
	pix := make([]byte, 4*size.X*size.Y)
	d := &decoder{codeReader: newCodeReader(data), pix: pix}
	transforms, width, err := d.transforms(size)
	if err != nil {
		return nil, err
	}
	part := pix[len(pix)-4*width*size.Y:]
	if err := d.argb(part, width); err != nil {
		return nil, err
	}
	for i := len(transforms) - 1; i >= 0; i-- {
		part = transforms[i].invert(pix, part)
	}
	return pix, nil
}

// decoder decodes the images of one stream.
type decoder struct {
	*codeReader
	pix []byte // of the whole picture; until it is decoded, room for others
}

// Symbols of the code for green (RFC 9649, 3.7.3).
const (
	firstLength = 256
	firstCached = firstLength + 24
)

// distanceSymbols are how many prefixes distances have.
const distanceSymbols = 40

// codeGroup are the codes of a pixel (RFC 9649, 3.7.2.2), in the order of the
// stream.
type codeGroup struct{ green, red, blue, alpha, distance prefixCode }

const codeGroupBytes = 5 * 32

// imageCodes say which codes each pixel of an image has.
type imageCodes struct {
	groups []codeGroup
	blocks []uint16 // of each block, which of the groups; nil when there is one
	shift  uint     // the side of a block is 2 to this power
	stride int      // how many blocks are in a row
}

// argb decodes the picture itself, whose codes may differ from block to block.
func (d *decoder) argb(pix []byte, width int) error {
	cache, err := d.cache()
	if err != nil {
		return err
	}
	var c imageCodes
	used := []bool{true}
	if d.read(1) == 1 {
		if used, err = d.readBlocks(&c, pix, width); err != nil {
			return err
		}
	}
	if err := d.readGroups(&c, used, cache.size()); err != nil {
		return err
	}
	return d.pixels(pix, width, &c, &cache)
}

// subimage decodes an image that is none of pixels: it has one group of codes.
func (d *decoder) subimage(pix []byte, width int) error {
	cache, err := d.cache()
	if err != nil {
		return err
	}
	var c imageCodes
	if err := d.readGroups(&c, []bool{true}, cache.size()); err != nil {
		return err
	}
	return d.pixels(pix, width, &c, &cache)
}

// readBlocks reads which group each block has. It returns which groups of the
// stream these are; in c they are numbered without the others.
func (d *decoder) readBlocks(c *imageCodes, pix []byte, width int) ([]bool, error) {
	height := len(pix) / 4 / width
	c.shift = uint(2 + d.read(3))
	c.stride = blocksOf(width, c.shift)
	blocks := pix[:4*c.stride*blocksOf(height, c.shift)]
	if err := d.subimage(blocks, c.stride); err != nil {
		return nil, err
	}
	c.blocks = make([]uint16, len(blocks)/4)
	largest := 0
	for i := range c.blocks {
		c.blocks[i] = uint16(blocks[4*i])<<8 | uint16(blocks[4*i+1])
		largest = max(largest, int(c.blocks[i]))
	}
	used := make([]bool, largest+1)
	for _, g := range c.blocks {
		used[g] = true
	}
	renumber(c.blocks, used)
	return used, nil
}

// renumber counts only those that are used.
func renumber(blocks []uint16, used []bool) {
	number := make([]uint16, len(used))
	next := uint16(0)
	for g := range used {
		number[g] = next
		if used[g] {
			next++
		}
	}
	for i, g := range blocks {
		blocks[i] = number[g]
	}
}

// blocksOf returns how many blocks cover a side.
func blocksOf(side int, shift uint) int { return (side + 1<<shift - 1) >> shift }

// readGroups reads all groups, and keeps those that are used.
func (d *decoder) readGroups(c *imageCodes, used []bool, cached int) error {
	n := 0
	for _, u := range used {
		if u {
			n++
		}
	}
	if err := d.take(n * codeGroupBytes); err != nil {
		return err
	}
	c.groups = make([]codeGroup, 0, n)
	for _, u := range used {
		var g codeGroup
		if err := d.readGroup(&g, u, cached); err != nil {
			return err
		}
		if u {
			c.groups = append(c.groups, g)
		}
	}
	return nil
}

// readGroup reads a group. It doesn't build the tables of one that isn't used.
func (d *decoder) readGroup(g *codeGroup, used bool, cached int) error {
	for _, c := range [...]struct {
		code     *prefixCode
		alphabet int
	}{{&g.green, firstCached + cached}, {&g.red, 256}, {&g.blue, 256}, {&g.alpha, 256}, {&g.distance, distanceSymbols}} {
		err := d.readLengths(c.alphabet)
		if err == nil && used {
			*c.code, err = d.keep(d.build(d.lengths[:c.alphabet]))
		}
		if err != nil {
			return err
		}
		if d.overrun() {
			return ErrCorrupt
		}
	}
	return nil
}

// pixels decodes an image of the given width into pix.
func (d *decoder) pixels(pix []byte, width int, c *imageCodes, cache *colorCache) error {
	for at, n := 0, len(pix)/4; at < n; {
		g, end := &c.groups[0], min(n, at+width)
		if c.blocks != nil {
			x, y := at%width, at/width
			g = &c.groups[c.blocks[y>>c.shift*c.stride+x>>c.shift]]
			end = at - x + min(width, (x>>c.shift+1)<<c.shift)
		}
		var err error
		if at, err = d.run(pix, at, end, width, g, cache); err != nil {
			return err
		}
		if d.overrun() {
			return ErrCorrupt
		}
	}
	return nil
}

// run decodes pixels of one group, until end is reached; a copy may go beyond.
func (d *decoder) run(pix []byte, at, end, width int, g *codeGroup, cache *colorCache) (int, error) {
	r := d.bitReader
	for at < end {
		if r.have < 3*maxCodeLength {
			r.fill()
		}
		s := r.symbol(&g.green)
		switch {
		case s < firstLength:
			red, blue := r.symbol(&g.red), r.symbol(&g.blue)
			if r.have < maxCodeLength {
				r.fill()
			}
			c := uint32(red | s<<8 | blue<<16 | r.symbol(&g.alpha)<<24)
			binary.LittleEndian.PutUint32(pix[4*at:], c)
			cache.insert(c)
			at++
		case s < firstCached:
			length := r.number(s - firstLength)
			from := at - r.distance(&g.distance, width)
			if from < 0 || length > len(pix)/4-at {
				return 0, ErrCorrupt
			}
			repeat(pix[4*from:4*(at+length)], at-from, cache)
			at += length
		default:
			c := cache.colors[s-firstCached]
			binary.LittleEndian.PutUint32(pix[4*at:], c)
			cache.insert(c)
			at++
		}
	}
	d.bitReader = r
	return at, nil
}

// number reads what belongs to the prefix of a length or a distance (RFC 9649,
// 3.6.2.2).
func (r *bitReader) number(prefix int) int {
	if prefix < 4 {
		return prefix + 1
	}
	extra := uint(prefix-2) / 2
	return (2+prefix&1)<<extra + r.read(extra) + 1
}

// repeat copies to all of pix behind its first pixels what lies as many pixels
// before; what is copied may itself be a copy.
func repeat(pix []byte, distance int, cache *colorCache) {
	step := 4 * distance
	for done := step; done < len(pix); {
		done += copy(pix[done:], pix[:done])
	}
	if cache.colors != nil {
		for ; step < len(pix); step += 4 {
			cache.insert(binary.LittleEndian.Uint32(pix[step:]))
		}
	}
}

// maxCacheBits is of the largest cache of colours, binary logarithm.
const maxCacheBits = 11

// colorCache holds colours by a hash of theirs, each until another has the
// same (RFC 9649, 3.6.2.3).
type colorCache struct {
	colors []uint32 // nil when there is no cache
	shift  uint
}

// cache reads of what size an image's cache is.
func (d *decoder) cache() (colorCache, error) {
	if d.read(1) == 0 {
		return colorCache{}, nil
	}
	n := uint(d.read(4))
	if n < 1 || n > maxCacheBits {
		return colorCache{}, ErrCorrupt
	}
	return colorCache{make([]uint32, 1<<n), 32 - n}, nil
}

func (c *colorCache) size() int { return len(c.colors) }

// insert takes a colour as it is in memory; the hash is of one with blue in the
// lowest byte and alpha in the highest.
func (c *colorCache) insert(color uint32) {
	if c.colors != nil {
		argb := bits.RotateLeft32(bits.ReverseBytes32(color), -8)
		c.colors[argb*0x1e35a7bd>>c.shift] = color
	}
}
