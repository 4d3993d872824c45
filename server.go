// Nameplate is a self-hosted user-profile server: one binary that gives an
// application its users' sessions, unique names, pictures and real-name
// verification over GraphQL.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"nameplate/ent"
	"nameplate/internal/account"
	"nameplate/internal/avatar"
	"nameplate/internal/blob"
	"nameplate/internal/blob/disk"
	"nameplate/internal/blob/kodo"
	"nameplate/internal/config"
	"nameplate/internal/database"
	"nameplate/internal/profile"
	"nameplate/internal/seal"
	"nameplate/internal/session"
	"nameplate/internal/throttle"
)

// version is set by the build: -ldflags "-X main.version=…".
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	unknown, err := config.Unknown(os.Environ())
	for _, name := range unknown {
		fmt.Fprintf(os.Stderr, "nameplate: warning: %s is not a setting of this version\n", name)
	}
	if err == nil {
		err = run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "nameplate:", err)
		os.Exit(1)
	}
}

// run is the program: it returns when its work is done or, as a server, when ctx
// is and the requests in flight have been answered.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	conf, command, err := config.Parse(args, getenv, stdout, stderr)
	if err != nil {
		return err
	}
	switch command {
	case config.Version:
		_, err = fmt.Fprintf(stdout, "nameplate %s (%s)\n", version, runtime.Version())
	case config.Serve:
		err = serve(ctx, conf, newLog(conf, stderr))
	case config.StorageCheck:
		err = checkStorage(ctx, conf, stdout)
	case config.StorageSweep:
		err = sweepStorage(ctx, conf, stdout)
	case config.UserResetPassword:
		err = resetPassword(ctx, conf, stdout)
	case config.None:
	}
	return err
}

// now is the clock of all services. PostgreSQL keeps microseconds, so a row must
// not hold more.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// serve opens what the server stands on, builds it, and serves until ctx is done.
// The address comes first: where it is taken, another server may be at work on the
// same data.
func serve(ctx context.Context, conf *config.Config, log *slog.Logger) (err error) {
	listener, err := net.Listen("tcp", conf.Addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	publicURL := publicURL(conf, listener.Addr().String())
	if err := os.MkdirAll(conf.Data, 0o700); err != nil {
		return fmt.Errorf("the data folder: %w", err)
	}
	store, media, err := openStore(conf, publicURL)
	if err != nil {
		return err
	}
	db, err := database.Open(ctx, conf.DatabaseURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	keys, err := profile.OpenKeys(ctx, db, conf.KeysetFile)
	if err != nil {
		return err
	}

	services := build(conf, log, publicURL, db, keys, store)
	if err := services.profiles.Pictures.UseDir(filepath.Join(conf.Data, "uploads")); err != nil {
		return err
	}
	handler, err := routes(services, media)
	if err != nil {
		return err
	}
	var background sync.WaitGroup
	sweeping, stopSweeping := context.WithCancel(context.WithoutCancel(ctx))
	background.Go(func() { services.profiles.Sweep(sweeping) })
	background.Go(func() { services.accounts.Sweep(sweeping, log) })
	log.Info("serving", "url", publicURL, "addr", listener.Addr().String(), "version", version, "data", conf.Data)
	perAddress := conf.MaxConnectionsPerAddress
	if !conf.Throttle.On() {
		log.Warn("anybody may guess at passwords, and send requests over connections, as often as they like: NAMEPLATE_THROTTLE is off")
		perAddress = 0
	}
	limited := limitConnections(listener, conf.MaxConnections, perAddress, conf.Proxies, log)
	err = serveHTTP(ctx, newServer(handler, log), limited, readTimeout+conf.Limits.MaxTime, log)
	stopSweeping()
	background.Wait()
	log.Info("stopped")
	return err
}

// services are what the routes lead to.
type services struct {
	conf      *config.Config
	log       *slog.Logger
	publicURL string
	sessions  *session.Manager
	accounts  *account.Service
	profiles  *profile.Service
}

func build(
	conf *config.Config, log *slog.Logger, publicURL string, db *ent.Client, keys *seal.Keys, store blob.Store,
) *services {
	cores := runtime.GOMAXPROCS(0)
	sessions := &session.Manager{
		DB:       db,
		Secure:   strings.HasPrefix(publicURL, "https:"),
		SameSite: sameSite[conf.CookieSameSite],
		Idle:     conf.SessionIdle,
		Absolute: conf.SessionAbsolute,
		Now:      now,
	}
	attempts := &throttle.Limiter{DB: db, Off: !conf.Throttle.On(), Now: now}
	pictures := avatar.NewProcessor(cores)
	pictures.MaxBytes = conf.Limits.MaxUpload
	profiles := &profile.Service{
		DB:         db,
		Store:      store,
		Keys:       keys,
		Pictures:   pictures,
		PublicURL:  publicURL,
		Attempts:   attempts,
		SweepAfter: conf.SweepAfter,
		Now:        now,
		Log:        log,
	}
	accounts := account.New(account.Options{
		DB:                db,
		Sessions:          sessions,
		Profiles:          profiles,
		Attempts:          attempts,
		Hashes:            cores,
		MinPasswordLength: conf.MinPasswordLength,
		MaxPasswordLength: conf.MaxPasswordLength,
		SignUpOpen:        conf.SignUp.On(),
		NameHold:          conf.NameHold,
		KeepEvents:        conf.KeepEvents,
		Now:               now,
	})
	return &services{conf, log, publicURL, sessions, accounts, profiles}
}

var sameSite = map[string]http.SameSite{
	"lax":    http.SameSiteLaxMode,
	"strict": http.SameSiteStrictMode,
	"none":   http.SameSiteNoneMode,
}

func newLog(conf *config.Config, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: conf.LogLevel}
	if conf.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// publicURL is what clients see the server as; where nothing is set, the address
// addr that it listens on, by a name that a browser can open.
func publicURL(conf *config.Config, addr string) string {
	if conf.PublicURL != "" {
		return conf.PublicURL
	}
	_, port, _ := net.SplitHostPort(addr)
	host, _, _ := net.SplitHostPort(conf.Addr)
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// openStore opens the store of the configuration. The handler serves its objects
// where this server is to do that, and is nil where another does.
func openStore(conf *config.Config, publicURL string) (blob.Store, http.Handler, error) {
	if k := conf.Storage.Kodo; k != nil {
		store, err := kodo.Open(kodo.Config{
			AccessKey: conf.KodoAccessKey.Reveal(),
			SecretKey: conf.KodoSecretKey.Reveal(),
			Bucket:    k.Bucket,
			Region:    k.Region,
			Endpoint:  k.Endpoint,
			Domain:    k.Domain,
			Private:   k.Private,
		})
		if err != nil {
			return nil, nil, fmt.Errorf("NAMEPLATE_STORAGE_URL or NAMEPLATE_KODO_…: %w", err)
		}
		return store, nil, nil
	}
	store, err := disk.Open(conf.Storage.Folder, publicURL+mediaPath)
	return store, store, err
}
