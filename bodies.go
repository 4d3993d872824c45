package main

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

const (
	// settleTime is how long the rest of a body is waited for, and maxSettle how many bytes
	// of it are taken, where nobody reads it but the connection could be kept.
	settleTime = 5 * time.Millisecond
	maxSettle  = 64 << 10
	// maxFraming is how many bytes of a body may be framing, beside a quarter of its content:
	// of one in chunks of a byte, that is most of it, and takes long to take apart.
	maxFraming = 1 << 20
)

// settleBodies sees to what the handler has left of a body when it answers. By itself,
// net/http would take 256 KB of it apart before it sends the answer, and then close the
// connection on a client that still sends.
func settleBodies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn := r.Context().Value(connKey{}).(*connection)
		conn.short.Store(0)
		if r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		body := &requestBody{ReadCloser: r.Body, conn: conn, before: conn.read.Load()}
		settle := sync.OnceFunc(func() {
			late := body.late
			if late || !body.takeRest(w, r) {
				w.Header().Set("Connection", "close")
				conn.late.Store(late)
				conn.lingers.Store(!late)
			}
		})
		asked := *r // net/http looks at the body of its own
		asked.Body = body
		next.ServeHTTP(&settler{w, settle}, &asked)
		settle()
	})
}

// settler settles the body before the header goes out, which says whether the connection
// is kept.
type settler struct {
	http.ResponseWriter
	settle func()
}

// WriteHeader implements http.ResponseWriter.
func (s *settler) WriteHeader(status int) {
	s.settle()
	s.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (s *settler) Write(b []byte) (int, error) {
	s.settle()
	return s.ResponseWriter.Write(b)
}

// FlushError is for http.ResponseController.
func (s *settler) FlushError() error {
	s.settle()
	return http.NewResponseController(s.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController reach the connection.
func (s *settler) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// requestBody is a request's body that knows how far it was read.
type requestBody struct {
	io.ReadCloser
	conn   *connection
	before int64 // bytes of the connection
	length int64
	// begun is whether any of it was asked for, ended whether it has come to its end, and
	// late whether it didn't in time.
	begun, ended, late bool
}

// Read implements io.Reader.
func (b *requestBody) Read(p []byte) (int, error) {
	b.begun = true
	n, err := b.ReadCloser.Read(p)
	b.length += int64(n)
	b.ended, b.late = errors.Is(err, io.EOF), errors.Is(err, os.ErrDeadlineExceeded)
	if limit := b.length + b.length/4 + maxFraming; err == nil && b.conn.read.Load()-b.before > limit {
		err = &http.MaxBytesError{Limit: limit}
	}
	return n, err
}

// takeRest takes a short rest, so that the connection can be kept. It is false where more may
// come. A client that asks before it sends is not told to.
func (b *requestBody) takeRest(w http.ResponseWriter, r *http.Request) bool {
	if b.ended {
		return true
	}
	// Also for net/http, which reads a short rest before it closes. If it fails, so does reading.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(settleTime))
	if !b.begun && r.Header.Get("Expect") != "" {
		return false
	}
	_, _ = io.CopyN(io.Discard, b, maxSettle) // however it ends, it has
	return b.ended
}
