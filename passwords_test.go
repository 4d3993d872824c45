package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const newPassword = "staple battery correct"

func (c *client) changePassword(current, next string) *answer {
	c.t.Helper()
	return c.do(`mutation($input: ChangePasswordInput!) { changePassword(input: $input) { user { name } `+userErrorFields+` } }`,
		vars{"input": vars{"currentPassword": current, "newPassword": next}})
}

func (c *client) resetPassword(name, code, password string) *answer {
	c.t.Helper()
	a := c.do(`mutation($input: ResetPasswordInput!) { resetPassword(input: $input) {
		user { name } sessionToken `+userErrorFields+` } }`,
		vars{"input": vars{"name": name, "code": code, "newPassword": password}})
	if token, ok := a.at("resetPassword", "sessionToken").(string); ok {
		c.token = token
	}
	return a
}

func TestChangingThePasswordEndsAllOtherSessions(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), nil)
	here, there := newClient(t, s.url, true), newClient(t, s.url, false)
	here.mustEnter("signUp", "Alice", password)
	there.mustEnter("signIn", "Alice", password)
	for _, test := range []struct {
		current, next string
		want          []string
	}{
		{"", "", []string{"REQUIRED input.currentPassword", "REQUIRED input.newPassword"}},
		{password, "seven77", []string{"TOO_SHORT input.newPassword 8"}},
		{password, strings.Repeat("x", 257), []string{"TOO_LONG input.newPassword 256"}},
		{password, "password1", []string{"PASSWORD_TOO_COMMON input.newPassword"}},
		{password, "alice1990", []string{"PASSWORD_TOO_COMMON input.newPassword"}},
		{"wrong password!", newPassword, []string{"WRONG_CREDENTIALS input.currentPassword"}},
	} {
		got := here.changePassword(test.current, test.next).faults("changePassword")
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("from %q to %q (-want +got):\n%s", test.current, test.next, diff)
		}
	}
	there.me()
	if a := here.changePassword(password, newPassword); a.at("changePassword", "user", "name") != "Alice" {
		t.Fatalf("changing the password: %s", a.Body)
	}
	here.me()
	if code := there.do(`{ me { name } }`, nil).code(); code != "UNAUTHENTICATED" {
		t.Errorf("the other session gets %q", code)
	}
	if got := there.enter("signIn", "Alice", password).faults("signIn"); !cmp.Equal(got, []string{"WRONG_CREDENTIALS"}) {
		t.Errorf("the old password: %v", got)
	}
	there.mustEnter("signIn", "Alice", newPassword)
}

func TestARecoveryCodeSetsANewPasswordOnce(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), nil)
	c, other := newClient(t, s.url, false), newClient(t, s.url, true)
	c.mustEnter("signUp", "Alice", password)
	codes := c.recoveryCodes()
	if c.do(`{ me { recoveryCodesLeft } }`, nil).at("me", "recoveryCodesLeft") != 10.0 {
		t.Error("ten codes were made, and another number is left")
	}
	for _, test := range []struct{ name, code, password, want string }{
		{"", codes[0], newPassword, "REQUIRED input.name"},
		{"Alice", "", newPassword, "REQUIRED input.code"},
		{"Alice", codes[0], "", "REQUIRED input.newPassword"},
		{"Alice", codes[0], "alice1990", "PASSWORD_TOO_COMMON input.newPassword"},
		{"Bob", codes[0], newPassword, "WRONG_CREDENTIALS"},
		{"Alice", "AAAA-AAAA-AAAA-AAAA", newPassword, "WRONG_CREDENTIALS"},
	} {
		got := other.resetPassword(test.name, test.code, test.password).faults("resetPassword")
		if diff := cmp.Diff([]string{test.want}, got); diff != "" {
			t.Errorf("%q, %q, %q (-want +got):\n%s", test.name, test.code, test.password, diff)
		}
	}
	// As people copy it.
	if a := other.resetPassword("ＡＬＩＣＥ", " "+strings.ToLower(strings.ReplaceAll(codes[3], "-", " ")), newPassword); a.at("resetPassword", "user", "name") != "Alice" {
		t.Fatalf("a code: %s", a.Body)
	}
	if got := other.do(`{ me { recoveryCodesLeft } }`, nil).at("me", "recoveryCodesLeft"); got != 9.0 {
		t.Errorf("%v codes are left, want 9", got)
	}
	if code := c.do(`{ me { name } }`, nil).code(); code != "UNAUTHENTICATED" {
		t.Errorf("a session from before gets %q", code)
	}
	got := c.resetPassword("Alice", codes[3], password).faults("resetPassword")
	if diff := cmp.Diff([]string{"WRONG_CREDENTIALS"}, got); diff != "" {
		t.Errorf("the code again (-want +got):\n%s", diff)
	}
	c.mustEnter("signIn", "Alice", newPassword)
	newCodes := c.recoveryCodesBy(newPassword)
	if got := other.resetPassword("Alice", codes[4], password).faults("resetPassword"); !cmp.Equal(got, []string{"WRONG_CREDENTIALS"}) {
		t.Errorf("a code that was replaced: %v", got)
	}
	if a := other.resetPassword("Alice", newCodes[0], password); a.at("resetPassword", "user") == nil {
		t.Errorf("a new code: %s", a.Body)
	}
}

