package main

import (
	"archive/zip"
	"fmt"
	"io/fs"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func TestTheRequestsInTheDocsOfAccountsGiveTheAnswersInTheDocs(t *testing.T) {
	s := start(t, t.TempDir(), nil)
	alice := newAgent(t, s, documentedAgent)
	alice.mustEnter("signUp", "Alice", "correct horse battery")
	newAgent(t, s, "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0").
		mustEnter("signIn", "Alice", "correct horse battery")
	runExamples(t, s, alice, "docs/accounts.md")
}

// documentedAgent is what curl calls itself in the docs.
const documentedAgent = "curl/8.16.0"

// agent is a User-Agent, and sends requests with it.
type agent string

func (a agent) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", string(a))
	return http.DefaultTransport.RoundTrip(r)
}

func newAgent(t *testing.T, s *server, userAgent agent) *client {
	t.Helper()
	c := newClient(t, s.url, false)
	c.http.Transport = userAgent
	return c
}

var accountCommands = regexp.MustCompile("(?s)```sh\n(.*?)\n```\n```text\n(.*?)```")

// The first command makes a link, the second an archive, whose profile.json stands
// below it.
func TestTheCommandsInTheDocsOfAccountsGiveWhatTheDocsSay(t *testing.T) {
	s := start(t, t.TempDir(), nil)
	shell := newShell(t, s)
	alice := newAgent(t, s, documentedAgent)
	alice.mustEnter("signUp", "Alice", "correct horse battery")
	alice.upload(updateAvatar, photo(t, 300, 400))
	alice.do(`mutation { saveVerification(input: { realName: "张三", idCard: "11010519491231002X" }) { userErrors { code } } }`, nil)
	text := read(t, "docs/accounts.md")
	blocks := accountCommands.FindAllStringSubmatch(text, -1)
	if len(blocks) != 2 {
		t.Fatalf("%d commands", len(blocks))
	}

	env := beside(s, map[string]string{"NAMEPLATE_PUBLIC_URL": "https://id.example.com"})
	got, err := command(t, env, strings.Fields(blocks[0][1])[1:]...)
	if err != nil || !matches(blocks[0][2], got) {
		t.Errorf("%s prints %s, %v, and is said to print %s", blocks[0][1], got, err, blocks[0][2])
	}

	archive := shell(strings.ReplaceAll(blocks[1][1], "$TOKEN", alice.token) + "\ncat nameplate.zip")
	files, err := zip.NewReader(strings.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	var names strings.Builder
	for _, file := range files.File {
		fmt.Fprintln(&names, file.Name)
	}
	if !matches(blocks[1][2], names.String()) {
		t.Errorf("the archive has %s and is said to have %s", names.String(), blocks[1][2])
	}
	exported, err := fs.ReadFile(files, "profile.json")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(text, "### `profile.json`\n")
	section, _, _ = strings.Cut(section, "\n## ")
	_, block, _ := strings.Cut(section, "```json\n")
	block, table, _ := strings.Cut(block, "```\n")
	compareAnswer(t, s, example{"profile.json", block}, string(exported))
	for _, match := range regexp.MustCompile(`"(\w+)":`).FindAllSubmatch(exported, -1) {
		if !strings.Contains(table, "`"+string(match[1])+"`") {
			t.Errorf("nothing is said about %s in profile.json", match[1])
		}
	}
}
