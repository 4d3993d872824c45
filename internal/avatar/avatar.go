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
	"image"
	"io"
	"runtime/debug"
	"slices"
	"time"

	"nameplate/internal/turns"
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

// Crop is a square of the upright picture, in its pixels.
type Crop struct{ X, Y, Size int }

// Processor makes pictures of uploaded files, a few at a time, since a decoder
// may take more than 100 MB.
type Processor struct {
	// Wait is how long a file waits for its turn before the server is said to
	// be busy. It may be changed before the first use.
	Wait time.Duration
	// MaxBytes is how large a file may be, [MaxBytes] unless it is changed before the
	// first use.
	MaxBytes int

	dir                string // where files wait; empty: where the system keeps temporary ones
	arriving, decoding *turns.Slots
}

// maxArriving is how many files may be on their way or waiting at once, and
// maxOwnArriving how many of one owner. Each takes up to MaxBytes of the disk; more
// wait unread.
const (
	maxArriving    = 512
	maxOwnArriving = 8
)

// NewProcessor returns a Processor that decodes as many pictures at once as
// it has workers. More than there are cores gain nothing.
func NewProcessor(workers int) *Processor {
	return &Processor{
		Wait:     8 * time.Second,
		MaxBytes: MaxBytes,
		arriving: turns.New(maxArriving, maxOwnArriving, "pictures"),
		decoding: turns.New(workers, workers, "pictures"),
	}
}

// Process reads an owner's file to its end and makes a picture of it: of the crop, or
// of the largest centred square when that is nil. A file that is not fit for one
// is a *[fault.Error] in the field "file", a crop that doesn't lie in the picture one
// in "crop"; that no worker came free in time is a *[fault.Unavailable]; an error
// of r is returned wrapped.
//
// A worker is taken only when the whole file is there and of an accepted kind,
// so that a slow client holds none. Until then it is on the disk, so that many
// who wait take no memory. Owners take turns.
func (p *Processor) Process(ctx context.Context, owner string, r io.Reader, crop *Crop) (*Picture, error) {
	if err := p.arriving.Acquire(ctx, owner, p.Wait); err != nil {
		return nil, err
	}
	defer p.arriving.Release(owner)
	file, err := receive(r, p.dir, p.MaxBytes)
	if err != nil {
		return nil, err
	}
	defer file.close()
	f, err := identify(file.head)
	if err != nil {
		return nil, err
	}
	if err := p.decoding.Acquire(ctx, owner, p.Wait); err != nil {
		return nil, err
	}
	defer p.decoding.Release(owner)
	data, err := file.bytes()
	if err != nil {
		return nil, err
	}
	return f.picture(data, crop)
}

// picture makes a picture of a file.
func (f format) picture(data []byte, crop *Crop) (*Picture, error) {
	h, err := f.header(data)
	if err != nil {
		return nil, err
	}
	part, err := h.part(crop)
	if err != nil {
		return nil, err
	}
	if h.memory > muchMemory {
		// Now, and not when as much again has been taken.
		defer debug.FreeOSMemory()
	}
	reduce := reduction(part.Dx())
	img, err := f.decode(data, h, reduce)
	if err != nil {
		return nil, err
	}
	if img.Bounds().Dx() == h.width {
		reduce = 1 // it couldn't
	}
	return newPicture(squares(img, h, part, reduce))
}

// muchMemory is what a decoder may leave behind for the garbage collector to find
// in its own time.
const muchMemory = 32 << 20

// part is where the crop lies in the picture as it was stored.
func (h header) part(crop *Crop) (image.Rectangle, error) {
	width, height := h.width, h.height
	if h.orientation.swaps() {
		width, height = height, width
	}
	if crop == nil {
		side := min(width, height)
		crop = &Crop{(width - side) / 2, (height - side) / 2, side}
	}
	if crop.Size < 1 || crop.X < 0 || crop.Y < 0 || crop.X > width-crop.Size || crop.Y > height-crop.Size {
		return image.Rectangle{}, outOfBounds(width, height)
	}
	last := crop.Size - 1
	x1, y1 := h.orientation.source(crop.X, crop.Y, h.width-1, h.height-1)
	x2, y2 := h.orientation.source(crop.X+last, crop.Y+last, h.width-1, h.height-1)
	return image.Rect(min(x1, x2), min(y1, y2), max(x1, x2)+1, max(y1, y2)+1), nil
}

// reduction is at which fraction of its size a part of a picture can be decoded
// so that twice the pixels of the largest square are left, of which the better
// kernel makes it.
func reduction(side int) int {
	reduce := 8
	for reduce > 1 && side/reduce < 2*slices.Max(Sizes()) {
		reduce /= 2
	}
	return reduce
}
