package graph

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// limited is an endpoint that only limits, at two requests a second and so 20 at once.
func limited(t *testing.T) func(remoteAddr string) *httptest.ResponseRecorder {
	t.Helper()
	handler := LimitRate(2, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	return func(remoteAddr string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/graphql", http.NoBody)
		r.RemoteAddr = remoteAddr
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
}

func TestAnAddressMaySendSoManyRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		send := limited(t)
		const addr = "192.0.2.1:1234"
		allowed := func() (n int) {
			for range 30 {
				if send(addr).Code == http.StatusOK {
					n++
				}
			}
			return n
		}
		if n := allowed(); n != 20 {
			t.Errorf("%d at once, want 20", n)
		}
		w := send(addr)
		a := parseAnswer(t, w.Result())
		if a.Status != http.StatusTooManyRequests || a.code() != "RATE_LIMITED" ||
			a.Header.Get("Retry-After") != "1" || a.Errors[0].Extensions["retryAfter"] != 1.0 {
			t.Errorf("status %d, Retry-After %q, %s", a.Status, a.Header.Get("Retry-After"), a.Body)
		}
		for _, after := range []time.Duration{time.Second, 3 * time.Second, time.Minute} {
			<-time.After(after) // by the bubble's clock, so at once
			if n, want := allowed(), min(20, 2*int(after.Seconds())); n != want {
				t.Errorf("after %s: %d, want %d", after, n, want)
			}
		}
	})
}

func TestARateIsThatOfAnAddressOrOfANetworkOfIPv6(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			first, second string
			shared        bool
		}{
			{"192.0.2.1:1", "192.0.2.1:2", true},
			{"192.0.2.1:1", "[::ffff:192.0.2.1]:1", true},
			{"192.0.2.1:1", "192.0.2.2:1", false},
			{"[2001:db8::1]:1", "[2001:db8::ffff:1]:1", true},
			{"[2001:db8::1]:1", "[2001:db8:0:1::1]:1", false},
			{"[fe80::1%eth0]:1", "[fe80::1%eth0]:2", true},
			{"@", "pipe", true}, // no address: a socket of another kind
		} {
			send := limited(t)
			for range 20 {
				send(test.first)
			}
			if refused := send(test.second).Code == http.StatusTooManyRequests; refused != test.shared {
				t.Errorf("%s after %s: refused %t", test.second, test.first, refused)
			}
		}
	})
}

func TestAHundredAtOnceGetNoMoreThanOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		send := limited(t)
		var allowed atomic.Int32
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				if send(fmt.Sprintf("192.0.2.1:%d", i)).Code == http.StatusOK {
					allowed.Add(1)
				}
			})
		}
		all.Wait()
		if n := allowed.Load(); n != 20 {
			t.Errorf("%d were let through, want 20", n)
		}
	})
}
