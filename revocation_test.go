package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nameplate/ent"
	"nameplate/ent/attempt"
)

const name = "alice pleasance liddell"

// ways are how the session of a thief is ended by its owner, who is signed in elsewhere.
var ways = map[string]func(owner *client, thiefs sessionSeen, code string) *answer{
	"revokeSession": func(owner *client, thiefs sessionSeen, _ string) *answer { return owner.revoke(thiefs.id) },
	"revokeOtherSessions": func(owner *client, _ sessionSeen, _ string) *answer {
		return owner.do(`mutation { revokeOtherSessions { `+userErrorFields+` } }`, nil)
	},
	"changePassword": func(owner *client, _ sessionSeen, _ string) *answer {
		return owner.changePassword(password, newPassword)
	},
	"resetPassword": func(owner *client, _ sessionSeen, code string) *answer {
		return owner.resetPassword(name, code, newPassword)
	},
	"deleteAccount": func(owner *client, _ sessionSeen, _ string) *answer { return owner.deleteAccount(password) },
}

// Under load no request that comes after the end of its session was acknowledged succeeds,
// and none that was under way then changes anything.
func TestNothingIsDoneInASessionAfterItsEnd(t *testing.T) {
	t.Parallel()
	for way, end := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			s := start(t, t.TempDir(), map[string]string{"NAMEPLATE_THROTTLE": "off", "NAMEPLATE_MAX_TIME": "5m"})
			owner, thief := newClient(t, s.url, false), newClient(t, s.url, false)
			owner.mustEnter("signUp", name, password)
			code := owner.recoveryCodes()[0]
			thief.mustEnter("signIn", name, password)
			load := startLoad(t, thief)

			<-load.warm
			var thiefs sessionSeen
			for _, seen := range owner.sessions() {
				if !seen.isCurrent {
					thiefs = seen
				}
			}
			if a := end(owner, thiefs, code); a.code() != "" || len(a.Errors) > 0 || a.faults(way) != nil {
				t.Fatalf("ending the session: %s", a.Body)
			}
			load.ended.Store(true)
			var before any
			if way != "deleteAccount" {
				before = owner.do(`{ me { name } }`, nil).at("me", "name")
			}
			load.done.Wait()
			if way == "deleteAccount" {
				wantNobody(t, s)
				return
			}
			if after := owner.do(`{ me { name } }`, nil).at("me", "name"); after != before {
				t.Errorf("after the end the name has become %v, and was %v", after, before)
			}
		})
	}
}

// wantNobody checks that the database has neither a user nor anything of one.
func wantNobody(t *testing.T, s *server) {
	t.Helper()
	inDatabase(t, s, func(ctx context.Context, db *ent.Client) error {
		got := map[string]int{
			"users":    db.User.Query().CountX(ctx),
			"sessions": db.Session.Query().CountX(ctx),
			"events":   db.Event.Query().CountX(ctx),
			"codes":    db.RecoveryCode.Query().CountX(ctx),
			"attempts": db.Attempt.Query().Where(attempt.UserIDNotNil()).CountX(ctx),
		}
		want := map[string]int{"users": 0, "sessions": 0, "events": 0, "codes": 0, "attempts": 0}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("after the end there are (-want +got):\n%s", diff)
		}
		return nil
	})
}

// load is many requests in one session.
type load struct {
	ended atomic.Bool // the session has, and that was acknowledged
	warm  chan struct{}
	done  sync.WaitGroup
}

// writing is a writing of the owner's name that no other number gives.
func writing(n int) string {
	letters := []byte(name)
	for i := range letters {
		if n>>i&1 == 1 {
			letters[i] = strings.ToUpper(name)[i]
		}
	}
	return string(letters)
}

// startLoad sends requests until each of a hundred clients was refused after the end.
func startLoad(t *testing.T, as *client) *load {
	l := &load{warm: make(chan struct{})}
	t.Cleanup(func() { l.ended.Store(true); l.done.Wait() })
	var answered atomic.Int64
	for worker := range 100 {
		l.done.Go(func() {
			c := newClient(t, as.url, false)
			c.token = as.token
			for i := 0; ; i++ {
				query := `{ me { name } }`
				if i%2 == 0 {
					query = fmt.Sprintf(`mutation { updateName(input: { name: %q }) { user { name } } }`, writing(worker*100+i))
				}
				body, _ := json.Marshal(map[string]any{"query": query})
				after := l.ended.Load()
				a, err := c.tryPost("application/json", bytes.NewReader(body))
				if err != nil {
					t.Errorf("a request: %v", err)
					return
				}
				refused := a.code() == "UNAUTHENTICATED"
				if after && !refused || !refused && !strings.Contains(a.Body, `"name":`) {
					t.Errorf("after the end (%t): %s", after, a.Body)
				}
				if after {
					return
				}
				if answered.Add(1) == 300 {
					close(l.warm)
				}
			}
		})
	}
	return l
}
