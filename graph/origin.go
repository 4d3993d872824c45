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
		origin := r.Header.Get("Origin")
		switch {
		case protection.Check(&asked) != nil,
			// The protection compares hosts alone, and http may be somebody else's.
			sessions.Secure && strings.HasPrefix(origin, "http:") && !slices.Contains(origins, origin):
			refuse(w, r, withCode(&gqlerror.Error{}, codeForbidden, "A page of another origin may not use this server."))
		case isGet && sessions.ByCookie(r) && !byScript(r, origins):
			refuse(w, r, withCode(&gqlerror.Error{}, codeForbidden, "With the session cookie, send a POST."))
		default:
			next.ServeHTTP(w, r)
		}
	}), nil
}

// byScript is whether a GET that the protection has let through is known not to come from
// a link, in a mail or in a page. Browsers mark following one as navigation; over plain
// http, and older ones, they don't, and then an Origin, or a Referer of this host or a
// listed origin, must show that it comes from a page that may.
func byScript(r *http.Request, origins []string) bool {
	if r.Header.Get("Sec-Fetch-Mode") == "navigate" {
		return r.Header.Get("Sec-Fetch-Site") == "same-origin" // a link in a page of our own
	}
	referrer, err := url.Parse(r.Referer())
	return r.Header.Get("Sec-Fetch-Site") != "" || r.Header.Get("Origin") != "" ||
		err == nil && (referrer.Host == r.Host || slices.Contains(origins, referrer.Scheme+"://"+referrer.Host))
}
