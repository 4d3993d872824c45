package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// What a person gives to the server and nobody else may ever read: they are
// planted, used in every operation and put where they don't belong, and then looked
// for in everything that the server has written.
func TestPersonalDataIsFoundNowhere(t *testing.T) {
	p := startProcess(t, t.TempDir(), map[string]string{"NAMEPLATE_LOG_LEVEL": "debug"})
	c := newClient(t, p.url, false)
	planted := map[string]string{
		"ID number": idCard,
		"real name": "欧阳震华",
		"password":  "Tr0ub4dor&3-planted",
	}
	c.mustEnter("signUp", "Alice", planted["password"])
	planted["session token"] = c.token
	if faults := c.saveVerification(planted["real name"], idCard).faults("saveVerification"); faults != nil {
		t.Fatal(faults)
	}
	c.do(fullNumber, nil)
	c.reauthenticate(planted["password"])
	c.saveVerification(planted["real name"], otherCard)
	c.upload(updateAvatar, photo(t, 64, 64))

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
	err := filepath.WalkDir(p.data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		lookForIn(t, planted, entry.Name(), content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
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
		for writing, text := range map[string]string{
			"":           value,
			" in base64": base64.RawStdEncoding.EncodeToString([]byte(value)),
			" in hex":    hex.EncodeToString([]byte(value)),
			" escaped":   strings.Trim(strconv.QuoteToASCII(value), `"`),
			" in URLs":   url.QueryEscape(value),
		} {
			if bytes.Contains(content, []byte(text)) {
				t.Errorf("%s has the %s%s", where, what, writing)
			}
		}
	}
}
