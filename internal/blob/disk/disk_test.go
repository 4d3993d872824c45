package disk_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

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

// plant writes a file below dir, as a Put that was killed leaves one.
func plant(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDeleteRemovesWhatAPutThatWasKilledHasLeft(t *testing.T) {
	dir := t.TempDir()
	s, _ := serve(t, dir)
	put(t, s, "a/whole.jpg", blobtest.JPEG(10, 'w'))
	put(t, s, "a/stays.jpg", blobtest.JPEG(10, 's'))
	plant(t, dir, ".tmp/a_half.jpg")
	plant(t, dir, ".tmp/a_whole.jpg") // it was killed after the object had its name
	plant(t, dir, ".tmp/a_other.jpg")
	for _, key := range []string{"a/half.jpg", "a/whole.jpg"} {
		if err := s.Delete(t.Context(), key); err != nil {
			t.Errorf("Delete %s: %v", key, err)
		}
	}
	if diff := cmp.Diff([]string{".tmp/a_other.jpg", "a/stays.jpg"}, files(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// The file may be one that another process is writing.
func TestPutLeavesATemporaryFileThatIsNotItsOwn(t *testing.T) {
	dir := t.TempDir()
	s, _ := serve(t, dir)
	plant(t, dir, ".tmp/a_b.jpg")
	serve(t, dir)
	if err := s.Put(t.Context(), "a/b.jpg", "image/jpeg", blobtest.JPEG(10, 'b')); err == nil {
		t.Error("Put over another's temporary file succeeded")
	}
	if diff := cmp.Diff([]string{".tmp/a_b.jpg"}, files(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// Whichever comes first: an object whose Put failed isn't there, and nothing else is.
func TestDeletingDuringAPutLeavesAllOrNothing(t *testing.T) {
	dir := t.TempDir()
	s, _ := serve(t, dir)
	want := []string{}
	for i := range 200 {
		key := fmt.Sprintf("%03d.jpg", i)
		var putErr error
		var putting sync.WaitGroup
		putting.Go(func() { putErr = s.Put(t.Context(), key, "image/jpeg", blobtest.JPEG(10, 'x')) })
		if err := s.Delete(t.Context(), key); err != nil {
			t.Errorf("Delete: %v", err)
		}
		putting.Wait()
		if _, err := os.Stat(filepath.Join(dir, key)); err == nil {
			if putErr != nil {
				t.Errorf("%s is there, and its Put failed: %v", key, putErr)
			}
			want = append(want, key)
		}
	}
	if diff := cmp.Diff(want, files(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
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
