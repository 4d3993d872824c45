package session_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nameplate/ent"
	"nameplate/internal/session"
)

func TestBeginIsSeenByTheNextFieldOfTheRequest(t *testing.T) {
	f := newFixture(t)
	f.do(f.request(), func(ctx context.Context) {
		issued := f.issue(ctx)
		if _, err := session.Current(ctx); !errors.Is(err, session.ErrNone) {
			t.Errorf("issued, not begun: %v, want ErrNone", err)
		}
		session.Begin(ctx, issued)
		if got := session.UserID(ctx); got != f.user.ID {
			t.Errorf("begun, the user is %s, want %s", got, f.user.ID)
		}
	})
}

func TestEndIsSeenByTheNextFieldOfTheRequest(t *testing.T) {
	f := newFixture(t)
	token := f.begin()
	f.do(f.request(bearer(token)), func(ctx context.Context) {
		session.End(ctx)
		if _, err := session.Current(ctx); !errors.Is(err, session.ErrNone) {
			t.Errorf("got %v, want ErrNone", err)
		}
	})
}

func TestRenewIsSeenByTheNextFieldOfTheRequest(t *testing.T) {
	f := newFixture(t)
	token := f.begin()
	f.do(f.request(bearer(token)), func(ctx context.Context) {
		later := start.Add(time.Hour)
		session.Renew(ctx, &ent.Session{AuthenticatedAt: later})
		if row, err := session.Current(ctx); err != nil || !row.AuthenticatedAt.Equal(later) {
			t.Errorf("got %v, %v", row, err)
		}
	})
}

func TestBeginSetsTheCookie(t *testing.T) {
	f := newFixture(t)
	for _, tt := range []struct {
		secure   bool
		name     string
		absolute time.Duration
		maxAge   int
	}{
		{false, "nameplate_session", absolute, 30 * 24 * 60 * 60},
		{true, "__Host-nameplate_session", 5 * time.Minute, 300},
	} {
		f.Secure, f.Absolute = tt.secure, tt.absolute
		var token *string
		response := f.do(f.request(), func(ctx context.Context) { token = session.Begin(ctx, f.issue(ctx)) })
		checkCookie(t, response, &http.Cookie{
			Name: tt.name, Value: *token, Path: "/", MaxAge: tt.maxAge,
			Secure: tt.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		})
	}
}

func TestEndClearsTheCookie(t *testing.T) {
	f := newFixture(t)
	for _, tt := range []struct {
		secure bool
		name   string
	}{
		{false, "nameplate_session"},
		{true, "__Host-nameplate_session"},
	} {
		f.Secure = tt.secure
		response := f.do(f.request(), session.End)
		// With other attributes a browser would keep the cookie.
		checkCookie(t, response, &http.Cookie{
			Name: tt.name, Path: "/", MaxAge: -1,
			Secure: tt.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		})
	}
}

func TestIsCurrentIsOfTheRequestsOwnSessionOnly(t *testing.T) {
	f := newFixture(t)
	token := f.begin()
	own := f.row()
	other := &ent.Session{ID: f.insert(f.user, start, start)}
	f.do(f.request(bearer(token)), func(ctx context.Context) {
		if !session.IsCurrent(ctx, own) || session.IsCurrent(ctx, other) {
			t.Errorf("own: %t, other: %t", session.IsCurrent(ctx, own), session.IsCurrent(ctx, other))
		}
	})
	f.do(f.request(), func(ctx context.Context) {
		if session.IsCurrent(ctx, own) || session.IsCurrent(ctx, &ent.Session{}) {
			t.Error("an anonymous request has a session")
		}
	})
}

func TestTheLastCookieOfARequestIsTheOnlyOne(t *testing.T) {
	f := newFixture(t)
	response := f.do(f.request(), func(ctx context.Context) {
		session.Begin(ctx, f.issue(ctx))
		session.End(ctx)
	})
	if cookies := response.Cookies(); len(cookies) != 1 || cookies[0].MaxAge != -1 {
		t.Errorf("cookies: %v, want one that clears", cookies)
	}
}

func TestNothingIsSetWithoutBeginOrEnd(t *testing.T) {
	f := newFixture(t)
	token := f.begin()
	response := f.do(f.request(bearer(token)), func(context.Context) {})
	if cookies := response.Cookies(); len(cookies) != 0 {
		t.Errorf("cookies: %v, want none", cookies)
	}
}

