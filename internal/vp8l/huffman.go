package vp8l

import (
	"encoding/binary"
	"math/bits"
)

// bitReader gives the bits of a stream, those of a byte from the lowest up
// (RFC 9649, 3.2). Behind the end there are zeros, which are counted: that
// more was read than there is needs to be asked for only now and then.
type bitReader struct {
	data []byte // what isn't in bits yet
	bits uint64
	have uint // how many of bits are valid; those above may be set, to what follows
	past uint // how many of them were made up
}

// fill sees to it that there are at least 56 bits.
func (r *bitReader) fill() {
	if len(r.data) < 8 {
		r.fillByBytes()
		return
	}
	r.bits |= binary.LittleEndian.Uint64(r.data) << (r.have & 63)
	r.data = r.data[(63-r.have)/8:]
	r.have |= 56
}

func (r *bitReader) fillByBytes() {
	for r.have < 56 {
		if len(r.data) > 0 {
			r.bits |= uint64(r.data[0]) << r.have
			r.data = r.data[1:]
		} else {
			r.past += 8
		}
		r.have += 8
	}
}

// read returns the next n bits, of which there may be up to 32.
func (r *bitReader) read(n uint) int {
	if r.have < n {
		r.fill()
	}
	v := r.bits & (1<<n - 1)
	r.skip(n)
	return int(v)
}

func (r *bitReader) skip(n uint) {
	r.bits >>= n
	r.have -= n
}

// overrun tells whether bits behind the end were read.
func (r *bitReader) overrun() bool { return r.past > r.have }

// Limits of prefix codes (RFC 9649, 3.7.2.1).
const (
	maxCodeLength = 15
	// maxAlphabet is the largest number of symbols: green values, prefixes of
	// lengths, and the colours of the largest cache.
	maxAlphabet = firstCached + 1<<maxCacheBits
	// rootBits is by how many bits a code is looked up at first.
	rootBits = 8
	// maxTable is the largest number of entries that a table can have. Its
	// root has at most 256. Symbols stand in it by their lengths, so behind a
	// prefix of eight bits all lengths are the same, and there are as many
	// entries as symbols, but for at most six prefixes at which a length of 9
	// to 14 ends: those have up to 128 entries each.
	maxTable = 1<<rootBits + maxAlphabet + 6<<(maxCodeLength-rootBits)
)

// prefixCode is a table that is indexed by the bits that come next. An entry
// is a symbol times 16, plus the length of its code. Where the length of an
// entry in the root is more than rootBits, it leads to further entries: these
// begin at the number that stands in the place of the symbol, and are indexed
// by as many of the following bits as the length is more than rootBits. Both
// numbers fit, as maxTable is less than 4096.
//
// A code of a single symbol has one entry and takes no bits.
type prefixCode struct {
	table []uint16
	mask  uint64 // of the bits that index the root
}

// lookup returns the entry of the code that bits begin with.
func (c *prefixCode) lookup(bits uint64) uint {
	e := uint(c.table[bits&c.mask])
	if n := e & 15; n > rootBits {
		e = uint(c.table[e>>4+uint(bits>>rootBits)&(1<<(n-rootBits)-1)])
	}
	return e
}

// symbol reads a symbol; the reader has at least 15 bits.
func (r *bitReader) symbol(c *prefixCode) int {
	e := c.lookup(r.bits)
	r.skip(e & 15)
	return int(e >> 4)
}

// maxCodeBytes is the memory that the codes of a picture may take. A group of
// five codes takes 160 bytes, and its tables two bytes an entry: with full
// alphabets but no cache those are hardly more than 600 entries for each of four
// codes, and a few for the fifth, which makes 5 KB; most groups of a real file
// take less than half. Encoders stop at 2600 groups. The format allows 65536,
// with which a file of 3 MB would take 400 MB.
//
// It is also a bound of the time, as every entry is written once.
const maxCodeBytes = 11 << 20

// slabEntries are how many entries are allocated at a time. A table that
// doesn't fit in what is left begins a new slab.
const slabEntries = 1 << 14

// codeReader reads prefix codes and keeps their tables.
type codeReader struct {
	bitReader
	room    int      // what is left of maxCodeBytes
	slab    []uint16 // what is left of the newest slab
	singles []uint16 // the tables of all codes of a single symbol

	lengths [maxAlphabet]uint8
	counts  [maxCodeLength + 1]int // how many symbols have a length
	sorted  [maxAlphabet]uint16
	scratch [maxTable]uint16
}

func newCodeReader(data []byte) *codeReader {
	r := &codeReader{
		bitReader: bitReader{data: data},
		room:      maxCodeBytes,
		singles:   make([]uint16, maxAlphabet),
	}
	for s := range r.singles {
		r.singles[s] = uint16(s << 4)
	}
	return r
}

// keep moves a code out of the scratch.
func (r *codeReader) keep(c prefixCode) (prefixCode, error) {
	n := len(c.table)
	if n <= 1 {
		return c, nil
	}
	if n > len(r.slab) {
		if err := r.take(2 * slabEntries); err != nil {
			return prefixCode{}, err
		}
		r.slab = make([]uint16, slabEntries)
	}
	copy(r.slab, c.table)
	c.table, r.slab = r.slab[:n:n], r.slab[n:]
	return c, nil
}

// take allows for memory of codes.
func (r *codeReader) take(bytes int) error {
	if bytes > r.room {
		return ErrUnsupported
	}
	r.room -= bytes
	return nil
}

