package vp8l

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	xvp8l "golang.org/x/image/vp8l"
)

// wantAsXImage compares our decoder with that of golang.org/x/image, which
// shares no code with it.
func wantAsXImage(t *testing.T, data []byte) {
	t.Helper()
	got, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	want, err := xvp8l.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("golang.org/x/image: %v", err)
	}
	if diff := cmp.Diff(want.(*image.NRGBA), got); diff != "" {
		t.Error(diff)
	}
}

func TestLosslessSamplesAreDecodedExactly(t *testing.T) {
	for name, data := range samples(t) {
		t.Run(name, func(t *testing.T) { wantAsXImage(t, data) })
	}
}

func TestCraftedPicturesAreDecodedExactly(t *testing.T) {
	for seed := range uint64(100) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { wantAsXImage(t, randomPicture(seed)) })
	}
}

func TestAlphaIsTheGreenOfAPictureWithoutAHeader(t *testing.T) {
	for name, data := range samples(t) {
		img, err := Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		want := make([]byte, len(img.Pix)/4)
		for i := range want {
			want[i] = img.Pix[4*i+1]
		}
		got, err := DecodeAlpha(data[headerBytes:], img.Rect.Max)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %x, %v; want %x", name, got, err, want)
		}
		if got, err := DecodeAlpha(data, img.Rect.Max); err == nil && bytes.Equal(got, want) {
			t.Errorf("%s: the header is left out", name)
		}
		if _, err := DecodeAlpha(nil, img.Rect.Max); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s, nothing of it: %v", name, err)
		}
	}
}

func TestStreamsCutShortAreRefused(t *testing.T) {
	for name, data := range samples(t) {
		for n := range data {
			if _, err := Decode(data[:n]); !errors.Is(err, ErrCorrupt) {
				t.Errorf("%s, %d of %d bytes: %v", name, n, len(data), err)
			}
		}
		if _, err := Decode(append(bytes.Clone(data), "more"...)); err != nil {
			t.Errorf("%s, and more: %v", name, err)
		}
	}
}

