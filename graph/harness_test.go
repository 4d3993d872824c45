package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"nameplate/ent"
	"nameplate/internal/account"
	"nameplate/internal/avatar"
	"nameplate/internal/blob/disk"
	"nameplate/internal/config"
	"nameplate/internal/database/databasetest"
	"nameplate/internal/httplog"
	"nameplate/internal/profile"
	"nameplate/internal/seal"
	"nameplate/internal/session"
	"nameplate/internal/throttle"
)

const publicURL = "http://id.example.com"

// endpoint is the handler with real services on a database and a store of its
// own, wrapped as the program wraps it.
type endpoint struct {
	http.Handler
	t        testing.TB
	db       *ent.Client
	folder   string // of the store
	log      *logBuffer
	clock    *clock
	sessions *session.Manager
	resolver *Resolver
}

func newEndpoint(t testing.TB) *endpoint {
	t.Helper()
	e := &endpoint{
		t:      t,
		db:     databasetest.Open(t),
		folder: filepath.Join(t.TempDir(), "media"),
		log:    &logBuffer{},
		clock:  &clock{now: time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)},
	}
	store, err := disk.Open(e.folder, publicURL+"/media")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.Create(filepath.Join(t.TempDir(), "keyset.json"))
	if err != nil {
		t.Fatal(err)
	}
	e.sessions = &session.Manager{DB: e.db, Idle: 7 * 24 * time.Hour, Absolute: 30 * 24 * time.Hour, Now: e.clock.Now}
	attempts := &throttle.Limiter{DB: e.db, Now: e.clock.Now}
	profiles := &profile.Service{
		DB: e.db, Store: store, Keys: keys, Pictures: avatar.NewProcessor(1),
		PublicURL: publicURL, Attempts: attempts, SweepAfter: time.Hour, Now: e.clock.Now, Log: e.log.logger(),
	}
	accounts := account.New(account.Options{
		DB: e.db, Sessions: e.sessions, Profiles: profiles, Attempts: attempts,
		Hashes: 1, MinPasswordLength: 8, MaxPasswordLength: 256, SignUpOpen: true,
		NameHold: 30 * 24 * time.Hour, KeepEvents: 180 * 24 * time.Hour, Now: e.clock.Now,
	})
	e.resolver = &Resolver{Accounts: accounts, Profiles: profiles}
	e.serve(Options{Introspection: true, Limits: defaultLimits(t)})
	return e
}

// defaultLimits are those of a server without settings.
func defaultLimits(t testing.TB) RequestLimits {
	t.Helper()
	conf, _, err := config.Parse(nil, func(string) string { return "" }, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return RequestLimits(conf.Limits)
}

// serve builds the handler, after the services are as a test wants them.
func (e *endpoint) serve(o Options) {
	o.Now, o.Log = e.clock.Now, e.log.logger()
	e.wrap(NewHandler(e.resolver, o))
}

// wrap puts around the handler what the program puts around it.
func (e *endpoint) wrap(handler http.Handler) {
	handler, err := OwnPages(e.sessions, []string{publicURL, listedOrigin}, false, e.sessions.Middleware(handler))
	if err != nil {
		e.t.Fatal(err)
	}
	e.Handler = httplog.Middleware(e.log.logger(), handler)
}

// clock is the time of all services.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// logBuffer keeps the log.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// troubles are the lines that the log has beside those about requests; reading
// them takes them out.
func (b *logBuffer) troubles() string {
	var lines []string
	for line := range strings.Lines(b.take()) {
		if !strings.Contains(line, "level=INFO ") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// take returns what was logged since the last call.
func (b *logBuffer) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.text.Reset()
	return b.text.String()
}

// newUser makes a user and a session and returns the session's token. The user
// has no password: hashing one costs more than most tests.
func (e *endpoint) newUser(name string) (*ent.User, string) {
	e.t.Helper()
	now := e.clock.Now()
	user, err := e.db.User.Create().SetName(name).SetNameKey(strings.ToLower(name)).
		SetPasswordHash("none").SetCreatedAt(now).SetUpdatedAt(now).Save(context.Background())
	if err != nil {
		e.t.Fatal(err)
	}
	return user, e.issue(user)
}

// issue makes a session of the user and returns its token.
func (e *endpoint) issue(user *ent.User) string {
	e.t.Helper()
	return e.issueTo(request("application/json", nil), user)
}

// issueTo is issue for a client that sends such requests.
func (e *endpoint) issueTo(r *http.Request, user *ent.User) (token string) {
	e.t.Helper()
	e.sessions.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		var issued *session.Issued
		err := e.db.WithTx(ctx, func(tx *ent.Tx) (err error) {
			issued, err = e.sessions.Issue(ctx, tx, user.ID)
			return err
		})
		if err != nil {
			e.t.Fatal(err)
		}
		token = *session.Begin(ctx, issued)
	})).ServeHTTP(httptest.NewRecorder(), r)
	return token
}

