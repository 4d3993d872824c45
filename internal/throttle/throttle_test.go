package throttle

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"nameplate/ent"
	"nameplate/internal/database/databasetest"
	"nameplate/internal/fault"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)

// policy forgets so slowly that delays can be looked at alone: 1, 2, 4, 8 and 10 seconds.
var policy = Policy{Free: 3, First: time.Second, MaxDelay: 10 * time.Second, Forget: time.Hour}

// fixture is a limiter on a clock that stands still until a test moves it.
type fixture struct {
	*Limiter
	t   *testing.T
	now time.Time
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	return newFixtureOn(t, databasetest.Open(t))
}

func newFixtureOn(t *testing.T, db *ent.Client) *fixture {
	f := &fixture{t: t, now: start}
	f.Limiter = &Limiter{DB: db, Now: func() time.Time { return f.now }}
	return f
}

func (f *fixture) pass(d time.Duration) { f.now = f.now.Add(d) }

// wantTaken takes an attempt that must be allowed.
func (f *fixture) wantTaken(buckets ...Bucket) {
	f.t.Helper()
	if err := f.Take(f.t.Context(), buckets...); err != nil {
		f.t.Fatalf("%s after the start: %v", f.now.Sub(start), err)
	}
}

// wantRefused takes an attempt that must be refused for so long.
func (f *fixture) wantRefused(wait time.Duration, buckets ...Bucket) {
	f.t.Helper()
	err := f.Take(f.t.Context(), buckets...)
	limited, ok := errors.AsType[*fault.RateLimited](err)
	if !ok {
		f.t.Fatalf("%s after the start: %v, want RateLimited", f.now.Sub(start), err)
	}
	if limited.RetryAfter != wait {
		f.t.Fatalf("%s after the start: to be tried again after %s, want %s", f.now.Sub(start), limited.RetryAfter, wait)
	}
}

// fill takes all that is free.
func (f *fixture) fill(bucket Bucket) {
	f.t.Helper()
	for range bucket.policy.Free {
		f.wantTaken(bucket)
	}
}

