package profile

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"nameplate/ent"
	"nameplate/ent/attempt"
	"nameplate/ent/event"
	"nameplate/ent/object"
	"nameplate/ent/recoverycode"
	entsession "nameplate/ent/session"
	entuser "nameplate/ent/user"
	"nameplate/internal/fault"
	"nameplate/internal/username"
)

// leave deletes the user as the use case does, in a transaction.
func (f *fixture) leave(user *ent.User, hold time.Duration) {
	f.t.Helper()
	err := f.DB.WithTx(f.t.Context(), func(tx *ent.Tx) error {
		return f.Delete(f.t.Context(), tx, user.ID, hold)
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// take looks whether the name is held, in a transaction.
func (f *fixture) take(name string) error {
	f.t.Helper()
	parsed, err := username.Parse(name)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.DB.WithTx(f.t.Context(), func(tx *ent.Tx) error {
		return NameIsHeld(f.t.Context(), tx, parsed, f.now)
	})
}

func (f *fixture) wantHeld(name string) {
	f.t.Helper()
	wantFault(f.t, f.take(name), nameTaken)
}

func (f *fixture) wantFree(name string) {
	f.t.Helper()
	if err := f.take(name); err != nil {
		f.t.Errorf("%s is not free: %v", name, err)
	}
}

var nameTaken = fault.Error{Code: fault.NameTaken, Field: "name"}

// newCompleteUser makes a user with rows in every table.
func (f *fixture) newCompleteUser(name string) *ent.User {
	f.t.Helper()
	user := f.setAvatarOf(f.newUser(name), picture(128))
	f.saveVerification(user)
	f.DB.RecoveryCode.Create().SetUserID(user.ID).SetCodeSha256([]byte(name)).SetCreatedAt(f.now).ExecX(f.t.Context())
	return f.user(user.ID)
}

// rowsOf counts what is stored of the user.
func (f *fixture) rowsOf(id uuid.UUID) map[string]int {
	ctx := f.t.Context()
	return map[string]int{
		"users":          f.DB.User.Query().Where(entuser.ID(id)).CountX(ctx),
		"sessions":       f.DB.Session.Query().Where(entsession.UserID(id)).CountX(ctx),
		"events":         f.DB.Event.Query().Where(event.UserID(id)).CountX(ctx),
		"recovery codes": f.DB.RecoveryCode.Query().Where(recoverycode.UserID(id)).CountX(ctx),
		"attempts":       f.DB.Attempt.Query().Where(attempt.UserID(id)).CountX(ctx),
	}
}

func TestAUserIsDeletedWithWhatHangsOnIt(t *testing.T) {
	f := newFixture(t)
	alice, bob := f.newCompleteUser("alice"), f.newCompleteUser("bob")
	bobs := f.rowsOf(bob.ID)
	for table, n := range f.rowsOf(alice.ID) {
		if n == 0 {
			t.Errorf("there are no %s to delete", table)
		}
	}
	f.leave(alice, time.Hour)
	none := map[string]int{"users": 0, "sessions": 0, "events": 0, "recovery codes": 0, "attempts": 0}
	if diff := cmp.Diff(none, f.rowsOf(alice.ID)); diff != "" {
		t.Errorf("left of who was deleted:\n%s", diff)
	}
	if diff := cmp.Diff(bobs, f.rowsOf(bob.ID)); diff != "" {
		t.Errorf("of another:\n%s", diff)
	}
	f.wantSame(bob)
}

func TestThePictureOfADeletedUserIsSwept(t *testing.T) {
	f := newFixture(t)
	alice, bob := f.newCompleteUser("alice"), f.newCompleteUser("bob")
	gone, kept := squareKeys(*alice.AvatarKey), squareKeys(*bob.AvatarKey)
	deleted := start.Add(100 * 24 * time.Hour)
	f.now = deleted
	f.leave(alice, 0)
	f.wantObjects(with(states("stale", gone...), states("live", kept...)))
	for _, row := range f.DB.Object.Query().Where(object.StateEQ(object.StateStale)).AllX(t.Context()) {
		if !row.ChangedAt.Equal(deleted) {
			t.Errorf("%v: want it changed at %s", row, deleted)
		}
	}
	f.now = deleted.Add(f.SweepAfter - time.Microsecond)
	f.sweep()
	f.wantFiles(append(gone, kept...)...)

	f.now = deleted.Add(f.SweepAfter)
	f.sweep()
	f.wantObjects(states("live", kept...))
	f.wantFiles(kept...)
}

func TestAUserWithoutAPictureIsDeleted(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	f.leave(alice, time.Hour)
	if f.DB.User.Query().ExistX(t.Context()) {
		t.Error("the user is still there")
	}
	f.wantHeld("alice")
}

func TestWhoIsDeletedAlreadyHasNoSession(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	f.delete(alice)
	wantNone(t, f.DB.WithTx(t.Context(), func(tx *ent.Tx) error {
		return f.Delete(t.Context(), tx, alice.ID, time.Hour)
	}))
	f.wantFree("alice")
}

// A deletion that is undone has held nothing and given no picture away.
func TestADeletionThatFailsChangesNothing(t *testing.T) {
	f := newFixture(t)
	alice := f.newCompleteUser("alice")
	before := f.rowsOf(alice.ID)
	err := f.DB.WithTx(t.Context(), func(tx *ent.Tx) error {
		if err := f.Delete(t.Context(), tx, alice.ID, time.Hour); err != nil {
			return err
		}
		return errAway
	})
	if err == nil {
		t.Error("no error")
	}
	f.wantSame(alice)
	if diff := cmp.Diff(before, f.rowsOf(alice.ID)); diff != "" {
		t.Error(diff)
	}
	f.wantObjects(states("live", squareKeys(*alice.AvatarKey)...))
	f.wantFree("alice")
}

// SQLite compares times as text, in which fractions have no zeros at the end.
func TestTheNameOfADeletedUserIsHeldUntilExactlyTheEnd(t *testing.T) {
	const hold = 30 * 24 * time.Hour
	f := newFixture(t)
	for _, fraction := range []time.Duration{0, 1, 10, 500000, 550000, 999999} {
		at := start.Truncate(time.Second).Add(fraction * time.Microsecond)
		f.now = at
		f.leave(f.newUser("alice"), hold)
		for _, early := range []time.Duration{hold, time.Hour, time.Second, time.Microsecond} {
			f.now = at.Add(hold - early)
			f.wantHeld("alice")
			f.wantHeld(" ＡＬＩＣＥ")
			f.wantFree("alice2")
		}
		for _, late := range []time.Duration{0, time.Microsecond, time.Second} {
			f.now = at.Add(hold + late)
			f.wantFree("Alice")
		}
		if f.DB.HeldName.Query().ExistX(t.Context()) {
			t.Error("who took the name has not deleted the hold that had ended")
		}
	}
}

func TestAHeldNameDoesNotStandInTheDatabase(t *testing.T) {
	f := newFixture(t)
	f.leave(f.newUser("alice"), time.Hour)
	if row := f.DB.HeldName.Query().OnlyX(t.Context()); strings.Contains(row.String(), "alice") || len(row.ID) != 64 {
		t.Errorf("got %v", row)
	}
}

func TestWithoutAHoldTheNameIsFreeAtOnce(t *testing.T) {
	f := newFixture(t)
	f.leave(f.newUser("alice"), 0)
	if f.DB.HeldName.Query().ExistX(t.Context()) {
		t.Error("the name is remembered")
	}
	f.wantFree("alice")
}

func TestHoldsThatHaveEndedAreSwept(t *testing.T) {
	f := newFixture(t)
	f.leave(f.newUser("alice"), time.Hour)
	f.leave(f.newUser("bob"), time.Hour+time.Microsecond)
	for _, after := range []time.Duration{0, time.Hour - time.Second, time.Hour - time.Microsecond} {
		f.wantSwept(after, 2)
	}
	f.wantSwept(time.Hour, 1)
	f.wantHeld("bob")
	f.wantSwept(time.Hour+time.Microsecond, 0)
}

// wantSwept sweeps at that time after the start, and checks how many holds are left.
func (f *fixture) wantSwept(after time.Duration, want int) {
	f.t.Helper()
	f.now = start.Add(after)
	if err := f.SweepNames(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	if n := f.DB.HeldName.Query().CountX(f.t.Context()); n != want {
		f.t.Errorf("after %s %d names are held, want %d", after, n, want)
	}
}

func TestNobodyIsRenamedToAHeldName(t *testing.T) {
	f := newFixture(t)
	f.leave(f.newUser("alice"), time.Hour)
	bob := f.newUser("bob")
	ctx := f.as(bob)
	for _, early := range []time.Duration{time.Hour, time.Second, time.Microsecond} {
		f.now = start.Add(time.Hour - early)
		user, err := f.UpdateName(ctx, bob.ID, "Alice")
		if user != nil {
			t.Errorf("got %v", user)
		}
		wantFault(t, err, nameTaken)
	}
	f.wantSame(bob)
	f.wantEvents(bob.ID)

	f.now = start.Add(time.Hour)
	if user, err := f.UpdateName(f.as(bob), bob.ID, "Alice"); err != nil || user.Name != "Alice" {
		t.Errorf("when it is held no more: %v, %v", user, err)
	}
}

// signUp takes the name as who signs up does.
func (f *fixture) signUp(name string) *ent.User {
	f.t.Helper()
	f.wantFree(name)
	return f.newUser(name)
}

func TestWhoGotTheNameOfADeletedUserCanBeDeletedToo(t *testing.T) {
	for how, take := range map[string]func(*fixture, string) *ent.User{
		"when it was free":                       (*fixture).signUp,
		"at a server that doesn't know of holds": (*fixture).newUser,
	} {
		t.Run(how, func(t *testing.T) {
			f := newFixture(t)
			f.leave(f.newUser("alice"), time.Hour)
			f.now = start.Add(time.Hour)
			f.leave(take(f, "alice"), time.Hour)
			f.now = start.Add(2*time.Hour - time.Microsecond)
			f.wantHeld("alice")
			f.now = start.Add(2 * time.Hour)
			f.wantFree("alice")
		})
	}
}

func TestNobodyGetsTheNameOfAUserWhoIsBeingDeleted(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	users := f.newUsers(50)
	contexts := make([]context.Context, len(users))
	for i, user := range users {
		contexts[i] = f.as(user)
	}
	var all sync.WaitGroup
	for i, user := range users {
		all.Go(func() {
			_, err := f.UpdateName(contexts[i], user.ID, "alice")
			wantFault(t, err, nameTaken)
		})
		if i == len(users)/2 {
			all.Go(func() {
				err := f.DB.WithTx(t.Context(), func(tx *ent.Tx) error {
					return f.Delete(t.Context(), tx, alice.ID, time.Hour)
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	if f.DB.User.Query().Where(entuser.NameKey("alice")).ExistX(t.Context()) {
		t.Error("somebody has the name")
	}
	f.wantHeld("alice")
}
