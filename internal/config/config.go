// Package config reads the command line and the environment, once.
//
// A setting is a field of Config. Its flag and its variable are told from the
// field's name: PublicURL is --public-url and NAMEPLATE_PUBLIC_URL; the flag wins.
// A secret has no flag, because other users of a machine can read command lines.
package config

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"nameplate/internal/clientaddr"
)

// Config is the settings of the server. docs/config.md is about each of them.
type Config struct {
	Addr          string        `default:"localhost:8080" help:"Address to listen on, HOST:PORT." placeholder:"HOST:PORT"`
	PublicURL     string        `help:"What browsers and clients see the server as, such as https://id.example.com (default: http:// and the address listened on)." placeholder:"URL"`
	Data          string        `default:"./data" help:"Folder for the database, the pictures and the keys, unless they are set separately." placeholder:"FOLDER"`
	DatabaseURL   string        `help:"File of the SQLite database (default: nameplate.db in the data folder)." placeholder:"FILE"`
	StorageURL    string        `help:"Folder for pictures, or kodo://BUCKET?region=ID&domain=URL&private=BOOL (default: media in the data folder)." placeholder:"URL"`
	KeysetFile    string        `help:"File with the keys that seal verifications, made when there is none (default: keyset.json in the data folder)." placeholder:"FILE"`
	SweepAfter    time.Duration `default:"1h" help:"How long a picture may be referred to by nothing before it is deleted, at least 1s." placeholder:"DURATION"`
	SignUp        Switch        `default:"on" enum:"on,off" help:"Whether users may sign up, on or off." placeholder:"on|off"`
	NameHold      time.Duration `default:"720h" help:"How long nobody may take the name of a user who was deleted; 0 turns it off." placeholder:"DURATION"`
	KeepEvents    time.Duration `default:"4320h" help:"How long events of users are kept, at least 1h." placeholder:"DURATION"`
	Introspection Switch        `default:"on" enum:"on,off" help:"Whether clients may ask for the schema, on or off." placeholder:"on|off"`
	Playground    Switch        `default:"on" enum:"on,off" help:"Whether /playground is served, on or off." placeholder:"on|off"`
	Web           Switch        `default:"on" enum:"on,off" help:"Whether pages for people, such as that of a reset link, are served, on or off." placeholder:"on|off"`

	SessionIdle       time.Duration `default:"168h" help:"How long a session lives without a request, at least 5m." placeholder:"DURATION"`
	SessionAbsolute   time.Duration `default:"720h" help:"How long a session lives however much it is used, at least 5m and at most 9600h." placeholder:"DURATION"`
	MinPasswordLength int           `default:"8" help:"Characters that a new password has at least." placeholder:"N"`
	MaxPasswordLength int           `default:"256" help:"Characters that a new password has at most, up to 4096." placeholder:"N"`

	Limits                   Limits   `embed:"" group:"What a GraphQL request may have at most:"`
	MaxRate                  int      `default:"100" help:"Requests to /graphql from one address, a second; ten times as many at once." placeholder:"N"`
	MaxConnections           int      `default:"4096" help:"Connections at once. What comes beyond waits." placeholder:"N"`
	MaxConnectionsPerAddress int      `default:"256" help:"Connections at once from one address. What comes beyond is closed." placeholder:"N"`
	Throttle                 Switch   `default:"on" enum:"on,off" help:"Whether guesses at passwords, and the requests and connections of an address, are limited, on or off." placeholder:"on|off"`
	TrustedProxies           []string `help:"Addresses or networks of proxies whose X-Forwarded-For is believed, such as 127.0.0.1,192.0.2.10." placeholder:"ADDRESS"`
	CORSOrigins              []string `name:"cors-origins" help:"Origins of pages that may use the API with the user's cookie, such as https://app.example.com." placeholder:"ORIGIN"`
	CookieSameSite           string   `name:"cookie-samesite" default:"lax" enum:"lax,strict,none" help:"From where browsers send the session cookie: lax, strict or none." placeholder:"lax|strict|none"`

	LogLevel  slog.Level `default:"info" help:"Minimum level to log: debug, info, warn or error." placeholder:"LEVEL"`
	LogFormat string     `default:"text" enum:"text,json" help:"How lines are logged: text or json." placeholder:"text|json"`

	KodoAccessKey Secret `kong:"-"`
	KodoSecretKey Secret `kong:"-"`

	// UserName is the user whom the command is about.
	UserName string `kong:"-"`
	// Storage is StorageURL, read.
	Storage Storage `kong:"-"`
	// Proxies is TrustedProxies, read.
	Proxies clientaddr.Proxies `kong:"-"`
}

