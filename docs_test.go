package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nameplate/internal/blob/blobtest"
	"nameplate/internal/config"
	"nameplate/internal/profile"
)

// example is a fenced block of a document and the JSON block behind it.
type example struct{ request, answer string }

var exampleBlocks = regexp.MustCompile("(?s)```(sh|graphql)\n([^`]*)```\n```json\n(.*?)```")

func examples(t *testing.T, document, language string) []example {
	t.Helper()
	text := read(t, document)
	var all []example
	for _, match := range exampleBlocks.FindAllStringSubmatch(text, -1) {
		if match[1] != language {
			t.Fatalf("%s has an example in %s", document, match[1])
		}
		all = append(all, example{match[2], match[3]})
	}
	if blocks := strings.Count(text, "```"+language+"\n"); len(all) != blocks || blocks == 0 {
		t.Fatalf("%s has %d examples, and %d of them have an answer", document, blocks, len(all))
	}
	return all
}

func TestTheREADMEsCommandsGiveTheREADMEsAnswers(t *testing.T) {
	s := start(t, t.TempDir(), nil)
	shell := newShell(t, s)
	for _, e := range examples(t, "README.md", "sh") {
		compareAnswer(t, s, e, shell(e.request))
	}
}

// newShell runs commands of the docs, which use curl, in a folder with a picture.
func newShell(t *testing.T, s *server) func(command string) (output string) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("TEST_REQUIRE_ALL") != "" {
			t.Fatal("no curl")
		}
		t.Skip("no curl, of which make test tells")
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "me.jpg"), photo(t, 300, 400), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return func(command string) string {
		cmd := exec.CommandContext(ctx, "sh", "-ec", strings.ReplaceAll(command, "http://localhost:8080", s.url))
		cmd.Dir = folder
		cmd.Env = append(os.Environ(), "CURL_HOME="+folder, "no_proxy=*") // nobody's own settings
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v\n%s", err, command)
		}
		return string(out)
	}
}

var httpBlocks = regexp.MustCompile("(?s)```sh\n(.*?)```\n```http\n(.*?)```")

func TestTheCommandsInTheDocsOfTheEndpointGetTheResponsesThere(t *testing.T) {
	s := start(t, t.TempDir(), nil)
	shell := newShell(t, s)
	text := read(t, "docs/graphql.md")
	blocks := httpBlocks.FindAllStringSubmatch(text, -1)
	if n := strings.Count(text, "```sh\n"); len(blocks) != n || n == 0 {
		t.Fatalf("%d commands, and %d of them have a response", n, len(blocks))
	}
	for _, block := range blocks {
		command := block[1]
		head, body, _ := strings.Cut(block[2], "\n\n")
		status, header, _ := strings.Cut(head, "\n")
		reader := bufio.NewReader(strings.NewReader(shell(command)))
		res, err := http.ReadResponse(reader, nil)
		for err == nil && res.StatusCode == http.StatusContinue {
			res, err = http.ReadResponse(reader, nil)
		}
		if err != nil {
			t.Fatalf("%s: %v", command, err)
		}
		got, err := io.ReadAll(res.Body)
		if err != nil || "HTTP/1.1 "+res.Status != status {
			t.Errorf("%s: status %s, want %s, %v", command, res.Status, status, err)
		}
		for line := range strings.Lines(header) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			if res.Header.Get(name) != value {
				t.Errorf("%s: %s is %q, want %q", command, name, res.Header.Get(name), value)
			}
		}
		compareAnswer(t, s, example{command, body}, string(got))
	}
}

func TestTheRequestsInTheDocsGiveTheAnswersInTheDocs(t *testing.T) {
	s := start(t, t.TempDir(), nil)
	runExamples(t, s, newClient(t, s.url, false), "docs/api.md")
}

// runExamples sends the requests of a document, in order. The variables of one may be
// values from the answers before it, which the document names.
func runExamples(t *testing.T, s *server, c *client, document string) {
	t.Helper()
	known := vars{}
	for _, e := range examples(t, document, "graphql") {
		var a *answer
		if strings.Contains(e.request, "Upload!") {
			a = c.upload(e.request, photo(t, 300, 400))
		} else {
			a = c.do(e.request, variablesOf(t, e.request, known))
		}
		for _, mutation := range []string{"signUp", "resetPassword"} {
			if token, ok := a.at(mutation, "sessionToken").(string); ok {
				c.token = token
			}
		}
		keepValues(a, known)
		compareAnswer(t, s, e, a.Body)
	}
}

