package httplog_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nameplate/internal/httplog"
)

// line is what a test looks at in a line of the log.
type line struct {
	Msg, Level, ID, Method, Route, What, Stack string
	Status                                     int
	Bytes                                      int64
	Took                                       *int64
}

func lines(t *testing.T, b *bytes.Buffer) []line {
	t.Helper()
	var all []line
	for text := range strings.Lines(b.String()) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		all = append(all, l)
	}
	return all
}

func oneLine(t *testing.T, b *bytes.Buffer) line {
	t.Helper()
	all := lines(t, b)
	if len(all) != 1 {
		t.Fatalf("%d lines, want 1:\n%s", len(all), b)
	}
	return all[0]
}

func newLog() (*slog.Logger, *bytes.Buffer) {
	var b bytes.Buffer
	return slog.New(slog.NewJSONHandler(&b, nil)), &b
}

// mux has a route for each thing that a handler can do.
func mux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /graphql", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "12345")
		_, _ = io.WriteString(w, "67890")
	})
	mux.HandleFunc("GET /users/{user}", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		w.WriteHeader(http.StatusOK) // too late
	})
	mux.HandleFunc("/silent", func(http.ResponseWriter, *http.Request) {})
	return mux
}

func serve(handler http.Handler, r *http.Request) (*http.Response, *bytes.Buffer) {
	logger, b := newLog()
	w := httptest.NewRecorder()
	httplog.Middleware(logger, handler).ServeHTTP(w, r)
	return w.Result(), b
}

func request(t *testing.T, method, target string, body io.Reader) *http.Request {
	t.Helper()
	return httptest.NewRequestWithContext(t.Context(), method, target, body)
}

func TestARequestIsOneLine(t *testing.T) {
	for _, tt := range []struct {
		name, method, target string
		want                 line
	}{
		{"written", "POST", "/graphql", line{Method: "POST", Route: "POST /graphql", Status: 200, Bytes: 10}},
		{"status alone", "GET", "/users/alice", line{Method: "GET", Route: "GET /users/{user}", Status: 418}},
		{"nothing", "OPTIONS", "/silent", line{Method: "OPTIONS", Route: "/silent", Status: 200}},
		{"no such route", "GET", "/alice", line{Method: "GET", Status: 404, Bytes: 19}},
		{"no such method", "GET", "/graphql", line{Method: "GET", Status: 405, Bytes: 19}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			response, b := serve(mux(), request(t, tt.method, tt.target, nil))
			got := oneLine(t, b)
			if len(got.ID) < 20 || got.ID != response.Header.Get("X-Request-Id") || got.Took == nil {
				t.Errorf("id %q, header %q, took %v", got.ID, response.Header.Get("X-Request-Id"), got.Took)
			}
			tt.want.Msg, tt.want.Level, tt.want.ID, tt.want.Took = "request", "INFO", got.ID, got.Took
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAFailureOfAHandlerIsInTheRequestsLine(t *testing.T) {
	_, b := serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		httplog.Fail(r.Context(), errors.New("the disk is gone"))
		w.WriteHeader(http.StatusInternalServerError)
	}), request(t, http.MethodGet, "/", nil))
	text := b.String()
	if got := oneLine(t, b); got.Level != "ERROR" || got.Status != 500 || !strings.Contains(text, "the disk is gone") {
		t.Errorf("the line is %s", text)
	}
	httplog.Fail(t.Context(), errors.New("outside of a request"))
}

func TestWhatARequestSaysAboutAPersonIsNotLogged(t *testing.T) {
	r := request(t, http.MethodPost, "/graphql?token=secret&name=secret#secret", strings.NewReader("secret"))
	r.RemoteAddr = "198.51.100.7:4711"
	for _, name := range []string{
		"Authorization", "Cookie", "User-Agent", "Referer", "Origin", "X-Forwarded-For", "X-Request-Id", "X-Secret", "Content-Type",
	} {
		r.Header.Set(name, "secret")
	}
	r.Host = "secret.example.com"
	_, b := serve(mux(), r)
	wantNoSecret(t, b)

	for _, target := range []string{"/users/secret", "/secret", "/users/secret/", "//secret/../secret"} {
		_, b = serve(mux(), request(t, http.MethodGet, target, nil))
		wantNoSecret(t, b)
	}
}

func wantNoSecret(t *testing.T, b *bytes.Buffer) {
	t.Helper()
	for _, secret := range []string{"secret", "SECRET", "198.51.100.7", "4711"} {
		if strings.Contains(b.String(), secret) {
			t.Errorf("%q is in the log: %s", secret, b)
		}
	}
}

func TestAMethodThatIsOfNoUseIsNotLogged(t *testing.T) {
	for _, method := range []string{"SECRET", "secret", "get", "DELETE", "CONNECT"} {
		_, b := serve(mux(), request(t, method, "/silent", nil))
		if got := oneLine(t, b).Method; got != "other" {
			t.Errorf("%s is logged as %s", method, got)
		}
		wantNoSecret(t, b)
	}
}

