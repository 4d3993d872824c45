package web

import (
	"io/fs"
	"net/http"
	"strings"
)

// ownPolicy confines a page of our own, which needs nothing but its server.
const ownPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// ResetPassword serves the page of a link that resets a password, at /reset-password, and
// its files below. The page sends the link's code to /graphql.
func ResetPassword() http.Handler {
	files, err := fs.Sub(resetPassword, "resetpassword")
	if err != nil {
		panic(err) // only an invalid path fails, and this one is constant
	}
	tags, err := entityTags(files)
	if err != nil {
		panic(err) // they are in every binary
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, below := strings.CutPrefix(r.URL.Path, "/reset-password/")
		if !below {
			name = index
		}
		tag, ok := tags[name]
		if !ok || below && name == index { // the page has one address
			http.NotFound(w, r)
			return
		}
		setHeaders(w.Header(), ownPolicy, name, tag)
		http.ServeFileFS(w, r, files, name)
	})
}
