package session_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"nameplate/ent"
)

func TestAnUnusedSessionEndsAfterIdle(t *testing.T) {
	f := newFixture(t)
	token := f.begin()
	f.now = start.Add(idle - time.Second)
	f.wantUser(bearer(token)) // which is the last request, from which it counts again
	f.now = f.now.Add(idle - time.Second)
	f.wantUser(bearer(token))
	f.now = f.now.Add(idle)
	f.wantNone(bearer(token))
	f.now = f.now.Add(time.Second)
	f.wantNone(bearer(token))
}

func TestASessionInUseEndsAfterAbsolute(t *testing.T) {
	f := newFixture(t)
	token := f.begin()
	for f.now.Before(start.Add(absolute - 24*time.Hour)) {
		f.wantUser(bearer(token))
		f.now = f.now.Add(24 * time.Hour)
	}
	f.wantUser(bearer(token))
	f.now = start.Add(absolute - time.Second)
	f.wantUser(bearer(token))
	f.now = start.Add(absolute)
	f.wantNone(bearer(token))
	f.now = start.Add(absolute + time.Second)
	f.wantNone(bearer(token))
}

// countSeen counts the statements that write to the table of sessions, and the
// rows that they changed.
func countSeen(db *ent.Client) (statements, rows *atomic.Int64) {
	statements, rows = new(atomic.Int64), new(atomic.Int64)
	db.Session.Use(func(next ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
			value, err := next.Mutate(ctx, m)
			statements.Add(1)
			if n, ok := value.(int); ok {
				rows.Add(int64(n))
			}
			return value, err
		})
	})
	return statements, rows
}

func TestTheLastRequestIsNotedOnceAMinute(t *testing.T) {
	f := newFixture(t)
	token := f.begin()
	statements, _ := countSeen(f.DB)
	for _, step := range []struct {
		at    time.Duration
		wrote int64 // so far
	}{
		{0, 0},
		{time.Second, 0},
		{time.Minute - time.Microsecond, 0},
		{time.Minute, 1},
		{time.Minute + time.Second, 1},
		{2*time.Minute - time.Microsecond, 1},
		{2 * time.Minute, 2},
		{24 * time.Hour, 3},
	} {
		f.now = start.Add(step.at)
		f.wantUser(bearer(token))
		f.wantUser(bearer(token))
		if got := statements.Load(); got != step.wrote {
			t.Errorf("at %s %d statements have written, want %d", step.at, got, step.wrote)
		}
	}
	if got := f.row().LastSeenAt; !got.Equal(f.now) {
		t.Errorf("last seen at %s, want %s", got, f.now)
	}
}

func TestOfManyRequestsAtOnceOneNotesThatItWasSeen(t *testing.T) {
	f := newFixture(t)
	token := f.begin()
	_, rows := countSeen(f.DB)
	f.now = start.Add(time.Minute)
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() { f.wantUser(bearer(token)) })
	}
	all.Wait()
	if got := rows.Load(); got != 1 {
		t.Errorf("the row was written %d times, want once", got)
	}
}

// A session lives as long as its manager says, whatever the defaults of the settings are.
func TestTheTimesAreThoseOfTheManager(t *testing.T) {
	for name, tt := range map[string]struct{ idle, absolute, lives time.Duration }{
		"idle is shorter":     {10 * time.Minute, time.Hour, 10 * time.Minute},
		"absolute is shorter": {time.Hour, 10 * time.Minute, 10 * time.Minute},
		"both are one":        {10 * time.Minute, 10 * time.Minute, 10 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.Idle, f.Absolute = tt.idle, tt.absolute
			token := f.begin()
			if got := f.EndsAt(f.row()); !got.Equal(start.Add(tt.lives)) {
				t.Errorf("it ends at %s, want %s", got, start.Add(tt.lives))
			}
			f.now = start.Add(tt.lives + time.Second)
			f.wantNone(bearer(token))
			f.now = start.Add(tt.lives)
			f.wantNone(bearer(token))
			f.now = start.Add(tt.lives - time.Second)
			f.wantUser(bearer(token))
		})
	}
}

func TestEndsAtIsTheEarlierOfBothEnds(t *testing.T) {
	f := newFixture(t)
	for seen, want := range map[time.Duration]time.Duration{
		0:                           idle,
		time.Hour:                   idle + time.Hour,
		absolute - idle - time.Hour: absolute - time.Hour,
		absolute - idle:             absolute,
		absolute - time.Hour:        absolute,
	} {
		row := &ent.Session{LastSeenAt: start.Add(seen), ExpiresAt: start.Add(absolute)}
		if got := f.EndsAt(row); !got.Equal(start.Add(want)) {
			t.Errorf("last seen after %s it ends after %s, want %s", seen, got.Sub(start), want)
		}
	}
}

func TestSweepDeletesWhatHasEndedByEither(t *testing.T) {
	f := newFixture(t)
	f.now = start.Add(absolute)
	var want []uuid.UUID
	for _, s := range []struct {
		age, unseen time.Duration
		kept        bool
	}{
		{absolute + time.Second, 0, false},
		{absolute, 0, false},
		{absolute - time.Second, 0, true},
		{idle + time.Hour, idle + time.Second, false},
		{idle + time.Minute, idle, false},
		{idle, idle - time.Second, true},
		{0, 0, true},
	} {
		id := f.insert(f.user, f.now.Add(-s.age), f.now.Add(-s.unseen))
		if s.kept {
			want = append(want, id)
		}
	}
	if err := f.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, f.left()); diff != "" {
		t.Error(diff)
	}
}
