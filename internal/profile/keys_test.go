package profile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestKeysAreMadeAtTheFirstStartAndKept(t *testing.T) {
	f := newFixture(t)
	path := filepath.Join(f.folder, "keyset.json") // which the fixture's OpenKeys has made
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("the mode is %o, want 600", mode)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	alice := f.newUser("alice")
	f.saveVerification(alice)
	if f.Keys, err = OpenKeys(t.Context(), f.DB, path); err != nil {
		t.Fatal(err)
	}
	f.wantStored(alice, realName, idCard)
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the file has changed: %v", err)
	}
}

func TestMissingKeysAreMadeAnewOnlyWhenNothingIsSealed(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	other := filepath.Join(t.TempDir(), "keyset.json")
	if _, err := OpenKeys(t.Context(), f.DB, other); err != nil {
		t.Errorf("nothing is sealed: %v", err)
	}
	f.saveVerification(alice)

	folder := t.TempDir()
	missing := filepath.Join(folder, "keyset.json")
	keys, err := OpenKeys(t.Context(), f.DB, missing)
	if keys != nil {
		t.Error("keys were made")
	}
	wantAdvice(t, err, missing, "missing")
	wantEmpty(t, folder)
}

func TestKeysThatDoNotOpenWhatIsSealedAreRefused(t *testing.T) {
	f := newFixture(t)
	other := newFixture(t)
	f.saveVerification(f.newUser("alice"))
	path := filepath.Join(other.folder, "keyset.json")
	keys, err := OpenKeys(t.Context(), f.DB, path)
	if keys != nil {
		t.Error("the keys of another database were taken")
	}
	wantAdvice(t, err, path, "not those")
}

func TestADamagedKeysFileIsRefusedAndKept(t *testing.T) {
	f := newFixture(t)
	path := filepath.Join(t.TempDir(), "keyset.json")
	if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if keys, err := OpenKeys(t.Context(), f.DB, path); keys != nil || err == nil {
		t.Errorf("got %v, %v", keys, err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "{}" {
		t.Errorf("the file has changed: %q, %v", content, err)
	}
}

// wantAdvice checks that the operator is told what is wrong with which file, and
// what to do.
func wantAdvice(t *testing.T, err error, path, what string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range []string{what, path, "backup", "NAMEPLATE_KEYSET_FILE"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in the error: %v", part, err)
		}
	}
}

func wantEmpty(t *testing.T, folder string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 0 {
		t.Errorf("files: %v, %v, want none", entries, err)
	}
}
