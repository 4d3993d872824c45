package graph

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nameplate/ent/event"
)

// How often something may be done is tried over HTTP, up to the limit and on both sides of
// each wait by the services' clock.

// wantLimit tries something until it waits, and as often again as it waits 1, 2 and 4
// seconds. Where it isn't refused for that, the outcome is allowed.
func (c *caller) wantLimit(free int, allowed string, try func() (outcome string, a *answer)) {
	c.t.Helper()
	waits := func(seconds float64) {
		c.t.Helper()
		outcome, a := try()
		if outcome != "RATE_LIMITED" || a.Errors[0].Extensions["retryAfter"] != seconds {
			c.t.Fatalf("%s, want a wait of %v seconds: %s", outcome, seconds, a.Body)
		}
	}
	for n := range free {
		if outcome, a := try(); outcome != allowed {
			c.t.Fatalf("the free one number %d: %q, want %q: %s", n+1, outcome, allowed, a.Body)
		}
	}
	for _, wait := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
		waits(wait.Seconds())
		c.clock.advance(wait - time.Second)
		waits(1)
		c.clock.advance(time.Second)
		if outcome, a := try(); outcome != allowed {
			c.t.Fatalf("after %s: %q, want %q: %s", wait, outcome, allowed, a.Body)
		}
	}
	waits(8)
}

func resetBy(name, code string) string {
	return fmt.Sprintf(`mutation { resetPassword(input: { name: %q, code: %q, newPassword: %q }) { userErrors { code } } }`,
		name, code, everybodysPassword)
}

func TestFromOneAddressCodesAreGuessedSoOften(t *testing.T) {
	c := newEndpoint(t).listen()
	c.mustSignUp("Alice")
	_, code, _, err := c.resolver.Accounts.ResetCode(t.Context(), "Alice")
	if err != nil {
		t.Fatal(err)
	}
	// What doesn't get as far as the code is no guess.
	for range 20 {
		c.want("without a code", "", resetBy("Alice", ""), "REQUIRED")
	}
	tries := 0
	c.wantLimit(10, "WRONG_CREDENTIALS", func() (string, *answer) {
		tries++
		a := c.ask("", resetBy([]string{"Alice", "Bob"}[tries%2], "AAAA-BBBB-CCCC-DDDD")) // Bob isn't there
		return a.code() + a.fault("resetPassword"), a
	})
	c.want("the right code meanwhile", "", resetBy("Alice", code), "RATE_LIMITED")
	c.clock.advance(8 * time.Second)
	c.want("the right code then", "", resetBy("Alice", code), "")
}

func save(realName, number string) string {
	return fmt.Sprintf(`mutation { saveVerification(input: { realName: %q, idCard: %q }) { userErrors { code } } }`, realName, number)
}

func TestAUserSavesAVerificationSoOften(t *testing.T) {
	c := newEndpoint(t).listen()
	user, token := c.newUser("Alice")
	for range 20 {
		c.want("no number", token, save("张三", "1"), "ID_CARD_INVALID")
	}
	c.want("the first", token, save("张三", "11010519491231002X"), "")
	tokens, tries := []string{token, c.issue(user)}, 0
	c.wantLimit(9, "ALREADY_VERIFIED", func() (string, *answer) {
		tries++
		a := c.ask(tokens[tries%2], save("李四", "110101199003070011")) // in another session it is the same user
		return a.code() + a.fault("saveVerification"), a
	})
	c.want("the same as before", token, save("张三", "11010519491231002X"), "RATE_LIMITED")
	_, others := c.newUser("Bob")
	c.want("another user", others, save("李四", "110101199003070011"), "")
}

// upload sends a file that is no picture.
func (c *caller) upload(token string) *answer {
	c.t.Helper()
	r, err := http.NewRequest(http.MethodPost, c.url, strings.NewReader(uploadForm("no picture")))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", multipartType)
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	return parseAnswer(c.t, res)
}

func TestAUserUploadsSoOften(t *testing.T) {
	c := newEndpoint(t).listen()
	user, token := c.newUser("Alice")
	tokens, tries := []string{token, c.issue(user)}, 0
	c.wantLimit(60, "IMAGE_UNSUPPORTED", func() (string, *answer) {
		tries++
		a := c.upload(tokens[tries%2])
		return a.code() + a.fault("updateAvatar"), a
	})
	_, others := c.newUser("Bob")
	if a := c.upload(others); a.fault("updateAvatar") != "IMAGE_UNSUPPORTED" {
		t.Errorf("another user: %s", a.Body)
	}
}

// exporter serves the export alone.
func exporter(t *testing.T) *caller {
	e := newEndpoint(t)
	e.wrap(NewExportHandler(e.resolver.Accounts, e.log.logger()))
	return e.listen()
}

// export asks for what is stored. The outcome is the error's code, or empty where it is an
// archive, of which nothing is read.
func (c *caller) export(token string) (outcome string, a *answer) {
	c.t.Helper()
	r, err := http.NewRequest(http.MethodGet, strings.Replace(c.url, "/graphql", "/me/export", 1), nil)
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	if res.StatusCode == http.StatusOK && res.Header.Get("Content-Type") == "application/zip" {
		defer res.Body.Close()
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			c.t.Error(err)
		}
		return "", &answer{Status: res.StatusCode}
	}
	a = parseAnswer(c.t, res)
	if seconds, ok := a.Errors[0].Extensions["retryAfter"]; ok && res.Header.Get("Retry-After") != fmt.Sprint(seconds) {
		c.t.Errorf("Retry-After is %q: %s", res.Header.Get("Retry-After"), a.Body)
	}
	statuses := map[string]int{"RATE_LIMITED": http.StatusTooManyRequests, "REAUTHENTICATION_REQUIRED": http.StatusForbidden}
	if a.Status != statuses[a.code()] {
		c.t.Errorf("status %d: %s", a.Status, a.Body)
	}
	return a.code(), a
}

func TestAUserTakesAnExportSoOften(t *testing.T) {
	c := exporter(t)
	user, token := c.newUser("Alice")
	tokens, tries := []string{token, c.issue(user)}, 0
	c.wantLimit(10, "", func() (string, *answer) {
		tries++
		return c.export(tokens[tries%2])
	})
	_, others := c.newUser("Bob")
	if outcome, a := c.export(others); outcome != "" {
		t.Errorf("another user: %s", a.Body)
	}
	if n := c.db.Event.Query().Where(event.UserID(user.ID), event.KindEQ(event.KindDATA_EXPORTED)).CountX(t.Context()); n != 13 {
		t.Errorf("%d exports are recorded, want 13", n)
	}
}

func TestAnExportTakesAPasswordOfTheLastTenMinutes(t *testing.T) {
	c := exporter(t)
	user, token := c.newUser("Alice")
	var got []string
	for _, passed := range []time.Duration{600 * time.Second, time.Second} {
		c.clock.advance(passed)
		outcome, _ := c.export(token)
		got = append(got, outcome)
	}
	if diff := cmp.Diff([]string{"", "REAUTHENTICATION_REQUIRED"}, got); diff != "" {
		t.Errorf("after 600 and 601 seconds (-want +got):\n%s", diff)
	}
	// What is refused counts for nothing: of the ten that are free, nine are left.
	for range 20 {
		c.export(token)
	}
	fresh := c.issue(user)
	for range 9 {
		if outcome, a := c.export(fresh); outcome != "" {
			t.Fatalf("in a session with a fresh password: %s", a.Body)
		}
	}
}
