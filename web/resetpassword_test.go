package web

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/vektah/gqlparser/v2"
)

func TestThePageOfAResetLink(t *testing.T) {
	h := ResetPassword()
	for path, mediaType := range map[string]string{
		"/reset-password":           "text/html; charset=utf-8",
		"/reset-password/page.js":   "text/javascript; charset=utf-8",
		"/reset-password/style.css": "text/css; charset=utf-8",
	} {
		t.Run(path, func(t *testing.T) {
			res, body := get(t, h, path, "")
			if res.StatusCode != http.StatusOK || body == "" {
				t.Errorf("got %s: %q", res.Status, body)
			}
			for name, want := range map[string]string{
				"Cache-Control":           "no-cache",
				"Content-Security-Policy": ownPolicy,
				"Content-Type":            mediaType,
				"Referrer-Policy":         "no-referrer",
				"X-Content-Type-Options":  "nosniff",
			} {
				if got := res.Header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			if again, body := get(t, h, path, res.Header.Get("ETag")); again.StatusCode != http.StatusNotModified || body != "" {
				t.Errorf("with its own entity tag: %s: %q", again.Status, body)
			}
			head := httptest.NewRecorder()
			h.ServeHTTP(head, httptest.NewRequest(http.MethodHead, path, nil))
			if head.Code != http.StatusOK || head.Body.Len() != 0 || head.Header().Get("ETag") != res.Header.Get("ETag") {
				t.Errorf("HEAD: %d, %v: %q", head.Code, head.Header(), head.Body)
			}
		})
	}
	for _, path := range []string{"", "index.html", "none.js", "page.js/", "../embed.go", "../resetpassword/page.js"} {
		if res, body := get(t, h, "/reset-password/"+path, ""); res.StatusCode != http.StatusNotFound {
			t.Errorf("%q: %s: %q", path, res.Status, body)
		}
	}
}

// What a strict policy refuses, and so would break the page.
func TestThePageOfAResetLinkHasNothingInline(t *testing.T) {
	_, body := get(t, ResetPassword(), "/reset-password", "")
	if inline := regexp.MustCompile(`<style|<script[^>]*>[^<]|\s(style|on\w+)=|javascript:`).FindString(body); inline != "" {
		t.Errorf("the page has %q", inline)
	}
}

func TestTheQueriesOfPagesFitTheSchema(t *testing.T) {
	_, script := get(t, ResetPassword(), "/reset-password/page.js", "")
	queries := regexp.MustCompile("/\\* GraphQL \\*/ `([^`]*)`").FindAllStringSubmatch(script, -1)
	if len(queries) != 2 {
		t.Fatalf("%d queries", len(queries))
	}
	for _, query := range queries {
		if _, errs := gqlparser.LoadQueryWithRules(loadSchema(t), query[1], nil); errs != nil {
			t.Errorf("%s: %v", query[1], errs)
		}
	}
}
