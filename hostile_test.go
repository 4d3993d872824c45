package main

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

const (
	// maxAnswer is how many bytes the answer to a hostile request may have.
	maxAnswer = 8 * kilobyte
	// maxMemory is how many bytes one may take, of both the server and the client that
	// sends it, which has little to do: its body is there, or is made as it is sent.
	maxMemory = 4 * megabyte
)

// target is a server under attack, and a client with a session.
type target struct {
	*server
	alice *client
}

func newTarget(t testing.TB) *target {
	t.Helper()
	s := start(t, t.TempDir(), map[string]string{"NAMEPLATE_THROTTLE": "off"})
	c := newClient(t, s.url, false)
	c.mustEnter("signUp", "Alice", password)
	s.log.take() // says that the throttle is off
	return &target{s, c}
}

// take returns what was logged since the last call.
func (b *logBuffer) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.text.Reset()
	return b.text.String()
}

// send makes the request.
func (s *target) send(t testing.TB, a *attack, accept string) *answer {
	t.Helper()
	method := cmp.Or(a.method, http.MethodPost)
	body := io.MultiReader(strings.NewReader(a.body), io.LimitReader(filling{}, a.filler))
	req, err := http.NewRequestWithContext(t.Context(), method, s.url+"/graphql", body)
	if err != nil {
		t.Fatal(err)
	}
	req.URL.RawQuery = a.params
	switch length := int64(len(a.body)) + a.filler; {
	case length == 0:
		req.Body = http.NoBody
	case !a.chunked:
		req.ContentLength = length
	}
	req.Header.Set("Accept", accept)
	if !a.anonymous {
		req.Header.Set("Authorization", "Bearer "+s.alice.token)
	}
	for i := 0; i < len(a.header); i += 2 {
		req.Header.Set(a.header[i], a.header[i+1])
	}
	do := s.alice.http.Do
	if a.crumbled {
		do = crumble
	}
	res, err := do(req)
	if err != nil {
		t.Fatalf("%s: %v", a.name, err)
	}
	defer res.Body.Close()
	if a.code == byNetHTTP { // in plain text
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatalf("%s: %v", a.name, err)
		}
		return &answer{Status: res.StatusCode, Header: res.Header, Body: string(text)}
	}
	got, err := readAnswer(res)
	if err != nil {
		t.Fatalf("%s: %v", a.name, err)
	}
	return got
}

// crumble sends a request's body in chunks of a byte. The library's client would send each
// by itself, and take more time for that than any server.
func crumble(req *http.Request) (*http.Response, error) {
	conn, err := net.Dial("tcp", req.URL.Host)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	head := *req
	head.Body = http.NoBody
	head.Header = req.Header.Clone()
	var text bytes.Buffer
	if err := head.Write(&text); err != nil {
		return nil, err
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		w := bufio.NewWriterSize(conn, 64*kilobyte)
		_, err := w.WriteString(strings.Replace(text.String(), "Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n", 1))
		crumbs, chunk := bufio.NewReader(req.Body), []byte("1\r\n.\r\n")
		for err == nil { // until the body ends or the server has closed the connection
			if chunk[3], err = crumbs.ReadByte(); err == nil {
				_, err = w.Write(chunk)
			}
		}
		_, _ = w.WriteString("0\r\n\r\n") // what fails now has failed before
		_ = w.Flush()
	}()
	res, err := http.ReadResponse(bufio.NewReader(conn), req)
	if err == nil {
		var body bytes.Buffer
		_, err = body.ReadFrom(res.Body)
		res.Body = io.NopCloser(&body)
	}
	conn.Close() // so that the sender ends
	<-sent
	return res, err
}

// outcome is what an attack's code says of its answer.
func (a *answer) outcome() string {
	if strings.HasPrefix(a.Header.Get("Content-Type"), "text/plain") {
		return byNetHTTP
	}
	for mutation := range a.Data {
		if faults := a.faults(mutation); faults != nil {
			code, _, _ := strings.Cut(faults[0], " ")
			return mutation + ": " + code
		}
	}
	return a.code()
}

// check holds the answer to what every answer to a hostile request is.
func (a *attack) check(t testing.TB, got *answer, status int) {
	t.Helper()
	if outcome := got.outcome(); got.Status != status || outcome != a.code {
		t.Errorf("%s: status %d, %s; want %d, %s\n%.300s", a.name, got.Status, outcome, status, a.code, got.Body)
	}
	if len(got.Body) > maxAnswer {
		t.Errorf("%s: an answer of %d bytes", a.name, len(got.Body))
	}
	if len(got.Errors) > 5 {
		t.Errorf("%s: %d errors", a.name, len(got.Errors))
	}
	for _, e := range got.Errors {
		if utf8.RuneCountInString(e.Message) > 200 {
			t.Errorf("%s: a message of %d characters", a.name, utf8.RuneCountInString(e.Message))
		}
	}
	for _, text := range []string{marker, "Did you mean", "goroutine ", ".go:"} {
		if strings.Contains(fmt.Sprint(got.Header)+got.Body, text) {
			t.Errorf("%s: the answer has %q: %v %.300s", a.name, text, got.Header, got.Body)
		}
	}
}