// checkCookie wants the one cookie, without Domain.
func checkCookie(t *testing.T, response *http.Response, want *http.Cookie) {
	t.Helper()
	ignore := cmpopts.IgnoreFields(http.Cookie{}, "Raw")
	if diff := cmp.Diff([]*http.Cookie{want}, response.Cookies(), ignore); diff != "" {
		t.Error(diff)
	}
}

func TestABrowserGetsItsTokenOnlyAsACookie(t *testing.T) {
	f := newFixture(t)
	for _, tt := range []struct {
		name    string
		header  map[string]string
		browser bool
	}{
		{"no header", nil, false},
		{"user agent alone", map[string]string{"User-Agent": "Mozilla/5.0"}, false},
		{"Referer alone", map[string]string{"Referer": "https://id.example.com/"}, false},
		{"Origin", map[string]string{"Origin": "https://id.example.com"}, true},
		{"opaque Origin", map[string]string{"Origin": "null"}, true},
		{"Sec-Fetch-Site", map[string]string{"Sec-Fetch-Site": "same-origin"}, true},
		{"both", map[string]string{"Origin": "https://id.example.com", "Sec-Fetch-Site": "none"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := f.request()
			for name, value := range tt.header {
				r.Header.Set(name, value)
			}
			var token *string
			response := f.do(r, func(ctx context.Context) {
				token = session.Begin(ctx, f.issue(ctx))
				if got := session.ClientOf(ctx).Browser; got != tt.browser {
					t.Errorf("Browser is %t", got)
				}
			})
			if (token == nil) != tt.browser {
				t.Errorf("the token is %v", token)
			}
			if cookies := response.Cookies(); len(cookies) != 1 || len(cookies[0].Value) != 43 {
				t.Errorf("cookies: %v, want one with a token", cookies)
			}
		})
	}
}

func TestTheUserAgentIsCutToValidUTF8(t *testing.T) {
	f := newFixture(t)
	for _, tt := range []struct{ name, in, want string }{
		{"none", "", ""},
		{"short", "agent/1 (名)", "agent/1 (名)"},
		{"as long as is kept", strings.Repeat("a", 256), strings.Repeat("a", 256)},
		{"one byte longer", strings.Repeat("a", 257), strings.Repeat("a", 256)},
		{"cut inside of a character", strings.Repeat("a", 254) + "名", strings.Repeat("a", 254)},
		{"cut behind a character", strings.Repeat("a", 253) + "名名", strings.Repeat("a", 253) + "名"},
		{"not UTF-8", "a\xffb", "ab"},
		{"NUL", "a\x00b", "ab"},
		{"huge", strings.Repeat("名", 1<<16), strings.Repeat("名", 85)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f.do(f.request(header("User-Agent", tt.in)), func(ctx context.Context) {
				if got := session.ClientOf(ctx).UserAgent; got != tt.want {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			})
		})
	}
}

func TestTheAddressIsThatOfTheConnection(t *testing.T) {
	f := newFixture(t)
	for remote, want := range map[string]string{
		"198.51.100.7:4711":      "198.51.100.7",
		"[2001:db8::1]:4711":     "2001:db8::1",
		"[fe80::1%eth0]:4711":    "fe80::1%eth0",
		"[::ffff:192.0.2.1]:443": "::ffff:192.0.2.1",
		"@":                      "@", // a Unix socket has no port
		"":                       "",
	} {
		r := f.request(header("X-Forwarded-For", "203.0.113.9"), header("X-Real-Ip", "203.0.113.9"))
		r.RemoteAddr = remote
		f.do(r, func(ctx context.Context) {
			if got := session.ClientOf(ctx).IPAddress; got != want {
				t.Errorf("%q gives %q, want %q", remote, got, want)
			}
		})
	}
}

func TestTheNetworkIsThatOfTheAddress(t *testing.T) {
	f := newFixture(t)
	for remote, want := range map[string]string{
		"198.51.100.7:4711":          "198.51.100.7/32",
		"[2001:db8:1:2:3:4:5:6]:443": "2001:db8:1:2::/64",
		"@":                          "invalid Prefix",
	} {
		r := f.request(header("X-Forwarded-For", "203.0.113.9"))
		r.RemoteAddr = remote
		f.do(r, func(ctx context.Context) {
			if got := session.ClientOf(ctx).Network.String(); got != want {
				t.Errorf("%q gives %q, want %q", remote, got, want)
			}
		})
	}
}

func TestOutsideOfARequestThereIsNoClient(t *testing.T) {
	if got := session.ClientOf(t.Context()); got != (session.Client{}) {
		t.Errorf("got %+v", got)
	}
	session.End(t.Context()) // does nothing, rather than panic
}
