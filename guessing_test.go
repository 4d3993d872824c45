package main

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// behindProxy is the settings of a server that believes what a client says of its address,
// and waits as long as a slow machine takes.
var behindProxy = map[string]string{"NAMEPLATE_TRUSTED_PROXIES": "127.0.0.1", "NAMEPLATE_MAX_TIME": "5m"}

// guessesWithin is how many guesses at one password may reach its hash in that time: ten,
// and then each after twice as long as the one before.
func guessesWithin(d time.Duration) int64 {
	n := int64(10)
	for wait := time.Second; d >= wait; wait *= 2 {
		d -= wait
		n++
	}
	return n
}

// guesser counts what became of guesses.
type guesser struct {
	t *testing.T
	// reached are those that reached the hash, and waited those that waited for it in vain:
	// they count, and are made again.
	reached, waited, all atomic.Int64
}

func (g *guesser) count(guess func() *answer) {
	g.all.Add(1)
	a := guess()
	for a.code() == "SERVICE_UNAVAILABLE" || a.code() == "TIMEOUT" {
		g.waited.Add(1)
		a = guess()
	}
	retryAfter := 0.0
	if len(a.Errors) > 0 {
		retryAfter, _ = a.Errors[0].Extensions["retryAfter"].(float64)
	}
	switch {
	case strings.Contains(a.Body, `"WRONG_CREDENTIALS"`):
		g.reached.Add(1)
	case a.code() == "COMPLEXITY_LIMIT_EXCEEDED":
	case a.code() != "RATE_LIMITED" || retryAfter < 1 || retryAfter > 900:
		g.t.Errorf("a guess: %s", a.Body)
	}
}

func TestAThousandGuessesAreNoMoreThanTheQuota(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	first := start(t, data, behindProxy)
	owner, thief := newClient(t, first.url, false), newClient(t, first.url, false)
	owner.from, thief.from = "192.0.2.1", "192.0.2.2"
	owner.mustEnter("signUp", "Alice", password)
	thief.mustEnter("signIn", "Alice", password)
	begin := time.Now()
	anonymous, inSessions := &guesser{t: t}, &guesser{t: t}
	// Two servers on one database, and then another in their place.
	second := start(t, data, behindProxy)
	guess(anonymous, inSessions, 0, []*server{first, second}, owner.token, thief.token)
	for _, s := range []*server{first, second} {
		if err := s.stop(); err != nil {
			t.Fatal(err)
		}
	}
	third := start(t, data, behindProxy)
	guess(anonymous, inSessions, 500, []*server{third}, owner.token, thief.token)
	most := guessesWithin(time.Since(begin))
	if n, waited := anonymous.reached.Load(), anonymous.waited.Load(); n+waited < 10 || n > most {
		t.Errorf("%d of the guesses without a session were made and %d waited, want from 10 to %d", n, waited, most)
	}
	if n, waited := inSessions.reached.Load(), inSessions.waited.Load(); n+waited < 10 || n > most {
		t.Errorf("%d of the guesses in sessions were made and %d waited, want from 10 to %d", n, waited, most)
	}
	if n := anonymous.all.Load() + inSessions.all.Load(); n != 1000 {
		t.Errorf("%d guesses, want 1000", n)
	}

	// All that hinders neither who is signed in nor who comes from where they were before.
	owner.url = third.url
	owner.me()
	again := newClient(t, third.url, false)
	again.from = owner.from
	again.mustEnter("signIn", "Alice", password)
	var failures float64
	for _, e := range again.events(100) {
		if e["kind"] == "SIGN_IN_FAILED" {
			failures += e["count"].(float64)
		}
	}
	if n := anonymous.reached.Load() + inSessions.reached.Load(); failures != float64(n) {
		t.Errorf("%v failures are counted, and there were %d", failures, n)
	}
	if n := len(again.events(100)); n > 15 {
		t.Errorf("the flood made %d events", n)
	}
}

// guess makes 500 guesses at Alice's password, a hundred at once, half of them in two
// sessions; no two others come from one address.
func guess(anonymous, inSessions *guesser, from int, servers []*server, tokens ...string) {
	names := []string{"Alice", "ALICE", "ａｌｉｃｅ", "  alice"}
	var all sync.WaitGroup
	for worker := range 100 {
		all.Go(func() {
			for i := range 5 {
				n := from + worker*5 + i
				c := newClient(anonymous.t, servers[n%len(servers)].url, false)
				c.from = fmt.Sprintf("198.51.%d.%d", n/250, n%250+1)
				wrong := fmt.Sprint("wrong password ", n)
				if n%2 == 0 {
					c.token = tokens[n/2%2]
					inSessions.count(func() *answer { return c.guessInSession(n/4%4, wrong) })
					continue
				}
				if n%25 == 1 {
					alias := `: signIn(input: { name: "Alice", password: "` + wrong + `" }) { userErrors { code } } `
					anonymous.count(func() *answer { return c.do(`mutation { a`+alias+`b`+alias+`}`, nil) })
					continue
				}
				anonymous.count(func() *answer { return c.enter("signIn", names[n/2%len(names)], wrong) })
			}
		})
	}
	all.Wait()
}

