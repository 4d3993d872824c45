package avatar

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/image/webp"

	"nameplate/internal/fault"
	"nameplate/internal/vp8l"
)

func mustReadWebP(t *testing.T, file []byte) webP {
	t.Helper()
	w, err := readWebP(file)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func mustDecodeWebP(t *testing.T, file []byte) image.Image {
	t.Helper()
	img, err := mustReadWebP(t, file).decode()
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func isCorruptWebP(err error) bool {
	return errors.Is(err, errWebPCorrupt) || errors.Is(err, vp8l.ErrCorrupt)
}

// losslessChunk and lossyChunk are quarters of 16 by 16.
func losslessChunk(t *testing.T) []byte {
	return riffChunk("VP8L", mustReadWebP(t, webpSample(t, "lossless-quarters-16x16")).lossless...)
}

func lossyChunk(t *testing.T) []byte {
	return riffChunk("VP8 ", mustReadWebP(t, webpSample(t, "lossy-quarters-16x16")).lossy...)
}

func rawAlpha(filter byte, alpha ...byte) []byte {
	return riffChunk("ALPH", append([]byte{filter << 2}, alpha...)...)
}

func TestEveryKindOfWebPIsDecoded(t *testing.T) {
	lossless, lossy := losslessChunk(t), lossyChunk(t)
	opaque := rawAlpha(0, bytes.Repeat([]byte{255}, 256)...)
	for name, c := range map[string]struct {
		file []byte
		kind image.Image
	}{
		"lossy":                  {webpFile(lossy), &image.YCbCr{}},
		"lossless":               {webpFile(lossless), &image.NRGBA{}},
		"lossy, extended":        {webpFile(vp8xChunk(0, 16, 16), lossy), &image.YCbCr{}},
		"lossless, extended":     {webpFile(vp8xChunk(0, 16, 16), lossless), &image.NRGBA{}},
		"lossy with alpha":       {webpFile(vp8xChunk(0x10, 16, 16), opaque, lossy), &image.NYCbCrA{}},
		"lossless with ALPH":     {webpFile(vp8xChunk(0x10, 16, 16), rawAlpha(0), lossless), &image.NRGBA{}},
		"lossy, ALPH behind":     {webpFile(vp8xChunk(0x10, 16, 16), lossy, rawAlpha(0)), &image.YCbCr{}},
		"two pictures":           {webpFile(vp8xChunk(0, 16, 16), lossy, lossless), &image.YCbCr{}},
		"animated, lossy":        {webpFile(vp8xChunk(2, 16, 16), anmfChunk(0, 0, 16, 16, lossy)), &image.YCbCr{}},
		"animated, alpha":        {webpFile(vp8xChunk(2, 16, 16), anmfChunk(0, 0, 16, 16, opaque, lossy)), &image.NYCbCrA{}},
		"animated, lossless":     {webpSample(t, "animated-16x16"), &image.NRGBA{}},
		"animated, still before": {webpFile(vp8xChunk(2, 16, 16), riffChunk("VP8 "), anmfChunk(0, 0, 16, 16, lossy)), &image.YCbCr{}},
		"still, frame before":    {webpFile(vp8xChunk(0, 16, 16), riffChunk("ANMF"), lossy), &image.YCbCr{}},
	} {
		img := mustDecodeWebP(t, c.file)
		if diff := cmp.Diff(typeName(c.kind), typeName(img)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if img.Bounds() != image.Rect(0, 0, 16, 16) {
			t.Errorf("%s: bounds %v", name, img.Bounds())
		}
		wantQuarters(t, img, "RGBW")
	}
}

func typeName(img image.Image) string {
	switch img.(type) {
	case *image.NRGBA:
		return "NRGBA"
	case *image.YCbCr:
		return "YCbCr"
	case *image.NYCbCrA:
		return "NYCbCrA"
	default:
		return "another"
	}
}

func TestSamplesAreDecodedAsByXImage(t *testing.T) {
	for name, file := range webpSamples(t) {
		want, err := webp.Decode(bytes.NewReader(file))
		if err != nil {
			continue // it reads no animations
		}
		widenAny(want)
		if diff := cmp.Diff(want, mustDecodeWebP(t, file)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// widenAny does to a lossy picture what golang.org/x/image leaves undone.
func widenAny(img image.Image) {
	switch i := img.(type) {
	case *image.YCbCr:
		widen(i)
	case *image.NYCbCrA:
		widen(&i.YCbCr)
	}
}

func TestLossyPicturesHaveTheWholeRangeOfValues(t *testing.T) {
	img := mustDecodeWebP(t, webpSample(t, "lossy-quarters-16x16"))
	for at, want := range map[image.Point]color.NRGBA{{1, 1}: red, {14, 1}: green, {1, 14}: blue, {14, 14}: white} {
		got := color.NRGBAModel.Convert(img.At(at.X, at.Y)).(color.NRGBA)
		if !alike(got, want) {
			t.Errorf("%v at %v, want %v", got, at, want)
		}
	}
	for v, want := range map[int]uint8{0: 0, 16: 0, 17: 1, 235: 255, 255: 255} {
		if got := stretch(v, 16, 219, 0); got != want {
			t.Errorf("luma %d became %d, want %d", v, got, want)
		}
	}
	for v, want := range map[int]uint8{0: 0, 16: 0, 128: 128, 129: 129, 240: 255, 255: 255} {
		if got := stretch(v, 128, 224, 128); got != want {
			t.Errorf("chroma %d became %d, want %d", v, got, want)
		}
	}
}

func TestAFrameLiesOnATransparentCanvas(t *testing.T) {
	half := rawAlpha(0, bytes.Repeat([]byte{128}, 256)...)
	for name, c := range map[string]struct {
		chunks [][]byte
		alpha  uint8
	}{
		"lossless":         {[][]byte{losslessChunk(t)}, 255},
		"lossy":            {[][]byte{lossyChunk(t)}, 255},
		"lossy with alpha": {[][]byte{half, lossyChunk(t)}, 128},
	} {
		second := anmfChunk(0, 0, 1, 1) // which isn't looked into
		img := mustDecodeWebP(t, webpFile(vp8xChunk(2, 24, 23), riffChunk("ANIM", 1, 2, 3, 255, 0, 0),
			anmfChunk(3, 2, 16, 16, c.chunks...), second)).(*image.NRGBA)
		if img.Rect != image.Rect(0, 0, 24, 23) {
			t.Errorf("%s: bounds %v", name, img.Rect)
		}
		for y := range 23 {
			for x := range 24 {
				want := color.NRGBA{}
				if image.Pt(x, y).In(image.Rect(6, 4, 22, 20)) {
					want = quarterColor(x >= 14, y >= 12)
					want.A = c.alpha
				}
				if got := img.NRGBAAt(x, y); !alike(got, want) {
					t.Fatalf("%s: %v at %d, %d, want %v", name, got, x, y, want)
				}
			}
		}
	}
}

// alike allows for what a lossy picture loses.
func alike(a, b color.NRGBA) bool {
	near := func(v, w uint8) bool { return max(v, w)-min(v, w) < 12 }
	return a.A == b.A && near(a.R, b.R) && near(a.G, b.G) && near(a.B, b.B)
}

func TestMetadataMayStandOnEitherSide(t *testing.T) {
	picture, icc := losslessChunk(t), []byte("profile")
	exif := tiff(binary.BigEndian, 6)
	for name, file := range map[string][]byte{
		"in front":       webpFile(vp8xChunk(0x28, 16, 16), riffChunk("ICCP", icc...), riffChunk("EXIF", exif...), picture),
		"behind":         webpFile(vp8xChunk(0x28, 16, 16), riffChunk("ICCP", icc...), picture, riffChunk("EXIF", exif...)),
		"as in a JPEG":   webpFile(vp8xChunk(0x28, 16, 16), riffChunk("ICCP", icc...), picture, riffChunk("EXIF", append([]byte("Exif\x00\x00"), exif...)...)),
		"animated":       webpFile(vp8xChunk(0x2a, 16, 16), riffChunk("ICCP", icc...), anmfChunk(0, 0, 16, 16, picture), riffChunk("EXIF", exif...)),
		"of two":         webpFile(vp8xChunk(0x28, 16, 16), riffChunk("ICCP", icc...), picture, riffChunk("EXIF", exif...), riffChunk("EXIF"), riffChunk("ICCP")),
		"others between": webpFile(vp8xChunk(0x28, 16, 16), riffChunk("odd!", 1), riffChunk("ICCP", icc...), riffChunk("XMP ", 2), picture, riffChunk("EXIF", exif...)),
	} {
		w := mustReadWebP(t, file)
		if !bytes.Equal(w.exif, exif) || !bytes.Equal(w.icc, icc) {
			t.Errorf("%s: EXIF %q, profile %q", name, w.exif, w.icc)
		}
	}
	if w := mustReadWebP(t, webpFile(picture)); w.exif != nil || w.icc != nil {
		t.Errorf("EXIF %q, profile %q where there are none", w.exif, w.icc)
	}
}

func TestFilesThatAreNearlyRightAreTaken(t *testing.T) {
	odd := riffChunk("odd!", 1, 2, 3)
	picture := losslessChunk(t)
	unpadded := webpFile(picture, odd[:len(odd)-1])
	for name, file := range map[string][]byte{
		"bytes behind the end":   append(webpFile(picture), "more"...),
		"no padding at the end":  unpadded,
		"flags for what isn't":   webpFile(vp8xChunk(0xfd, 16, 16), picture),
		"a longer VP8X":          webpFile(riffChunk("VP8X", append(vp8xChunk(0, 16, 16)[8:], 0, 0)...), picture),
		"a VP8X that comes late": webpFile(picture, vp8xChunk(2, 99, 99)),
	} {
		if w := mustReadWebP(t, file); w.width != 16 || w.height != 16 {
			t.Errorf("%s: %d by %d", name, w.width, w.height)
		}
	}
}

func TestContainersThatMakeNoSenseAreRefused(t *testing.T) {
	lossless, lossy := losslessChunk(t), lossyChunk(t)
	whole := webpFile(lossless)
	change := func(at int, b ...byte) []byte {
		c := bytes.Clone(whole)
		copy(c[at:], b)
		return c
	}
	lossyBytes := func(at int, b ...byte) []byte {
		c := webpFile(lossy)
		copy(c[20+at:], b)
		return c
	}
	for name, file := range map[string][]byte{
		"empty":                  nil,
		"another RIFF":           change(8, 'W', 'A', 'V', 'E'),
		"no RIFF":                change(0, 'r'),
		"a size beyond the file": change(4, 0xff, 0xff, 0xff, 0xff),
		"a size that is nothing": change(4, 0, 0, 0, 0),
		"a size within a chunk":  change(4, 16, 0),
		"a chunk beyond the end": change(16, 0xff, 0xff, 0xff, 0xff),
		"half a chunk header":    webpFile(lossless, []byte("half")),
		"no chunks":              webpFile(),
		"no picture":             webpFile(vp8xChunk(0, 16, 16), riffChunk("EXIF")),
		"an empty picture":       webpFile(riffChunk("VP8L")),
		"a canvas too wide":      webpFile(vp8xChunk(0, 17, 16), lossless),
		"a canvas too low":       webpFile(vp8xChunk(0, 16, 15), lossy),
		"a short VP8X":           webpFile(riffChunk("VP8X", make([]byte, 9)...), lossless),
		"a frame right outside":  webpFile(vp8xChunk(2, 16, 16), anmfChunk(1, 0, 16, 16, lossless)),
		"a frame below":          webpFile(vp8xChunk(2, 16, 16), anmfChunk(0, 0xffffff, 16, 16, lossless)),
		"a frame of other size":  webpFile(vp8xChunk(2, 16, 16), anmfChunk(0, 0, 16, 15, lossless)),
		"a frame of nothing":     webpFile(vp8xChunk(2, 16, 16), anmfChunk(0, 0, 16, 16)),
		"a frame cut short":      webpFile(vp8xChunk(2, 16, 16), anmfChunk(0, 0, 16, 16, lossless[:20])),
		"a frame's header short": webpFile(vp8xChunk(2, 16, 16), riffChunk("ANMF", make([]byte, 15)...)),
		"no frame":               webpFile(vp8xChunk(2, 16, 16), lossless),
		"no key frame":           lossyBytes(0, 0x31),
		"no start code":          lossyBytes(3, 0),
		"no width":               lossyBytes(6, 0, 0xc0),
		"no height":              lossyBytes(8, 0, 0),
	} {
		if _, err := readWebP(file); !isCorruptWebP(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWebPsCutShortAreRefused(t *testing.T) {
	for name, file := range webpSamples(t) {
		for n := range file {
			if _, err := readWebP(file[:n]); !isCorruptWebP(err) {
				t.Errorf("%s, %d of %d bytes: %v", name, n, len(file), err)
			}
		}
	}
	// The same with the sizes put right, so that it shows in the picture only.
	lossy := mustReadWebP(t, webpSample(t, "lossy-gradient-33x17")).lossy
	for n := range lossy {
		w := webP{width: 33, height: 17, frame: image.Rect(0, 0, 33, 17), lossy: lossy[:n]}
		if _, err := w.decode(); err != nil && !isCorruptWebP(err) {
			t.Errorf("lossy, %d of %d bytes: %v", n, len(lossy), err)
		}
	}
}

func TestAFlippedBitIsAWebPOrAnError(t *testing.T) {
	for name, file := range webpSamples(t) {
		for i := 0; i < 8*len(file); i += 1 + len(file)/80 { // some of every byte, or nearly
			damaged := bytes.Clone(file)
			damaged[i/8] ^= 1 << (i % 8)
			w, err := readWebP(damaged)
			if err != nil || w.width*w.height > 1<<20 {
				continue
			}
			img, err := w.decode()
			if (img == nil) == (err == nil) {
				t.Errorf("%s, bit %d: %v, %v", name, i, img, err)
			}
		}
	}
}

func TestAlphaIsUnfilteredAsByXImage(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	lossy := riffChunk("VP8 ", mustReadWebP(t, webpSample(t, "lossy-gradient-33x17")).lossy...)
	for filter := range byte(4) {
		raw := make([]byte, 33*17)
		for i := range raw {
			raw[i] = byte(random.Uint32())
		}
		want := mustDecodeWebP(t, webpFile(vp8xChunk(0x10, 33, 17), rawAlpha(filter, raw...), lossy)).(*image.NYCbCrA)
		compressed := riffChunk("ALPH", append([]byte{filter<<2 | methodLossless}, packedAlpha(raw)...)...)
		file := webpFile(vp8xChunk(0x10, 33, 17), compressed, lossy)
		if diff := cmp.Diff(want, mustDecodeWebP(t, file)); diff != "" {
			t.Errorf("filter %d, raw and compressed: %s", filter, diff)
		}
		theirs, err := webp.Decode(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		widenAny(theirs)
		if diff := cmp.Diff(theirs, image.Image(want)); diff != "" {
			t.Errorf("filter %d: %s", filter, diff)
		}
	}
}

func TestAlphaThatMakesNoSenseIsRefused(t *testing.T) {
	for name, alpha := range map[string][]byte{
		"empty":           riffChunk("ALPH"),
		"raw, too short":  rawAlpha(0, make([]byte, 255)...),
		"a third method":  riffChunk("ALPH", append([]byte{2}, make([]byte, 300)...)...),
		"nothing of it":   riffChunk("ALPH", methodLossless),
		"a VP8L's header": riffChunk("ALPH", append([]byte{methodLossless}, losslessChunk(t)[8:]...)...),
	} {
		w := mustReadWebP(t, webpFile(vp8xChunk(0x10, 16, 16), alpha, lossyChunk(t)))
		if img, err := w.decode(); !isCorruptWebP(err) || img != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAContainerIsReadWithoutMemory(t *testing.T) {
	file := webpFile(slices.Concat(vp8xChunk(0, 1<<24, 1<<24), bytes.Repeat(riffChunk("none"), 10_000)))
	if n := allocated(func() { _, _ = readWebP(file) }); n > 4<<10 {
		t.Errorf("%d bytes allocated", n)
	}
}

func TestALargeWebPOfFewBytesIsReadWithoutMemory(t *testing.T) {
	file := webpFile(solidVP8L(16383, 16383, red))
	var w webP
	var err error
	n := allocated(func() { w, err = readWebP(file) })
	if n > 1<<10 || err != nil || w.width != 16383 || w.height != 16383 {
		t.Errorf("%d bytes allocated for %d, %d by %d, %v", n, len(file), w.width, w.height, err)
	}
}

func TestALosslessPictureOfAVersionToComeIsUnsupported(t *testing.T) {
	picture := solidVP8L(1, 1, red)
	picture[8+4] |= 1 << 5
	_, err := process(webpFile(picture))
	wantFault(t, err, fault.Error{Code: fault.ImageUnsupported, Detail: accepted})
}

func FuzzWebP(f *testing.F) {
	for _, file := range webpSamples(f) {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		w, err := readWebP(data)
		if err != nil || w.width*w.height > 1<<20 {
			return
		}
		img, err := w.decode()
		if err != nil {
			if !isCorruptWebP(err) && !errors.Is(err, vp8l.ErrUnsupported) {
				t.Errorf("error %#v", err)
			}
			return
		}
		if img.Bounds() != image.Rect(0, 0, w.width, w.height) {
			t.Errorf("bounds %v of %d by %d", img.Bounds(), w.width, w.height)
		}
	})
}
