package graph

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nameplate/internal/avatar"
	"nameplate/internal/blob"
)

func TestAnErrorOfAnArgumentIsAtItsField(t *testing.T) {
	e := newEndpoint(t)
	_, token := e.newUser("Alice")
	a := e.query(token, `query($size: Int) { me { big: avatarUrl(size: $size) } }`, vars{"size": nil})
	want := []answerError{{
		Message:    "This argument may be left out, but not be null.",
		Path:       []any{"me", "big"},
		Locations:  []map[string]int{{"line": 1, "column": 26}},
		Extensions: map[string]any{"code": "GRAPHQL_VALIDATION_FAILED"},
	}}
	if diff := cmp.Diff(want, a.Errors); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
}

// What is wrong with a request is found before any of it is done.
func TestAMutationWithAnIntOfTooManyBitsIsNotDone(t *testing.T) {
	e := newEndpoint(t)
	user, token := e.newUser("Alice")
	const rename = `updateName(input: { name: "Bob" }) { user { avatarUrl(size: `
	for _, test := range []struct {
		query   string
		size    any
		message string
	}{
		{`mutation { ` + rename + `3000000000) } } }`, nil, "An Int must be a whole number of 32 bits."},
		{`mutation { ` + rename + `99999999999999999999) } } }`, nil, "An Int must be a whole number of 32 bits."},
		{`mutation($n: Int! = 3000000000) { ` + rename + `$n) } } }`, nil, "An Int must be a whole number of 32 bits."},
		{`mutation($n: Int!) { ` + rename + `$n) } } }`, 3000000000, `The variable "n" has a value of the wrong type.`},
		{`mutation($n: Int!) { ` + rename + `$n) } } }`, "256", `The variable "n" has a value of the wrong type.`},
		{`mutation($n: Int!) { ` + rename + `$n) } } }`, 1.5, `The variable "n" has a value of the wrong type.`},
	} {
		var variables vars
		if test.size != nil {
			variables = vars{"n": test.size}
		}
		body := toJSON(t, vars{"query": test.query, "variables": variables})
		a := e.post(body, append(bearer(token), "Accept", graphqlResponse)...)
		want := strings.ReplaceAll(test.message, `"n"`, `"…"`)
		if a.Status != http.StatusBadRequest || a.Data != nil || a.code() != "GRAPHQL_VALIDATION_FAILED" || a.message() != want {
			t.Errorf("%s with %v: status %d, %s", test.query, test.size, a.Status, a.Body)
		}
	}
	if name := e.reload(user).Name; name != "Alice" {
		t.Errorf("the name is %s", name)
	}
}

// A variable with a default may be null, and then the condition has no value.
func TestAConditionIsNeverNull(t *testing.T) {
	e := newEndpoint(t)
	for _, query := range []string{
		`query($v: Boolean = false) { __typename @skip(if: $v) }`,
		`query($v: Boolean = true) { limits { name { minLength @include(if: $v) } } }`,
		`query($v: Boolean = true) { ... @include(if: $v) { __typename } }`,
	} {
		if a := e.query("", query, vars{"v": nil}); a.code() != "GRAPHQL_VALIDATION_FAILED" {
			t.Errorf("%s: status %d, %s", query, a.Status, a.Body)
		}
		if a := e.query("", query, nil); a.code() != "" {
			t.Errorf("%s with its default: %s", query, a.Body)
		}
	}
	if log := e.log.troubles(); log != "" {
		t.Errorf("the log has: %s", log)
	}
}

// hostileStore is a store whose methods do what a test wants.
type hostileStore struct {
	blob.Store
	url func() string
	put func() error
}

func (s hostileStore) URL(string) string { return s.url() }

func (s hostileStore) Put(context.Context, string, string, []byte) error { return s.put() }

// internal checks the answer of a request that failed for a reason of the
// server's own, and returns what was logged.
func (e *endpoint) internal(a *answer) string {
	e.t.Helper()
	id := a.Header.Get("X-Request-Id")
	want := map[string]any{"code": "INTERNAL_SERVER_ERROR", "requestId": id}
	if len(a.Errors) != 1 || id == "" || a.message() != "Something went wrong on the server." {
		e.t.Fatalf("request %s: %s", id, a.Body)
	}
	if diff := cmp.Diff(want, a.Errors[0].Extensions); diff != "" {
		e.t.Errorf("extensions (-want +got):\n%s", diff)
	}
	log := e.log.troubles()
	if strings.Count(log, "level=ERROR") != 1 || strings.Count(log, "id="+id) != 1 {
		e.t.Errorf("the log has: %s", log)
	}
	if found := leaked(a.Body + log); found != nil {
		e.t.Errorf("%q in %s or in the log: %s", found, a.Body, log)
	}
	return log
}

func TestAPanicInAResolverIsAnInternalErrorAndLoggedOnce(t *testing.T) {
	e := newEndpoint(t)
	user, token := e.newUser("Alice")
	e.db.User.UpdateOne(user).SetAvatarKey("avatars/x-64.png").ExecX(t.Context())
	e.resolver.Profiles.Store = hostileStore{url: func() string { panic(secrets) }}
	log := e.internal(e.query(token, `{ me { avatarUrl } }`, nil))
	if !strings.Contains(log, "msg=panic") || !strings.Contains(log, "hostileStore.URL") {
		t.Errorf("the log has no stack: %s", log)
	}
}

