package graph

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"nameplate/ent"
	"nameplate/internal/fault"
)

func TestTheClientChoosesTheMediaType(t *testing.T) {
	e := newEndpoint(t)
	const older = "application/json"
	for accept, want := range map[string]string{
		"":                                  older,
		" ":                                 older,
		"*/*":                               older,
		"application/*":                     older,
		older:                               older,
		"APPLICATION/JSON":                  older,
		"application/json;charset=utf-8":    older,
		`application/json; charset="UTF-8"`: older,
		graphqlResponse:                     graphqlResponse,
		graphqlResponse + "; charset=utf-8": graphqlResponse,
		// What Apollo, urql, Relay and fetch of a browser send.
		"application/graphql-response+json,application/json;q=0.9":                                                          graphqlResponse,
		"application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed": graphqlResponse,
		"application/json, text/plain, */*":                                                                                 older,
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8":                                                   older,

		"application/json, application/graphql-response+json":             older,
		"application/json;q=0.1, application/graphql-response+json;q=0.2": graphqlResponse,
		"application/json;q=0.2, application/graphql-response+json;q=0.1": older,
		"application/graphql-response+json;q=0, */*":                      older,
		"application/json;q=0, */*;q=0.1":                                 graphqlResponse,
		"application/json;q=0":                                            "",
		"text/html":                                                       "",
		"text/*, image/png":                                               "",
		"application/json; charset=utf-16":                                "",
		"application/graphql+json":                                        "",
		// What can't be read is as good as missing.
		"nonsense": older, "application/json;q=2": older, ",": older, "/": older,
	} {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, request("application/json", strings.NewReader(typename), "Accept", accept))
		got := w.Header().Get("Content-Type")
		if want == "" {
			if a := parseAnswer(t, w.Result()); a.Status != http.StatusNotAcceptable || a.code() != "NOT_ACCEPTABLE" {
				t.Errorf("%q: status %d, %s", accept, a.Status, a.Body)
			}
		} else if w.Code != http.StatusOK || got != want+"; charset=utf-8" {
			t.Errorf("%q: status %d, %s, want %s", accept, w.Code, got, want)
		}
	}
	r := request("application/json", strings.NewReader(typename), "Accept", "text/html")
	r.Header.Add("Accept", graphqlResponse)
	if a := e.send(r); !strings.HasPrefix(a.Header.Get("Content-Type"), graphqlResponse) {
		t.Errorf("a second header is not read: %s", a.Header.Get("Content-Type"))
	}
}

// In application/json, HTTP has succeeded when a GraphQL request was understood; in
// application/graphql-response+json, when it was executed.
func TestTheStatusIsThatOfTheMediaType(t *testing.T) {
	e := newEndpoint(t)
	for _, test := range []struct {
		name, body        string
		inJSON, inGraphQL int
		code              string
		hasData           bool
	}{
		{"executed", typename, 200, 200, "", true},
		{"an error in a field", `{"query":"{ me { name } }"}`, 200, 200, "UNAUTHENTICATED", true},
		{"no GraphQL", `{"query":"{"}`, 200, 400, "GRAPHQL_PARSE_FAILED", false},
		{"no field of the schema", `{"query":"{ nothing }"}`, 200, 400, "GRAPHQL_VALIDATION_FAILED", false},
		{"no such operation", `{"query":"query A { __typename }","operationName":"B"}`, 200, 400, "GRAPHQL_VALIDATION_FAILED", false},
		{"a variable's wrong value", `{"query":"query($s: Int!) { me { avatarUrl(size: $s) } }","variables":{"s":"x"}}`, 200, 400, "GRAPHQL_VALIDATION_FAILED", false},
		{"too much", `{"query":"mutation { a: signOut { __typename } b: signOut { __typename } c: signOut { __typename } d: signOut { __typename } }"}`, 200, 400, "COMPLEXITY_LIMIT_EXCEEDED", false},
		{"no query", `{}`, 400, 400, "BAD_REQUEST", false},
		{"no JSON", `{`, 400, 400, "BAD_REQUEST", false},
	} {
		for accept, want := range map[string]int{"application/json": test.inJSON, graphqlResponse: test.inGraphQL} {
			a := e.post(test.body, "Accept", accept)
			if a.Status != want || a.code() != test.code || strings.Contains(a.Body, `"data"`) != test.hasData {
				t.Errorf("%s as %s: status %d, %s; want %d, %s", test.name, accept, a.Status, a.Body, want, test.code)
			}
			if !strings.HasPrefix(a.Header.Get("Content-Type"), accept+";") {
				t.Errorf("%s as %s: the answer is %s", test.name, accept, a.Header.Get("Content-Type"))
			}
		}
	}
}

func TestAResponseHasFewShortErrors(t *testing.T) {
	e := newEndpoint(t)
	limits := defaultLimits(t)
	limits.MaxErrors, limits.MaxErrorLength = 2, 10
	e.serve(Options{Limits: limits})
	for _, query := range []string{`{ a b c }`, `{ a: me { id } b: me { id } c: me { id } }`} {
		a := e.query("", query, nil)
		if len(a.Errors) != 2 {
			t.Errorf("%s: %s", query, a.Body)
		}
		for _, err := range a.Errors {
			if n := len([]rune(err.Message)); n > 10 || n < 9 {
				t.Errorf("%s: %q", query, err.Message)
			}
		}
	}
	e.serve(Options{Limits: defaultLimits(t)})
	if a := e.query("", `{ a b c d e f g }`, nil); len(a.Errors) != 5 {
		t.Errorf("by default: %s", a.Body)
	}
}

func TestATextIsShortenedByCharacters(t *testing.T) {
	for text, want := range map[string]string{"": "", "张三丰": "张三丰", "张三丰和": "张三…"} {
		if got := shorten(text, 3); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestWhoIsThrottledByAServiceReadsWhenToRetry(t *testing.T) {
	e := newEndpoint(t)
	_, token := e.newUser("Alice")
	e.db.User.Use(func(ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(context.Context, ent.Mutation) (ent.Value, error) {
			return nil, &fault.RateLimited{RetryAfter: 1500 * time.Millisecond}
		})
	})
	a := e.query(token, `mutation { updateName(input: { name: "Bob" }) { user { name } } }`, nil)
	if a.Status != http.StatusOK || a.code() != "RATE_LIMITED" || a.Errors[0].Extensions["retryAfter"] != 2.0 {
		t.Errorf("status %d, %s", a.Status, a.Body)
	}
	if log := e.log.troubles(); log != "" {
		t.Errorf("the log has: %s", log)
	}
}
