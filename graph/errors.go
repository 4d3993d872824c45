package graph

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"slices"
	"strings"

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
	codePayloadTooLarge    = "PAYLOAD_TOO_LARGE"
	codeUnsupportedMedia   = "UNSUPPORTED_MEDIA_TYPE"
	codeForbidden          = "FORBIDDEN"
	codeServiceUnavailable = "SERVICE_UNAVAILABLE"
	codeTimeout            = "TIMEOUT"
	codeInternal           = "INTERNAL_SERVER_ERROR"
	codeParseFailed        = errcode.ParseFailed
	codeValidationFailed   = errcode.ValidationFailed
)

// codedError is an error whose text and code are meant for the client.
type codedError struct{ code, message string }

func (e *codedError) Error() string { return e.message }

var errReauthenticate = &codedError{
	codeReauthenticate,
	"The password was entered too long ago. The mutation reauthenticate takes it again.",
}

func invalidValue(message string) error { return &codedError{codeValidationFailed, message} }

// presenter decides what a client reads of an error. What isn't known to be meant
// for clients is logged once and answered as an internal error with the
// request's id.
//
// No text that a person sent is repeated: validation errors would quote values,
// parse errors the query.
func presenter(log *slog.Logger) graphql.ErrorPresenterFunc {
	return func(ctx context.Context, err error) *gqlerror.Error {
		out := &gqlerror.Error{Path: graphql.GetPath(ctx)}
		located, isGraphQL := errors.AsType[*gqlerror.Error](err)
		if isGraphQL {
			out.Locations = located.Locations
			if located.Path != nil {
				out.Path = located.Path
			}
		}
		if coded, ok := errors.AsType[*codedError](err); ok {
			return withCode(out, coded.code, coded.message)
		}
		if busy, ok := errors.AsType[*fault.Unavailable](err); ok {
			logError(ctx, log, slog.LevelWarn, "unavailable", busy.Err)
			withCode(out, codeServiceUnavailable, "The server is busy. Try again later.")
			out.Extensions["retryAfter"] = int(math.Ceil(busy.RetryAfter.Seconds()))
			return out
		}
		switch {
		case errors.Is(err, session.ErrNone):
			return withCode(out, codeUnauthenticated, "Sign in first.")
		case errors.Is(err, errPanic): // logged already
		case errors.Is(err, context.Canceled): // the client has left
		case errors.Is(err, context.DeadlineExceeded):
			return withCode(out, codeTimeout, "The request took too long.")
		case isGraphQL && located.Err == nil:
			return presentQueryError(out, located)
		default:
			logError(ctx, log, slog.LevelError, "internal error", err)
		}
		withCode(out, codeInternal, "Something went wrong on the server.")
		out.Extensions["requestId"] = httplog.RequestID(ctx)
		return out
	}
}

func withCode(e *gqlerror.Error, code, message string) *gqlerror.Error {
	e.Message = message
	e.Extensions = map[string]any{"code": code}
	return e
}

// presentQueryError is for errors that gqlparser and gqlgen word themselves.
func presentQueryError(out, err *gqlerror.Error) *gqlerror.Error {
	code, _ := err.Extensions["code"].(string)
	switch {
	case code == codeParseFailed:
		return withCode(out, code, "The query is not valid GraphQL.")
	case slices.Contains(rulesThatQuoteNames, err.Rule):
		message, _, _ := strings.Cut(err.Message, " Did you mean")
		return withCode(out, codeValidationFailed, message)
	case err.Rule != "":
		return withCode(out, codeValidationFailed, "The query breaks the rule "+err.Rule+".")
	case len(err.Path) > 1 && err.Path[0] == ast.PathName("variable"):
		return presentVariableError(out, err)
	}
	return withCode(out, codeValidationFailed, "The request does not fit the schema.")
}

// rulesThatQuoteNames are the validation rules whose messages have names of the
// query and of the schema in them, but no values.
var rulesThatQuoteNames = []string{
	"FieldsOnCorrectTypeWithoutSuggestions",
	"KnownArgumentNames",
	"KnownDirectives",
	"KnownFragmentNames",
	"KnownTypeNames",
	"NoUndefinedVariables",
	"NoUnusedFragments",
	"NoUnusedVariables",
	"ProvidedRequiredArguments",
	"ScalarLeafsWithoutSuggestions",
	"UniqueInputFieldNames",
	"VariablesInAllowedPosition",
}

// presentVariableError names the variable, and of its inside what the schema
// names: the path may else hold a key that a person sent.
func presentVariableError(out, err *gqlerror.Error) *gqlerror.Error {
	path := err.Path[1:]
	reason := "has a value of the wrong type"
	switch err.Message {
	case "must be defined", "cannot be null":
		reason = err.Message
	case "unknown field":
		path, reason = path[:len(path)-1], "has an unknown field"
	}
	out.Path = nil
	return withCode(out, codeValidationFailed, "The variable "+path.String()+" "+reason+".")
}

// errPanic is what a panic becomes after it was logged.
var errPanic = errors.New("panic")

func recoverer(log *slog.Logger) graphql.RecoverFunc {
	return func(ctx context.Context, p any) error {
		httplog.Panic(ctx, log, p)
		return errPanic
	}
}

func logError(ctx context.Context, log *slog.Logger, level slog.Level, message string, err error) {
	attrs := []slog.Attr{slog.String("id", httplog.RequestID(ctx)), slog.String("error", err.Error())}
	if path := graphql.GetPath(ctx); path != nil {
		attrs = append(attrs, slog.String("path", schemaPath(ctx)))
	}
	log.LogAttrs(ctx, level, message, attrs...)
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
