package main

import (
	"errors"
	"os"
	"path/filepath"
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