func (c *client) guessInSession(way int, wrong string) *answer {
	switch way {
	case 0:
		return c.reauthenticate(wrong)
	case 1:
		return c.changePassword(wrong, newPassword)
	case 2:
		return c.do(`mutation($p: String!) { createRecoveryCodes(input: { password: $p }) { recoveryCodes `+userErrorFields+` } }`, vars{"p": wrong})
	default:
		return c.deleteAccount(wrong)
	}
}

func (c *client) deleteAccount(password string) *answer {
	c.t.Helper()
	return c.do(`mutation($p: String!) { deleteAccount(input: { password: $p }) { `+userErrorFields+` } }`, vars{"p": password})
}

func TestFromOneAddressManyAccountsAreGuessedAtNoMoreOften(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), behindProxy)
	begin := time.Now()
	g := &guesser{t: t}
	for i := range 30 {
		c := newClient(t, s.url, false)
		c.from = fmt.Sprintf("2001:db8::%d", i+1) // a client has the whole network
		g.count(func() *answer { return c.enter("signIn", fmt.Sprint("user", i), "wrong password!") })
	}
	if n, most := g.reached.Load(), guessesWithin(time.Since(begin)); n+g.waited.Load() < 10 || n > most {
		t.Errorf("%d guesses were made, want from 10 to %d", n, most)
	}
	elsewhere := newClient(t, s.url, false)
	elsewhere.from = "2001:db8:0:1::1"
	if got := elsewhere.enter("signIn", "user0", "wrong password!").faults("signIn"); !cmp.Equal(got, []string{"WRONG_CREDENTIALS"}) {
		t.Errorf("from another network: %v", got)
	}
}

// Without a trusted proxy nobody can claim another address.
func TestAClaimedAddressIsNotAnother(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), nil)
	begin := time.Now()
	g := &guesser{t: t}
	for i := range 30 {
		c := newClient(t, s.url, false)
		c.from = fmt.Sprintf("198.51.100.%d", i+1)
		g.count(func() *answer { return c.enter("signIn", fmt.Sprint("user", i), "wrong password!") })
	}
	if n, most := g.reached.Load(), guessesWithin(time.Since(begin)); n > most {
		t.Errorf("%d guesses were made, want at most %d", n, most)
	}
}

func TestFailuresOfOthersHinderNoSessionAndNoRecovery(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), behindProxy)
	alice := newClient(t, s.url, false)
	alice.from = "192.0.2.1"
	alice.mustEnter("signUp", "Alice", password)
	codes := alice.recoveryCodes()
	g := &guesser{t: t}
	for i := range 40 {
		c := newClient(t, s.url, false)
		c.from = fmt.Sprintf("198.51.100.%d", i%20+1)
		g.count(func() *answer { return c.enter("signIn", "Alice", "wrong password!") })
	}
	if g.reached.Load() >= 40 {
		t.Fatal("nobody was slowed down")
	}
	if faults := alice.reauthenticate(password).faults("reauthenticate"); faults != nil {
		t.Errorf("in a session: %v", faults)
	}
	if a := alice.changePassword(password, newPassword); a.at("changePassword", "user") == nil {
		t.Errorf("changing the password: %s", a.Body)
	}
	away := newClient(t, s.url, false)
	away.from = "203.0.113.9"
	if a := away.resetPassword("Alice", codes[0], password); a.at("resetPassword", "user") == nil {
		t.Errorf("a recovery code from elsewhere: %s", a.Body)
	}
	// That shows who it is: the counts begin anew.
	further := newClient(t, s.url, false)
	further.from = "203.0.113.10"
	further.mustEnter("signIn", "Alice", password)
}

func TestWithoutThrottlingNobodyIsRefused(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), map[string]string{"NAMEPLATE_THROTTLE": "off"})
	c := newClient(t, s.url, false)
	for range 25 {
		if got := c.enter("signIn", "Alice", "wrong password!").faults("signIn"); !cmp.Equal(got, []string{"WRONG_CREDENTIALS"}) {
			t.Fatalf("got %v", got)
		}
	}
}
