package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net/http"
	"strings"
	"testing"
)

// pictureSide gets a picture as a browser would and returns the side of its
// square.
func pictureSide(t *testing.T, address any, mediaType string) int {
	t.Helper()
	res, err := http.Get(fmt.Sprint(address))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got := res.Header.Get("Content-Type"); res.StatusCode != http.StatusOK || got != mediaType {
		t.Fatalf("%s: status %d, %s; want %s", address, res.StatusCode, got, mediaType)
	}
	if got := res.Header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
		t.Errorf("%s: Cache-Control is %q", address, got)
	}
	picture, _, err := image.Decode(res.Body) // to its end
	if err != nil {
		t.Fatalf("%s: no whole picture: %v", address, err)
	}
	size := picture.Bounds().Size()
	if size.X != size.Y {
		t.Fatalf("%s: no square picture: %v", address, size)
	}
	return size.X
}

func photo(t testing.TB, width, height int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetRGBA(x, y, color.RGBA{uint8(x), uint8(y), 128, 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func transparent(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewNRGBA(image.Rect(0, 0, 100, 100))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// hugeHeader is a JPEG that claims 60000 pixels a side: start of image, and a
// frame header (ITU-T T.81, B.2.2).
func hugeHeader() []byte {
	return []byte{
		0xFF, 0xD8, 0xFF, 0xC0, 0, 17, 8, 0xEA, 0x60, 0xEA, 0x60, 3,
		1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1, 0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0,
	}
}
