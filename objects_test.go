package main

import (
	"bytes"
	"context"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nameplate/ent"
	"nameplate/ent/object"
	"nameplate/internal/database"
)

// command runs the program to its end and returns what it printed.
func command(t *testing.T, env map[string]string, args ...string) (stdout string, err error) {
	t.Helper()
	var out bytes.Buffer
	err = run(t.Context(), args, func(name string) string { return env[name] }, &out, io.Discard)
	return out.String(), err
}

// beside is the settings of a command beside the server.
func beside(s *server, settings map[string]string) map[string]string {
	env := map[string]string{"NAMEPLATE_DATA": s.data, "NAMEPLATE_ADDR": strings.TrimPrefix(s.url, "http://")}
	maps.Copy(env, settings)
	return env
}

// inDatabase gives use the server's database.
func inDatabase(t *testing.T, s *server, use func(ctx context.Context, db *ent.Client) error) {
	t.Helper()
	db, err := database.Open(t.Context(), filepath.Join(s.data, "nameplate.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := use(t.Context(), db); err != nil {
		t.Fatal(err)
	}
}

// makeDue makes every object that nothing refers to one that is to be deleted now.
func makeDue(t *testing.T, s *server) {
	t.Helper()
	inDatabase(t, s, func(ctx context.Context, db *ent.Client) error {
		return db.Object.Update().Where(object.StateNEQ(object.StateLive)).
			SetChangedAt(now().Add(-24 * time.Hour)).ClearRetryAt().Exec(ctx)
	})
}

// objects are the states of all objects' rows, by key.
func objects(t *testing.T, s *server) map[string]string {
	t.Helper()
	states := map[string]string{}
	inDatabase(t, s, func(ctx context.Context, db *ent.Client) error {
		rows, err := db.Object.Query().All(ctx)
		for _, row := range rows {
			states[row.ID] = row.State.String()
		}
		return err
	})
	return states
}

// sweepAll deletes all that nothing refers to, beside a server that does too.
func sweepAll(t *testing.T, s *server, settings map[string]string) {
	t.Helper()
	makeDue(t, s)
	waitUntil(t, "nothing is left to sweep", func() bool {
		got, err := command(t, beside(s, settings), "storage", "sweep")
		if err != nil {
			t.Fatalf("%v\n%s", err, got)
		}
		return strings.HasSuffix(got, "left for later 0\n")
	})
}

// waitUntil asks again and again.
func waitUntil(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick, late := time.NewTicker(10*time.Millisecond), time.After(time.Minute)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("it never came to this: %s", what)
		}
	}
}

// filesIn lists whatever is in the folder and below it and is no folder.
func filesIn(t *testing.T, folder string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			path, err = filepath.Rel(folder, path)
			names = append(names, filepath.ToSlash(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}
