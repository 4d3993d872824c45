package main

import (
	_ "embed"
	"log/slog"
	"net/http"

	"nameplate/graph"
	"nameplate/internal/config"
	"nameplate/internal/httplog"
	"nameplate/internal/profile"
	"nameplate/internal/session"
	"nameplate/web"
)

const (
	graphqlPath = "/graphql"
	mediaPath   = "/media"
)

//go:embed schema.graphqls
var schema []byte

// services are what the routes lead to.
type services struct {
	conf      *config.Config
	log       *slog.Logger
	publicURL string
	sessions  *session.Manager
	resolver  *graph.Resolver
	media     http.Handler // nil where another server has the pictures
}

// routes are all URLs of the server. A request goes through, from the outside in:
// request id, access log and recovery; the route; and on the endpoint the refusal
// of other sites' requests and the session.
func routes(s *services) (http.Handler, error) {
	sameOrigin := http.NewCrossOriginProtection()
	sameOrigin.SetDenyHandler(http.HandlerFunc(graph.RefuseCrossOrigin))
	// Same even where a proxy changes the Host header.
	if err := sameOrigin.AddTrustedOrigin(s.publicURL); err != nil {
		return nil, err
	}
	endpoint := graph.NewHandler(s.resolver, graph.Options{
		Introspection: s.conf.Introspection.On(), Now: now, Log: s.log,
	})

	mux := http.NewServeMux()
	mux.Handle("POST "+graphqlPath, sameOrigin.Handler(s.sessions.Middleware(endpoint)))
	mux.HandleFunc("GET /schema.graphqls", serveSchema)
	mux.HandleFunc(profile.GeneratedPattern, profile.ServeGenerated)
	if s.media != nil {
		mux.Handle(mediaPath+"/", http.StripPrefix(mediaPath+"/", s.media))
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
