package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What a person gives to the server and nobody else may ever read, and the secrets that
// a person gets from it: they are planted, used in every operation that takes one and put
// where they don't belong, and then looked for in everything that the server has written.
func TestPersonalDataIsFoundNowhere(t *testing.T) {
	p := startProcess(t, t.TempDir(), map[string]string{"NAMEPLATE_LOG_LEVEL": "debug", "NAMEPLATE_MAX_RATE": "100000"})
	c, bob := newClient(t, p.url, false), newClient(t, p.url, false)
	planted := map[string]string{
		"ID number":         idCard,
		"guessed ID number": otherCard,
		"real name":         "欧阳震华",
		"password":          "Tr0ub4dor&3-planted",
		"mistyped password": "Tr0ub4dor&3-mistyped",
		"changed password":  "Tr0ub4dor&3-changed",
		"reset password":    "Tr0ub4dor&3-by-code",
		"last password":     "Tr0ub4dor&3-by-link",
		"Bob's password":    "Tr0ub4dor&3-of-Bob",
	}
	said := &transcript{}
	c.http.Transport, bob.http.Transport = said, said
	// answered looks into what was answered since the last time, but for what must be there.
	answered := func(what string, shown ...string) {
		t.Helper()
		others := maps.Clone(planted)
		maps.DeleteFunc(others, func(what, _ string) bool { return slices.Contains(shown, what) })
		lookForIn(t, others, "the response to "+what, said.take(t))
	}
	refused := func(mutation string, a *answer, want string) {
		t.Helper()
		if got := strings.Join(a.faults(mutation), ", "); got != want {
			t.Fatalf("%s: %s", mutation, a.Body)
		}
		answered(mutation + ", which was refused")
	}
	accepted := func(mutation string, a *answer, shown ...string) {
		t.Helper()
		if len(a.Errors) > 0 || a.at(mutation) == nil || a.faults(mutation) != nil {
			t.Fatalf("%s: %s", mutation, a.Body)
		}
		answered(mutation, shown...)
	}

	accepted("signUp", c.enter("signUp", "Alice", planted["password"]))
	planted["first session's token"] = c.token
	refused("signIn", c.enter("signIn", "Alice", planted["mistyped password"]), "WRONG_CREDENTIALS")
	refused("signIn", c.enter("signIn", planted["password"], planted["password"]), "WRONG_CREDENTIALS") // in the wrong box
	accepted("signIn", c.enter("signIn", "Alice", planted["password"]))
	planted["second session's token"] = c.token
	accepted("saveVerification", c.saveVerification(planted["real name"], idCard), "real name", "ID number")
	if got := c.do(fullNumber, nil).at("me", "verification", "idCard"); got != idCard {
		t.Fatalf("the number is %v", got)
	}
	answered("the question for the number", "ID number")
	refused("reauthenticate", c.reauthenticate(planted["mistyped password"]), "WRONG_CREDENTIALS input.password")
	accepted("reauthenticate", c.reauthenticate(planted["password"]))
	refused("saveVerification", c.saveVerification(planted["real name"], otherCard), "ALREADY_VERIFIED")
	accepted("updateAvatar", c.upload(updateAvatar, photo(t, 64, 64)))

	codes := c.recoveryCodesBy(planted["password"])
	answered("createRecoveryCodes")
	planted["used recovery code"], planted["unused recovery code"] = codes[0], codes[9]
	refused("changePassword", c.changePassword(planted["mistyped password"], planted["changed password"]), "WRONG_CREDENTIALS input.currentPassword")
	accepted("changePassword", c.changePassword(planted["password"], planted["changed password"]))
	refused("resetPassword", c.resetPassword("Bob", codes[0], planted["reset password"]), "WRONG_CREDENTIALS")
	accepted("resetPassword", c.resetPassword("Alice", codes[0], planted["reset password"]))
	planted["third session's token"] = c.token
	refused("resetPassword", c.resetPassword("Alice", codes[0], planted["last password"]), "WRONG_CREDENTIALS") // it is used

	printed, err := command(t, beside(&p.server, nil), "user", "reset-password", "Alice")
	link := regexp.MustCompile(`#code=(\w+)&`).FindStringSubmatch(printed)
	if link == nil {
		t.Fatalf("%v, printed: %s", err, printed)
	}
	planted["link's code"] = link[1]
	refused("resetPassword", c.resetPassword("Bob", link[1], planted["last password"]), "WRONG_CREDENTIALS")
	accepted("resetPassword", c.resetPassword("Alice", link[1], planted["last password"]))
	planted["last session's token"] = c.token

	profile := string(unzip(t, c.export())["profile.json"])
	if !strings.Contains(profile, idCard) || !strings.Contains(profile, planted["real name"]) {
		t.Errorf("the export is %s", profile)
	}
	said.take(t) // which is compressed
	hidden := maps.Clone(planted)
	delete(hidden, "ID number")
	delete(hidden, "real name")
	lookForIn(t, hidden, "the export", []byte(profile))

	accepted("signUp", bob.enter("signUp", "Bob", planted["Bob's password"]))
	planted["Bob's session's token"] = bob.token
	accepted("saveVerification", bob.saveVerification(planted["real name"], otherCard), "real name", "guessed ID number")
	planted["Bob's recovery code"] = bob.recoveryCodesBy(planted["Bob's password"])[0]
	said.take(t)
	refused("deleteAccount", bob.deleteAccount(planted["mistyped password"]), "WRONG_CREDENTIALS input.password")
	accepted("deleteAccount", bob.deleteAccount(planted["Bob's password"]))

	for what, value := range planted {
		for _, body := range misplaced(value) {
			for _, contentType := range []string{"application/json", "text/plain", "multipart/form-data; boundary=b"} {
				lookForIn(t, planted, "the response to a misplaced "+what, c.raw(t, contentType, body))
			}
		}
	}
	// What is still in the WAL, and would be gone after a clean end, counts too.
	p.kill()
	lookForIn(t, planted, "the log", []byte(p.log.String()))
	looked := 0
	err = filepath.WalkDir(p.data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		lookForIn(t, planted, entry.Name(), content)
		if strings.HasPrefix(entry.Name(), "nameplate.db") && bytes.Contains(content, []byte("Alice")) {
			looked++
		}
		return err
	})
	if err != nil || looked == 0 {
		t.Errorf("%v; the database was looked for in %d files that have the user", err, looked)
	}
}