func TestAPanicOutsideOfResolversIsAnInternalErrorToo(t *testing.T) {
	e := newEndpoint(t)
	body := readFunc(func([]byte) (int, error) { panic(secrets) })
	w := httptest.NewRecorder()
	func() {
		defer func() { _ = recover() }() // throwing away the rest of the body panics again
		e.ServeHTTP(w, request("application/json", body))
	}()
	a := parseAnswer(t, w.Result())
	if a.Status != http.StatusInternalServerError || a.code() != "INTERNAL_SERVER_ERROR" {
		t.Errorf("status %d, %s", a.Status, a.Body)
	}
}

// Whatever is around the handler panics, the answer is of the same kind.
func TestAPanicAroundTheEndpointIsAnInternalErrorToo(t *testing.T) {
	e := newEndpoint(t)
	_, token := e.newUser("Alice")
	e.sessions.Now = func() time.Time { panic(secrets) }
	a := e.query(token, `{ __typename }`, nil)
	log := e.internal(a)
	if a.Status != http.StatusInternalServerError || a.Data != nil || !strings.Contains(log, "msg=panic") {
		t.Errorf("status %d, %s; the log has: %s", a.Status, a.Body, log)
	}
}

// That its client has left changes nothing about what is wrong with a query.
func TestAQueryIsRefusedAlsoWhenItsClientHasLeft(t *testing.T) {
	e := newEndpoint(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for body, code := range map[string]string{
		`{"query":"{ me {"}`:                                        "GRAPHQL_PARSE_FAILED",
		`{"query":"{ nothing }"}`:                                   "GRAPHQL_VALIDATION_FAILED",
		`{"query":"query($v: Int!) { __typename }"}`:                "GRAPHQL_VALIDATION_FAILED",
		`{"query":"query A { __typename } query B { __typename }"}`: "GRAPHQL_VALIDATION_FAILED",
		`{"query":"mutation { signUp(input: {}) { __typename } }"}`: "GRAPHQL_VALIDATION_FAILED",
		`{}`: "BAD_REQUEST",
	} {
		a := e.send(request("application/json", strings.NewReader(body)).WithContext(ctx))
		if a.code() != code {
			t.Errorf("%s: status %d, %s", body, a.Status, a.Body)
		}
	}
	if log := e.log.troubles(); log != "" {
		t.Errorf("the log has: %s", log)
	}
}

func TestAnUnknownErrorIsHiddenAndLoggedOnce(t *testing.T) {
	e := newEndpoint(t)
	user, token := e.newUser("Alice")
	e.db.User.UpdateOne(user).SetIDCardSealed([]byte("damaged")).SetRealNameSealed([]byte("damaged")).ExecX(t.Context())
	a := e.query(token, `{ me { verification { realName } } }`, nil)
	log := e.internal(a)
	if !strings.Contains(log, "path=me.verification") || !strings.Contains(log, "open the verification") {
		t.Errorf("the log doesn't say what and where: %s", log)
	}
	if strings.Contains(a.Body, "open") || strings.Contains(a.Body, user.ID.String()) {
		t.Errorf("the error's own text is in %s", a.Body)
	}
	// An alias is the client's own, in the path; it isn't for the log.
	a = e.query(token, `{ `+secretWord+`: me { `+secretWord+`: verification { realName } } }`, nil)
	if diff := cmp.Diff([]any{secretWord, secretWord}, a.Errors[0].Path); diff != "" {
		t.Errorf("path (-want +got):\n%s", diff)
	}
	if log := e.log.take(); leaked(log) != nil || !strings.Contains(log, "path=me.verification") {
		t.Errorf("the log has: %s", log)
	}
}

func TestTheDatabaseAwayIsAnInternalError(t *testing.T) {
	e := newEndpoint(t)
	_, token := e.newUser("Alice")
	e.db.Session.Delete().ExecX(t.Context())
	e.sessions.DB = closedDatabase(t)
	e.internal(e.query(token, `{ me { name } }`, nil))
	if a := e.query("", `{ __typename }`, nil); a.Data["__typename"] != "Query" {
		t.Errorf("without a session: %s", a.Body)
	}
}

func TestABusyServerSaysWhenToRetry(t *testing.T) {
	e := newEndpoint(t)
	_, token := e.newUser("Alice")
	upload := uploadForm(string(picture(t)))
	e.resolver.Profiles.Pictures = avatar.NewProcessor(0) // no worker ever comes free
	e.resolver.Profiles.Pictures.Wait = time.Nanosecond
	e.unavailable(e.postForm(upload, bearer(token)...), 1)
	e.resolver.Profiles.Pictures = avatar.NewProcessor(1)
	e.resolver.Profiles.Store = hostileStore{put: func() error { return errors.New("the bucket is away") }}
	log := e.unavailable(e.postForm(upload, bearer(token)...), 5)
	if !strings.Contains(log, "the bucket is away") {
		t.Errorf("the log doesn't say why: %s", log)
	}
}

func (e *endpoint) unavailable(a *answer, retryAfter float64) (log string) {
	e.t.Helper()
	if len(a.Errors) != 1 {
		e.t.Fatalf("status %d, %s", a.Status, a.Body)
	}
	want := map[string]any{"code": "SERVICE_UNAVAILABLE", "retryAfter": retryAfter}
	if diff := cmp.Diff(want, a.Errors[0].Extensions); diff != "" {
		e.t.Errorf("extensions (-want +got):\n%s", diff)
	}
	if strings.Contains(a.Body, "bucket") {
		e.t.Errorf("the reason is in %s", a.Body)
	}
	log = e.log.troubles()
	if strings.Count(log, "level=WARN msg=unavailable") != 1 || strings.Count(log, "\n") != 1 {
		e.t.Errorf("the log has: %s", log)
	}
	return log
}