// remembered is how many attempts are.
func (f *fixture) remembered(bucket Bucket) int {
	f.t.Helper()
	row, err := f.DB.Attempt.Get(f.t.Context(), bucket.id)
	if ent.IsNotFound(err) {
		return 0
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return bucket.count(row, f.now)
}

func (f *fixture) wantRemembered(want int, bucket Bucket) {
	f.t.Helper()
	if got := f.remembered(bucket); got != want {
		f.t.Errorf("%s after the start %d attempts are remembered, want %d", f.now.Sub(start), got, want)
	}
}

func (f *fixture) tx(fn func(ctx context.Context, tx *ent.Tx) error) {
	f.t.Helper()
	if err := f.DB.WithTx(f.t.Context(), func(tx *ent.Tx) error { return fn(f.t.Context(), tx) }); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) newUser() *ent.User {
	f.t.Helper()
	name := uuid.NewString()
	user, err := f.DB.User.Create().SetName(name).SetNameKey(name).SetPasswordHash("x").
		SetCreatedAt(start).SetUpdatedAt(start).Save(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return user
}

func TestAfterTheFreeOnesEachWaitsTwiceAsLongUpToABound(t *testing.T) {
	second := time.Second
	for name, tt := range map[string]struct {
		policy Policy
		waits  []time.Duration
	}{
		"of a password": {
			Policy{Free: 10, First: second, MaxDelay: 15 * time.Minute, Forget: 24 * time.Hour},
			[]time.Duration{
				second, 2 * second, 4 * second, 8 * second, 16 * second, 32 * second, 64 * second, 128 * second,
				256 * second, 512 * second, 900 * second, 900 * second, 900 * second,
			},
		},
		"whose bound is a power of two": {
			Policy{Free: 1, First: second, MaxDelay: 4 * second, Forget: time.Hour},
			[]time.Duration{second, 2 * second, 4 * second, 4 * second, 4 * second},
		},
		"that does not grow": {
			Policy{Free: 2, First: second, MaxDelay: second, Forget: time.Hour},
			[]time.Duration{second, second, second},
		},
		"with no free one, from the first that is remembered": {
			Policy{Free: 0, First: 3 * second, MaxDelay: 10 * second, Forget: time.Hour},
			[]time.Duration{6 * second, 10 * second, 10 * second},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			bucket := tt.policy.Of("what", "of")
			f.wantTaken(bucket)
			for range tt.policy.Free - 1 {
				f.wantTaken(bucket)
			}
			for _, wait := range tt.waits {
				f.wantRefused(wait, bucket)
				f.pass(wait - time.Second)
				f.wantRefused(time.Second, bucket)
				f.pass(time.Second - time.Microsecond)
				f.wantRefused(time.Second, bucket) // rather than a microsecond
				f.pass(time.Microsecond)
				f.wantTaken(bucket)
			}
		})
	}
}

func TestWhatIsRefusedDoesNotCount(t *testing.T) {
	f := newFixture(t)
	bucket := policy.Of("what", "of")
	f.fill(bucket)
	for range 1000 {
		f.wantRefused(time.Second, bucket)
	}
	f.wantRemembered(policy.Free, bucket)
	f.pass(time.Second)
	f.wantTaken(bucket)
}

func TestAttemptsAreForgottenOneByOne(t *testing.T) {
	f := newFixture(t)
	bucket := policy.Of("what", "of")
	f.fill(bucket)
	f.pass(time.Second)
	f.wantTaken(bucket)
	for _, want := range []int{3, 2, 1, 0} {
		f.now = start.Add(time.Duration(4-want)*policy.Forget - time.Microsecond)
		f.wantRemembered(want+1, bucket)
		f.pass(time.Microsecond)
		f.wantRemembered(want, bucket)
	}
}

func TestOneThatIsForgottenMakesRoomForOne(t *testing.T) {
	f := newFixture(t)
	bucket := policy.Of("what", "of")
	f.fill(bucket)
	f.now = start.Add(policy.Forget)
	f.wantTaken(bucket)
	f.wantRefused(time.Second, bucket)
}

// So that who was told how long it is can count on it, and no longer than that.
func TestTheWaitIsAsLongAsItWasThoughAnAttemptIsForgottenMeanwhile(t *testing.T) {
	f := newFixture(t)
	slow := Policy{Free: 1, First: time.Minute, MaxDelay: time.Hour, Forget: 2 * time.Minute}
	bucket := slow.Of("what", "of")
	f.wantTaken(bucket)
	f.wantRefused(time.Minute, bucket)
	f.pass(time.Minute)
	f.wantTaken(bucket)
	// Two are remembered, for which the wait is two minutes. In one minute only one is, for
	// which it would be one.
	f.wantRefused(2*time.Minute, bucket)
	f.pass(2*time.Minute - time.Microsecond)
	f.wantRefused(time.Second, bucket)
	f.pass(time.Microsecond)
	f.wantTaken(bucket)
}

func TestAfterALongQuietAllAreFreeAgain(t *testing.T) {
	f := newFixture(t)
	bucket := policy.Of("what", "of")
	f.fill(bucket)
	f.pass(time.Duration(policy.Free) * policy.Forget)
	f.fill(bucket)
	f.wantRefused(time.Second, bucket)
	f.pass(10000 * policy.Forget)
	f.fill(bucket)
	f.wantRefused(time.Second, bucket)
}

func TestAfterALongAttackTheQuietIsBounded(t *testing.T) {
	f := newFixture(t)
	bucket := policy.Of("what", "of")
	f.fill(bucket)
	for range 100 {
		f.pass(policy.MaxDelay)
		f.wantTaken(bucket)
	}
	f.wantRefused(policy.MaxDelay, bucket)
	// The free ones, and one for each of the delays of 1, 2, 4 and 8 seconds.
	const remembered = 3 + 4
	f.wantRemembered(remembered, bucket)
	f.pass(remembered*policy.Forget - time.Microsecond)
	f.wantRemembered(1, bucket)
	f.pass(time.Microsecond)
	f.wantRemembered(0, bucket)
	f.fill(bucket)
}

func TestAClockThatIsSetBackTakesNothingThatIsFree(t *testing.T) {
	f := newFixture(t)
	bucket := policy.Of("what", "of")
	f.wantTaken(bucket)
	f.pass(-time.Minute)
	f.wantTaken(bucket)
	f.wantRemembered(3, bucket) // the first one for a minute longer than the others
	f.wantRefused(time.Second, bucket)
	f.pass(time.Second)
	f.wantTaken(bucket)
}

func TestALaneThatIsFullLetsNoneOfThemCount(t *testing.T) {
	f := newFixture(t)
	full, other, fresh := policy.Of("what", "full"), policy.Of("what", "other"), policy.Of("what", "fresh")
	f.fill(full)
	f.wantTaken(other)
	for _, buckets := range [][]Bucket{{full, other, fresh}, {other, fresh, full}, {other, full, fresh}} {
		f.wantRefused(time.Second, buckets...)
	}
	f.wantRemembered(policy.Free, full)
	f.wantRemembered(1, other)
	f.wantRemembered(0, fresh)
	f.pass(time.Second)
	f.wantTaken(full, other, fresh)
	f.wantRemembered(2, other)
	f.wantRemembered(1, fresh)
}

func TestTheLongestWaitOfSeveralLanesIsTold(t *testing.T) {
	f := newFixture(t)
	short, long := policy.Of("what", "short"), Policy{Free: 1, First: time.Minute, MaxDelay: time.Hour, Forget: time.Hour}.Of("what", "long")
	f.fill(short)
	f.fill(long)
	f.wantRefused(time.Minute, short, long)
	f.wantRefused(time.Minute, long, short)
}

func TestLanesAreApart(t *testing.T) {
	f := newFixture(t)
	alice, bob := f.newUser().ID, f.newUser().ID
	buckets := []Bucket{
		policy.Of("what", "of"), policy.Of("what", "else"), policy.Of("other", "of"), policy.Of("wha", "tof"), policy.Of("", "whatof"),
		policy.Of("what", ""), policy.Of("what", alice.String()+"x"),
		policy.OfUser("what", alice), policy.OfUser("what", bob), policy.OfUser("other", alice),
		policy.OfUser("what", alice, "x"), policy.OfUser("what", alice, "x", "y"), policy.OfUser("what", alice, "xy"), policy.OfUser("what", alice, ""),
	}
	for _, bucket := range buckets {
		f.fill(bucket)
		f.wantRefused(time.Second, bucket)
	}
	if n := f.DB.Attempt.Query().CountX(t.Context()); n != len(buckets) {
		t.Errorf("%d buckets are counted, want %d", n, len(buckets))
	}
}

func TestALaneIsTheSameWhenItIsMadeAgain(t *testing.T) {
	f := newFixture(t)
	user := f.newUser().ID
	f.fill(policy.Of("what", "of"))
	f.wantRefused(time.Second, policy.Of("what", "of"))
	f.fill(policy.OfUser("what", user, "x"))
	f.wantRefused(time.Second, policy.OfUser("what", user, "x"))
}

func TestAHundredAtOnceTakeWhatIsFree(t *testing.T) {
	f := newFixture(t)
	buckets := []Bucket{policy.Of("what", "of"), policy.OfUser("what", f.newUser().ID)}
	var taken, refused atomic.Int64
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			err := f.Take(t.Context(), buckets...)
			if _, ok := errors.AsType[*fault.RateLimited](err); ok {
				refused.Add(1)
			} else if err != nil {
				t.Error(err)
			} else {
				taken.Add(1)
			}
		})
	}
	all.Wait()
	if diff := cmp.Diff([]int64{int64(policy.Free), 100 - int64(policy.Free)}, []int64{taken.Load(), refused.Load()}); diff != "" {
		t.Errorf("taken and refused (-want +got):\n%s", diff)
	}
}