// transcript keeps what is answered.
type transcript struct{ heads, bodies bytes.Buffer }

// RoundTrip implements http.RoundTripper.
func (s *transcript) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	_ = res.Header.Write(&s.heads)
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.TeeReader(res.Body, &s.bodies), res.Body}
	return res, nil
}

// take returns what was answered since the last call.
func (s *transcript) take(t *testing.T) []byte {
	t.Helper()
	all := append(bytes.Clone(s.heads.Bytes()), s.bodies.Bytes()...)
	if len(all) == 0 {
		t.Error("nothing was answered")
	}
	s.heads.Reset()
	s.bodies.Reset()
	return all
}

// misplaced are requests with the value in a place where it is an error.
func misplaced(value string) []string {
	quoted := `\"` + value + `\"`
	operations := func(json string) string {
		return "--b\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n" + json + "\r\n"
	}
	return []string{
		value,
		`{"query":"{me{name}}","variables":{"a":"` + value + `"`,
		`{"query":"{me{name}}" "` + value + `"}`,
		`{"query":["` + value + `"]}`,
		`{"query":"` + value + `"}`,
		`{"query":"{me{name(x:` + quoted + `)}}"}`,
		`{"query":"{me{name}` + quoted + `}"}`,
		`{"query":"{me{name}} ` + value + `"}`,
		`{"query":"{me{avatarUrl(size:` + quoted + `)}}"}`,
		`{"query":"{me{avatarUrl(size:` + value + `)}}"}`,
		`{"query":"{me{name}}","operationName":"` + value + `"}`,
		`{"query":"{me{name}}","operationName":{"` + value + `":1}}`,
		`{"query":"query($s:Int!){me{avatarUrl(size:$s)}}","variables":{"s":"` + value + `"}}`,
		`{"query":"query($s:Int!){me{avatarUrl(size:$s)}}","variables":{"s":{"` + value + `":1}}}`,
		`{"query":"query($s:Int!){me{avatarUrl(size:$s)}}","variables":"` + value + `"}`,
		`{"query":"mutation($i:UpdateNameInput!){updateName(input:$i){user{name}}}","variables":{"i":{"` + value + `":1}}}`,
		`{"query":"mutation($i:UpdateNameInput!){updateName(input:$i){user{name}}}","variables":{"i":{"name":["` + value + `"]}}}`,
		`{"query":"mutation{updateName(input:{name:` + value + `}){user{name}}}"}`,
		`{"query":"mutation{updateAvatar(file:` + quoted + `){user{name}}}"}`,
		`{"query":"mutation{reauthenticate(input:{password:[` + quoted + `]}){userErrors{code message}}}"}`,
		`{"query":"mutation{saveVerification(input:{realName:1,idCard:` + quoted + `}){userErrors{code message}}}"}`,
		`{"query":"mutation{signUp(input:{name:` + quoted + `,password:` + quoted + `,x:1}){userErrors{code message}}}"}`,
		operations(value),
		operations(`{"query":"{me{name}}"}`) + "--b\r\nContent-Disposition: form-data; name=\"map\"\r\n\r\n{\"" + value + "\":1}\r\n--b--",
		operations(`{"query":"{me{name}}","variables":{"f":null}}`) +
			"--b\r\nContent-Disposition: form-data; name=\"map\"\r\n\r\n{\"0\":[\"variables." + value + "\"]}\r\n--b--",
		"--b\r\nContent-Disposition: form-data; name=\"" + value + "\"\r\n\r\n\r\n--b--",
	}
}