// secrets are the variables without a flag; each may instead be the name of a
// file in the variable with _FILE behind it.
var secrets = []string{"NAMEPLATE_KODO_ACCESS_KEY", "NAMEPLATE_KODO_SECRET_KEY"}

// Storage says where pictures are kept: in a folder or in a bucket of Qiniu Kodo.
type Storage struct {
	Folder string
	Kodo   *Kodo
}

// Kodo is a bucket of Qiniu Kodo.
type Kodo struct {
	Bucket, Region, Endpoint, Domain string
	Private                          bool
}

// Command is what the command line asks for.
type Command string

// The commands. None is what --help has answered already.
const (
	None              Command = ""
	Serve             Command = "serve"
	StorageCheck      Command = "storage check"
	StorageSweep      Command = "storage sweep"
	UserResetPassword Command = "user reset-password"
	Version           Command = "version"
)

// Parse reads the command line, without the program's name, and the environment.
// Help goes to stdout.
func Parse(args []string, getenv func(string) string, stdout, stderr io.Writer) (*Config, Command, error) {
	var cli commandLine
	helped := false
	parser, err := newParser(&cli, getenv,
		kong.Writers(stdout, stderr), kong.Exit(func(int) { helped = true }))
	if err != nil {
		return nil, None, err
	}
	parsed, err := parser.Parse(args)
	switch {
	case helped:
		return nil, None, nil
	case err != nil:
		return nil, None, errors.New(nameVariables(err.Error(), args))
	}
	// kong has the arguments in it: "user reset-password <name>".
	command, _, _ := strings.Cut(parsed.Command(), " <")
	var config *Config
	switch Command(command) {
	case Version:
		return nil, Version, nil
	case StorageCheck, StorageSweep:
		config = &cli.Storage.Config
	case UserResetPassword:
		config = &cli.User.Config
		config.UserName = cli.User.ResetPassword.Name
	default:
		config = &cli.Serve.Config
	}
	if err := errors.Join(config.complete(getenv), checkNumbers(parsed.Flags())); err != nil {
		return nil, None, err
	}
	return config, Command(command), nil
}

type commandLine struct {
	Serve struct {
		Config
	} `cmd:"" default:"withargs" help:"Run the server (the default)."`
	Storage struct {
		Config
		Check struct{} `cmd:"" help:"Put a picture into the storage, read it as a browser would, and delete it. For a folder the server must be running."`
		Sweep struct{} `cmd:"" help:"Delete now what the running server would delete by itself: pictures that nothing has referred to for NAMEPLATE_SWEEP_AFTER."`
	} `cmd:"" help:"Check the storage of pictures, or sweep it. The settings are those of serve."`
	User struct {
		Config
		ResetPassword struct {
			Name string `arg:"" help:"The user's name, in any spelling."`
		} `cmd:"" help:"Make a link by which the user, or who else has it, can set a new password once, within a day."`
	} `cmd:"" help:"Act on a user. The settings are those of serve."`
	Version struct{} `cmd:"" help:"Print the version."`
}

func newParser(cli *commandLine, getenv func(string) string, options ...kong.Option) (*kong.Kong, error) {
	fromEnvironment := func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		if value := getenv(variable(flag)); value != "" {
			return value, nil
		}
		return nil, nil //nolint:nilnil // kong's way of saying: not set
	}
	return kong.New(cli, append([]kong.Option{
		kong.Name("nameplate"),
		kong.Description("A self-hosted user-profile server."),
		kong.Resolvers(kong.ResolverFunc(fromEnvironment)),
		kong.ValueFormatter(func(value *kong.Value) string {
			if value.Flag == nil || value.Flag.Name == "help" {
				return value.Help
			}
			help := value.Help
			if value.HasDefault {
				help += " Default: " + value.Default + "."
			}
			return help + " ($" + variable(value.Flag) + ")"
		}),
	}, options...)...)
}

var flagName = regexp.MustCompile(`--[a-z-]+`)

// nameVariables calls the settings in kong's message by their variables where no
// flag was given.
func nameVariables(message string, args []string) string {
	return flagName.ReplaceAllStringFunc(message, func(flag string) string {
		given := slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, flag) })
		if given {
			return flag
		}
		return variableOf(strings.TrimPrefix(flag, "--"))
	})
}

func variable(flag *kong.Flag) string { return variableOf(flag.Name) }

