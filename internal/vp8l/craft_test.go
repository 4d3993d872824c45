package vp8l

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// samples are pictures that libwebp made of others drawn by code, named for what
// they show.
func samples(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("testdata/*.webp")
	if err != nil || len(names) < 10 {
		t.Fatalf("%d samples: %v", len(names), err)
	}
	all := map[string][]byte{}
	for _, name := range names {
		file, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		// The file's header, that of its only chunk, and the picture.
		size := binary.LittleEndian.Uint32(file[16:])
		all[strings.TrimSuffix(filepath.Base(name), ".webp")] = file[20:][:size]
	}
	return all
}

// randomPicture is a picture of noise by random transforms and codes.
func randomPicture(seed uint64) []byte {
	r := noise{Rand: rand.New(rand.NewPCG(seed, 0))}
	width, height := 1+r.IntN(70), 1+r.IntN(40)
	r.writer = newPicture(width, height)
	kinds := r.Perm(transformKinds)[:r.IntN(transformKinds+1)]
	for _, kind := range kinds {
		r.write(1, 1)
		r.write(kind, 2)
		width = r.transform(kind, width, height)
	}
	r.write(0, 1)
	r.argb(width, height)
	return r.bytes()
}

type noise struct {
	*rand.Rand
	*writer
}

// transform writes a transform and returns how wide it leaves the picture.
func (r *noise) transform(kind, width, height int) int {
	shift := uint(2 + r.IntN(3))
	n := blocksOf(width, shift) * blocksOf(height, shift)
	switch kind {
	case predictorTransform:
		r.write(int(shift-2), 3)
		r.subimage(n, func() (red, green, blue int) { return 0, r.IntN(predictors), 0 })
	case colorTransform:
		r.write(int(shift-2), 3)
		r.subimage(n, func() (red, green, blue int) { return r.IntN(256), r.IntN(256), r.IntN(256) })
	case colorIndexingTransform:
		colors := []int{1, 2, 3, 4, 5, 16, 17, 256}[r.IntN(8)]
		r.write(colors-1, 8)
		r.subimage(colors, func() (red, green, blue int) { return r.IntN(256), r.IntN(256), r.IntN(256) })
		switch {
		case colors <= 2:
			return (width + 7) / 8
		case colors <= 4:
			return (width + 3) / 4
		case colors <= 16:
			return (width + 1) / 2
		}
	}
	return width
}

func (r *noise) subimage(n int, color func() (red, green, blue int)) {
	r.write(0, 1) // no cache
	r.literals()
	for range n {
		red, green, blue := color()
		r.literal(red, green, blue, r.IntN(256))
	}
}

// argb writes pixels of all kinds, in blocks that have one of three groups.
func (r *noise) argb(width, height int) {
	cached := 0
	if r.IntN(2) == 0 {
		r.write(0, 1)
	} else {
		n := 1 + r.IntN(maxCacheBits)
		r.write(1, 1)
		r.write(n, 4)
		cached = 1 << n
	}
	shift := uint(2 + r.IntN(3))
	blocks := make([]int, blocksOf(width, shift)*blocksOf(height, shift))
	r.write(1, 1)
	r.write(int(shift-2), 3)
	i := 0
	numbers := []int{0, 2, 7} // of the groups; others aren't used
	if r.IntN(20) == 0 {
		numbers[2] = 300
	}
	r.subimage(len(blocks), func() (red, green, blue int) {
		blocks[i] = r.IntN(3)
		g := numbers[blocks[i]]
		i++
		return g >> 8, g & 0xff, 0
	})
	last := numbers[slices.Max(blocks)]
	var groups [3][5]testCode
	for g := range last + 1 {
		codes := [5]testCode{r.code(firstCached + cached), r.code(256), r.code(256), r.code(256), r.code(40)}
		for _, c := range codes {
			r.describe(c)
		}
		if at := slices.Index(numbers, g); at >= 0 {
			groups[at] = codes
		}
	}
	for at := 0; at < width*height; {
		g := groups[blocks[at/width>>shift*blocksOf(width, shift)+at%width>>shift]]
		at += r.pixel(g, at, width*height-at, width)
	}
}

// code makes a complete code of random lengths in which every symbol has one.
func (r *noise) code(alphabet int) testCode {
	lengths := testCode{0}
	for len(lengths) < alphabet {
		i := r.IntN(len(lengths))
		if lengths[i] == maxCodeLength {
			continue
		}
		lengths[i]++
		lengths = append(lengths, lengths[i])
	}
	r.Shuffle(alphabet, func(i, j int) { lengths[i], lengths[j] = lengths[j], lengths[i] })
	return lengths
}

// pixel writes a pixel, or a copy of up to so many, and returns how many.
func (r *noise) pixel(g [5]testCode, at, most, width int) int {
	switch cached := len(g[0]) - firstCached; {
	case cached > 0 && r.IntN(3) == 0:
		r.put(g[0], firstCached+r.IntN(cached))
		return 1
	case at > 0 && r.IntN(4) == 0:
		if n, ok := r.copy(g, at, most, width); ok {
			return n
		}
	}
	for _, c := range g[:4] {
		r.put(c, r.IntN(256))
	}
	return 1
}

func (r *noise) copy(g [5]testCode, at, most, width int) (int, bool) {
	lengthPrefix, lengthExtra := r.IntN(10), 0
	length := lengthPrefix + 1
	if lengthPrefix >= 4 {
		n := (lengthPrefix - 2) / 2
		lengthExtra = r.IntN(1 << n)
		length = (2+lengthPrefix%2)<<n + lengthExtra + 1
	}
	prefix, extra := r.IntN(18), 0
	code := prefix + 1
	if prefix >= 4 {
		n := (prefix - 2) / 2
		extra = r.IntN(1 << n)
		code = (2+prefix%2)<<n + extra + 1
	}
	distance := code - 120
	if code <= 120 {
		distance = nearbyDistance(code, width)
	}
	if distance > at || length > most {
		return 0, false
	}
	r.put(g[0], firstLength+lengthPrefix)
	if lengthPrefix >= 4 {
		r.write(lengthExtra, (lengthPrefix-2)/2)
	}
	r.put(g[4], prefix)
	if prefix >= 4 {
		r.write(extra, (prefix-2)/2)
	}
	return length, true
}

func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
