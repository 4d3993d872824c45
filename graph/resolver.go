// Package graph is the GraphQL transport: it reads requests, asks the services
// and writes responses. Nothing is decided here but who may ask.
package graph

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"nameplate/internal/account"
	"nameplate/internal/profile"
)

// Resolver answers the fields of the schema by asking the services.
type Resolver struct {
	Accounts *account.Service
	Profiles *profile.Service
}

// Options of NewHandler.
type Options struct {
	// Limits bound what a request may be.
	Limits RequestLimits
	// Introspection is whether clients may ask for the schema.
	Introspection bool
	// Now is the clock that @auth(maxAge:) goes by.
	Now func() time.Time
	Log *slog.Logger
}

// NewHandler serves GraphQL over HTTP. It must be called within the session
// middleware, which says who is asking.
func NewHandler(resolver *Resolver, o Options) http.Handler {
	schema := servedSchema()
	server := handler.New(NewExecutableSchema(Config{
		Schema:     schema,
		Resolvers:  resolver,
		Directives: DirectiveRoot{Auth: auth(o.Now)},
	}))
	run := &runner{queries: newQueries(schema, &o.Limits, o.Introspection), limits: &o.Limits}
	server.AddTransport(getTransport{run})
	server.AddTransport(jsonTransport{run})
	server.AddTransport(multipartTransport{run})
	server.AddTransport(noTransport{run})
	server.SetQueryCache(prepared{})
	errors := &presenter{log: o.Log, names: namesOf(schema)}
	server.SetErrorPresenter(errors.present)
	server.SetRecoverFunc(errors.recovered)
	if o.Introspection {
		server.Use(extension.Introspection{})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setHeader(w) // here, since after a panic it is gqlgen that answers
		if !negotiate(w, r) {
			write(w, &graphql.Response{Errors: gqlerror.List{withCode(&gqlerror.Error{}, codeNotAcceptable,
				"The response can be application/graphql-response+json or application/json.")}})
			return
		}
		server.ServeHTTP(w, r)
	})
}
