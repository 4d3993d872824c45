package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the test binary stand in for the program: as the command
// "nameplate" it runs main.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"nameplate": main})
}

// server is a running server.
type server struct {
	url  string
	data string
	log  *logBuffer
	stop func() error // ends one in this process as SIGTERM does; may be called again
}

// logBuffer keeps the log and tells the address from the line that has it.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
	url  chan string
}

var servingLine = regexp.MustCompile(`msg=serving url=\S+ addr=(\S+)`)

func newLogBuffer() *logBuffer { return &logBuffer{url: make(chan string, 1)} }

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text.Write(p)
	if match := servingLine.FindSubmatch(p); match != nil {
		b.url <- "http://" + string(match[1])
	}
	return len(p), nil
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// environment is the settings of a test's server: env over defaults that make it
// start anywhere.
func environment(data string, env map[string]string) map[string]string {
	all := map[string]string{"NAMEPLATE_ADDR": "127.0.0.1:0", "NAMEPLATE_DATA": data}
	for name, value := range env {
		all[name] = value
	}
	return all
}

// start runs a server in this process until the test ends.
func start(t testing.TB, data string, env map[string]string) *server {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	all := environment(data, env)
	log := newLogBuffer()
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, nil, func(name string) string { return all[name] }, io.Discard, log)
	}()
	stop := sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("the server ended with: %v", err)
		}
	})
	select {
	case url := <-log.url:
		return &server{url: url, data: data, log: log, stop: stop}
	case err := <-done:
		done <- nil
		t.Fatalf("the server did not start: %v", err)
		return nil
	}
}

// process is a server in a process of its own, which can be killed.
type process struct {
	server
	cmd  *exec.Cmd
	wait func() error // for its end; may be called again
}

func startProcess(t testing.TB, data string, env map[string]string) *process {
	t.Helper()
	cmd := exec.Command("nameplate")
	// Nothing of the caller's own settings, which may name a real database.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(entry string) bool { return strings.HasPrefix(entry, "NAMEPLATE_") })
	for name, value := range environment(data, env) {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	log := newLogBuffer()
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		_, _ = io.Copy(log, stderr)
	}()
	p := &process{server: server{data: data, log: log}, cmd: cmd}
	p.wait = sync.OnceValue(func() error { <-copied; return cmd.Wait() })
	t.Cleanup(p.kill)
	select {
	case p.url = <-log.url:
	case <-copied:
		t.Fatalf("the server did not start:\n%s", log)
	}
	return p
}

// kill ends the process at once, as a power cut would, and waits for its end.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.wait()
}

// client is a person's client: a browser with a cookie jar, or a program that
// keeps the token.
type client struct {
	t       testing.TB
	url     string
	browser bool
	token   string
	agent   string // its User-Agent, unless that is empty
	from    string // its address, as a proxy says, unless that is empty
	http    *http.Client
}

func newClient(t testing.TB, url string, browser bool) *client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, url: url, browser: browser, http: &http.Client{}}
	if browser {
		c.http.Jar = jar
	}
	t.Cleanup(c.http.CloseIdleConnections)
	return c
}

// answer is a GraphQL response.
type answer struct {
	Status int                        `json:"-"`
	Header http.Header                `json:"-"`
	Body   string                     `json:"-"`
	Data   map[string]json.RawMessage `json:"data"`
	Errors []struct {
		Message    string         `json:"message"`
		Path       []any          `json:"path"`
		Extensions map[string]any `json:"extensions"`
	} `json:"errors"`
}

type vars = map[string]any

// do sends a GraphQL request.
func (c *client) do(query string, variables vars) *answer {
	c.t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		c.t.Fatal(err)
	}
	return c.post("application/json", bytes.NewReader(body))
}

// upload sends a file as the variable "file".
func (c *client) upload(query string, file []byte) *answer {
	c.t.Helper()
	body, contentType := uploadForm(query, file)
	return c.post(contentType, body)
}

// uploadForm is by the GraphQL multipart request specification.
func uploadForm(query string, file []byte) (_ io.Reader, contentType string) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	operations, _ := json.Marshal(map[string]any{"query": query, "variables": vars{"file": nil}})
	_ = form.WriteField("operations", string(operations))
	_ = form.WriteField("map", `{"0":["variables.file"]}`)
	part, _ := form.CreateFormFile("0", "me.jpg")
	_, _ = part.Write(file)
	_ = form.Close()
	return &body, form.FormDataContentType()
}

func (c *client) post(contentType string, body io.Reader) *answer {
	c.t.Helper()
	a, err := c.tryPost(contentType, body)
	if err != nil {
		c.t.Fatal(err)
	}
	return a
}

// tryPost is post for a server that may die meanwhile.
func (c *client) tryPost(contentType string, body io.Reader) (*answer, error) {
	req, err := http.NewRequest(http.MethodPost, c.url+"/graphql", body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", contentType)
	if c.browser {
		req.Header.Set("Origin", c.url)
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	if c.agent != "" {
		req.Header.Set("User-Agent", c.agent)
	}
	if c.from != "" {
		req.Header.Set("X-Forwarded-For", c.from)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return readAnswer(res)
}

func readAnswer(res *http.Response) (*answer, error) {
	content, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	a := &answer{Status: res.StatusCode, Header: res.Header, Body: string(content)}
	if err := json.Unmarshal(content, a); err != nil {
		return nil, fmt.Errorf("status %d, not JSON: %s", res.StatusCode, content)
	}
	return a, nil
}

// at reads a value from the data, such as at("signUp", "user", "name"); nil where
// something on the way is null.
func (a *answer) at(path ...string) any {
	var value any
	_ = json.Unmarshal(a.Data[path[0]], &value)
	for _, name := range path[1:] {
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = object[name]
	}
	return value
}

// faults lists the userErrors of a mutation, each as "CODE field limit".
func (a *answer) faults(mutation string) []string {
	list, _ := a.at(mutation, "userErrors").([]any)
	var faults []string
	for _, item := range list {
		e := item.(map[string]any)
		text := fmt.Sprint(e["code"])
		if path, ok := e["field"].([]any); ok {
			names := make([]string, len(path))
			for i, name := range path {
				names[i] = fmt.Sprint(name)
			}
			text += " " + strings.Join(names, ".")
		}
		if limit, ok := e["limit"].(float64); ok {
			text += fmt.Sprintf(" %.0f", limit)
		}
		faults = append(faults, text)
	}
	return faults
}

// code is extensions.code of the first error; empty when there is none.
func (a *answer) code() string {
	if len(a.Errors) == 0 {
		return ""
	}
	code, _ := a.Errors[0].Extensions["code"].(string)
	return code
}

const userErrorFields = `userErrors { code field limit message }`

// enter signs up or in and keeps the session.
func (c *client) enter(mutation, name, password string) *answer {
	c.t.Helper()
	input := strings.ToUpper(mutation[:1]) + mutation[1:] + "Input!"
	a := c.do(`mutation($input: `+input+`) { `+mutation+`(input: $input) {
		user { id name } sessionToken `+userErrorFields+` } }`,
		vars{"input": vars{"name": name, "password": password}})
	if token, ok := a.at(mutation, "sessionToken").(string); ok {
		c.token = token
	}
	return a
}

// mustEnter is enter for those who are sure to come in.
func (c *client) mustEnter(mutation, name, password string) {
	c.t.Helper()
	if a := c.enter(mutation, name, password); a.at(mutation, "user") == nil {
		c.t.Fatalf("%s as %s: %s", mutation, name, a.Body)
	}
}
