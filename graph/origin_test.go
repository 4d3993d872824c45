package graph

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"nameplate/ent/event"
)

const listedOrigin = "https://app.example"

// pages are what a browser tells of a request that a page makes, and whether the page is
// the server's own, a listed one, or no page at all.
var pages = []struct {
	origin, fetchSite string
	allowed           bool
}{
	{"", "", true}, // no browser
	{"", "none", true},
	{"", "same-origin", true},
	{publicURL, "same-origin", true},
	{publicURL, "", true},
	{"http://internal:8080", "", true}, // the address behind a proxy
	{listedOrigin, "cross-site", true},
	{listedOrigin, "same-site", true},
	{listedOrigin, "", true},
	{listedOrigin + ":81", "cross-site", false},
	{"http://app.example", "cross-site", false},
	{"https://sub.app.example", "cross-site", false},
	{"", "cross-site", false},
	{"", "same-site", false},
	{"http://evil.example", "cross-site", false},
	{"http://app.example.com", "same-site", false},
	{"http://evil.example", "", false},
	{"null", "", false},
	{"null", "cross-site", false},
	{"http://id.example.com.evil.example", "", false},
	{"http://id.example.com:81", "", false},
}

// bodies are by what a form or a script may send without asking first, and by what it
// may not.
func bodies(t *testing.T) map[string]string {
	const rename = `{"query":"mutation { updateName(input: { name: \"Mallory\" }) { user { name } } }"}`
	return map[string]string{
		"application/json":                  rename,
		"application/json; charset=utf-8":   rename,
		"text/plain":                        rename,
		"text/plain; application/json":      rename,
		"application/x-www-form-urlencoded": rename,
		"":                                  rename,
		multipartType:                       uploadForm(string(picture(t))),
	}
}

// A cookie is sent whoever asked for it. What a request with it changes is the user's
// name or picture, or, by a query, what the user reads of the readings of the number.
func TestAPageOfAnotherOriginChangesNothing(t *testing.T) {
	e := newEndpoint(t)
	e.resolver.Profiles.Attempts.Off = true // for the number is read more often than one may
	user, token := e.newUser("Alice")
	if _, err := e.resolver.Profiles.SaveVerification(e.as(token), user.ID, secretName, secretNumber); err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		for contentType, body := range bodies(t) {
			for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodHead, http.MethodPut, http.MethodOptions} {
				r := request(contentType, strings.NewReader(body), "Cookie", "nameplate_session="+token)
				r.Host, r.Method = "internal:8080", method
				isGet := method == http.MethodGet || method == http.MethodHead
				if isGet {
					r.URL.RawQuery = encode("query", `{ me { verification { idCard } } }`)
				}
				setUnlessEmpty(r, "Origin", page.origin)
				setUnlessEmpty(r, "Sec-Fetch-Site", page.fetchSite)
				w := httptest.NewRecorder()
				e.ServeHTTP(w, r)

				// By GET, a browser must have told where it comes from.
				allowed := page.allowed && (!isGet || page.origin != "" || page.fetchSite != "")
				if forbidden := w.Code == http.StatusForbidden; method != http.MethodOptions && forbidden == allowed {
					t.Errorf("%+v with %s %s: status %d, %s", page, method, contentType, w.Code, w.Body)
				}
				now := e.reload(user)
				read := e.db.Event.Delete().Where(event.KindEQ(event.KindID_CARD_READ)).ExecX(t.Context())
				changed := now.Name != user.Name || now.AvatarKey != nil || read > 0
				readable := isGet || method == http.MethodPost && (strings.HasPrefix(contentType, "application/json") || contentType == multipartType)
				if changed != (allowed && readable) {
					t.Errorf("%+v with %s %s: the user is now %v, the number was read %d times", page, method, contentType, now, read)
				}
				e.db.User.UpdateOne(now).SetName(user.Name).ClearAvatarKey().ExecX(t.Context())
			}
		}
	}
}

