package throttle

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"nameplate/ent"
)

func TestForgetForgetsAllAttemptsInTheseLanesOnly(t *testing.T) {
	f := newFixture(t)
	first, second, other := policy.Of("what", "first"), policy.Of("what", "second"), policy.Of("what", "other")
	for _, bucket := range []Bucket{first, second, other} {
		f.fill(bucket)
	}
	f.tx(func(ctx context.Context, tx *ent.Tx) error {
		return f.Forget(ctx, tx, first, second, policy.Of("what", "unknown"))
	})
	f.wantRefused(time.Second, other)
	f.fill(first)
	f.fill(second)
}

func TestForgetGoesWithItsTransaction(t *testing.T) {
	f := newFixture(t)
	bucket := policy.Of("what", "of")
	f.fill(bucket)
	failure := errors.New("failed")
	err := f.DB.WithTx(t.Context(), func(tx *ent.Tx) error {
		return errors.Join(f.Forget(t.Context(), tx, bucket), failure)
	})
	if !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
	f.wantRefused(time.Second, bucket)
}

func TestForgetUserForgetsAllLanesOfTheUserOnly(t *testing.T) {
	f := newFixture(t)
	alice, bob := f.newUser().ID, f.newUser().ID
	hers := []Bucket{policy.OfUser("what", alice), policy.OfUser("what", alice, "192.0.2.1/32"), policy.OfUser("other", alice)}
	others := []Bucket{policy.OfUser("what", bob), policy.Of("what", alice.String())}
	for _, bucket := range append(hers, others...) {
		f.fill(bucket)
	}
	f.tx(func(ctx context.Context, tx *ent.Tx) error { return f.ForgetUser(ctx, tx, alice) })
	for _, bucket := range hers {
		f.wantRemembered(0, bucket)
	}
	for _, bucket := range others {
		f.wantRefused(time.Second, bucket)
	}
}

func TestCountsOfAUserGoWithTheUser(t *testing.T) {
	f := newFixture(t)
	alice, bob := f.newUser(), f.newUser()
	bucket, others, address := policy.OfUser("what", alice.ID), policy.OfUser("what", bob.ID), policy.Of("what", "of")
	f.wantTaken(bucket, others, address)
	if err := f.DB.User.DeleteOne(alice).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.wantRemembered(0, bucket)
	f.wantRemembered(1, others)
	f.wantRemembered(1, address)
}

func TestAnAttemptOfAUserWhoIsGoneIsAConstraintErrorAndCountsNowhere(t *testing.T) {
	f := newFixture(t)
	address := policy.Of("what", "of")
	err := f.Take(t.Context(), address, policy.OfUser("what", uuid.New()))
	if !ent.IsConstraintError(err) {
		t.Errorf("got %v, want a constraint error", err)
	}
	f.wantRemembered(0, address)
}

func TestGiveBackTakesOneAttemptOutAndLeavesTheOthers(t *testing.T) {
	f := newFixture(t)
	bucket, other := policy.Of("what", "of"), policy.Of("what", "other")
	giveBack := func() {
		t.Helper()
		f.tx(func(ctx context.Context, tx *ent.Tx) error {
			return f.GiveBack(ctx, tx, bucket, policy.Of("what", "unknown"))
		})
	}
	// However often the right one comes, it doesn't count; nor does it wash away wrong ones.
	f.wantTaken(bucket, other)
	f.wantTaken(bucket, other)
	for range 100 {
		f.wantTaken(bucket)
		giveBack()
	}
	f.wantRemembered(2, bucket)
	f.wantRemembered(2, other)
	f.wantTaken(bucket)
	f.wantRefused(time.Second, bucket)
}

// Where no more are remembered the last attempt has added less than is given back. That
// can't be repeated.
func TestGiveBackWashesAwayOneAttemptAtMost(t *testing.T) {
	f := newFixture(t)
	bucket := policy.Of("what", "of")
	f.fill(bucket)
	for range 100 {
		f.pass(policy.MaxDelay)
		f.wantTaken(bucket)
	}
	for range 100 {
		f.pass(policy.MaxDelay)
		f.wantTaken(bucket)
		f.tx(func(ctx context.Context, tx *ent.Tx) error { return f.GiveBack(ctx, tx, bucket) })
	}
	// By time alone none was forgotten: 1000 seconds are less than Forget.
	f.wantRemembered(policy.max()-1, bucket)
}

func TestFailedMakesTheNextWaitFromNow(t *testing.T) {
	f := newFixture(t)
	bucket, other := policy.Of("what", "of"), policy.Of("what", "other")
	f.fill(bucket)
	f.fill(other)
	f.pass(time.Second - time.Microsecond) // that checking took
	f.tx(func(ctx context.Context, tx *ent.Tx) error {
		return f.Failed(ctx, tx, bucket, policy.Of("what", "unknown"))
	})
	f.pass(time.Second - time.Microsecond)
	f.wantRefused(time.Second, bucket)
	f.wantTaken(other)
	f.pass(time.Microsecond)
	f.wantTaken(bucket)
	f.wantRemembered(policy.Free+1, bucket)
}

func TestSweepDeletesTheCountsThatHaveComeToNothing(t *testing.T) {
	f := newFixture(t)
	one, two := policy.Of("what", "one"), policy.Of("what", "two")
	f.wantTaken(one, two)
	f.wantTaken(two)
	for _, tt := range []struct {
		at   time.Duration
		rows int
	}{
		{policy.Forget - time.Microsecond, 2},
		{policy.Forget, 1},
		{2*policy.Forget - time.Microsecond, 1},
		{2 * policy.Forget, 0},
	} {
		f.now = start.Add(tt.at)
		if err := f.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := f.DB.Attempt.Query().CountX(t.Context()); n != tt.rows {
			t.Errorf("after %s %d rows are left, want %d", tt.at, n, tt.rows)
		}
	}
}
