package audit

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
)

func FuzzCursor(f *testing.F) {
	for _, p := range []place{
		{time.UnixMicro(0).UTC(), uuid.Nil},
		{time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC), uuid.MustParse("019b7e0a-0000-7000-8000-000000000001")},
		{time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC), uuid.Max},
	} {
		if got, err := parseCursor(p.cursor()); err != nil || got != p {
			f.Errorf("%v comes back as %v, %v", p, got, err)
		}
		f.Add(p.cursor())
	}
	for _, seed := range []string{"", "x", "AAAA", "AAZHXvZXTzUBog5qCEd79rmy7YQrAqjx\n", "__________________________________8", "================================"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parseCursor(s)
		if err != nil {
			if !errors.Is(err, ErrCursor) {
				t.Errorf("got %v, want ErrCursor", err)
			}
			return
		}
		// There is one cursor of a place, or else caches would keep several.
		if got := p.cursor(); got != s {
			t.Errorf("%q comes back as %q", s, got)
		}
		if year := p.at.Year(); year < 1970 || year > 9999 || p.at.Location() != time.UTC {
			t.Errorf("%q is at %s, which the database could not write", s, p.at)
		}
	})
}
