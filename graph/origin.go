package graph

import (
	"net/http"

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
			refuse(w, withCode(&gqlerror.Error{}, codeForbidden, "A page of another origin may not use this server."))
		// Over plain http, and from older browsers, a link in another page tells nothing
		// of where it was.
		case isGet && sessions.ByCookie(r) && r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "":
			refuse(w, withCode(&gqlerror.Error{}, codeForbidden, "With the session cookie, send a POST."))
		default:
			next.ServeHTTP(w, r)
		}
	}), nil
}
