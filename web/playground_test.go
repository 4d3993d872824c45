package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

func get(t *testing.T, h http.Handler, target, ifNoneMatch string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Header.Set("If-None-Match", ifNoneMatch)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Result(), string(body)
}

func TestPlayground(t *testing.T) {
	const (
		revalidated = "no-cache"
		forever     = "public, max-age=31536000, immutable"
		script      = "text/javascript; charset=utf-8"
		page        = "text/html; charset=utf-8"
	)
	h := newPlayground(fstest.MapFS{
		"LICENSE":                 {Data: []byte("license")},
		"assets/i18n/en.json":     {Data: []byte("words")},
		"assets/img/logo.svg":     {Data: []byte("logo")},
		"chunk-HMR5CY6K.js":       {Data: []byte("chunk")},
		"index.html":              {Data: []byte("page")},
		"main.js":                 {Data: []byte("main")},
		"media/mono-normal.woff2": {Data: []byte("font")},
		"styles.css":              {Data: []byte("styles")},
	}, "/api")
	tests := []struct{ path, body, mediaType, caching string }{
		{"", "page", page, revalidated},
		{"init.js", `AltairGraphQL.init({`, script, revalidated},
		{"init.js", `"endpointURL":"/api"`, script, revalidated},
		{"main.js", "main", script, revalidated},
		{"chunk-HMR5CY6K.js", "chunk", script, forever},
		{"styles.css", "styles", "text/css; charset=utf-8", revalidated},
		{"assets/img/logo.svg", "logo", "image/svg+xml", revalidated},
		{"assets/i18n/en.json", "words", "application/json", revalidated},
		{"media/mono-normal.woff2", "font", "font/woff2", revalidated},
		{"LICENSE", "license", "text/plain; charset=utf-8", revalidated},
	}
	for _, test := range tests {
		t.Run(test.path, func(t *testing.T) {
			res, body := get(t, h, "/playground/"+test.path, "")
			if res.StatusCode != http.StatusOK || !strings.Contains(body, test.body) {
				t.Errorf("got %s: %q, want %q", res.Status, body, test.body)
			}
			for name, want := range map[string]string{
				"Cache-Control":           test.caching,
				"Content-Security-Policy": policy,
				"Content-Type":            test.mediaType,
				"Referrer-Policy":         "no-referrer",
				"X-Content-Type-Options":  "nosniff",
			} {
				if got := res.Header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			again, _ := get(t, h, "/playground/"+test.path, res.Header.Get("ETag"))
			if again.StatusCode != http.StatusNotModified {
				t.Errorf("with its own entity tag: %s", again.Status)
			}
		})
	}
}

func TestPlaygroundServesNothingElse(t *testing.T) {
	h := newPlayground(fstest.MapFS{
		"index.html":  {Data: []byte("page")},
		"assets/a.js": {Data: []byte("a")},
	}, "/graphql")
	for _, path := range []string{"assets", "assets/", "none.js", "../index.html", "assets/../main.js"} {
		if res, body := get(t, h, "/playground/"+path, ""); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s: %q", path, res.Status, body)
		}
	}
}

func TestPlaygroundNotBuiltIn(t *testing.T) {
	for _, files := range []fstest.MapFS{nil, {"main.js": {Data: []byte("main")}}} {
		res, body := get(t, newPlayground(files, "/graphql"), "/playground/", "")
		if res.StatusCode != http.StatusNotImplemented {
			t.Errorf("got %s", res.Status)
		}
		if got := res.Header.Get("Content-Type"); got != "text/html; charset=utf-8" {
			t.Errorf("Content-Type: %q", got)
		}
		for _, want := range []string{"without", "make build", "curl"} {
			if !strings.Contains(body, want) {
				t.Errorf("the page does not say %q", want)
			}
		}
	}
}

func loadSchema(t *testing.T) *ast.Schema {
	t.Helper()
	sdl, err := os.ReadFile("../schema.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphqls", Input: string(sdl)})
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestExamplesFitTheSchema(t *testing.T) {
	schema := loadSchema(t)
	for _, example := range examples {
		if _, errs := gqlparser.LoadQueryWithRules(schema, example.Query, nil); errs != nil {
			t.Errorf("%s: %v", example.Name, errs)
		}
	}
}
