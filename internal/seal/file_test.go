package seal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCreatedKeysLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyset.json")
	created, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if opened, err := loaded.Open(user, field, seal(t, created)); err != nil || string(opened) != plain {
		t.Errorf("opened as %q, %v", opened, err)
	}
}

func TestCreateLeavesOnlyItsFileOfMode600(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "keyset.json")
	if _, err := Create(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o600 {
		t.Errorf("the mode is %v", info.Mode())
	}
	if diff := cmp.Diff([]string{"keyset.json"}, names(t, folder)); diff != "" {
		t.Error(diff)
	}
}

func TestCreateKeepsTheFileThatIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyset.json")
	first, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.Open(user, field, seal(t, first)); err != nil {
		t.Error("the second has other keys:", err)
	}
}

func TestCreateDoesNotReplaceADamagedFile(t *testing.T) {
	path := write(t, "damaged")
	if _, err := Create(path); err == nil {
		t.Error("no error")
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "damaged" {
		t.Errorf("the file is now %q, %v", content, err)
	}
}

func TestConcurrentCreatesGiveOneKeySet(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "keyset.json")
	all := make([]*Keys, 100)
	errs := make([]error, len(all))
	start := make(chan struct{})
	var group sync.WaitGroup
	for i := range all {
		group.Go(func() {
			<-start
			all[i], errs[i] = Create(path)
		})
	}
	close(start)
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	sealed := seal(t, all[0])
	for _, keys := range all {
		if _, err := keys.Open(user, field, sealed); err != nil {
			t.Fatal("keys differ:", err)
		}
	}
	if diff := cmp.Diff([]string{"keyset.json"}, names(t, folder)); diff != "" {
		t.Error(diff)
	}
}

func TestCreateInAMissingFolderFails(t *testing.T) {
	_, err := Create(filepath.Join(t.TempDir(), "missing", "keyset.json"))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the error is %v", err)
	}
}

func TestLoadOfAMissingFileIsErrNotExist(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyset.json")
	_, err := Load(path)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("the error is %v", err)
	}
}

func TestLoadRefusesAFileThatOthersCanReach(t *testing.T) {
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o644, 0o660, 0o602, 0o610} {
		path := write(t, earlierKeys)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("seal: the key set %s can be reached by other users (mode %04o): run chmod 600 %s", path, mode, path)
		if _, err := Load(path); err == nil || err.Error() != want {
			t.Errorf("the error is %v, want %s", err, want)
		}
	}
}

func TestLoadAcceptsAReadOnlyFile(t *testing.T) {
	path := write(t, earlierKeys)
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err != nil {
		t.Error(err)
	}
}

func TestLoadOfADamagedFileNamesItAndNoKey(t *testing.T) {
	for name, content := range map[string]string{
		"empty":             "",
		"not JSON":          "hello",
		"no keys":           "{}",
		"cut":               earlierKeys[:len(earlierKeys)/2],
		"bare key":          earlierKey,
		"key out of place":  strings.Replace(earlierKeys, "4228114953", earlierKey, 1),
		"key without quote": strings.Replace(earlierKeys, `"`+earlierKey, earlierKey, 1),
		"short key":         strings.Replace(earlierKeys, earlierKey, "Gg8AAQIDBAUGBwgJCgsMDQ4=", 1),
		"other primitive":   strings.Replace(earlierKeys, "AesGcmKey", "HmacKey", 1),
		"other primary":     strings.Replace(earlierKeys, "4228114953", "1", 1),
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, content)
			want := fmt.Sprintf("seal: %s is not a key set, or is damaged: restore it from a backup", path)
			if _, err := Load(path); err == nil || err.Error() != want {
				t.Errorf("the error is %v, want %s", err, want)
			}
		})
	}
}

// A pipe would be waited for, for ever.
func TestLoadOfWhatIsNoFileFails(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, t.TempDir()} {
		if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "is not a regular file") {
			t.Errorf("the error is %v", err)
		}
	}
}

func write(t *testing.T, content string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "keyset.json")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func names(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
