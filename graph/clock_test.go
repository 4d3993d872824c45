package graph

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The limits of time are tried over HTTP, on both sides of each by the services' clock.

// caller sends queries to a server of the endpoint.
type caller struct {
	*endpoint
	url string
}

func (e *endpoint) listen() *caller {
	server := httptest.NewServer(e)
	e.t.Cleanup(server.Close)
	return &caller{e, server.URL + "/graphql"}
}

// ask sends a query, with the token of a session unless that is empty.
func (c *caller) ask(token, query string) *answer {
	c.t.Helper()
	r, err := http.NewRequest(http.MethodPost, c.url, strings.NewReader(toJSON(c.t, vars{"query": query})))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	return parseAnswer(c.t, res)
}

const myName = `{ me { name } }`

// want checks what a query is refused with: a code of the response's errors or of its
// userErrors; nothing where it is not.
func (c *caller) want(what, token, query, code string) {
	c.t.Helper()
	a := c.ask(token, query)
	got := a.code()
	for mutation := range a.Data {
		if fault := a.fault(mutation); fault != "" {
			got = fault
		}
	}
	if got != code {
		c.t.Errorf("%s: %q, want %q: %s", what, got, code, a.Body)
	}
}

func signInAs(name, password string) string {
	return fmt.Sprintf(`mutation { signIn(input: { name: %q, password: %q }) { sessionToken userErrors { code } } }`, name, password)
}

func signUpAs(name string) string {
	return fmt.Sprintf(`mutation { signUp(input: { name: %q, password: %q }) { sessionToken userErrors { code } } }`, name, everybodysPassword)
}

func (c *caller) mustSignUp(name string) (token string) {
	c.t.Helper()
	a := c.ask("", signUpAs(name))
	payload, _ := a.Data["signUp"].(map[string]any)
	token, ok := payload["sessionToken"].(string)
	if !ok {
		c.t.Fatal(a.Body)
	}
	return token
}

func TestASessionEndsWhenItIsNotUsed(t *testing.T) {
	c := newEndpoint(t).listen()
	token := c.mustSignUp("Alice")
	for range 2 { // being used puts it off
		c.clock.advance(c.sessions.Idle - time.Second)
		c.want("a second before", token, myName, "")
	}
	c.clock.advance(c.sessions.Idle)
	c.want("then", token, myName, "UNAUTHENTICATED")
}

func TestASessionEndsHoweverMuchItIsUsed(t *testing.T) {
	c := newEndpoint(t).listen()
	token := c.mustSignUp("Alice")
	for range 29 {
		c.clock.advance(24 * time.Hour)
		c.want("a day later", token, myName, "")
	}
	c.clock.advance(24*time.Hour - time.Second)
	c.want("a second before", token, myName, "")
	c.clock.advance(time.Second)
	c.want("then", token, myName, "UNAUTHENTICATED")
}

func TestWhenASessionEndsIsSaidAndWhenItWasSeen(t *testing.T) {
	c := newEndpoint(t).listen()
	token := c.mustSignUp("Alice")
	times := func() [2]string {
		t.Helper()
		a := c.ask(token, `{ me { sessions { lastSeenAt expiresAt } } }`)
		s := a.Data["me"].(map[string]any)["sessions"].([]any)[0].(map[string]any)
		return [2]string{s["lastSeenAt"].(string), s["expiresAt"].(string)}
	}
	begin := c.clock.Now()
	at := func(seen, ends time.Duration) [2]string {
		return [2]string{begin.Add(seen).Format(time.RFC3339), begin.Add(ends).Format(time.RFC3339)}
	}
	const day = 24 * time.Hour
	c.clock.advance(59 * time.Second)
	if got, want := times(), at(0, 7*day); got != want {
		t.Errorf("within a minute: %v, want %v", got, want)
	}
	c.clock.advance(time.Second)
	if got, want := times(), at(time.Minute, 7*day+time.Minute); got != want {
		t.Errorf("after a minute: %v, want %v", got, want)
	}
	for range 25 {
		c.clock.advance(day)
		times()
	}
	if got, want := times(), at(time.Minute+25*day, 30*day); got != want {
		t.Errorf("near its end: %v, want %v", got, want)
	}
}

func TestWrongPasswordsWaitLongerAndLonger(t *testing.T) {
	c := newEndpoint(t).listen()
	c.mustSignUp("Alice")
	c.db.Event.Delete().ExecX(t.Context()) // so that nobody knows the address
	wrong := signInAs("Alice", "wrong password!")
	for range 10 {
		c.want("a free attempt", "", wrong, "WRONG_CREDENTIALS")
	}
	for _, wait := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900} {
		wait *= time.Second
		a := c.ask("", wrong)
		if a.code() != "RATE_LIMITED" || a.Errors[0].Extensions["retryAfter"] != wait.Seconds() {
			t.Fatalf("%s, want a wait of %s", a.Body, wait)
		}
		c.clock.advance(wait - time.Second)
		if wait > time.Second {
			c.want("a second before", "", wrong, "RATE_LIMITED")
		}
		c.want("the right password then", "", signInAs("Alice", everybodysPassword), "RATE_LIMITED")
		c.clock.advance(time.Second)
		c.want("then", "", wrong, "WRONG_CREDENTIALS")
	}
	c.clock.advance(15 * time.Minute)
	c.want("the right password", "", signInAs("Alice", everybodysPassword), "")
}

