package avatar

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"math"
	"slices"
	"testing"

	"nameplate/internal/fault"
)

func processCrop(file []byte, crop Crop) (*Picture, error) {
	return NewProcessor(1).Process(context.Background(), "alice", bytes.NewReader(file), &crop)
}

// The picture is 120 by 80 pixels as it is stored, and 80 by 120 where it lies on
// its side. A crop of a quarter has that quarter's colour alone.
func TestCropsAreThoseOfTheUprightPicture(t *testing.T) {
	img := quarters(image.NewRGBA(image.Rect(0, 0, 120, 80)))
	for o := orientation(1); o <= 8; o++ {
		exif := tiff(binary.BigEndian, int(o))
		for name, file := range map[string][]byte{
			"JPEG": withSegments(jpegOf(img), exifSegment(exif)),
			"PNG":  withChunks(pngOf(img), chunk("eXIf", exif...)),
		} {
			t.Run(fmt.Sprint(name, " ", o), func(t *testing.T) {
				width, height := 120, 80
				if o.swaps() {
					width, height = height, width
				}
				for i, at := range []image.Point{{0, 0}, {width - 40, 0}, {0, height - 40}, {width - 40, height - 40}} {
					p, err := processCrop(file, Crop{at.X, at.Y, 40})
					if err != nil {
						t.Fatal(err)
					}
					square := largest(t, p)
					if square.Bounds() != image.Rect(0, 0, 40, 40) {
						t.Errorf("bounds %v", square.Bounds())
					}
					c := seen[o][i]
					wantQuarters(t, square, string([]byte{c, c, c, c}))
				}
				p, err := processCrop(file, Crop{width/2 - 32, height/2 - 32, 64})
				if err != nil {
					t.Fatal(err)
				}
				wantQuarters(t, largest(t, p), seen[o])
			})
		}
	}
}

func TestCropsOutsideThePictureAreRefused(t *testing.T) {
	file := jpegOf(image.NewGray(image.Rect(0, 0, 120, 80)))
	onItsSide := withSegments(file, exifSegment(tiff(binary.BigEndian, 6)))
	const most = 1<<31 - 1 // of GraphQL's Int
	for _, crop := range []Crop{
		{0, 0, 0},
		{0, 0, -1},
		{0, 0, -most - 1},
		{-1, 0, 10},
		{0, -1, 10},
		{0, 0, 81},
		{41, 0, 80},
		{0, 1, 80},
		{120, 0, 1},
		{0, 80, 1},
		{most, most, most},
		{most, 0, 1},
		{0, 0, most},
	} {
		_, err := processCrop(file, crop)
		wantFault(t, err, fault.Error{Code: fault.CropOutOfBounds, Field: "crop", Detail: "120 × 80"})
	}
	for _, crop := range []Crop{{0, 0, 80}, {40, 0, 80}, {119, 79, 1}, {0, 0, 1}} {
		if _, err := processCrop(file, crop); err != nil {
			t.Errorf("%v: %v", crop, err)
		}
	}
	if _, err := processCrop(onItsSide, Crop{0, 40, 80}); err != nil {
		t.Errorf("a picture on its side: %v", err)
	}
	_, err := processCrop(onItsSide, Crop{40, 0, 80})
	wantFault(t, err, fault.Error{Code: fault.CropOutOfBounds, Field: "crop", Detail: "80 × 120"})
}

// The sides are those of the crop and not of the picture.
func TestSquaresOfACropHaveItsSize(t *testing.T) {
	p, err := processCrop(jpegOf(photo(1200, 900)), Crop{100, 50, 150})
	if err != nil {
		t.Fatal(err)
	}
	var sides []int
	for _, s := range p.Squares {
		sides = append(sides, s.Side)
	}
	if want := []int{64, 128, 150}; !slices.Equal(sides, want) {
		t.Errorf("sides %v, want %v", sides, want)
	}
}

// A picture that is decoded at a fraction of its size is cropped where it would be
// at its whole size: compare with the same crop of it as a PNG.
func TestCropsOfReducedPicturesLieWhereTheyShould(t *testing.T) {
	img := greyPhoto(2060, 2150)
	jpegFile, pngFile := jpegOf(img), pngOf(img)
	for _, crop := range []Crop{{0, 0, 2060}, {7, 101, 2049}} {
		fast, err := processCrop(jpegFile, crop)
		if err != nil {
			t.Fatal(err)
		}
		exact, err := processCrop(pngFile, crop)
		if err != nil {
			t.Fatal(err)
		}
		if d := difference(largest(t, fast), largest(t, exact)); d > 3 {
			t.Errorf("%v: the pixels differ by %.1f on average", crop, d)
		}
	}
}

// difference is the mean of how far the pixels' colours lie apart, of 255.
func difference(a, b image.Image) float64 {
	sum, n := 0.0, 0
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			r1, g1, b1, _ := a.At(x, y).RGBA()
			r2, g2, b2, _ := b.At(x, y).RGBA()
			for _, d := range []int{int(r1) - int(r2), int(g1) - int(g2), int(b1) - int(b2)} {
				sum += math.Abs(float64(d)) / 257
				n++
			}
		}
	}
	return sum / float64(n)
}
