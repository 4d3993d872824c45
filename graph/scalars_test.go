package graph

import (
	"encoding/json"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

func TestAnIntIsAWholeNumberOf32Bits(t *testing.T) {
	for _, test := range []struct {
		in   any
		want int
	}{
		{0, 0},
		{int64(7), 7},
		{-1.0, -1},
		{1e9, 1e9},
		{json.Number("5"), 5},
		{json.Number("5.0"), 5},
		{int64(math.MaxInt32), math.MaxInt32},
		{int64(math.MinInt32), math.MinInt32},
	} {
		if got, err := UnmarshalInt(test.in); err != nil || got != test.want {
			t.Errorf("%#v: %d, %v", test.in, got, err)
		}
	}
	for _, in := range []any{
		int64(math.MaxInt32 + 1), int64(math.MinInt32 - 1), int64(math.MaxInt64), 0.5, 1e10, 1e300,
		math.NaN(), math.Inf(1), math.Inf(-1), "5", "", true,
		[]any{1},
		vars{},
		Upload{},
		json.Number("1e999"), json.Number("2147483648"), json.Number("0.1"),
	} {
		if got, err := UnmarshalInt(in); err == nil || err.Error() != "An Int must be a whole number of 32 bits." {
			t.Errorf("%#v: %d, %v", in, got, err)
		}
	}
}

func written(m graphql.Marshaler) string {
	var b strings.Builder
	m.MarshalGQL(&b)
	return b.String()
}

func TestAnIntIsWrittenInDigits(t *testing.T) {
	for i, want := range map[int]string{0: "0", -1: "-1", math.MaxInt32: "2147483647", 10485760: "10485760"} {
		if got := written(MarshalInt(i)); got != want {
			t.Errorf("%d: %s", i, got)
		}
	}
}

func TestADateTimeIsWrittenInUTCToTheSecond(t *testing.T) {
	east := time.FixedZone("", 8*60*60)
	for want, in := range map[string]time.Time{
		`"2026-11-22T08:30:00Z"`: time.Date(2026, 11, 22, 16, 30, 0, 999_999_999, east),
		`"0001-01-01T00:00:00Z"`: {},
	} {
		if got := written(MarshalDateTime(in)); got != want {
			t.Errorf("%v: %s, want %s", in, got, want)
		}
	}
}

func TestADateTimeIsReadInRFC3339(t *testing.T) {
	want := time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)
	for _, in := range []string{"2026-11-22T08:30:00Z", "2026-11-22T16:30:00+08:00", "2026-11-22T08:30:00.000Z"} {
		if got, err := UnmarshalDateTime(in); err != nil || !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%s: %v, %v", in, got, err)
		}
	}
	for _, in := range []any{
		"", "2026-11-22", "2026-11-22 08:30:00Z", "2026-11-22T08:30:00", "2026-02-30T00:00:00Z", "2026-11-22T24:00:00Z",
		"now", 1763800200, nil, true,
		[]any{"2026-11-22T08:30:00Z"},
	} {
		if got, err := UnmarshalDateTime(in); err == nil || strings.Contains(err.Error(), "2026") {
			t.Errorf("%v: %v, %v", in, got, err)
		}
	}
}

func TestAnUploadComesFromAMultipartRequestOnly(t *testing.T) {
	file := Upload{&uploadReader{part: strings.NewReader("x")}}
	if got, err := UnmarshalUpload(file); err != nil || got != file {
		t.Errorf("a file: %v, %v", got, err)
	}
	if got, err := UnmarshalUpload(file); err == nil {
		t.Errorf("a file for the second time: %v", got)
	}
	for _, in := range []any{nil, "", "x", 1, true, vars{"Reader": "x"}, io.Reader(strings.NewReader("x")), &file} {
		if got, err := UnmarshalUpload(in); err == nil {
			t.Errorf("%#v: %v", in, got)
		}
	}
	if got := written(MarshalUpload(file)); got != "null" {
		t.Errorf("written as %s", got)
	}
}
