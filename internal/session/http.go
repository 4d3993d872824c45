package session

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"nameplate/ent"
	"nameplate/internal/clientaddr"
)

// Client is where a request comes from.
type Client struct {
	IPAddress string
	// Network is what one client has; the zero Prefix outside of a request.
	Network netip.Prefix
	// UserAgent is the header's first 256 bytes.
	UserAgent string
	// Browser is whether it has an Origin or a Sec-Fetch-Site header, which
	// pages can't leave out. A browser gets its token as a cookie that scripts
	// can't read, and in no other way.
	Browser bool
}

// request is what the context carries. Signing in or out changes it, so that
// the next field of the same request already sees it.
type request struct {
	manager  *Manager
	client   Client
	byCookie bool        // whether the token came in one
	header   http.Header // of the response

	mu      sync.Mutex
	row     *ent.Session
	findErr error
}

type contextKey struct{}

// Middleware finds the session of a request and puts it into the context. The
// token comes as `Authorization: Bearer`, else as a cookie; one that opens
// nothing makes the request anonymous.
func (m *Manager) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req := &request{manager: m, client: clientOf(r), byCookie: m.ByCookie(r), header: w.Header()}
		if token := m.token(r); token != "" {
			req.row, req.findErr = m.find(r.Context(), token)
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), contextKey{}, req)))
	})
}

// Current is the request's session. Without a live one the error is ErrNone.
func Current(ctx context.Context) (*ent.Session, error) {
	req := from(ctx)
	req.mu.Lock()
	defer req.mu.Unlock()
	if req.findErr != nil {
		return nil, req.findErr
	}
	if req.row == nil {
		return nil, ErrNone
	}
	return req.row, nil
}

// IsCurrent is whether this session is the request's own.
func IsCurrent(ctx context.Context, row *ent.Session) bool {
	current, err := Current(ctx)
	return err == nil && current.ID == row.ID
}

// Fresh is ErrStale if the password was entered longer ago in the request's session
// than maxAge, and ErrNone if there is no session.
func Fresh(ctx context.Context, now time.Time, maxAge time.Duration) error {
	current, err := Current(ctx)
	if err != nil {
		return err
	}
	// Before its time it is by a clock that was wrong then: it may be as old as can be.
	if age := now.Sub(current.AuthenticatedAt); age > maxAge || age < -maxAge {
		return ErrStale
	}
	return nil
}

// UserID is the user who is asking; uuid.Nil, which no user has, when nobody is
// signed in.
func UserID(ctx context.Context) uuid.UUID {
	row, err := Current(ctx)
	if err != nil {
		return uuid.Nil
	}
	return row.UserID
}

// ClientOf is where the request comes from; empty outside of one.
func ClientOf(ctx context.Context) Client { return from(ctx).client }

// Begin makes an issued session the request's own: it sets the cookie and, for
// a client that is no browser, returns the token.
func Begin(ctx context.Context, issued *Issued) (token *string) {
	req := from(ctx)
	req.set(issued.row)
	req.setCookie(issued.token, int(req.manager.Absolute/time.Second))
	if req.client.Browser {
		return nil
	}
	return &issued.token
}

// Renew replaces the row of the request's session by its present state.
func Renew(ctx context.Context, row *ent.Session) { from(ctx).set(row) }

// BeginAgain makes a session that RotateToken was given the request's own, with a new cookie where
// it has a new token.
func BeginAgain(ctx context.Context, issued *Issued) {
	req := from(ctx)
	req.set(issued.row)
	if issued.token != "" {
		left := issued.row.ExpiresAt.Sub(req.manager.Now())
		req.setCookie(issued.token, int(left/time.Second))
	}
}

// End leaves the request without a session and clears the cookie.
func End(ctx context.Context) {
	req := from(ctx)
	req.set(nil)
	req.setCookie("", -1)
}

func from(ctx context.Context) *request {
	if req, ok := ctx.Value(contextKey{}).(*request); ok {
		return req
	}
	return &request{manager: &Manager{}, header: http.Header{}}
}

func (req *request) set(row *ent.Session) {
	req.mu.Lock()
	defer req.mu.Unlock()
	req.row, req.findErr = row, nil
}

// setCookie replaces what an earlier field of the same request has set.
func (req *request) setCookie(token string, maxAge int) {
	cookie := &http.Cookie{
		Name:     req.manager.cookieName(),
		Value:    token,
		Path:     "/",
		MaxAge:   maxAge,
		Secure:   req.manager.Secure,
		HttpOnly: true,
		SameSite: cmp.Or(req.manager.SameSite, http.SameSiteLaxMode),
	}
	req.header.Set("Set-Cookie", cookie.String())
}

// cookieName has the prefix that makes browsers refuse the cookie from a
// subdomain or over http (RFC 6265bis, section 4.1.3.2). It needs https.
func (m *Manager) cookieName() string {
	if m.Secure {
		return "__Host-nameplate_session"
	}
	return "nameplate_session"
}

func (m *Manager) token(r *http.Request) string {
	if token, ok := bearer(r); ok {
		return token
	}
	cookie, err := r.Cookie(m.cookieName())
	if err != nil {
		return ""
	}
	return cookie.Value
}

// ByCookie is whether the request has its token from a cookie, which a browser
// sends whoever asked it to.
func (m *Manager) ByCookie(r *http.Request) bool {
	_, isBearer := bearer(r)
	_, err := r.Cookie(m.cookieName())
	return err == nil && !isBearer
}

func bearer(r *http.Request) (token string, ok bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	// Another scheme is for a proxy in front of the server.
	return strings.TrimSpace(token), strings.EqualFold(scheme, "Bearer")
}

func clientOf(r *http.Request) Client {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	agent := r.UserAgent()
	return Client{
		IPAddress: host,
		Network:   clientaddr.Network(r.RemoteAddr),
		UserAgent: strings.ToValidUTF8(strings.ReplaceAll(agent[:min(len(agent), 256)], "\x00", ""), ""),
		Browser:   r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "",
	}
}