func (c *client) recoveryCodes() []string { return c.recoveryCodesBy(password) }

func (c *client) recoveryCodesBy(password string) (codes []string) {
	c.t.Helper()
	a := c.do(`mutation($input: CreateRecoveryCodesInput!) { createRecoveryCodes(input: $input) { recoveryCodes `+userErrorFields+` } }`,
		vars{"input": vars{"password": password}})
	list, _ := a.at("createRecoveryCodes", "recoveryCodes").([]any)
	for _, code := range list {
		codes = append(codes, code.(string))
		if !regexp.MustCompile(`^([A-Z2-7]{4}-){3}[A-Z2-7]{4}$`).MatchString(code.(string)) {
			c.t.Errorf("a code is %q", code)
		}
	}
	if len(codes) != 10 || len(slices.Compact(slices.Sorted(slices.Values(codes)))) != 10 {
		c.t.Fatalf("codes: %s", a.Body)
	}
	return codes
}

func TestOfAHundredWhoUseOneCodeOneSucceeds(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), map[string]string{"NAMEPLATE_THROTTLE": "off", "NAMEPLATE_MAX_TIME": "5m"})
	c := newClient(t, s.url, false)
	c.mustEnter("signUp", "Alice", password)
	code := c.recoveryCodes()[0]
	var succeeded atomic.Int64
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			racer := newClient(t, s.url, false)
			next := fmt.Sprintf("%s %d", newPassword, i)
			for { // passwords wait five seconds to be hashed, and a slow machine may take longer for all
				a := racer.resetPassword("Alice", code, next)
				if a.code() == "SERVICE_UNAVAILABLE" {
					continue
				}
				if a.at("resetPassword", "user") != nil {
					succeeded.Add(1)
				}
				return
			}
		})
	}
	all.Wait()
	if n := succeeded.Load(); n != 1 {
		t.Errorf("%d of 100 succeeded", n)
	}
}

