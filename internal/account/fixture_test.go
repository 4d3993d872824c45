package account

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nameplate/ent"
	"nameplate/ent/event"
	"nameplate/internal/database/databasetest"
	"nameplate/internal/fault"
	"nameplate/internal/profile"
	"nameplate/internal/session"
	"nameplate/internal/throttle"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)

// A password to look for where it must not be.
const password = "correct horse battery staple"

// fixture is a service with a database of its own, on a clock that stands still
// until a test moves it.
type fixture struct {
	*Service
	t      testing.TB
	now    time.Time
	hashes atomic.Int64 // how many passwords were hashed
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{t: t, now: start}
	clock := func() time.Time { return f.now }
	db := databasetest.Open(t)
	sessions := &session.Manager{DB: db, Idle: 7 * 24 * time.Hour, Absolute: 30 * 24 * time.Hour, Now: clock}
	attempts := &throttle.Limiter{DB: db, Now: clock}
	f.Service = New(Options{
		DB: db, Sessions: sessions, Attempts: attempts,
		Profiles: &profile.Service{DB: db, Attempts: attempts, Now: clock},
		Hashes:   2, MinPasswordLength: 8, MaxPasswordLength: 256, SignUpOpen: true,
		NameHold: 30 * 24 * time.Hour, KeepEvents: 180 * 24 * time.Hour, Now: clock,
	})
	// Argon2id is slow by intention; TestPasswordsAreHashedByArgon2id has it.
	f.passwords.key = func(password, salt []byte, _, _ uint32, _ uint8, keyLen uint32) []byte {
		f.hashes.Add(1)
		mac := hmac.New(sha256.New, salt)
		mac.Write(password)
		return mac.Sum(nil)[:keyLen]
	}
	return f
}

// do runs use inside a request with the token, as a resolver would be.
func (f *fixture) do(token string, use func(ctx context.Context)) *http.Response {
	r := httptest.NewRequestWithContext(f.t.Context(), http.MethodPost, "/graphql", nil)
	r.Header.Set("User-Agent", "agent/1")
	r.RemoteAddr = "198.51.100.7:4711"
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	f.Sessions.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		use(r.Context())
	})).ServeHTTP(w, r)
	return w.Result()
}

func (f *fixture) signUp(name, password string) (user *ent.User, token string, err error) {
	f.do("", func(ctx context.Context) {
		var t *string
		user, t, err = f.SignUp(ctx, name, password)
		if t != nil {
			token = *t
		}
	})
	return user, token, err
}

func (f *fixture) signIn(name, password string) (user *ent.User, token string, err error) {
	f.do("", func(ctx context.Context) {
		var t *string
		user, t, err = f.SignIn(ctx, name, password)
		if t != nil {
			token = *t
		}
	})
	return user, token, err
}

func (f *fixture) mustSignUp(name string) (user *ent.User, token string) {
	f.t.Helper()
	user, token, err := f.signUp(name, password)
	if err != nil || token == "" {
		f.t.Fatalf("sign up: %v, token %q", err, token)
	}
	return user, token
}

// wantRows checks how many users, sessions and events there are.
func (f *fixture) wantRows(users, sessions, events int) {
	f.t.Helper()
	ctx := f.t.Context()
	got := []int{f.DB.User.Query().CountX(ctx), f.DB.Session.Query().CountX(ctx), f.DB.Event.Query().CountX(ctx)}
	if diff := cmp.Diff([]int{users, sessions, events}, got); diff != "" {
		f.t.Errorf("users, sessions, events:\n%s", diff)
	}
}

// wantEvents checks all events, in the order in which they were written.
func (f *fixture) wantEvents(kinds ...event.Kind) {
	f.t.Helper()
	var got []event.Kind
	for _, row := range f.DB.Event.Query().Order(ent.Asc(event.FieldID)).AllX(f.t.Context()) {
		got = append(got, row.Kind)
		if row.IPAddress != "198.51.100.7" || row.UserAgent != "agent/1" {
			f.t.Errorf("the event is from %q by %q", row.IPAddress, row.UserAgent)
		}
	}
	if diff := cmp.Diff(kinds, got); diff != "" {
		f.t.Error(diff)
	}
}

// wantFaults checks that the error is these faults and nothing else, and that
// no password is in it.
func wantFaults(t *testing.T, err error, want ...fault.Error) {
	t.Helper()
	if diff := cmp.Diff(want, faults(t, err)); diff != "" {
		t.Errorf("%v:\n%s", err, diff)
	}
	wantNoPassword(t, err)
}

func wantNoPassword(t *testing.T, err error) {
	t.Helper()
	if err != nil && strings.Contains(err.Error(), password[:7]) {
		t.Errorf("the password is in the error: %v", err)
	}
}

// faults takes errors.Join apart. What a rollback adds is no fault.
func faults(t *testing.T, err error) []fault.Error {
	t.Helper()
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []fault.Error
		for _, e := range joined.Unwrap() {
			all = append(all, faults(t, e)...)
		}
		return all
	}
	var one *fault.Error
	if !errors.As(err, &one) {
		t.Fatalf("not a fault: %v", err)
	}
	return []fault.Error{*one}
}

// cancelBefore cancels a context when a row of such a kind is about to be
// written, as a client does that leaves in the middle of a transaction.
func cancelBefore(cancel func()) ent.Hook {
	return func(next ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
			cancel()
			return next.Mutate(ctx, m)
		})
	}
}

// deleteUserAfterRead deletes the user as soon as its row has been read, once.
func deleteUserAfterRead(db *ent.Client, user *ent.User) {
	var once sync.Once
	db.User.Intercept(ent.InterceptFunc(func(next ent.Querier) ent.Querier {
		return ent.QuerierFunc(func(ctx context.Context, q ent.Query) (ent.Value, error) {
			value, err := next.Query(ctx, q)
			once.Do(func() { err = errors.Join(err, db.User.DeleteOneID(user.ID).Exec(ctx)) })
			return value, err
		})
	}))
}
