package profile

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nameplate/ent"
	"nameplate/ent/object"
	"nameplate/internal/blob/blobtest"
)

func (f *fixture) sweep() {
	f.t.Helper()
	if err := f.sweepOnce(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
}

// newObjects makes rows in the state, and objects for them.
func (f *fixture) newObjects(state object.State, n int) []string {
	f.t.Helper()
	var keys []string
	var rows []*ent.ObjectCreate
	for i := range n {
		key := fmt.Sprintf("avatars/%s%03d-64.jpg", state, i)
		keys = append(keys, key)
		rows = append(rows, f.DB.Object.Create().SetID(key).SetState(state).SetChangedAt(f.now))
		if err := f.store.Put(f.t.Context(), key, "image/jpeg", blobtest.JPEG(10, 'x')); err != nil {
			f.t.Fatal(err)
		}
	}
	f.DB.Object.CreateBulk(rows...).ExecX(f.t.Context())
	return keys
}

func TestAReplacedPictureIsSweptWhenItIsOldEnough(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	first := squareKeys(*f.setAvatarOf(alice, picture(128)).AvatarKey)
	replaced := start.Add(100 * 24 * time.Hour)
	f.now = replaced
	second := squareKeys(*f.setAvatarOf(alice, picture(64)).AvatarKey)

	for _, early := range []time.Duration{0, time.Second, f.SweepAfter - time.Second, f.SweepAfter - time.Microsecond} {
		f.now = replaced.Add(early)
		f.sweep()
		f.wantObjects(with(states("stale", first...), states("live", second...)))
	}
	f.wantFiles(append(first, second...)...)

	f.now = replaced.Add(f.SweepAfter)
	f.sweep()
	f.wantObjects(states("live", second...))
	f.wantFiles(second...)
}

// SQLite compares times as text, in which fractions have no zeros at the end.
func TestSweepingIsExactForEveryFractionOfASecond(t *testing.T) {
	f := newFixture(t)
	whole := start.Truncate(time.Second)
	for i, fraction := range []time.Duration{0, 1, 10, 500000, 550000, 999999} {
		at := whole.Add(fraction * time.Microsecond)
		f.now = at
		f.DB.Object.Create().SetID(fmt.Sprint("a", i)).SetState(object.StateStale).SetChangedAt(at).ExecX(t.Context())
		f.now = at.Add(f.SweepAfter - time.Microsecond)
		f.sweep()
		f.wantObjects(states("stale", fmt.Sprint("a", i)))
		f.now = at.Add(f.SweepAfter)
		f.sweep()
		f.wantObjects(states(""))
	}
}

func TestUploadsThatNeverFinishedAreSwept(t *testing.T) {
	f := newFixture(t)
	keys := f.newObjects(object.StatePending, 3)
	f.DB.Object.Create().SetID("avatars/never-stored-64.jpg").SetChangedAt(f.now).ExecX(t.Context())
	f.now = start.Add(f.SweepAfter - time.Microsecond)
	f.sweep()
	f.wantObjects(states("pending", append(keys, "avatars/never-stored-64.jpg")...))
	f.wantFiles(keys...)

	f.now = start.Add(f.SweepAfter)
	f.sweep()
	f.wantObjects(states(""))
	f.wantFiles()
}

func TestWhatIsLiveIsNeverSwept(t *testing.T) {
	f := newFixture(t)
	keys := f.newObjects(object.StateLive, 3)
	f.now = start.Add(10 * 365 * 24 * time.Hour)
	f.sweep()
	f.wantObjects(states("live", keys...))
	f.wantFiles(keys...)
}

func TestMoreThanAPageIsSweptAtOnce(t *testing.T) {
	f := newFixture(t)
	var rows []*ent.ObjectCreate
	for i := range 250 {
		rows = append(rows, f.DB.Object.Create().SetID(fmt.Sprint("a", i)).SetState(object.StateStale).SetChangedAt(start))
	}
	f.DB.Object.CreateBulk(rows...).ExecX(t.Context())
	f.now = start.Add(f.SweepAfter)
	f.sweep()
	f.wantObjects(states(""))
}

func TestWhatCannotBeDeletedIsTriedAgain(t *testing.T) {
	f := newFixture(t)
	keys := f.newObjects(object.StateStale, 4)
	f.now = start.Add(f.SweepAfter)
	f.store.delete = func(key string) error {
		if key == keys[1] {
			return errAway
		}
		return nil
	}
	err := f.sweepOnce(t.Context())
	if !errors.Is(err, errAway) || !strings.Contains(err.Error(), keys[1]) {
		t.Errorf("got %v", err)
	}
	f.wantObjects(states("stale", keys[1]))
	f.wantFiles(keys[1])

	f.store.delete = nil
	f.sweep()
	f.wantObjects(states(""))
	f.wantFiles()
}

func TestASweepEndsWhenTheStoreIsAway(t *testing.T) {
	f := newFixture(t)
	keys := f.newObjects(object.StateStale, 10)
	f.now = start.Add(f.SweepAfter)
	f.store.delete = func(string) error { return errAway }
	if err := f.sweepOnce(t.Context()); !errors.Is(err, errAway) {
		t.Errorf("got %v", err)
	}
	if n := f.store.tried(); n != maxSweepFailures {
		t.Errorf("%d objects were tried, want %d", n, maxSweepFailures)
	}
	f.wantObjects(states("stale", keys...))
}

func TestSweepRunsAtOnceAndThenRegularly(t *testing.T) {
	for sweepAfter, every := range map[time.Duration]time.Duration{
		time.Hour:   sweepEvery,
		time.Second: time.Second,
	} {
		t.Run(sweepAfter.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				f.SweepAfter = sweepAfter
				f.newObjects(object.StateStale, 1)
				f.now = start.Add(sweepAfter)
				f.store.delete = func(string) error { return errAway }
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan struct{})
				go func() {
					f.Sweep(ctx)
					close(ended)
				}()
				for sweeps := 1; sweeps <= 3; sweeps++ {
					synctest.Wait()
					if got := f.store.tried(); got != sweeps {
						t.Errorf("%d sweeps, want %d", got, sweeps)
					}
					<-time.After(every) // of the bubble's clock
				}
				cancel()
				<-ended
				if log := f.log.String(); !strings.Contains(log, `level=ERROR msg="sweep pictures"`) || !strings.Contains(log, errAway.Error()) {
					t.Errorf("the log is %q", log)
				}
			})
		})
	}
}

