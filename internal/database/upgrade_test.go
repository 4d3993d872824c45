package database

import (
	"database/sql"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/pressly/goose/v3"

	"nameplate/ent"
	"nameplate/ent/event"
	"nameplate/ent/object"
)

// openOld makes a database as a version had it whose last migration was this one.
func openOld(t *testing.T, path string, version int64) *sql.DB {
	t.Helper()
	raw := rawOpen(t, dsn(path, "_txlock=immediate"))
	files, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, raw, files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	return raw
}

func mustExec(t *testing.T, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
}

func TestAnUpgradeKeepsTheObjectsOfTheFirstVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nameplate.db")
	raw := openOld(t, path, 20261123135851)
	mustExec(t, raw, "INSERT INTO objects (key, state, changed_at) VALUES ('a.jpg', 'stale', ?)", someTime)
	raw.Close()

	row := mustOpen(t, path).Object.GetX(t.Context(), "a.jpg")
	if row.State != object.StateStale || !row.ChangedAt.Equal(someTime) {
		t.Errorf("got %v", row)
	}
	if diff := cmp.Diff([]any{0, (*time.Time)(nil)}, []any{row.Failures, row.RetryAt}); diff != "" {
		t.Errorf("failures and when to try again (-want +got):\n%s", diff)
	}
}

// In the transaction of a migration foreign keys stay on. So if the table of users were
// made anew, everything that hangs on them would go with the old one.
func TestAnUpgradeKeepsUsersAndWhatHangsOnThem(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nameplate.db")
	raw := openOld(t, path, 20261124130851)
	users := []uuid.UUID{uuid.New(), uuid.New()}
	var sessions []uuid.UUID
	for i, id := range users {
		mustExec(t, raw, `INSERT INTO users (id, name, name_key, password_hash, avatar_key, real_name_sealed, id_card_sealed, verification_saved_at, created_at, updated_at)
			VALUES (?, ?, ?, 'hash', 'a.jpg', x'01', x'02', ?, ?, ?)`, id, fmt.Sprint("User", i), fmt.Sprint("user", i), someTime, someTime, someTime)
		for range 2 {
			s := uuid.New()
			sessions = append(sessions, s)
			mustExec(t, raw, `INSERT INTO sessions (id, token_sha256, ip_address, user_agent, created_at, authenticated_at, last_seen_at, expires_at, user_id)
				VALUES (?, ?, '192.0.2.1', 'agent/1', ?, ?, ?, ?, ?)`, s, s[:], someTime, someTime, someTime, someTime.Add(time.Hour), id)
		}
	}
	// Of one moment, so that only ids tell which was first; in hexadecimal they grow by a digit.
	const events = 300
	for i := range events {
		mustExec(t, raw, "INSERT INTO events (kind, at, ip_address, user_agent, by_operator, user_id) VALUES ('SIGNED_IN', ?, ?, 'agent/1', ?, ?)",
			someTime, fmt.Sprint(i), i%3 == 0, users[i%2])
	}
	mustExec(t, raw, "INSERT INTO events (kind, at, user_id) VALUES ('SIGNED_OUT', ?, ?)", someTime.Add(time.Second), users[0])
	raw.Close()

	db := mustOpen(t, path)
	for i, id := range users {
		row := db.User.GetX(t.Context(), id)
		got := []any{row.Name, row.NameKey, row.PasswordHash, row.PasswordVersion, *row.AvatarKey, row.RealNameSealed, row.IDCardSealed, row.CreatedAt}
		want := []any{fmt.Sprint("User", i), fmt.Sprint("user", i), "hash", 1, "a.jpg", []byte{1}, []byte{2}, someTime}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	for _, id := range sessions {
		row := db.Session.GetX(t.Context(), id)
		if !cmp.Equal(row.TokenSha256, id[:]) || row.UserAgent != "agent/1" || !row.ExpiresAt.Equal(someTime.Add(time.Hour)) {
			t.Errorf("got %v", row)
		}
	}
	// One that is written now stands behind them.
	db.Event.Create().SetUserID(users[0]).SetKind(event.KindSIGNED_IN).SetAt(someTime).SetIPAddress(fmt.Sprint(events)).SaveX(t.Context())
	checkOldEvents(t, db, users, events)
}

func checkOldEvents(t *testing.T, db *ent.Client, users []uuid.UUID, events int) {
	t.Helper()
	rows := db.Event.Query().Order(ent.Asc(event.FieldAt, event.FieldID)).AllX(t.Context())
	if len(rows) != events+2 {
		t.Fatalf("%d events, want %d", len(rows), events+2)
	}
	for i, row := range rows[:events] {
		got := []any{row.Kind, row.At, row.IPAddress, row.UserAgent, row.ByOperator, row.Count, *row.UserID, row.ID.Version(), row.ID.Variant()}
		want := []any{event.KindSIGNED_IN, someTime, fmt.Sprint(i), "agent/1", i%3 == 0, 1, users[i%2], uuid.Version(7), uuid.RFC4122}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("event %d: %s", i, diff)
		}
	}
	if got := rows[events].IPAddress; got != fmt.Sprint(events) {
		t.Errorf("the new one is not behind the old ones, but of %q", got)
	}
	last := rows[events+1]
	got := []any{last.Kind, last.At, last.IPAddress, last.UserAgent, last.ByOperator, last.Count, *last.UserID}
	want := []any{event.KindSIGNED_OUT, someTime.Add(time.Second), "", "", false, 1, users[0]}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("one without a client: %s", diff)
	}
}

func TestAnUpgradeLeavesForeignKeysWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nameplate.db")
	raw := openOld(t, path, 20261124130851)
	id := uuid.New()
	mustExec(t, raw, "INSERT INTO users (id, name, name_key, password_hash, created_at, updated_at) VALUES (?, 'a', 'a', 'x', ?, ?)", id, someTime, someTime)
	mustExec(t, raw, "INSERT INTO events (kind, at, user_id) VALUES ('SIGNED_UP', ?, ?)", someTime, id)
	raw.Close()

	db := mustOpen(t, path)
	db.User.DeleteOneID(id).ExecX(t.Context())
	if n := db.Event.Query().CountX(t.Context()); n != 0 {
		t.Errorf("%d events of a user who is gone", n)
	}
	err := db.Event.Create().SetUserID(id).SetKind(event.KindSIGNED_UP).SetAt(someTime).Exec(t.Context())
	if !ent.IsConstraintError(err) {
		t.Errorf("got %v, want a constraint error", err)
	}
}

// An older server may be at work on it.
func TestWhoComesBesideAServerMigratesNothing(t *testing.T) {
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
	before, err := provider.GetDBVersion(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenUsed(t.Context(), path); err == nil || !strings.Contains(err.Error(), "older version") {
		t.Errorf("got %v", err)
	}
	if after, err := provider.GetDBVersion(t.Context()); after != before || err != nil {
		t.Errorf("the version was %d and is %d, %v", before, after, err)
	}
	raw.Close()
	if err := mustOpen(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	db, err := OpenUsed(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
}
