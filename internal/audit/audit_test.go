package audit_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"nameplate/ent"
	"nameplate/ent/event"
	"nameplate/internal/audit"
	"nameplate/internal/database/databasetest"
	"nameplate/internal/session"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)

func newUser(t *testing.T, db *ent.Client) *ent.User {
	t.Helper()
	user, err := db.User.Create().SetName("alice").SetNameKey("alice").SetPasswordHash("x").
		SetCreatedAt(start).SetUpdatedAt(start).Save(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return user
}

func TestAnEventSaysWhatWhenAndFromWhere(t *testing.T) {
	db := databasetest.Open(t)
	user := newUser(t, db)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
	r.RemoteAddr = "[2001:db8::1]:4711"
	r.Header.Set("User-Agent", "agent/1")
	sessions := &session.Manager{DB: db}
	sessions.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		record(t, r.Context(), db, user.ID)
	})).ServeHTTP(httptest.NewRecorder(), r)

	row := db.Event.Query().OnlyX(t.Context())
	got := []any{*row.UserID, row.Kind, row.At, row.IPAddress, row.UserAgent, row.ByOperator}
	want := []any{user.ID, event.KindNAME_CHANGED, start, "2001:db8::1", "agent/1", false}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAnEventOutsideOfARequestHasNoClient(t *testing.T) {
	db := databasetest.Open(t)
	user := newUser(t, db)
	record(t, t.Context(), db, user.ID)
	if row := db.Event.Query().OnlyX(t.Context()); row.IPAddress != "" || row.UserAgent != "" {
		t.Errorf("got %v", row)
	}
}

func record(t *testing.T, ctx context.Context, db *ent.Client, userID uuid.UUID) {
	t.Helper()
	err := db.WithTx(ctx, func(tx *ent.Tx) error {
		return audit.Record(ctx, tx, userID, event.KindNAME_CHANGED, start)
	})
	if err != nil {
		t.Error(err)
	}
}

func TestAnEventGoesWithItsTransaction(t *testing.T) {
	db := databasetest.Open(t)
	user := newUser(t, db)
	failure := errors.New("failed")
	err := db.WithTx(t.Context(), func(tx *ent.Tx) error {
		return errors.Join(audit.Record(t.Context(), tx, user.ID, event.KindNAME_CHANGED, start), failure)
	})
	if !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
	if n := db.Event.Query().CountX(t.Context()); n != 0 {
		t.Errorf("%d events are left", n)
	}
}

func TestAnEventOfNoUserOrOfNoKindIsAnError(t *testing.T) {
	db := databasetest.Open(t)
	user := newUser(t, db)
	err := db.WithTx(t.Context(), func(tx *ent.Tx) error {
		return audit.Record(t.Context(), tx, uuid.New(), event.KindNAME_CHANGED, start)
	})
	if !ent.IsConstraintError(err) {
		t.Errorf("no user: got %v, want a constraint error", err)
	}
	err = db.WithTx(t.Context(), func(tx *ent.Tx) error {
		return audit.Record(t.Context(), tx, user.ID, "DANCED", start)
	})
	if err == nil {
		t.Error("an unknown kind was recorded")
	}
}
