package web

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"time"
)

// policy confines the playground to its own server. What it has beyond 'self' Altair
// needs: it makes its styles in the page and keeps its icons in them as data.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
	"img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'self'; " +
	"form-action 'none'; frame-ancestors 'none'"

const (
	index      = "index.html"
	initScript = "init.js"
)

// mediaTypes are fixed here because the machine's own table may lack or change them.
var mediaTypes = map[string]string{
	"":       "text/plain; charset=utf-8",
	".css":   "text/css; charset=utf-8",
	".html":  "text/html; charset=utf-8",
	".ico":   "image/x-icon",
	".js":    "text/javascript; charset=utf-8",
	".json":  "application/json",
	".png":   "image/png",
	".svg":   "image/svg+xml",
	".woff":  "font/woff",
	".woff2": "font/woff2",
}

// hashed matches the files whose names change with their contents.
var hashed = regexp.MustCompile(`-[A-Z0-9]{8}\.js$`)

// Playground serves an in-browser client, opened on examples, for the API at endpoint,
// a path such as "/graphql". Mount it with the prefix in place:
//
//	mux.Handle("GET /playground/", web.Playground("/graphql"))
//
// ServeMux then redirects /playground by itself. In a binary that was built without the
// playground's files the handler answers 501 and says how to build one with them.
func Playground(endpoint string) http.Handler {
	files, err := fs.Sub(dist, "dist/playground")
	if err != nil {
		panic(err) // only an invalid path fails, and this one is constant
	}
	return newPlayground(files, endpoint)
}

func newPlayground(files fs.FS, endpoint string) http.Handler {
	script := initialOptions(endpoint)
	tags, err := entityTags(files)
	if err != nil {
		return http.HandlerFunc(serveMissing)
	}
	tags[initScript] = entityTag(script)
	return http.StripPrefix("/playground/", &playground{files, script, tags})
}

type playground struct {
	files  fs.FS
	script []byte
	tags   map[string]string // by name, of everything there is to serve
}

func (p *playground) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Path
	if name == "" {
		name = index
	}
	tag, ok := p.tags[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	setHeaders(w.Header(), policy, name, tag)
	if name == initScript {
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(p.script))
		return
	}
	http.ServeFileFS(w, r, p.files, name)
}

func setHeaders(h http.Header, policy, name, tag string) {
	caching := "no-cache"
	if hashed.MatchString(name) {
		caching = "public, max-age=31536000, immutable"
	}
	h.Set("Cache-Control", caching)
	h.Set("Content-Security-Policy", policy)
	h.Set("Content-Type", mediaTypes[path.Ext(name)])
	h.Set("ETag", tag)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
}

func serveMissing(w http.ResponseWriter, _ *http.Request) {
	setHeaders(w.Header(), policy, index, entityTag(missing))
	w.WriteHeader(http.StatusNotImplemented)
	_, _ = w.Write(missing)
}

// entityTags fails when there is no page among the files.
func entityTags(files fs.FS) (map[string]string, error) {
	tags := map[string]string{}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		tags[name] = entityTag(content)
		return err
	})
	if err == nil && tags[index] == "" {
		err = fs.ErrNotExist
	}
	return tags, err
}

func entityTag(content []byte) string {
	return fmt.Sprintf(`"%x"`, sha256.Sum256(content))
}
