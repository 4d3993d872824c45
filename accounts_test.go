package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// journey of an account over HTTP: what a person sees and ends of their sessions.

const sessionFields = `id isCurrent device ipAddress createdAt lastSeenAt expiresAt`

type sessionSeen struct {
	id, device string
	isCurrent  bool
}

func (c *client) sessions() (list []sessionSeen) {
	c.t.Helper()
	all, ok := c.do(`{ me { sessions { `+sessionFields+` } } }`, nil).at("me", "sessions").([]any)
	if !ok {
		c.t.Fatal("no sessions")
	}
	for _, item := range all {
		s := item.(map[string]any)
		list = append(list, sessionSeen{s["id"].(string), s["device"].(string), s["isCurrent"].(bool)})
		if s["ipAddress"] != "127.0.0.1" || s["createdAt"] == nil || s["lastSeenAt"] == nil || s["expiresAt"] == nil {
			c.t.Errorf("a session is %v", s)
		}
	}
	return list
}

func TestAPersonSeesAndEndsTheirSessions(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), nil)
	phone, laptop, tv := newClient(t, s.url, true), newClient(t, s.url, false), newClient(t, s.url, false)
	phone.agent = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36"
	laptop.agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
	tv.agent = "curl/8.5.0"
	phone.mustEnter("signUp", "Alice", password)
	laptop.mustEnter("signIn", "Alice", password)
	tv.mustEnter("signIn", "Alice", password)
	bob := newClient(t, s.url, false)
	bob.mustEnter("signUp", "Bob", password)

	seen := laptop.sessions()
	var devices []string
	for _, s := range seen {
		devices = append(devices, fmt.Sprint(s.device, " ", s.isCurrent))
	}
	want := []string{"curl false", "Firefox on Linux true", "Chrome on Android false"}
	if diff := cmp.Diff(want, devices); diff != "" {
		t.Errorf("sessions (-want +got):\n%s", diff)
	}

	for _, id := range []string{bob.sessions()[0].id, "00000000-0000-0000-0000-000000000000", "x", strings.Repeat("x", 1000), ""} {
		if got := laptop.revoke(id).faults("revokeSession"); !cmp.Equal(got, []string{"SESSION_NOT_FOUND id"}) {
			t.Errorf("ending a session of nobody's, %q: %v", id, got)
		}
	}
	if a := laptop.revoke(seen[0].id); a.at("revokeSession", "revokedSessionId") != seen[0].id {
		t.Errorf("ending the session of the TV: %s", a.Body)
	}
	if code := tv.do(`{ me { name } }`, nil).code(); code != "UNAUTHENTICATED" {
		t.Errorf("the session that was ended gets %q", code)
	}
	if got := laptop.revoke(seen[0].id).faults("revokeSession"); !cmp.Equal(got, []string{"SESSION_NOT_FOUND id"}) {
		t.Errorf("ending it again: %v", got)
	}
	a := laptop.do(`mutation { revokeOtherSessions { revokedSessionIds `+userErrorFields+` } }`, nil)
	if diff := cmp.Diff([]any{seen[2].id}, a.at("revokeOtherSessions", "revokedSessionIds")); diff != "" {
		t.Errorf("ending all others (-want +got):\n%s", diff)
	}
	if code := phone.do(`{ me { name } }`, nil).code(); code != "UNAUTHENTICATED" {
		t.Errorf("the phone gets %q", code)
	}
	if a := laptop.revoke(seen[1].id); a.at("revokeSession", "revokedSessionId") != seen[1].id {
		t.Errorf("ending one's own: %s", a.Body)
	}
	if code := laptop.do(`{ me { name } }`, nil).code(); code != "UNAUTHENTICATED" {
		t.Errorf("after that it gets %q", code)
	}
	if got := bob.me()["name"]; got != "Bob" {
		t.Errorf("another user's session shows %v", got)
	}
}

func (c *client) revoke(id string) *answer {
	c.t.Helper()
	return c.do(`mutation($id: ID!) { revokeSession(id: $id) { revokedSessionId `+userErrorFields+` } }`, vars{"id": id})
}

func TestAUserHasAtMostFiftySessions(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), nil)
	first := newClient(t, s.url, false)
	first.mustEnter("signUp", "Alice", password)
	clients := []*client{first}
	for range 50 {
		c := newClient(t, s.url, false)
		c.mustEnter("signIn", "Alice", password)
		clients = append(clients, c)
	}
	if code := first.do(`{ me { name } }`, nil).code(); code != "UNAUTHENTICATED" {
		t.Errorf("the oldest of 51 sessions gets %q", code)
	}
	if n := len(clients[1].sessions()); n != 50 {
		t.Errorf("%d sessions, want 50", n)
	}
}
