package disk_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nameplate/internal/blob"
	"nameplate/internal/blob/blobtest"
	"nameplate/internal/blob/disk"
)

func TestStore(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blob.Store {
		s, _ := serve(t, t.TempDir())
		return s
	})
}

// serve opens the store in dir and serves it under /media/ at the address that
// it returns.
func serve(t *testing.T, dir string) (*disk.Store, string) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	address := "http://" + server.Listener.Addr().String() + "/media"
	s, err := disk.Open(dir, address)
	if err != nil {
		server.Close()
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/media/", http.StripPrefix("/media/", s))
	server.Config.Handler = mux
	server.Start()
	t.Cleanup(server.Close)
	return s, address
}

func put(t *testing.T, s *disk.Store, key string, data []byte) {
	t.Helper()
	if err := s.Put(t.Context(), key, "image/jpeg", data); err != nil {
		t.Fatal(err)
	}
}

// files lists the regular files under dir.
func files(t *testing.T, dir string) []string {
	t.Helper()
	names := []string{}
	err := filepath.WalkDir(dir, func(name string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			name, err = filepath.Rel(dir, name)
			names = append(names, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestOpenMakesTheFolderAndKeepsWhatIsThere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "media")
	s, _ := serve(t, dir)
	put(t, s, "a/b.jpg", blobtest.JPEG(10, 'b'))
	_, address := serve(t, dir)
	if got := request(t, http.MethodGet, address+"/a/b.jpg", nil).StatusCode; got != http.StatusOK {
		t.Errorf("object of an earlier Open: status %d, want 200", got)
	}
}

func TestOpenRefusesABadAddressOrFolder(t *testing.T) {
	for _, address := range []string{"", "/media", "localhost:8080/media", "ftp://x/media", "http://", "http://x/?a=b", "http://x/#f", "http://x\n"} {
		if _, err := disk.Open(t.TempDir(), address); err == nil {
			t.Errorf("Open took the public URL %q", address)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := disk.Open(file, "http://localhost/media"); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("Open of a file: %v, want an error that names it", err)
	}
}

func TestURLHasOneSlashBetweenAddressAndKey(t *testing.T) {
	for _, address := range []string{"https://example.com/media", "https://example.com/media/"} {
		s, err := disk.Open(t.TempDir(), address)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := s.URL("a/b.jpg"), "https://example.com/media/a/b.jpg"; got != want {
			t.Errorf("URL at %s: %s, want %s", address, got, want)
		}
	}
}

func TestOpenRemovesOnlyStaleTemporaryFiles(t *testing.T) {
	dir := t.TempDir()
	s, _ := serve(t, dir)
	put(t, s, "old.jpg", blobtest.JPEG(10, 'o'))
	for name, age := range map[string]time.Duration{
		".tmp/crashed":    2 * time.Hour,
		".tmp/other-put":  time.Minute,
		"old.jpg":         9000 * time.Hour,
		"not-of-ours.txt": 9000 * time.Hour,
	} {
		name = filepath.Join(dir, filepath.FromSlash(name))
		f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		when := time.Now().Add(-age)
		if err := os.Chtimes(name, when, when); err != nil {
			t.Fatal(err)
		}
	}
	serve(t, dir)
	want := []string{".tmp/other-put", "not-of-ours.txt", "old.jpg"}
	if diff := cmp.Diff(want, files(t, dir)); diff != "" {
		t.Errorf("files after Open (-want +got):\n%s", diff)
	}
}

func TestPutLeavesNoTemporaryFile(t *testing.T) {
	dir := t.TempDir()
	s, _ := serve(t, dir)
	put(t, s, "a.jpg", blobtest.JPEG(10, 'a'))
	if err := s.Put(t.Context(), "a.jpg", "image/jpeg", blobtest.JPEG(10, 'b')); err == nil {
		t.Error("Put on a key in use succeeded")
	}
	if err := s.Put(t.Context(), "a.jpg/b.jpg", "image/jpeg", blobtest.JPEG(10, 'b')); err == nil {
		t.Error("Put below an object succeeded")
	}
	if diff := cmp.Diff([]string{"a.jpg"}, files(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestPutRefusesAMediaTypeThatIsNotTheKeys(t *testing.T) {
	dir := t.TempDir()
	s, _ := serve(t, dir)
	for key, mediaType := range map[string]string{
		"a.jpg":  "image/png",
		"a.png":  "image/jpeg",
		"b.jpg":  "",
		"a.html": "text/html",
		"a":      "image/jpeg",
		"b":      "",
	} {
		err := s.Put(t.Context(), key, mediaType, []byte("x"))
		if err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("Put %s as %q: %v, want an error that names the key", key, mediaType, err)
		}
	}
	if got := files(t, dir); len(got) != 0 {
		t.Errorf("refused objects left %v", got)
	}
}

func TestDeleteBelowAnObjectIsNoError(t *testing.T) {
	s, _ := serve(t, t.TempDir())
	put(t, s, "a.jpg", blobtest.JPEG(10, 'a'))
	if err := s.Delete(t.Context(), "a.jpg/b.jpg"); err != nil {
		t.Error(err)
	}
}
