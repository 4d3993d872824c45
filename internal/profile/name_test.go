package profile

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nameplate/ent/event"
	entuser "nameplate/ent/user"
	"nameplate/internal/fault"
	"nameplate/internal/username"
)

func TestUpdateNameChangesTheName(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	f.now = start.Add(time.Hour)
	user, err := f.UpdateName(f.as(alice), alice.ID, " Ｂob ")
	if err != nil {
		t.Fatal(err)
	}
	if user.Name != "Bob" || user.NameKey != "bob" || !user.UpdatedAt.Equal(f.now) || !user.CreatedAt.Equal(start) {
		t.Errorf("got %v", user)
	}
	f.wantSame(user)
	f.wantEvents(alice.ID, event.KindNAME_CHANGED)
	if row := f.DB.Event.Query().OnlyX(t.Context()); row.IPAddress != address || !row.At.Equal(f.now) {
		t.Errorf("the event is %v", row)
	}
}

func TestTheSameNameIsNoChange(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	f.now = start.Add(time.Hour)
	for _, name := range []string{"alice", " alice\n", "ａｌｉｃｅ"} {
		if _, err := f.UpdateName(f.as(alice), alice.ID, name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	f.wantSame(alice)
	f.wantEvents(alice.ID)
}

func TestOnesOwnNameMayBeWrittenDifferently(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	user, err := f.UpdateName(f.as(alice), alice.ID, "ALICE")
	if err != nil || user.Name != "ALICE" || user.NameKey != "alice" {
		t.Errorf("got %v, %v", user, err)
	}
	f.wantEvents(alice.ID, event.KindNAME_CHANGED)
}

func TestARefusedNameLeavesNothingBehind(t *testing.T) {
	f := newFixture(t)
	alice, bob := f.newUser("alice"), f.newUser("bob")
	f.now = start.Add(time.Hour)
	for name, want := range map[string]fault.Error{
		"":      {Code: fault.Required, Field: "name"},
		" \t":   {Code: fault.Required, Field: "name"},
		"a":     {Code: fault.TooShort, Field: "name", Limit: username.MinLength},
		"a@b":   {Code: fault.InvalidCharacter, Field: "name", Detail: "@"},
		"bob":   {Code: fault.NameTaken, Field: "name"},
		" ＢOb ": {Code: fault.NameTaken, Field: "name"},
		strings.Repeat("a", username.MaxLength+1): {Code: fault.TooLong, Field: "name", Limit: username.MaxLength},
	} {
		user, err := f.UpdateName(f.as(alice), alice.ID, name)
		if user != nil {
			t.Errorf("%q: got %v", name, user)
		}
		wantFault(t, err, want)
	}
	f.wantSame(alice)
	f.wantSame(bob)
	f.wantEvents(alice.ID)
}

func TestANameThatWasGivenUpIsFree(t *testing.T) {
	f := newFixture(t)
	alice, bob := f.newUser("alice"), f.newUser("bob")
	if _, err := f.UpdateName(f.as(alice), alice.ID, "carol"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.UpdateName(f.as(bob), bob.ID, "Alice"); err != nil {
		t.Error(err)
	}
}

func TestOfManyUsersWhoWantOneNameOneGetsIt(t *testing.T) {
	f := newFixture(t)
	writings := []string{"wanted", "Wanted", "ＷＡＮＴＥＤ"}
	var won, taken atomic.Int64
	var all sync.WaitGroup
	users := f.newUsers(100)
	contexts := make([]context.Context, len(users))
	for i, user := range users {
		contexts[i] = f.as(user)
	}
	for i, user := range users {
		all.Go(func() {
			_, err := f.UpdateName(contexts[i], user.ID, writings[i%len(writings)])
			var refused *fault.Error
			switch {
			case err == nil:
				won.Add(1)
			case errors.As(err, &refused) && refused.Code == fault.NameTaken:
				taken.Add(1)
				f.wantSame(user)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 || taken.Load() != 99 {
		t.Errorf("%d have the name and %d were told that it is taken, want 1 and 99", won.Load(), taken.Load())
	}
	winner := f.DB.User.Query().Where(entuser.NameKey("wanted")).OnlyX(t.Context())
	f.wantEvents(winner.ID, event.KindNAME_CHANGED)
	if n := f.DB.Event.Query().CountX(t.Context()); n != 1 {
		t.Errorf("%d events, want 1", n)
	}
}

func TestANameWithoutItsEventIsNotChanged(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	failure := f.failEvents()
	if _, err := f.UpdateName(f.as(alice), alice.ID, "bob"); !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
	f.wantSame(alice)
}
