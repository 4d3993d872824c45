package avatar

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"slices"
	"testing"

	"github.com/gen2brain/jpegn"

	"nameplate/internal/fault"
)

// Nobody sees which of two decoders was used: where jpegn takes a file, its pixels
// are those of the standard library but for rounding.
func TestTheFastDecoderSeesWhatTheOtherSees(t *testing.T) {
	img := photo(203, 151)
	with := func(o jpegn.EncodeOptions) []byte {
		return encoded(func(w io.Writer, img image.Image) error { return jpegn.Encode(w, img, &o) }, img)
	}
	for name, file := range map[string][]byte{
		"grey":               jpegOf(greyPhoto(203, 151)),
		"4:2:0":              jpegOf(img),
		"4:2:2":              with(jpegn.EncodeOptions{Subsampling: jpegn.Subsample422}),
		"4:4:0":              with(jpegn.EncodeOptions{Subsampling: jpegn.Subsample440}),
		"4:4:4":              with(jpegn.EncodeOptions{Subsampling: jpegn.Subsample444}),
		"progressive":        with(jpegn.EncodeOptions{Progressive: true}),
		"progressive, 4:4:4": with(jpegn.EncodeOptions{Progressive: true, Subsampling: jpegn.Subsample444}),
		"restarts":           with(jpegn.EncodeOptions{RestartInterval: 3}),
		"flat":               flatJPEG{cols: 9, rows: 7, components: 3, at: flatQuarters(9, 7, toYCbCr)}.bytes(),
		"flat, progressive":  flatJPEG{progressive: true, cols: 9, rows: 7, components: 3, at: flatQuarters(9, 7, toYCbCr), moreScans: 4}.bytes(),
	} {
		h, err := formats[0].header(file)
		if err != nil || !h.fast {
			t.Fatalf("%s: fast is %t, %v", name, h.fast, err)
		}
		fast, err := decodeJPEG(file, h, 1)
		if err != nil {
			t.Fatal(err)
		}
		std, err := jpeg.Decode(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		if d := difference(fast, std); d > 0.5 {
			t.Errorf("%s: the pixels differ by %.2f on average", name, d)
		}
		for _, reduce := range []int{2, 4, 8} {
			part, err := decodeJPEG(file, h, reduce)
			if err != nil {
				t.Fatal(err)
			}
			// Both as squares of one size, from the same place.
			side := float64(144 / reduce)
			a := resized(part, square{0, 0, side}, 144/8, true)
			b := resized(std, square{0, 0, 144}, 144/8, true)
			if d := difference(a, b); d > 6 {
				t.Errorf("%s, at 1/%d: the pixels differ by %.2f on average", name, reduce, d)
			}
		}
	}
}

// jpegn takes marker 1 as one without a length, so that it would see another frame
// or more scans than were checked; and so it would in what is left of a segment.
func TestAJPEGShowsTwoDecodersOnePicture(t *testing.T) {
	f := flatJPEG{progressive: true, cols: 2, rows: 2, components: 1}
	file := f.bytes()
	sos, eoi := bytes.Index(file, []byte{0xff, markerSOS}), len(file)-2
	frame := segment(markerSOF2, 8, 0x20, 0, 0x20, 0, 1, 1, 0x11, 0) // 8192 pixels a side
	hidden := func(s []byte) []byte { return slices.Concat([]byte{0xff, 0x01}, be16(2+len(s)), s) }
	for name, file := range map[string][]byte{
		"a frame behind a marker without a length": withSegments(file, hidden(frame)),
		"a frame in a comment": withSegments(file,
			slices.Concat([]byte{0xff, 0x01}, be16(4), []byte{0xff, 0xfe}, be16(2+len(frame)), frame)),
		"a scan behind a marker without a length": slices.Concat(file[:eoi], hidden(f.emptyScan()), file[eoi:]),
		"a frame behind a Huffman table": withSegments(file,
			segment(markerDHT, slices.Concat(make([]byte, 17), frame)...)),
		"a frame behind a quantization table": withSegments(file,
			segment(markerDQT, slices.Concat([]byte{3}, bytes.Repeat([]byte{8}, 64), frame)...)),
		"a frame behind a restart interval": withSegments(file, segment(markerDRI, slices.Concat([]byte{0, 0}, frame)...)),
		"a frame behind the frame's own":    slices.Concat(file[:sos-0], segment(markerSOF2, 8, 0, 8, 0, 8, 1, 1, 0x11, 0, 0), file[sos:]),
	} {
		refusedCheaply(t, file, fault.Error{Code: fault.ImageCorrupt})
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// Files whose colours or sampling one of the decoders reads wrongly are left to the
// other.
func TestUnusualJPEGsAreLeftToTheStandardLibrary(t *testing.T) {
	three := flatJPEG{cols: 8, rows: 8, components: 3, at: flatQuarters(8, 8, toYCbCr)}.bytes()
	four := flatJPEG{cols: 8, rows: 8, components: 4, at: flatQuarters(8, 8, toInk)}.bytes()
	sof := bytes.Index(three, []byte{0xff, markerSOF0})
	sampled := func(factors byte) []byte { // of Cb
		file := bytes.Clone(three)
		file[sof+14] = factors
		return file
	}
	for name, file := range map[string][]byte{
		"RGB":       withSegments(three, adobe(0)),
		"CMYK":      withSegments(four, adobe(0)),
		"YCCK":      withSegments(four, adobe(2)),
		"odd ratio": sampled(0x21),
	} {
		if h, err := formats[0].header(file); err != nil || h.fast {
			t.Errorf("%s: fast is %t, %v", name, h.fast, err)
		}
	}
	_, err := formats[0].header(sampled(0x05))
	wantFault(t, err, fault.Error{Code: fault.ImageCorrupt})
}

// toYCCK is what Adobe makes of CMYK: luma and chroma of the inks as they were
// inverted, and the black apart.
func toYCCK(c color.NRGBA) []byte {
	y, cb, cr := color.RGBToYCbCr(255-c.R, 255-c.G, 255-c.B)
	return []byte{y, cb, cr, 255}
}

func TestYCCKHasTheColoursOfItsInks(t *testing.T) {
	file := withSegments(flatJPEG{cols: 8, rows: 8, components: 4, at: flatQuarters(8, 8, toYCCK)}.bytes(), adobe(2))
	wantQuarters(t, largest(t, mustProcess(t, file)), "RGBW")
}

// What an sRGB screen shows as pure red has these values in Display P3.
var redInP3 = color.NRGBA{234, 51, 35, 255}

func TestColoursOfAProfileBecomeThoseOfSRGB(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 64, 64))
	for i := range img.Pix {
		img.Pix[i] = []uint8{redInP3.R, redInP3.G, redInP3.B, 255}[i%4]
	}
	icc := displayP3(t)
	half := len(icc) / 2
	iccp := chunk("iCCP", slices.Concat([]byte("p\x00\x00"), deflated(icc))...)
	plain := jpegOf(img)
	for name, c := range map[string]struct {
		file []byte
		want color.NRGBA
	}{
		"JPEG":                    {withSegments(plain, profileSegment(1, 1, icc)), red},
		"JPEG, in parts":          {withSegments(plain, profileSegment(1, 2, icc[:half]), profileSegment(2, 2, icc[half:])), red},
		"PNG":                     {withChunks(pngOf(img), iccp), red},
		"WebP":                    {webpFile(vp8xChunk(0, 64, 64), riffChunk("ICCP", icc...), solidVP8L(64, 64, redInP3)), red},
		"JPEG without":            {plain, redInP3},
		"JPEG with a part of one": {withSegments(plain, profileSegment(2, 2, icc[half:])), redInP3},
		"JPEG, damaged":           {withSegments(plain, profileSegment(1, 1, icc[:half])), redInP3},
	} {
		for _, s := range mustProcess(t, c.file).Squares {
			got := color.NRGBAModel.Convert(decoded(t, s.Data).At(s.Side/2, s.Side/2)).(color.NRGBA)
			if !near(got, c.want, 4) {
				t.Errorf("%s, %d px: %v, want %v", name, s.Side, got, c.want)
			}
		}
	}
}

func near(a, b color.NRGBA, off int) bool {
	d := func(a, b uint8) bool { return max(a, b)-min(a, b) <= uint8(off) }
	return d(a.R, b.R) && d(a.G, b.G) && d(a.B, b.B) && a.A == b.A
}

// FuzzJPEG holds the faster decoder to the other: it takes what that takes, in the
// size that the header says, at any reduction.
func FuzzJPEG(f *testing.F) {
	for name, file := range smallFiles(f) {
		if name[0] == 'J' {
			f.Add(file)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if kind, err := identify(data); err != nil || kind.is == nil || data[0] != 0xff {
			return
		}
		h, err := formats[0].header(data)
		if err != nil || h.width*h.height > 1<<18 {
			return
		}
		if c, err := jpegn.DecodeConfig(bytes.NewReader(data)); err == nil && (c.Width != h.width || c.Height != h.height) {
			t.Errorf("%d by %d pixels were checked, and jpegn sees %d by %d", h.width, h.height, c.Width, c.Height)
		}
		_, stdErr := guard(data, jpeg.Decode)
		for _, reduce := range []int{1, 2, 4, 8} {
			img, err := decodeJPEG(data, h, reduce)
			if err != nil {
				if stdErr == nil {
					t.Errorf("at 1/%d: %v", reduce, err)
				}
				continue
			}
			whole, part := image.Pt(h.width, h.height), image.Pt((h.width+reduce-1)/reduce, (h.height+reduce-1)/reduce)
			if got := img.Bounds(); got.Min != (image.Point{}) || got.Max != whole && got.Max != part {
				t.Errorf("at 1/%d: bounds %v of %d by %d pixels", reduce, got, h.width, h.height)
			}
		}
	})
}
