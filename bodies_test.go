package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// oversized is a request that is refused while its body is on the way.
type oversized struct {
	name   string
	header string
	begin  string // of the body; x follow it
	status int
	code   string
}

func oversizedRequests(token string) []oversized {
	const upload = "Content-Type: multipart/form-data; boundary=b\r\n"
	file := strings.ReplaceAll("--b\nContent-Disposition: form-data; name=\"operations\"\n\n"+
		`{"query":"mutation($file: Upload!) { updateAvatar(file: $file) { userErrors { code field limit } } }","variables":{"file":null}}`+
		"\n--b\nContent-Disposition: form-data; name=\"map\"\n\n"+`{"0":["variables.file"]}`+
		"\n--b\nContent-Disposition: form-data; name=\"0\"; filename=\"a\"\n\n", "\n", "\r\n")
	return []oversized{
		{"of another type", "Content-Type: text/plain\r\n", "", 415, "UNSUPPORTED_MEDIA_TYPE"},
		{"of JSON", "Content-Type: application/json\r\n", "{", 413, "PAYLOAD_TOO_LARGE"},
		{"of another page", "Content-Type: application/json\r\nOrigin: http://evil.example\r\n", "{", 403, "FORBIDDEN"},
		{"of a file without a session", upload, file, 401, "UNAUTHENTICATED"},
		{"of a file that no field takes", upload + "Authorization: Bearer " + token + "\r\n", strings.Replace(file, "updateAvatar(file: $file)", "updateAvatar(file: $file) @skip(if: true)", 1), 200, ""},
		{"of a file", upload + "Authorization: Bearer " + token + "\r\n", file, 200, "updateAvatar: FILE_TOO_LARGE"},
	}
}

// A client that writes all before it reads anything gets an error instead of an answer
// where its connection is closed meanwhile.
func TestARefusedClientReadsItsAnswerWhenItHasSentAll(t *testing.T) {
	s := start(t, t.TempDir(), map[string]string{"NAMEPLATE_THROTTLE": "off"})
	alice := newClient(t, s.url, false)
	alice.mustEnter("signUp", "Alice", password)
	const size = 12 * megabyte
	for _, o := range oversizedRequests(alice.token) {
		for name, head := range map[string]string{
			"":                         "HTTP/1.1\r\n",
			"by a client that closes":  "HTTP/1.1\r\nConnection: close\r\n",
			"by a client of HTTP/1.0":  "HTTP/1.0\r\n",
			"in chunks":                "HTTP/1.1\r\nTransfer-Encoding: chunked\r\n",
			"in chunks and then close": "HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n",
		} {
			body := o.begin + strings.Repeat("x", size)
			if strings.Contains(head, "chunked") {
				body = fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body)
			} else {
				head += fmt.Sprintf("Content-Length: %d\r\n", len(body))
			}
			l := dial(t, s)
			l.send(t, "POST /graphql "+head+"Host: "+strings.TrimPrefix(s.url, "http://")+"\r\n"+o.header+"\r\n"+body)
			res, err := http.ReadResponse(l.r, nil)
			if err != nil {
				t.Errorf("%s %s: %v", o.name, name, err)
				continue
			}
			a, err := readAnswer(res)
			if err != nil || a.Status != o.status || a.outcome() != o.code {
				t.Errorf("%s %s: %v, %v", o.name, name, err, a)
			}
			l.Close()
		}
	}
}

