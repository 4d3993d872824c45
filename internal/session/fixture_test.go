package session_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"nameplate/ent"
	entsession "nameplate/ent/session"
	"nameplate/internal/database/databasetest"
	"nameplate/internal/session"
)

const (
	idle     = 7 * 24 * time.Hour
	absolute = 30 * 24 * time.Hour
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)

// fixture is a manager with one user, on a clock that stands still until a test
// moves it.
type fixture struct {
	*session.Manager
	t      *testing.T
	folder string // of the database
	user   *ent.User
	now    time.Time
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{t: t, folder: t.TempDir(), now: start}
	f.Manager = &session.Manager{
		DB:       databasetest.OpenAt(t, filepath.Join(f.folder, "nameplate.db")),
		Idle:     idle,
		Absolute: absolute,
		Now:      func() time.Time { return f.now },
	}
	f.user = f.newUser("alice")
	return f
}

func (f *fixture) newUser(name string) *ent.User {
	f.t.Helper()
	user, err := f.DB.User.Create().SetName(name).SetNameKey(name).SetPasswordHash("x").
		SetCreatedAt(start).SetUpdatedAt(start).Save(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return user
}

// request is what the client below sends; change alters it.
func (f *fixture) request(change ...func(*http.Request)) *http.Request {
	r := httptest.NewRequestWithContext(f.t.Context(), http.MethodPost, "/graphql", nil)
	for _, c := range change {
		c(r)
	}
	return r
}

func bearer(token string) func(*http.Request) {
	return header("Authorization", "Bearer "+token)
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func cookie(name, token string) func(*http.Request) {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: name, Value: token}) }
}

// do runs use inside the request, as a resolver would be.
func (f *fixture) do(r *http.Request, use func(ctx context.Context)) *http.Response {
	w := httptest.NewRecorder()
	f.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		use(r.Context())
	})).ServeHTTP(w, r)
	return w.Result()
}

// begin signs the user in by the request and returns the token.
func (f *fixture) begin(change ...func(*http.Request)) string {
	f.t.Helper()
	var token *string
	f.do(f.request(change...), func(ctx context.Context) { token = session.Begin(ctx, f.issue(ctx)) })
	if token == nil {
		f.t.Fatal("no token")
	}
	return *token
}

func (f *fixture) issue(ctx context.Context) *session.Issued {
	f.t.Helper()
	var issued *session.Issued
	f.tx(func(tx *ent.Tx) (err error) {
		issued, err = f.Issue(ctx, tx, f.user.ID)
		return err
	})
	return issued
}

// tx runs fn in a transaction that must succeed.
func (f *fixture) tx(fn func(tx *ent.Tx) error) {
	f.t.Helper()
	if err := f.DB.WithTx(f.t.Context(), fn); err != nil {
		f.t.Fatal(err)
	}
}

// insert adds a live session of the user that was made and last used at these times.
func (f *fixture) insert(user *ent.User, created, seen time.Time) uuid.UUID {
	f.t.Helper()
	id := uuid.New()
	err := f.DB.Session.Create().SetID(id).SetUserID(user.ID).SetTokenSha256(id[:]).SetCreatedAt(created).
		SetAuthenticatedAt(created).SetLastSeenAt(seen).SetExpiresAt(created.Add(absolute)).Exec(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return id
}

// left are the sessions in the database, live or not, the oldest first.
func (f *fixture) left() []uuid.UUID {
	f.t.Helper()
	return f.DB.Session.Query().Order(ent.Asc(entsession.FieldCreatedAt)).IDsX(f.t.Context())
}

// current is what Current says inside the request.
func (f *fixture) current(change ...func(*http.Request)) (row *ent.Session, err error) {
	f.do(f.request(change...), func(ctx context.Context) { row, err = session.Current(ctx) })
	return row, err
}

func (f *fixture) wantUser(change ...func(*http.Request)) {
	f.t.Helper()
	if row, err := f.current(change...); err != nil || row.UserID != f.user.ID {
		f.t.Errorf("got %v, %v, want a session of the user", row, err)
	}
}

func (f *fixture) wantNone(change ...func(*http.Request)) {
	f.t.Helper()
	if row, err := f.current(change...); row != nil || !errors.Is(err, session.ErrNone) {
		f.t.Errorf("got %v, %v, want ErrNone", row, err)
	}
}

func (f *fixture) row() *ent.Session {
	f.t.Helper()
	row, err := f.DB.Session.Query().Only(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return row
}