// checkLog requires that nothing was logged but what is logged of any request.
func (s *target) checkLog(t testing.TB, name string) {
	t.Helper()
	for line := range strings.Lines(s.log.take()) {
		if !strings.Contains(line, "level=INFO") || strings.Contains(line, "panic") || strings.Contains(line, marker) {
			t.Errorf("%s: the log has: %.300s", name, line)
		}
	}
}

// racing is whether the race detector watches: then the figures of memory are its own.
func racing() bool {
	info, _ := debug.ReadBuildInfo()
	return info != nil && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// allocated is how many bytes the process has ever allocated.
func allocated() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.TotalAlloc
}

func TestHostileRequestsAreRefusedForLittle(t *testing.T) {
	s := newTarget(t)
	for _, a := range attacks(s.alice.token) {
		if !strings.Contains(fmt.Sprint(a.body, a.params, a.header), marker) {
			t.Errorf("%s: the request has no %q", a.name, marker)
		}
		for accept, status := range map[string]int{
			"application/json":                  a.status,
			"application/graphql-response+json": cmp.Or(a.strict, a.status),
		} {
			before := allocated()
			got := s.send(t, &a, accept)
			if memory := allocated() - before; memory > maxMemory+a.memory && !racing() {
				t.Errorf("%s: %d bytes were allocated", a.name, memory)
			}
			a.check(t, got, status)
			s.checkLog(t, a.name)
		}
	}
	const unchanged = `{"data":{"me":{"name":"Alice","hasAvatar":false,"verification":null}}}`
	if me := s.alice.do(`{ me { name hasAvatar verification { savedAt } } }`, nil); strings.TrimSpace(me.Body) != unchanged {
		t.Errorf("afterwards the user is %s", me.Body)
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	s.checkLog(t, "the end")
}

func TestHostileRequestsLeaveNothing(t *testing.T) {
	rounds := 2
	if value := os.Getenv("HOSTILE_ROUNDS"); value != "" {
		var err error
		if rounds, err = strconv.Atoi(value); err != nil {
			t.Fatal(err)
		}
	}
	s := newTarget(t)
	all := attacks(s.alice.token)
	round := func() {
		for _, a := range all {
			a.check(t, s.send(t, &a, "application/json"), a.status)
		}
		s.checkLog(t, "a round")
	}
	round() // fills the caches
	goroutines, heap := s.rest(t, math.MaxInt)
	for range rounds {
		round()
	}
	if _, after := s.rest(t, goroutines); after > heap+2*megabyte {
		t.Errorf("after %d rounds the heap has grown from %d to %d bytes", rounds, heap, after)
	}
	runtime.KeepAlive(all) // is part of both figures
}

// connected finds a goroutine of a connection, at either end.
var connected = regexp.MustCompile(`net/http\.\(\*(conn|persistConn)\)`)

// rest waits until no connection is served and there are no more goroutines than so
// many, and returns how many there are, and how many bytes of memory are in use.
func (s *target) rest(t *testing.T, most int) (goroutines int, heap uint64) {
	t.Helper()
	s.alice.http.CloseIdleConnections()
	tick, late := time.NewTicker(10*time.Millisecond), time.After(time.Minute)
	defer tick.Stop()
	for {
		var stacks strings.Builder
		if err := pprof.Lookup("goroutine").WriteTo(&stacks, 2); err != nil {
			t.Fatal(err)
		}
		goroutines = runtime.NumGoroutine()
		if goroutines <= most && !connected.MatchString(stacks.String()) {
			break
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%d goroutines are left; before, there were %d:\n%s", goroutines, most, stacks.String())
		}
	}
	runtime.GC()
	runtime.GC() // what the first has left in pools
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return goroutines, stats.HeapAlloc
}

// BenchmarkHostile sends every hostile request and reports what the worst of them took.
func BenchmarkHostile(b *testing.B) {
	s := newTarget(b)
	all := attacks(s.alice.token)
	worst := map[string]struct {
		value float64
		name  string
	}{}
	note := func(metric, name string, value float64) {
		if w := worst[metric]; value > w.value {
			w.value, w.name = value, name
			worst[metric] = w
		}
	}
	for b.Loop() {
		for _, a := range all {
			before, begun := allocated(), time.Now()
			got := s.send(b, &a, "application/json")
			note("worst-ms", a.name, time.Since(begun).Seconds()*1000)
			note("worst-MB", a.name, float64(allocated()-before)/megabyte)
			note("worst-answer-B", a.name, float64(len(got.Body)))
		}
	}
	for metric, w := range worst {
		b.ReportMetric(w.value, metric)
		b.Logf("%.1f %s: %s", w.value, metric, w.name)
	}
}
