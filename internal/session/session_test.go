package session_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"nameplate/ent"
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
		DB:  databasetest.OpenAt(t, filepath.Join(f.folder, "nameplate.db")),
		Now: func() time.Time { return f.now },
	}
	user, err := f.DB.User.Create().SetName("alice").SetNameKey("alice").SetPasswordHash("x").
		SetCreatedAt(start).SetUpdatedAt(start).Save(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f.user = user
	return f
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
	err := f.DB.WithTx(ctx, func(tx *ent.Tx) (err error) {
		issued, err = f.Issue(ctx, tx, f.user.ID)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return issued
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

func TestARowHasTheTokenOnlyAsSHA256(t *testing.T) {
	f := newFixture(t)
	token := f.begin()
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != 32 {
		t.Fatalf("token %q: %d bytes, %v, want 32", token, len(raw), err)
	}
	if sum := sha256.Sum256([]byte(token)); !bytes.Equal(f.row().TokenSha256, sum[:]) {
		t.Errorf("the row has %x, want %x", f.row().TokenSha256, sum)
	}
	files, err := filepath.Glob(filepath.Join(f.folder, "*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("files: %q, %v", files, err)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, []byte(token)) || bytes.Contains(content, raw) {
			t.Errorf("the token is in %s", name)
		}
	}
}

func TestTokensDiffer(t *testing.T) {
	f := newFixture(t)
	if first, second := f.begin(), f.begin(); first == second {
		t.Error("two sessions have one token")
	}
}

func TestARowHasItsTimesAndClient(t *testing.T) {
	f := newFixture(t)
	f.begin(header("User-Agent", "agent/1"), func(r *http.Request) { r.RemoteAddr = "198.51.100.7:4711" })
	row := f.row()
	got := []any{row.UserID, row.IPAddress, row.UserAgent, row.CreatedAt, row.AuthenticatedAt, row.LastSeenAt, row.ExpiresAt}
	want := []any{f.user.ID, "198.51.100.7", "agent/1", start, start, start, start.Add(absolute)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestASessionIsFoundByBearerAndByCookie(t *testing.T) {
	f := newFixture(t)
	token := f.begin()
	f.wantUser(bearer(token))
	f.wantUser(header("Authorization", "bEARER "+token))
	f.wantUser(header("Authorization", "Bearer   "+token+" "))
	f.wantUser(cookie("nameplate_session", token))
	f.wantUser(cookie("other", "x"), cookie("nameplate_session", token))

	f.Secure = true
	f.wantUser(bearer(token))
	f.wantUser(cookie("__Host-nameplate_session", token))
	f.wantNone(cookie("nameplate_session", token))
}

func TestBearerWinsOverTheCookie(t *testing.T) {
	f := newFixture(t)
	token := f.begin()
	byCookie := cookie("nameplate_session", token)
	f.wantUser(bearer(token), cookie("nameplate_session", "stale"))
	f.wantNone(bearer("unknown"), byCookie)
	f.wantUser(header("Authorization", "Basic "+token), byCookie) // a proxy's
	f.wantNone(header("Authorization", "Bearer"), byCookie)
}

func TestWhatOpensNothingIsAnonymous(t *testing.T) {
	f := newFixture(t)
	token := f.begin()
	f.wantNone()
	for _, value := range []string{
		"", " ", "Bearer", "Bearer ", "Bearer unknown", "Bearer " + token + "x", "Bearer " + token[1:],
		"Bearer " + strings.ToLower(token), token, "Basic " + token, "Token " + token, "Bearer:" + token, "Bearer,Bearer " + token,
		"Bearer " + strings.Repeat("a", 1<<20), "Bearer \x00\xff' OR 1=1 --",
		// What the row has, in any writing, is no token.
		"Bearer " + string(f.row().TokenSha256), "Bearer " + base64.RawURLEncoding.EncodeToString(f.row().TokenSha256),
	} {
		f.wantNone(header("Authorization", value))
	}
	for _, value := range []string{"", "unknown", strings.Repeat("a", 1<<20)} {
		f.wantNone(cookie("nameplate_session", value))
	}
	if id := session.UserID(t.Context()); id != uuid.Nil {
		t.Errorf("outside of a request the user is %s, want none", id)
	}
	if _, err := session.Current(t.Context()); !errors.Is(err, session.ErrNone) {
		t.Errorf("outside of a request: %v, want ErrNone", err)
	}
}

func TestUserIDIsWhoIsAsking(t *testing.T) {
	f := newFixture(t)
	token := f.begin()
	f.do(f.request(bearer(token)), func(ctx context.Context) {
		if got := session.UserID(ctx); got != f.user.ID {
			t.Errorf("got %s, want %s", got, f.user.ID)
		}
	})
	f.do(f.request(), func(ctx context.Context) {
		if got := session.UserID(ctx); got != uuid.Nil {
			t.Errorf("got %s, want none", got)
		}
	})
}

func TestAnIdleSessionEndsAfterSevenDays(t *testing.T) {
	f := newFixture(t)
	token := f.begin()
	f.now = start.Add(idle - time.Second)
	f.wantUser(bearer(token)) // which is the last request, from which the days count again
	f.now = f.now.Add(idle - time.Second)
	f.wantUser(bearer(token))
	f.now = f.now.Add(idle)
	f.wantNone(bearer(token))
	f.now = f.now.Add(time.Second)
	f.wantNone(bearer(token))
}

func TestASessionInUseEndsAfterThirtyDays(t *testing.T) {
	f := newFixture(t)
	token := f.begin()
	for f.now.Before(start.Add(absolute - 24*time.Hour)) {
		f.wantUser(bearer(token))
		f.now = f.now.Add(24 * time.Hour)
	}
	f.wantUser(bearer(token))
	f.now = start.Add(absolute - time.Second)
	f.wantUser(bearer(token))
	f.now = start.Add(absolute)
	f.wantNone(bearer(token))
	f.now = start.Add(absolute + time.Second)
	f.wantNone(bearer(token))
}

// countSeen counts the statements that write to the table of sessions, and the
// rows that they changed.
func countSeen(db *ent.Client) (statements, rows *atomic.Int64) {
	statements, rows = new(atomic.Int64), new(atomic.Int64)
	db.Session.Use(func(next ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
			value, err := next.Mutate(ctx, m)
			statements.Add(1)
			if n, ok := value.(int); ok {
				rows.Add(int64(n))
			}
			return value, err
		})
	})
	return statements, rows
}

func TestTheLastRequestIsNotedOnceAMinute(t *testing.T) {
	f := newFixture(t)
	token := f.begin()
	statements, _ := countSeen(f.DB)
	for _, step := range []struct {
		at    time.Duration
		wrote int64 // so far
	}{
		{0, 0},
		{time.Second, 0},
		{time.Minute - time.Microsecond, 0},
		{time.Minute, 1},
		{time.Minute + time.Second, 1},
		{2*time.Minute - time.Microsecond, 1},
		{2 * time.Minute, 2},
		{24 * time.Hour, 3},
	} {
		f.now = start.Add(step.at)
		f.wantUser(bearer(token))
		f.wantUser(bearer(token))
		if got := statements.Load(); got != step.wrote {
			t.Errorf("at %s %d statements have written, want %d", step.at, got, step.wrote)
		}
	}
	if got := f.row().LastSeenAt; !got.Equal(f.now) {
		t.Errorf("last seen at %s, want %s", got, f.now)
	}
}

func TestOfManyRequestsAtOnceOneNotesThatItWasSeen(t *testing.T) {
	f := newFixture(t)
	token := f.begin()
	_, rows := countSeen(f.DB)
	f.now = start.Add(time.Minute)
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() { f.wantUser(bearer(token)) })
	}
	all.Wait()
	if got := rows.Load(); got != 1 {
		t.Errorf("the row was written %d times, want once", got)
	}
}

func TestRevokeSaysWhetherThereWasASession(t *testing.T) {
	f := newFixture(t)
	token := f.begin()
	id := f.row().ID
	for _, want := range []bool{true, false} {
		err := f.DB.WithTx(t.Context(), func(tx *ent.Tx) error {
			got, err := f.Revoke(t.Context(), tx, id)
			if got != want {
				t.Errorf("got %t, want %t", got, want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		f.wantNone(bearer(token))
	}
}

func TestReauthenticatedNotesTheTime(t *testing.T) {
	f := newFixture(t)
	token := f.begin()
	id := f.row().ID
	f.now = start.Add(30 * time.Second)
	err := f.DB.WithTx(t.Context(), func(tx *ent.Tx) error {
		_, err := f.Reauthenticated(t.Context(), tx, id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	row, err := f.current(bearer(token))
	if err != nil || !row.AuthenticatedAt.Equal(f.now) || !row.CreatedAt.Equal(start) {
		t.Errorf("got %v, %v", row, err)
	}
	err = f.DB.WithTx(t.Context(), func(tx *ent.Tx) error {
		_, err := f.Reauthenticated(t.Context(), tx, uuid.New())
		return err
	})
	if !errors.Is(err, session.ErrNone) {
		t.Errorf("got %v for a session that is not there, want ErrNone", err)
	}
}

func TestASessionGoesWithItsUser(t *testing.T) {
	f := newFixture(t)
	token := f.begin()
	if err := f.DB.User.DeleteOne(f.user).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.wantNone(bearer(token))
}

func TestASessionLivesThroughARename(t *testing.T) {
	f := newFixture(t)
	token := f.begin()
	if err := f.user.Update().SetName("bob").SetNameKey("bob").Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.wantUser(bearer(token))
}

// A database that is away must not pass for "not signed in": clients forget
// their session then.
func TestAFailedSearchIsNotAnonymous(t *testing.T) {
	f := newFixture(t)
	token := f.begin()
	f.DB.Session.Intercept(ent.InterceptFunc(func(ent.Querier) ent.Querier {
		return ent.QuerierFunc(func(context.Context, ent.Query) (ent.Value, error) {
			return nil, errors.New("the database is away")
		})
	}))
	row, err := f.current(bearer(token))
	if row != nil || err == nil || errors.Is(err, session.ErrNone) {
		t.Errorf("got %v, %v, want an error that is not ErrNone", row, err)
	}
	f.wantNone()
	if strings.Contains(err.Error(), token) {
		t.Errorf("the token is in the error: %v", err)
	}
}

func TestASessionThatCannotBeNotedAsSeenIsFoundAllTheSame(t *testing.T) {
	f := newFixture(t)
	token := f.begin()
	f.DB.Session.Use(func(ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(context.Context, ent.Mutation) (ent.Value, error) {
			return nil, errors.New("the disk is full")
		})
	})
	f.now = start.Add(time.Hour)
	f.wantUser(bearer(token))
}

func TestExpiredSessionsAreSwept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.Now = func() time.Time { return time.Now().UTC() } // the bubble's
		pass := func(d time.Duration) { <-time.After(d); synctest.Wait() }
		f.begin()
		pass(absolute - time.Hour)
		f.begin()
		second := f.Now()
		pass(time.Hour)

		ctx, cancel := context.WithCancel(t.Context())
		var sweeping sync.WaitGroup
		sweeping.Go(func() { f.Sweep(ctx, slog.New(slog.DiscardHandler)) })
		synctest.Wait()
		if row := f.row(); !row.CreatedAt.Equal(second) {
			t.Errorf("what is left was made at %s, want %s", row.CreatedAt, second)
		}
		pass(absolute)
		if n := f.DB.Session.Query().CountX(ctx); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
		cancel()
		sweeping.Wait()
	})
}
