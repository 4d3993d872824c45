package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// The transports follow the specification of GraphQL over HTTP:
// https://graphql.github.io/graphql-over-http/draft/

const allowedMethods = "GET, HEAD, POST, OPTIONS"

// getTransport is a query in a URL.
type getTransport struct{ *runner }

// Supports implements graphql.Transport.
func (getTransport) Supports(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead
}

// Do implements graphql.Transport.
func (t getTransport) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	params, err := t.limits.parseURL(r.URL.RawQuery)
	if err != nil {
		t.refuse(w, r, exec, err)
		return
	}
	t.runInTime(w, r, exec, params)
}

// jsonTransport is a POST of application/json.
type jsonTransport struct{ *runner }

// Supports implements graphql.Transport.
func (jsonTransport) Supports(r *http.Request) bool {
	return r.Method == http.MethodPost && mediaType(r) == "application/json"
}

// Do implements graphql.Transport.
func (t jsonTransport) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	body, err := t.limits.readBody(r)
	if err != nil {
		t.refuse(w, r, exec, err)
		return
	}
	params, err := t.limits.parseParams(body)
	if err != nil {
		t.refuse(w, r, exec, err)
		return
	}
	t.runInTime(w, r, exec, params)
}

// noTransport is any request that the others don't take.
type noTransport struct{ *runner }

// Supports implements graphql.Transport.
func (noTransport) Supports(*http.Request) bool { return true }

// Do implements graphql.Transport.
func (t noTransport) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	switch r.Method {
	case http.MethodOptions: // the preflight of a listed origin doesn't come this far
		w.Header().Del("Content-Type")
		w.Header().Set("Allow", allowedMethods)
		w.WriteHeader(http.StatusNoContent)
	case http.MethodPost:
		w.Header().Set("Accept-Encoding", "identity") // RFC 9110, section 15.5.16
		t.refuse(w, r, exec, &codedError{
			codeUnsupportedMedia,
			"The body must be application/json, or multipart/form-data for an upload, in UTF-8 and not compressed.",
		})
	default:
		w.Header().Set("Allow", allowedMethods)
		t.refuse(w, r, exec, &codedError{codeMethodNotAllowed, "The method must be GET or POST."})
	}
}

// runner executes what the transports have read.
type runner struct {
	queries *queries
	limits  *RequestLimits
}

// runInTime is run for a request that is wholly there.
func (t *runner) runInTime(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, params *graphql.RawParams) {
	awaitAnswer(http.NewResponseController(w), t.limits.MaxTime)
	ctx, cancel := context.WithTimeout(r.Context(), t.limits.MaxTime)
	defer cancel()
	t.run(w, r.WithContext(ctx), exec, params)
}

// awaitAnswer puts off the deadline for reading of a request that was read to its end.
// net/http goes on reading, and takes a deadline that passes for a client that has left:
// what is done for it must not be cut short by it.
func awaitAnswer(conn *http.ResponseController, maxTime time.Duration) {
	// Where a connection has no deadlines, there is nothing to put off.
	_ = conn.SetReadDeadline(time.Now().Add(maxTime + answerWithin))
}

func (t *runner) run(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, params *graphql.RawParams) {
	ctx := r.Context()
	document, errs := t.queries.prepare(params.Query)
	if errs != nil {
		errs = errs[:min(len(errs), t.limits.MaxErrors)] // so that no more are worded
		write(w, t.limits.cut(exec.DispatchError(ctx, errs)))
		return
	}
	params.Headers = r.Header
	operation, errs := exec.CreateOperationContext(withDocument(ctx, document), params)
	if errs == nil {
		errs = checkVariables(t.queries.schema, operation)
	}
	if errs == nil && r.Method != http.MethodPost && operation.Operation.Operation != ast.Query {
		w.Header().Set("Allow", http.MethodPost)
		errs = gqlerror.List{gqlerror.Wrap(&codedError{codeMethodNotAllowed, "A mutation must be sent as a POST."})}
	}
	if errs != nil {
		write(w, t.limits.cut(exec.DispatchError(graphql.WithOperationContext(ctx, operation), errs)))
		return
	}
	responses, ctx := exec.DispatchOperation(ctx, operation)
	response := responses(ctx)
	if response == nil { // the time was up, or the client had left, before it began
		response = exec.DispatchError(ctx, gqlerror.List{gqlerror.Wrap(ctx.Err())})
	}
	write(w, t.limits.cut(response))
}

// refuse answers a request that is no GraphQL request.
func (t *runner) refuse(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, err error) {
	write(w, t.limits.cut(exec.DispatchError(r.Context(), gqlerror.List{gqlerror.Wrap(err)})))
}

func badRequest(message string) error { return &codedError{codeBadRequest, message} }

// readError is what reading a body failed with: it was too long, or it ended
// early.
func readError(err error) error {
	if tooLong, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &codedError{codePayloadTooLarge, fmt.Sprintf(
			"The body has more than %d bytes, counting what frames its parts and chunks.", tooLong.Limit)}
	}
	return badRequest("The request ended before it was complete.")
}