func variableOf(flag string) string {
	return "NAMEPLATE_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// Variables are the names of all variables that are read, sorted.
func Variables() ([]string, error) {
	var cli commandLine
	parser, err := newParser(&cli, func(string) string { return "" })
	if err != nil {
		return nil, err
	}
	var names []string
	for _, command := range parser.Model.Children {
		for _, flag := range command.Flags {
			names = append(names, variable(flag))
		}
	}
	for _, name := range secrets {
		names = append(names, name, name+"_FILE")
	}
	slices.Sort(names)
	return slices.Compact(names), nil // commands have settings in common
}

// Unknown returns the names among environ, as of os.Environ, that begin like a
// setting and are none: a slip, or a setting of another version.
func Unknown(environ []string) ([]string, error) {
	known, err := Variables()
	if err != nil {
		return nil, err
	}
	var unknown []string
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "NAMEPLATE_") && !slices.Contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	return unknown, nil
}

// complete fills in the defaults that depend on other settings and checks them
// all.
func (c *Config) complete(getenv func(string) string) error {
	var accessErr, secretErr, storageErr, databaseErr error
	c.KodoAccessKey, accessErr = readSecret(getenv, secrets[0])
	c.KodoSecretKey, secretErr = readSecret(getenv, secrets[1])
	c.Storage, storageErr = parseStorage(c.StorageURL, filepath.Join(c.Data, "media"))
	c.DatabaseURL, databaseErr = parseDatabase(c.DatabaseURL, filepath.Join(c.Data, "nameplate.db"))
	if c.KeysetFile == "" {
		c.KeysetFile = filepath.Join(c.Data, "keyset.json")
	}
	if c.Storage.Kodo != nil {
		accessErr = errors.Join(accessErr, requireSecret(secrets[0], c.KodoAccessKey))
		secretErr = errors.Join(secretErr, requireSecret(secrets[1], c.KodoSecretKey))
	}
	return errors.Join(accessErr, secretErr, storageErr, databaseErr, c.checkDurations(), c.checkPasswordLengths(),
		checkAddr(c.Addr), c.checkPublicURL(), c.checkSameSite(), c.checkOrigins(), c.parseProxies())
}

func parseDatabase(value, fallback string) (string, error) {
	if value == "" {
		return fallback, nil
	}
	path := strings.TrimPrefix(value, "sqlite:")
	if path == "" || strings.Contains(value, "://") {
		// Not quoted: such a URL has a password in it.
		return "", errors.New("NAMEPLATE_DATABASE_URL must be a file's path, with or without sqlite: in front: SQLite is the only database")
	}
	return path, nil
}

func parseStorage(value, fallback string) (Storage, error) {
	if value == "" {
		return Storage{Folder: fallback}, nil
	}
	if !strings.Contains(value, "://") {
		return Storage{Folder: value}, nil
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "kodo" || u.Host == "" || u.User != nil || (u.Path != "" && u.Path != "/") || u.Fragment != "" {
		return Storage{}, errors.New("NAMEPLATE_STORAGE_URL must be a folder's path or kodo://BUCKET?region=ID&domain=URL")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Storage{}, errors.New("NAMEPLATE_STORAGE_URL has a malformed query: it must be as in kodo://BUCKET?region=ID&domain=URL")
	}
	kodo := &Kodo{
		Bucket:   u.Host,
		Region:   query.Get("region"),
		Endpoint: query.Get("endpoint"),
		Domain:   query.Get("domain"),
	}
	switch private := query.Get("private"); private {
	case "", "false":
	case "true":
		kodo.Private = true
	default:
		return Storage{}, fmt.Errorf("NAMEPLATE_STORAGE_URL has private=%s: it must be true or false", private)
	}
	for name := range query {
		if !slices.Contains([]string{"region", "endpoint", "domain", "private"}, name) {
			return Storage{}, fmt.Errorf("NAMEPLATE_STORAGE_URL has %q: kodo:// takes region, endpoint, domain and private", name)
		}
	}
	return Storage{Kodo: kodo}, nil
}

func requireSecret(name string, value Secret) error {
	if value == "" {
		return fmt.Errorf("%s is not set: kodo:// needs it, or %s_FILE", name, name)
	}
	return nil
}

func readSecret(getenv func(string) string, name string) (Secret, error) {
	value, file := getenv(name), getenv(name+"_FILE")
	switch {
	case value != "" && file != "":
		return "", fmt.Errorf("%s and %s_FILE are both set: set one", name, name)
	case file == "":
		return Secret(value), nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s_FILE: %w", name, err)
	}
	return Secret(strings.TrimSpace(string(content))), nil
}
