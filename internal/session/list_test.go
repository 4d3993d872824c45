package session_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"nameplate/ent"
	entsession "nameplate/ent/session"
	"nameplate/internal/session"
)

// maxLive is how many live sessions a user may have.
const maxLive = 50

func (f *fixture) list(user *ent.User) []uuid.UUID {
	f.t.Helper()
	rows, err := f.List(f.t.Context(), user.ID)
	if err != nil {
		f.t.Fatal(err)
	}
	ids := []uuid.UUID{}
	for _, row := range rows {
		ids = append(ids, row.ID)
	}
	return ids
}

func TestListHasTheUsersLiveSessionsTheMostRecentlyUsedFirst(t *testing.T) {
	f := newFixture(t)
	f.now = start.Add(absolute)
	ago := func(d time.Duration) time.Time { return f.now.Add(-d) }
	f.insert(f.user, ago(absolute), ago(0))                              // has just ended
	f.insert(f.user, ago(idle), ago(idle))                               // likewise
	f.insert(f.user, ago(absolute+time.Hour), ago(0))                    // long ago
	f.insert(f.newUser("bob"), ago(0), ago(0))                           // another's
	old := f.insert(f.user, ago(absolute-time.Second), ago(time.Minute)) // whose last second has begun
	unused := f.insert(f.user, ago(idle), ago(idle-time.Second))
	newer := f.insert(f.user, ago(2*time.Hour), ago(time.Hour))
	older := f.insert(f.user, ago(3*time.Hour), ago(time.Hour))
	if diff := cmp.Diff([]uuid.UUID{old, newer, older, unused}, f.list(f.user)); diff != "" {
		t.Error(diff)
	}
	if got := f.list(f.newUser("carol")); len(got) != 0 {
		t.Errorf("a user without sessions has %v", got)
	}
}

func TestUsingASessionBringsItToTheTopOfTheList(t *testing.T) {
	f := newFixture(t)
	token := f.begin()
	first := f.row().ID
	second := f.insert(f.user, start, start.Add(time.Second))
	f.now = start.Add(time.Minute)
	f.wantUser(bearer(token))
	if diff := cmp.Diff([]uuid.UUID{first, second}, f.list(f.user)); diff != "" {
		t.Error(diff)
	}
}

func TestWithOneMoreThanFiftyTheOldestEnds(t *testing.T) {
	f := newFixture(t)
	others := f.insert(f.newUser("bob"), start.Add(-time.Hour), start)
	// The one made first is the oldest, though it is used last.
	oldest := f.begin()
	for i := range maxLive - 1 {
		f.insert(f.user, start.Add(time.Duration(i+1)*time.Second), start.Add(time.Duration(i+1)*time.Second))
	}
	f.now = start.Add(2 * time.Minute)
	f.wantUser(bearer(oldest))
	if n := len(f.list(f.user)); n != maxLive {
		t.Fatalf("%d sessions before, want %d", n, maxLive)
	}
	newest := f.begin()
	f.wantNone(bearer(oldest))
	f.wantUser(bearer(newest))
	if n := len(f.list(f.user)); n != maxLive {
		t.Errorf("%d sessions after, want %d", n, maxLive)
	}
	if !slices.Contains(f.left(), others) {
		t.Error("another user's session is gone")
	}
}

func TestSessionsThatHaveEndedDoNotCountTowardsFifty(t *testing.T) {
	f := newFixture(t)
	oldest := f.begin()
	// Both are younger than that one.
	for range maxLive {
		f.insert(f.user, start.Add(time.Second), start.Add(-idle))
	}
	for range maxLive - 2 {
		f.insert(f.user, start.Add(time.Second), start)
	}
	f.begin()
	f.wantUser(bearer(oldest))
	if n := len(f.list(f.user)); n != maxLive {
		t.Errorf("%d live sessions, want %d", n, maxLive)
	}
	if n := len(f.left()); n != maxLive {
		t.Errorf("%d sessions are kept, want the %d live ones", n, maxLive)
	}
}

