package session_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"nameplate/ent"
	"nameplate/internal/session"
)

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
