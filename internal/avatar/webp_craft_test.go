package avatar

import (
	"encoding/binary"
	"math/bits"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// riffChunk is one of a WebP file.
func riffChunk(kind string, body ...byte) []byte {
	c := append([]byte(kind), binary.LittleEndian.AppendUint32(nil, uint32(len(body)))...)
	c = append(c, body...)
	if len(body)%2 != 0 {
		c = append(c, 0)
	}
	return c
}

func webpFile(chunks ...[]byte) []byte {
	return riffChunk("RIFF", append([]byte("WEBP"), slices.Concat(chunks...)...)...)
}

func le24(n int) []byte { return []byte{byte(n), byte(n >> 8), byte(n >> 16)} }

func vp8xChunk(flags byte, width, height int) []byte {
	return riffChunk("VP8X", slices.Concat([]byte{flags, 0, 0, 0}, le24(width-1), le24(height-1))...)
}

// anmfChunk is a frame at twice x, y.
func anmfChunk(x, y, width, height int, chunks ...[]byte) []byte {
	head := slices.Concat(le24(x), le24(y), le24(width-1), le24(height-1), []byte{100, 0, 0, 0})
	return riffChunk("ANMF", append(head, slices.Concat(chunks...)...)...)
}

// webpSamples are files that libwebp made of pictures drawn by code, named for
// what they show.
func webpSamples(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("testdata/*.webp")
	if err != nil || len(names) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	samples := map[string][]byte{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		samples[strings.TrimSuffix(filepath.Base(name), ".webp")] = data
	}
	return samples
}

func webpSample(t testing.TB, name string) []byte {
	t.Helper()
	data, found := webpSamples(t)[name]
	if !found {
		t.Fatalf("no sample %s", name)
	}
	return data
}

// vp8lWriter writes lossless pictures, as hostile as is wanted.
type vp8lWriter struct {
	out  []byte
	acc  uint64
	held int // bits in acc
}

// newVP8L begins a picture.
func newVP8L(width, height int) *vp8lWriter {
	w := &vp8lWriter{out: []byte{vp8lSignature}}
	w.write(width-1, 14)
	w.write(height-1, 14)
	w.write(0, 1+3) // no hint of alpha, version 0
	return w
}

func (w *vp8lWriter) write(v, n int) {
	w.acc |= uint64(v) << w.held
	for w.held += n; w.held >= 8; w.held -= 8 {
		w.out = append(w.out, byte(w.acc))
		w.acc >>= 8
	}
}

func (w *vp8lWriter) bytes() []byte {
	if w.held > 0 {
		return append(w.out, byte(w.acc))
	}
	return w.out
}

func (w *vp8lWriter) file() []byte { return webpFile(riffChunk("VP8L", w.bytes()...)) }

// testCode is a canonical prefix code: the length of each symbol.
type testCode []uint8

// flat has as many symbols, of as many bits each.
func flat(bits int) testCode { return slices.Repeat(testCode{uint8(bits)}, 1<<bits) }

// put writes a symbol.
func (w *vp8lWriter) put(c testCode, symbol int) {
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
func (w *vp8lWriter) describe(c testCode) {
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
func (w *vp8lWriter) describeFlat(n int) {
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
func (w *vp8lWriter) limit(n int) {
	w.write(1, 1)
	w.write(5, 3)
	w.write(n-2, 12)
}

// describeSingle writes a code of one symbol.
func (w *vp8lWriter) describeSingle(symbol int) {
	w.write(0b101, 3)
	w.write(symbol, 8)
}

// literals writes a group of flat codes of literals.
func (w *vp8lWriter) literals() {
	for range 4 {
		w.describeFlat(8)
	}
	w.describeSingle(0)
}

// solid writes an image of one colour, which takes no bits for its pixels.
func (w *vp8lWriter) solid(red, green, blue, alpha int) {
	w.write(0, 1) // no cache
	for _, v := range []int{green, red, blue, alpha, 0} {
		w.describeSingle(v)
	}
}

// literal writes a pixel by flat codes.
func (w *vp8lWriter) literal(red, green, blue, alpha int) {
	for _, v := range []int{green, red, blue, alpha} {
		w.write(int(bits.Reverse8(uint8(v))), 8)
	}
}
