package avatar

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"io"
	"math/bits"
	"slices"
	"testing"
)

// Files for the tests, made here: no picture of anyone's is kept.

var (
	red   = color.NRGBA{255, 0, 0, 255}
	green = color.NRGBA{0, 255, 0, 255}
	blue  = color.NRGBA{0, 0, 255, 255}
	white = color.NRGBA{255, 255, 255, 255}
)

// quarters paints a picture's quarters red, green, blue and white, by rows, so
// that each of the eight ways to turn it can be told.
func quarters[I draw.Image](img I) I {
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			right, low := 2*(x-b.Min.X) >= b.Dx(), 2*(y-b.Min.Y) >= b.Dy()
			img.Set(x, y, quarterColor(right, low))
		}
	}
	return img
}

func quarterColor(right, low bool) color.NRGBA {
	switch {
	case right && low:
		return white
	case low:
		return blue
	case right:
		return green
	default:
		return red
	}
}

func jpegOf(img image.Image) []byte { return encoded(encodeJPEG, img) }

func pngOf(img image.Image) []byte { return encoded(png.Encode, img) }

func encoded(encode func(io.Writer, image.Image) error, img image.Image) []byte {
	var b bytes.Buffer
	if err := encode(&b, img); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func decoded(t *testing.T, data []byte) image.Image {
	t.Helper()
	decode := jpeg.Decode
	if bytes.HasPrefix(data, []byte(pngSignature)) {
		decode = png.Decode
	}
	img, err := decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("what was made doesn't decode: %v", err)
	}
	return img
}

func be16(n int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(n)) }

// segment is one of a JPEG.
func segment(marker byte, body ...byte) []byte {
	return slices.Concat([]byte{0xff, marker}, be16(2+len(body)), body)
}

// withSegments puts segments at the start of a JPEG.
func withSegments(file []byte, segments ...[]byte) []byte {
	return slices.Concat(file[:2], slices.Concat(segments...), file[2:])
}

func adobe(transform byte) []byte {
	return segment(0xee, append([]byte("Adobe\x00\x64\x00\x00\x00\x00"), transform)...)
}

// chunk is one of a PNG.
func chunk(kind string, body ...byte) []byte {
	c := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	c = append(append(c, kind...), body...)
	return binary.BigEndian.AppendUint32(c, crc32.ChecksumIEEE(c[4:]))
}

const afterIHDR = 8 + 12 + 13

// withChunks puts chunks after the header of a PNG.
func withChunks(file []byte, chunks ...[]byte) []byte {
	return slices.Concat(file[:afterIHDR], slices.Concat(chunks...), file[afterIHDR:])
}

func pngHeader(width, height int, depth, colorType, interlace byte) []byte {
	ihdr := binary.BigEndian.AppendUint32(nil, uint32(width))
	ihdr = binary.BigEndian.AppendUint32(ihdr, uint32(height))
	ihdr = append(ihdr, depth, colorType, 0, 0, interlace)
	return slices.Concat([]byte(pngSignature), chunk("IHDR", ihdr...))
}

func deflated(data []byte) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

// interlacedPNG writes img in the seven passes of Adam7, which package png
// only reads.
func interlacedPNG(img *image.NRGBA) []byte {
	width, height := img.Rect.Dx(), img.Rect.Dy()
	var raw []byte
	for _, p := range [7][4]int{
		{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2},
	} {
		for y := p[1]; y < height && p[0] < width; y += p[3] {
			raw = append(raw, 0) // no filter
			for x := p[0]; x < width; x += p[2] {
				raw = append(raw, img.Pix[img.PixOffset(x, y):][:4]...)
			}
		}
	}
	return slices.Concat(pngHeader(width, height, 8, 6, 1), chunk("IDAT", deflated(raw)...), chunk("IEND"))
}

// tiff is EXIF data with some tags in front of the orientation.
func tiff(order binary.AppendByteOrder, o int) []byte {
	b := []byte("II*\x00")
	if order.String() == binary.BigEndian.String() {
		b = []byte("MM\x00*")
	}
	b = order.AppendUint32(b, 10)
	b = append(b, 0, 0) // a gap: the directory stands where the offset says
	b = order.AppendUint16(b, 2)
	for _, entry := range [][2]int{{0x0100, 77}, {tagOrient, o}} {
		b = order.AppendUint16(b, uint16(entry[0]))
		b = order.AppendUint16(b, typeShort)
		b = order.AppendUint32(b, 1)
		b = order.AppendUint16(b, uint16(entry[1]))
		b = append(b, 0, 0)
	}
	return order.AppendUint32(b, 0)
}

func exifSegment(tiff []byte) []byte {
	return segment(markerAPP1, append([]byte("Exif\x00\x00"), tiff...)...)
}

// flatJPEG writes what package jpeg only reads: other numbers of components,
// and progression. Each block of 8 by 8 pixels has one colour.
type flatJPEG struct {
	progressive bool
	cols, rows  int // blocks
	components  int
	// at gives a block's components; nil makes all of them grey.
	at func(col, row int) []byte
	// moreScans are added to a progressive file; they change nothing.
	moreScans int
}

