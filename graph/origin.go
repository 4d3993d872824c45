package graph

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"nameplate/internal/session"
)

// OwnPages refuses what the page of another origin sends, but for the origins
// listed: a browser sends the user's cookie with it. It asks the same of a GET as of a
// POST, since reading the full ID number is recorded; and a GET with the cookie must not
// come from a link, in a mail or in such a page. Where unmarked is true it is served also if
// it doesn't say where it comes from, as old browsers and those over plain http don't.
func OwnPages(sessions *session.Manager, origins []string, unmarked bool, next http.Handler) (http.Handler, error) {
	protection := http.NewCrossOriginProtection()
	for _, origin := range origins {
		if err := protection.AddTrustedOrigin(origin); err != nil {
			return nil, err
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		isGet := r.Method == http.MethodGet || r.Method == http.MethodHead
		asked := *r
		if isGet {
			asked.Method = http.MethodPost
		}
		origin := r.Header.Get("Origin")
		switch {
		case protection.Check(&asked) != nil,
			// The protection compares hosts alone, and http may be somebody else's.
			sessions.Secure && strings.HasPrefix(origin, "http:") && !slices.Contains(origins, origin):
			refuse(w, r, withCode(&gqlerror.Error{}, codeForbidden, "A page of another origin may not use this server."))
		case isGet && sessions.ByCookie(r) && (byLink(r) || (!unmarked || r.Referer() != "") && !byScript(r, origins)):
			refuse(w, r, withCode(&gqlerror.Error{}, codeForbidden, byLinkMessage))
		default:
			next.ServeHTTP(w, r)
		}
	}), nil
}

const byLinkMessage = "With the session cookie, this must be asked for by a page of this server or a listed one, or by a POST."

// byLink is whether a GET that the protection has let through is marked as following a link,
// or what was typed, but for one in a page of our own.
func byLink(r *http.Request) bool {
	return r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Site") != "same-origin"
}

// byScript is whether a GET is known to come from a page that may send it: it is marked,
// or has an Origin, or a Referer of this host or a listed origin.
func byScript(r *http.Request, origins []string) bool {
	referrer, err := url.Parse(r.Referer())
	return r.Header.Get("Sec-Fetch-Site") != "" || r.Header.Get("Origin") != "" ||
		err == nil && (referrer.Host == r.Host || slices.Contains(origins, referrer.Scheme+"://"+referrer.Host))
}
