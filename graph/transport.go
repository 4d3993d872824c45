package graph

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

const (
	// maxJSON is how many bytes a request may have, its file not counted.
	maxJSON = 64 << 10
	// maxDrain is how many bytes of a body are thrown away after the answer.
	maxDrain = 64 << 20
	// drainWithin is how long that may take.
	drainWithin = 10 * time.Second
)

// jsonTransport is a POST of application/json.
type jsonTransport struct{ maxTime time.Duration }

// Supports implements graphql.Transport.
func (jsonTransport) Supports(r *http.Request) bool { return mediaType(r) == "application/json" }

// Do implements graphql.Transport.
func (t jsonTransport) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxJSON))
	if err != nil {
		refuse(w, r, exec, readError(err))
		return
	}
	params, err := parseParams(body)
	if err != nil {
		refuse(w, r, exec, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), t.maxTime)
	defer cancel()
	execute(w, r.WithContext(ctx), exec, params)
}

// noTransport is any request that the others don't take.
type noTransport struct{}

// Supports implements graphql.Transport.
func (noTransport) Supports(*http.Request) bool { return true }

// Do implements graphql.Transport.
func (noTransport) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	refuse(w, r, exec, &codedError{
		codeUnsupportedMedia,
		"The body must be application/json, or multipart/form-data for an upload.",
	})
}

func mediaType(r *http.Request) string {
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")) // on error: ""
	return mediaType
}

// parseParams reads a GraphQL request from JSON. What is wrong is not quoted: it
// may be a person's.
func parseParams(body []byte) (*graphql.RawParams, error) {
	// Not RawParams itself: it would take "headers" from the body too.
	var in struct {
		Query         *string        `json:"query"`
		OperationName string         `json:"operationName"`
		Variables     map[string]any `json:"variables"`
		Extensions    map[string]any `json:"extensions"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, &codedError{codeBadRequest, "The request must be one JSON object with query (a string) and, where needed, variables (an object) and operationName (a string)."}
	}
	if in.Query == nil {
		return nil, &codedError{codeBadRequest, "The request has no query."}
	}
	return &graphql.RawParams{
		Query:         *in.Query,
		OperationName: in.OperationName,
		Variables:     in.Variables,
		Extensions:    in.Extensions,
	}, nil
}

func execute(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, params *graphql.RawParams) {
	ctx := r.Context()
	params.Headers = r.Header
	operation, errs := exec.CreateOperationContext(ctx, params)
	if errs == nil {
		errs = checkConditions(operation)
	}
	if errs != nil {
		write(w, http.StatusOK, exec.DispatchError(graphql.WithOperationContext(ctx, operation), errs))
		return
	}
	responses, ctx := exec.DispatchOperation(ctx, operation)
	response := responses(ctx)
	if response == nil { // the time was up, or the client had left, before it began
		response = exec.DispatchError(ctx, gqlerror.List{gqlerror.Wrap(ctx.Err())})
	}
	write(w, http.StatusOK, response)
}

// refuse answers a request that is no GraphQL request.
func refuse(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, err error) {
	status := http.StatusInternalServerError
	if coded, ok := errors.AsType[*codedError](err); ok {
		status = statuses[coded.code]
	}
	write(w, status, exec.DispatchError(r.Context(), gqlerror.List{gqlerror.Wrap(err)}))
}

// RefuseCrossOrigin answers a request that a page of another site has made with
// the user's cookie.
func RefuseCrossOrigin(w http.ResponseWriter, _ *http.Request) {
	refusal := withCode(&gqlerror.Error{}, codeForbidden, "A page of another origin may not use this server.")
	setHeader(w)
	write(w, http.StatusForbidden, &graphql.Response{Errors: gqlerror.List{refusal}})
}

var statuses = map[string]int{
	codeBadRequest:       http.StatusBadRequest,
	codePayloadTooLarge:  http.StatusRequestEntityTooLarge,
	codeUnsupportedMedia: http.StatusUnsupportedMediaType,
}

// readError is what reading a body failed with: it was too long, or it ended
// early.
func readError(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &codedError{codePayloadTooLarge, "The request is too large."}
	}
	return &codedError{codeBadRequest, "The request ended before it was complete."}
}

// setHeader says what all answers are. What a session reads is nobody else's.
func setHeader(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
}

func write(w http.ResponseWriter, status int, response *graphql.Response) {
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	// Not graphql.Response itself: it has data, as null, also where nothing was
	// executed (GraphQL specification, section 7.1).
	_ = encoder.Encode(struct { // a client that has left is no error
		Errors     gqlerror.List   `json:"errors,omitempty"`
		Data       json.RawMessage `json:"data,omitempty"`
		Extensions map[string]any  `json:"extensions,omitempty"`
	}{response.Errors, response.Data, response.Extensions})
}

// requestBody knows whether any of it was asked for, and whether there is more.
type requestBody struct {
	io.ReadCloser
	begun, ended bool
}

func (b *requestBody) Read(p []byte) (int, error) {
	b.begun = true
	n, err := b.ReadCloser.Read(p)
	b.ended = err != nil
	return n, err
}

// drain reads what is left of a body, and throws it away: a client that is still
// sending too much comes to read why it was refused, where one whose connection is
// closed meanwhile sees only that. The answer goes out after it, so it takes little
// time; and a client that waits to be told to send is not waited for.
func (b *requestBody) drain(w http.ResponseWriter, r *http.Request) {
	if b.ended || !b.begun && r.Header.Get("Expect") != "" {
		return
	}
	conn := http.NewResponseController(w)
	// Where a connection has no deadlines, there is nothing to change.
	_ = conn.SetReadDeadline(time.Now().Add(drainWithin))
	_ = conn.SetWriteDeadline(time.Now().Add(answerWithin))
	_, _ = io.CopyN(io.Discard, b.ReadCloser, maxDrain) // what fails here was answered already
}