func TestOtherProcessesAndARestartKnowTheCounts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nameplate.db")
	bucket := policy.Of("what", "of")
	t.Run("processes", func(t *testing.T) {
		first, second := newFixtureOn(t, databasetest.OpenAt(t, path)), newFixtureOn(t, databasetest.OpenAt(t, path))
		first.wantTaken(bucket)
		second.wantTaken(bucket)
		first.wantTaken(bucket)
		second.wantRefused(time.Second, bucket)
		first.wantRefused(time.Second, bucket)
		second.pass(time.Second)
		second.wantTaken(bucket)
	})
	restarted := newFixtureOn(t, databasetest.OpenAt(t, path))
	restarted.pass(time.Second)
	restarted.wantRefused(2*time.Second, bucket)
	restarted.pass(2 * time.Second)
	restarted.wantTaken(bucket)
}

func TestOffRefusesNobodyButCounts(t *testing.T) {
	f := newFixture(t)
	bucket := policy.Of("what", "of")
	f.Off = true
	for range 5 {
		f.wantTaken(bucket)
	}
	f.wantRemembered(5, bucket)
	f.Off = false
	f.wantRefused(4*time.Second, bucket)
}

// Names and addresses are personal data, and counts are kept by the thousand.
func TestTheTableShowsNoNamesAndAddresses(t *testing.T) {
	f := newFixture(t)
	user := f.newUser()
	f.wantTaken(policy.Of("password", "192.0.2.1/32"), policy.Of("nobody", "alice"), policy.OfUser("password", user.ID, "192.0.2.1/32"))
	for _, row := range f.DB.Attempt.Query().AllX(t.Context()) {
		for _, part := range []string{"password", "nobody", "192.0.2.1", "alice", user.ID.String()} {
			if strings.Contains(row.ID, part) {
				t.Errorf("%q is in %q", part, row.ID)
			}
		}
		if len(row.ID) != 43 {
			t.Errorf("%q is no SHA-256", row.ID)
		}
	}
}

func TestAClockThatIsSetBackKeepsNobodyWaiting(t *testing.T) {
	f := newFixture(t)
	bucket := policy.Of("what", "of")
	f.now = start.Add(24 * time.Hour)
	f.fill(bucket)
	f.wantRefused(time.Second, bucket)
	f.now = start
	f.wantTaken(bucket)
}
