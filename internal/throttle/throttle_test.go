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
func (f *fixture) wantTaken(lanes ...Lane) {
	f.t.Helper()
	if err := f.Take(f.t.Context(), lanes...); err != nil {
		f.t.Fatalf("%s after the start: %v", f.now.Sub(start), err)
	}
}

// wantRefused takes an attempt that must be refused for so long.
func (f *fixture) wantRefused(wait time.Duration, lanes ...Lane) {
	f.t.Helper()
	err := f.Take(f.t.Context(), lanes...)
	limited, ok := errors.AsType[*fault.RateLimited](err)
	if !ok {
		f.t.Fatalf("%s after the start: %v, want RateLimited", f.now.Sub(start), err)
	}
	if limited.RetryAfter != wait {
		f.t.Fatalf("%s after the start: to be tried again after %s, want %s", f.now.Sub(start), limited.RetryAfter, wait)
	}
}

// fill takes all that is free.
func (f *fixture) fill(lane Lane) {
	f.t.Helper()
	for range lane.policy.Free {
		f.wantTaken(lane)
	}
}

// remembered is how many attempts are.
func (f *fixture) remembered(lane Lane) int {
	f.t.Helper()
	row, err := f.DB.Attempt.Get(f.t.Context(), lane.id)
	if ent.IsNotFound(err) {
		return 0
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return lane.count(row, f.now)
}

func (f *fixture) wantRemembered(want int, lane Lane) {
	f.t.Helper()
	if got := f.remembered(lane); got != want {
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
			lane := tt.policy.Of("what", "of")
			f.wantTaken(lane)
			for range tt.policy.Free - 1 {
				f.wantTaken(lane)
			}
			for _, wait := range tt.waits {
				f.wantRefused(wait, lane)
				f.pass(wait - time.Second)
				f.wantRefused(time.Second, lane)
				f.pass(time.Second - time.Microsecond)
				f.wantRefused(time.Second, lane) // rather than a microsecond
				f.pass(time.Microsecond)
				f.wantTaken(lane)
			}
		})
	}
}

func TestWhatIsRefusedDoesNotCount(t *testing.T) {
	f := newFixture(t)
	lane := policy.Of("what", "of")
	f.fill(lane)
	for range 1000 {
		f.wantRefused(time.Second, lane)
	}
	f.wantRemembered(policy.Free, lane)
	f.pass(time.Second)
	f.wantTaken(lane)
}

func TestAttemptsAreForgottenOneByOne(t *testing.T) {
	f := newFixture(t)
	lane := policy.Of("what", "of")
	f.fill(lane)
	f.pass(time.Second)
	f.wantTaken(lane)
	for _, want := range []int{3, 2, 1, 0} {
		f.now = start.Add(time.Duration(4-want)*policy.Forget - time.Microsecond)
		f.wantRemembered(want+1, lane)
		f.pass(time.Microsecond)
		f.wantRemembered(want, lane)
	}
}

func TestOneThatIsForgottenMakesRoomForOne(t *testing.T) {
	f := newFixture(t)
	lane := policy.Of("what", "of")
	f.fill(lane)
	f.now = start.Add(policy.Forget)
	f.wantTaken(lane)
	f.wantRefused(time.Second, lane)
}

// So that who was told how long it is can count on it, and no longer than that.
func TestTheWaitIsAsLongAsItWasThoughAnAttemptIsForgottenMeanwhile(t *testing.T) {
	f := newFixture(t)
	slow := Policy{Free: 1, First: time.Minute, MaxDelay: time.Hour, Forget: 2 * time.Minute}
	lane := slow.Of("what", "of")
	f.wantTaken(lane)
	f.wantRefused(time.Minute, lane)
	f.pass(time.Minute)
	f.wantTaken(lane)
	// Two are remembered, for which the wait is two minutes. In one minute only one is, for
	// which it would be one.
	f.wantRefused(2*time.Minute, lane)
	f.pass(2*time.Minute - time.Microsecond)
	f.wantRefused(time.Second, lane)
	f.pass(time.Microsecond)
	f.wantTaken(lane)
}

