package account

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"nameplate/ent"
	"nameplate/ent/event"
	"nameplate/internal/fault"
	"nameplate/internal/session"
	"nameplate/internal/username"
)

func TestSignUpMakesAUserWhoIsSignedIn(t *testing.T) {
	f := newFixture(t)
	var token *string
	response := f.do("", func(ctx context.Context) {
		user, issued, err := f.SignUp(ctx, " Ａlice ", password)
		if err != nil {
			t.Fatal(err)
		}
		if user.Name != "Alice" || user.NameKey != "alice" || !user.CreatedAt.Equal(start) || !user.UpdatedAt.Equal(start) {
			t.Errorf("got %v", user)
		}
		if got := session.UserID(ctx); got != user.ID {
			t.Errorf("the request's user is %s, want %s", got, user.ID)
		}
		token = issued
	})
	if cookies := response.Cookies(); len(cookies) != 1 || token == nil || cookies[0].Value != *token {
		t.Errorf("cookies %v, token %v", cookies, token)
	}
	f.wantRows(1, 1, 1)
	f.wantEvents(event.KindSIGNED_UP)
}

func TestSignUpRefuses(t *testing.T) {
	f := newFixture(t)
	f.mustSignUp("taken")
	for _, tt := range []struct {
		name, user, password string
		want                 []fault.Error
	}{
		{"nothing", "", "", []fault.Error{nameFault(fault.Required), passFault(fault.Required, 0)}},
		{"no name", "", password, []fault.Error{nameFault(fault.Required)}},
		{"no password", "alice", "", []fault.Error{passFault(fault.Required, 0)}},
		{"short name", "a", password, []fault.Error{{Code: fault.TooShort, Field: "name", Limit: username.MinLength}}},
		{"long name", strings.Repeat("a", username.MaxLength+1), password, []fault.Error{{Code: fault.TooLong, Field: "name", Limit: username.MaxLength}}},
		{"bad name", "a@b", password, []fault.Error{{Code: fault.InvalidCharacter, Field: "name", Detail: "@"}}},
		{"bad name, short password", "a@b", "correct", []fault.Error{{Code: fault.InvalidCharacter, Field: "name", Detail: "@"}, passFault(fault.TooShort, 8)}},
		{"taken name", "taken", password, []fault.Error{nameFault(fault.NameTaken)}},
		{"taken name in another writing", " ＴＡＫＥＮ", password, []fault.Error{nameFault(fault.NameTaken)}},
		{"taken name, short password", "taken", "correct", []fault.Error{passFault(fault.TooShort, 8)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			user, token, err := f.signUp(tt.user, tt.password)
			if user != nil || token != "" {
				t.Errorf("got %v, token %q", user, token)
			}
			wantFaults(t, err, tt.want...)
		})
	}
	f.wantRows(1, 1, 1)
}

func nameFault(code fault.Code) fault.Error { return fault.Error{Code: code, Field: "name"} }

func passFault(code fault.Code, limit int) fault.Error {
	return fault.Error{Code: code, Field: "password", Limit: limit}
}

// wrongPassword is the fault where only that can be wrong.
var wrongPassword = fault.Error{Code: fault.WrongCredentials, Field: "password", Detail: fault.DetailPassword}

func TestARefusedSignUpSetsNoCookie(t *testing.T) {
	f := newFixture(t)
	f.mustSignUp("taken")
	response := f.do("", func(ctx context.Context) {
		if _, _, err := f.SignUp(ctx, "taken", password); err == nil {
			t.Error("signed up")
		}
		if _, err := session.Current(ctx); !errors.Is(err, session.ErrNone) {
			t.Errorf("got %v, want ErrNone", err)
		}
	})
	if cookies := response.Cookies(); len(cookies) != 0 {
		t.Errorf("cookies: %v", cookies)
	}
}

func TestOfManySignUpsWithOneNameOneSucceeds(t *testing.T) {
	f := newFixture(t)
	writings := []string{"alice", "Alice", "ＡＬＩＣＥ", " aLice\u3000"}
	var won, taken atomic.Int64
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			_, _, err := f.signUp(writings[i%len(writings)], password)
			var refused *fault.Error
			switch {
			case err == nil:
				won.Add(1)
			case errors.As(err, &refused) && *refused == nameFault(fault.NameTaken):
				taken.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 || taken.Load() != 99 {
		t.Errorf("%d have signed up and %d were told that the name is taken, want 1 and 99", won.Load(), taken.Load())
	}
	f.wantRows(1, 1, 1)
}

func TestManySignUpsAtOnce(t *testing.T) {
	f := newFixture(t)
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			if _, _, err := f.signUp(fmt.Sprint("user", i), password); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	f.wantRows(100, 100, 100)
}

// What a use case writes is written whole or not at all: here the client leaves
// when the event, or the session, is about to be written.
func TestASignUpThatFailsHalfwayLeavesNothing(t *testing.T) {
	for name, use := range map[string]func(*ent.Client, ent.Hook){
		"event":   func(db *ent.Client, hook ent.Hook) { db.Event.Use(hook) },
		"session": func(db *ent.Client, hook ent.Hook) { db.Session.Use(hook) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.do("", func(ctx context.Context) {
				ctx, cancel := context.WithCancel(ctx)
				use(f.DB, cancelBefore(cancel))
				user, token, err := f.SignUp(ctx, "alice", password)
				if user != nil || token != nil || !errors.Is(err, context.Canceled) {
					t.Errorf("got %v, %v, %v", user, token, err)
				}
				wantNoPassword(t, err)
			})
			f.wantRows(0, 0, 0)
		})
	}
}
