package config

import (
	"bytes"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nameplate/internal/clientaddr"
)

// parse reads the command line and the environment, and checks that nothing is
// written: what goes wrong is for the caller to print.
func parse(t *testing.T, args []string, env map[string]string) (*Config, Command, error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	config, command, err := Parse(args, getenv(env), &stdout, &stderr)
	if stdout.Len()+stderr.Len() != 0 {
		t.Errorf("written: %q, %q", &stdout, &stderr)
	}
	if err != nil && (config != nil || command != None) {
		t.Errorf("got %v and %q beside an error", config, command)
	}
	return config, command, err
}

func getenv(env map[string]string) func(string) string {
	return func(name string) string { return env[name] }
}

func mustParse(t *testing.T, args []string, env map[string]string) *Config {
	t.Helper()
	config, command, err := parse(t, args, env)
	if err != nil || command != Serve {
		t.Fatalf("command %q, %v", command, err)
	}
	return config
}

func defaults() *Config {
	return &Config{
		Addr:          "localhost:8080",
		Data:          "./data",
		DatabaseURL:   filepath.Join("data", "nameplate.db"),
		KeysetFile:    filepath.Join("data", "keyset.json"),
		SweepAfter:    time.Hour,
		SignUp:        "on",
		NameHold:      30 * 24 * time.Hour,
		KeepEvents:    180 * 24 * time.Hour,
		Introspection: "on",
		Playground:    "on",
		Web:           "on",

		SessionIdle: 7 * 24 * time.Hour, SessionAbsolute: 30 * 24 * time.Hour,
		MinPasswordLength: 8, MaxPasswordLength: 256,

		Limits: Limits{
			MaxBody: 65536, MaxJSONDepth: 64,
			MaxQuery: 16384, MaxTokens: 1000, MaxOperations: 5, MaxFragments: 20, MaxVariables: 30,
			MaxDepth: 15, MaxFields: 250, MaxAliases: 20, MaxDirectives: 20, MaxQueryRoots: 20, MaxMutationRoots: 3,
			MaxUpload: 10485760, MaxErrors: 5, MaxErrorLength: 200, MaxTime: 10 * time.Second,
		},
		MaxRate:                  100,
		MaxConnections:           4096,
		MaxConnectionsPerAddress: 256,
		Throttle:                 "on",
		CookieSameSite:           "lax",
		LogLevel:                 slog.LevelInfo,
		LogFormat:                "text",
		Storage:                  Storage{Folder: filepath.Join("data", "media")},
	}
}

// diff compares with the secrets revealed.
func diff(want, got *Config) string {
	return cmp.Diff(want, got, cmp.Transformer("Reveal", Secret.Reveal), cmpopts.EquateComparable(netip.Prefix{}))
}

func TestWithoutSettingsTheDefaultsHold(t *testing.T) {
	for _, args := range [][]string{nil, {"serve"}} {
		if d := diff(defaults(), mustParse(t, args, nil)); d != "" {
			t.Error(d)
		}
	}
}