func (f flatJPEG) bytes() []byte {
	sof := []byte{8}
	sof = append(sof, be16(8*f.rows)...)
	sof = append(append(sof, be16(8*f.cols)...), byte(f.components))
	for i := range f.components {
		sof = append(sof, byte(i+1), 0x11, 0)
	}
	marker := byte(0xc0)
	if f.progressive {
		marker = 0xc2
	}
	b := slices.Concat(
		[]byte{0xff, 0xd8},
		segment(0xdb, append([]byte{0}, bytes.Repeat([]byte{8}, 64)...)...),
		segment(marker, sof...),
		// Codes of four bits for 12 sizes of DC values and 15 runs of blocks
		// without AC values: the code is the index.
		segment(0xc4, append([]byte{0x00, 0, 0, 0, 12, 12: 0, 16: 0}, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)...),
		segment(0xc4, append([]byte{0x10, 0, 0, 0, 15, 12: 0, 16: 0},
			0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80, 0x90, 0xa0, 0xb0, 0xc0, 0xd0, 0xe0)...),
		f.firstScan(),
	)
	for range f.moreScans {
		b = append(b, f.emptyScan()...)
	}
	return append(b, 0xff, 0xd9)
}

func (f flatJPEG) firstScan() []byte {
	sos := []byte{byte(f.components)}
	for i := range f.components {
		sos = append(sos, byte(i+1), 0)
	}
	last := byte(63)
	if f.progressive {
		last = 0
	}
	var w bitWriter
	before := make([]int, f.components)
	for row := range f.rows {
		for col := range f.cols {
			for i := range f.components {
				value := 0
				if f.at != nil {
					value = int(f.at(col, row)[i]) - 128
				}
				w.value(value - before[i])
				before[i] = value
				if !f.progressive {
					w.write(0, 4) // no AC values
				}
			}
		}
	}
	return append(segment(markerSOS, append(sos, 0, last, 0)...), w.flush()...)
}

// emptyScan says for every block of the first component that it has no AC
// values.
func (f flatJPEG) emptyScan() []byte {
	var w bitWriter
	for left := f.cols * f.rows; left > 0; {
		size := min(bits.Len(uint(left))-1, 14)
		run := min(left, 1<<(size+1)-1)
		w.write(size, 4)
		w.write(run-1<<size, size)
		left -= run
	}
	return append(segment(markerSOS, 1, 1, 0, 1, 63, 0), w.flush()...)
}

// bitWriter writes the coded data of a JPEG.
type bitWriter struct {
	out  []byte
	acc  int
	held int // bits in acc
}

func (w *bitWriter) write(value, n int) {
	for i := n - 1; i >= 0; i-- {
		w.acc = w.acc<<1 | value>>i&1
		if w.held++; w.held == 8 {
			w.out = append(w.out, byte(w.acc))
			if byte(w.acc) == 0xff {
				w.out = append(w.out, 0)
			}
			w.acc, w.held = 0, 0
		}
	}
}

// value writes the size of a DC difference and the difference.
func (w *bitWriter) value(v int) {
	size := bits.Len(uint(max(v, -v)))
	w.write(size, 4)
	if v < 0 {
		v += 1<<size - 1
	}
	w.write(v, size)
}

func (w *bitWriter) flush() []byte {
	for w.held != 0 {
		w.write(1, 1)
	}
	return w.out
}

// flatQuarters paints as [quarters] does, in a colour model of the test's.
func flatQuarters(cols, rows int, convert func(color.NRGBA) []byte) func(col, row int) []byte {
	return func(col, row int) []byte { return convert(quarterColor(2*col >= cols, 2*row >= rows)) }
}

func toYCbCr(c color.NRGBA) []byte {
	y, cb, cr := color.RGBToYCbCr(c.R, c.G, c.B)
	return []byte{y, cb, cr}
}

// toInk is CMYK the way that Adobe writes it: 255 is no ink.
func toInk(c color.NRGBA) []byte { return []byte{c.R, c.G, c.B, 255} }

func toRGB(c color.NRGBA) []byte { return []byte{c.R, c.G, c.B} }

// solidVP8L is a lossless WebP picture of one colour, whose pixels take no bits (RFC
// 9649, 3): sizes, then neither transforms nor a cache nor blocks, and five codes of
// one symbol each.
func solidVP8L(width, height int, c color.NRGBA) []byte {
	var out []byte
	acc, held := uint64(0), 0
	write := func(v, n int) {
		acc |= uint64(v) << held
		for held += n; held >= 8; held -= 8 {
			out = append(out, byte(acc))
			acc >>= 8
		}
	}
	write(0x2f, 8)
	write(width-1, 14)
	write(height-1, 14)
	write(0, 1+3+1+1+1)
	for _, v := range []uint8{c.G, c.R, c.B, c.A, 0} {
		write(0b101, 3)
		write(int(v), 8)
	}
	write(0, 7) // to a whole byte
	return riffChunk("VP8L", out...)
}
