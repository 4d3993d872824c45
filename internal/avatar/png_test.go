package avatar

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// displayP3 is the profile of that space.
func displayP3(t testing.TB) []byte {
	t.Helper()
	profile, err := os.ReadFile("../icc/testdata/display-p3.icc")
	if err != nil {
		t.Fatal(err)
	}
	return profile
}

func TestProfilesAreReadFromPNGChunks(t *testing.T) {
	icc := displayP3(t)
	packed := deflated(icc)
	body := func(name string, rest ...byte) []byte { return append([]byte(name+"\x00\x00"), rest...) }
	if diff := cmp.Diff(icc, pngProfile(body("Display P3", packed...))); diff != "" {
		t.Errorf("the profile differs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(icc, pngProfile(body("and more", deflated(append(slices.Clone(icc), 1))...))); diff != "" {
		t.Errorf("the profile that is followed by something differs (-want +got):\n%s", diff)
	}
	full := sized(maxProfile, maxProfile)
	if got := pngProfile(body("full", deflated(full)...)); len(got) != maxProfile {
		t.Errorf("%d bytes of the largest profile", len(got))
	}
	wrongSum := slices.Clone(packed)
	wrongSum[len(wrongSum)-1] ^= 1
	for name, chunk := range map[string][]byte{
		"nothing":            nil,
		"a name only":        []byte("name"),
		"no method":          []byte("name\x00"),
		"no data":            body("name"),
		"no name":            body("", packed...),
		"a name of 80 bytes": body(fmt.Sprintf("%080d", 0), packed...),
		"method 1":           append([]byte("name\x00\x01"), packed...),
		"data cut short":     body("name", packed[:len(packed)-5]...),
		"a wrong checksum":   body("name", wrongSum...),
		"too large":          body("name", deflated(sized(maxProfile+1, maxProfile+1))...),
		"less than a header": body("name", deflated(sized(127, 127))...),
		"less than it says":  body("name", deflated(sized(1000, 999))...),
		"less than a size":   body("name", deflated([]byte{0, 0, 1})...),
	} {
		if got := pngProfile(chunk); got != nil {
			t.Errorf("%s: %d bytes of a profile", name, len(got))
		}
	}
}

// sized has n bytes, and starts like a profile of as many as it says.
func sized(says, n int) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(says)), make([]byte, n-4)...)
}

func TestNoMoreThanTheProfileIsInflated(t *testing.T) {
	for _, says := range []int{0, 1000, maxProfile, math.MaxUint32} {
		bomb := append([]byte("bomb\x00\x00"), deflated(sized(says, 2<<20))...)
		most := uint64(128 << 10)
		if says == maxProfile {
			most += maxProfile
		}
		if n := allocated(func() { pngProfile(bomb) }); n > most {
			t.Errorf("%d bytes allocated for one of %d", n, says)
		}
	}
}