// settings are one value for every setting that has a flag, and what it does.
var settings = []struct {
	name, value string
	change      func(*Config)
}{
	{"ADDR", ":1234", func(c *Config) { c.Addr = ":1234" }},
	{"PUBLIC_URL", "https://id.example.com", func(c *Config) { c.PublicURL = "https://id.example.com" }},
	{"DATA", "/var/lib/nameplate", func(c *Config) {
		c.Data = "/var/lib/nameplate"
		c.DatabaseURL = filepath.Join(c.Data, "nameplate.db")
		c.KeysetFile = filepath.Join(c.Data, "keyset.json")
		c.Storage.Folder = filepath.Join(c.Data, "media")
	}},
	{"DATABASE_URL", "sqlite:/db/a.db", func(c *Config) { c.DatabaseURL = "/db/a.db" }},
	{"STORAGE_URL", "/media", func(c *Config) { c.StorageURL, c.Storage.Folder = "/media", "/media" }},
	{"KEYSET_FILE", "/run/keys.json", func(c *Config) { c.KeysetFile = "/run/keys.json" }},
	{"SWEEP_AFTER", "1s", func(c *Config) { c.SweepAfter = time.Second }},
	{"SIGN_UP", "off", func(c *Config) { c.SignUp = "off" }},
	{"NAME_HOLD", "0", func(c *Config) { c.NameHold = 0 }},
	{"KEEP_EVENTS", "1h", func(c *Config) { c.KeepEvents = time.Hour }},
	{"SESSION_IDLE", "5m", func(c *Config) { c.SessionIdle = 5 * time.Minute }},
	{"SESSION_ABSOLUTE", "9600h", func(c *Config) { c.SessionAbsolute = 400 * 24 * time.Hour }},
	{"MIN_PASSWORD_LENGTH", "7", func(c *Config) { c.MinPasswordLength = 7 }},
	{"MAX_PASSWORD_LENGTH", "4096", func(c *Config) { c.MaxPasswordLength = 4096 }},
	{"INTROSPECTION", "off", func(c *Config) { c.Introspection = "off" }},
	{"PLAYGROUND", "off", func(c *Config) { c.Playground = "off" }},
	{"WEB", "off", func(c *Config) { c.Web = "off" }},
	{"MAX_BODY", "7", func(c *Config) { c.Limits.MaxBody = 7 }},
	{"MAX_JSON_DEPTH", "7", func(c *Config) { c.Limits.MaxJSONDepth = 7 }},
	{"MAX_QUERY", "7", func(c *Config) { c.Limits.MaxQuery = 7 }},
	{"MAX_TOKENS", "7", func(c *Config) { c.Limits.MaxTokens = 7 }},
	{"MAX_OPERATIONS", "7", func(c *Config) { c.Limits.MaxOperations = 7 }},
	{"MAX_FRAGMENTS", "7", func(c *Config) { c.Limits.MaxFragments = 7 }},
	{"MAX_VARIABLES", "7", func(c *Config) { c.Limits.MaxVariables = 7 }},
	{"MAX_DEPTH", "7", func(c *Config) { c.Limits.MaxDepth = 7 }},
	{"MAX_FIELDS", "7", func(c *Config) { c.Limits.MaxFields = 7 }},
	{"MAX_ALIASES", "7", func(c *Config) { c.Limits.MaxAliases = 7 }},
	{"MAX_DIRECTIVES", "7", func(c *Config) { c.Limits.MaxDirectives = 7 }},
	{"MAX_QUERY_ROOTS", "7", func(c *Config) { c.Limits.MaxQueryRoots = 7 }},
	{"MAX_MUTATION_ROOTS", "7", func(c *Config) { c.Limits.MaxMutationRoots = 7 }},
	{"MAX_UPLOAD", "7", func(c *Config) { c.Limits.MaxUpload = 7 }},
	{"MAX_ERRORS", "7", func(c *Config) { c.Limits.MaxErrors = 7 }},
	{"MAX_ERROR_LENGTH", "7", func(c *Config) { c.Limits.MaxErrorLength = 7 }},
	{"MAX_TIME", "3s", func(c *Config) { c.Limits.MaxTime = 3 * time.Second }},
	{"MAX_RATE", "7", func(c *Config) { c.MaxRate = 7 }},
	{"MAX_CONNECTIONS", "7", func(c *Config) { c.MaxConnections = 7 }},
	{"MAX_CONNECTIONS_PER_ADDRESS", "7", func(c *Config) { c.MaxConnectionsPerAddress = 7 }},
	{"THROTTLE", "off", func(c *Config) { c.Throttle = "off" }},
	{"TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8", func(c *Config) {
		c.TrustedProxies = []string{"127.0.0.1", "10.0.0.0/8"}
		c.Proxies = clientaddr.Proxies{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8")}
	}},
	{"CORS_ORIGINS", "https://a.example , https://b.example", func(c *Config) {
		c.CORSOrigins = []string{"https://a.example", "https://b.example"}
	}},
	{"COOKIE_SAMESITE", "strict", func(c *Config) { c.CookieSameSite = "strict" }},
	{"LOG_LEVEL", "debug", func(c *Config) { c.LogLevel = slog.LevelDebug }},
	{"LOG_FORMAT", "json", func(c *Config) { c.LogFormat = "json" }},
}

func flagOf(name string) string { return "--" + strings.ReplaceAll(strings.ToLower(name), "_", "-") }

func TestEverySettingIsReadFromItsFlagAndItsVariable(t *testing.T) {
	for _, s := range settings {
		t.Run(s.name, func(t *testing.T) {
			want := defaults()
			s.change(want)
			flag, variable := flagOf(s.name), "NAMEPLATE_"+s.name
			for _, tt := range []struct {
				args []string
				env  map[string]string
			}{
				{[]string{flag + "=" + s.value}, nil},
				{[]string{flag, s.value}, nil},
				{[]string{"serve", flag, s.value}, nil},
				{nil, map[string]string{variable: s.value}},
				{[]string{flag, s.value}, map[string]string{variable: "the flag wins"}},
				{[]string{flag, s.value}, map[string]string{variable: ""}},
			} {
				if d := diff(want, mustParse(t, tt.args, tt.env)); d != "" {
					t.Errorf("%q %v:\n%s", tt.args, tt.env, d)
				}
			}
			if d := diff(defaults(), mustParse(t, nil, map[string]string{variable: ""})); d != "" {
				t.Errorf("an empty variable is not unset:\n%s", d)
			}
		})
	}
}

// The table above must not fall behind.
func TestEveryVariableIsInTheTable(t *testing.T) {
	want := map[string]bool{}
	for _, s := range settings {
		want["NAMEPLATE_"+s.name] = true
	}
	for _, name := range secrets {
		want[name], want[name+"_FILE"] = true, true
	}
	names, err := Variables()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, name := range names {
		got[name] = true
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestABadValueIsAnErrorThatNamesTheSetting(t *testing.T) {
	for name, values := range map[string][]string{
		"ADDR":         {"localhost", "8080", "a:b:c", "[::1"},
		"DATABASE_URL": {"postgres://u:hunter2@db/n", "mysql://u:hunter2@db/n", "sqlite:", "sqlite://a/b.db", "sqlite:///a/b.db"},
		"SWEEP_AFTER":  {"0", "0s", "999ms", "-1h", "1", "soon"},
		"SIGN_UP":      {"true", "OFF", "closed"},
		"NAME_HOLD":    {"-1s", "-720h", "1", "30d"},
		"KEEP_EVENTS":  {"0", "59m59s", "-1h", "180d"},
		"SESSION_IDLE": {"0", "4m59s", "-1h", "x"},
		"SESSION_ABSOLUTE": {
			"0", "4m59s", "9600h0m1s", "400d", // which no browser keeps a cookie for
		},
		"MIN_PASSWORD_LENGTH": {"0", "-1", "257", "x"},
		"MAX_PASSWORD_LENGTH": {"0", "7", "4097", "1.5"},
		"INTROSPECTION":       {"true", "ON", "1", "maybe"},
		"PLAYGROUND":          {"false", "Off", "0", "maybe"},
		"WEB":                 {"no"},
		"LOG_LEVEL":           {"loud", "0x"},
		"LOG_FORMAT":          {"xml", "JSON"},
		"MAX_DEPTH":           {"0", "-1", "1.5", "x", "134217729"},
		"MAX_RATE":            {"0"},
		"MAX_TIME":            {"0s", "-1s", "10"},
		"THROTTLE":            {"no"},
		"CORS_ORIGINS":        {"*", "https://*.example.com", "null", "app.example.com", "https://a.example/", "http://a.example", "https://a.example:443"},
		"COOKIE_SAMESITE": {
			"Lax", "none", // none needs https
		},
		"TRUSTED_PROXIES": {"proxy.example.com", "10.0.0.0/33", "127.0.0.1,x"},
		"PUBLIC_URL": {
			"id.example.com", "//id.example.com", "ftp://id.example.com", "https://", "https:///", "https://:443", "https://x:",
			"https://x/path", "https://x//", "https://x?", "https://x?a=hunter2", "https://x#", "https://x#hunter2",
			"https://u:hunter2@x", "https://@x", "https://x y", "https://x:port", "https://x%41",
		},
		"STORAGE_URL": {
			"s3://bucket", "kodo://", "kodo://?region=z0", "kodo://u:hunter2@bucket", "kodo://bucket/path", "kodo://bucket#hunter2",
			"kodo://bucket?private=yes", "kodo://bucket?private=TRUE", "kodo://bucket?secret-key=hunter2", "kodo://bucket?Region=z0",
			"kodo://bucket?region=z0;domain=hunter2", "kodo://bucket?region=%zz", "kodo://buc ket", "://",
		},
	} {
		for _, value := range values {
			for how, err := range map[string]error{
				"flag":     parseError(t, []string{flagOf(name) + "=" + value}, nil),
				"variable": parseError(t, nil, map[string]string{"NAMEPLATE_" + name: value}),
			} {
				if err == nil {
					t.Errorf("%s of %s: %q is accepted", how, name, value)
				} else if text := err.Error(); !strings.Contains(text, "NAMEPLATE_"+name) && !strings.Contains(text, flagOf(name)) || strings.Contains(text, "hunter2") {
					t.Errorf("%s of %s, %q: %s", how, name, value, text)
				}
			}
		}
	}
}

func parseError(t *testing.T, args []string, env map[string]string) error {
	t.Helper()
	_, _, err := parse(t, args, env)
	return err
}

func TestAllBadValuesAreNamedAtOnce(t *testing.T) {
	err := parseError(t, []string{"--addr=x", "--public-url=x", "--database-url=sqlite:"}, nil)
	for _, name := range []string{"NAMEPLATE_ADDR", "NAMEPLATE_PUBLIC_URL", "NAMEPLATE_DATABASE_URL"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not in the error: %v", name, err)
		}
	}
}

func TestAPublicURLIsKeptAsBrowsersWriteOrigins(t *testing.T) {
	for value, want := range map[string]string{
		"https://id.example.com":       "https://id.example.com",
		"https://id.example.com/":      "https://id.example.com",
		"HTTPS://ID.Example.com":       "https://id.example.com",
		"https://id.example.com:443/":  "https://id.example.com",
		"https://id.example.com:80":    "https://id.example.com:80",
		"http://id.example.com:80":     "http://id.example.com",
		"http://[::1]:80":              "http://[::1]",
		"http://localhost:8080":        "http://localhost:8080",
		"http://[2001:DB8::1]:8080":    "http://[2001:db8::1]:8080",
		"http://192.0.2.1/":            "http://192.0.2.1",
		"https://xn--fsq.example.com/": "https://xn--fsq.example.com",
	} {
		if got := mustParse(t, []string{"--public-url=" + value}, nil).PublicURL; got != want {
			t.Errorf("%q is %q, want %q", value, got, want)
		}
	}
}

func TestWhatBeginsLikeASettingAndIsNoneIsUnknown(t *testing.T) {
	got, err := Unknown([]string{
		"PATH=/bin", "NAMEPLATE_ADDR=:1", "NAMEPLATE_ADR=:1", "NAMEPLATE_KODO_SECRET_KEY_FILE=x", "NAMEPLATE_=", "NAMEPLATE_addr=x",
		"nameplate_addr=x", "XNAMEPLATE_ADR=x", "NAMEPLATE_HELP=1", "NAMEPLATE_VERSION", "",
	})
	want := []string{"NAMEPLATE_ADR", "NAMEPLATE_", "NAMEPLATE_addr", "NAMEPLATE_HELP", "NAMEPLATE_VERSION"}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v\n%s", err, d)
	}
}

func TestHelpGoesToStdoutAndIsNoCommand(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"-h"}, {"serve", "--help"}, {"version", "--help"}, {"--addr=x", "--help"}} {
		var stdout, stderr bytes.Buffer
		config, command, err := Parse(args, getenv(map[string]string{"NAMEPLATE_SWEEP_AFTER": "soon"}), &stdout, &stderr)
		if config != nil || command != None || err != nil || stderr.Len() != 0 || !strings.HasPrefix(stdout.String(), "Usage: nameplate") {
			t.Errorf("%q: %v, %q, %v, stdout %q, stderr %q", args, config, command, err, &stdout, &stderr)
		}
	}
}

