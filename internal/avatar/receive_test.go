package avatar

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"nameplate/internal/fault"
)

// processIn has files wait in dir.
func processIn(t *testing.T, dir string, r io.Reader) error {
	t.Helper()
	p := NewProcessor(1)
	if err := p.UseDir(dir); err != nil {
		t.Fatal(err)
	}
	_, err := p.Process(t.Context(), "alice", r, nil)
	return err
}

// lacks skips the test where the system has no such thing; where all that tests need
// must be there, it fails.
func lacks(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("TEST_REQUIRE_ALL") != "" {
		t.Fatal("this system has not: " + what)
	}
	t.Skip("SKIPPED: this system has not: " + what)
}

// openFiles are those of the process that once were in dir.
func openFiles(t *testing.T, dir string) int {
	t.Helper()
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil || links == nil {
		lacks(t, "a list of a process's open files in /proc")
	}
	n := 0
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && strings.HasPrefix(target, dir) {
			n++
		}
	}
	return n
}

// watched looks at the folder while a file is on its way.
type watched struct {
	io.Reader
	t    *testing.T
	dir  string
	open int // the most files that were
}

func (w *watched) Read(p []byte) (int, error) {
	entries, err := os.ReadDir(w.dir)
	if err != nil || len(entries) > 0 {
		w.t.Errorf("in the folder is %v, %v", entries, err)
	}
	w.open = max(w.open, openFiles(w.t, w.dir))
	return w.Reader.Read(p)
}

func TestAFileOnItsWayHasNoNameAndIsGoneAtItsEnd(t *testing.T) {
	file := photoOf(512, 512, 100_000)
	broken := errors.New("the client has left")
	for tenth := range 11 {
		dir := filepath.Join(t.TempDir(), "uploads")
		w := &watched{t: t, dir: dir, Reader: bytes.NewReader(file)}
		if tenth < 10 {
			w.Reader = io.MultiReader(bytes.NewReader(file[:len(file)*tenth/10]), iotest.ErrReader(broken))
		}
		err := processIn(t, dir, w)
		if tenth < 10 && !errors.Is(err, broken) || tenth == 10 && err != nil {
			t.Errorf("after %d tenths: %v", tenth, err)
		}
		if left := openFiles(t, dir); w.open != 1 || left != 0 {
			t.Errorf("after %d tenths: %d files were open on the way, %d are after it", tenth, w.open, left)
		}
	}
}

func TestAFolderForFilesIsMadeAndCleared(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data", "uploads")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"upload-123", "somebody's.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := processIn(t, dir, bytes.NewReader(photoOf(512, 512, 100_000))); err != nil {
		t.Error(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != "somebody's.txt" {
		t.Errorf("in the folder is %v, %v", entries, err)
	}
	if err := NewProcessor(1).UseDir(filepath.Join(dir, "somebody's.txt")); err == nil {
		t.Error("a file was taken for the folder")
	}
}

// That there is no room is the server's trouble and not the person's.
func TestWithoutRoomTheServerIsUnavailable(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "uploads")
	p := NewProcessor(1)
	if err := p.UseDir(dir); err != nil {
		t.Fatal(err)
	}
	file := photoOf(512, 512, 100_000)
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Process(t.Context(), "alice", bytes.NewReader(file), nil); err != nil {
		t.Errorf("the folder was removed: %v", err)
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := p.Process(t.Context(), "alice", bytes.NewReader(file), nil)
	if away, ok := errors.AsType[*fault.Unavailable](err); !ok || away.RetryAfter < 1 {
		t.Errorf("error %#v, want Unavailable", err)
	}

	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		lacks(t, "/dev/full")
	}
	defer full.Close()
	f := &received{file: full}
	if err := f.add([]byte("x")); err == nil {
		t.Error("a full disk took a byte")
	}
}
