package account

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nameplate/internal/fault"
)

func TestAnAttemptThatComesToNoHashIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		_, token := f.mustSignUp("alice")
		key, busy := f.passwords.key, make(chan struct{})
		f.passwords.key = func(p, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte {
			<-busy
			return key(p, salt, time, memory, threads, keyLen)
		}
		var hashing sync.WaitGroup
		for range 2 {
			hashing.Go(func() { _, _ = f.passwords.hash(t.Context(), "mallory", password) })
		}
		synctest.Wait()
		unavailable := func(what string, err error) {
			t.Helper()
			if _, ok := errors.AsType[*fault.Unavailable](err); !ok {
				t.Errorf("%s: %v, want Unavailable", what, err)
			}
		}
		for range 30 {
			_, _, err := f.signIn("alice", password)
			unavailable("sign in", err)
			f.do(token, func(ctx context.Context) { unavailable("reauthenticate", f.Reauthenticate(ctx, password)) })
			f.do("", func(ctx context.Context) {
				_, _, err := f.ResetPassword(ctx, "alice", "AAAA-AAAA-AAAA-AAAA", nextPassword)
				unavailable("reset", err)
			})
		}
		close(busy)
		hashing.Wait()
		if _, _, err := f.signIn("alice", password); err != nil {
			t.Errorf("when it isn't busy any more: %v", err)
		}
	})
}

// One who loops with the right password would else use up what the address has.
func TestARightPasswordIsEnteredInASessionOnlySoOften(t *testing.T) {
	f := newFixture(t)
	_, token := f.mustSignUp("alice")
	f.do(token, func(ctx context.Context) {
		for range 60 {
			if err := f.Reauthenticate(ctx, password); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Reauthenticate(ctx, password); !isLimited(err) {
			t.Errorf("once more: %v", err)
		}
		f.now = f.now.Add(time.Second)
		if err := f.Reauthenticate(ctx, password); err != nil {
			t.Errorf("a second later: %v", err)
		}
	})
}

// Nor with new ones that are refused. The present one was right each time, so none was a guess.
func TestAGuessablePasswordIsChosenInASessionOnlySoOften(t *testing.T) {
	f := newFixture(t)
	_, token := f.mustSignUp("alice")
	for range 60 {
		wantFaults(t, f.changePassword(token, password, "password1"),
			fault.Error{Code: fault.PasswordTooCommon, Field: "newPassword"})
	}
	if err := f.changePassword(token, password, "password1"); !isLimited(err) {
		t.Errorf("once more: %v", err)
	}
	_, other := f.mustSignUp("bob")
	if err := f.changePassword(other, password, "wool drum northward"); err != nil {
		t.Errorf("another user at the address: %v", err)
	}
}

func TestWhoIsSignedInWaitsForNoPasswordsOfNeighbours(t *testing.T) {
	f := newFixture(t)
	_, token := f.mustSignUp("alice")
	f.do("", func(ctx context.Context) {
		for f.Attempts.Take(ctx, hashed.Of("hash", askerOf(ctx))) == nil {
		}
		if _, _, err := f.SignIn(ctx, "alice", password); !isLimited(err) {
			t.Errorf("sign-in: %v", err)
		}
		if _, _, err := f.SignUp(ctx, "bob", password); !isLimited(err) {
			t.Errorf("sign-up: %v", err)
		}
		if _, _, err := f.ResetPassword(ctx, "alice", "code", password); !isLimited(err) {
			t.Errorf("a code: %v", err)
		}
	})
	f.do(token, func(ctx context.Context) {
		if err := f.Reauthenticate(ctx, password); err != nil {
			t.Errorf("the password in a session: %v", err)
		}
	})
}

func isLimited(err error) bool {
	_, ok := errors.AsType[*fault.RateLimited](err)
	return ok
}
