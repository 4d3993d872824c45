package main

import (
	_ "embed"
	"net/http"
	"time"

	"nameplate/graph"
	"nameplate/internal/httplog"
	"nameplate/internal/profile"
	"nameplate/web"
)

const (
	graphqlPath = "/graphql"
	mediaPath   = "/media"

	operationTimeout = 10 * time.Second
)

//go:embed schema.graphqls
var schema []byte

// routes are all URLs of the server. A request goes through, from the outside in:
// request id, access log and recovery; the route; and on the endpoint the refusal
// of other sites' requests and the session. media has the pictures, and is nil where
// another server does.
func routes(s *services, media http.Handler) (http.Handler, error) {
	sameOrigin := http.NewCrossOriginProtection()
	sameOrigin.SetDenyHandler(http.HandlerFunc(graph.RefuseCrossOrigin))
	// Same even where a proxy changes the Host header.
	if err := sameOrigin.AddTrustedOrigin(s.publicURL); err != nil {
		return nil, err
	}
	endpoint := graph.NewHandler(&graph.Resolver{Accounts: s.accounts, Profiles: s.profiles}, graph.Options{
		Introspection: s.conf.Introspection.On(), MaxTime: operationTimeout, Now: now, Log: s.log,
	})

	mux := http.NewServeMux()
	mux.Handle("POST "+graphqlPath, sameOrigin.Handler(s.sessions.Middleware(endpoint)))
	mux.HandleFunc("GET /schema.graphqls", serveSchema)
	mux.HandleFunc(profile.GeneratedPattern, profile.ServeGenerated)
	if media != nil {
		mux.Handle(mediaPath+"/", http.StripPrefix(mediaPath+"/", media))
	}
	if s.conf.Playground.On() {
		mux.Handle("GET /playground/", web.Playground(graphqlPath))
		mux.Handle("GET /{$}", http.RedirectHandler("/playground/", http.StatusFound))
	}
	return httplog.Middleware(s.log, mux), nil
}

func serveSchema(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/graphql; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(schema) // a client that has left is no error
}