func TestAMissingUserIsThrottledLikeOneWhoIsThere(t *testing.T) {
	c := newEndpoint(t).listen()
	c.mustSignUp("Alice")
	c.db.Event.Delete().ExecX(t.Context())
	var of [2][]string
	for i, name := range []string{"Alice", "Bob"} {
		c.db.Attempt.Delete().ExecX(t.Context())
		for n := range 40 {
			a := c.ask("", signInAs(name, "wrong password!"))
			of[i] = append(of[i], a.code()+a.fault("signIn"))
			c.clock.advance(time.Duration(n) * time.Second)
		}
	}
	if diff := cmp.Diff(of[0], of[1]); diff != "" {
		t.Errorf("the answers (-there +not there):\n%s", diff)
	}
}

func TestAnAddressSignsUpSoManyUsersAtOnce(t *testing.T) {
	c := newEndpoint(t).listen()
	for i := range 100 {
		c.want("a user", "", signUpAs(fmt.Sprint("user ", i)), "")
	}
	c.want("one more", "", signUpAs("one more"), "RATE_LIMITED")
	c.clock.advance(time.Second)
	c.want("a second later", "", signUpAs("one more"), "")
	c.want("at once after it", "", signUpAs("and one"), "RATE_LIMITED")
}

func TestALinkOfAnOperatorEndsAfterADay(t *testing.T) {
	for later, want := range map[time.Duration]string{24*time.Hour - time.Second: "", 24 * time.Hour: "WRONG_CREDENTIALS"} {
		c := newEndpoint(t).listen()
		c.mustSignUp("Alice")
		_, code, expires, err := c.resolver.Accounts.ResetCode(t.Context(), "Alice")
		if err != nil || !expires.Equal(c.clock.Now().Add(24*time.Hour)) {
			t.Fatalf("until %s, %v", expires, err)
		}
		c.clock.advance(later)
		c.want(fmt.Sprint("after ", later), "", fmt.Sprintf(
			`mutation { resetPassword(input: { name: "Alice", code: %q, newPassword: %q }) { userErrors { code } } }`,
			code, everybodysPassword), want)
	}
}

func TestTheNameOfWhoHasLeftIsHeld(t *testing.T) {
	c := newEndpoint(t).listen()
	token := c.mustSignUp("Alice")
	c.want("leaving", token, fmt.Sprintf(`mutation { deleteAccount(input: { password: %q }) { userErrors { code } } }`, everybodysPassword), "")
	c.clock.advance(30*24*time.Hour - time.Second)
	c.sweep()
	c.want("a second before", "", signUpAs("ALICE"), "NAME_TAKEN")
	c.clock.advance(time.Second)
	c.want("then", "", signUpAs("ALICE"), "")
}

func TestEventsAreKeptForTheirTime(t *testing.T) {
	c := newEndpoint(t).listen()
	c.mustSignUp("Alice")
	c.clock.advance(180*24*time.Hour - time.Second)
	c.sweep()
	if n := c.db.Event.Query().CountX(t.Context()); n != 1 {
		t.Errorf("%d events a second before, want 1", n)
	}
	c.clock.advance(time.Second)
	c.sweep()
	if n := c.db.Event.Query().CountX(t.Context()); n != 0 {
		t.Errorf("%d events then, want none", n)
	}
}

func (c *caller) sweep() {
	c.t.Helper()
	if err := c.resolver.Accounts.SweepOnce(context.Background()); err != nil {
		c.t.Fatal(err)
	}
}

func TestASweepLeavesNothingThatHasHadItsTime(t *testing.T) {
	c := newEndpoint(t).listen()
	token := c.mustSignUp("Alice")
	c.want("a wrong password", "", signInAs("Bob", "wrong password!"), "WRONG_CREDENTIALS")
	if _, _, _, err := c.resolver.Accounts.ResetCode(t.Context(), "Alice"); err != nil {
		t.Fatal(err)
	}
	c.want("leaving", c.mustSignUp("Carol"), fmt.Sprintf(`mutation { deleteAccount(input: { password: %q }) { userErrors { code } } }`, everybodysPassword), "")
	rows := func() [5]int {
		ctx := t.Context()
		return [5]int{
			c.db.Session.Query().CountX(ctx), c.db.Event.Query().CountX(ctx), c.db.RecoveryCode.Query().CountX(ctx),
			c.db.Attempt.Query().CountX(ctx), c.db.HeldName.Query().CountX(ctx),
		}
	}
	c.sweep()
	if got := rows(); got[0] != 1 || got[1] != 3 || got[2] != 1 || got[3] == 0 || got[4] != 1 {
		t.Errorf("what is live was swept: %v", got)
	}
	c.clock.advance(180 * 24 * time.Hour)
	c.sweep()
	if got := rows(); got != [5]int{} {
		t.Errorf("left are %v sessions, events, codes, counts and names", got)
	}
	c.want("the session", token, myName, "UNAUTHENTICATED")
}
