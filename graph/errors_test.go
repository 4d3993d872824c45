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

// What a person must never see again but in the data that was asked for.
const (
	secretNumber = "11010519491231002X"
	secretName   = "张三丰"
	// secretWord is a password or a token that happens to be a name of GraphQL's.
	secretWord = "hunter2_5e551on70ken"
	secrets    = secretNumber + " " + secretName + " " + secretWord
)

// leaked returns the secrets that the text has.
func leaked(text string) []string {
	var found []string
	for _, secret := range append(strings.Fields(secrets), "110105", "hunter2") {
		if strings.Contains(text, secret) {
			found = append(found, secret)
		}
	}
	return found
}

// queriesWithSecrets have a secret in a place of each kind, and each is refused.
var queriesWithSecrets = map[string]string{
	"text":                    secrets,
	"a broken query":          `{ me { name } ` + secretWord,
	"a comment":               "{ # " + secrets + "\n me",
	"a string cut short":      `mutation { updateName(input: { name: "` + secrets,
	"a bad escape":            `mutation { updateName(input: { name: "` + secrets + `\q" }) { user { name } } }`,
	"a bad unicode escape":    `mutation { updateName(input: { name: "` + secrets + `\u12" }) { user { name } } }`,
	"a bad surrogate":         `mutation { updateName(input: { name: "\uD800` + secrets + `" }) { user { name } } `,
	"a line in a string":      "mutation { updateName(input: { name: \"" + secrets + "\n\" }) { user { name } } }",
	"a bare number":           `mutation { updateName(input: { name: ` + secretNumber + ` }) { user { name } } }`,
	"an illegal character":    `{ me { name } ` + secretName + ` }`,
	"a string for an Int":     `{ me { avatarUrl(size: "` + secrets + `") } }`,
	"a number for a String":   `mutation { updateName(input: { name: 110105194912310021 }) { user { name } } }`,
	"a great number":          `{ me { avatarUrl(size: 110105194912310021) } }`,
	"a greater number":        `{ me { avatarUrl(size: 11010519491231002111010519491231002111) } }`,
	"a great default":         `mutation($file: Upload = 11010519491231002111) { updateAvatar(file: $file) { userErrors { code } } }`,
	"a great file":            `mutation { updateAvatar(file: 11010519491231002111) { userErrors { code } } }`,
	"a float":                 `{ me { avatarUrl(size: 110105.19491231) } }`,
	"a string for a file":     `mutation { updateAvatar(file: "` + secrets + `") { userErrors { code } } }`,
	"a string for an input":   `mutation { updateName(input: "` + secrets + `") { user { name } } }`,
	"a list for an input":     `mutation { updateName(input: [{ name: "` + secrets + `" }]) { user { name } } }`,
	"an object for a String":  `mutation { updateName(input: { name: { ` + secretWord + `: "` + secrets + `" } }) { user { name } } }`,
	"a list for a String":     `mutation { updateName(input: { name: ["` + secrets + `\"", 1] }) { user { name } } }`,
	"a block string":          `{ me { avatarUrl(size: """` + secrets + ` "quoted" """) } }`,
	"an enum literal":         `mutation { updateName(input: { name: ` + secretWord + ` }) { user { name } } }`,
	"an enum for a Boolean":   `{ me @skip(if: ` + secretWord + `) { name } }`,
	"a string for a Boolean":  `{ me @skip(if: "` + secrets + `") { name } }`,
	"an unknown input field":  `mutation { updateName(input: { name: "x", ` + secretWord + `: "` + secrets + `" }) { user { name } } }`,
	"a repeated input field":  `mutation { updateName(input: { ` + secretWord + `: 1, ` + secretWord + `: 2 }) { user { name } } }`,
	"a missing input field":   `mutation { signUp(input: { password: "` + secrets + `" }) { user { name } } }`,
	"a field":                 `{ me { ` + secretWord + ` } }`,
	"a root field":            `{ ` + secretWord + ` }`,
	"a field of a leaf":       `{ me { name { ` + secretWord + ` } } }`,
	"an argument":             `{ me(` + secretWord + `: "` + secrets + `") { name } }`,
	"a repeated argument":     `{ me { avatarUrl(` + secretWord + `: 1, ` + secretWord + `: 2) } }`,
	"a directive":             `{ me @` + secretWord + ` { name } }`,
	"a repeated directive":    `{ me @` + secretWord + ` @` + secretWord + ` { name } }`,
	"a directive's argument":  `{ me @skip(if: true, ` + secretWord + `: 1) { name } }`,
	"a directive on a query":  `query ` + secretWord + ` @skip(if: true) { me { name } }`,
	"a fragment's type":       `{ me { ... on ` + secretWord + ` { name } } }`,
	"a named fragment's type": `{ me { ...F } } fragment F on ` + secretWord + ` { name }`,
	"a fragment on a leaf":    `{ me { ...` + secretWord + ` } } fragment ` + secretWord + ` on String { name }`,
	"a fragment elsewhere":    `{ me { ...` + secretWord + ` } } fragment ` + secretWord + ` on Limits { name { minLength } }`,
	"an unknown fragment":     `{ me { ...` + secretWord + ` } }`,
	"an unused fragment":      `{ me { name } } fragment ` + secretWord + ` on User { name }`,
	"a repeated fragment":     `{ me { ...` + secretWord + ` } } fragment ` + secretWord + ` on User { name } fragment ` + secretWord + ` on User { id }`,
	"a fragment in itself":    `{ me { ...` + secretWord + ` } } fragment ` + secretWord + ` on User { ...` + secretWord + ` }`,
	"fragments in a circle": `{ me { ...` + secretWord + ` } } fragment ` + secretWord + ` on User { ...x` + secretWord + ` }
		fragment x` + secretWord + ` on User { ...` + secretWord + ` }`,
	"a variable's type":       `query($v: ` + secretWord + `) { me @skip(if: $v) { name } }`,
	"an output type":          `query ` + secretWord + `($` + secretWord + `: User) { me @skip(if: $` + secretWord + `) { name } }`,
	"an undefined variable":   `{ me { avatarUrl(size: $` + secretWord + `) } }`,
	"a named query's":         `query ` + secretWord + ` { me { avatarUrl(size: $` + secretWord + `) } }`,
	"an unused variable":      `query ` + secretWord + `($` + secretWord + `: Int) { me { name } }`,
	"a repeated variable":     `query($` + secretWord + `: Int!, $` + secretWord + `: Int!) { me { avatarUrl(size: $` + secretWord + `) } }`,
	"a variable elsewhere":    `query($` + secretWord + `: String) { me { avatarUrl(size: $` + secretWord + `) } }`,
	"a variable undefined":    `query($` + secretWord + `: Int!) { me { avatarUrl(size: $` + secretWord + `) } }`,
	"a wrong default":         `query($` + secretWord + `: Int! = "` + secrets + `") { me { avatarUrl(size: $` + secretWord + `) } }`,
	"a repeated operation":    `query ` + secretWord + ` { me { name } } query ` + secretWord + ` { me { id } }`,
	"a subscription":          `subscription ` + secretWord + ` { ` + secretWord + ` }`,
	"a nameless second query": `query ` + secretWord + ` { me { name } } { me { name } }`,
	"an alias in conflict":    `{ me { ` + secretWord + `: name ` + secretWord + `: id } }`,
	"arguments in conflict":   `{ me { ` + secretWord + `: avatarUrl(size: 1) ` + secretWord + `: avatarUrl(size: 2) } }`,
	"a definition":            `type ` + secretWord + ` { name: String }`,
	"too many tokens":         `{ ` + strings.Repeat(secretWord+" ", 1000) + `}`,
}

