package profile

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"nameplate/internal/avatar"
	"nameplate/internal/blob"
	"nameplate/internal/fault"
)

// countingStore is the real one, but for what a test does to it. It counts what is open.
type countingStore struct {
	blob.Store
	before       func(ctx context.Context, key string) error
	opened, open int
}

func (s *countingStore) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	if s.before != nil {
		if err := s.before(ctx, key); err != nil {
			return nil, err
		}
	}
	// Of a store that a context comes too late for.
	content, err := s.Store.Open(context.WithoutCancel(ctx), key)
	if err != nil {
		return nil, err
	}
	s.opened++
	s.open++
	return &countedContent{content, s}, nil
}

type countedContent struct {
	io.ReadCloser
	store *countingStore
}

func (c *countedContent) Close() error {
	c.store.open--
	return c.ReadCloser.Close()
}

func (f *fixture) count() *countingStore {
	counting := &countingStore{Store: f.Store}
	f.Store = counting
	return counting
}

// wantUnavailable checks that no picture is given out, none is left open, and when to try
// again.
func (s *countingStore) wantUnavailable(t *testing.T, pictures []OpenPicture, err error, retryAfter time.Duration) {
	t.Helper()
	var busy *fault.Unavailable
	if len(pictures) != 0 || !errors.As(err, &busy) || busy.RetryAfter != retryAfter {
		t.Errorf("got %v, %v, want Unavailable for %s", pictures, err, retryAfter)
	}
	if s.open != 0 {
		t.Errorf("%d of %d are left open", s.open, s.opened)
	}
}

func TestEverySquareOfThePictureIsOpened(t *testing.T) {
	f := newFixture(t)
	stored := map[string]string{}
	f.store.stored = func(key string) {
		content, err := f.store.Open(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		stored["pictures/"+key[len("avatars/"):]] = read(t, content)
	}
	alice := f.setAvatarOf(f.newUser("alice"), picture(600))
	counting := f.count()
	pictures, err := f.OpenPictures(t.Context(), alice)
	if err != nil || len(pictures) != len(avatar.Sizes()) || counting.open != len(pictures) {
		t.Fatalf("got %v, %v; %d are open", pictures, err, counting.open)
	}
	got := map[string]string{}
	for _, p := range pictures {
		got[p.Name] = read(t, p.Content)
	}
	if diff := cmp.Diff(stored, got); diff != "" {
		t.Error(diff)
	}
	if counting.open != 0 {
		t.Errorf("%d can't be closed", counting.open)
	}
}

func read(t *testing.T, content io.ReadCloser) string {
	t.Helper()
	defer content.Close()
	all, err := io.ReadAll(content)
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}

func TestOfAGeneratedPictureNothingIsOpened(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	counting := f.count()
	if pictures, err := f.OpenPictures(t.Context(), alice); len(pictures) != 0 || err != nil || counting.opened != 0 {
		t.Errorf("got %v, %v", pictures, err)
	}
}

func TestWhereOneSquareCannotBeOpenedNoneIs(t *testing.T) {
	f := newFixture(t)
	alice := f.setAvatarOf(f.newUser("alice"), picture(512))
	keys := squareKeys(*alice.AvatarKey)
	for failure, retryAfter := range map[error]time.Duration{errAway: 5 * time.Second, fs.ErrNotExist: time.Second} {
		for i, failing := range keys {
			f.Store = f.store
			counting := f.count()
			counting.before = func(_ context.Context, key string) error {
				if key == failing {
					return failure
				}
				return nil
			}
			pictures, err := f.OpenPictures(t.Context(), alice)
			counting.wantUnavailable(t, pictures, err, retryAfter)
			if !errors.Is(err, failure) || counting.opened != i {
				t.Errorf("got %v after %d were opened, want %v after %d", err, counting.opened, failure, i)
			}
		}
	}
}

// A store that doesn't answer is no client that has left, though what it waits for ends as
// if it were; and what it opens in the last moment could not be read.
func TestAStoreThatDoesNotAnswerIsWaitedForOnlySoLong(t *testing.T) {
	for name, last := range map[string]func(context.Context) error{
		"and fails":             context.Context.Err,
		"and opens it too late": func(context.Context) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				alice := f.setAvatarOf(f.newUser("alice"), picture(512))
				counting := f.count()
				counting.before = func(ctx context.Context, key string) error {
					if key != *alice.AvatarKey {
						return nil
					}
					<-ctx.Done()
					return last(ctx)
				}
				begin := time.Now()
				pictures, err := f.OpenPictures(t.Context(), alice)
				counting.wantUnavailable(t, pictures, err, 5*time.Second)
				if took := time.Since(begin); took != openWithin || errors.Is(err, context.Canceled) {
					t.Errorf("after %s: %v", took, err)
				}
			})
		})
	}
}

func TestPicturesThatAreOpenCanBeReadForLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		alice := f.setAvatarOf(f.newUser("alice"), picture(64))
		counting := f.count()
		var contexts []context.Context
		counting.before = func(ctx context.Context, _ string) error {
			contexts = append(contexts, ctx)
			return nil
		}
		pictures, err := f.OpenPictures(t.Context(), alice)
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(10 * openWithin) // of the bubble's clock
		if slices.ContainsFunc(contexts, func(ctx context.Context) bool { return ctx.Err() != nil }) {
			t.Error("the reading was ended")
		}
		for _, p := range pictures {
			read(t, p.Content)
		}
	})
}

func TestAClientThatHasLeftIsTold(t *testing.T) {
	f := newFixture(t)
	alice := f.setAvatarOf(f.newUser("alice"), picture(512))
	ctx, cancel := context.WithCancel(t.Context())
	counting := f.count()
	counting.before = func(ctx context.Context, key string) error {
		if key == *alice.AvatarKey {
			cancel()
		}
		return ctx.Err()
	}
	pictures, err := f.OpenPictures(ctx, alice)
	counting.wantUnavailable(t, pictures, err, 5*time.Second)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
