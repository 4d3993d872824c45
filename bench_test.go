package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3"

	"nameplate/internal/blob/disk"
	"nameplate/internal/config"
	"nameplate/internal/database"
	"nameplate/internal/profile"
)

// BenchmarkMe measures the query me through every layer, beside a handler written
// by hand for this one purpose: it does the same two lookups with prepared
// statements and answers with encoding/json. Both are called in process, so the
// network is left out. The last of the three reports what one is of the other.
func BenchmarkMe(b *testing.B) {
	handler, path, token := benchServer(b)
	direct := handwritten(b, path)
	post := func(h http.Handler) {
		req := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(
			`{"query":"{ me { id name avatarUrl hasAvatar createdAt updatedAt } }"}`))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+token)
		res := httptest.NewRecorder()
		h.ServeHTTP(res, req)
		if res.Code != http.StatusOK || !strings.Contains(res.Body.String(), `"name":"Alice"`) {
			b.Fatalf("status %d: %s", res.Code, res.Body)
		}
	}
	b.Run("nameplate", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			post(handler)
		}
	})
	b.Run("handwritten", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			post(direct)
		}
	})
	b.Run("ratio", func(b *testing.B) {
		// In turns, so that what else the machine does falls on both.
		var ours, theirs time.Duration
		for b.Loop() {
			start := time.Now()
			post(handler)
			middle := time.Now()
			post(direct)
			ours += middle.Sub(start)
			theirs += time.Since(middle)
		}
		b.ReportMetric(float64(ours)/float64(theirs), "×handwritten")
	})
}

// benchServer is the server's handler with one user in its database.
func benchServer(b *testing.B) (handler http.Handler, database, token string) {
	b.Helper()
	conf, _, err := config.Parse([]string{"--throttle=off", "--data=" + b.TempDir()}, func(string) string { return "" }, io.Discard, io.Discard)
	if err != nil {
		b.Fatal(err)
	}
	handler = newBenchHandler(b, conf)
	res := httptest.NewRecorder()
	req := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(
		`{"query":"mutation { signUp(input: { name: \"Alice\", password: \"`+password+`\" }) { sessionToken } }"}`))
	req.Header.Set("Content-Type", "application/json")
	handler.ServeHTTP(res, req)
	var signedUp struct {
		Data struct{ SignUp struct{ SessionToken string } }
	}
	if err := json.Unmarshal(res.Body.Bytes(), &signedUp); err != nil || signedUp.Data.SignUp.SessionToken == "" {
		b.Fatalf("%v: %s", err, res.Body)
	}
	return handler, conf.DatabaseURL, signedUp.Data.SignUp.SessionToken
}

func newBenchHandler(b *testing.B, conf *config.Config) http.Handler {
	b.Helper()
	ctx, log := context.Background(), slog.New(slog.DiscardHandler)
	db, err := database.Open(ctx, conf.DatabaseURL)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	keys, err := profile.OpenKeys(ctx, db, conf.KeysetFile)
	if err != nil {
		b.Fatal(err)
	}
	const publicURL = "http://localhost:8080"
	store, err := disk.Open(filepath.Join(conf.Data, "media"), publicURL+mediaPath)
	if err != nil {
		b.Fatal(err)
	}
	handler, err := routes(build(conf, log, publicURL, db, keys, store), store)
	if err != nil {
		b.Fatal(err)
	}
	return handler
}

// handwritten answers as me does, and can do nothing else.
func handwritten(b *testing.B, path string) http.Handler {
	b.Helper()
	db, err := sql.Open("sqlite3", "file:"+path+"?_journal_mode=WAL&_query_only=true")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	findSession := prepare(b, db, `SELECT user_id, expires_at, last_seen_at FROM sessions WHERE token_sha256 = ?`)
	findUser := prepare(b, db, `SELECT id, name, avatar_key, created_at, updated_at FROM users WHERE id = ?`)
	type me struct {
		ID        string    `json:"id"`
		Name      string    `json:"name"`
		AvatarURL string    `json:"avatarUrl"`
		HasAvatar bool      `json:"hasAvatar"`
		CreatedAt time.Time `json:"createdAt"`
		UpdatedAt time.Time `json:"updatedAt"`
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Query string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		sum := sha256.Sum256([]byte(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")))
		var userID string
		var expires, seen time.Time
		err := findSession.QueryRowContext(r.Context(), sum[:]).Scan(&userID, &expires, &seen)
		if err != nil || time.Now().After(expires) {
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		var user me
		var key sql.NullString
		err = findUser.QueryRowContext(r.Context(), userID).Scan(&user.ID, &user.Name, &key, &user.CreatedAt, &user.UpdatedAt)
		if err != nil {
			http.Error(w, "internal error", http.StatusInternalServerError)
			return
		}
		user.HasAvatar = key.Valid
		user.AvatarURL = "http://localhost:8080/avatars/generated/1/" + user.ID + "/256.png"
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"me": user}})
	})
}

func prepare(b *testing.B, db *sql.DB, query string) *sql.Stmt {
	b.Helper()
	stmt, err := db.PrepareContext(context.Background(), query)
	if err != nil {
		b.Fatal(err)
	}
	return stmt
}

// BenchmarkRefusedSignIn measures a wrong password and the name of nobody over HTTP, from an
// address that is new to the user, in an order by chance; and reports the medians, and what
// one is of the other.
func BenchmarkRefusedSignIn(b *testing.B) {
	s := start(b, b.TempDir(), map[string]string{
		"NAMEPLATE_THROTTLE": "off", "NAMEPLATE_TRUSTED_PROXIES": "127.0.0.1",
	})
	alice, stranger := newClient(b, s.url, false), newClient(b, s.url, false)
	alice.from, stranger.from = "192.0.2.1", "198.51.100.1"
	alice.mustEnter("signUp", "Alice", password)
	names := []string{"Alice", "Nobody"}
	took := map[string][]time.Duration{}
	for b.Loop() {
		rand.Shuffle(2, func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, name := range names {
			begin := time.Now()
			a := stranger.enter("signIn", name, "wrong password!")
			took[name] = append(took[name], time.Since(begin))
			if faults := a.faults("signIn"); len(faults) != 1 {
				b.Fatal(a.Body)
			}
		}
	}
	median := func(name string) time.Duration { return slices.Sorted(slices.Values(took[name]))[len(took[name])/2] }
	b.ReportMetric(float64(median("Alice").Microseconds()), "µs/wrong-password")
	b.ReportMetric(float64(median("Nobody").Microseconds()), "µs/missing-user")
	b.ReportMetric(float64(median("Nobody"))/float64(median("Alice")), "missing/wrong")
}
