package profile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nameplate/ent"
	"nameplate/ent/object"
	"nameplate/internal/blob/blobtest"
)

// sweepOnce returns what went wrong, be it with the store or with the database.
func (f *fixture) sweepOnce(ctx context.Context) error {
	swept, err := f.SweepOnce(ctx)
	return cmp.Or(err, swept.Failure)
}

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

func TestWhatCannotBeDeletedIsTriedAgainAfterLongerAndLongerTimes(t *testing.T) {
	for sweepAfter, waits := range map[time.Duration][]time.Duration{
		time.Hour: {
			time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 32 * time.Minute,
			time.Hour, time.Hour,
		},
		time.Second: {time.Second, 2 * time.Second, 4 * time.Second},
	} {
		f := newFixture(t)
		f.SweepAfter = sweepAfter
		keys := f.newObjects(object.StateStale, 4)
		f.now = start.Add(f.SweepAfter)
		f.failDeletesOf(keys[1])
		f.sweepFails(keys[1])
		f.wantFiles(keys[1])
		for i, wait := range waits {
			tried := f.store.tried()
			due := f.now.Add(wait)
			f.now = due.Add(-time.Microsecond)
			f.sweep()
			if f.store.tried() != tried {
				t.Errorf("it was tried again in less than %s", wait)
			}
			f.now = due
			if i < len(waits)-1 {
				f.sweepFails(keys[1])
				f.wantObjects(states("stale", keys[1]))
			}
		}
		f.store.delete = nil
		f.sweep()
		f.wantObjects(states(""))
		f.wantFiles()
	}
}

// failDeletesOf has the store refuse to delete these objects.
func (f *fixture) failDeletesOf(keys ...string) {
	f.store.delete = func(key string) error {
		if slices.Contains(keys, key) {
			return errAway
		}
		return nil
	}
}

// sweepFails sweeps, and requires that deleting this object alone fails.
func (f *fixture) sweepFails(key string) {
	f.t.Helper()
	swept, err := f.SweepOnce(f.t.Context())
	if err != nil || swept.Failed != 1 || !errors.Is(swept.Failure, errAway) || !strings.Contains(swept.Failure.Error(), key) {
		f.t.Errorf("got %+v, %v; want the failure of %s", swept, err, key)
	}
}

func TestObjectsThatCannotBeDeletedKeepNoOtherWaiting(t *testing.T) {
	f := newFixture(t)
	keys := f.newObjects(object.StateStale, 3*maxSweepFailures)
	bad, good := keys[:2*maxSweepFailures], keys[2*maxSweepFailures:]
	f.failDeletesOf(bad...)
	f.now = start.Add(f.SweepAfter)
	for range 2 {
		if err := f.sweepOnce(t.Context()); !errors.Is(err, errAway) {
			t.Errorf("got %v", err)
		}
	}
	f.sweep()
	f.wantObjects(states("stale", bad...))

	// When those are due again, what is new comes first.
	more := f.newObjects(object.StatePending, 3)
	f.now = f.now.Add(f.SweepAfter)
	if err := f.sweepOnce(t.Context()); !errors.Is(err, errAway) {
		t.Errorf("got %v", err)
	}
	f.wantObjects(states("stale", bad...))
	f.wantFiles(bad...)
	if n := f.store.tried(); n != 3*maxSweepFailures+len(more)+maxSweepFailures {
		t.Errorf("%d objects were tried beside %d good ones", n, len(good)+len(more))
	}
}

func TestASweepEndsWhenTheStoreIsAway(t *testing.T) {
	f := newFixture(t)
	keys := f.newObjects(object.StateStale, 200)
	f.store.delete = func(string) error { return errAway }
	for sweep := range 20 {
		f.now = f.now.Add(f.SweepAfter)
		swept, err := f.SweepOnce(t.Context())
		want := Swept{Failed: maxSweepFailures, Left: len(keys)}
		if swept.Failure = nil; err != nil || swept != want {
			t.Errorf("got %+v, %v; want %+v", swept, err, want)
		}
		if n := f.store.tried(); n != (sweep+1)*maxSweepFailures {
			t.Errorf("%d objects were tried in %d sweeps", n, sweep+1)
		}
	}
	f.wantObjects(states("stale", keys...))

	f.store.delete = nil
	f.now = f.now.Add(maxRetry)
	swept, err := f.SweepOnce(t.Context())
	if want := (Swept{Deleted: len(keys)}); err != nil || swept != want {
		t.Errorf("got %+v, %v; want %+v", swept, err, want)
	}
	f.wantObjects(states(""))
}

func TestASweepTellsWhatIsLeftForLater(t *testing.T) {
	f := newFixture(t)
	f.newObjects(object.StateStale, 2)
	f.newObjects(object.StateLive, 4)
	f.now = start.Add(time.Second)
	f.newObjects(object.StatePending, 3)
	f.now = start.Add(f.SweepAfter)
	swept, err := f.SweepOnce(t.Context())
	if want := (Swept{Deleted: 2, Left: 3}); err != nil || swept != want {
		t.Errorf("got %+v, %v; want %+v", swept, err, want)
	}
}

func TestSeveralMaySweepAtOnce(t *testing.T) {
	f := newFixture(t)
	keys := f.newObjects(object.StateStale, 150)
	f.failDeletesOf(keys[0])
	f.now = start.Add(f.SweepAfter)
	var sweeping sync.WaitGroup
	for range 4 {
		sweeping.Go(func() {
			if _, err := f.SweepOnce(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	sweeping.Wait()
	f.wantObjects(states("stale", keys[0]))
	f.wantFiles(keys[0])
	if row := f.DB.Object.Query().OnlyX(t.Context()); !row.RetryAt.Equal(f.now.Add(time.Minute)) || row.Failures != 1 {
		t.Errorf("got %v", row)
	}
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
				f.newObjects(object.StateStale, 3*maxSweepFailures)
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
					if got, want := f.store.tried(), sweeps*maxSweepFailures; got != want {
						t.Errorf("%d objects were tried, want %d in %d sweeps", got, want, sweeps)
					}
					<-time.After(every) // of the bubble's clock
				}
				cancel()
				<-ended
				want := fmt.Sprintf(`level=ERROR msg="sweep pictures" deleted=0 failed=%d error="delete avatars/stale000-64.jpg: %v"`, maxSweepFailures, errAway)
				if log := f.log.String(); strings.Count(log, "\n") != 3 || !strings.Contains(log, want) {
					t.Errorf("the log is %q; want a line a sweep, the first with %s", log, want)
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
	if row := f.DB.Object.Query().OnlyX(t.Context()); row.Failures != 0 || row.RetryAt != nil {
		t.Errorf("it counts as a failure: %v", row)
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
			f.now = f.now.Add(sweepEvery)
			f.sweep()
			f.wantObjects(states("live", squareKeys(*alice.AvatarKey)...))
			f.wantFiles(squareKeys(*alice.AvatarKey)...)
		})
	}
}
