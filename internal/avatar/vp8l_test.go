package avatar

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/image/vp8l"
)

// wantAsXImage compares our decoder with that of golang.org/x/image, which
// shares no code with it.
func wantAsXImage(t *testing.T, data []byte) {
	t.Helper()
	got, err := decodeVP8L(data)
	if err != nil {
		t.Fatal(err)
	}
	want, err := vp8l.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("golang.org/x/image: %v", err)
	}
	if diff := cmp.Diff(want.(*image.NRGBA), got); diff != "" {
		t.Error(diff)
	}
}

func TestLosslessSamplesAreDecodedExactly(t *testing.T) {
	n := 0
	for name, file := range webpSamples(t) {
		w, err := readWebP(file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if w.lossless == nil {
			continue
		}
		n++
		if w.frame == image.Rect(0, 0, w.width, w.height) {
			t.Run(name, func(t *testing.T) { wantAsXImage(t, w.lossless) })
		}
	}
	if n < 10 {
		t.Errorf("%d samples", n)
	}
}

func TestCraftedPicturesAreDecodedExactly(t *testing.T) {
	for seed := range uint64(100) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { wantAsXImage(t, randomVP8L(seed)) })
	}
}

func TestStreamsCutShortAreRefused(t *testing.T) {
	for name, file := range webpSamples(t) {
		w, err := readWebP(file)
		if err != nil {
			t.Fatal(err)
		}
		for n := range w.lossless {
			if _, err := decodeVP8L(w.lossless[:n]); !errors.Is(err, errWebPCorrupt) {
				t.Errorf("%s, %d of %d bytes: %v", name, n, len(w.lossless), err)
			}
		}
		if w.lossless != nil {
			if _, err := decodeVP8L(append(bytes.Clone(w.lossless), "more"...)); err != nil {
				t.Errorf("%s, and more: %v", name, err)
			}
		}
	}
}

