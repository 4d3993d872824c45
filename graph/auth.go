package graph

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"nameplate/internal/session"
)

// auth is the directive @auth: the field is resolved only for a request with a
// live session and, where maxAge is given, one in which the password was entered
// no more than so many seconds ago.
func auth(now func() time.Time) func(context.Context, any, graphql.Resolver, *int) (any, error) {
	return func(ctx context.Context, _ any, next graphql.Resolver, maxAge *int) (any, error) {
		if _, err := session.Current(ctx); err != nil {
			return nil, err
		}
		if maxAge != nil {
			if err := session.Fresh(ctx, now(), time.Duration(*maxAge)*time.Second); err != nil {
				return nil, err
			}
		}
		return next(ctx)
	}
}