func TestAnOperatorsLinkSetsANewPasswordOnce(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), nil)
	c := newClient(t, s.url, false)
	c.mustEnter("signUp", "Alice", password)
	link := func(name string) (code string) {
		t.Helper()
		printed, err := command(t, beside(s, nil), "user", "reset-password", name)
		if err != nil {
			t.Fatal(err)
		}
		match := regexp.MustCompile(regexp.QuoteMeta(s.url) + `/reset-password#code=([A-Z2-7]{26})&name=Alice\n`).FindStringSubmatch(printed)
		if match == nil {
			t.Fatalf("printed: %s", printed)
		}
		return match[1]
	}
	if _, err := command(t, beside(s, nil), "user", "reset-password", "Bob"); err == nil || !strings.Contains(err.Error(), "no user") {
		t.Errorf("a link for nobody: %v", err)
	}
	first, second := link("Alice"), link("ａｌｉｃｅ")
	c.me() // a link by itself ends nothing
	if got := newClient(t, s.url, false).resetPassword("Alice", first, newPassword).faults("resetPassword"); !cmp.Equal(got, []string{"WRONG_CREDENTIALS"}) {
		t.Errorf("a link that was replaced: %v", got)
	}
	if a := newClient(t, s.url, false).resetPassword("Alice", second, newPassword); a.at("resetPassword", "user", "name") != "Alice" {
		t.Errorf("a link: %s", a.Body)
	}
	if got := newClient(t, s.url, false).resetPassword("Alice", second, newPassword).faults("resetPassword"); !cmp.Equal(got, []string{"WRONG_CREDENTIALS"}) {
		t.Errorf("a link again: %v", got)
	}
	c.mustEnter("signIn", "Alice", newPassword)
	third := link("Alice")
	if a := c.changePassword(newPassword, password); a.faults("changePassword") != nil {
		t.Fatalf("changing the password: %s", a.Body)
	}
	if got := newClient(t, s.url, false).resetPassword("Alice", third, newPassword).faults("resetPassword"); !cmp.Equal(got, []string{"WRONG_CREDENTIALS"}) {
		t.Errorf("a link from before the password was changed: %v", got)
	}
	byOperator := 0
	for _, e := range c.events(100) {
		if e["byOperator"] == true {
			byOperator++
			if e["kind"] != "RESET_LINK_CREATED" || e["ipAddress"] != nil || e["device"] != nil {
				t.Errorf("an operator's event: %v", e)
			}
		}
	}
	if byOperator != 3 {
		t.Errorf("%d events are an operator's, want 3", byOperator)
	}
}

func TestSignUpCanBeClosed(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	open := start(t, data, nil)
	newClient(t, open.url, false).mustEnter("signUp", "Alice", password)
	if err := open.stop(); err != nil {
		t.Fatal(err)
	}
	s := start(t, data, map[string]string{"NAMEPLATE_SIGN_UP": "off"})
	c := newClient(t, s.url, false)
	if got := c.enter("signUp", "Bob", password).faults("signUp"); !cmp.Equal(got, []string{"SIGN_UP_CLOSED"}) {
		t.Errorf("signing up: %v", got)
	}
	if got := c.do(`{ limits { signUpOpen } }`, nil).at("limits", "signUpOpen"); got != false {
		t.Errorf("limits say %v", got)
	}
	c.mustEnter("signIn", "Alice", password)
}

func TestTheLengthOfPasswordsIsASetting(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), map[string]string{"NAMEPLATE_MIN_PASSWORD_LENGTH": "12", "NAMEPLATE_MAX_PASSWORD_LENGTH": "20"})
	c := newClient(t, s.url, false)
	for password, want := range map[string][]string{
		"wq7-pzk4-mb":           {"TOO_SHORT input.password 12"},
		"wq7-pzk4-mbb":          nil,
		"wq7-pzk4-mb wq7-pzk4":  nil,
		"wq7-pzk4-mb wq7-pzk4x": {"TOO_LONG input.password 20"},
	} {
		name := fmt.Sprint("user", len(password))
		if diff := cmp.Diff(want, c.enter("signUp", name, password).faults("signUp")); diff != "" {
			t.Errorf("%d characters (-want +got):\n%s", len(password), diff)
		}
	}
	got := c.do(`{ limits { password { minLength maxLength } } }`, nil).at("limits", "password")
	if diff := cmp.Diff(map[string]any{"minLength": 12.0, "maxLength": 20.0}, got); diff != "" {
		t.Errorf("limits (-want +got):\n%s", diff)
	}
}

// events are the user's newest ones.
func (c *client) events(first int) (list []map[string]any) {
	c.t.Helper()
	nodes, ok := c.do(`query($first: Int!) { me { events(first: $first) { nodes { id kind at count ipAddress device byOperator } } } }`,
		vars{"first": first}).at("me", "events", "nodes").([]any)
	if !ok {
		c.t.Fatal("no events")
	}
	for _, node := range nodes {
		list = append(list, node.(map[string]any))
	}
	return list
}
