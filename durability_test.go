package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEverythingIsThereAfterARestart(t *testing.T) {
	data := t.TempDir()
	first := start(t, data, nil)
	byCookie, byBearer := newClient(t, first.url, true), newClient(t, first.url, false)
	byCookie.mustEnter("signUp", "Alice", password)
	byBearer.mustEnter("signIn", "Alice", password)
	byCookie.updateName("Alice Liddell")
	byCookie.upload(updateAvatar, photo(t, 300, 300))
	byCookie.saveVerification(realName, idCard)
	before := byCookie.me()
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}

	second := start(t, data, map[string]string{"NAMEPLATE_ADDR": strings.TrimPrefix(first.url, "http://")})
	if second.url != first.url {
		t.Fatalf("the second server is at %s", second.url)
	}
	for _, c := range []*client{byCookie, byBearer} {
		if diff := cmp.Diff(before, c.me()); diff != "" {
			t.Errorf("after the restart (-before +after):\n%s", diff)
		}
		if got := c.do(fullNumber, nil).at("me", "verification", "idCard"); got != idCard {
			t.Errorf("after the restart the full number is %v", got)
		}
	}
	pictureSide(t, before["avatarUrl"], "image/jpeg")
	newClient(t, second.url, false).mustEnter("signIn", "alice liddell", password)
}

// unlimited is the settings of a server that is asked more often than it lets people.
var unlimited = map[string]string{"NAMEPLATE_THROTTLE": "off"}

// writer is a user whose client changes the name and the picture as fast as it can
// until the server dies, and remembers what was acknowledged.
type writer struct {
	client        *client
	acknowledged  string // the last name that was
	asked         string // the last name that was sent
	picture       string // the last picture's address that was acknowledged
	pictureWasNew bool   // whether a later upload may have come through
}

func (w *writer) write(changes *atomic.Int64, file []byte, kill func()) {
	for i := 0; ; i++ {
		w.asked = w.client.token[:4] + " " + strconv.Itoa(i)
		w.asked = strings.NewReplacer("-", "x", "_", "y").Replace(w.asked)
		body, _ := json.Marshal(map[string]any{
			"query": `mutation { updateName(input: { name: "` + w.asked + `" }) { user { name } userErrors { code } } }`,
		})
		a, err := w.client.tryPost("application/json", bytes.NewReader(body))
		if err != nil {
			return
		}
		if a.at("updateName", "user", "name") == w.asked {
			w.acknowledged = w.asked
		}
		if i%8 == 0 {
			w.pictureWasNew = true
			form, contentType := uploadForm(updateAvatar, file)
			a, err := w.client.tryPost(contentType, form)
			if err != nil {
				return
			}
			w.picture, _ = a.at("updateAvatar", "user", "avatarUrl").(string)
			w.pictureWasNew = false
		}
		if changes.Add(-1) == 0 {
			go kill()
		}
	}
}

// crashRounds is how often a test kills the server: CRASH_ROUNDS, or some.
func crashRounds(some int) int {
	if rounds, err := strconv.Atoi(os.Getenv("CRASH_ROUNDS")); err == nil {
		return rounds
	}
	return some
}

// The moment of each kill is random: after so many acknowledged changes of several
// clients at once.
func TestNothingAcknowledgedIsLostWhenTheProcessIsKilled(t *testing.T) {
	t.Parallel()
	data, file := t.TempDir(), photo(t, 64, 64)
	p := startProcess(t, data, unlimited)
	writers := make([]*writer, 4)
	for i := range writers {
		writers[i] = &writer{client: newClient(t, p.url, false)}
		writers[i].client.mustEnter("signUp", fmt.Sprintf("writer %d", i), password)
		writers[i].client.saveVerification(realName, idCard)
		writers[i].acknowledged = fmt.Sprintf("writer %d", i)
	}
	env := map[string]string{"NAMEPLATE_ADDR": strings.TrimPrefix(p.url, "http://"), "NAMEPLATE_THROTTLE": "off"}
	for round := range crashRounds(5) {
		var changes atomic.Int64
		changes.Store(20 + rand.Int64N(200))
		var writing sync.WaitGroup
		for _, w := range writers {
			writing.Go(func() { w.write(&changes, file, p.kill) })
		}
		writing.Wait()
		p.kill()
		p = startProcess(t, data, env)
		for _, w := range writers {
			w.check(t, round)
		}
	}
}

func (w *writer) check(t *testing.T, round int) {
	t.Helper()
	me := w.client.me()
	if me["name"] != w.acknowledged && me["name"] != w.asked {
		t.Errorf("round %d: the name is %v; acknowledged was %q and asked for %q", round, me["name"], w.acknowledged, w.asked)
	}
	w.acknowledged = fmt.Sprint(me["name"])
	if got := w.client.do(fullNumber, nil).at("me", "verification", "idCard"); got != idCard {
		t.Errorf("round %d: the full number is %v", round, got)
	}
	small := fmt.Sprint(w.client.do(`{ me { avatarUrl(size: 64) } }`, nil).at("me", "avatarUrl"))
	if small != w.picture && !w.pictureWasNew {
		t.Errorf("round %d: the picture is %s; acknowledged was %s", round, small, w.picture)
	}
	pictureSide(t, small, "image/jpeg")
	w.picture, w.pictureWasNew = small, false
}

func TestRequestsInFlightAreFinishedBeforeTheEnd(t *testing.T) {
	s := start(t, t.TempDir(), nil)
	c := newClient(t, s.url, false)
	c.mustEnter("signUp", "Alice", password)

	form, contentType := uploadForm(updateAvatar, photo(t, 100, 100))
	reading, finish := make(chan struct{}), make(chan struct{})
	done := make(chan *answer, 1)
	go func() {
		a, err := c.uploadSlowly(form, contentType, func() { close(reading) }, finish)
		if err != nil {
			t.Errorf("the request in flight: %v", err)
		}
		done <- a
	}()
	<-reading
	stopped := make(chan error, 1)
	go func() { stopped <- s.stop() }()
	waitUntilRefused(t, s.url)
	select {
	case err := <-stopped:
		t.Fatalf("the server ended with a request in flight: %v", err)
	default:
	}
	close(finish)
	if a := <-done; a != nil && a.at("updateAvatar", "user", "hasAvatar") != true {
		t.Errorf("the request in flight: %s", a.Body)
	}
	if err := <-stopped; err != nil {
		t.Errorf("the server ended with: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(s.data, "nameplate.db-*")); left != nil {
		t.Errorf("the database was not closed: there is %v", left)
	}
}

// uploadSlowly calls reading when the server has begun to read the body and sends
// none of it before finish is closed.
func (c *client) uploadSlowly(
	body io.Reader, contentType string, reading func(), finish <-chan struct{},
) (*answer, error) {
	held := &heldReader{Reader: body, finish: finish}
	req, err := http.NewRequest(http.MethodPost, c.url+"/graphql", held)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Authorization", "Bearer "+c.token)
	// With it the server says when it reads (RFC 9110, section 10.1.1).
	req.Header.Set("Expect", "100-continue")
	trace := &httptrace.ClientTrace{Got100Continue: reading}
	transport := &http.Transport{ExpectContinueTimeout: time.Minute}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return readAnswer(res)
}

type heldReader struct {
	io.Reader
	finish <-chan struct{}
}

func (r *heldReader) Read(p []byte) (int, error) {
	<-r.finish
	return r.Reader.Read(p)
}

// waitUntilRefused returns when nothing listens any more.
func waitUntilRefused(t *testing.T, url string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			return
		}
		conn.Close()
	}
	t.Fatal("the server still takes connections")
}
