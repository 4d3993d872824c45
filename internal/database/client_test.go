package database

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"nameplate/ent"
	"nameplate/ent/event"
	entuser "nameplate/ent/user"
	"nameplate/internal/fault"
)

func openNew(t *testing.T) *ent.Client {
	t.Helper()
	return mustOpen(t, filepath.Join(t.TempDir(), "nameplate.db"))
}

func TestDeletingAUserDeletesItsSessionsAndEvents(t *testing.T) {
	db := openNew(t)
	ctx := t.Context()
	alice, bob := createUser(t, db, "alice"), createUser(t, db, "bob")
	for i, user := range []*ent.User{alice, bob} {
		db.Session.Create().SetUserID(user.ID).SetTokenSha256([]byte{byte(i)}).SetCreatedAt(someTime).
			SetAuthenticatedAt(someTime).SetLastSeenAt(someTime).SetExpiresAt(someTime).SaveX(ctx)
		db.Event.Create().SetUserID(user.ID).SetKind(event.KindSIGNED_UP).SetAt(someTime).SaveX(ctx)
	}
	if err := db.User.DeleteOne(alice).Exec(ctx); err != nil {
		t.Fatal(err)
	}
	if got := db.Session.Query().OnlyX(ctx).UserID; got != bob.ID {
		t.Errorf("the session left is of %s, want bob's", got)
	}
	if got := db.Event.Query().OnlyX(ctx).UserID; *got != bob.ID {
		t.Errorf("the event left is of %s, want bob's", got)
	}
}

func TestWhatWasDeletedIsInNoFileAfterClosing(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "nameplate.db")
	const name = "a name to be looked for"
	found := func() (found bool) {
		for _, file := range names(t, folder) {
			found = found || bytes.Contains(content(t, filepath.Join(folder, file)), []byte(name))
		}
		return found
	}
	for _, kept := range []bool{true, false} {
		db := mustOpen(t, path)
		if kept {
			createUser(t, db, name)
			createUser(t, db, "bob")
		} else {
			db.User.Delete().Where(entuser.Name(name)).ExecX(t.Context())
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if found() != kept {
			t.Errorf("kept: %t, found: %t", kept, found())
		}
	}
}

func TestARowOfNoUserIsRefused(t *testing.T) {
	db := openNew(t)
	err := db.Event.Create().SetUserID(uuid.New()).SetKind(event.KindSIGNED_UP).SetAt(someTime).Exec(t.Context())
	if !ent.IsConstraintError(err) {
		t.Errorf("got %v, want a constraint error", err)
	}
}

func TestTheIndexRefusesASecondUserOfOneNameKey(t *testing.T) {
	db := openNew(t)
	createUser(t, db, "alice")
	err := newUser(db, "alice").Exec(t.Context())
	if !ent.IsConstraintError(err) {
		t.Errorf("got %v, want a constraint error", err)
	}
}

func TestTimesComeBackAsTheyWereWritten(t *testing.T) {
	db := openNew(t)
	user := createUser(t, db, "alice")
	got := db.User.GetX(t.Context(), user.ID)
	if diff := cmp.Diff(someTime, got.CreatedAt); diff != "" || got.CreatedAt.Location().String() != "UTC" {
		t.Errorf("%s in %s", diff, got.CreatedAt.Location())
	}
}