// raw posts a body with the session of c and returns all that comes back. The URL
// has the body too.
func (c *client) raw(t *testing.T, contentType, body string) []byte {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, c.url+"/graphql", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.URL.RawQuery = "q=" + url.QueryEscape(body)
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Authorization", "Bearer "+c.token)
	res, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var all bytes.Buffer
	_ = res.Header.Write(&all)
	_, _ = io.Copy(&all, res.Body)
	if res.StatusCode >= http.StatusInternalServerError {
		t.Errorf("status %d for %s", res.StatusCode, body)
	}
	return all.Bytes()
}

func lookForIn(t *testing.T, planted map[string]string, where string, content []byte) {
	t.Helper()
	for what, value := range planted {
		bare := strings.ReplaceAll(value, "-", "") // as a code is stored, if it is
		for writing, text := range map[string]string{
			"":                           value,
			" in upper case":             strings.ToUpper(value),
			" in lower case":             strings.ToLower(value),
			" without hyphens":           bare,
			" in upper case, no hyphens": strings.ToUpper(bare),
			" in lower case, no hyphens": strings.ToLower(bare),
			" in base64":                 base64.RawStdEncoding.EncodeToString([]byte(value)),
			" in base64, no hyphens":     base64.RawStdEncoding.EncodeToString([]byte(bare)),
			" in hex":                    hex.EncodeToString([]byte(value)),
			" in hex, no hyphens":        hex.EncodeToString([]byte(bare)),
			" escaped":                   strings.Trim(strconv.QuoteToASCII(value), `"`),
			" in URLs":                   url.QueryEscape(value),
		} {
			if bytes.Contains(content, []byte(text)) {
				t.Errorf("%s has the %s%s", where, what, writing)
			}
		}
	}
}