func TestHelpNamesEverySetting(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if _, _, err := Parse([]string{"serve", "--help"}, getenv(nil), &stdout, &stderr); err != nil {
		t.Fatal(err)
	}
	// Long lines are broken.
	text := strings.Join(strings.Fields(stdout.String()), " ")
	for _, s := range settings {
		if !strings.Contains(text, flagOf(s.name)) || !strings.Contains(text, "($NAMEPLATE_"+s.name+")") {
			t.Errorf("%s is not in\n%s", s.name, &stdout)
		}
	}
}

func TestVersionIsACommandThatNeedsNoSettings(t *testing.T) {
	for _, env := range []map[string]string{nil, {"NAMEPLATE_SWEEP_AFTER": "soon", "NAMEPLATE_ADDR": "x"}} {
		config, command, err := parse(t, []string{"version"}, env)
		if config != nil || command != Version || err != nil {
			t.Errorf("got %v, %q, %v", config, command, err)
		}
	}
}

func TestWhatIsNoCommandOrFlagIsRefused(t *testing.T) {
	for _, args := range [][]string{{"bogus"}, {"--bogus"}, {"serve", "bogus"}, {"version", "--addr=:1"}, {"--addr"}, {"--introspection"}} {
		if _, _, err := parse(t, args, nil); err == nil {
			t.Errorf("%q is accepted", args)
		}
	}
}