func TestAHundredSignInsAtOnceLeaveFiftySessions(t *testing.T) {
	f := newFixture(t)
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			err := f.DB.WithTx(t.Context(), func(tx *ent.Tx) error {
				_, err := f.Issue(t.Context(), tx, f.user.ID)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := len(f.left()); n != maxLive {
		t.Errorf("%d sessions, want %d", n, maxLive)
	}
}

func TestASessionThatIsNotIssuedEndsNoOther(t *testing.T) {
	f := newFixture(t)
	for range maxLive {
		f.insert(f.user, start, start)
	}
	before := f.list(f.user)
	failure := errors.New("failed")
	err := f.DB.WithTx(t.Context(), func(tx *ent.Tx) error {
		_, err := f.Issue(t.Context(), tx, f.user.ID)
		return errors.Join(err, failure)
	})
	if !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff(before, f.list(f.user)); diff != "" {
		t.Error(diff)
	}
}

func (f *fixture) revoke(user *ent.User, id uuid.UUID) (revoked bool) {
	f.t.Helper()
	f.tx(func(tx *ent.Tx) (err error) {
		revoked, err = f.Revoke(f.t.Context(), tx, user.ID, id)
		return err
	})
	return revoked
}

func TestRevokeSaysWhetherThereWasALiveSession(t *testing.T) {
	f := newFixture(t)
	token := f.begin()
	id := f.row().ID
	for _, want := range []bool{true, false} {
		if got := f.revoke(f.user, id); got != want {
			t.Errorf("got %t, want %t", got, want)
		}
		f.wantNone(bearer(token))
	}
	f.now = start.Add(absolute)
	for what, id := range map[string]uuid.UUID{
		"unknown": uuid.New(),
		"none":    uuid.Nil,
		"expired": f.insert(f.user, start, f.now),
		"unused":  f.insert(f.user, f.now.Add(-idle), f.now.Add(-idle)),
	} {
		if f.revoke(f.user, id) {
			t.Errorf("%s: there was one to revoke", what)
		}
	}
}

func TestRevokeLeavesTheSessionsOfOthers(t *testing.T) {
	f := newFixture(t)
	token := f.begin()
	id := f.row().ID
	if f.revoke(f.newUser("bob"), id) {
		t.Error("bob has revoked alice's session")
	}
	f.wantUser(bearer(token))
}

func TestRevokeAllKeepsOneAndReturnsTheOthersThatWereLive(t *testing.T) {
	f := newFixture(t)
	f.now = start.Add(absolute)
	bob := f.newUser("bob")
	bobs := f.insert(bob, f.now, f.now)
	kept := f.insert(f.user, f.now.Add(-time.Hour), f.now)
	live := []uuid.UUID{f.insert(f.user, f.now, f.now), f.insert(f.user, f.now, f.now)}
	f.insert(f.user, start, f.now)                             // has ended
	f.insert(f.user, f.now.Add(-idle), f.now.Add(-idle))       // likewise
	f.insert(bob, f.now.Add(-absolute), f.now.Add(-time.Hour)) // likewise, but it isn't the user's
	revokeAll := func(except uuid.UUID) (revoked []uuid.UUID) {
		f.tx(func(tx *ent.Tx) (err error) {
			revoked, err = f.RevokeAll(t.Context(), tx, f.user.ID, except)
			return err
		})
		return revoked
	}
	order := cmp.Transformer("Sort", func(ids []uuid.UUID) []string {
		var all []string
		for _, id := range ids {
			all = append(all, id.String())
		}
		slices.Sort(all)
		return all
	})
	if diff := cmp.Diff(live, revokeAll(kept), order); diff != "" {
		t.Errorf("revoked: %s", diff)
	}
	if diff := cmp.Diff([]uuid.UUID{kept}, f.DB.Session.Query().Where(entsession.UserID(f.user.ID)).IDsX(t.Context())); diff != "" {
		t.Errorf("left: %s", diff)
	}
	if got := revokeAll(kept); len(got) != 0 {
		t.Errorf("revoked once more: %v", got)
	}
	if diff := cmp.Diff([]uuid.UUID{kept}, revokeAll(uuid.Nil)); diff != "" {
		t.Errorf("with no exception: %s", diff)
	}
	if diff := cmp.Diff([]uuid.UUID{bobs}, f.list(bob)); diff != "" || len(f.left()) != 2 {
		t.Errorf("bob's: %s, left: %v", diff, f.left())
	}
}

func TestConfirmIsErrNoneOnceTheSessionIsRevoked(t *testing.T) {
	f := newFixture(t)
	token := f.begin()
	f.do(f.request(bearer(token)), func(ctx context.Context) {
		f.tx(func(tx *ent.Tx) error { return session.Confirm(ctx, tx) })
		f.revoke(f.user, f.row().ID)
		err := f.DB.WithTx(ctx, func(tx *ent.Tx) error { return session.Confirm(ctx, tx) })
		if !errors.Is(err, session.ErrNone) {
			t.Errorf("got %v, want ErrNone", err)
		}
	})
}
