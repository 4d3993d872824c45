package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
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
		Introspection: "on",
		Playground:    "on",
		Web:           "on",
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
		"ADDR":          {"localhost", "8080", "a:b:c", "[::1"},
		"DATABASE_URL":  {"postgres://u:hunter2@db/n", "mysql://u:hunter2@db/n", "sqlite:", "sqlite://a/b.db", "sqlite:///a/b.db"},
		"SWEEP_AFTER":   {"0", "0s", "999ms", "-1h", "1", "soon"},
		"INTROSPECTION": {"true", "ON", "1", "maybe"},
		"PLAYGROUND":    {"false", "Off", "0", "maybe"},
		"WEB":           {"no"},
		"LOG_LEVEL":     {"loud", "0x"},
		"LOG_FORMAT":    {"xml", "JSON"},
		"MAX_DEPTH":     {"0", "-1", "1.5", "x", "134217729"},
		"MAX_RATE":      {"0"},
		"MAX_TIME":      {"0s", "-1s", "10"},
		"THROTTLE":      {"no"},
		"CORS_ORIGINS":  {"*", "https://*.example.com", "null", "app.example.com", "https://a.example/", "http://a.example", "https://a.example:443"},
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

func TestADatabaseIsAPath(t *testing.T) {
	for value, want := range map[string]string{
		"a.db": "a.db", "sqlite:a.db": "a.db", "/a b/c?d%.db": "/a b/c?d%.db", "sqlite:/a.db": "/a.db", "C:a.db": "C:a.db",
	} {
		if got := mustParse(t, []string{"--database-url=" + value}, nil).DatabaseURL; got != want {
			t.Errorf("%q is %q, want %q", value, got, want)
		}
	}
}

func TestAStorageURLIsAFolderOrABucket(t *testing.T) {
	for value, want := range map[string]Storage{
		"media":           {Folder: "media"},
		"/a b/c?d%":       {Folder: "/a b/c?d%"},
		"kodo":            {Folder: "kodo"},
		"kodo://bucket":   {Kodo: &Kodo{Bucket: "bucket"}},
		"kodo://bucket/":  {Kodo: &Kodo{Bucket: "bucket"}},
		"KODO://bucket?":  {Kodo: &Kodo{Bucket: "bucket"}},
		"kodo://b-u_c.k1": {Kodo: &Kodo{Bucket: "b-u_c.k1"}},
		"kodo://bucket?region=z0&domain=https://cdn.example.com": {
			Kodo: &Kodo{Bucket: "bucket", Region: "z0", Domain: "https://cdn.example.com"},
		},
		"kodo://bucket?domain=https%3A%2F%2Fcdn.example.com%3A8443&private=true": {
			Kodo: &Kodo{Bucket: "bucket", Domain: "https://cdn.example.com:8443", Private: true},
		},
		"kodo://bucket?endpoint=http://localhost:1&private=false": {
			Kodo: &Kodo{Bucket: "bucket", Endpoint: "http://localhost:1"},
		},
		"kodo://bucket?private=": {Kodo: &Kodo{Bucket: "bucket"}},
	} {
		keys := map[string]string{"NAMEPLATE_KODO_ACCESS_KEY": "a", "NAMEPLATE_KODO_SECRET_KEY": "s"}
		got := mustParse(t, []string{"--storage-url=" + value}, keys).Storage
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q:\n%s", value, d)
		}
	}
}

func FuzzParseStorage(f *testing.F) {
	for _, value := range []string{
		"", "media", "kodo://", "kodo://bucket?region=z0&domain=https://cdn.example.com&private=true", "kodo://u:p@b",
		"kodo://[::1", "://", "kodo://%", "kodo://b?%", "kodo://b?;", "kodo://b?private", "\x00://",
	} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got, err := parseStorage(value, "fallback")
		switch {
		case err != nil && got != Storage{}:
			t.Errorf("got %+v beside %v", got, err)
		case err != nil && !strings.Contains(err.Error(), "NAMEPLATE_STORAGE_URL"):
			t.Errorf("the setting is not in the error: %v", err)
		case err == nil && (got.Folder == "") == (got.Kodo == nil):
			t.Errorf("want a folder or a bucket: %+v", got)
		case err == nil && got.Kodo != nil && got.Kodo.Bucket == "":
			t.Errorf("a bucket without a name: %+v", got)
		}
	})
}

