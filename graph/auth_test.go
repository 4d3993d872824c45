package graph

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nameplate/ent"
	"nameplate/internal/database"
)

// closedDatabase is one of which every use fails.
func closedDatabase(t *testing.T) *ent.Client {
	t.Helper()
	db, err := database.Open(t.Context(), t.TempDir()+"/closed.db")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return db
}

// needSession are requests for each field that needs a session, by its name.
func needSession(t *testing.T) map[string]func(token string) *http.Request {
	queries := map[string]string{
		"me":                  `{ me { name verification { idCard } } }`,
		"reauthenticate":      `mutation { reauthenticate(input: { password: "x" }) { userErrors { code } } }`,
		"updateName":          `mutation { updateName(input: { name: "Mallory" }) { user { name } } }`,
		"changePassword":      `mutation { changePassword(input: { currentPassword: "x", newPassword: "wool drum northward" }) { userErrors { code } } }`,
		"createRecoveryCodes": `mutation { createRecoveryCodes(input: { password: "x" }) { userErrors { code } } }`,
		"revokeSession":       `mutation { revokeSession(id: "x") { userErrors { code } } }`,
		"revokeOtherSessions": `mutation { revokeOtherSessions { userErrors { code } } }`,
		"deleteAccount":       `mutation { deleteAccount(input: { password: "x" }) { userErrors { code } } }`,
		"removeAvatar":        `mutation { removeAvatar { user { name } } }`,
		"saveVerification":    `mutation { saveVerification(input: { realName: "张三", idCard: "11010519491231002X" }) { user { name } } }`,
	}
	requests := map[string]func(string) *http.Request{
		"updateAvatar": func(token string) *http.Request {
			return request(multipartType, strings.NewReader(uploadForm(string(picture(t)))), bearer(token)...)
		},
	}
	for field, query := range queries {
		requests[field] = func(token string) *http.Request {
			return request("application/json", strings.NewReader(toJSON(t, vars{"query": query})), bearer(token)...)
		}
	}
	return requests
}

func TestTheFieldsThatNeedASessionAreThese(t *testing.T) {
	want := []string{"idCard of Verification"}
	for field := range needSession(t) {
		parent := "Mutation"
		if field == "me" {
			parent = "Query"
		}
		want = append(want, field+" of "+parent)
	}
	var got []string
	for _, definition := range loadSchema(t).Types {
		for _, field := range definition.Fields {
			if field.Directives.ForName("auth") != nil {
				got = append(got, field.Name+" of "+definition.Name)
			}
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the tests know other fields than the schema (-tests +schema):\n%s", diff)
	}
}

// refused checks that no field answers who has this token.
func (e *endpoint) refused(name, token string, requests map[string]func(string) *http.Request) {
	e.t.Helper()
	for field, request := range requests {
		a := e.send(request(token))
		if field == "updateAvatar" && a.Status == http.StatusUnauthorized && a.code() == "UNAUTHENTICATED" {
			continue // refused as a whole, before its body is read
		}
		if a.Status != http.StatusOK || a.code() != "UNAUTHENTICATED" || a.Data[field] != nil {
			e.t.Errorf("%s, %s: status %d, %s", name, field, a.Status, a.Body)
		}
		if len(a.Errors) != 1 || !cmp.Equal(a.Errors[0].Path, []any{field}) {
			e.t.Errorf("%s, %s: %s", name, field, a.Body)
		}
	}
	if log := e.log.troubles(); log != "" {
		e.t.Errorf("%s: the log has: %s", name, log)
	}
}

func TestWithoutALiveSessionNothingIsAnswered(t *testing.T) {
	e := newEndpoint(t)
	requests := needSession(t)
	e.refused("no token", "", requests)
	e.refused("an unknown token", "AAAA", requests)

	_, idle := e.newUser("Idle")
	e.clock.advance(7*24*time.Hour - time.Second)
	if a := e.query(idle, `{ me { name } }`, nil); a.code() != "" {
		t.Errorf("a second before its idle end: %s", a.Body)
	}
	e.clock.advance(7 * 24 * time.Hour)
	e.refused("an idle session", idle, requests)

	old, used := e.newUser("Old")
	for range 5 {
		e.clock.advance(6 * 24 * time.Hour)
		if a := e.query(used, `{ __typename }`, nil); a.code() != "" {
			t.Fatal(a.Body)
		}
	}
	e.refused("a session of 30 days", used, requests)
	if e.reload(old).Name != "Old" {
		t.Error("an expired session changed the name")
	}

	gone, token := e.newUser("Gone")
	e.db.User.DeleteOne(gone).ExecX(t.Context())
	e.refused("a deleted user", token, requests)
}

func TestAUserWhoIsDeletedMeanwhileHasNoSession(t *testing.T) {
	e := newEndpoint(t)
	user, token := e.newUser("Alice")
	handler := NewHandler(e.resolver, Options{Limits: defaultLimits(t), Now: e.clock.Now, Log: e.log.logger()})
	e.wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // the session is found by now
		e.db.User.DeleteOneID(user.ID).ExecX(t.Context())
		handler.ServeHTTP(w, r)
		restored := e.db.User.Create().SetID(user.ID).SetName(user.Name).SetNameKey(user.NameKey).
			SetPasswordHash("none").SetCreatedAt(user.CreatedAt).SetUpdatedAt(user.UpdatedAt).SaveX(t.Context())
		token = e.issue(restored)
	}))
	for field, request := range needSession(t) {
		e.refused("deleted meanwhile", token, map[string]func(string) *http.Request{field: request})
	}
}

func TestAFieldMayNeedAFreshPassword(t *testing.T) {
	e := newEndpoint(t)
	user, token := e.newUser("Alice")
	if _, err := e.resolver.Profiles.SaveVerification(e.as(token), user.ID, "张三", "11010519491231002X"); err != nil {
		t.Fatal(err)
	}
	const query = `{ me { verification { maskedIdCard idCard } } }`
	for _, test := range []struct {
		later time.Duration
		code  string
	}{
		{0, ""},
		{600 * time.Second, ""}, // the bound itself is within it
		{time.Microsecond, "REAUTHENTICATION_REQUIRED"},
		{time.Second, "REAUTHENTICATION_REQUIRED"},
	} {
		e.clock.advance(test.later)
		a := e.query(token, query, nil)
		verification := a.Data["me"].(map[string]any)["verification"].(map[string]any)
		want := map[string]any{"maskedIdCard": "1****************X", "idCard": "11010519491231002X"}
		if test.code != "" {
			want["idCard"] = nil
			if diff := cmp.Diff([]any{"me", "verification", "idCard"}, a.Errors[0].Path); diff != "" {
				t.Errorf("path (-want +got):\n%s", diff)
			}
		}
		if diff := cmp.Diff(want, verification); diff != "" || a.code() != test.code {
			t.Errorf("after %v more: %s\n%s", test.later, diff, a.Body)
		}
	}
}
