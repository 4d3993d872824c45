package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"nameplate/internal/config"
)

// example is a fenced block of a document and the JSON block behind it.
type example struct{ request, answer string }

var exampleBlocks = regexp.MustCompile("(?s)```(sh|graphql)\n(.*?)```\n```json\n(.*?)```")

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
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("TEST_REQUIRE_ALL") != "" {
			t.Fatal("no curl")
		}
		t.Skip("no curl, of which make test tells")
	}
	s := start(t, t.TempDir(), nil)
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "me.jpg"), photo(t, 300, 400), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, e := range examples(t, "README.md", "sh") {
		cmd := exec.CommandContext(ctx, "sh", "-ec", strings.ReplaceAll(e.request, "http://localhost:8080", s.url))
		cmd.Dir = folder
		cmd.Env = append(os.Environ(), "CURL_HOME="+folder, "no_proxy=*") // nobody's own settings
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v\n%s", err, e.request)
		}
		compareAnswer(t, s, e, string(out))
	}
}

func TestTheRequestsInTheDocsGiveTheAnswersInTheDocs(t *testing.T) {
	s := start(t, t.TempDir(), nil)
	c := newClient(t, s.url, false)
	for _, e := range examples(t, "docs/api.md", "graphql") {
		var a *answer
		if strings.Contains(e.request, "Upload!") {
			a = c.upload(e.request, photo(t, 300, 400))
		} else {
			a = c.do(e.request, nil)
		}
		if token, ok := a.at("signUp", "sessionToken").(string); ok {
			c.token = token
		}
		compareAnswer(t, s, e, a.Body)
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