// as is the context of a request in the session of that token.
func (e *endpoint) as(token string) (ctx context.Context) {
	e.sessions.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ctx = context.WithoutCancel(r.Context())
	})).ServeHTTP(httptest.NewRecorder(), request("application/json", nil, bearer(token)...))
	return ctx
}

// answer is a GraphQL response.
type answer struct {
	Status int
	Header http.Header
	Body   string
	Data   map[string]any
	Errors []answerError
}

type answerError struct {
	Message    string
	Path       []any
	Locations  []map[string]int
	Extensions map[string]any
}

// code is extensions.code of the first error; empty when there is none.
func (a *answer) code() string {
	if len(a.Errors) == 0 {
		return ""
	}
	code, _ := a.Errors[0].Extensions["code"].(string)
	return code
}

func (a *answer) message() string {
	if len(a.Errors) == 0 {
		return ""
	}
	return a.Errors[0].Message
}

// fault is the code of the first userError of a mutation; empty when there is none.
func (a *answer) fault(mutation string) string {
	payload, _ := a.Data[mutation].(map[string]any)
	list, _ := payload["userErrors"].([]any)
	if len(list) == 0 {
		return ""
	}
	code, _ := list[0].(map[string]any)["code"].(string)
	return code
}

// request is a POST with the header's fields given as name, value, name, value, …
func request(contentType string, body io.Reader, header ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/graphql", body)
	r.Header.Set("Content-Type", contentType)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// send answers the request, and requires of the answer what every answer has.
func (e *endpoint) send(r *http.Request) *answer {
	e.t.Helper()
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return parseAnswer(e.t, w.Result())
}

func parseAnswer(t testing.TB, res *http.Response) *answer {
	t.Helper()
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := &answer{Status: res.StatusCode, Header: res.Header, Body: string(body)}
	if err := json.Unmarshal(body, a); err != nil {
		t.Fatalf("status %d, not JSON: %q", a.Status, body)
	}
	if got, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); got != "application/json" && got != graphqlResponse {
		t.Errorf("the answer's media type is %q", got)
	}
	if got := res.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("the answer's Cache-Control is %q", got)
	}
	return a
}

// post sends a body of JSON.
func (e *endpoint) post(body string, header ...string) *answer {
	e.t.Helper()
	return e.send(request("application/json", strings.NewReader(body), header...))
}

type vars = map[string]any

// query sends a query, with the token of a session unless that is empty.
func (e *endpoint) query(token, query string, variables vars) *answer {
	e.t.Helper()
	return e.post(toJSON(e.t, vars{"query": query, "variables": variables}), bearer(token)...)
}

// reload returns the user's row as it is now.
func (e *endpoint) reload(user *ent.User) *ent.User {
	e.t.Helper()
	user, err := e.db.User.Get(context.Background(), user.ID)
	if err != nil {
		e.t.Fatal(err)
	}
	return user
}

func bearer(token string) []string {
	if token == "" {
		return nil
	}
	return []string{"Authorization", "Bearer " + token}
}

func toJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// part is a part of a multipart request.
type part struct{ name, filename, content string }

const boundary = "boundary"

// form is a multipart body of these parts.
func form(parts ...part) string {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	_ = w.SetBoundary(boundary) // a constant that is a boundary
	for _, p := range parts {
		disposition := map[string]string{"name": p.name}
		if p.filename != "" {
			disposition["filename"] = p.filename
		}
		header := textproto.MIMEHeader{}
		header.Set("Content-Disposition", mime.FormatMediaType("form-data", disposition))
		content, _ := w.CreatePart(header) // a buffer takes all
		_, _ = io.WriteString(content, p.content)
	}
	_ = w.Close()
	return body.String()
}

const (
	multipartType = "multipart/form-data; boundary=" + boundary
	fileMap       = `{"0":["variables.file"]}`
	updateAvatar  = `mutation($file: Upload!) { updateAvatar(file: $file) { user { avatarUrl } userErrors { code limit } } }`
)

var operations = `{"query":"` + updateAvatar + `","variables":{"file":null}}`

// uploadForm is a well-formed upload of the file.
func uploadForm(file string) string {
	return form(part{"operations", "", operations}, part{"map", "", fileMap}, part{"0", "me.jpg", file})
}

func (e *endpoint) postForm(body string, header ...string) *answer {
	e.t.Helper()
	return e.send(request(multipartType, strings.NewReader(body), header...))
}
