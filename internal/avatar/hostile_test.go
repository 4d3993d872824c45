package avatar

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nameplate/internal/fault"
)

// smallFiles are valid, and few bytes, of every kind that is decoded
// differently.
func smallFiles(t testing.TB) map[string][]byte {
	t.Helper()
	img := quarters(image.NewNRGBA(image.Rect(0, 0, 16, 16)))
	holed := quarters(image.NewNRGBA(image.Rect(0, 0, 16, 16)))
	holed.SetNRGBA(3, 3, color.NRGBA{})
	few := quarters(image.NewPaletted(img.Rect, color.Palette{red, green, blue, white, color.NRGBA{}}))
	exif := tiff(binary.BigEndian, 6)
	files := map[string][]byte{
		"JPEG":             withSegments(jpegOf(img), exifSegment(exif), profileSegment(1, 1, displayP3(t))),
		"JPEG grey":        jpegOf(image.NewGray(img.Rect)),
		"JPEG progressive": flatJPEG{progressive: true, cols: 2, rows: 2, components: 3, moreScans: 2}.bytes(),
		"JPEG CMYK":        withSegments(flatJPEG{cols: 2, rows: 2, components: 4}.bytes(), adobe(0)),
		"PNG":              withChunks(pngOf(img), chunk("eXIf", exif...)),
		"PNG transparent":  pngOf(holed),
		"PNG interlaced":   interlacedPNG(img),
		"PNG palette":      pngOf(few),
		"GIF":              gifOf(t, img.Rect, few),
		"GIF animated":     gifOf(t, image.Rect(0, 0, 20, 16), few, few),
		"WebP with EXIF": webpFile(vp8xChunk(0, 16, 16), webpSample(t, "lossy-quarters-16x16")[12:],
			riffChunk("EXIF", exif...)),
	}
	for _, name := range []string{"animated-16x16", "lossless-quarters-16x16", "lossless-palette-16-33x17", "lossy-alpha-hole-16x16"} {
		files["WebP "+name] = webpSample(t, name)
	}
	return files
}

func gifOf(t testing.TB, canvas image.Rectangle, frames ...*image.Paletted) []byte {
	t.Helper()
	g := &gif.GIF{Image: frames, Delay: make([]int, len(frames)), Config: image.Config{Width: canvas.Dx(), Height: canvas.Dy()}}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// profileSegment is a part of an ICC profile in a JPEG.
func profileSegment(number, of byte, part []byte) []byte {
	return segment(markerAPP2, slices.Concat([]byte("ICC_PROFILE\x00"), []byte{number, of}, part)...)
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
		"GIF":             withGIFComment(gifOf(t, opaque.Rect, quarters(image.NewPaletted(opaque.Rect, color.Palette{red, green, blue, white}))), s),
		"WebP": webpFile(vp8xChunk(0, 16, 16), riffChunk("ICCP", s...), webpSample(t, "lossy-quarters-16x16")[12:],
			riffChunk("EXIF", exif...), riffChunk("XMP ", s...), riffChunk("priv", s...)),
	} {
		for _, square := range mustProcess(t, append(file, s...)).Squares {
			if bytes.Contains(square.Data, s) {
				t.Errorf("%s: the secret is in the square of %d px", name, square.Side)
			}
			wantPixelsOnly(t, square.Data)
		}
	}
}