func TestAfterALongQuietAllAreFreeAgain(t *testing.T) {
	f := newFixture(t)
	lane := policy.Of("what", "of")
	f.fill(lane)
	f.pass(time.Duration(policy.Free) * policy.Forget)
	f.fill(lane)
	f.wantRefused(time.Second, lane)
	f.pass(10000 * policy.Forget)
	f.fill(lane)
	f.wantRefused(time.Second, lane)
}

func TestAfterALongAttackTheQuietIsBounded(t *testing.T) {
	f := newFixture(t)
	lane := policy.Of("what", "of")
	f.fill(lane)
	for range 100 {
		f.pass(policy.MaxDelay)
		f.wantTaken(lane)
	}
	f.wantRefused(policy.MaxDelay, lane)
	// The free ones, and one for each of the delays of 1, 2, 4 and 8 seconds.
	const remembered = 3 + 4
	f.wantRemembered(remembered, lane)
	f.pass(remembered*policy.Forget - time.Microsecond)
	f.wantRemembered(1, lane)
	f.pass(time.Microsecond)
	f.wantRemembered(0, lane)
	f.fill(lane)
}

func TestAClockThatIsSetBackTakesNothingThatIsFree(t *testing.T) {
	f := newFixture(t)
	lane := policy.Of("what", "of")
	f.wantTaken(lane)
	f.pass(-time.Minute)
	f.wantTaken(lane)
	f.wantRemembered(3, lane) // the first one for a minute longer than the others
	f.wantRefused(time.Second, lane)
	f.pass(time.Second)
	f.wantTaken(lane)
}

func TestALaneThatIsFullLetsNoneOfThemCount(t *testing.T) {
	f := newFixture(t)
	full, other, fresh := policy.Of("what", "full"), policy.Of("what", "other"), policy.Of("what", "fresh")
	f.fill(full)
	f.wantTaken(other)
	for _, lanes := range [][]Lane{{full, other, fresh}, {other, fresh, full}, {other, full, fresh}} {
		f.wantRefused(time.Second, lanes...)
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
	lanes := []Lane{
		policy.Of("what", "of"), policy.Of("what", "else"), policy.Of("other", "of"), policy.Of("wha", "tof"), policy.Of("", "whatof"),
		policy.Of("what", ""), policy.Of("what", alice.String()+"x"),
		policy.OfUser("what", alice), policy.OfUser("what", bob), policy.OfUser("other", alice),
		policy.OfUser("what", alice, "x"), policy.OfUser("what", alice, "x", "y"), policy.OfUser("what", alice, "xy"), policy.OfUser("what", alice, ""),
	}
	for _, lane := range lanes {
		f.fill(lane)
		f.wantRefused(time.Second, lane)
	}
	if n := f.DB.Attempt.Query().CountX(t.Context()); n != len(lanes) {
		t.Errorf("%d lanes are counted, want %d", n, len(lanes))
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
	lanes := []Lane{policy.Of("what", "of"), policy.OfUser("what", f.newUser().ID)}
	var taken, refused atomic.Int64
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			err := f.Take(t.Context(), lanes...)
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
	lane := policy.Of("what", "of")
	t.Run("processes", func(t *testing.T) {
		first, second := newFixtureOn(t, databasetest.OpenAt(t, path)), newFixtureOn(t, databasetest.OpenAt(t, path))
		first.wantTaken(lane)
		second.wantTaken(lane)
		first.wantTaken(lane)
		second.wantRefused(time.Second, lane)
		first.wantRefused(time.Second, lane)
		second.pass(time.Second)
		second.wantTaken(lane)
	})
	restarted := newFixtureOn(t, databasetest.OpenAt(t, path))
	restarted.pass(time.Second)
	restarted.wantRefused(2*time.Second, lane)
	restarted.pass(2 * time.Second)
	restarted.wantTaken(lane)
}

func TestOffRefusesNobodyButCounts(t *testing.T) {
	f := newFixture(t)
	lane := policy.Of("what", "of")
	f.Off = true
	for range 5 {
		f.wantTaken(lane)
	}
	f.wantRemembered(5, lane)
	f.Off = false
	f.wantRefused(4*time.Second, lane)
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