// The library's client reads while it sends, and stops sending once it is answered.
func TestARefusedClientReadsItsAnswerWhileItSends(t *testing.T) {
	s := start(t, t.TempDir(), map[string]string{"NAMEPLATE_THROTTLE": "off"})
	alice := newClient(t, s.url, false)
	alice.mustEnter("signUp", "Alice", password)
	for _, o := range oversizedRequests(alice.token) {
		for _, chunked := range []bool{false, true} {
			header, err := http.ReadRequest(bufio.NewReader(strings.NewReader("POST /graphql HTTP/1.1\r\nHost: x\r\n" + o.header + "\r\n")))
			if err != nil {
				t.Fatal(err)
			}
			body := io.MultiReader(strings.NewReader(o.begin), io.LimitReader(filling{}, 12*megabyte))
			r, err := http.NewRequest(http.MethodPost, s.url+"/graphql", body)
			if err != nil {
				t.Fatal(err)
			}
			r.Header = header.Header
			if !chunked {
				r.ContentLength = int64(len(o.begin) + 12*megabyte)
			}
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Errorf("%s: %v", o.name, err)
				continue
			}
			a, err := readAnswer(res)
			if err != nil || a.Status != o.status || a.outcome() != o.code {
				t.Errorf("%s: %v, %v", o.name, err, a)
			}
		}
	}
}

func TestARefusedRequestWithALittleBodyKeepsItsConnection(t *testing.T) {
	s := start(t, t.TempDir(), nil)
	for _, body := range []string{
		"Content-Length: 7\r\n\r\nhunter2",
		"Transfer-Encoding: chunked\r\n\r\n7\r\nhunter2\r\n0\r\n\r\n",
		"Content-Length: 0\r\n\r\n",
		"Content-Length: 20000\r\n\r\n" + strings.Repeat("x", 20000), // more than comes with the header
		fmt.Sprintf("Content-Length: %d\r\n\r\n", maxSettle) + strings.Repeat("x", maxSettle),
	} {
		l := dial(t, s)
		for range 3 {
			l.send(t, "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"+body)
			res, err := http.ReadResponse(l.r, nil)
			if err != nil {
				t.Fatalf("%q: %v", body, err)
			}
			if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusUnsupportedMediaType || res.Close {
				t.Fatalf("%q: status %d, closed %t, %v", body, res.StatusCode, res.Close, err)
			}
		}
		l.send(t, smallRequest)
		if err := l.receive(); err != nil {
			t.Errorf("%q: the next request: %v", body, err)
		}
	}
}

// net/http takes apart what is left of a body before it sends an answer of more than 2 KB,
// and watches the connection from then on: what is done to that afterwards would meet the
// next request.
func TestAnAnswerToARequestWithABodyLeavesTheNextAlone(t *testing.T) {
	s := start(t, t.TempDir(), map[string]string{"NAMEPLATE_THROTTLE": "off"})
	alice := newClient(t, s.url, false)
	alice.mustEnter("signUp", "Alice", password)
	picture, err := url.Parse(alice.me()["avatarUrl"].(string))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"/schema.graphqls", "/playground/", picture.Path, "/graphql?query={__schema{types{name,description}}}", "/graphql?query={__typename}", "/nothing",
	} {
		for _, body := range []string{
			"Content-Length: 2\r\n\r\nhi",
			"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
			"Content-Length: 3000\r\n\r\n" + strings.Repeat("x", 3000),
		} {
			l := dial(t, s)
			for range 5 {
				l.send(t, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n"+body)
				if res, err := http.ReadResponse(l.r, nil); err != nil {
					t.Fatalf("%s: %v", path, err)
				} else if n, err := io.Copy(io.Discard, res.Body); err != nil || n == 0 || res.Close {
					t.Fatalf("%s: %d bytes, closed %t, %v", path, n, res.Close, err)
				}
				l.send(t, "GET /graphql?query={me{name}} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "+alice.token+"\r\n\r\n")
				res, err := http.ReadResponse(l.r, nil)
				if err != nil {
					t.Fatalf("after %s: %v", path, err)
				}
				if a, err := readAnswer(res); err != nil || a.at("me", "name") != "Alice" {
					t.Fatalf("after %s: %v, %v", path, err, a)
				}
			}
			l.Close()
		}
	}
}

