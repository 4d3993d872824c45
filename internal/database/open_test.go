package database

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nameplate/ent"
)

func TestEveryConnectionOfBothPoolsHasItsPragmas(t *testing.T) {
	d, err := open(t.Context(), filepath.Join(t.TempDir(), "nameplate.db"), migrate)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	want := pragmas{JournalMode: "wal", Synchronous: 2, ForeignKeys: 1, BusyTimeout: 5000, SecureDelete: 1, QueryOnly: 0}
	writer, reader := d.DB(), d.reader.DB()
	if n := writer.Stats().MaxOpenConnections; n != 1 {
		t.Errorf("%d writing connections, want 1: SQLite has one writer", n)
	}
	checkPragmas(t, writer, want)
	want.QueryOnly = 1
	if n := reader.Stats().MaxOpenConnections; n < 4 {
		t.Errorf("%d reading connections, want 4 or more", n)
	}
	checkPragmas(t, reader, want)
}

type pragmas struct {
	JournalMode                                                    string
	Synchronous, ForeignKeys, BusyTimeout, SecureDelete, QueryOnly int
}

// checkPragmas looks at all connections that the pool can have, at once, so that
// each of them is another.
func checkPragmas(t *testing.T, db *sql.DB, want pragmas) {
	t.Helper()
	for range db.Stats().MaxOpenConnections {
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		var got pragmas
		err = conn.QueryRowContext(t.Context(), `SELECT journal_mode, synchronous, foreign_keys, timeout, secure_delete, query_only
			FROM pragma_journal_mode, pragma_synchronous, pragma_foreign_keys, pragma_busy_timeout, pragma_secure_delete, pragma_query_only`).
			Scan(&got.JournalMode, &got.Synchronous, &got.ForeignKeys, &got.BusyTimeout, &got.SecureDelete, &got.QueryOnly)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestReadersCannotWrite(t *testing.T) {
	d, err := open(t.Context(), filepath.Join(t.TempDir(), "nameplate.db"), migrate)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	if _, err := d.reader.DB().ExecContext(t.Context(), "DELETE FROM users"); err == nil {
		t.Error("a reading connection deleted rows")
	}
}

func TestStatementCacheIsInTheDSN(t *testing.T) {
	if s := dsn("/a.db", "x"); !strings.Contains(s, "&_stmt_cache_size=64&") {
		t.Error(s)
	}
}

func TestAnyPathIsTheFileOfThatName(t *testing.T) {
	for _, name := range []string{
		"plain.db", "a b.db", "what?.db", "100%.db", "%41.db", "a#b.db", "a&_query_only=true.db", "名.db", "a+b;c.db", ":memory:",
	} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "in "+name)
			if err := os.Mkdir(folder, 0o700); err != nil {
				t.Fatal(err)
			}
			db := mustOpen(t, filepath.Join(folder, name))
			createUser(t, db, "alice")
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{name, name + ".lock"}, names(t, folder)); diff != "" {
				t.Error(diff)
			}
			if n := mustOpen(t, filepath.Join(folder, name)).User.Query().CountX(t.Context()); n != 1 {
				t.Errorf("%d users after opening it again, want 1", n)
			}
		})
	}
}

func TestOddPathsAreStillFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"relative.db", ":memory:", "/" + filepath.Join(here, "two-slashes.db")} {
		db := mustOpen(t, path)
		createUser(t, db, "alice")
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Base(path)); err != nil {
			t.Errorf("opened %q: %v", path, err)
		}
	}
}

func TestOpenFailsWhereNoFileCanBe(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder) // which is what "" means
	for _, path := range []string{"", folder, filepath.Join(folder, "missing", "a.db")} {
		db, err := Open(t.Context(), path)
		if err == nil {
			db.Close()
			t.Errorf("opened %q", path)
		}
	}
}

func TestOpeningAgainChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nameplate.db")
	db := mustOpen(t, path)
	createUser(t, db, "alice")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	before := content(t, path)
	if err := mustOpen(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, content(t, path)) {
		t.Error("the file has changed")
	}
}

func TestOpeningWhileItIsOpenChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nameplate.db")
	first := mustOpen(t, path)
	createUser(t, first, "alice")
	second := mustOpen(t, path)
	if n := second.User.Query().CountX(t.Context()); n != 1 {
		t.Errorf("%d users, want 1", n)
	}
	raw := rawOpen(t, path)
	var migrated int
	if err := raw.QueryRow("SELECT count(*) FROM goose_db_version WHERE version_id > 0").Scan(&migrated); err != nil {
		t.Fatal(err)
	}
	files, err := fs.Glob(migrations, "migrations/sqlite/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	if want := len(files); migrated != want {
		t.Errorf("%d migrations are noted, want %d", migrated, want)
	}
}

