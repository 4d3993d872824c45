// Package graph is the GraphQL transport: it reads requests, asks the services
// and writes responses. Nothing is decided here but who may ask.
package graph

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"

	"nameplate/internal/account"
	"nameplate/internal/profile"
)

// Bounds of a query.
const (
	maxTokens     = 1000
	cachedQueries = 1000
)

// Resolver answers the fields of the schema by asking the services.
type Resolver struct {
	Accounts *account.Service
	Profiles *profile.Service
}

// Options of NewHandler.
type Options struct {
	// Introspection is whether clients may ask for the schema.
	Introspection bool
	// MaxTime is how long an operation may take. An upload's time is bounded by how
	// its file moves instead.
	MaxTime time.Duration
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
	server.AddTransport(jsonTransport{o.MaxTime})
	server.AddTransport(multipartTransport{})
	server.AddTransport(noTransport{})
	server.SetQueryCache(lru.New[*ast.QueryDocument](cachedQueries))
	server.SetParserTokenLimit(maxTokens)
	server.SetDisableSuggestion(true)
	server.SetValidationRulesFn(validationRules(o.Introspection))
	errors := &presenter{log: o.Log, names: namesOf(schema)}
	server.SetErrorPresenter(errors.present)
	server.SetRecoverFunc(errors.recovered)
	if o.Introspection {
		server.Use(extension.Introspection{})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := &requestBody{ReadCloser: r.Body}
		r.Body = body
		defer body.drain(w, r)
		setHeader(w) // here, since after a panic it is gqlgen that answers
		server.ServeHTTP(w, r)
	})
}
