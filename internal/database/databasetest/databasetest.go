// Package databasetest gives a test a database of its own.
package databasetest

import (
	"path/filepath"
	"testing"

	"nameplate/ent"
	"nameplate/internal/database"
)

// Open returns a new database with all migrations applied: the real SQLite, in a
// file of the test's folder. It is closed when the test ends.
func Open(t testing.TB) *ent.Client {
	t.Helper()
	return OpenAt(t, filepath.Join(t.TempDir(), "nameplate.db"))
}

// OpenAt is Open with the file at path.
func OpenAt(t testing.TB, path string) *ent.Client {
	t.Helper()
	db, err := database.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}