// Such a client sends nothing before it is told to, or refused (RFC 9110, section
// 10.1.1): each would wait for the other.
func TestAClientThatAsksFirstIsRefusedAtOnce(t *testing.T) {
	s := start(t, t.TempDir(), nil)
	for header, status := range map[string]int{
		"Content-Type: text/plain\r\nContent-Length: 5000":                                    415,
		"Content-Type: application/json\r\nContent-Length: 65537":                             413,
		"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 5000":               401,
		"Origin: http://evil.example\r\nContent-Type: application/json\r\nContent-Length: 50": 403,
	} {
		l := dial(t, s)
		begun := time.Now()
		l.send(t, "POST /graphql HTTP/1.1\r\nHost: localhost\r\n"+header+"\r\nExpect: 100-continue\r\n\r\n")
		res, err := http.ReadResponse(l.r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != status || !res.Close {
			t.Errorf("%s: status %d, want %d; closed %t", header, res.StatusCode, status, res.Close)
		}
		if took := time.Since(begun); took > lingerTime {
			t.Errorf("%s: after %s", header, took)
		}
	}
}

// What can't be taken apart may go on all the same.
func TestAClientOfBadChunksReadsItsAnswerWhenItHasSentAll(t *testing.T) {
	s := start(t, t.TempDir(), nil)
	for name, chunks := range map[string]string{
		"no length":       "zz\r\n",
		"long extensions": strings.Repeat("1;"+strings.Repeat("x", 1000)+"\r\nx\r\n", 1000),
	} {
		l := dial(t, s)
		l.send(t, "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"+
			chunks+strings.Repeat("x", 12*megabyte))
		res, err := http.ReadResponse(l.r, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if a, err := readAnswer(res); err != nil || a.Status != http.StatusBadRequest || a.code() != "BAD_REQUEST" {
			t.Errorf("%s: %v, %v", name, err, a)
		}
	}
}

func TestRefusedClientsDoNotHoldUpTheEnd(t *testing.T) {
	s := start(t, t.TempDir(), nil)
	for name, request := range map[string]string{
		"sends on":           "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\nx",
		"asks first":         "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n",
		"asks by HTTP/1.0":   "POST /graphql HTTP/1.0\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n\r\nabc",
		"has sent all":       "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nabc",
		"got a long answer":  "GET /schema.graphqls HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
		"sends a large body": "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 1000000\r\n\r\nx",
	} {
		l := dial(t, s)
		l.send(t, request)
		res, err := http.ReadResponse(l.r, nil)
		if err != nil {
			t.Fatalf("a client that %s: %v", name, err)
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			t.Fatalf("a client that %s: %v", name, err)
		}
	}
	begun := time.Now()
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took >= lingerTime {
		t.Errorf("it took %s", took)
	}
}

// A body of chunks of a byte is one part of six; the rest is framing, which costs time.
func TestABodyMayBeInSmallChunksUpToALimit(t *testing.T) {
	s := start(t, t.TempDir(), map[string]string{"NAMEPLATE_THROTTLE": "off"})
	alice := newClient(t, s.url, false)
	alice.mustEnter("signUp", "Alice", password)
	send := func(contentType, body string) *answer {
		t.Helper()
		r, err := http.NewRequest(http.MethodPost, s.url+"/graphql", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Authorization", "Bearer "+alice.token)
		res, err := crumble(r)
		if err != nil {
			t.Fatal(err)
		}
		a, err := readAnswer(res)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	query := `{"query":"{ me { name } }"}`
	if a := send("application/json", query+strings.Repeat(" ", 64*kilobyte-len(query))); a.Status != 200 || a.code() != "" {
		t.Errorf("64 KB: status %d, %s", a.Status, a.Body)
	}
	all := oversizedRequests("")
	upload := all[len(all)-1].begin
	// With five bytes of framing for each, so many come to a quarter and 1 MB.
	const bound = maxFraming * 100 / 475
	for size, want := range map[int]string{
		bound - 8*kilobyte: "updateAvatar: IMAGE_UNSUPPORTED",
		bound + 8*kilobyte: "PAYLOAD_TOO_LARGE",
		megabyte:           "PAYLOAD_TOO_LARGE",
	} {
		a := send("multipart/form-data; boundary=b", upload+strings.Repeat("x", size-len(upload))+"\r\n--b--\r\n")
		if a.outcome() != want {
			t.Errorf("%d bytes: status %d, %s; want %s", size, a.Status, a.Body, want)
		}
	}
}
