package profile

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"nameplate/ent/object"
	"nameplate/internal/blob"
	"nameplate/internal/blob/disk"
)

// unreadable is a store that can be written to, such as a bucket whose domain is
// another's.
type unreadable struct{ blob.Store }

func (unreadable) Open(context.Context, string) (io.ReadCloser, error) {
	return nil, errors.New("answer 401")
}

// In an empty folder, or in another bucket, every deletion would succeed, and nobody
// would know any more of what lies in the right one.
func TestNothingIsSweptInAStoreThatIsAnother(t *testing.T) {
	f := newFixture(t)
	stale := f.newObjects(object.StateStale, 3)
	f.now = f.now.Add(24 * time.Hour)
	f.setAvatarOf(f.newUser("alice"), picture(256))
	right := f.store.Store
	empty, err := disk.Open(t.TempDir(), "http://id.example.com/media")
	if err != nil {
		t.Fatal(err)
	}
	for name, wrong := range map[string]blob.Store{"empty": empty, "unreadable": unreadable{right}} {
		f.store.Store = wrong
		err = f.sweepOnce(t.Context())
		if err == nil || !strings.Contains(err.Error(), "NAMEPLATE_STORAGE_URL") || len(f.store.deletes) != 0 {
			t.Errorf("%s: %v; deleted were %q", name, err, f.store.deletes)
		}
		if n := f.DB.Object.Query().Where(object.StateEQ(object.StateStale)).CountX(t.Context()); n != len(stale) {
			t.Errorf("%s: %d stale objects are left of %d", name, n, len(stale))
		}
	}
	f.store.Store = right
	f.sweep()
	if !slices.Equal(f.store.deletes, stale) {
		t.Errorf("deleted were %q, want %q", f.store.deletes, stale)
	}
}

func TestALostPictureDoesNotStopTheSweep(t *testing.T) {
	f := newFixture(t)
	f.newObjects(object.StateStale, 1)
	f.now = f.now.Add(24 * time.Hour)
	lost := f.setAvatarOf(f.newUser("alice"), picture(256))
	f.setAvatarOf(f.newUser("bob"), picture(256))
	for _, key := range squareKeys(*lost.AvatarKey) {
		if err := f.store.Store.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	f.sweep()
	if n := f.DB.Object.Query().Where(object.StateEQ(object.StateStale)).CountX(t.Context()); n != 0 {
		t.Errorf("%d stale objects are left", n)
	}
}
