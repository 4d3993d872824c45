package main

import (
	"net/http"
	"strings"
	"testing"
)

const (
	listed  = "https://app.example"
	listed2 = "http://localhost:5173"
)

// crossOrigin sends what a browser does for the page of an origin.
func crossOrigin(t *testing.T, s *server, method, origin, body string, header ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequest(method, s.url+"/graphql", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Origin", origin)
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return res
}

func preflight(t *testing.T, s *server, origin string) *http.Response {
	t.Helper()
	return crossOrigin(t, s, http.MethodOptions, origin, "",
		"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "apollo-require-preflight,authorization,content-type")
}

func TestAListedOriginsPageUsesTheAPIWithTheCookie(t *testing.T) {
	s := start(t, t.TempDir(), map[string]string{"NAMEPLATE_CORS_ORIGINS": listed + "," + listed2})
	alice := newClient(t, s.url, true)
	cookie := alice.enter("signUp", "Alice", password).Header.Get("Set-Cookie")
	for _, origin := range []string{listed, listed2} {
		res := preflight(t, s, origin)
		for name, want := range map[string]string{
			"Access-Control-Allow-Origin":      origin,
			"Access-Control-Allow-Credentials": "true",
			"Access-Control-Allow-Headers":     "apollo-require-preflight,authorization,content-type",
			"Access-Control-Max-Age":           "86400",
		} {
			if got := res.Header.Get(name); got != want || res.StatusCode >= 300 {
				t.Errorf("%s: status %d, %s is %q, want %q", origin, res.StatusCode, name, got, want)
			}
		}
		res = crossOrigin(t, s, http.MethodPost, origin,
			`{"query":"mutation { updateName(input: { name: \"Alice of `+origin[8:11]+`\" }) { user { name } } }"}`,
			"Content-Type", "application/json", "Cookie", cookie)
		a, err := readAnswer(res)
		if err != nil || a.at("updateName", "user", "name") == nil {
			t.Fatalf("%s: %v, %v", origin, a, err)
		}
		for name, want := range map[string]string{
			"Access-Control-Allow-Origin":      origin,
			"Access-Control-Allow-Credentials": "true",
			"Vary":                             "Origin",
		} {
			if got := res.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", origin, name, got, want)
			}
		}
		if exposed := res.Header.Get("Access-Control-Expose-Headers"); !strings.Contains(exposed, "x-request-id") {
			t.Errorf("%s may read the headers %q", origin, exposed)
		}
	}
}

func TestAnUnlistedOriginsPageGetsNothing(t *testing.T) {
	listing := start(t, t.TempDir(), map[string]string{"NAMEPLATE_CORS_ORIGINS": listed})
	none := start(t, t.TempDir(), nil)
	for _, s := range []*server{listing, none} {
		for _, origin := range []string{"https://evil.example", "null", listed + ".evil.example", "https://sub.app.example", "http://app.example"} {
			responses := map[string]*http.Response{
				"preflight": preflight(t, s, origin),
				"GET":       crossOrigin(t, s, http.MethodGet, origin, ""),
				"POST":      crossOrigin(t, s, http.MethodPost, origin, `{"query":"{ __typename }"}`, "Content-Type", "application/json"),
			}
			for what, res := range responses {
				if got := res.Header.Get("Access-Control-Allow-Origin"); got != "" {
					t.Errorf("%s of %s: allowed as %s", what, origin, got)
				}
				if what != "preflight" && res.StatusCode != http.StatusForbidden {
					t.Errorf("%s of %s: status %d", what, origin, res.StatusCode)
				}
			}
		}
	}
}

func TestTheCookieMayBeForPagesOfOtherSites(t *testing.T) {
	for setting, want := range map[string]string{"": "SameSite=Lax", "lax": "SameSite=Lax", "strict": "SameSite=Strict", "none": "SameSite=None"} {
		s := start(t, t.TempDir(), map[string]string{
			"NAMEPLATE_PUBLIC_URL": "https://id.example.com", "NAMEPLATE_COOKIE_SAMESITE": setting,
		})
		cookie := newClient(t, s.url, false).enter("signUp", "Alice", password).Header.Get("Set-Cookie")
		if !strings.Contains(cookie, want) || !strings.Contains(cookie, "Secure") {
			t.Errorf("%q: %s", setting, cookie)
		}
	}
}

// limitedServer lets ten requests of an address through, and then one a second.
func limitedServer(t *testing.T, env map[string]string) *server {
	env["NAMEPLATE_MAX_RATE"], env["NAMEPLATE_CORS_ORIGINS"] = "1", listed
	return start(t, t.TempDir(), env)
}

// askUntilRefused sends requests and returns how many were answered before one was refused
// for its rate, and the refusal.
func askUntilRefused(t *testing.T, s *server, origin string, header ...string) (answered int, refused *http.Response) {
	t.Helper()
	header = append(header, "Content-Type", "application/json")
	for answered = range 1000 {
		res := crossOrigin(t, s, http.MethodPost, origin, `{"query":"{ __typename }"}`, header...)
		if res.StatusCode == http.StatusTooManyRequests {
			return answered, res
		}
		res.Body.Close()
	}
	return answered, nil
}

func TestAPageReadsThatItAskedTooOften(t *testing.T) {
	s := limitedServer(t, map[string]string{})
	// What another page sends isn't counted, or it would use up its visitor's rate.
	if _, refused := askUntilRefused(t, s, "https://evil.example"); refused != nil {
		t.Error("a page of another origin is told that it asks too often")
	}
	answered, res := askUntilRefused(t, s, listed, "Accept", "application/graphql-response+json")
	if res == nil || answered < 10 {
		t.Fatalf("%d were answered, want 10", answered)
	}
	a, err := readAnswer(res)
	if err != nil || a.code() != "RATE_LIMITED" || res.Header.Get("Retry-After") != "1" ||
		res.Header.Get("Access-Control-Allow-Origin") != listed ||
		res.Header.Get("Content-Type") != "application/graphql-response+json; charset=utf-8" {
		t.Errorf("%v, %v, headers %v", a, err, res.Header)
	}
	if a, err := readAnswer(preflight(t, s, listed)); a != nil && a.Status == http.StatusTooManyRequests {
		t.Errorf("the preflight is limited: %v, %v", a, err)
	}
	off := limitedServer(t, map[string]string{"NAMEPLATE_THROTTLE": "off"})
	if _, refused := askUntilRefused(t, off, listed); refused != nil {
		t.Error("without a limit, it is refused")
	}
	if !strings.Contains(off.log.String(), "level=WARN msg=\"anybody may guess at passwords") {
		t.Errorf("the start doesn't say so: %s", off.log)
	}
}

func TestAClientBehindATrustedProxyHasItsOwnRate(t *testing.T) {
	for trusted, shared := range map[string]bool{"": true, "10.0.0.0/8": true, "10.0.0.0/8, 127.0.0.1": false} {
		s := limitedServer(t, map[string]string{"NAMEPLATE_TRUSTED_PROXIES": trusted})
		askUntilRefused(t, s, listed, "X-Forwarded-For", "192.0.2.1")
		answered, _ := askUntilRefused(t, s, listed, "X-Forwarded-For", "192.0.2.2")
		if answered < 10 != shared {
			t.Errorf("%q: of another client %d were answered", trusted, answered)
		}
		if warned := strings.Contains(s.log.String(), "name that in NAMEPLATE_TRUSTED_PROXIES"); warned != (trusted == "") {
			t.Errorf("%q: warned %t of a proxy that isn't named", trusted, warned)
		}
	}
}
