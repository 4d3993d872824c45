package account

import (
	"context"
	"errors"
	"testing"
	"time"

	"nameplate/ent/event"
	"nameplate/internal/fault"
	"nameplate/internal/session"
)

func TestSignOutEndsTheSessionOfTheRequestAlone(t *testing.T) {
	f := newFixture(t)
	alice, first := f.mustSignUp("alice")
	_, second, err := f.signIn("alice", password)
	if err != nil {
		t.Fatal(err)
	}
	response := f.do(first, func(ctx context.Context) {
		if err := f.SignOut(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := session.Current(ctx); !errors.Is(err, session.ErrNone) {
			t.Errorf("after it, in the same request: %v, want ErrNone", err)
		}
	})
	if cookies := response.Cookies(); len(cookies) != 1 || cookies[0].MaxAge != -1 {
		t.Errorf("cookies: %v, want one that clears", cookies)
	}
	f.do(first, func(ctx context.Context) {
		if _, err := session.Current(ctx); !errors.Is(err, session.ErrNone) {
			t.Errorf("the token still opens a session: %v", err)
		}
	})
	f.do(second, func(ctx context.Context) {
		if got := session.UserID(ctx); got != alice.ID {
			t.Error("the other session has ended too")
		}
	})
	f.wantEvents(event.KindSIGNED_UP, event.KindSIGNED_IN, event.KindSIGNED_OUT)
}

func TestSignOutWithoutASessionOnlyClearsTheCookie(t *testing.T) {
	f := newFixture(t)
	response := f.do("unknown", func(ctx context.Context) {
		if err := f.SignOut(ctx); err != nil {
			t.Error(err)
		}
	})
	if cookies := response.Cookies(); len(cookies) != 1 || cookies[0].MaxAge != -1 {
		t.Errorf("cookies: %v, want one that clears", cookies)
	}
	f.wantRows(0, 0, 0)
}

func TestSigningOutTwiceIsOneEvent(t *testing.T) {
	f := newFixture(t)
	_, token := f.mustSignUp("alice")
	f.do(token, func(ctx context.Context) {
		// Another request with the same token comes first.
		f.do(token, func(other context.Context) {
			if err := f.SignOut(other); err != nil {
				t.Error(err)
			}
		})
		if err := f.SignOut(ctx); err != nil {
			t.Error(err)
		}
	})
	f.wantEvents(event.KindSIGNED_UP, event.KindSIGNED_OUT)
}

func TestASignOutThatFailsKeepsTheSession(t *testing.T) {
	f := newFixture(t)
	_, token := f.mustSignUp("alice")
	response := f.do(token, func(ctx context.Context) {
		canceled, cancel := context.WithCancel(ctx)
		f.DB.Event.Use(cancelBefore(cancel))
		if err := f.SignOut(canceled); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if _, err := session.Current(ctx); err != nil {
			t.Errorf("the session has ended: %v", err)
		}
	})
	if cookies := response.Cookies(); len(cookies) != 0 {
		t.Errorf("cookies: %v", cookies)
	}
	f.wantRows(1, 1, 1)
}

func TestReauthenticateNotesTheTime(t *testing.T) {
	f := newFixture(t)
	_, token := f.mustSignUp("alice")
	f.now = start.Add(time.Hour)
	f.do(token, func(ctx context.Context) {
		if err := f.Reauthenticate(ctx, password); err != nil {
			t.Fatal(err)
		}
		row, err := session.Current(ctx)
		if err != nil || !row.AuthenticatedAt.Equal(f.now) {
			t.Errorf("in the same request: %v, %v", row, err)
		}
	})
	if row := f.DB.Session.Query().OnlyX(t.Context()); !row.AuthenticatedAt.Equal(f.now) || !row.CreatedAt.Equal(start) {
		t.Errorf("got %v", row)
	}
	f.wantEvents(event.KindSIGNED_UP, event.KindREAUTHENTICATED)
}

func TestReauthenticateRefuses(t *testing.T) {
	f := newFixture(t)
	_, token := f.mustSignUp("alice")
	f.now = start.Add(time.Hour)
	f.do(token, func(ctx context.Context) {
		wantFaults(t, f.Reauthenticate(ctx, ""), passFault(fault.Required, 0))
		wantFaults(t, f.Reauthenticate(ctx, password+"!"), wrongPassword)
		wantFaults(t, f.Reauthenticate(ctx, password+"\x00"), wrongPassword)
	})
	f.do("", func(ctx context.Context) {
		if err := f.Reauthenticate(ctx, password); !errors.Is(err, session.ErrNone) {
			t.Errorf("got %v without a session, want ErrNone", err)
		}
	})
	if row := f.DB.Session.Query().OnlyX(t.Context()); !row.AuthenticatedAt.Equal(start) {
		t.Errorf("the time was noted: %v", row)
	}
	f.wantEvents(event.KindSIGNED_UP, event.KindSIGN_IN_FAILED)
}

func TestReauthenticateInASessionThatHasEndedMeanwhile(t *testing.T) {
	f := newFixture(t)
	_, token := f.mustSignUp("alice")
	f.do(token, func(ctx context.Context) {
		f.DB.Session.Delete().ExecX(t.Context())
		if err := f.Reauthenticate(ctx, password); !errors.Is(err, session.ErrNone) {
			t.Errorf("got %v, want ErrNone", err)
		}
	})
	f.wantEvents(event.KindSIGNED_UP)
}

func TestReauthenticateOfAUserWhoIsDeletedMeanwhile(t *testing.T) {
	f := newFixture(t)
	alice, token := f.mustSignUp("alice")
	f.do(token, func(ctx context.Context) {
		deleteUserAfterRead(f.DB, alice)
		for range 2 { // between reading and writing, and before
			if err := f.Reauthenticate(ctx, password); !errors.Is(err, session.ErrNone) {
				t.Errorf("got %v, want ErrNone", err)
			}
		}
	})
	f.wantRows(0, 0, 0)
}

func TestAReauthenticationThatFailsHalfwayIsNotNoted(t *testing.T) {
	f := newFixture(t)
	_, token := f.mustSignUp("alice")
	f.now = start.Add(time.Hour)
	f.do(token, func(ctx context.Context) {
		canceled, cancel := context.WithCancel(ctx)
		f.DB.Event.Use(cancelBefore(cancel))
		if err := f.Reauthenticate(canceled, password); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if row, err := session.Current(ctx); err != nil || !row.AuthenticatedAt.Equal(start) {
			t.Errorf("in the same request: %v, %v", row, err)
		}
	})
	if row := f.DB.Session.Query().OnlyX(t.Context()); !row.AuthenticatedAt.Equal(start) {
		t.Errorf("got %v", row)
	}
}
