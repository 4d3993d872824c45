package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"nameplate/ent"
	"nameplate/ent/event"
	"nameplate/ent/session"
)

// The settings of how long something lives, by what they do to a server.

// sessionTimes are those of the client's own session, of which there is one.
func (c *client) sessionTimes() (createdAt, lastSeenAt, expiresAt time.Time) {
	c.t.Helper()
	list, _ := c.do(`{ me { sessions { createdAt lastSeenAt expiresAt } } }`, nil).at("me", "sessions").([]any)
	if len(list) != 1 {
		c.t.Fatalf("%d sessions", len(list))
	}
	var times [3]time.Time
	for i, name := range []string{"createdAt", "lastSeenAt", "expiresAt"} {
		var err error
		if times[i], err = time.Parse(time.RFC3339, list[0].(map[string]any)[name].(string)); err != nil {
			c.t.Fatal(err)
		}
	}
	return times[0], times[1], times[2]
}

// wasSeen moves the last use of every session into the past.
func wasSeen(t *testing.T, s *server, ago time.Duration) {
	t.Helper()
	inDatabase(t, s, func(ctx context.Context, db *ent.Client) error {
		n, err := db.Session.Update().Where(session.LastSeenAtGT(time.Time{})).SetLastSeenAt(now().Add(-ago)).Save(ctx)
		if n == 0 {
			t.Error("no session was moved")
		}
		return err
	})
}

func TestASessionThatIsNotUsedLivesAsLongAsTheSettingSays(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), map[string]string{"NAMEPLATE_SESSION_IDLE": "5m", "NAMEPLATE_SESSION_ABSOLUTE": "87h"})
	c := newClient(t, s.url, false)
	c.mustEnter("signUp", "Alice", password)
	if _, seen, expires := c.sessionTimes(); expires.Sub(seen) != 5*time.Minute {
		t.Errorf("last seen at %s it ends at %s", seen, expires)
	}
	wasSeen(t, s, 4*time.Minute)
	if _, seen, expires := c.sessionTimes(); expires.Sub(seen) != 5*time.Minute || time.Since(seen) > 3*time.Minute {
		t.Errorf("used again at %s it ends at %s", seen, expires)
	}
	wasSeen(t, s, 5*time.Minute)
	if code := c.do(`{ me { name } }`, nil).code(); code != "UNAUTHENTICATED" {
		t.Errorf("after five minutes without a request it gets %q", code)
	}
}

func TestNoSessionLivesLongerThanTheSettingSays(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), map[string]string{"NAMEPLATE_SESSION_IDLE": "20m", "NAMEPLATE_SESSION_ABSOLUTE": "10m"})
	c := newClient(t, s.url, false)
	c.mustEnter("signUp", "Alice", password)
	if created, _, expires := c.sessionTimes(); expires.Sub(created) != 10*time.Minute {
		t.Errorf("begun at %s it ends at %s", created, expires)
	}
	browser := newClient(t, s.url, true)
	cookies := browser.enter("signIn", "Alice", password).Header.Values("Set-Cookie")
	if len(cookies) != 1 || !strings.Contains(cookies[0], "; Max-Age=600;") {
		t.Errorf("the cookies are %q", cookies)
	}
}

func TestANameThatIsNotHeldIsFreeAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), map[string]string{"NAMEPLATE_NAME_HOLD": "0"})
	c, other := newClient(t, s.url, false), newClient(t, s.url, false)
	c.mustEnter("signUp", "Alice", password)
	before := c.me()["id"]
	if a := c.deleteAccount(password); a.code() != "" || a.faults("deleteAccount") != nil {
		t.Fatalf("deleting: %s", a.Body)
	}
	other.mustEnter("signUp", "ALICE", password)
	if other.me()["id"] == before {
		t.Error("the new user is the old one")
	}
}

// A server sweeps when it starts: that it does so with this setting shows that it does.
func TestEventsThatAreOlderThanTheSettingAreGoneAfterAStart(t *testing.T) {
	t.Parallel()
	data, env := t.TempDir(), map[string]string{"NAMEPLATE_KEEP_EVENTS": "2h"}
	s := start(t, data, env)
	c := newClient(t, s.url, false)
	c.mustEnter("signUp", "Alice", password)
	inDatabase(t, s, func(ctx context.Context, db *ent.Client) error {
		user := db.User.Query().OnlyX(ctx)
		for _, ago := range []time.Duration{3 * time.Hour, 2*time.Hour + time.Second, 2*time.Hour - 10*time.Minute} {
			db.Event.Create().SetUserID(user.ID).SetKind(event.KindNAME_CHANGED).SetAt(now().Add(-ago)).ExecX(ctx)
		}
		return nil
	})
	if n := len(c.events(100)); n != 4 {
		t.Fatalf("%d events before, want 4", n)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	c.url = start(t, data, env).url
	var left []map[string]any
	waitUntil(t, "the old events are gone", func() bool {
		left = c.events(100)
		return len(left) <= 2
	})
	if len(left) != 2 || left[0]["kind"] != "SIGNED_UP" || left[1]["kind"] != "NAME_CHANGED" {
		t.Errorf("left are %v", left)
	}
}
