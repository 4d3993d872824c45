package profile

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"nameplate/ent"
	"nameplate/ent/event"
	"nameplate/internal/avatar"
	"nameplate/internal/fault"
)

// setAvatarOf uploads a picture and returns the user with it.
func (f *fixture) setAvatarOf(user *ent.User, file io.Reader) *ent.User {
	f.t.Helper()
	user, err := f.UpdateAvatar(f.as(user), user.ID, file, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return user
}

// states are the rows of all squares of pictures in a state.
func states(state string, keys ...string) map[string]string {
	all := map[string]string{}
	for _, key := range keys {
		all[key] = state
	}
	return all
}

func with(maps ...map[string]string) map[string]string {
	all := map[string]string{}
	for _, m := range maps {
		for key, state := range m {
			all[key] = state
		}
	}
	return all
}

func TestUpdateAvatarStoresEverySquare(t *testing.T) {
	for _, tt := range []struct {
		name     string
		file     io.Reader
		suffixes []string
	}{
		{"large", picture(600), []string{"-64.jpg", "-128.jpg", "-256.jpg", "-512.jpg"}},
		{"of a size in between", picture(300), []string{"-64.jpg", "-128.jpg", "-256.jpg", "-300.jpg"}},
		{"smallest", picture(1), []string{"-1.jpg"}},
		{"transparent", transparentPicture(128), []string{"-64.png", "-128.png"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			alice := f.newUser("alice")
			f.now = start.Add(time.Hour)
			user := f.setAvatarOf(alice, tt.file)
			f.wantSame(user)
			largest := tt.suffixes[len(tt.suffixes)-1]
			prefix, found := strings.CutSuffix(*user.AvatarKey, largest)
			if !found || len(prefix) != len("avatars/")+26 || !user.UpdatedAt.Equal(f.now) {
				t.Fatalf("the key is %q, want that of %s", *user.AvatarKey, largest)
			}
			var keys []string
			for _, suffix := range tt.suffixes {
				keys = append(keys, prefix+suffix)
			}
			f.wantObjects(states("live", keys...))
			f.wantFiles(keys...)
			f.wantEvents(alice.ID, event.KindAVATAR_CHANGED)
		})
	}
}

func TestTheRowsOfAPictureArePendingBeforeItsBytesAreStored(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	puts := 0
	f.store.put = func(_ context.Context, key string) error {
		puts++
		rows := f.DB.Object.Query().AllX(t.Context())
		if len(rows) != 4 {
			t.Errorf("%d rows, want 4", len(rows))
		}
		for _, row := range rows {
			if row.State != "pending" || !row.ChangedAt.Equal(f.now) {
				t.Errorf("got %v before %s is stored", row, key)
			}
		}
		return nil
	}
	f.setAvatarOf(alice, picture(512))
	if puts != 4 {
		t.Errorf("%d objects were stored, want 4", puts)
	}
}

func TestAvatarURLIsThatOfTheSizeAskedFor(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	generated := "http://id.example.com/avatars/generated/1/" + alice.ID.String()
	checkURLs(t, f, alice, map[int]string{
		-1: generated + "/64.png", 0: generated + "/64.png", 64: generated + "/64.png", 65: generated + "/128.png",
		256: generated + "/256.png", 512: generated + "/512.png", 100000: generated + "/512.png",
	})
	user := f.setAvatarOf(alice, picture(300))
	stored := "http://id.example.com/media/" + strings.TrimSuffix(*user.AvatarKey, "-300.jpg")
	checkURLs(t, f, user, map[int]string{
		-1: stored + "-64.jpg", 0: stored + "-64.jpg", 64: stored + "-64.jpg", 65: stored + "-128.jpg",
		256: stored + "-256.jpg", 257: stored + "-300.jpg", 512: stored + "-300.jpg", 100000: stored + "-300.jpg",
	})
}

func checkURLs(t *testing.T, f *fixture, user *ent.User, want map[int]string) {
	t.Helper()
	got := map[int]string{}
	for size := range want {
		got[size] = f.AvatarURL(user, size)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheOldPictureIsStaleOnceItIsReplaced(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	first := f.setAvatarOf(alice, picture(128))
	f.now = start.Add(time.Hour)
	second := f.setAvatarOf(alice, picture(64))
	if *first.AvatarKey == *second.AvatarKey {
		t.Error("two pictures have one key")
	}
	old, live := squareKeys(*first.AvatarKey), squareKeys(*second.AvatarKey)
	f.wantObjects(with(states("stale", old...), states("live", live...)))
	f.wantFiles(append(old, live...)...)
	for _, row := range f.DB.Object.Query().AllX(t.Context()) {
		if !row.ChangedAt.Equal(f.now) {
			t.Errorf("%v: want it changed at %s", row, f.now)
		}
	}
	f.wantEvents(alice.ID, event.KindAVATAR_CHANGED, event.KindAVATAR_CHANGED)
}

func TestAFileThatIsNoPictureLeavesNothing(t *testing.T) {
	f := newFixture(t)
	alice := f.setAvatarOf(f.newUser("alice"), picture(64))
	for content, want := range map[string]fault.Error{
		"":                                     {Code: fault.FileEmpty, Field: "file"},
		"no image":                             {Code: fault.ImageUnsupported, Field: "file", Detail: strings.Join(avatar.Types(), ", ")},
		"\x89PNG\r\n\x1a\nbroken":              {Code: fault.ImageCorrupt, Field: "file"},
		strings.Repeat("a", avatar.MaxBytes+1): {Code: fault.FileTooLarge, Field: "file", Limit: avatar.MaxBytes},
	} {
		user, err := f.UpdateAvatar(f.as(alice), alice.ID, strings.NewReader(content), nil)
		if user != nil {
			t.Errorf("got %v", user)
		}
		wantFault(t, err, want)
	}
	failure := errors.New("the client has left")
	if _, err := f.UpdateAvatar(f.as(alice), alice.ID, iotest.ErrReader(failure), nil); !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
	f.wantSame(alice)
	f.wantObjects(states("live", squareKeys(*alice.AvatarKey)...))
	f.wantEvents(alice.ID, event.KindAVATAR_CHANGED)
}

func TestAStoreThatFailsLeavesTheUserAndTheOldPicture(t *testing.T) {
	for _, failing := range []string{"-64.jpg", "-128.jpg", "-256.jpg"} {
		t.Run(failing, func(t *testing.T) {
			f := newFixture(t)
			alice := f.setAvatarOf(f.newUser("alice"), picture(64))
			old := squareKeys(*alice.AvatarKey)
			f.store.put = func(_ context.Context, key string) error {
				if strings.HasSuffix(key, failing) {
					return errAway
				}
				return nil
			}
			user, err := f.UpdateAvatar(f.as(alice), alice.ID, picture(256), nil)
			if user != nil || !unavailable(err) || !errors.Is(err, errAway) {
				t.Errorf("got %v, %v, want Unavailable", user, err)
			}
			f.wantSame(alice)
			f.wantEvents(alice.ID, event.KindAVATAR_CHANGED)

			f.now = start.Add(f.SweepAfter)
			if err := f.sweepOnce(t.Context()); err != nil {
				t.Fatal(err)
			}
			f.wantObjects(states("live", old...))
			f.wantFiles(old...)
		})
	}
}

func TestAPictureWithoutItsEventIsNotPublished(t *testing.T) {
	f := newFixture(t)
	alice := f.setAvatarOf(f.newUser("alice"), picture(64))
	failure := f.failEvents()
	if _, err := f.UpdateAvatar(f.as(alice), alice.ID, picture(64), nil); !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
	if _, err := f.RemoveAvatar(f.as(alice), alice.ID); !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
	f.wantSame(alice)
	f.now = start.Add(f.SweepAfter)
	if err := f.sweepOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.wantObjects(states("live", squareKeys(*alice.AvatarKey)...))
	f.wantFiles(squareKeys(*alice.AvatarKey)...)
}

func TestRemoveAvatarGoesBackToTheGeneratedPicture(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	before := f.setAvatarOf(alice, picture(64))
	f.now = start.Add(time.Hour)
	user, err := f.RemoveAvatar(f.as(alice), alice.ID)
	if err != nil || user.AvatarKey != nil || !user.UpdatedAt.Equal(f.now) {
		t.Fatalf("got %v, %v", user, err)
	}
	f.wantSame(user)
	if url := f.AvatarURL(user, 64); !strings.Contains(url, "/generated/") {
		t.Errorf("the address is %s", url)
	}
	f.wantObjects(states("stale", squareKeys(*before.AvatarKey)...))
	f.wantEvents(alice.ID, event.KindAVATAR_CHANGED, event.KindAVATAR_REMOVED)
}

func TestRemovingNoAvatarIsNoChange(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	f.now = start.Add(time.Hour)
	user, err := f.RemoveAvatar(f.as(alice), alice.ID)
	if err != nil || user.ID != alice.ID {
		t.Errorf("got %v, %v", user, err)
	}
	f.wantSame(alice)
	f.wantEvents(alice.ID)
}

func TestOfManyPicturesAtOnceOneStays(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	const uploads = 20
	ctx := f.as(alice)
	var all sync.WaitGroup
	for range uploads {
		all.Go(func() {
			if _, err := f.UpdateAvatar(ctx, alice.ID, picture(64), nil); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	live := squareKeys(*f.user(alice.ID).AvatarKey)
	f.wantEvents(alice.ID, slices.Repeat([]event.Kind{event.KindAVATAR_CHANGED}, uploads)...)

	f.now = start.Add(f.SweepAfter)
	if err := f.sweepOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.wantObjects(states("live", live...))
	f.wantFiles(live...)
}
