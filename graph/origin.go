package graph

import (
	"net/http"
	"net/url"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"nameplate/internal/session"
)

// OwnPages refuses what the page of another origin sends, but for the origins
// listed: a browser sends the user's cookie with it. It asks the same of a GET as of a
// POST, since reading the full ID number is recorded.
func OwnPages(sessions *session.Manager, origins []string, next http.Handler) (http.Handler, error) {
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
		switch {
		case protection.Check(&asked) != nil:
			refuse(w, r, withCode(&gqlerror.Error{}, codeForbidden, "A page of another origin may not use this server."))
		case isGet && sessions.ByCookie(r) && !byOwnScript(r):
			refuse(w, r, withCode(&gqlerror.Error{}, codeForbidden, "With the session cookie, send a POST."))
		default:
			next.ServeHTTP(w, r)
		}
	}), nil
}

// byOwnScript is whether a GET that the protection has let through is known to be an own
// page's. Over plain http, and from older browsers, a link in another page tells nothing,
// and a script of an own page no more than the address of that. A link in a mail, which
// opens the URL itself, comes from nowhere.
func byOwnScript(r *http.Request) bool {
	if r.Header.Get("Sec-Fetch-Mode") == "navigate" {
		return false
	}
	referrer, err := url.Parse(r.Referer())
	return r.Header.Get("Sec-Fetch-Site") != "" || r.Header.Get("Origin") != "" ||
		err == nil && referrer.Host == r.Host
}