func TestStreamsThatMakeNoSenseAreRefused(t *testing.T) {
	plain := func(w *vp8lWriter) { w.write(0, 1) } // no transforms
	// argb writes all up to the codes of the pixels.
	argb := func(w *vp8lWriter) {
		plain(w)
		w.write(0, 2) // neither a cache nor blocks
	}
	// rest writes the codes behind that of the green.
	rest := func(w *vp8lWriter, distance int) {
		for range 3 {
			w.describeSingle(0)
		}
		w.describeSingle(distance)
	}
	for name, write := range map[string]func(w *vp8lWriter){
		"a transform twice": func(w *vp8lWriter) {
			w.write(1|2<<1|1<<3|2<<4, 6)
			w.write(0, 1)
			w.write(0, 1)
			w.solid(0, 0, 0, 0)
		},
		"transforms without end": func(w *vp8lWriter) { w.out = append(w.out, bytes.Repeat([]byte{0xff}, 1000)...) },
		"a predictor that there isn't": func(w *vp8lWriter) {
			w.write(1, 3)
			w.write(0, 3)
			w.solid(0, predictors, 0, 0)
			argb(w)
			w.describeSingle(0)
			rest(w, 0)
		},
		"a cache of no bits":   func(w *vp8lWriter) { plain(w); w.write(1, 5); w.out = append(w.out, make([]byte, 99)...) },
		"a cache of 12 bits":   func(w *vp8lWriter) { plain(w); w.write(1|12<<1, 5) },
		"a copy of nothing":    func(w *vp8lWriter) { argb(w); w.describe(onlyOf(firstLength)); rest(w, 0) },
		"a copy beyond":        func(w *vp8lWriter) { argb(w); w.describe(literalAndCopy()); rest(w, 1); w.write(0b10, 2) },
		"no symbols":           func(w *vp8lWriter) { argb(w); w.describe(make(testCode, 9)); rest(w, 0) },
		"lengths beyond":       func(w *vp8lWriter) { argb(w); w.describe(slices.Concat(flat(8), make(testCode, 40))); rest(w, 0) },
		"too short codes":      func(w *vp8lWriter) { argb(w); w.describe(testCode{1, 1, 1}); rest(w, 0) },
		"too long codes":       func(w *vp8lWriter) { argb(w); w.describe(testCode{1, 2}); rest(w, 0) },
		"a symbol too far":     func(w *vp8lWriter) { argb(w); w.describeSingle(0); rest(w, distanceSymbols) },
		"twice the symbol":     func(w *vp8lWriter) { argb(w); w.write(0b111|7<<3|7<<11, 19); rest(w, 0) },
		"lengths without code": func(w *vp8lWriter) { argb(w); w.write(0, 1+4+12+1); rest(w, 0) },
	} {
		w := newVP8L(2, 2)
		write(w)
		w.write(0, 32)
		if _, err := decodeVP8L(w.bytes()); !errors.Is(err, errWebPCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// onlyOf is a code of one symbol that takes no bits.
func onlyOf(symbol int) testCode { return append(make(testCode, symbol), 1) }

// literalAndCopy has the green 0, and a copy of four pixels: bits 0 and 1.
func literalAndCopy() testCode {
	c := onlyOf(firstLength + 3)
	c[0] = 1
	return c
}

func TestVersionsToComeAreUnsupported(t *testing.T) {
	data := newVP8L(1, 1).bytes()
	data[4] |= 1 << 5
	if _, err := decodeVP8L(data); !errors.Is(err, errWebPUnsupported) {
		t.Error(err)
	}
	if _, err := decodeVP8L(append([]byte{vp8lSignature + 1}, data[1:]...)); !errors.Is(err, errWebPCorrupt) {
		t.Error(err)
	}
}

// manyGroups is a picture whose blocks of 4 by 4 take turns at so many groups
// of codes, whose green has 2 to the power of greens symbols.
func manyGroups(width, height, groups, greens int, turn func(block int) int) *vp8lWriter {
	w := newVP8L(width, height)
	for _, kind := range []int{predictorTransform, colorTransform} {
		w.write(1, 1)
		w.write(kind, 2)
		w.write(0, 3)
		w.solid(1, 1, 1, 1)
	}
	w.write(0, 1)
	w.write(1|maxCacheBits<<1, 5)
	w.write(1, 4) // blocks of 4 by 4
	w.write(0, 1)
	w.literals()
	for i := range blocksOf(width, 2) * blocksOf(height, 2) {
		g := turn(i)
		w.literal(g>>8, g&0xff, 0, 0)
	}
	for range groups {
		w.describeFlat(greens)
		for range 3 {
			w.describeFlat(8)
		}
		w.describeFlat(5)
	}
	return w
}

const megabyte = 1_000_000

func TestCodesTakeNoMoreThanTheirRoom(t *testing.T) {
	for _, groups := range []int{2600, 65536} {
		file := manyGroups(1024, 1024, groups, maxCacheBits, func(i int) int { return i % groups }).bytes()
		var err error
		n := allocated(func() { _, err = decodeVP8L(file) })
		if n > 4*1024*1024+20*megabyte || !errors.Is(err, errWebPUnsupported) {
			t.Errorf("%d groups: %d bytes allocated, %v", groups, n, err)
		}
	}
}

func TestAsManyGroupsAsEncodersWriteAreTaken(t *testing.T) {
	w := manyGroups(1024, 1024, 2600, 8, func(i int) int { return i % 2600 })
	w.out = append(w.out, make([]byte, 4<<20)...)
	if _, err := decodeVP8L(w.bytes()); err != nil {
		t.Error(err)
	}
}

func TestGroupsThatNoBlockHasTakeNoMemory(t *testing.T) {
	w := manyGroups(256, 256, 65536, maxCacheBits, func(i int) int { return 65535 * (i % 2) })
	w.out = append(w.out, make([]byte, 5<<16)...)
	file := w.bytes()
	var err error
	if n := allocated(func() { _, err = decodeVP8L(file) }); n > 2*megabyte || err != nil {
		t.Errorf("%d bytes allocated, %v", n, err)
	}
}

// The largest picture, with all there can be beside its pixels. It ends where
// those begin, when there is nothing left to allocate.
func TestMemoryIsThatOfThePixelsAndTwentyMegabytes(t *testing.T) {
	const side, groups = 4096, 1700
	file := manyGroups(side, side, groups, maxCacheBits, func(i int) int { return i % groups }).bytes()
	var err error
	n := allocated(func() { _, err = decodeVP8L(file) })
	if beside := int(n) - 4*side*side; beside > 20*megabyte || beside < 18*megabyte {
		t.Errorf("%d bytes allocated beside the pixels", beside)
	}
	if !errors.Is(err, errWebPCorrupt) {
		t.Error(err)
	}
}

func TestALargePictureOfFewBytesIsReadWithoutMemory(t *testing.T) {
	w := newVP8L(16383, 16383)
	w.write(0, 1+1+1)
	for range 5 {
		w.write(0b0001, 4)
	}
	file := w.file()
	var c webP
	var err error
	n := allocated(func() { c, err = readWebP(file) })
	if n > 1<<10 || err != nil || c.width != 16383 || c.height != 16383 {
		t.Errorf("%d bytes allocated for %d, %d by %d, %v", n, len(file), c.width, c.height, err)
	}
}

func BenchmarkVP8L(b *testing.B) {
	w := newVP8L(1000, 750)
	img := photo(1000, 750)
	w.write(1|predictorTransform<<1, 3)
	w.write(3, 3)
	w.solid(0, 1, 0, 0)
	w.write(0, 1+2)
	w.literals()
	for i := range len(img.Pix) / 4 {
		p := img.Pix[4*i:]
		w.literal(int(p[0]), int(p[1]), int(p[2]), int(p[3]))
	}
	for name, data := range map[string][]byte{"noise": w.bytes(), "random": randomVP8L(7)} {
		b.Run(name+"/ours", func(b *testing.B) {
			for b.Loop() {
				if _, err := decodeVP8L(data); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/x/image", func(b *testing.B) {
			for b.Loop() {
				if _, err := vp8l.Decode(bytes.NewReader(data)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What takes the most time for its bytes and pixels.
func BenchmarkVP8LHostile(b *testing.B) {
	for name, data := range map[string][]byte{
		"groups that no block has": manyGroups(8, 8, 65536, maxCacheBits, func(int) int { return 65535 }).bytes(),
		"groups beyond the room":   manyGroups(1024, 1024, 65536, maxCacheBits, func(i int) int { return i }).bytes(),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				_, _ = decodeVP8L(data)
			}
		})
	}
}