func TestASecretComesFromItsVariableOrItsFile(t *testing.T) {
	file := func(content string) string {
		name := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for _, tt := range []struct {
		name string
		env  map[string]string
		want [2]string
	}{
		{"none", nil, [2]string{}},
		{"variables", map[string]string{"NAMEPLATE_KODO_ACCESS_KEY": "a", "NAMEPLATE_KODO_SECRET_KEY": "hunter2"}, [2]string{"a", "hunter2"}},
		{"files", map[string]string{"NAMEPLATE_KODO_ACCESS_KEY_FILE": file("a"), "NAMEPLATE_KODO_SECRET_KEY_FILE": file(" hunter2\r\n")}, [2]string{"a", "hunter2"}},
		{"variable and an empty file variable", map[string]string{"NAMEPLATE_KODO_ACCESS_KEY": "a", "NAMEPLATE_KODO_ACCESS_KEY_FILE": ""}, [2]string{"a"}},
		{"file and an empty variable", map[string]string{"NAMEPLATE_KODO_SECRET_KEY": "", "NAMEPLATE_KODO_SECRET_KEY_FILE": file("hunter2")}, [2]string{"", "hunter2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			config := mustParse(t, nil, tt.env)
			if got := [2]string{config.KodoAccessKey.Reveal(), config.KodoSecretKey.Reveal()}; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestASecretThatIsSetTwiceOrCannotBeReadIsRefused(t *testing.T) {
	for _, name := range secrets {
		err := parseError(t, nil, map[string]string{name: "hunter2", name + "_FILE": "hunter2.txt"})
		if err == nil || !strings.Contains(err.Error(), name+" and "+name+"_FILE") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("both set: %v", err)
		}
		missing := filepath.Join(t.TempDir(), "missing")
		err = parseError(t, nil, map[string]string{name + "_FILE": missing})
		if err == nil || !strings.Contains(err.Error(), name+"_FILE") || !strings.Contains(err.Error(), missing) {
			t.Errorf("missing file: %v", err)
		}
	}
}

// Command lines can be read by other users of a machine.
func TestASecretHasNoFlag(t *testing.T) {
	for _, name := range secrets {
		flag := flagOf(strings.TrimPrefix(name, "NAMEPLATE_"))
		for _, args := range [][]string{{flag + "=hunter2"}, {flag, "hunter2"}} {
			err := parseError(t, args, nil)
			if err == nil || !strings.Contains(err.Error(), flag) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q: %v", args, err)
			}
		}
	}
}

func TestASecretIsNotPrinted(t *testing.T) {
	config := mustParse(t, nil, map[string]string{"NAMEPLATE_KODO_ACCESS_KEY": "hunter2", "NAMEPLATE_KODO_SECRET_KEY": "hunter2"})
	secret := config.KodoSecretKey
	var printed []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%d", "%s", "%q", "%x", "%X", "%10.3s", "%t", "%z"} {
		printed = append(printed, fmt.Sprintf(verb, secret), fmt.Sprintf(verb, &secret), fmt.Sprintf(verb, *config), fmt.Sprintf(verb, config),
			fmt.Sprintf(verb, []Secret{secret}), fmt.Sprintf(verb, map[string]any{"key": secret}))
	}
	asJSON, err := json.Marshal([]any{config, secret, &secret})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		slog.New(handler).Info("x", "secret", secret, "config", config, "value", *config, slog.Group("g", "secret", &secret))
	}
	printed = append(printed, string(asJSON), b.String(), fmt.Sprint(secret), fmt.Errorf("%w: %v", os.ErrInvalid, secret).Error(), secret.String())
	for _, text := range printed {
		// 68756e74657232 is its hexadecimal.
		if strings.Contains(text, "hunter2") || strings.Contains(strings.ToLower(text), "68756e74657232") {
			t.Errorf("printed: %s", text)
		}
	}
	if !strings.Contains(printed[0], redacted) || !strings.Contains(b.String(), redacted) {
		t.Errorf("not marked as redacted: %s, %s", printed[0], &b)
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
