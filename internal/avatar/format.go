package avatar

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"strings"

	"nameplate/internal/fault"
	"nameplate/internal/vp8l"
)

// maxMemory is how many bytes decoding a picture may take, by an estimate from
// its header. With the file, twice, and what is made of it, that is less than 150 MB.
const maxMemory = 110_000_000

const (
	typeJPEG = "image/jpeg"
	typePNG  = "image/png"
	typeGIF  = "image/gif"
	typeWebP = "image/webp"
)

// format is a kind of file that is accepted. Its decoder is called by name:
// package image would also call those that a dependency registers.
type format struct {
	is func(head []byte) bool
	// read reads what the file says of itself, without decoding a pixel.
	read func(data []byte) (header, error)
	// decode makes the picture, of 1/reduce of the size if it can.
	decode func(data []byte, h header, reduce int) (image.Image, error)
}

// header is what a file says of its picture.
type header struct {
	// width and height are those of the picture as it was stored.
	width, height int
	// orientation is how it must be turned then.
	orientation orientation
	// profile is the ICC profile of its colours, nil if there is none.
	profile []byte
	// memory estimates how many bytes decoding takes.
	memory int
	// fast says that the faster of two decoders takes the file.
	fast bool
}

// formats are all that are accepted, in the order of [Types].
var formats = [...]format{
	{starts("\xff\xd8\xff"), readJPEG, decodeJPEG},
	{starts(pngSignature), readPNG, decodePNG},
	{starts("GIF8"), readGIF, decodeGIF},
	{isWebP, headerOfWebP, decodeWebP},
}

func starts(magic string) func([]byte) bool {
	return func(head []byte) bool { return bytes.HasPrefix(head, []byte(magic)) }
}

// Types returns the media types of the files that are accepted.
func Types() []string { return []string{typeJPEG, typePNG, typeGIF, typeWebP} }

// headBytes is how much of a file [identify] looks at.
const headBytes = 16

func identify(head []byte) (format, error) {
	for _, f := range formats {
		if f.is(head) {
			return f, nil
		}
	}
	return format{}, unsupported()
}

// header reads the file's header and holds it to the limits.
func (f format) header(data []byte) (header, error) {
	h, err := f.read(data)
	if err != nil {
		return header{}, err
	}
	if err := checkSize(h.width, h.height); err != nil {
		return header{}, err
	}
	if h.memory > maxMemory {
		return header{}, tooLarge(int(int64(h.width) * int64(h.height) * maxMemory / int64(h.memory)))
	}
	return h, nil
}

func checkSize(width, height int) error {
	switch {
	case width < 1 || height < 1:
		return corrupt()
	case int64(width)*int64(height) > MaxPixels:
		return tooLarge(MaxPixels)
	case max(width, height) > MaxSide:
		return &fault.Error{Code: fault.ImageTooLarge, Field: fieldFile, Limit: MaxSide, Detail: RuleSide}
	}
	return nil
}

// guard calls a decoder and makes a fault of however it fails: by an error or
// by a panic, which so many years of hostile files have not ruled out.
func guard[T any](data []byte, decode func(io.Reader) (T, error)) (v T, err error) {
	defer func() {
		if recover() != nil {
			err = corrupt()
		}
	}()
	v, err = decode(bytes.NewReader(data))
	if err != nil {
		err = asFault(err)
	}
	return v, err
}

func asFault(err error) error {
	if errors.Is(err, png.UnsupportedError("dimension overflow")) {
		return tooLarge(MaxPixels)
	}
	var j jpeg.UnsupportedError
	var p png.UnsupportedError
	if errors.As(err, &j) || errors.As(err, &p) || errors.Is(err, vp8l.ErrUnsupported) {
		return unsupported()
	}
	return corrupt()
}

// The inputs at fault.
const (
	fieldFile = "file"
	fieldCrop = "crop"
)

// RuleSide is the Detail of a fault with the code [fault.ImageTooLarge] whose Limit
// is a side's and not that of all pixels.
const RuleSide = "side"

func corrupt() error { return &fault.Error{Code: fault.ImageCorrupt, Field: fieldFile} }

func tooLarge(pixels int) error {
	return &fault.Error{Code: fault.ImageTooLarge, Field: fieldFile, Limit: pixels}
}

func unsupported() error {
	return &fault.Error{Code: fault.ImageUnsupported, Field: fieldFile, Detail: strings.Join(Types(), ", ")}
}

// outOfBounds says how large the upright picture is in which a crop must lie.
func outOfBounds(width, height int) error {
	return &fault.Error{
		Code: fault.CropOutOfBounds, Field: fieldCrop, Detail: fmt.Sprintf("%d × %d", width, height),
	}
}
