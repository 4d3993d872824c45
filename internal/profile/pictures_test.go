package profile

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nameplate/internal/avatar"
	"nameplate/internal/blob"
	"nameplate/internal/fault"
)

// readStore is the real one, but for what a test does to it.
type readStore struct {
	blob.Store
	open func(ctx context.Context, key string) (io.ReadCloser, error)
}

func (s *readStore) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	return s.open(ctx, key)
}

func TestEverySquareOfThePictureIsRead(t *testing.T) {
	f := newFixture(t)
	alice := f.setAvatarOf(f.newUser("alice"), picture(600))
	files, err := f.ReadPictures(t.Context(), alice)
	if err != nil || len(files) != len(avatar.Sizes()) {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	for i, key := range squareKeys(*alice.AvatarKey) {
		content, err := f.Store.Open(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		defer content.Close()
		want, err := io.ReadAll(content)
		if err != nil || files[i].Name != strings.Replace(key, "avatars", "pictures", 1) || !bytes.Equal(files[i].Data, want) {
			t.Errorf("%s has %d bytes, want %d of %s, %v", files[i].Name, len(files[i].Data), len(want), key, err)
		}
	}
}

func TestOfAGeneratedPictureNothingIsRead(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	f.Store = &readStore{f.Store, func(context.Context, string) (io.ReadCloser, error) { t.Error("asked"); return nil, errAway }}
	if files, err := f.ReadPictures(t.Context(), alice); len(files) != 0 || err != nil {
		t.Errorf("got %v, %v", files, err)
	}
}

func TestWhatTheStoreHasLostIsLeftOutAndLogged(t *testing.T) {
	f := newFixture(t)
	alice := f.setAvatarOf(f.newUser("alice"), picture(512))
	lost := squareKeys(*alice.AvatarKey)[1]
	if err := f.Store.Delete(t.Context(), lost); err != nil {
		t.Fatal(err)
	}
	files, err := f.ReadPictures(t.Context(), alice)
	if err != nil || len(files) != len(avatar.Sizes())-1 || !strings.Contains(f.log.String(), lost) {
		t.Errorf("got %d files, %v, log %s", len(files), err, f.log.String())
	}
}

func TestAStoreThatIsAwayOrSlowGivesNothing(t *testing.T) {
	for what, open := range map[string]func(ctx context.Context, key string) (io.ReadCloser, error){
		"away":  func(context.Context, string) (io.ReadCloser, error) { return nil, errAway },
		"empty": func(context.Context, string) (io.ReadCloser, error) { return nil, fs.ErrNotExist },
		"slow":  func(ctx context.Context, _ string) (io.ReadCloser, error) { <-ctx.Done(); return nil, ctx.Err() },
		"breaking off": func(context.Context, string) (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader("x"), &failingReader{errAway})), nil
		},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				alice := f.setAvatarOf(f.newUser("alice"), picture(64))
				f.Store = &readStore{f.Store, open}
				begin := time.Now()
				files, err := f.ReadPictures(t.Context(), alice)
				var busy *fault.Unavailable
				if len(files) != 0 || !errors.As(err, &busy) || busy.RetryAfter != 5*time.Second || errors.Is(err, fs.ErrNotExist) {
					t.Errorf("got %v, %v", files, err)
				}
				if waited := time.Since(begin); waited > readWithin {
					t.Errorf("waited %s", waited)
				}
				left, leave := context.WithCancel(t.Context())
				leave()
				if _, err := f.ReadPictures(left, alice); what == "slow" && (!errors.Is(err, context.Canceled) || errors.As(err, &busy)) {
					t.Errorf("a client that has left: %v", err)
				}
			})
		})
	}
}

type failingReader struct{ err error }

func (r *failingReader) Read([]byte) (int, error) { return 0, r.err }
