package disk

import (
	"io/fs"
	"net/http"
	"os"
	"path"
	"strings"
	"time"

	"nameplate/internal/blob"
	"nameplate/internal/httplog"
)

// mediaTypes are the kinds of object that are stored and served, by the
// extension of their key. The list is closed: a browser never gets a type that
// runs code in this origin.
var mediaTypes = map[string]string{
	".jpg": "image/jpeg",
	".png": "image/png",
}

// ServeHTTP answers GET and HEAD with the object whose key is the request's
// path; mount the store with http.StripPrefix. Objects never change, so they
// may be cached for ever; whatever else is answered may not be cached at all.
func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cache-Control", "no-store")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	key := strings.TrimPrefix(r.URL.Path, "/")
	f, err := s.open(key)
	if isMissing(err) {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	if err != nil {
		httplog.Fail(r.Context(), err)
		http.Error(w, "internal server error", http.StatusInternalServerError)
		return
	}
	defer f.Close()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Type", mediaTypes[path.Ext(key)])
	// A key names the same bytes for ever, so it is their strong validator.
	h.Set("ETag", `"`+key+`"`)
	http.ServeContent(w, r, "", time.Time{}, f)
}

// open returns the object's file, or fs.ErrNotExist for a key that is none. It
// follows no link to a file and opens nothing but regular files, because
// opening a pipe would wait for a writer.
func (s *Store) open(key string) (*os.File, error) {
	if blob.CheckKey(key) != nil || mediaTypes[path.Ext(key)] == "" {
		return nil, fs.ErrNotExist
	}
	info, err := s.root.Lstat(key)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fs.ErrNotExist
	}
	return s.root.Open(key)
}
