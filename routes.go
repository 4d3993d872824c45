package main

import (
	_ "embed"
	"fmt"
	"net/http"
	"time"

	"github.com/jub0bs/cors"

	"nameplate/graph"
	"nameplate/internal/httplog"
	"nameplate/internal/profile"
	"nameplate/web"
)

const (
	graphqlPath = "/graphql"
	mediaPath   = "/media"
	exportPath  = "/me/export"
	resetPath   = "/reset-password"
)

// preflightCache is how long a browser needn't ask again whether a page may use the
// API: as long as the most patient of them remember it.
const preflightCache = 24 * time.Hour

//go:embed schema.graphqls
var schema []byte

// routes are all URLs of the server. A request goes through, from the outside in:
// the client's address behind proxies; request id, access log and recovery; the route;
// and where a user's data are what protect lists. media has the pictures, and is nil where
// another server does.
func routes(s *services, media http.Handler) (http.Handler, error) {
	endpoint, err := protect(s, false, graphqlEndpoint(s))
	if err != nil {
		return nil, err
	}
	// What follows a link there lands with the person, so no more is asked of it than of curl.
	export, err := protect(s, true, graph.NewExportHandler(s.accounts, s.log))
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(graphqlPath, endpoint)
	mux.Handle(exportPath, export)
	mux.HandleFunc("GET /schema.graphqls", serveSchema)
	mux.HandleFunc(profile.GeneratedPattern, profile.ServeGenerated)
	if media != nil {
		mux.Handle(mediaPath+"/", http.StripPrefix(mediaPath+"/", media))
	}
	if s.conf.Playground.On() {
		mux.Handle("GET /playground/", web.Playground(graphqlPath))
		mux.Handle("GET /{$}", http.RedirectHandler("/playground/", http.StatusFound))
	}
	if s.conf.Web.On() {
		page := web.ResetPassword()
		mux.Handle("GET "+resetPath, page)
		mux.Handle("GET "+resetPath+"/", page)
	}
	return s.conf.Proxies.Middleware(s.log, httplog.Middleware(s.log, mux)), nil
}

func graphqlEndpoint(s *services) http.Handler {
	return graph.NewHandler(
		&graph.Resolver{Accounts: s.accounts, Profiles: s.profiles},
		graph.Options{
			Limits:        graph.RequestLimits(s.conf.Limits),
			Introspection: s.conf.Introspection.On(),
			Now:           now,
			Log:           s.log,
		})
}

// protect is what a request for what is a user's goes through, from the outside in: what the
// browsers of listed origins must be told, the refusal of other origins' pages (which
// would use up their visitors' rates), the limit of its address's rate, and the session.
func protect(s *services, unmarked bool, handler http.Handler) (http.Handler, error) {
	handler = s.sessions.Middleware(handler)
	if s.conf.Throttle.On() {
		handler = graph.LimitRate(s.conf.MaxRate, handler)
	}
	// The server's own origin is listed, since a proxy may change the Host header.
	handler, err := graph.OwnPages(s.sessions, append([]string{s.publicURL}, s.conf.CORSOrigins...), unmarked, handler)
	if err != nil {
		return nil, fmt.Errorf("NAMEPLATE_PUBLIC_URL or NAMEPLATE_CORS_ORIGINS: %w", err)
	}
	if len(s.conf.CORSOrigins) == 0 {
		return handler, nil
	}
	sharing, err := cors.NewMiddleware(cors.Config{
		Origins:         s.conf.CORSOrigins,
		Credentialed:    true,
		RequestHeaders:  []string{"*"},
		ResponseHeaders: []string{"X-Request-Id", "Retry-After"},
		MaxAgeInSeconds: int(preflightCache.Seconds()),
	})
	if err != nil {
		return nil, fmt.Errorf("NAMEPLATE_CORS_ORIGINS: %w", err)
	}
	return sharing.Wrap(handler), nil
}

func serveSchema(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/graphql; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(schema) // a client that has left is no error
}
