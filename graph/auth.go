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
		current, err := session.Current(ctx)
		if err != nil {
			return nil, err
		}
		if maxAge != nil && now().Sub(current.AuthenticatedAt) > time.Duration(*maxAge)*time.Second {
			return nil, errReauthenticate
		}
		return next(ctx)
	}
}
