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

const (
	// lingerTime is how long a connection that isn't kept goes on taking what the client
	// sends, and maxLinger how many bytes.
	lingerTime = 10 * time.Second
	maxLinger  = 64 << 20
	// A client may send a request byte by byte. Of each, maxShort reads may bring fewer than
	// shortRead bytes; after each further one, nothing is read for gatherTime, in which the
	// system gathers what comes.
	shortRead  = 1 << 10
	maxShort   = 100
	gatherTime = 5 * time.Millisecond
)

// newServer makes a server for a limitedListener.
func newServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           settleBodies(handler),
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
// which it has grace. That is enough for a request to come and to be done; what is cut off
// is an upload on a slow line, or an answer that is read slowly.
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

// limitedListener bounds how many connections are open at once: more wait. An address may
// have perAddress of them, and more from it are closed, so that it can't take them all. A
// proxy's has no such limit, since it brings many clients.
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
			return &connection{Conn: conn, listener: l, from: from}, nil
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
	listener *limitedListener
	from     netip.Prefix
	left     sync.Once
	read     atomic.Int64 // bytes
	short    atomic.Int64 // reads of a few bytes, in this request
	// lingers is whether the client may still be sending what nobody will read, and late
	// whether it had its time for that already.
	lingers, late atomic.Bool
}

// Read implements net.Conn.
func (c *connection) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.Add(int64(n))
	if err == nil && n < shortRead && c.short.Add(1) > maxShort {
		time.Sleep(gatherTime)
	}
	return n, err
}

// CloseWrite tells the client that nothing more comes, and reads on for a while: one whose
// connection is closed while it sends gets an error instead of the answer (RFC 9112,
// section 9.6). The bytes aren't looked at, so this costs little however they are framed.
// It ends when the server stops. net/http too calls it, where a header is too large.
func (c *connection) CloseWrite() error {
	c.lingers.Store(false)
	var err error
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		err = half.CloseWrite()
	}
	if !c.late.Load() {
		_ = c.SetReadDeadline(time.Now().Add(lingerTime)) // if this fails, so does reading
		defer context.AfterFunc(c.listener.listening, func() { _ = c.SetReadDeadline(time.Now()) })()
		_, _ = io.CopyN(io.Discard, c, maxLinger) // however it ends, it has
	}
	return err
}

// Close implements net.Conn. While the server stops it doesn't linger: net/http may close
// connections one after the other then, and while they are at work.
func (c *connection) Close() error {
	defer c.left.Do(func() { c.listener.leave(c.from) })
	if c.lingers.Load() && c.listener.listening.Err() == nil {
		_ = c.CloseWrite() // the client has its answer, or has left
	}
	return c.Conn.Close()
}

type connKey struct{}

func withConnection(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn)
}
