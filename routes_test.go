package main

import (
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestRoutes(t *testing.T) {
	s := start(t, t.TempDir(), nil)
	off := start(t, t.TempDir(), map[string]string{"NAMEPLATE_PLAYGROUND": "off", "NAMEPLATE_WEB": "off"})
	for _, test := range []struct {
		server       *server
		method, path string
		status       int
		header, want string
	}{
		{s, "GET", "/", http.StatusFound, "Location", "/playground/"},
		{s, "GET", "/playground", http.StatusTemporaryRedirect, "Location", "/playground/"},
		{s, "GET", "/schema.graphqls", http.StatusOK, "X-Content-Type-Options", "nosniff"},
		{s, "HEAD", "/schema.graphqls", http.StatusOK, "Content-Type", "application/graphql; charset=utf-8"},
		{s, "POST", "/schema.graphqls", http.StatusMethodNotAllowed, "Allow", "GET, HEAD"},
		{s, "GET", "/graphql?query={__typename}", http.StatusOK, "Content-Type", "application/json; charset=utf-8"},
		{s, "OPTIONS", "/graphql", http.StatusNoContent, "Allow", "GET, HEAD, POST, OPTIONS"},
		{s, "PUT", "/graphql", http.StatusMethodNotAllowed, "Allow", "GET, HEAD, POST, OPTIONS"},
		{s, "GET", "/media/", http.StatusNotFound, "Cache-Control", "no-store"},
		{s, "GET", "/media/avatars", http.StatusNotFound, "Cache-Control", "no-store"},
		{s, "GET", "/nowhere", http.StatusNotFound, "X-Content-Type-Options", "nosniff"},
		{s, "GET", "/reset-password", http.StatusOK, "Content-Type", "text/html; charset=utf-8"},
		{s, "HEAD", "/reset-password", http.StatusOK, "Content-Type", "text/html; charset=utf-8"},
		{s, "POST", "/reset-password", http.StatusMethodNotAllowed, "Allow", "GET, HEAD"},
		{s, "GET", "/reset-password/page.js", http.StatusOK, "Content-Type", "text/javascript; charset=utf-8"},
		{s, "GET", "/reset-password/", http.StatusNotFound, "Location", ""},
		{off, "GET", "/", http.StatusNotFound, "Location", ""},
		{off, "GET", "/playground/", http.StatusNotFound, "Location", ""},
		{off, "GET", "/reset-password", http.StatusNotFound, "Location", ""},
		{off, "GET", "/reset-password/page.js", http.StatusNotFound, "Location", ""},
	} {
		req, err := http.NewRequest(test.method, test.server.url+test.path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != test.status || res.Header.Get(test.header) != test.want {
			t.Errorf("%s %s: status %d, %s is %q; want %d, %q", test.method, test.path,
				res.StatusCode, test.header, res.Header.Get(test.header), test.status, test.want)
		}
		if res.Header.Get("X-Request-Id") == "" {
			t.Errorf("%s %s: no request id", test.method, test.path)
		}
	}
}

func TestTheSchemaIsServedAsItIsWritten(t *testing.T) {
	s := start(t, t.TempDir(), nil)
	res, err := http.Get(s.url + "/schema.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	served, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if string(served) != read(t, "schema.graphqls") {
		t.Error("what is served differs from the file")
	}
}

func TestIntrospectionCanBeTurnedOff(t *testing.T) {
	const question = `{ __schema { queryType { name } } }`
	for setting, want := range map[string]string{"": "", "on": "", "off": "GRAPHQL_VALIDATION_FAILED"} {
		s := start(t, t.TempDir(), map[string]string{"NAMEPLATE_INTROSPECTION": setting})
		if code := newClient(t, s.url, false).do(question, nil).code(); code != want {
			t.Errorf("introspection %q: %q, want %q", setting, code, want)
		}
	}
}

func TestAnotherOriginsPageChangesNothing(t *testing.T) {
	s := start(t, t.TempDir(), nil)
	alice := newClient(t, s.url, true)
	alice.mustEnter("signUp", "Alice", password)
	for _, header := range [][2]string{
		{"Origin", "https://evil.example"}, {"Origin", "null"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"},
	} {
		req, err := http.NewRequest(http.MethodPost, s.url+"/graphql",
			strings.NewReader(`{"query":"mutation { updateName(input: { name: \"Mallory\" }) { user { name } } }"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set(header[0], header[1])
		res, err := alice.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		a, err := readAnswer(res)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusForbidden || a.code() != "FORBIDDEN" {
			t.Errorf("%s: %s: status %d, %v, %v", header[0], header[1], res.StatusCode, a, err)
		}
	}
	if name := alice.me()["name"]; name != "Alice" {
		t.Errorf("the name is %v", name)
	}
}

func TestSIGTERMEndsTheProcessCleanly(t *testing.T) {
	p := startProcess(t, t.TempDir(), nil)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.wait(); err != nil || !strings.Contains(p.log.String(), "msg=stopped") {
		t.Errorf("%v\n%s", err, p.log)
	}
	if _, err := os.Stat(p.data + "/nameplate.db-wal"); err == nil {
		t.Error("the database was not closed: its WAL is still there")
	}
}