func TestADatabaseOfANewerVersionIsRefusedAndLeftAsItIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nameplate.db")
	if err := mustOpen(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	raw := rawOpen(t, path)
	if _, err := raw.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99990101000000, 1)"); err != nil {
		t.Fatal(err)
	}
	raw.Close()
	before := content(t, path)

	_, err := Open(t.Context(), path)
	if err == nil {
		t.Fatal("opened")
	}
	for _, want := range []string{path, "99990101000000", "newer nameplate", "backup"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in the error: %v", want, err)
		}
	}
	if !bytes.Equal(before, content(t, path)) {
		t.Error("the file has changed")
	}
}

func TestClosingLeavesTheDatabaseAndItsLock(t *testing.T) {
	folder := t.TempDir()
	db := mustOpen(t, filepath.Join(folder, "nameplate.db"))
	createUser(t, db, "alice")
	db.User.Query().CountX(t.Context()) // so that readers are open too
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"nameplate.db", "nameplate.db.lock"}, names(t, folder)); diff != "" {
		t.Errorf("the write-ahead log is not folded into the database:\n%s", diff)
	}
}

// Several processes may start at once on a folder that is new to all of them.
func TestOpeningANewDatabaseSeveralTimesAtOnce(t *testing.T) {
	for range 5 {
		path := filepath.Join(t.TempDir(), "nameplate.db")
		var openers sync.WaitGroup
		for i := range 8 {
			openers.Go(func() {
				db, err := Open(t.Context(), path)
				if err != nil {
					t.Error(err)
					return
				}
				defer db.Close()
				if _, err := newUser(db, fmt.Sprint("user", i)).Save(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		openers.Wait()
		if n := mustOpen(t, path).User.Query().CountX(t.Context()); n != 8 {
			t.Errorf("%d users, want 8", n)
		}
	}
}

// childDatabase makes this test binary the other process of
// TestTwoProcessesWriteToOneFile.
const childDatabase = "DATABASE_TEST_CHILD"

func TestTwoProcessesWriteToOneFile(t *testing.T) {
	if path := os.Getenv(childDatabase); path != "" {
		writeUsers(t, mustOpen(t, path), "child")
		return
	}
	path := filepath.Join(t.TempDir(), "nameplate.db")
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1")
	child.Env = append(os.Environ(), childDatabase+"="+path)
	var out bytes.Buffer
	child.Stdout, child.Stderr = &out, &out
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	db := mustOpen(t, path)
	writeUsers(t, db, "parent")
	if err := child.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	if n := db.User.Query().CountX(t.Context()); n != 2*writers {
		t.Errorf("%d users, want %d", n, 2*writers)
	}
}

func mustOpen(t *testing.T, path string) *ent.Client {
	t.Helper()
	db, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// rawOpen opens the file by the driver alone.
func rawOpen(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

var someTime = time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)

func newUser(db *ent.Client, name string) *ent.UserCreate {
	return db.User.Create().SetName(name).SetNameKey(name).SetPasswordHash("x").
		SetCreatedAt(someTime).SetUpdatedAt(someTime)
}

func createUser(t *testing.T, db *ent.Client, name string) *ent.User {
	t.Helper()
	user, err := newUser(db, name).Save(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return user
}

const writers = 100

// writeUsers creates as many users as there are writers, all at once, half of
// them in a transaction that reads first.
func writeUsers(t *testing.T, db *ent.Client, prefix string) {
	t.Helper()
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			<-start
			if err := writeUser(t.Context(), db, fmt.Sprint(prefix, i), i%2 == 0); err != nil {
				t.Error(err)
			}
		})
	}
	close(start)
	all.Wait()
}

func writeUser(ctx context.Context, db *ent.Client, name string, inTx bool) error {
	if !inTx {
		return newUser(db, name).Exec(ctx)
	}
	return db.WithTx(ctx, func(tx *ent.Tx) error {
		if _, err := tx.User.Query().Count(ctx); err != nil {
			return err
		}
		return newUser(tx.Client(), name).Exec(ctx)
	})
}

func content(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
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
