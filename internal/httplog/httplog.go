// Package httplog gives every request an id, logs it in one line, and survives
// its panics.
//
// What a request says about a person is in no line: no query string, no body, no
// header, no address.
package httplog

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"
)

type contextKey struct{}

// request is what its line in the log has besides the answer.
type request struct {
	id  string
	err error
}

// RequestID is the id of the request; empty outside of one.
func RequestID(ctx context.Context) string {
	if r, ok := ctx.Value(contextKey{}).(*request); ok {
		return r.id
	}
	return ""
}

// Fail puts an error of the server's own into the request's line, for a handler that
// has no log. It is called before the handler returns, by one goroutine.
func Fail(ctx context.Context, err error) {
	if r, ok := ctx.Value(contextKey{}).(*request); ok {
		r.err = err
	}
}

// Middleware logs to log. The id is also the response's X-Request-Id, so that
// who reports an error can name it. A request's own X-Request-Id is not used: it
// would be a stranger's text in the log.
func Middleware(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		id := rand.Text()
		w.Header().Set("X-Request-Id", id)
		noted := &request{id: id}
		r = r.WithContext(context.WithValue(r.Context(), contextKey{}, noted))
		rec := &recorder{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			p := recover()
			if p != nil && p != http.ErrAbortHandler { //nolint:errorlint // a panic's value
				Panic(r.Context(), log, p)
				if !rec.wrote {
					rec.Header().Set("Cache-Control", "no-store") // whatever the handler meant to send
					rec.Header().Set("Content-Type", "application/json; charset=utf-8")
					rec.WriteHeader(http.StatusInternalServerError)
					_, _ = fmt.Fprintf(rec, internalError, id) // a client that has left is no error
					p = nil
				}
			}
			level, attrs := slog.LevelInfo, []slog.Attr{
				slog.String("id", id),
				slog.String("method", method(r)),
				slog.String("route", r.Pattern),
				slog.Int("status", rec.status),
				slog.Int64("bytes", rec.bytes),
				slog.Duration("took", time.Since(start)),
			}
			if noted.err != nil {
				level, attrs = slog.LevelError, append(attrs, slog.Any("error", noted.err))
			}
			log.LogAttrs(r.Context(), level, "request", attrs...)
			if p != nil {
				// Cuts the connection, so that the beginning of a response doesn't
				// pass for all of it.
				panic(http.ErrAbortHandler)
			}
		}()
		next.ServeHTTP(rec, r)
	})
}

// internalError is the answer to a request that has panicked, as GraphQL has it, for
// programs and people alike. It takes the request's id.
const internalError = `{"errors":[{"message":"Something went wrong on the server.",` +
	`"extensions":{"code":"INTERNAL_SERVER_ERROR","requestId":"%s"}}]}` + "\n"

// Panic logs a panic with its stack. Of what it panicked with, only the runtime's
// own errors are written out: any other text may hold what a person sent, so its
// type has to do.
func Panic(ctx context.Context, log *slog.Logger, p any) {
	what := fmt.Sprintf("%T", p)
	if err, ok := p.(runtime.Error); ok {
		what = err.Error()
	}
	log.LogAttrs(ctx, slog.LevelError, "panic",
		slog.String("id", RequestID(ctx)),
		slog.String("what", what),
		slog.String("stack", string(debug.Stack())))
}

// method is the request's if it is one that the server has a use for: any other
// is a stranger's text.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodOptions:
		return r.Method
	}
	return "other"
}

// recorder notes what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
	wrote  bool
}

func (r *recorder) WriteHeader(status int) {
	if !r.wrote {
		r.status, r.wrote = status, true
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	r.wrote = true
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// FlushError sends the header, which can't be taken back then.
func (r *recorder) FlushError() error {
	r.wrote = true
	return http.NewResponseController(r.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
