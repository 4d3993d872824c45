package avatar

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"io"
	"math"
	"runtime"
	"slices"
	"testing"

	"nameplate/internal/fault"
)

// smallFiles are valid, and few bytes, of every kind that is decoded
// differently.
func smallFiles() map[string][]byte {
	img := quarters(image.NewNRGBA(image.Rect(0, 0, 16, 16)))
	holed := quarters(image.NewNRGBA(image.Rect(0, 0, 16, 16)))
	holed.SetNRGBA(3, 3, color.NRGBA{})
	exif := tiff(binary.BigEndian, 6)
	return map[string][]byte{
		"JPEG":             withSegments(jpegOf(img), exifSegment(exif)),
		"JPEG grey":        jpegOf(image.NewGray(img.Rect)),
		"JPEG progressive": flatJPEG{progressive: true, cols: 2, rows: 2, components: 3, moreScans: 2}.bytes(),
		"JPEG CMYK":        withSegments(flatJPEG{cols: 2, rows: 2, components: 4}.bytes(), adobe(0)),
		"PNG":              withChunks(pngOf(img), chunk("eXIf", exif...)),
		"PNG transparent":  pngOf(holed),
		"PNG interlaced":   interlacedPNG(img),
		"PNG palette":      pngOf(quarters(image.NewPaletted(img.Rect, color.Palette{red, green, blue, white, color.NRGBA{}}))),
	}
}

func TestNothingOfTheFileButItsPixelsSurvives(t *testing.T) {
	const secret = "31.2304N 121.4737E"
	s := []byte(secret)
	exif := append(tiff(binary.BigEndian, 1), s...)
	opaque, clear := quarters(image.NewNRGBA(image.Rect(0, 0, 80, 80))), image.NewNRGBA(image.Rect(0, 0, 80, 80))
	chunks := [][]byte{
		chunk("eXIf", exif...), chunk("tEXt", append([]byte("Comment\x00"), s...)...),
		chunk("iTXt", append([]byte("XML:com.adobe.xmp\x00\x00\x00\x00\x00"), s...)...),
		chunk("zTXt", append([]byte("Comment\x00\x00"), deflated(s)...)...),
		chunk("iCCP", append([]byte("profile\x00\x00"), deflated(s)...)...), chunk("prVt", s...),
	}
	for name, file := range map[string][]byte{
		"JPEG": withSegments(jpegOf(opaque),
			exifSegment(exif), segment(0xe1, append([]byte("http://ns.adobe.com/xap/1.0/\x00"), s...)...),
			segment(0xe2, append([]byte("ICC_PROFILE\x00\x01\x01"), s...)...), segment(0xed, s...), segment(0xfe, s...)),
		"PNG":             withChunks(pngOf(opaque), chunks...),
		"PNG transparent": withChunks(pngOf(clear), chunks...),
	} {
		for _, square := range mustProcess(t, append(file, s...)).Squares {
			if bytes.Contains(square.Data, s) {
				t.Errorf("%s: the secret is in the square of %d px", name, square.Side)
			}
			wantPixelsOnly(t, square.Data)
		}
	}
}

// wantPixelsOnly allows no part of a file that isn't needed to decode it.
func wantPixelsOnly(t *testing.T, data []byte) {
	t.Helper()
	if rest, isPNG := bytes.CutPrefix(data, []byte(pngSignature)); isPNG {
		for len(rest) > 0 {
			kind := string(rest[4:8])
			if !slices.Contains([]string{"IHDR", "PLTE", "tRNS", "IDAT", "IEND"}, kind) {
				t.Errorf("chunk %q", kind)
			}
			rest = rest[12+binary.BigEndian.Uint32(rest):]
			if kind == "IEND" && len(rest) > 0 {
				t.Errorf("%d bytes behind the end", len(rest))
			}
		}
		return
	}
	for rest := data[2:]; ; {
		var marker byte
		var body []byte
		if marker, body, rest = nextSegment(rest); marker == 0 || marker == markerEOI {
			break
		}
		// JFIF's says that the pixels are square, and has no room for more.
		if isJFIF := marker == 0xe0 && len(body) == 14; marker >= 0xe0 && !isJFIF {
			t.Errorf("segment %#x", marker)
		}
	}
	if bytes.Index(data, []byte{0xff, markerEOI}) != len(data)-2 {
		t.Error("bytes behind the end")
	}
}

func TestFilesCutShortAreRefused(t *testing.T) {
	for name, file := range smallFiles() {
		if _, err := process(file); err != nil {
			t.Errorf("%s, whole: %v", name, err)
		}
		for n := range file {
			_, err := process(file[:n])
			want := fault.Error{Code: fault.ImageCorrupt}
			switch signature := len(pngSignature); {
			case n == 0:
				want.Code = fault.FileEmpty
			case n < 3 || n < signature && file[0] == pngSignature[0]:
				want.Code, want.Detail = fault.ImageUnsupported, accepted
			}
			wantFault(t, err, want)
		}
	}
}

func TestAFlippedBitIsAPictureOrAFault(t *testing.T) {
	for name, file := range smallFiles() {
		for i := 0; i < 8*len(file); i += 3 { // two or three of every byte
			damaged := bytes.Clone(file)
			damaged[i/8] ^= 1 << (i % 8)
			p, err := process(damaged)
			var f *fault.Error
			if p == nil && !errors.As(err, &f) {
				t.Errorf("%s, bit %d: %v", name, i, err)
			}
		}
	}
}