func TestStreamsThatMakeNoSenseAreRefused(t *testing.T) {
	plain := func(w *writer) { w.write(0, 1) } // no transforms
	// argb writes all up to the codes of the pixels.
	argb := func(w *writer) {
		plain(w)
		w.write(0, 2) // neither a cache nor blocks
	}
	// rest writes the codes behind that of the green.
	rest := func(w *writer, distance int) {
		for range 3 {
			w.describeSingle(0)
		}
		w.describeSingle(distance)
	}
	for name, write := range map[string]func(w *writer){
		"a transform twice": func(w *writer) {
			w.write(1|2<<1|1<<3|2<<4, 6)
			w.write(0, 1)
			w.write(0, 1)
			w.solid(0, 0, 0, 0)
		},
		"transforms without end": func(w *writer) { w.out = append(w.out, bytes.Repeat([]byte{0xff}, 1000)...) },
		"a predictor that there isn't": func(w *writer) {
			w.write(1, 3)
			w.write(0, 3)
			w.solid(0, predictors, 0, 0)
			argb(w)
			w.describeSingle(0)
			rest(w, 0)
		},
		"a cache of no bits":   func(w *writer) { plain(w); w.write(1, 5); w.out = append(w.out, make([]byte, 99)...) },
		"a cache of 12 bits":   func(w *writer) { plain(w); w.write(1|12<<1, 5) },
		"a copy of nothing":    func(w *writer) { argb(w); w.describe(onlyOf(firstLength)); rest(w, 0) },
		"a copy beyond":        func(w *writer) { argb(w); w.describe(literalAndCopy()); rest(w, 1); w.write(0b10, 2) },
		"no symbols":           func(w *writer) { argb(w); w.describe(make(testCode, 9)); rest(w, 0) },
		"lengths beyond":       func(w *writer) { argb(w); w.describe(slices.Concat(flat(8), make(testCode, 40))); rest(w, 0) },
		"too short codes":      func(w *writer) { argb(w); w.describe(testCode{1, 1, 1}); rest(w, 0) },
		"too long codes":       func(w *writer) { argb(w); w.describe(testCode{1, 2}); rest(w, 0) },
		"a symbol too far":     func(w *writer) { argb(w); w.describeSingle(0); rest(w, distanceSymbols) },
		"twice the symbol":     func(w *writer) { argb(w); w.write(0b111|7<<3|7<<11, 19); rest(w, 0) },
		"lengths without code": func(w *writer) { argb(w); w.write(0, 1+4+12+1); rest(w, 0) },
	} {
		w := newPicture(2, 2)
		write(w)
		w.write(0, 32)
		if _, err := Decode(w.bytes()); !errors.Is(err, ErrCorrupt) {
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
	data := newPicture(1, 1).bytes()
	data[4] |= 1 << 5
	if _, err := Decode(data); !errors.Is(err, ErrUnsupported) {
		t.Error(err)
	}
	if _, err := Decode(append([]byte{signature + 1}, data[1:]...)); !errors.Is(err, ErrCorrupt) {
		t.Error(err)
	}
}

// manyGroups is a picture whose blocks of 4 by 4 take turns at so many groups
// of codes, whose green has 2 to the power of greens symbols.
func manyGroups(width, height, groups, greens int, turn func(block int) int) *writer {
	w := newPicture(width, height)
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
		n := allocated(func() { _, err = Decode(file) })
		if n > 4*1024*1024+20*megabyte || !errors.Is(err, ErrUnsupported) {
			t.Errorf("%d groups: %d bytes allocated, %v", groups, n, err)
		}
	}
}

func TestAsManyGroupsAsEncodersWriteAreTaken(t *testing.T) {
	w := manyGroups(1024, 1024, 2600, 8, func(i int) int { return i % 2600 })
	w.out = append(w.out, make([]byte, 4<<20)...)
	if _, err := Decode(w.bytes()); err != nil {
		t.Error(err)
	}
}

func TestGroupsThatNoBlockHasTakeNoMemory(t *testing.T) {
	w := manyGroups(256, 256, 65536, maxCacheBits, func(i int) int { return 65535 * (i % 2) })
	w.out = append(w.out, make([]byte, 5<<16)...)
	file := w.bytes()
	var err error
	if n := allocated(func() { _, err = Decode(file) }); n > 2*megabyte || err != nil {
		t.Errorf("%d bytes allocated, %v", n, err)
	}
}

// The largest picture, with all there can be beside its pixels. It ends where
// those begin, when there is nothing left to allocate.
func TestMemoryIsThatOfThePixelsAndTwentyMegabytes(t *testing.T) {
	const side, groups = 4096, 1700
	file := manyGroups(side, side, groups, maxCacheBits, func(i int) int { return i % groups }).bytes()
	var err error
	n := allocated(func() { _, err = Decode(file) })
	if beside := int(n) - 4*side*side; beside > 20*megabyte || beside < 18*megabyte {
		t.Errorf("%d bytes allocated beside the pixels", beside)
	}
	if !errors.Is(err, ErrCorrupt) {
		t.Error(err)
	}
}

func TestTheLargestSizeIsReadWithoutMemory(t *testing.T) {
	data := newPicture(16384, 16384).bytes()
	var size image.Point
	var err error
	n := allocated(func() { size, err = Size(data) })
	if n > 1<<10 || err != nil || size != image.Pt(16384, 16384) {
		t.Errorf("%d bytes allocated, %v, %v", n, size, err)
	}
}

func BenchmarkDecode(b *testing.B) {
	const width, height = 1000, 750
	w := newPicture(width, height)
	random := rand.New(rand.NewPCG(1, 2))
	w.write(1|predictorTransform<<1, 3)
	w.write(3, 3)
	w.solid(0, 1, 0, 0)
	w.write(0, 1+2)
	w.literals()
	for range width * height {
		w.literal(random.IntN(256), random.IntN(256), random.IntN(256), 255)
	}
	for name, data := range map[string][]byte{"noise": w.bytes(), "random": randomPicture(7)} {
		b.Run(name+"/ours", func(b *testing.B) {
			for b.Loop() {
				if _, err := Decode(data); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/x/image", func(b *testing.B) {
			for b.Loop() {
				if _, err := xvp8l.Decode(bytes.NewReader(data)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What takes the most time for its bytes and pixels.
func BenchmarkHostile(b *testing.B) {
	for name, data := range map[string][]byte{
		"groups that no block has": manyGroups(8, 8, 65536, maxCacheBits, func(int) int { return 65535 }).bytes(),
		"groups beyond the room":   manyGroups(1024, 1024, 65536, maxCacheBits, func(i int) int { return i }).bytes(),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				_, _ = Decode(data)
			}
		})
	}
}
