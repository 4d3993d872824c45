// Package avatar turns an uploaded file into the square pictures that are
// stored, and draws a picture for whoever has uploaded none.
//
// What is uploaded is hostile until shown otherwise. Its kind is decided by
// its content, every limit is checked against its header before a decoder
// sees it, and what is stored is always encoded anew: no byte of the file, and
// so no metadata, survives.
package avatar

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"nameplate/internal/fault"
)

// Limits of a file. Phones make photos of 12 megapixels and up to 8 MB.
const (
	// MaxBytes is how large a file may be.
	MaxBytes = 10 << 20
	// MaxSide is how many pixels wide or high a picture may be.
	MaxSide = 8192
	// MaxPixels is how many pixels a picture may have.
	MaxPixels = 4096 * 4096
)

// Sizes returns the sides, in pixels and ascending, that a picture is stored
// in when its source has enough pixels for them.
func Sizes() []int { return []int{64, 128, 256, 512} }

// SidesUpTo returns the sides of all stored squares of a picture, ascending,
// given the side of the largest: those of [Sizes] that are smaller, and the
// largest itself. A side beyond Sizes counts as the last of them, so that the
// argument may also be the side of the source.
func SidesUpTo(largest int) []int {
	sides := Sizes()
	i, _ := slices.BinarySearch(sides, largest)
	if i == len(sides) {
		return sides
	}
	return append(sides[:i], largest)
}

// SideFor returns which of the stored squares to show where wanted pixels are
// to be filled: the smallest that has as many, otherwise the largest.
func SideFor(wanted, largest int) int {
	sides := SidesUpTo(largest)
	i, _ := slices.BinarySearch(sides, wanted)
	return sides[min(i, len(sides)-1)]
}

// Picture is an uploaded picture, ready to be stored.
type Picture struct {
	// MediaType is that of every square: image/png when some of the picture
	// can be seen through, otherwise image/jpeg.
	MediaType string
	// Ext is the extension that goes with MediaType, without a dot.
	Ext string
	// Squares are ascending by side; their sides are those of [SidesUpTo].
	Squares []Square
}

// Square is a picture in one of its sizes.
type Square struct {
	// Side is its width and height in pixels.
	Side int
	// Data is the encoded file.
	Data []byte
}

// Processor makes pictures of uploaded files, a few at a time: a decoder may
// take some hundreds of megabytes.
type Processor struct {
	// Wait is how long a file waits for its turn before the server is said to
	// be busy. It may be changed before the first use.
	Wait time.Duration
	// MaxBytes is how large a file may be, [MaxBytes] unless it is changed before the
	// first use.
	MaxBytes int

	slots chan struct{}
}

// NewProcessor returns a Processor that decodes as many pictures at once as
// it has workers. More than there are cores gain nothing.
func NewProcessor(workers int) *Processor {
	return &Processor{Wait: 5 * time.Second, MaxBytes: MaxBytes, slots: make(chan struct{}, workers)}
}

// Process reads a file to its end and makes a picture of it. A file that is
// not fit for one is a *[fault.Error] in the field "file"; that no worker came
// free in time is a *[fault.Unavailable]; an error of r is returned wrapped.
//
// A worker is taken only when the whole file is there and its header is within
// the limits, so that neither a slow client nor a bad file holds one.
func (p *Processor) Process(ctx context.Context, r io.Reader) (*Picture, error) {
	data, err := read(r, p.MaxBytes)
	if err != nil {
		return nil, err
	}
	f, err := identify(data)
	if err != nil {
		return nil, err
	}
	t, err := f.check(data)
	if err != nil {
		return nil, err
	}
	if err := p.acquire(ctx); err != nil {
		return nil, err
	}
	defer p.release()
	img, err := guard(data, f.decode)
	if err != nil {
		return nil, err
	}
	return newPicture(squares(img, t.orientation))
}

func (p *Processor) acquire(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(p.Wait):
		return &fault.Unavailable{
			RetryAfter: max(p.Wait, time.Second),
			Err:        errors.New("every picture worker is busy"),
		}
	}
}

func (p *Processor) release() { <-p.slots }

// read returns all of r, of which it reads no more than shows that it is too
// much.
func read(r io.Reader, maxBytes int) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, int64(maxBytes)+1))
	switch {
	case len(data) > maxBytes:
		return nil, refuse(fault.FileTooLarge, maxBytes)
	case err != nil:
		return nil, fmt.Errorf("reading the picture: %w", err)
	case len(data) == 0:
		return nil, refuse(fault.FileEmpty, 0)
	}
	return data, nil
}

func refuse(code fault.Code, limit int) *fault.Error {
	return &fault.Error{Code: code, Field: "file", Limit: limit}
}
