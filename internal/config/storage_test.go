package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestADatabaseIsAPath(t *testing.T) {
	for value, want := range map[string]string{
		"a.db": "a.db", "sqlite:a.db": "a.db", "/a b/c?d%.db": "/a b/c?d%.db", "sqlite:/a.db": "/a.db", "C:a.db": "C:a.db",
	} {
		if got := mustParse(t, []string{"--database-url=" + value}, nil).DatabaseURL; got != want {
			t.Errorf("%q is %q, want %q", value, got, want)
		}
	}
}

func TestAStorageURLIsAFolderOrABucket(t *testing.T) {
	for value, want := range map[string]Storage{
		"media":           {Folder: "media"},
		"/a b/c?d%":       {Folder: "/a b/c?d%"},
		"kodo":            {Folder: "kodo"},
		"kodo://bucket":   {Kodo: &Kodo{Bucket: "bucket"}},
		"kodo://bucket/":  {Kodo: &Kodo{Bucket: "bucket"}},
		"KODO://bucket?":  {Kodo: &Kodo{Bucket: "bucket"}},
		"kodo://b-u_c.k1": {Kodo: &Kodo{Bucket: "b-u_c.k1"}},
		"kodo://bucket?region=z0&domain=https://cdn.example.com": {
			Kodo: &Kodo{Bucket: "bucket", Region: "z0", Domain: "https://cdn.example.com"},
		},
		"kodo://bucket?domain=https%3A%2F%2Fcdn.example.com%3A8443&private=true": {
			Kodo: &Kodo{Bucket: "bucket", Domain: "https://cdn.example.com:8443", Private: true},
		},
		"kodo://bucket?endpoint=http://localhost:1&private=false": {
			Kodo: &Kodo{Bucket: "bucket", Endpoint: "http://localhost:1"},
		},
		"kodo://bucket?private=": {Kodo: &Kodo{Bucket: "bucket"}},
	} {
		keys := map[string]string{"NAMEPLATE_KODO_ACCESS_KEY": "a", "NAMEPLATE_KODO_SECRET_KEY": "s"}
		got := mustParse(t, []string{"--storage-url=" + value}, keys).Storage
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q:\n%s", value, d)
		}
	}
}

func FuzzParseStorage(f *testing.F) {
	for _, value := range []string{
		"", "media", "kodo://", "kodo://bucket?region=z0&domain=https://cdn.example.com&private=true", "kodo://u:p@b",
		"kodo://[::1", "://", "kodo://%", "kodo://b?%", "kodo://b?;", "kodo://b?private", "\x00://",
	} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got, err := parseStorage(value, "fallback")
		switch {
		case err != nil && got != Storage{}:
			t.Errorf("got %+v beside %v", got, err)
		case err != nil && !strings.Contains(err.Error(), "NAMEPLATE_STORAGE_URL"):
			t.Errorf("the setting is not in the error: %v", err)
		case err == nil && (got.Folder == "") == (got.Kodo == nil):
			t.Errorf("want a folder or a bucket: %+v", got)
		case err == nil && got.Kodo != nil && got.Kodo.Bucket == "":
			t.Errorf("a bucket without a name: %+v", got)
		}
	})
}