// withGIFComment puts a comment and XMP in front of the first frame of a GIF, whose
// colours stand with the frame.
func withGIFComment(file, text []byte) []byte {
	const afterHeader = 13
	block := append([]byte{byte(len(text))}, text...)
	return slices.Concat(file[:afterHeader],
		[]byte{0x21, 0xfe}, block, []byte{0},
		[]byte{0x21, 0xff, 11}, []byte("XMP DataXMP"), block, []byte{0},
		file[afterHeader:])
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
		if marker, body, rest = nextSegment(rest, true); marker == 0 || marker == markerEOI {
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

// What a GIF has behind its first frame is of no use, so it may be missing.
func TestFilesCutShortAreRefused(t *testing.T) {
	for name, file := range smallFiles(t) {
		whole, err := process(file)
		if err != nil {
			t.Errorf("%s, whole: %v", name, err)
			continue
		}
		for n := range file {
			p, err := process(file[:n])
			switch _, kind := identify(file[:n]); {
			case n == 0:
				wantFault(t, err, fault.Error{Code: fault.FileEmpty})
			case kind != nil:
				wantFault(t, err, fault.Error{Code: fault.ImageUnsupported, Detail: accepted})
			case p != nil && strings.HasPrefix(name, "GIF"):
				if diff := cmp.Diff(whole, p); diff != "" {
					t.Errorf("%s: of %d bytes another picture was made than of all %d", name, n, len(file))
				}
			default:
				wantFault(t, err, fault.Error{Code: fault.ImageCorrupt})
			}
		}
	}
}

func TestAFlippedBitIsAPictureOrAFault(t *testing.T) {
	step := 3 // two or three of every byte
	if raceEnabled {
		step = 17
	}
	for name, file := range smallFiles(t) {
		for i := 0; i < 8*len(file); i += step {
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
		"behind stray bytes":           {with([]byte("stray"), scan), 2},
		"behind a stuffed byte":        {with([]byte("\xff\x00"), scan), 2},
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

func TestBombsAreRefusedByTheirHeaders(t *testing.T) {
	jpegWith := func(segments ...[]byte) []byte {
		return withSegments(flatJPEG{cols: 2, rows: 2, components: 3}.bytes(), segments...)
	}
	frameOf := func(marker byte) []byte {
		return bytes.Replace(jpegWith(), []byte{0xff, markerSOF0}, []byte{0xff, marker}, 1)
	}
	gif := []byte("GIF89a\xff\xff\xff\xff\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\xff\xff\xff\xff\x00\x02")
	table := append([]byte{0x00, 1, 15: 0, 16: 0}, 0)
	other := fault.Error{Code: fault.ImageUnsupported, Detail: accepted}
	damaged := fault.Error{Code: fault.ImageCorrupt}
	for name, c := range map[string]struct {
		file []byte
		want fault.Error
	}{
		"WebP of 38 bytes":         {webpFile(solidVP8L(16383, 16383, red)), tooLargeFor([2]int{16383, 16383})},
		"WebP canvas":              {webpFile(vp8xChunk(flagAnimated, 1<<24, 1<<24), anmfChunk(0, 0, 16, 16, webpSample(t, "lossy-quarters-16x16")[12:])), tooLargeFor([2]int{1 << 24, 1 << 24})},
		"GIF":                      {gif, tooLargeFor([2]int{65535, 65535})},
		"PNG":                      {slices.Concat(pngHeader(20_000, 20_000, 8, 2, 0), chunk("IDAT", deflated(make([]byte, 1<<20))...)), tooLargeFor([2]int{20_000, 20_000})},
		"PNG with too much memory": {slices.Concat(pngHeader(4000, 4000, 16, 6, 1), chunk("IDAT")), fault.Error{Code: fault.ImageTooLarge, Limit: maxMemory / 16}},
		"JPEG with 80,000 tables":  {jpegWith(bytes.Repeat(segment(markerDHT, table...), 80_000)), damaged},
		"JPEG with two frames":     {jpegWith(segment(markerSOF0, 8, 0, 8, 0, 8, 1, 1, 0x11, 0)), damaged},
		"JPEG without a scan":      {[]byte("\xff\xd8\xff\xd9"), damaged},
		"JPEG, lossless":           {frameOf(0xc3), other},
		"JPEG, arithmetic":         {frameOf(0xc9), other},
		"HEIC":                     {[]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), other},
		"AVIF":                     {[]byte("\x00\x00\x00\x1cftypavif\x00\x00\x00\x00"), other},
		"TIFF":                     {tiff(binary.LittleEndian, 1), other},
		"BMP":                      {[]byte("BM\x46\x00\x00\x00"), other},
		"JPEG XL":                  {[]byte("\xff\x0a\xfa\x1f"), other},
		"SVG":                      {[]byte(`<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "&b;&b;">]><svg xmlns="http://www.w3.org/2000/svg"/>`), other},
		"HTML that begins as GIF":  {[]byte("GIF89a<script>alert(1)</script>"), fault.Error{Code: fault.ImageTooLarge, Limit: MaxPixels}},
		"ZIP":                      {[]byte("PK\x03\x04"), other},
		"RIFF of another kind":     {[]byte("RIFF\x24\x00\x00\x00WAVEfmt "), other},
	} {
		t.Run(name, func(t *testing.T) { refusedCheaply(t, c.file, c.want) })
	}
}

// A file may be two things at once. What is made of it is one.
func TestOfAPolyglotThePictureIsLeft(t *testing.T) {
	for _, tail := range []string{
		"<html><script>alert(document.domain)</script></html>",
		"PK\x05\x06" + strings.Repeat("\x00", 18),
		"%PDF-1.7", "<?php system($_GET[0]); ?>",
	} {
		for name, file := range smallFiles(t) {
			p, err := process(append(bytes.Clone(file), tail...))
			if err != nil {
				t.Errorf("%s with %q: %v", name, tail, err)
				continue
			}
			for _, s := range p.Squares {
				if bytes.Contains(s.Data, []byte(tail)) {
					t.Errorf("%s: %q is in the square", name, tail)
				}
				wantPixelsOnly(t, s.Data)
			}
		}
	}
}

func TestAPanicOfADecoderIsACorruptPicture(t *testing.T) {
	_, err := guard(nil, func(io.Reader) (image.Image, error) { panic("index out of range") })
	wantFault(t, err, fault.Error{Code: fault.ImageCorrupt})
}

func FuzzProcess(f *testing.F) {
	for _, file := range smallFiles(f) {
		f.Add(file, 0, 0, 0)
		f.Add(file, 3, 1, 10)
	}
	f.Fuzz(func(t *testing.T, data []byte, x, y, size int) {
		crop := &Crop{x, y, size}
		if size == 0 {
			crop = nil
		}
		p, err := NewProcessor(1).Process(context.Background(), "alice", bytes.NewReader(data), crop)
		if err != nil {
			var refused *fault.Error
			if !errors.As(err, &refused) || (refused.Field == "crop") != (refused.Code == fault.CropOutOfBounds) {
				t.Errorf("error %#v", err)
			}
			return
		}
		sides := SidesUpTo(p.Squares[len(p.Squares)-1].Side)
		if last := sides[len(sides)-1]; crop != nil && last != min(size, 512) {
			t.Errorf("a crop of %d pixels became one of %d", size, last)
		}
		for i, s := range p.Squares {
			if b := decoded(t, s.Data).Bounds(); s.Side != sides[i] || b != image.Rect(0, 0, s.Side, s.Side) {
				t.Errorf("square %d has side %d and bounds %v", i, s.Side, b)
			}
			wantPixelsOnly(t, s.Data)
		}
	})
}
