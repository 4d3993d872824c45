package graph

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"entgo.io/ent/dialect/sql"

	"nameplate/ent"
	"nameplate/internal/avatar"
)

// slowUpload is an upload whose file is complete when meanwhile has returned.
func slowUpload(t *testing.T, ctx context.Context, token string, meanwhile func()) *http.Request {
	t.Helper()
	whole := uploadForm(string(picture(t)))
	head, tail := whole[:len(whole)-20], strings.NewReader(whole[len(whole)-20:])
	waited := false
	rest := readFunc(func(p []byte) (int, error) {
		if !waited {
			waited = true
			meanwhile()
		}
		return tail.Read(p)
	})
	return request(multipartType, io.MultiReader(strings.NewReader(head), rest), bearer(token)...).WithContext(ctx)
}

func TestARequestThatTakesTooLongTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoint(t)
		_, token := e.newUser("Alice")
		e.resolver.Profiles.Pictures = avatar.NewProcessor(0)
		during, cancel := context.WithTimeout(t.Context(), time.Second) // by the bubble's clock
		defer cancel()
		before, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
		defer cancel()
		for name, r := range map[string]*http.Request{
			"during": slowUpload(t, during, token, func() { <-during.Done() }),
			"before": slowUpload(t, before, token, func() {}),
		} {
			if a := e.send(r); a.code() != "TIMEOUT" {
				t.Errorf("%s: status %d, %s", name, a.Status, a.Body)
			}
		}
		e.leftNothing("a timeout", t.TempDir())
	})
}

func TestAnOperationHasItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoint(t)
		user, token := e.newUser("Alice")
		begun := time.Now()
		// The writer is held until the operation that waits for it has given up.
		err := e.db.WithTx(t.Context(), func(*ent.Tx) error {
			a := e.query(token, `mutation { updateName(input: { name: "Bob" }) { user { name } } }`, nil)
			if a.code() != "TIMEOUT" || a.Status != http.StatusOK {
				t.Errorf("status %d, %s", a.Status, a.Body)
			}
			return nil
		})
		if took, want := time.Since(begun), defaultLimits(t).MaxTime; err != nil || took != want {
			t.Errorf("it took %s, want %s; %v", took, want, err)
		}
		if name := e.reload(user).Name; name != "Alice" {
			t.Errorf("the name is %s", name)
		}
	})
}

// runsForEver is a condition that SQLite never comes to an end with.
func runsForEver(s *sql.Selector) {
	s.Where(sql.ExprP("(WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r) > 0"))
}

func TestTheDatabasesQueryEndsWithItsOperation(t *testing.T) {
	e := newEndpoint(t)
	_, token := e.newUser("Alice")
	limits := defaultLimits(t)
	limits.MaxTime = 200 * time.Millisecond // of the machine's clock: SQLite must be at work
	e.serve(Options{Limits: limits})
	slow := true
	e.db.User.Intercept(ent.InterceptFunc(func(next ent.Querier) ent.Querier {
		return ent.QuerierFunc(func(ctx context.Context, query ent.Query) (ent.Value, error) {
			if slow {
				query.(*ent.UserQuery).Where(runsForEver)
			}
			return next.Query(ctx, query)
		})
	}))
	// More than there are connections to read with: one that went on would be missing.
	var all sync.WaitGroup
	for range 2 * max(4, runtime.GOMAXPROCS(0)) {
		all.Go(func() {
			if a := e.query(token, `{ me { name } }`, nil); a.code() != "TIMEOUT" {
				t.Errorf("status %d, %s", a.Status, a.Body)
			}
		})
	}
	all.Wait()
	slow = false
	e.serve(Options{Limits: defaultLimits(t)})
	if a := e.query(token, `{ me { name } }`, nil); a.code() != "" {
		t.Errorf("afterwards: %s", a.Body)
	}
	if log := e.log.troubles(); log != "" {
		t.Errorf("the log has: %s", log)
	}
}

// The time of an operation doesn't run while its file arrives, but afterwards.
func TestAnUploadHasItsTimeToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoint(t)
		_, token := e.newUser("Alice")
		slow := slowUpload(t, t.Context(), token, func() { <-time.After(time.Minute) })
		if a := e.send(slow); a.code() != "" || a.fault("updateAvatar") != "" {
			t.Errorf("a slow file: status %d, %s", a.Status, a.Body)
		}
		begun := time.Now()
		e.resolver.Profiles.Pictures = avatar.NewProcessor(0) // no worker ever comes free
		e.resolver.Profiles.Pictures.Wait = time.Hour
		a := e.send(slowUpload(t, t.Context(), token, func() { <-time.After(time.Minute) }))
		if a.code() != "TIMEOUT" {
			t.Errorf("a slow server: status %d, %s", a.Status, a.Body)
		}
		if took, want := time.Since(begun), time.Minute+10*time.Second; took != want {
			t.Errorf("it took %s, want %s", took, want)
		}
	})
}

func TestAClientThatLeavesIsNoTrouble(t *testing.T) {
	e := newEndpoint(t)
	user, token := e.newUser("Alice")
	ctx, cancel := context.WithCancel(t.Context())
	e.send(slowUpload(t, ctx, token, cancel)) // leaves before the picture is stored
	e.send(slowUpload(t, ctx, token, func() {}))
	e.leftNothing("a client that has left", t.TempDir())

	ctx, cancel = context.WithCancel(t.Context())
	e.resolver.Profiles.Store = hostileStore{put: func() error { cancel(); return errors.New("interrupted") }}
	e.send(slowUpload(t, ctx, token, func() {})) // leaves while it is stored
	if log := e.log.troubles(); log != "" {
		t.Errorf("the log has: %s", log)
	}
	if e.reload(user).AvatarKey != nil {
		t.Error("the picture changed")
	}
}

// deadlines is a connection that notes its deadlines.
type deadlines struct {
	http.ResponseWriter
	read, write []time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error  { d.read = append(d.read, t); return nil }
func (d *deadlines) SetWriteDeadline(t time.Time) error { d.write = append(d.write, t); return nil }

func TestTheTimeoutsArePutOffAsLongAsAFileMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, start := &deadlines{}, time.Now()
		slow := &uploadReader{
			part:    iotest.OneByteReader(strings.NewReader("abcd")),
			conn:    http.NewResponseController(conn),
			until:   start.Add(time.Minute),
			timer:   time.AfterFunc(time.Minute, func() { t.Error("the operation's time was up") }),
			maxTime: time.Minute,
		}
		defer slow.timer.Stop()
		var want []time.Duration
		for _, after := range []time.Duration{0, 14 * time.Second, 40 * time.Second, 59 * time.Second} {
			<-time.After(time.Until(start.Add(after))) // by the bubble's clock, so at once
			if _, err := slow.Read(make([]byte, 4)); err != nil {
				t.Fatal(err)
			}
			want = append(want, min(after+pauseTime, time.Minute))
		}
		for i := range want {
			if got := conn.read[i].Sub(start); got != want[i] {
				t.Errorf("read %d may take until %s, want %s", i, got, want[i])
			}
		}
		// Or else net/http would take the pause while the picture is worked on for a
		// client that has left.
		if _, err := slow.Read(make([]byte, 4)); !errors.Is(err, io.EOF) {
			t.Fatalf("at the end: %v", err)
		}
		if got := time.Until(conn.read[len(conn.read)-1]); got != slow.maxTime+answerWithin {
			t.Errorf("after the file, what is done with it may take %s, want %s", got, slow.maxTime+answerWithin)
		}
	})
}
