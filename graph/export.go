package graph

import (
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"nameplate/internal/account"
	"nameplate/internal/httplog"
)

// NewExportHandler serves everything stored about the user who is asking, as a ZIP archive.
// Errors are those of the API. It must be called within the session middleware.
func NewExportHandler(accounts *account.Service, log *slog.Logger) http.Handler {
	presenter := &presenter{log: log}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			w.Header().Set("Allow", http.MethodGet)
			refuse(w, r, withCode(&gqlerror.Error{}, codeMethodNotAllowed, "The method must be GET."))
			return
		}
		export, err := accounts.Export(r.Context())
		if err != nil {
			answer := presenter.present(r.Context(), gqlerror.Wrap(err))
			if answer.Extensions["code"] == codeUnauthenticated {
				w.Header().Set("WWW-Authenticate", "Bearer") // RFC 9110, section 15.5.2
			}
			if seconds, ok := answer.Extensions["retryAfter"].(int); ok {
				w.Header().Set("Retry-After", strconv.Itoa(seconds))
			}
			refuse(w, r, answer)
			return
		}
		setHeader(w)
		w.Header().Set("Content-Type", "application/zip")
		w.Header().Set("Content-Disposition", `attachment; filename="nameplate.zip"`)
		if err := export.Write(r.Context(), &patientWriter{w, http.NewResponseController(w)}); err != nil {
			// The client must not take what it has for all of it.
			if r.Context().Err() == nil { // the client has not left
				httplog.Fail(r.Context(), err)
			}
			panic(http.ErrAbortHandler)
		}
	})
}

// patientWriter gives the client time for as long as it takes what is sent.
type patientWriter struct {
	http.ResponseWriter
	conn *http.ResponseController
}

// Write implements io.Writer.
func (w *patientWriter) Write(b []byte) (int, error) {
	// Where a connection has no deadlines, there is nothing to put off.
	_ = w.conn.SetWriteDeadline(time.Now().Add(answerWithin))
	return w.ResponseWriter.Write(b)
}
