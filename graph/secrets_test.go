package graph

import (
	"net/http"
	"strings"
	"testing"
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