func TestNoSecretOfAQueryIsRepeated(t *testing.T) {
	e := newEndpoint(t)
	_, token := e.newUser("Alice")
	for name, query := range queriesWithSecrets {
		e.refusedWithoutLeak(name, request("application/json", strings.NewReader(toJSON(t, vars{"query": query})), bearer(token)...))
		operations := toJSON(t, vars{"query": query, "variables": vars{"file": nil}})
		e.refusedWithoutLeak(name+", uploaded", request(multipartType, strings.NewReader(withOperations(operations)), bearer(token)...))
	}
}

// refusedWithoutLeak checks that the request is refused, as its sender's mistake,
// and that no secret is in the answer or in the log.
func (e *endpoint) refusedWithoutLeak(name string, r *http.Request) {
	e.t.Helper()
	a := e.send(r)
	if a.code() == "" || a.code() == "INTERNAL_SERVER_ERROR" {
		e.t.Errorf("%s is not refused: %s", name, a.Body)
	}
	if found := leaked(a.Body); found != nil {
		e.t.Errorf("%s: %q in %s", name, found, a.Body)
	}
	if strings.Contains(a.Body, "Did you mean") {
		e.t.Errorf("%s: a suggestion in %s", name, a.Body)
	}
	log := e.log.take()
	if found := leaked(log); found != nil {
		e.t.Errorf("%s: %q in the log: %s", name, found, log)
	}
	if strings.Contains(log, "level=ERROR") {
		e.t.Errorf("%s is an error in the log: %s", name, log)
	}
}

const (
	rename = `mutation($input: UpdateNameInput!) { updateName(input: $input) { userErrors { code } } }`
	resize = `query($size: Int!) { me { avatarUrl(size: $size) } }`
)

