package graph

import (
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"

	"nameplate/internal/fault"
)

// userErrors splits what a service returned into what a person can put right,
// for the payload, and the rest, for the response's own errors. under is the
// argument that the faults' fields are fields of; none when they are arguments
// themselves.
func userErrors(ctx context.Context, err error, under ...string) ([]UserError, error) {
	list := []UserError{}
	for _, err := range flatten(err) {
		f, ok := errors.AsType[*fault.Error](err)
		if !ok {
			return nil, err
		}
		list = append(list, newUserError(ctx, f, under))
	}
	return list, nil
}

// flatten takes apart what errors.Join has joined: a service tells of all inputs
// at fault at once.
func flatten(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, err := range joined.Unwrap() {
			all = append(all, flatten(err)...)
		}
		return all
	}
	return []error{err}
}

func newUserError(ctx context.Context, f *fault.Error, under []string) UserError {
	out := UserError{Code: f.Code, Message: message(acceptLanguage(ctx), f)}
	if f.Field != "" {
		out.Field = append(append([]string{}, under...), f.Field)
	}
	if f.Limit != 0 {
		out.Limit = &f.Limit
	}
	return out
}

func acceptLanguage(ctx context.Context) string {
	return beginning(graphql.GetOperationContext(ctx).Headers.Get("Accept-Language"))
}
