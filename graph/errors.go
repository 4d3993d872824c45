package graph

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"nameplate/internal/fault"
	"nameplate/internal/httplog"
	"nameplate/internal/session"
)

// What extensions.code may say. docs/errors.md lists them for clients.
const (
	codeUnauthenticated    = "UNAUTHENTICATED"
	codeReauthenticate     = "REAUTHENTICATION_REQUIRED"
	codeBadRequest         = "BAD_REQUEST"
	codeNotAcceptable      = "NOT_ACCEPTABLE"
	codeMethodNotAllowed   = "METHOD_NOT_ALLOWED"
	codeRateLimited        = "RATE_LIMITED"
	codePayloadTooLarge    = "PAYLOAD_TOO_LARGE"
	codeUnsupportedMedia   = "UNSUPPORTED_MEDIA_TYPE"
	codeForbidden          = "FORBIDDEN"
	codeServiceUnavailable = "SERVICE_UNAVAILABLE"
	codeTimeout            = "TIMEOUT"
	codeInternal           = "INTERNAL_SERVER_ERROR"
	codeParseFailed        = errcode.ParseFailed
	codeValidationFailed   = errcode.ValidationFailed
	codeNotPersisted       = "PERSISTED_QUERY_NOT_SUPPORTED"
	codeTooComplex         = "COMPLEXITY_LIMIT_EXCEEDED"
)

// codedError is an error whose text and code are meant for the client.
type codedError struct{ code, message string }

func (e *codedError) Error() string { return e.message }

func invalidValue(message string) error { return &codedError{codeValidationFailed, message} }

// presenter decides what a client reads of an error. What isn't known to be meant
// for clients is logged once and answered as an internal error with the request's id.
//
// No text that a person sent is repeated. Validation errors would quote values,
// parse errors the query; and even a name in a query may be a secret that was
// pasted in the wrong place, so of names only those that the schema has are left.
type presenter struct {
	log   *slog.Logger
	names map[string]bool // all that the schema has
}

// present implements graphql.ErrorPresenterFunc.
func (p *presenter) present(ctx context.Context, err error) *gqlerror.Error {
	located, _ := errors.AsType[*gqlerror.Error](err)
	out := newError(ctx, located)
	if coded, ok := errors.AsType[*codedError](err); ok {
		return withCode(out, coded.code, coded.message)
	}
	// What fails because the client has left, or because the time is up, need not
	// say so: a transaction that was rolled back doesn't.
	timeUp := errors.Is(context.Cause(ctx), context.DeadlineExceeded)
	ended := errors.Join(err, ctx.Err())
	busy, isBusy := errors.AsType[*fault.Unavailable](err)
	limited, isLimited := errors.AsType[*fault.RateLimited](err)
	switch {
	case errors.Is(err, session.ErrNone):
		return withCode(out, codeUnauthenticated, "Sign in first.")
	case errors.Is(err, session.ErrStale):
		return withCode(out, codeReauthenticate,
			"The password was entered too long ago. The mutation reauthenticate takes it again.")
	case located != nil && located.Err == nil:
		return p.presentQueryError(ctx, out, located)
	case errors.Is(err, errPanic): // logged already
	case errors.Is(ended, context.Canceled) && !timeUp: // nobody is there to read it, most often
		p.logError(ctx, slog.LevelInfo, "the client left", cause(err))
	case isBusy:
		p.logError(ctx, slog.LevelWarn, "unavailable", busy.Err)
		return later(out, codeServiceUnavailable, "The server is busy. Try again later.", busy.RetryAfter)
	case isLimited:
		return later(out, codeRateLimited, tooOften, limited.RetryAfter)
	case timeUp, errors.Is(err, context.DeadlineExceeded):
		return withCode(out, codeTimeout, "The request took too long.")
	default:
		p.logError(ctx, slog.LevelError, "internal error", cause(err))
	}
	out = withCode(out, codeInternal, "Something went wrong on the server.")
	out.Extensions["requestId"] = httplog.RequestID(ctx)
	return out
}

// newError is an error that says where in the response and in the query it
// belongs, and nothing yet of what it is.
func newError(ctx context.Context, located *gqlerror.Error) *gqlerror.Error {
	out := &gqlerror.Error{}
	if located != nil {
		out.Locations = located.Locations
	}
	// Not located.Path: of an argument, that leads beyond the field.
	if field := graphql.GetFieldContext(ctx); field != nil {
		out.Path = field.Path()
		if out.Locations == nil && field.Field.Field != nil {
			out.Locations = []gqlerror.Location{location(field.Field.Position)}
		}
	}
	return out
}

const tooOften = "This was asked too often. Try again later."

// later is withCode for what can succeed after a time, which is sent in seconds.
func later(e *gqlerror.Error, code, message string, retryAfter time.Duration) *gqlerror.Error {
	e = withCode(e, code, message)
	e.Extensions["retryAfter"] = int(math.Ceil(retryAfter.Seconds()))
	return e
}

func withCode(e *gqlerror.Error, code, message string) *gqlerror.Error {
	e.Message = message
	e.Extensions = map[string]any{"code": code}
	return e
}

// cause is the error without gqlgen's wrapping, whose text has the response's path
// and so aliases, which a client chooses.
func cause(err error) error {
	if located, ok := errors.AsType[*gqlerror.Error](err); ok {
		return located.Err
	}
	return err
}

// presentQueryError is for errors that gqlparser and gqlgen word themselves.
func (p *presenter) presentQueryError(ctx context.Context, out, err *gqlerror.Error) *gqlerror.Error {
	code, _ := err.Extensions["code"].(string)
	switch {
	case code == codeParseFailed:
		return withCode(out, codeParseFailed, "The query is not valid GraphQL.")
	case err.Rule != "":
		return withCode(out, codeValidationFailed, p.ruleMessage(err))
	case len(err.Path) > 1 && err.Path[0] == ast.PathName("variable"):
		return p.presentVariableError(ctx, out, err)
	}
	return withCode(out, codeValidationFailed,
		"There is no operation to run. Where the query has several, operationName must name one.")
}

// errPanic is what a panic becomes after it was logged.
var errPanic = errors.New("panic")

// recovered implements graphql.RecoverFunc.
func (p *presenter) recovered(ctx context.Context, panicked any) error {
	httplog.Panic(ctx, p.log, panicked)
	return errPanic
}

func (p *presenter) logError(ctx context.Context, level slog.Level, message string, err error) {
	attrs := []slog.Attr{slog.String("id", httplog.RequestID(ctx)), slog.String("error", err.Error())}
	if path := schemaPath(ctx); path != "" {
		attrs = append(attrs, slog.String("path", path))
	}
	p.log.LogAttrs(ctx, level, message, attrs...)
}

// schemaPath is the path of the field by the schema's names; the response's path
// has aliases, which a client chooses.
func schemaPath(ctx context.Context) string {
	var names []string
	for f := graphql.GetFieldContext(ctx); f != nil; f = f.Parent {
		if f.Field.Field != nil {
			names = append(names, f.Field.Name)
		}
	}
	slices.Reverse(names)
	return strings.Join(names, ".")
}
