package account

import (
	"context"
	"errors"
	"strings"
	"testing"

	"nameplate/ent/event"
	"nameplate/internal/fault"
	"nameplate/internal/session"
)

func TestSignInByAnyWritingOfTheName(t *testing.T) {
	f := newFixture(t)
	alice, first := f.mustSignUp("Alice Doe")
	for _, name := range []string{"Alice Doe", "alice doe", "ALICE DOE", "Ａｌｉｃｅ\u3000Ｄｏｅ", "  alice   doe\n"} {
		user, token, err := f.signIn(name, password)
		if err != nil || user.ID != alice.ID || token == "" || token == first {
			t.Errorf("%q: %v, %v", name, user, err)
		}
		f.do(token, func(ctx context.Context) {
			if got := session.UserID(ctx); got != alice.ID {
				t.Errorf("the token is of %s, want %s", got, alice.ID)
			}
		})
	}
	f.wantRows(1, 6, 6)
}

func TestSignInIsAnEvent(t *testing.T) {
	f := newFixture(t)
	f.mustSignUp("alice")
	if _, _, err := f.signIn("alice", password); err != nil {
		t.Fatal(err)
	}
	f.wantEvents(event.KindSIGNED_UP, event.KindSIGNED_IN)
}

func TestSignInIsSeenByTheNextFieldOfTheRequest(t *testing.T) {
	f := newFixture(t)
	alice, _ := f.mustSignUp("alice")
	f.do("", func(ctx context.Context) {
		if _, _, err := f.SignIn(ctx, "alice", password); err != nil {
			t.Fatal(err)
		}
		if got := session.UserID(ctx); got != alice.ID {
			t.Errorf("the request's user is %s, want %s", got, alice.ID)
		}
	})
}

func TestSignInNeedsBothValues(t *testing.T) {
	f := newFixture(t)
	for _, tt := range []struct {
		user, password string
		want           []fault.Error
	}{
		{"", "", []fault.Error{nameFault(fault.Required), passFault(fault.Required, 0)}},
		{"", password, []fault.Error{nameFault(fault.Required)}},
		{"alice", "", []fault.Error{passFault(fault.Required, 0)}},
	} {
		_, _, err := f.signIn(tt.user, tt.password)
		wantFaults(t, err, tt.want...)
	}
}

// Neither the answer nor the work must tell whether there is such a user.
func TestAWrongPasswordAndAMissingUserAreTheSame(t *testing.T) {
	f := newFixture(t)
	f.mustSignUp("alice")
	for _, tt := range []struct{ name, user, password string }{
		{"wrong password", "alice", password + "!"},
		{"case of the password", "alice", strings.ToUpper(password)},
		{"white space around the password", "alice", " " + password},
		{"missing user", "bob", password},
		{"missing user, wrong password", "bob", "x"},
		{"no name that anyone can have", "a@b", password},
		{"name of one character", "a", password},
		{"white space for a name", "  ", password},
		{"password that no one can have", "alice", "correct\x00horse"},
		{"password not in UTF-8", "alice", "correct\xff"},
		{"missing user, password that no one can have", "bob", "correct\x00horse"},
		{"huge password", "alice", strings.Repeat(password, 10000)},
		{"missing user, huge password", "bob", strings.Repeat(password, 10000)},
		{"huge name", strings.Repeat("a", 1<<20), password},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := f.hashes.Load()
			user, token, err := f.signIn(tt.user, tt.password)
			if user != nil || token != "" {
				t.Errorf("got %v, token %q", user, token)
			}
			wantFaults(t, err, fault.Error{Code: fault.WrongCredentials})
			if n := f.hashes.Load() - before; n != 1 {
				t.Errorf("%d passwords were hashed, want 1", n)
			}
		})
	}
	f.wantRows(1, 1, 3) // all failures with the name alice are one event, and those with others'
}

func TestAMissingUserCostsWhatANewUserCosts(t *testing.T) {
	f := newFixture(t)
	var costs [][3]uint32
	key := f.passwords.key
	f.passwords.key = func(password, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte {
		costs = append(costs, [3]uint32{time, memory, uint32(threads)})
		return key(password, salt, time, memory, threads, keyLen)
	}
	f.mustSignUp("alice")
	for _, name := range []string{"alice", "bob"} {
		_, _, err := f.signIn(name, "x")
		wantFaults(t, err, fault.Error{Code: fault.WrongCredentials})
	}
	if len(costs) != 3 || costs[1] != costs[0] || costs[2] != costs[0] {
		t.Errorf("time, memory, threads of sign-up, wrong password and missing user: %v", costs)
	}
}

func TestSignInOfAUserWhoIsDeletedMeanwhile(t *testing.T) {
	f := newFixture(t)
	alice, _ := f.mustSignUp("alice")
	deleteUserAfterRead(f.DB, alice)
	_, _, err := f.signIn("alice", password)
	wantFaults(t, err, fault.Error{Code: fault.WrongCredentials})
	f.wantRows(0, 0, 0)
}

func TestASignInThatFailsHalfwayLeavesNothing(t *testing.T) {
	f := newFixture(t)
	f.mustSignUp("alice")
	response := f.do("", func(ctx context.Context) {
		ctx, cancel := context.WithCancel(ctx)
		f.DB.Session.Use(cancelBefore(cancel))
		user, token, err := f.SignIn(ctx, "alice", password)
		if user != nil || token != nil || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, %v, %v", user, token, err)
		}
	})
	if cookies := response.Cookies(); len(cookies) != 0 {
		t.Errorf("cookies: %v", cookies)
	}
	f.wantRows(1, 1, 1)
}

func TestADamagedHashIsAnErrorAndNoSession(t *testing.T) {
	f := newFixture(t)
	alice, _ := f.mustSignUp("alice")
	f.DB.User.UpdateOneID(alice.ID).SetPasswordHash("damaged").ExecX(t.Context())
	_, _, err := f.signIn("alice", password)
	var refused *fault.Error
	if err == nil || errors.As(err, &refused) {
		t.Errorf("got %v, want an error that is no fault", err)
	}
	f.wantRows(1, 1, 1)
}