// refusedCheaply wants a file refused without the work of decoding it, which
// shows in what is allocated: a decoder starts with room for the pixels, which
// is more than the few megabytes of the largest file here.
func refusedCheaply(t *testing.T, file []byte, want fault.Error) {
	t.Helper()
	var err error
	if n := allocated(func() { _, err = process(file) }); n > 2<<20 {
		t.Errorf("%d bytes allocated to refuse %d", n, len(file))
	}
	wantFault(t, err, want)
}

func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestPicturesWithTooManyPixelsAreRefusedByTheirHeader(t *testing.T) {
	for _, size := range [][2]int{{MaxSide + 1, 1}, {1, MaxSide + 1}, {4097, 4096}, {65535, 65535}} {
		j := flatJPEG{cols: 1, rows: 1, components: 3}.bytes()
		sof := bytes.Index(j, []byte{0xff, 0xc0})
		copy(j[sof+5:], slices.Concat(be16(size[1]), be16(size[0])))
		refusedCheaply(t, j, tooLargeFor(size))
	}
	for _, size := range [][2]int{
		{MaxSide + 1, 1}, {1, MaxSide + 1}, {4097, 4096}, {100_000, 100_000}, {math.MaxInt32, 1}, {math.MaxInt32, math.MaxInt32},
	} {
		file := slices.Concat(pngHeader(size[0], size[1], 16, 6, 1), chunk("IDAT"), chunk("IEND"))
		refusedCheaply(t, file, tooLargeFor(size))
	}
}

// tooLargeFor is the fault of a picture that is: for its pixels if it can be.
func tooLargeFor(size [2]int) fault.Error {
	if int64(size[0])*int64(size[1]) > MaxPixels {
		return fault.Error{Code: fault.ImageTooLarge, Limit: MaxPixels}
	}
	return fault.Error{Code: fault.ImageTooLarge, Limit: MaxSide, Detail: RuleSide}
}

func TestJPEGsWithTooManyScansAreRefused(t *testing.T) {
	bomb := flatJPEG{progressive: true, cols: 512, rows: 512, components: 1, moreScans: 500}.bytes()
	refusedCheaply(t, bomb, fault.Error{Code: fault.ImageTooLarge, Limit: maxScanPixels / 12})

	large := flatJPEG{progressive: true, cols: 512, rows: 512, components: 1, moreScans: 11}.bytes()
	refusedCheaply(t, large, fault.Error{Code: fault.ImageTooLarge, Limit: maxScanPixels / 12})

	small := flatJPEG{progressive: true, cols: 1, rows: 1, components: 1, moreScans: maxScans - 1}
	if _, err := process(small.bytes()); err != nil {
		t.Errorf("%d scans: %v", maxScans, err)
	}
	small.moreScans++
	refusedCheaply(t, small.bytes(), fault.Error{Code: fault.ImageCorrupt})
}

func TestScansAreCountedWhereTheDecoderFindsThem(t *testing.T) {
	file := flatJPEG{progressive: true, cols: 2, rows: 2, components: 1}
	one := file.bytes()
	scan := file.emptyScan()
	with := func(parts ...[]byte) []byte {
		return slices.Concat(one[:len(one)-2], slices.Concat(parts...), one[len(one)-2:])
	}
	for name, c := range map[string]struct {
		file  []byte
		scans int
	}{
		"one":                          {one, 1},
		"another":                      {with(scan), 2},
		"behind stray bytes":           {with([]byte("stray\xff\x00"), scan), 2},
		"behind fill bytes":            {with([]byte{0xff, 0xff}, scan), 2},
		"behind a restart marker":      {with([]byte{0xff, markerRST7}, scan), 2},
		"in a thumbnail":               {withSegments(one, segment(markerAPP1, one...)), 1},
		"in a comment between":         {with(segment(0xfe, scan...), scan), 2},
		"behind the end":               {append(with(scan), scan...), 2},
		"with a length that is a scan": {with(segment(0xfe), scan, segment(0xfe, 0xff), scan), 3},
	} {
		var h jpegHeader
		if err := h.walk(c.file[2:]); err != nil || h.scans != c.scans {
			t.Errorf("%s: %d scans, %v; want %d", name, h.scans, err, c.scans)
		}
		if _, err := process(c.file); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCompressedTextIsNotInflated(t *testing.T) {
	text := append([]byte("Comment\x00\x00"), deflated(make([]byte, 8<<20))...)
	plain := pngOf(quarters(image.NewRGBA(image.Rect(0, 0, 64, 64))))
	file := withChunks(plain, chunk("zTXt", text...), chunk("iCCP", text...), chunk("iTXt", text...))
	n := allocated(func() { mustProcess(t, file) })
	if n > 4<<20 {
		t.Errorf("%d bytes allocated for %d", n, len(file))
	}
}

func TestAPanicOfADecoderIsACorruptPicture(t *testing.T) {
	_, err := guard(nil, func(io.Reader) (image.Image, error) { panic("index out of range") })
	wantFault(t, err, fault.Error{Code: fault.ImageCorrupt})
}

func FuzzProcess(f *testing.F) {
	for _, file := range smallFiles() {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := process(data)
		if err != nil {
			var refused *fault.Error
			if !errors.As(err, &refused) || refused.Field != "file" {
				t.Errorf("error %#v", err)
			}
			return
		}
		sides := SidesUpTo(p.Squares[len(p.Squares)-1].Side)
		for i, s := range p.Squares {
			if b := decoded(t, s.Data).Bounds(); s.Side != sides[i] || b != image.Rect(0, 0, s.Side, s.Side) {
				t.Errorf("square %d has side %d and bounds %v", i, s.Side, b)
			}
			wantPixelsOnly(t, s.Data)
		}
	})
}