func TestTheIDIsTheServersOwn(t *testing.T) {
	var inside string
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { inside = httplog.RequestID(r.Context()) })
	seen := map[string]bool{"": true}
	for range 3 {
		r := request(t, http.MethodGet, "/", nil)
		r.Header.Set("X-Request-Id", "mine")
		response, b := serve(handler, r)
		id := response.Header.Get("X-Request-Id")
		if id == "mine" || id != inside || id != oneLine(t, b).ID || seen[id] {
			t.Errorf("header %q, context %q, log %q", id, inside, oneLine(t, b).ID)
		}
		seen[id] = true
	}
	if id := httplog.RequestID(context.Background()); id != "" {
		t.Errorf("outside of a request the id is %q", id)
	}
}

func TestAPanicBeforeTheResponseIsAnInternalServerError(t *testing.T) {
	var missing map[string]int
	for _, tt := range []struct {
		name   string
		panics func()
		what   string
	}{
		{"text", func() { panic("secret") }, "string"},
		{"error", func() { panic(errors.New("secret")) }, "*errors.errorString"},
		{"wrapped error", func() { panic(fmt.Errorf("secret: %w", io.EOF)) }, "*fmt.wrapError"},
		{"the runtime's own error", func() { missing["secret"] = 1 }, "assignment to entry in nil map"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			response, b := serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Cache-Control", "public, immutable")
				w.Header().Set("Content-Length", "1000")
				tt.panics()
			}), request(t, http.MethodGet, "/", nil))
			id := response.Header.Get("X-Request-Id")
			body, err := io.ReadAll(response.Body)
			want := `{"errors":[{"message":"Something went wrong on the server.",` +
				`"extensions":{"code":"INTERNAL_SERVER_ERROR","requestId":"` + id + `"}}]}` + "\n"
			if err != nil || response.StatusCode != http.StatusInternalServerError || string(body) != want {
				t.Errorf("status %d, body %q, %v", response.StatusCode, body, err)
			}
			if got := response.Header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control: %s", got)
			}
			all := lines(t, b)
			if len(all) != 2 || all[0].Msg != "panic" || all[0].Level != "ERROR" || all[0].ID != id || all[0].What != tt.what ||
				!strings.Contains(all[0].Stack, "httplog_test.go") || all[1].Msg != "request" || all[1].Status != 500 || all[1].ID != id {
				t.Errorf("the log is %s", b)
			}
			wantNoSecret(t, b)
		})
	}
}

// start serves the handler on a real connection; stop waits for it to be done.
func start(t *testing.T, handler http.Handler) (address string, stop func() *bytes.Buffer, serverLog *bytes.Buffer) {
	t.Helper()
	logger, b := newLog()
	serverLog = &bytes.Buffer{}
	server := httptest.NewUnstartedServer(httplog.Middleware(logger, handler))
	server.Config.ErrorLog = log.New(serverLog, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	return server.URL, func() *bytes.Buffer { server.Close(); return b }, serverLog
}

func get(t *testing.T, address string) (*http.Response, []byte, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response, body, err
}

func TestAPanicAfterTheHeaderCutsTheConnection(t *testing.T) {
	for name, begin := range map[string]func(http.ResponseWriter){
		"written": func(w http.ResponseWriter) { _, _ = io.WriteString(w, "the beginning") },
		"flushed": func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() },
		"header":  func(w http.ResponseWriter) { w.WriteHeader(http.StatusOK) },
	} {
		t.Run(name, func(t *testing.T) {
			address, stop, serverLog := start(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				begin(w)
				panic("secret")
			}))
			if _, body, err := get(t, address); err == nil {
				t.Errorf("the response %q passes for a whole one", body)
			}
			b := stop()
			all := lines(t, b)
			if len(all) != 2 || all[0].Msg != "panic" || all[1].Msg != "request" || all[1].Status != http.StatusOK {
				t.Errorf("the log is %s", b)
			}
			wantNoSecret(t, b)
			if serverLog.Len() != 0 {
				t.Errorf("the server has logged %s", serverLog)
			}
		})
	}
}

func TestAHandlerMayAbortTheResponse(t *testing.T) {
	address, stop, serverLog := start(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic(http.ErrAbortHandler)
	}))
	if response, _, err := get(t, address); err == nil {
		t.Errorf("status %d, want the connection cut", response.StatusCode)
	}
	b := stop()
	for _, l := range lines(t, b) { // the client may have tried again
		if l.Msg != "request" {
			t.Errorf("the log is %s", b)
		}
	}
	if serverLog.Len() != 0 {
		t.Errorf("the server has logged %s", serverLog)
	}
}

func TestTheConnectionIsReachedThroughTheRecorder(t *testing.T) {
	goOn := make(chan struct{})
	address, stop, _ := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		_, _ = io.WriteString(w, "first")
		if err := errors.Join(control.SetWriteDeadline(time.Now().Add(time.Minute)), control.SetReadDeadline(time.Time{}), control.Flush()); err != nil {
			t.Error(err)
		}
		select {
		case <-goOn: // so that what the client has by now was flushed
		case <-r.Context().Done():
		}
		_, _ = io.WriteString(w, "second")
	}))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	first := make([]byte, len("first"))
	if _, err := io.ReadFull(response.Body, first); err != nil || string(first) != "first" {
		t.Errorf("got %q, %v", first, err)
	}
	close(goOn)
	if rest, err := io.ReadAll(response.Body); err != nil || string(rest) != "second" {
		t.Errorf("got %q, %v", rest, err)
	}
	if got := oneLine(t, stop()); got.Bytes != 11 || got.Status != http.StatusOK {
		t.Errorf("got %+v", got)
	}
}
