package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ariga.io/atlas/sql/migrate"
	"github.com/google/go-cmp/cmp"
)

const released = "../migrations/sqlite"

func TestTheMigrationsMakeTheTablesOfTheSchema(t *testing.T) {
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(released)); err != nil {
		t.Fatal(err)
	}
	before := names(t, folder)
	if err := diff(t.Context(), folder, "unwanted"); !errors.Is(err, migrate.ErrNoPlan) {
		t.Errorf("got %v, want ErrNoPlan: ent/schema has what the migrations lack; run `make migration NAME=…`", err)
	}
	if diff := cmp.Diff(before, names(t, folder)); diff != "" {
		t.Errorf("files were written:\n%s", diff)
	}
}

func TestTheFirstMigrationIsWrittenWhole(t *testing.T) {
	folder := t.TempDir()
	if err := diff(t.Context(), folder, "init"); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*_init.sql"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files: %q, %v", files, err)
	}
	content, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"-- +goose Up", "-- +goose Down", "CREATE TABLE `users`"} {
		if !strings.Contains(string(content), want) {
			t.Errorf("%q is not in\n%s", want, content)
		}
	}
	if err := diff(t.Context(), folder, "again"); !errors.Is(err, migrate.ErrNoPlan) {
		t.Errorf("got %v, want ErrNoPlan after the first one", err)
	}
}

func TestAChangedMigrationIsRefused(t *testing.T) {
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(released)); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.sql"))
	if err != nil || len(files) == 0 {
		t.Fatalf("files: %q, %v", files, err)
	}
	f, err := os.OpenFile(files[0], os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("\n-- a later thought\n"); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := diff(t.Context(), folder, "x"); !errors.Is(err, migrate.ErrChecksumMismatch) {
		t.Errorf("got %v, want ErrChecksumMismatch", err)
	}
}

// In the transaction of a migration `PRAGMA foreign_keys = off`, which is written in front of
// a table that is made anew, does nothing: dropping the old one deletes what refers to it.
func TestNoMigrationDropsATableThatOthersReferTo(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(released, "*.sql"))
	if err != nil || len(files) == 0 {
		t.Fatalf("files: %q, %v", files, err)
	}
	var contents []string
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		contents = append(contents, string(content))
	}
	if got := droppedThoughReferredTo(contents); len(got) != 0 {
		t.Errorf("%q would lose what refers to them: change them by ALTER TABLE alone", got)
	}
	bad := "-- +goose Up\nPRAGMA foreign_keys = off;\nDROP TABLE `users`;\n-- +goose Down\nDROP TABLE `new_users`;\n"
	if diff := cmp.Diff([]string{"users"}, droppedThoughReferredTo(append(contents, bad))); diff != "" {
		t.Error(diff)
	}
}

var (
	drops  = regexp.MustCompile("DROP TABLE `(\\w+)`")
	refers = regexp.MustCompile("REFERENCES `(\\w+)`")
)

// droppedThoughReferredTo are the tables that one of the migrations drops on the way up, and
// that a table of any of them refers to.
func droppedThoughReferredTo(migrations []string) (dropped []string) {
	all := strings.Join(migrations, "")
	for _, m := range migrations {
		up, _, _ := strings.Cut(m, "-- +goose Down")
		for _, drop := range drops.FindAllStringSubmatch(up, -1) {
			referred := slices.ContainsFunc(refers.FindAllStringSubmatch(all, -1), func(r []string) bool { return r[1] == drop[1] })
			if referred {
				dropped = append(dropped, drop[1])
			}
		}
	}
	return dropped
}

func names(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, entry := range entries {
		all = append(all, entry.Name())
	}
	return all
}
