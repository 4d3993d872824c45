package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"nameplate/internal/clientaddr"
)

// Slow clients hold a connection no longer than this.
const (
	headerTimeout  = 5 * time.Second
	readTimeout    = 30 * time.Second
	writeTimeout   = 30 * time.Second
	idleTimeout    = 60 * time.Second
	maxHeaderBytes = 32 << 10
)

// What a client still sends after its request was refused is thrown away for so long, and
// so many bytes of it.
const (
	lingerTime = 10 * time.Second
	maxLinger  = 64 << 20
)

// Of a body in small chunks, most is framing, which costs time to take apart. It may be a
// quarter of the body, and that much beside.
const maxFraming = 1 << 20

func newServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           lingerOverBodies(handler),
		ConnContext:       withConnection,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// serveHTTP serves until ctx is done, and then until what has begun is finished, for
// which it has grace: enough for every request but an upload on a slow line.
func serveHTTP(ctx context.Context, server *http.Server, listener net.Listener, grace time.Duration, log *slog.Logger) error {
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	finishing, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := server.Shutdown(finishing); err != nil {
		log.Warn("requests were cut off", "after", grace)
		return server.Close()
	}
	return nil
}

// limitedListener bounds how many connections are open: what comes beyond that waits, and
// is closed where it comes from an address that has enough of them, so that one address
// can't take them all. Those of proxies bring many clients.
type limitedListener struct {
	net.Listener
	slots     *semaphore.Weighted
	listening context.Context
	close     context.CancelFunc

	perAddress int // 0 is without a limit
	proxies    clientaddr.Proxies
	warn       func() // of an address that has enough

	mu   sync.Mutex
	open map[netip.Prefix]int
}

func limitConnections(listener net.Listener, most, perAddress int, proxies clientaddr.Proxies, log *slog.Logger) *limitedListener {
	listening, cancel := context.WithCancel(context.Background())
	return &limitedListener{
		Listener:   listener,
		slots:      semaphore.NewWeighted(int64(most)),
		listening:  listening,
		close:      cancel,
		perAddress: perAddress,
		proxies:    proxies,
		warn: sync.OnceFunc(func() {
			log.Warn("an address has too many connections, so more from it are closed: if it is a proxy, name it in NAMEPLATE_TRUSTED_PROXIES")
		}),
		open: map[netip.Prefix]int{},
	}
}

// Accept implements net.Listener.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		if err := l.slots.Acquire(l.listening, 1); err != nil {
			return nil, net.ErrClosed
		}
		conn, err := l.Listener.Accept()
		if err != nil {
			l.slots.Release(1)
			return nil, err
		}
		addr := conn.RemoteAddr().String()
		from := clientaddr.Network(addr)
		if l.admit(from, l.perAddress > 0 && !l.proxies.Has(addr)) {
			return &connection{Conn: conn, release: sync.OnceFunc(func() { l.leave(from) })}, nil
		}
		l.warn()
		_ = conn.Close() // nothing was sent
		l.slots.Release(1)
	}
}

// admit counts a connection, unless it is one too many.
func (l *limitedListener) admit(from netip.Prefix, limited bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if limited && l.open[from] >= l.perAddress {
		return false
	}
	l.open[from]++
	return true
}

// leave makes room for another connection.
func (l *limitedListener) leave(from netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[from]--
	if l.open[from] == 0 {
		delete(l.open, from)
	}
	l.slots.Release(1)
}

// Close implements net.Listener.
func (l *limitedListener) Close() error {
	l.close()
	return l.Listener.Close()
}

// connection is one that a limitedListener has accepted.
type connection struct {
	net.Conn
	release func()
	read    atomic.Int64 // bytes
	// lingers is whether the client may still be sending what nobody will read.
	lingers atomic.Bool
}

// Read implements net.Conn.
func (c *connection) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.Add(int64(n))
	return n, err
}

// CloseWrite tells the client that nothing more comes, and reads on for a while: one whose
// connection is closed while it sends gets an error instead of the answer (RFC 9112,
// section 9.6). The bytes aren't looked at, so this costs little however they are framed.
// net/http calls it where it has refused a request by itself.
func (c *connection) CloseWrite() error {
	c.lingers.Store(false)
	var err error
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		err = half.CloseWrite()
	}
	_ = c.SetReadDeadline(time.Now().Add(lingerTime)) // on error, so has reading
	_, _ = io.CopyN(io.Discard, c.Conn, maxLinger)    // at its end, or at the latest then
	return err
}

// Close implements net.Conn.
func (c *connection) Close() error {
	defer c.release()
	if c.lingers.Load() {
		_ = c.CloseWrite() // the client has its answer, or has left
	}
	return c.Conn.Close()
}

type connKey struct{}

func withConnection(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn)
}

// lingerOverBodies lets a connection linger where the handler has left some of the body,
// and so lets the answer go out before that has come. By itself, net/http would read on
// for up to 256 KB before the answer, and then close.
func lingerOverBodies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, ok := r.Context().Value(connKey{}).(*connection)
		if !ok || r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		body := &requestBody{ReadCloser: r.Body, conn: conn, before: conn.read.Load()}
		asked := *r // net/http looks at the request's own body
		asked.Body = body
		next.ServeHTTP(w, &asked)
		if body.ended {
			return
		}
		_ = http.NewResponseController(w).SetReadDeadline(time.Now()) // on error, so has reading
		// What has come already is read, so that a small body's connection is kept. A client
		// that asks before it sends would be told to.
		if body.begun || r.Header.Get("Expect") == "" {
			if _, err := io.Copy(io.Discard, body); err == nil {
				return
			}
		}
		conn.lingers.Store(true)
	})
}

// requestBody knows whether any of it was asked for, and whether there is more.
type requestBody struct {
	io.ReadCloser
	conn         *connection
	before       int64 // bytes of the connection
	length       int64
	begun, ended bool
}

// Read implements io.Reader.
func (b *requestBody) Read(p []byte) (int, error) {
	b.begun = true
	n, err := b.ReadCloser.Read(p)
	b.length += int64(n)
	b.ended = err != nil
	if limit := b.length + b.length/4 + maxFraming; err == nil && b.conn.read.Load()-b.before > limit {
		err = &http.MaxBytesError{Limit: limit}
	}
	return n, err
}
