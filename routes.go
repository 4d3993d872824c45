package main

import (
	_ "embed"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/jub0bs/cors"
	"github.com/realclientip/realclientip-go"

	"nameplate/graph"
	"nameplate/internal/httplog"
	"nameplate/internal/profile"
	"nameplate/web"
)

const (
	graphqlPath = "/graphql"
	mediaPath   = "/media"
)

// preflightCache is how long a browser needn't ask again whether a page may use the
// API: as long as the most patient of them remember it.
const preflightCache = 24 * time.Hour

//go:embed schema.graphqls
var schema []byte

// routes are all URLs of the server. A request goes through, from the outside in:
// the client's address behind proxies; request id, access log and recovery; the route;
// and on the endpoint what graphqlEndpoint lists. media has the pictures, and is nil where
// another server does.
func routes(s *services, media http.Handler) (http.Handler, error) {
	endpoint, err := graphqlEndpoint(s)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(graphqlPath, endpoint)
	mux.HandleFunc("GET /schema.graphqls", serveSchema)
	mux.HandleFunc(profile.GeneratedPattern, profile.ServeGenerated)
	if media != nil {
		mux.Handle(mediaPath+"/", http.StripPrefix(mediaPath+"/", media))
	}
	if s.conf.Playground.On() {
		mux.Handle("GET /playground/", web.Playground(graphqlPath))
		mux.Handle("GET /{$}", http.RedirectHandler("/playground/", http.StatusFound))
	}
	handler, err := behindProxies(s.conf.TrustedProxies, s.log, httplog.Middleware(s.log, mux))
	if err != nil {
		return nil, fmt.Errorf("NAMEPLATE_TRUSTED_PROXIES: %w", err)
	}
	return handler, nil
}

// graphqlEndpoint answers GraphQL. A request goes through, from the outside in: what the
// browsers of listed origins must be told, the limit of its address's rate, the refusal
// of other origins' pages, and the session.
func graphqlEndpoint(s *services) (http.Handler, error) {
	handler := s.sessions.Middleware(graph.NewHandler(
		&graph.Resolver{Accounts: s.accounts, Profiles: s.profiles},
		graph.Options{
			Limits:        graph.RequestLimits(s.conf.Limits),
			Introspection: s.conf.Introspection.On(),
			Now:           now,
			Log:           s.log,
		}))
	// The server's own origin is listed, since a proxy may change the Host header.
	handler, err := graph.OwnPages(s.sessions, append([]string{s.publicURL}, s.conf.CORSOrigins...), handler)
	if err != nil {
		return nil, fmt.Errorf("NAMEPLATE_CORS_ORIGINS: %w", err)
	}
	if s.conf.Throttle.On() {
		if handler, err = graph.LimitRate(s.conf.MaxRate, handler); err != nil {
			return nil, err
		}
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

const forwardedFor = "X-Forwarded-For"

// behindProxies makes a request's RemoteAddr that of the client where trusted proxies
// have passed it on: the last address of X-Forwarded-For that is none of them.
func behindProxies(trusted []string, log *slog.Logger, next http.Handler) (http.Handler, error) {
	if len(trusted) == 0 {
		return warnOfProxy(log, next), nil
	}
	ranges, err := realclientip.AddressesAndRangesToIPNets(trusted...)
	if err != nil {
		return nil, err
	}
	strategy, err := realclientip.NewRightmostTrustedRangeStrategy(forwardedFor, ranges)
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, _, _ := net.SplitHostPort(r.RemoteAddr)
		// The peer is the last of them, and is looked at first: one that is not trusted
		// can claim nothing.
		forwarded := http.Header{forwardedFor: append(slices.Clone(r.Header.Values(forwardedFor)), peer)}
		if client := strategy.ClientIP(forwarded, r.RemoteAddr); client != "" {
			r.RemoteAddr = net.JoinHostPort(client, "0")
		}
		next.ServeHTTP(w, r)
	}), nil
}

// warnOfProxy tells once of what an operator should know: behind a proxy that isn't
// named, all clients share one address, and its rate.
func warnOfProxy(log *slog.Logger, next http.Handler) http.Handler {
	warn := sync.OnceFunc(func() {
		log.Warn("a request has X-Forwarded-For, which is not believed: if a proxy sends it, name that in NAMEPLATE_TRUSTED_PROXIES")
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(forwardedFor) != "" {
			warn()
		}
		next.ServeHTTP(w, r)
	})
}

func serveSchema(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/graphql; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(schema) // a client that has left is no error
}