// bodiesWithSecrets are JSON with a secret beside the query.
var bodiesWithSecrets = map[string]string{
	"no JSON":               secrets,
	"JSON cut short":        `{"query":"{ me { name } }","variables":{"password":"` + secrets,
	"JSON and more":         typename + secrets,
	"a string":              `"` + secrets + `"`,
	"a list":                `["` + secrets + `"]`,
	"another key":           `{"` + secrets + `":1}`,
	"a query of its own":    `{"query":{"` + secrets + `":"` + secrets + `"}}`,
	"variables as a string": `{"query":"{ me { name } }","variables":"` + secrets + `"}`,
	"a bad escape":          `{"query":"{ me { name } }","variables":{"a":"` + secrets + `\q"}}`,
	"an operation's name":   `{"query":"query A { me { name } }","operationName":"` + secrets + `"}`,
	"extensions":            `{"query":"{ nothing }","extensions":{"` + secrets + `":"` + secrets + `"}}`,
	"a string for an input": `{"query":"` + rename + `","variables":{"input":"` + secrets + `"}}`,
	"a list for an input":   `{"query":"` + rename + `","variables":{"input":["` + secrets + `"]}}`,
	"a number for a String": `{"query":"` + rename + `","variables":{"input":{"name":110105194912310021}}}`,
	"an object for it":      `{"query":"` + rename + `","variables":{"input":{"name":{"` + secrets + `":1}}}}`,
	"an unknown field":      `{"query":"` + rename + `","variables":{"input":{"name":"x","` + secrets + `\"":"` + secrets + `"}}}`,
	"a missing field":       `{"query":"` + rename + `","variables":{"input":{"__typename":"` + secrets + `"}}}`,
	"another variable":      `{"query":"` + rename + `","variables":{"` + secrets + `":"` + secrets + `"}}`,
	"a string for an Int":   `{"query":"` + resize + `","variables":{"size":"` + secrets + `"}}`,
	"digits for an Int":     `{"query":"` + resize + `","variables":{"size":"110105194912310021"}}`,
	"a great Int":           `{"query":"` + resize + `","variables":{"size":110105194912310021}}`,
	"an endless Int":        `{"query":"` + resize + `","variables":{"size":110105194912310021e999}}`,
	"a broken Int":          `{"query":"` + resize + `","variables":{"size":110105.194912310021}}`,
	"a string for a file":   `{"query":"` + updateAvatar + `","variables":{"file":"` + secrets + `"}}`,
}

func TestNoSecretOfABodyIsRepeated(t *testing.T) {
	e := newEndpoint(t)
	_, token := e.newUser("Alice")
	for name, body := range bodiesWithSecrets {
		e.refusedWithoutLeak(name, request("application/json", strings.NewReader(body), bearer(token)...))
		e.refusedWithoutLeak(name+" as text", request("text/plain; charset="+secretWord, strings.NewReader(body), bearer(token)...))
	}
}

func TestNoSecretOfAFormIsRepeated(t *testing.T) {
	e := newEndpoint(t)
	_, token := e.newUser("Alice")
	for name, body := range map[string]string{
		"operations":            withOperations(secrets),
		"a part's name":         form(part{secrets, "", operations}),
		"the second's name":     form(operationsPart, part{secrets, "", fileMap}),
		"the file's name":       form(operationsPart, mapPart, part{secrets, "", "x"}),
		"a map that is no JSON": withMap(secrets),
		"a map's file":          withMap(`{"` + secrets + `":["variables.file"]}`),
		"a map's path":          withMap(`{"0":["` + secrets + `"]}`),
		"a map's variable":      withMap(`{"0":["variables.` + secrets + `"]}`),
		"a variable's value":    withOperations(`{"query":"` + updateAvatar + `","variables":{"file":"` + secrets + `"}}`),
		"a header":              strings.ReplaceAll(uploadForm("x"), "Content-Disposition", secrets),
		"a file cut short":      cutBefore("me.jpg") + secrets,
	} {
		e.refusedWithoutLeak(name, request(multipartType, strings.NewReader(body), bearer(token)...))
	}
	body := form(operationsPart, mapPart, part{"0", secrets + ".jpg", secrets})
	a := e.postForm(body, bearer(token)...)
	if found := leaked(a.Body + e.log.take()); found != nil || a.fault("updateAvatar") != "IMAGE_UNSUPPORTED" {
		t.Errorf("a file's name and content: %q in %s", found, a.Body)
	}
}

func TestNoSecretOfAHeaderIsRepeated(t *testing.T) {
	e := newEndpoint(t)
	body := `{"query":"{ me { name } }"}`
	for _, header := range []string{
		"Authorization", "Cookie", "Origin", "User-Agent", "Referer", "Accept-Language", "X-Request-Id", "Accept", "X-Secret",
	} {
		for _, value := range []string{secretWord, "Bearer " + secretWord, "Basic " + secretWord, "nameplate_session=" + secretWord} {
			e.refusedWithoutLeak(header, request("application/json", strings.NewReader(body), header, value))
		}
	}
	e.refusedWithoutLeak("Content-Type", request(secretWord+"/"+secretWord, strings.NewReader(body)))
	r := request("application/json", strings.NewReader(body))
	r.URL.RawQuery, r.URL.Fragment = "token="+secretWord, secretWord
	e.refusedWithoutLeak("URL", r)
}

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
