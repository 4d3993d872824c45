package vp8l

import (
	"bytes"
	"testing"
)

// So it is in libwebp. In package vp8l of golang.org/x/image it is the one that is
// written first, which is why FuzzDecode doesn't compare with it.
func TestTheSmallerOfTwoSymbolsHasTheBit0(t *testing.T) {
	for _, symbols := range [][2]int{{4, 9}, {9, 4}} {
		w := newPicture(2, 1)
		w.write(0, 1+2)
		w.write(0b111|symbols[0]<<3|symbols[1]<<11, 19)
		for range 4 {
			w.describeSingle(0)
		}
		w.write(0b10, 2)
		img, err := Decode(w.bytes())
		if err != nil {
			t.Fatal(err)
		}
		if want := []byte{0, 4, 0, 0, 0, 9, 0, 0}; !bytes.Equal(img.Pix, want) {
			t.Errorf("%v: %v, want %v", symbols, img.Pix, want)
		}
	}
}
