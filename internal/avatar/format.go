package avatar

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"strings"

	"nameplate/internal/fault"
)

// Limits of the work that a file within [MaxPixels] may ask for. Each scan of
// a JPEG runs over all of its pixels: 500 scans of next to no bytes each keep
// a core busy for most of a minute. Encoders write up to 14.
const (
	maxScans      = 32
	maxScanPixels = 200_000_000
)

const (
	typeJPEG = "image/jpeg"
	typePNG  = "image/png"
)

// format is a kind of file that is accepted. Its decoder is called by name:
// package image would also call those that a dependency registers.
type format struct {
	mediaType string
	magic     string
	config    func(io.Reader) (image.Config, error)
	decode    func(io.Reader) (image.Image, error)
	examine   func([]byte) traits
}

// traits are what a file says about itself that its decoder keeps silent
// about.
type traits struct {
	orientation orientation
	// scans is how often the decoder runs over the picture.
	scans int
}

// formats are all that are accepted.
var formats = [...]format{
	{typeJPEG, "\xff\xd8\xff", jpeg.DecodeConfig, jpeg.Decode, examineJPEG},
	{typePNG, pngSignature, png.DecodeConfig, png.Decode, examinePNG},
}

// Types returns the media types of the files that are accepted.
func Types() []string {
	var types []string
	for _, f := range formats {
		types = append(types, f.mediaType)
	}
	return types
}

func identify(data []byte) (format, error) {
	for _, f := range formats {
		if bytes.HasPrefix(data, []byte(f.magic)) {
			return f, nil
		}
	}
	return format{}, unsupported()
}

// RuleSide is the Detail of a fault with the code [fault.ImageTooLarge] whose Limit
// is a side's and not that of all pixels.
const RuleSide = "side"

// check holds the file to the limits by its header alone.
func (f format) check(data []byte) (traits, error) {
	c, err := guard(data, f.config)
	if err != nil {
		return traits{}, err
	}
	if c.Width < 1 || c.Height < 1 {
		return traits{}, refuse(fault.ImageCorrupt, 0)
	}
	if int64(c.Width)*int64(c.Height) > MaxPixels {
		return traits{}, refuse(fault.ImageTooLarge, MaxPixels)
	}
	if max(c.Width, c.Height) > MaxSide {
		return traits{}, &fault.Error{Code: fault.ImageTooLarge, Field: "file", Limit: MaxSide, Detail: RuleSide}
	}
	t := f.examine(data)
	if t.scans > maxScans {
		return traits{}, refuse(fault.ImageCorrupt, 0)
	}
	if t.scans*c.Width*c.Height > maxScanPixels {
		return traits{}, refuse(fault.ImageTooLarge, maxScanPixels/t.scans)
	}
	return t, nil
}

// guard calls a decoder and makes a fault of however it fails: by an error or
// by a panic, which so many years of hostile files have not ruled out.
func guard[T any](data []byte, decode func(io.Reader) (T, error)) (v T, err error) {
	defer func() {
		if recover() != nil {
			err = refuse(fault.ImageCorrupt, 0)
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
		return refuse(fault.ImageTooLarge, MaxPixels)
	}
	var j jpeg.UnsupportedError
	var p png.UnsupportedError
	if errors.As(err, &j) || errors.As(err, &p) {
		return unsupported()
	}
	return refuse(fault.ImageCorrupt, 0)
}

func unsupported() error {
	err := refuse(fault.ImageUnsupported, 0)
	err.Detail = strings.Join(Types(), ", ")
	return err
}
