package avatar

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"slices"
	"testing"
)

// seen has for each orientation what is seen of a picture that is stored
// with red and green above blue and white.
var seen = [9]string{
	1: "RGBW", 2: "GRWB", 3: "WBGR", 4: "BWRG", 5: "RBGW", 6: "BRWG", 7: "WGBR", 8: "GWRB",
}

func TestPicturesStandUpright(t *testing.T) {
	img := quarters(image.NewRGBA(image.Rect(0, 0, 120, 80)))
	j, p := jpegOf(img), pngOf(img)
	iend := len(p) - 12
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for o := 1; o <= 8; o++ {
			exif := tiff(order, o)
			for name, file := range map[string][]byte{
				"JPEG":                     withSegments(j, exifSegment(exif)),
				"JPEG, behind others":      withSegments(j, segment(0xe0, 'J', 'F', 'I', 'F', 0), segment(0xe1, 'X', 'M', 'P'), exifSegment(exif)),
				"PNG":                      withChunks(p, chunk("eXIf", exif...)),
				"PNG, eXIf behind the end": slices.Concat(p[:iend], chunk("eXIf", exif...), p[iend:]),
				"WebP": webpFile(vp8xChunk(0, 16, 16), webpSample(t, "lossless-quarters-16x16")[12:],
					riffChunk("EXIF", exif...)),
			} {
				t.Run(fmt.Sprintf("%s/%v/%d", name, order, o), func(t *testing.T) {
					for _, s := range mustProcess(t, file).Squares {
						wantQuarters(t, decoded(t, s.Data), seen[o])
					}
				})
			}
		}
	}
}

func TestOrientationsThatMakeNoSenseLeaveThePictureAlone(t *testing.T) {
	valid := tiff(binary.BigEndian, 6)
	entry := len(valid) - 4 - entryBytes
	change := func(at int, with ...byte) []byte {
		b := slices.Clone(valid)
		copy(b[at:], with)
		return b
	}
	for name, b := range map[string][]byte{
		"none":                  nil,
		"header only":           valid[:8],
		"value 0":               tiff(binary.BigEndian, 0),
		"value 9":               tiff(binary.BigEndian, 9),
		"another byte order":    change(0, 'X', 'X'),
		"directory outside":     change(4, 0xff, 0xff, 0xff, 0xff),
		"directory at the end":  change(4, 0, 0, 0, byte(len(valid)-1)),
		"type LONG":             change(entry+2, 0, 4),
		"two values":            change(entry+4, 0, 0, 0, 2),
		"directory cut short":   valid[:entry+entryBytes-1],
		"fewer entries counted": change(10, 0, 1),
	} {
		if o := tiffOrientation(b); o != upright {
			t.Errorf("%s: orientation %d", name, o)
		}
	}
	if o := tiffOrientation(change(10, 0xff, 0xff)); o != 6 {
		t.Errorf("more entries counted than there are: orientation %d, want 6", o)
	}
}

func TestOnlyTheFirstEXIFInFrontOfThePictureCounts(t *testing.T) {
	j := jpegOf(image.NewGray(image.Rect(0, 0, 8, 8)))
	six, three := exifSegment(tiff(binary.BigEndian, 6)), exifSegment(tiff(binary.BigEndian, 3))
	end := len(j) - 2
	for name, c := range map[string]struct {
		file []byte
		want orientation
	}{
		"of two":          {withSegments(j, six, three), 6},
		"behind the scan": {slices.Concat(j[:end], six, j[end:]), upright},
		"behind the end":  {append(bytes.Clone(j), six...), upright},
	} {
		if h, err := readJPEG(c.file); err != nil || h.orientation != c.want {
			t.Errorf("%s: %d, %v; want %d", name, h.orientation, err, c.want)
		}
	}
}

func FuzzOrientation(f *testing.F) {
	f.Add(tiff(binary.LittleEndian, 6))
	f.Add(tiff(binary.BigEndian, 8))
	f.Fuzz(func(t *testing.T, data []byte) {
		if o := tiffOrientation(data); o < 1 || o > 8 {
			t.Errorf("orientation %d", o)
		}
	})
}
