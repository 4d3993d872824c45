package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"nameplate/graph"
	"nameplate/internal/config"
)

// line is a connection on which a test writes HTTP by hand.
type line struct {
	net.Conn
	r *bufio.Reader
}

func dial(t *testing.T, s *server) *line {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &line{conn, bufio.NewReader(conn)}
}

func (l *line) send(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(l, text); err != nil {
		t.Fatal(err)
	}
}

// receive reads an answer and is an error unless that is 200.
func (l *line) receive() error {
	res, err := http.ReadResponse(l.r, nil)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, res.Body)
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", res.StatusCode)
	}
	return err
}

const (
	smallRequest = "GET /graphql?query={__typename} HTTP/1.1\r\nHost: localhost\r\n\r\n"
	halfAHeader  = "POST /graphql HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
	halfABody    = "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
)

// slowOnes is how many there are of each of three kinds. With the server's end of each
// connection it takes six times as many file descriptors: Go itself raises the limit to
// what the system allows.
const slowOnes = 100

func TestSlowClientsHoldUpNobodyElse(t *testing.T) {
	s := start(t, t.TempDir(), map[string]string{"NAMEPLATE_THROTTLE": "off"})
	alice := newClient(t, s.url, false)
	alice.http = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	alice.mustEnter("signUp", "Alice", password)
	large, begin := plantLargeObject(t, s), time.Now()

	var held []*line
	var ended atomic.Int32
	var watching sync.WaitGroup
	// hold keeps a connection that waits for an answer. The server may end it when its
	// time has come, and no sooner.
	hold := func(l *line, opened time.Time, limit time.Duration) {
		held = append(held, l)
		watching.Go(func() {
			_, err := l.r.ReadByte()
			if errors.Is(err, net.ErrClosed) { // by the test
				return
			}
			ended.Add(1)
			if took := time.Since(opened); took < limit {
				t.Errorf("a connection that has %s ended after %s: %v", limit, took, err)
			}
		})
	}
	for range slowOnes {
		// It never reads more than the first byte of an answer that no buffer holds.
		reader := dial(t, s)
		reader.send(t, "GET "+large+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if _, err := io.ReadFull(reader, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		held = append(held, reader)

		opened, body := time.Now(), dial(t, s)
		body.send(t, strings.Replace(halfABody, "\r\n\r\n{", "\r\nExpect: 100-continue\r\n\r\n", 1))
		// The server says when it has begun to read.
		if text, err := body.r.ReadString('\n'); err != nil || text != "HTTP/1.1 100 Continue\r\n" {
			t.Fatal(text, err)
		}
		_, _ = body.r.ReadString('\n')
		body.send(t, "{")
		hold(body, opened, readTimeout)
	}
	for answered := 0; answered < 100; {
		if time.Since(begin) > readTimeout { // that of all but the slow headers
			t.Fatalf("beside slow clients, %d requests were answered in %s", answered, readTimeout)
		}
		ended.Store(0)
		for range slowOnes {
			opened, header := time.Now(), dial(t, s)
			header.send(t, halfAHeader)
			hold(header, opened, headerTimeout)
		}
		for answered < 100 && ended.Load() == 0 {
			if name := alice.me()["name"]; name != "Alice" {
				t.Fatalf("the name is %v", name)
			}
			if ended.Load() == 0 { // all were held still
				answered++
			}
		}
	}
	unread := strings.Count(s.log.String(), "route=/media/")
	if took := time.Since(begin); unread > 0 && took < writeTimeout {
		t.Errorf("after %s, %d answers that nobody reads were at their end", took, unread)
	}
	for _, l := range held {
		l.Close()
	}
	watching.Wait()
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if log := s.log.String(); strings.Contains(log, "level=ERROR") || strings.Contains(log, "cut off") {
		t.Errorf("the log has: %s", log)
	}
}

// plantLargeObject puts a file that takes no space into the store and returns its path.
func plantLargeObject(t *testing.T, s *server) string {
	t.Helper()
	const name = "large-512.png"
	err := os.WriteFile(filepath.Join(s.data, "media", name), nil, 0o600)
	if err == nil {
		err = os.Truncate(filepath.Join(s.data, "media", name), 1<<30)
	}
	if err != nil {
		t.Fatal(err)
	}
	return mediaPath + "/" + name
}

func TestConnectionsBeyondTheLimitWait(t *testing.T) {
	s := start(t, t.TempDir(), map[string]string{"NAMEPLATE_THROTTLE": "off", "NAMEPLATE_MAX_CONNECTIONS": "3"})
	ask := func(l *line) {
		t.Helper()
		l.send(t, smallRequest)
		if err := l.receive(); err != nil {
			t.Fatal(err)
		}
	}
	open := []*line{dial(t, s), dial(t, s), dial(t, s)}
	for _, l := range open {
		ask(l)
	}
	fourth := dial(t, s)
	fourth.send(t, smallRequest)
	answered := make(chan error, 1)
	go func() { answered <- fourth.receive() }()
	for range 50 { // each time the server could have answered it
		for _, l := range open {
			ask(l)
		}
	}
	select {
	case err := <-answered:
		t.Fatalf("the fourth connection was answered beside three others: %v", err)
	default:
	}
	open[0].Close()
	if err := <-answered; err != nil {
		t.Errorf("the fourth connection, after the first was closed: %v", err)
	}
}

// memoryListener listens for connections in memory.
type memoryListener struct {
	net.Listener
	conns chan net.Conn
}

func (l *memoryListener) Accept() (net.Conn, error) {
	if conn, ok := <-l.conns; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}

func (l *memoryListener) Close() error {
	close(l.conns)
	return nil
}

// slowClient is one that sends something at once and then, if that is set, an x every
// second. It reads at once, not at all, or a byte every second.
type slowClient struct {
	sends string
	drips bool
	reads string
}

// meet connects the client to the program's server and, until that closes the
// connection, notes how long it takes and what it answers. Within a bubble.
func (c slowClient) meet(t *testing.T) (took time.Duration, answer string) {
	t.Helper()
	conf, _, err := config.Parse(nil, func(string) string { return "" }, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	server := newServer(graph.NewHandler(&graph.Resolver{}, graph.Options{
		Limits: graph.RequestLimits(conf.Limits), Introspection: true, Now: now, Log: log,
	}), log)
	closed := make(chan struct{})
	server.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			close(closed)
		}
	}
	client, conn := net.Pipe()
	listener := &memoryListener{conns: make(chan net.Conn, 1)}
	listener.conns <- conn
	var group sync.WaitGroup
	start := time.Now()
	limited := limitConnections(listener, 1, 0, nil, log)
	group.Go(func() { _ = server.Serve(limited) }) // it ends by Close
	group.Go(func() {
		_, err := io.WriteString(client, c.sends)
		for c.drips && err == nil {
			<-time.After(time.Second)
			_, err = io.WriteString(client, "x")
		}
	})
	var read strings.Builder
	group.Go(func() {
		switch c.reads {
		case "all":
			_, _ = io.Copy(&read, client)
		case "slowly":
			for err := error(nil); err == nil; <-time.After(time.Second) {
				_, err = io.CopyN(&read, client, 1)
			}
		}
	})
	<-closed
	took = time.Since(start)
	client.Close()
	server.Close()
	group.Wait()
	return took, read.String()
}

func TestASlowClientLosesItsConnection(t *testing.T) {
	refusedBody := strings.Replace(halfABody, "application/json", "text/plain", 1)
	const largeAnswer = "GET /graphql?query={__schema{types{name,description}}} HTTP/1.1\r\nHost: localhost\r\n\r\n"
	for name, test := range map[string]struct {
		client slowClient
		after  time.Duration
		answer string // its beginning
	}{
		"sends nothing":                {slowClient{"", false, "all"}, 5 * time.Second, ""},
		"sends half a header":          {slowClient{halfAHeader, false, "all"}, 5 * time.Second, ""},
		"sends a header slowly":        {slowClient{halfAHeader, true, "all"}, 5 * time.Second, ""},
		"sends a second header slowly": {slowClient{smallRequest + halfAHeader, true, "all"}, 5 * time.Second, "HTTP/1.1 200 "},
		"was refused and sends on":     {slowClient{refusedBody, true, "all"}, 10 * time.Second, "HTTP/1.1 415 "},
		"sends half a body":            {slowClient{halfABody, false, "all"}, 30 * time.Second, "HTTP/1.1 400 "},
		"sends a body slowly":          {slowClient{halfABody, true, "all"}, 30 * time.Second, "HTTP/1.1 400 "},
		"reads nothing":                {slowClient{largeAnswer, false, "nothing"}, 30 * time.Second, ""},
		"reads slowly":                 {slowClient{largeAnswer, false, "slowly"}, 30 * time.Second, "HTTP/1.1 200 "},
		"is idle":                      {slowClient{smallRequest, false, "all"}, 60 * time.Second, "HTTP/1.1 200 "},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				took, answer := test.client.meet(t)
				// A connection that is closed with bytes unread lingers for half a second.
				if took < test.after || took > test.after+time.Second {
					t.Errorf("closed after %s, want %s", took, test.after)
				}
				if !strings.HasPrefix(answer, test.answer) {
					t.Errorf("answered %.40q, want %s", answer, test.answer)
				}
			})
		})
	}
}

func TestAHeaderHasALimit(t *testing.T) {
	for size, want := range map[int]string{
		maxHeaderBytes:         "HTTP/1.1 200 ",
		maxHeaderBytes + 8<<10: "HTTP/1.1 431 ", // net/http leaves some room
	} {
		synctest.Test(t, func(t *testing.T) {
			header := "X: " + strings.Repeat("x", size-len(smallRequest)-len("X: \r\n")) + "\r\n"
			client := slowClient{strings.TrimSuffix(smallRequest, "\r\n") + header + "\r\n", false, "all"}
			if _, answer := client.meet(t); !strings.HasPrefix(answer, want) {
				t.Errorf("a header of %d bytes: %.40q, want %s", size, answer, want)
			}
		})
	}
}