func TestReadsGoOnDuringAWriteTransaction(t *testing.T) {
	db := openNew(t)
	user := createUser(t, db, "alice")
	err := db.WithTx(t.Context(), func(tx *ent.Tx) error {
		if err := tx.User.UpdateOneID(user.ID).SetName("bob").Exec(t.Context()); err != nil {
			return err
		}
		// Would wait for ever if it needed the writer's connection.
		outside, err := db.User.Get(t.Context(), user.ID)
		if err != nil {
			return err
		}
		if outside.Name != "alice" {
			t.Errorf("what is not committed is seen from outside: %q", outside.Name)
		}
		inside, err := tx.User.Get(t.Context(), user.ID)
		if err == nil && inside.Name != "bob" {
			t.Errorf("a transaction doesn't see what it wrote: %q", inside.Name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if after := db.User.GetX(t.Context(), user.ID); after.Name != "bob" {
		t.Errorf("a reader sees %q after the commit", after.Name)
	}
}

// Or else one that reads before it writes would fail when another process has
// written in between.
func TestATransactionHasTheWriteLockFromItsBeginning(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nameplate.db")
	db := mustOpen(t, path)
	other := rawOpen(t, "file:"+path+"?_busy_timeout=0")
	err := db.WithTx(t.Context(), func(*ent.Tx) error {
		if _, err := other.ExecContext(t.Context(), "DELETE FROM users"); err == nil {
			t.Error("another connection could write")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.ExecContext(t.Context(), "DELETE FROM users"); err != nil {
		t.Errorf("after the transaction: %v", err)
	}
}

func TestAHundredWritersDoNotFindItLocked(t *testing.T) {
	db := openNew(t)
	writeUsers(t, db, "user")
	if n := db.User.Query().CountX(t.Context()); n != writers {
		t.Errorf("%d users, want %d", n, writers)
	}
}

func TestWithTxUndoesWhatFails(t *testing.T) {
	db := openNew(t)
	failure := errors.New("failed")
	err := db.WithTx(t.Context(), func(tx *ent.Tx) error {
		newUser(tx.Client(), "alice").SaveX(t.Context())
		return failure
	})
	if !errors.Is(err, failure) {
		t.Errorf("got %v, want the function's own error", err)
	}
	checkUndone(t, db)
}

func TestWithTxUndoesWhatPanics(t *testing.T) {
	db := openNew(t)
	func() {
		defer func() {
			if p := recover(); p != "failed" {
				t.Errorf("panicked with %v, want what the function panicked with", p)
			}
		}()
		_ = db.WithTx(t.Context(), func(tx *ent.Tx) error {
			newUser(tx.Client(), "alice").SaveX(t.Context())
			panic("failed")
		})
	}()
	checkUndone(t, db)
}

// checkUndone also writes, which would wait for ever if the transaction were
// still open.
func checkUndone(t *testing.T, db *ent.Client) {
	t.Helper()
	createUser(t, db, "bob")
	if got := db.User.Query().Select(entuser.FieldName).StringsX(t.Context()); !cmp.Equal(got, []string{"bob"}) {
		t.Errorf("users: %q, want bob alone", got)
	}
}

func TestADatabaseThatAnotherProcessHoldsIsUnavailable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nameplate.db")
	d, err := open(t.Context(), path, migrate)
	if err != nil {
		t.Fatal(err)
	}
	db := ent.NewClient(ent.Driver(d))
	t.Cleanup(func() { db.Close() })
	// Not for the five seconds that a server waits.
	if _, err := d.DB().ExecContext(t.Context(), "PRAGMA busy_timeout=0"); err != nil {
		t.Fatal(err)
	}
	other := rawOpen(t, "file:"+path)
	other.SetMaxOpenConns(1)
	if _, err := other.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"a statement":   newUser(db, "alice").Exec(t.Context()),
		"a transaction": db.WithTx(t.Context(), func(*ent.Tx) error { return nil }),
	} {
		if _, ok := errors.AsType[*fault.Unavailable](err); !ok {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := other.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	createUser(t, db, "alice")
}

func TestADatabaseThatCannotGrowIsUnavailable(t *testing.T) {
	d, err := open(t.Context(), filepath.Join(t.TempDir(), "nameplate.db"), migrate)
	if err != nil {
		t.Fatal(err)
	}
	db := ent.NewClient(ent.Driver(d))
	t.Cleanup(func() { db.Close() })
	// As a full disk does, it stops at the size that the database has.
	if _, err := d.DB().ExecContext(t.Context(), "PRAGMA max_page_count=1"); err != nil {
		t.Fatal(err)
	}
	name := strings.Repeat("x", 1<<20)
	for what, err := range map[string]error{
		"a statement":   newUser(db, name).Exec(t.Context()),
		"a transaction": db.WithTx(t.Context(), func(tx *ent.Tx) error { return newUser(tx.Client(), name).Exec(t.Context()) }),
	} {
		if _, ok := errors.AsType[*fault.Unavailable](err); !ok {
			t.Errorf("%s: %v", what, err)
		}
	}
	if n := db.User.Query().CountX(t.Context()); n != 0 {
		t.Errorf("%d users", n)
	}
}

func TestOnlyTheOwnerCanReadTheDatabase(t *testing.T) {
	folder := t.TempDir()
	createUser(t, mustOpen(t, filepath.Join(folder, "nameplate.db")), "alice")
	for _, name := range []string{"nameplate.db", "nameplate.db-wal", "nameplate.db-shm"} {
		info, err := os.Stat(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v", name, info.Mode())
		}
	}
}