// readLengths sets the lengths of a code and counts them, and sees to it that
// they are those of a complete one.
func (r *codeReader) readLengths(alphabet int) error {
	lengths := r.lengths[:alphabet]
	clear(lengths)
	if r.read(1) == 1 {
		return r.readSimple(alphabet)
	}
	var meta [19]uint8
	clear(r.counts[:])
	for i := range 4 + r.read(4) {
		n := r.read(3)
		meta[codeLengthOrder[i]] = uint8(n)
		r.counts[n]++
	}
	if !r.complete() {
		return ErrCorrupt
	}
	c := r.build(meta[:]) // in the scratch until this code's own table is built
	clear(r.counts[:])
	if err := r.readNormal(lengths, &c); err != nil {
		return err
	}
	if !r.complete() {
		return ErrCorrupt
	}
	return nil
}

// codeLengthOrder is the order in which the lengths of the code of lengths
// stand.
var codeLengthOrder = [...]uint8{17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}

// readSimple reads a code of one or two symbols. Of two, the smaller has the bit 0,
// whichever stands first. That both are the same is an error: decoders differ on
// whether such a code takes bits, and no encoder writes it.
func (r *codeReader) readSimple(alphabet int) error {
	symbols := 1 + r.read(1)
	first := r.read(1 + 7*uint(r.read(1)))
	if first >= alphabet {
		return ErrCorrupt
	}
	clear(r.counts[:])
	r.counts[1] = symbols
	r.lengths[first] = 1
	if symbols == 2 {
		second := r.read(8)
		if second >= alphabet || second == first {
			return ErrCorrupt
		}
		r.lengths[second] = 1
	}
	return nil
}

// readNormal reads lengths that are themselves coded, by c.
func (r *codeReader) readNormal(lengths []uint8, c *prefixCode) error {
	coded := len(lengths)
	if r.read(1) == 1 {
		coded = 2 + r.read(2+2*uint(r.read(3)))
		if coded > len(lengths) {
			return ErrCorrupt
		}
	}
	if s := c.table[0] >> 4; len(c.table) == 1 && s < 16 {
		r.repeatLength(lengths[:coded], uint8(s))
		return nil
	}
	last := uint8(8)
	for at := 0; at < len(lengths) && coded > 0; coded-- {
		if r.have < maxCodeLength {
			r.fill()
		}
		s := r.symbol(c)
		value, run := uint8(0), 1
		switch s {
		case 16:
			value, run = last, 3+r.read(2)
		case 17:
			run = 3 + r.read(3)
		case 18:
			run = 11 + r.read(7)
		default:
			value = uint8(s)
			if s != 0 {
				last = value
			}
		}
		if run > len(lengths)-at {
			return ErrCorrupt
		}
		r.repeatLength(lengths[at:at+run], value)
		at += run
	}
	return nil
}

// repeatLength sets and counts lengths. All at once, those that take no bits
// don't take the time of as many that do.
func (r *codeReader) repeatLength(lengths []uint8, value uint8) {
	for i := range lengths {
		lengths[i] = value
	}
	r.counts[value] += len(lengths)
}

// complete tells whether every sequence of bits begins with one code of those
// that are counted, which is also so of a single symbol, whatever its length.
func (r *codeReader) complete() bool {
	symbols, free := 0, 1
	for _, n := range r.counts[1:] {
		symbols += n
		if free = 2*free - n; free < 0 {
			break
		}
	}
	return symbols == 1 || free == 0
}

// build makes a table in the scratch, of a complete code that is counted.
func (r *codeReader) build(lengths []uint8) prefixCode {
	symbols := r.sort(lengths)
	if len(symbols) == 1 {
		s := int(symbols[0])
		return prefixCode{table: r.singles[s : s+1 : s+1]}
	}
	root := min(rootBits, int(lengths[symbols[len(symbols)-1]]))
	size := 1 << root
	code := 0 // times 2 to the power of what it is shorter than 15 bits
	var sub []uint16
	for i, s := range symbols {
		n := int(lengths[s])
		// The first bit of a code is read first, hence is the lowest.
		index := int(bits.Reverse16(uint16(code << 1)))
		if n <= rootBits {
			spread(r.scratch[:1<<root], index, n, s<<4|uint16(n))
		} else {
			prefix := index & (1<<rootBits - 1)
			if code&(1<<(maxCodeLength-rootBits)-1) == 0 {
				deep := depth(symbols[i:], lengths)
				r.scratch[prefix] = uint16(size<<4 | deep)
				sub = r.scratch[size:][:1<<(deep-rootBits)]
				size += len(sub)
			}
			spread(sub, index>>rootBits, n-rootBits, s<<4|uint16(n))
		}
		code += 1 << (maxCodeLength - n)
	}
	return prefixCode{table: r.scratch[:size], mask: 1<<root - 1}
}

// sort returns the symbols that have a code, in the order of the codes.
func (r *codeReader) sort(lengths []uint8) []uint16 {
	var next [maxCodeLength + 1]int
	for n := 1; n < maxCodeLength; n++ {
		next[n+1] = next[n] + r.counts[n]
	}
	for s, n := range lengths {
		if n != 0 {
			r.sorted[next[n]] = uint16(s)
			next[n]++
		}
	}
	return r.sorted[:next[maxCodeLength]]
}

// spread writes an entry wherever the n lowest bits are those of index.
func spread(table []uint16, index, n int, entry uint16) {
	for i := index; i < len(table); i += 1 << n {
		table[i] = entry
	}
}

// depth returns the greatest length of the codes that have the first rootBits
// in common with the first symbol's.
func depth(symbols []uint16, lengths []uint8) int {
	filled, n := 0, 0
	for i := 0; filled < 1<<(maxCodeLength-rootBits); i++ {
		n = int(lengths[symbols[i]])
		filled += 1 << (maxCodeLength - n)
	}
	return n
}
