package disk_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nameplate/internal/blob/blobtest"
)

// request sends one request with these headers, whose answer's body can still
// be read after it.
func request(t *testing.T, method, address string, header map[string]string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res
}

func body(t *testing.T, res *http.Response) string {
	t.Helper()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// pick returns those of the answer's headers that are named in want.
func pick(res *http.Response, want map[string]string) map[string]string {
	got := map[string]string{}
	for name := range want {
		got[name] = res.Header.Get(name)
	}
	return got
}

func TestAnObjectIsServedToBeCachedAndNeverRun(t *testing.T) {
	s, address := serve(t, t.TempDir())
	data := blobtest.JPEG(1000, 'd')
	put(t, s, "a/b.jpg", data)
	want := map[string]string{
		"Content-Type":                 "image/jpeg",
		"Content-Length":               "1000",
		"Cache-Control":                "public, max-age=31536000, immutable",
		"X-Content-Type-Options":       "nosniff",
		"Content-Security-Policy":      "default-src 'none'; sandbox",
		"Cross-Origin-Resource-Policy": "cross-origin",
		"Access-Control-Allow-Origin":  "*",
		"Accept-Ranges":                "bytes",
		"Last-Modified":                "",
	}
	for method, wantBody := range map[string]string{http.MethodGet: string(data), http.MethodHead: ""} {
		res := request(t, method, address+"/a/b.jpg", nil)
		if res.StatusCode != http.StatusOK || body(t, res) != wantBody {
			t.Errorf("%s: %s with the wrong body", method, res.Status)
		}
		if diff := cmp.Diff(want, pick(res, want)); diff != "" {
			t.Errorf("%s: headers (-want +got):\n%s", method, diff)
		}
	}
}

func TestAnObjectIsRevalidatedByItsETag(t *testing.T) {
	s, address := serve(t, t.TempDir())
	put(t, s, "a.jpg", blobtest.JPEG(10, 'a'))
	put(t, s, "b.jpg", blobtest.JPEG(10, 'a'))
	a := request(t, http.MethodGet, address+"/a.jpg", nil).Header.Get("ETag")
	b := request(t, http.MethodGet, address+"/b.jpg", nil).Header.Get("ETag")
	if a == "" || a == b {
		t.Fatalf("ETags %q and %q, want two", a, b)
	}
	res := request(t, http.MethodGet, address+"/a.jpg", map[string]string{"If-None-Match": a})
	if res.StatusCode != http.StatusNotModified || body(t, res) != "" {
		t.Errorf("with its own ETag: %s, want 304", res.Status)
	}
	res = request(t, http.MethodGet, address+"/a.jpg", map[string]string{"If-None-Match": b})
	if res.StatusCode != http.StatusOK {
		t.Errorf("with another ETag: %s, want 200", res.Status)
	}
}

func TestARangeOfAnObjectIsServed(t *testing.T) {
	s, address := serve(t, t.TempDir())
	data := blobtest.JPEG(1000, 'r')
	put(t, s, "a.jpg", data)
	res := request(t, http.MethodGet, address+"/a.jpg", map[string]string{"Range": "bytes=2-9"})
	if res.StatusCode != http.StatusPartialContent || body(t, res) != string(data[2:10]) {
		t.Errorf("bytes 2 to 9: %s with the wrong body", res.Status)
	}
	res = request(t, http.MethodGet, address+"/a.jpg", map[string]string{"Range": "bytes=1000-"})
	if res.StatusCode != http.StatusRequestedRangeNotSatisfiable || res.Header.Get("Cache-Control") == "public, max-age=31536000, immutable" {
		t.Errorf("bytes after the end: %s, Cache-Control %q", res.Status, res.Header.Get("Cache-Control"))
	}
}

func TestOnlyGETAndHEADAreAnswered(t *testing.T) {
	s, address := serve(t, t.TempDir())
	put(t, s, "a.jpg", blobtest.JPEG(10, 'a'))
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, "BREW"} {
		res := request(t, method, address+"/a.jpg", nil)
		if res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %s, Allow %q", method, res.Status, res.Header.Get("Allow"))
		}
	}
}

func TestWhatIsNoObjectIsNotFoundAndNotCached(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "media")
	s, _ := serve(t, dir)
	put(t, s, "folder/a.jpg", blobtest.JPEG(10, 'a'))
	secret := filepath.Join(parent, "secret.jpg")
	writeFile(t, secret)
	writeFile(t, filepath.Join(dir, ".tmp", "half.jpg"))
	writeFile(t, filepath.Join(dir, "page.html"))
	if err := os.Mkdir(filepath.Join(dir, "folder.jpg"), 0o755); err != nil {
		t.Fatal(err)
	}
	link(t, secret, filepath.Join(dir, "out.jpg"))
	link(t, "folder/a.jpg", filepath.Join(dir, "in.jpg"))

	for _, path := range []string{
		"", "/", "folder", "folder/", "folder.jpg", "folder.jpg/", "never.jpg", "folder/a.jpg/b.jpg",
		"../secret.jpg", "/../secret.jpg", "folder/../../secret.jpg", "..\\secret.jpg", secret, "/" + secret,
		".tmp", ".tmp/", ".tmp/half.jpg", "./folder/a.jpg", "folder//a.jpg", "folder/a.jpg/", "FOLDER/a.jpg",
		"page.html", "folder/a.jpg\x00", "out.jpg", "in.jpg",
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.URL.Path = path
		s.ServeHTTP(w, r)
		if w.Code != http.StatusNotFound || w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("ETag") != "" {
			t.Errorf("path %q: status %d, headers %v", path, w.Code, w.Header())
		}
	}
}

func TestEncodedPathsLeadNowhereElse(t *testing.T) {
	parent := t.TempDir()
	s, address := serve(t, filepath.Join(parent, "media"))
	put(t, s, "a.jpg", blobtest.JPEG(10, 'a'))
	writeFile(t, filepath.Join(parent, "secret.jpg"))
	for _, path := range []string{
		"/..%2fsecret.jpg", "/%2e%2e/secret.jpg", "/%2e%2e%2fsecret.jpg", "/x/..%2f..%2fsecret.jpg",
		"/..%5csecret.jpg", "/a.jpg%00", "/%252e%252e%252fsecret.jpg",
	} {
		if res := request(t, http.MethodGet, address+path, nil); res.StatusCode != http.StatusNotFound {
			t.Errorf("GET %s: %s, want 404", path, res.Status)
		}
	}
}

func TestAFolderThatIsALinkOutIsNotServed(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "media")
	s, address := serve(t, dir)
	outside := filepath.Join(parent, "outside")
	if err := os.Mkdir(outside, 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(outside, "secret.jpg"))
	link(t, outside, filepath.Join(dir, "link"))
	res := request(t, http.MethodGet, address+"/link/secret.jpg", nil)
	if res.StatusCode == http.StatusOK || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("GET through the link: %s, Cache-Control %q", res.Status, res.Header.Get("Cache-Control"))
	}
	if err := s.Put(t.Context(), "link/new.jpg", "image/jpeg", blobtest.JPEG(10, 'n')); err == nil {
		t.Error("Put went through the link")
	}
	if err := s.Delete(t.Context(), "link/secret.jpg"); err == nil {
		t.Error("Delete went through the link")
	}
	if diff := cmp.Diff([]string{"secret.jpg"}, files(t, outside)); diff != "" {
		t.Errorf("files outside (-want +got):\n%s", diff)
	}
}

func writeFile(t *testing.T, name string) {
	t.Helper()
	if err := os.WriteFile(name, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
}