func TestAGETWithTheCookieMayTellByItsReferrerWhereItComesFrom(t *testing.T) {
	e := newEndpoint(t)
	_, token := e.newUser("Alice")
	for referrer, status := range map[string]int{
		"http://example.com/profile": 200, "http://example.com": 200, // httptest's host
		publicURL: 200, publicURL + "/profile": 200, listedOrigin + "/": 200,
		"https://id.example.com/": 403, "http://app.example/": 403,
		"": 403, "http://evil.example/": 403, "http://example.com:81/": 403, "http://example.com.evil.example/": 403,
		"http://evil.example/?http://example.com/": 403, "example.com": 403, "http://[": 403,
	} {
		a := e.get(encode("query", `{ me { name } }`), "Cookie", "nameplate_session="+token, "Referer", referrer)
		if a.Status != status {
			t.Errorf("%q: status %d, %s", referrer, a.Status, a.Body)
		}
	}
}

// Whoever is between a browser and the server can put any page at http.
func TestAPageByHTTPIsAnotherWhereTheServerIsByHTTPS(t *testing.T) {
	e := newEndpoint(t)
	for _, secure := range []bool{true, false} {
		e.sessions.Secure = secure
		for origin, status := range map[string]int{
			"https://example.com": 200, listedOrigin: 200, publicURL: 200, // httptest's host, and listed ones
			"http://example.com": map[bool]int{true: 403, false: 200}[secure],
		} {
			a := e.send(request("application/json", strings.NewReader(typename), "Origin", origin))
			if a.Status != status {
				t.Errorf("secure %t: %s: status %d, %s", secure, origin, a.Status, a.Body)
			}
		}
	}
}

// A link in a mail comes from no page, and is opened with the cookie.
func TestALinkReadsNothingWithTheCookie(t *testing.T) {
	e := newEndpoint(t)
	_, token := e.newUser("Alice")
	for _, test := range []struct {
		site, mode string
		status     int
	}{
		{"none", "navigate", 403},
		{"same-origin", "navigate", 200}, // a link in a page of the server's own
		{"same-origin", "cors", 200},
		{"none", "cors", 200}, // an extension of the browser
	} {
		header := []string{"Sec-Fetch-Site", test.site, "Sec-Fetch-Mode", test.mode}
		if a := e.get(encode("query", `{ me { name } }`), append(header, "Cookie", "nameplate_session="+token)...); a.Status != test.status {
			t.Errorf("%+v: status %d, %s", test, a.Status, a.Body)
		}
		if a := e.get(encode("query", `{ __typename }`), header...); a.Status != http.StatusOK {
			t.Errorf("%+v without the cookie: status %d, %s", test, a.Status, a.Body)
		}
	}
}

func TestARefusedPageGetsTheTypeThatItAccepts(t *testing.T) {
	e := newEndpoint(t)
	for accept, want := range map[string]string{
		"":                                  "application/json; charset=utf-8",
		"application/graphql-response+json": "application/graphql-response+json; charset=utf-8",
		"application/graphql-response+json;q=0.9, application/json;q=0.8": "application/graphql-response+json; charset=utf-8",
		"text/html": "application/json; charset=utf-8",
	} {
		a := e.send(request("application/json", strings.NewReader(typename), "Origin", "http://evil.example", "Accept", accept))
		if got := a.Header.Get("Content-Type"); a.Status != http.StatusForbidden || a.code() != "FORBIDDEN" || got != want {
			t.Errorf("%q: status %d, %s, %s", accept, a.Status, got, a.Body)
		}
	}
}

// A bearer token is sent by nobody but who has it.
func TestAGETWithABearerTokenNeedNotSayWhereItComesFrom(t *testing.T) {
	e := newEndpoint(t)
	_, token := e.newUser("Alice")
	a := e.get(encode("query", `{ me { name } }`), append(bearer(token), "Cookie", "nameplate_session=x")...)
	if a.Status != http.StatusOK || a.code() != "" {
		t.Errorf("status %d, %s", a.Status, a.Body)
	}
	if a := e.get(encode("query", `{ __typename }`), "Cookie", "other=x"); a.Status != http.StatusOK {
		t.Errorf("another cookie: status %d, %s", a.Status, a.Body)
	}
}

func setUnlessEmpty(r *http.Request, name, value string) {
	if value != "" {
		r.Header.Set(name, value)
	}
}
