package database

import (
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"nameplate/ent/object"
)

func TestAnUpgradeKeepsTheObjectsOfTheFirstVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nameplate.db")
	raw := rawOpen(t, path)
	files, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, raw, files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpByOne(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := raw.Exec("INSERT INTO objects (key, state, changed_at) VALUES ('a.jpg', 'stale', ?)", someTime); err != nil {
		t.Fatal(err)
	}
	raw.Close()

	row := mustOpen(t, path).Object.GetX(t.Context(), "a.jpg")
	if row.State != object.StateStale || !row.ChangedAt.Equal(someTime) {
		t.Errorf("got %v", row)
	}
	if diff := cmp.Diff([]any{0, (*time.Time)(nil)}, []any{row.Failures, row.RetryAt}); diff != "" {
		t.Errorf("failures and when to try again (-want +got):\n%s", diff)
	}
}