var variableNames = regexp.MustCompile(`\$(\w+):`)

// variablesOf are the values of the variables that a request declares.
func variablesOf(t *testing.T, request string, known vars) vars {
	t.Helper()
	variables := vars{}
	for _, match := range variableNames.FindAllStringSubmatch(request, -1) {
		value, ok := known[match[1]]
		if !ok {
			t.Fatalf("no answer has a value for $%s:\n%s", match[1], request)
		}
		variables[match[1]] = value
	}
	return variables
}

// keepValues keeps what later requests need: the id of a session that isn't the
// request's own, the first recovery code, and where a part of the events ends.
func keepValues(a *answer, known vars) {
	if sessions, ok := a.at("me", "sessions").([]any); ok {
		for _, item := range sessions {
			if session, ok := item.(map[string]any); ok && session["isCurrent"] == false {
				known["id"] = session["id"]
			}
		}
	}
	if codes, ok := a.at("createRecoveryCodes", "recoveryCodes").([]any); ok && len(codes) > 0 {
		known["code"] = codes[0]
	}
	if cursor, ok := a.at("me", "events", "pageInfo", "endCursor").(string); ok {
		known["cursor"] = cursor
	}
}

func compareAnswer(t *testing.T, s *server, e example, got string) {
	t.Helper()
	var want, have any
	if err := json.Unmarshal([]byte(strings.ReplaceAll(e.answer, "http://localhost:8080", s.url)), &want); err != nil {
		t.Fatalf("the answer of this example is not JSON: %v\n%s", err, e.answer)
	}
	if err := json.Unmarshal([]byte(got), &have); err != nil {
		t.Fatalf("not JSON: %s", got)
	}
	if !matches(want, have) {
		t.Errorf("%s\ngives  %s\nbut is said to give %s", e.request, got, e.answer)
	}
}

// matches compares two values of JSON. In a text that is wanted, … stands for any
// characters.
func matches(want, have any) bool {
	switch want := want.(type) {
	case map[string]any:
		have, ok := have.(map[string]any)
		if !ok || len(have) != len(want) {
			return false
		}
		for name, value := range want {
			if !matches(value, have[name]) {
				return false
			}
		}
		return true
	case []any:
		have, ok := have.([]any)
		if !ok || len(have) != len(want) {
			return false
		}
		for i := range want {
			if !matches(want[i], have[i]) {
				return false
			}
		}
		return true
	case string:
		pattern := strings.ReplaceAll(regexp.QuoteMeta(want), "…", ".+")
		ok, _ := regexp.MatchString("^"+pattern+"$", fmt.Sprint(have))
		return ok
	}
	return reflect.DeepEqual(want, have)
}

func TestEverySettingAndEveryCodeIsDocumented(t *testing.T) {
	settings, err := config.Variables()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range settings {
		requireRow(t, "docs/config.md", name)
	}
	for _, match := range regexp.MustCompile(`"([A-Z_]{5,})"`).
		FindAllStringSubmatch(read(t, "graph/errors.go")+read(t, "internal/fault/fault.go"), -1) {
		requireRow(t, "docs/errors.md", match[1])
	}
}