func TestASweepThatIsStoppedIsNoError(t *testing.T) {
	f := newFixture(t)
	f.newObjects(object.StateStale, 1)
	f.now = start.Add(f.SweepAfter)
	ctx, cancel := context.WithCancel(t.Context())
	f.store.delete = func(string) error {
		cancel()
		return ctx.Err()
	}
	f.Sweep(ctx)
	if f.log.Len() != 0 {
		t.Errorf("the log is %q", &f.log)
	}
}

// A store that doesn't answer holds an upload for as long as the sweeper leaves
// its rows alone, and no longer.
func TestAnUploadThatTakesTooLongFailsAndIsSwept(t *testing.T) {
	for _, sweepAfter := range []time.Duration{time.Second, time.Hour} {
		t.Run(sweepAfter.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				f.SweepAfter = sweepAfter
				f.Now = func() time.Time { return time.Now().UTC() }
				alice := f.setAvatarOf(f.newUser("alice"), picture(64))
				f.store.put = func(ctx context.Context, key string) error {
					if strings.HasSuffix(key, "-128.jpg") {
						<-ctx.Done()
					}
					return ctx.Err()
				}
				begin := time.Now()
				_, err := f.UpdateAvatar(f.as(alice), alice.ID, picture(128), nil)
				if !unavailable(err) {
					t.Errorf("got %v, want Unavailable", err)
				}
				if took, want := time.Since(begin), min(storeWithin, sweepAfter); took != want {
					t.Errorf("took %s, want %s", took, want)
				}
				<-time.After(sweepAfter) // of the bubble's clock
				f.sweep()
				f.wantSame(alice)
				f.wantObjects(states("live", squareKeys(*alice.AvatarKey)...))
				f.wantFiles(squareKeys(*alice.AvatarKey)...)
			})
		})
	}
}

// The sweeper may come between the last byte and the transaction that publishes
// the picture, when that one had to wait.
func TestAnUploadThatWasSweptIsNotPublished(t *testing.T) {
	for name, failure := range map[string]error{"deleted": nil, "to be deleted": errAway} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			alice := f.setAvatarOf(f.newUser("alice"), picture(64))
			f.store.delete = func(string) error { return failure }
			f.store.stored = func(key string) {
				if strings.HasSuffix(key, "-128.jpg") {
					f.now = start.Add(f.SweepAfter)
					if err := f.sweepOnce(t.Context()); !errors.Is(err, failure) {
						t.Error(err)
					}
				}
			}
			user, err := f.UpdateAvatar(f.as(alice), alice.ID, picture(128), nil)
			if user != nil || !unavailable(err) {
				t.Errorf("got %v, %v, want Unavailable", user, err)
			}
			f.wantSame(alice)

			f.store.delete = nil
			f.sweep()
			f.wantObjects(states("live", squareKeys(*alice.AvatarKey)...))
			f.wantFiles(squareKeys(*alice.AvatarKey)...)
		})
	}
}