func TestTheDocsTellTheNumbersOfTheCode(t *testing.T) {
	conf, _, err := config.Parse(nil, func(string) string { return "" }, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for document, sentences := range map[string][]string{
		"docs/graphql.md": {
			fmt.Sprintf("must send its header within %.0f seconds (up to %d KB,", headerTimeout.Seconds(), maxHeaderBytes/kilobyte),
			fmt.Sprintf("and its body within %.0f,", readTimeout.Seconds()),
			fmt.Sprintf("may be up to %d MB and a quarter of it", maxFraming/megabyte),
			fmt.Sprintf("for up to %.0f seconds and %d MB,", lingerTime.Seconds(), maxLinger/megabyte),
		},
		"docs/storage.md": {
			fmt.Sprintf("The server serves it itself, at `%s/`.", mediaPath),
		},
		"docs/config.md": {
			fmt.Sprintf("After %.0f seconds and `NAMEPLATE_MAX_TIME` it cuts off", readTimeout.Seconds()),
			fmt.Sprintf("| `NAMEPLATE_MAX_CONNECTIONS` | `%d` |", conf.MaxConnections),
			fmt.Sprintf("| `NAMEPLATE_MAX_CONNECTIONS_PER_ADDRESS` | `%d` |", conf.MaxConnectionsPerAddress),
			fmt.Sprintf("| `NAMEPLATE_MAX_RATE` | `%d` |", conf.MaxRate),
			fmt.Sprintf("| `NAMEPLATE_NAME_HOLD` | `%.0fh` |", conf.NameHold.Hours()),
			fmt.Sprintf("| `NAMEPLATE_KEEP_EVENTS` | `%.0fh` |", conf.KeepEvents.Hours()),
			fmt.Sprintf("| `NAMEPLATE_SESSION_IDLE` | `%.0fh` |", conf.SessionIdle.Hours()),
			fmt.Sprintf("| `NAMEPLATE_SESSION_ABSOLUTE` | `%.0fh` |", conf.SessionAbsolute.Hours()),
			fmt.Sprintf("| `NAMEPLATE_MIN_PASSWORD_LENGTH` | `%d` |", conf.MinPasswordLength),
			fmt.Sprintf("| `NAMEPLATE_MAX_PASSWORD_LENGTH` | `%d` |", conf.MaxPasswordLength),
		},
		"docs/accounts.md": {
			fmt.Sprintf("- %.0f days after its last request (`NAMEPLATE_SESSION_IDLE`), and %.0f days after its start",
				days(conf.SessionIdle), days(conf.SessionAbsolute)),
			fmt.Sprintf("A new password has %d to %d Unicode characters", conf.MinPasswordLength, conf.MaxPasswordLength),
			fmt.Sprintf("Events are kept for %.0f days", days(conf.KeepEvents)),
			fmt.Sprintf("- **The name** is held for %.0f days", days(conf.NameHold)),
			fmt.Sprintf("entered within the last %.0f minutes", profile.IDCardMaxAge.Minutes()),
		},
		"SECURITY.md": {
			fmt.Sprintf("It ends %.0f days after its last use and %.0f days after its start.",
				days(conf.SessionIdle), days(conf.SessionAbsolute)),
			fmt.Sprintf("The name is held for %.0f days.", days(conf.NameHold)),
		},
	} {
		text := strings.Join(strings.Fields(read(t, document)), " ")
		for _, sentence := range sentences {
			if !strings.Contains(text, sentence) {
				t.Errorf("nothing in %s says: %s", document, sentence)
			}
		}
	}
}

func days(d time.Duration) float64 { return d.Hours() / 24 }

func TestTheChecksInTheDocsOfTheStoragePrintWhatTheDocsSay(t *testing.T) {
	double := blobtest.NewKodo(t)
	double.Bucket = "my-bucket"
	env := kodoSettings(double)
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)\n```\n```text\n(.*?)```").
		FindAllStringSubmatch(read(t, "docs/storage.md"), -1)
	if len(blocks) != 2 {
		t.Fatalf("%d checks", len(blocks))
	}
	for _, block := range blocks {
		if setting, found := strings.CutSuffix(block[1], " nameplate storage check"); found {
			name, value, _ := strings.Cut(setting, "=")
			env[name] = value
		}
		got, err := command(t, env, "storage", "check")
		got = strings.ReplaceAll(got, double.Domain, "https://pictures.example.com")
		got = regexp.MustCompile(`check-[a-z0-9]{26}`).ReplaceAllString(got, "check-…")
		if diff := cmp.Diff(block[2], got); diff != "" {
			t.Errorf("%s, %v (-docs +got):\n%s", block[1], err, diff)
		}
	}
}

func requireRow(t *testing.T, document, name string) {
	t.Helper()
	if !strings.Contains(read(t, document), "\n| `"+name+"` |") {
		t.Errorf("%s has no row for %s", document, name)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
