package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"image"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nameplate/ent"
)

// export asks for everything that is stored about the user.
func (c *client) export(header ...string) *http.Response {
	c.t.Helper()
	req, err := http.NewRequest(http.MethodGet, c.url+"/me/export", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := c.http.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { res.Body.Close() })
	return res
}

// unzip reads an archive's files.
func unzip(t *testing.T, res *http.Response) map[string][]byte {
	t.Helper()
	content, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "application/zip" {
		t.Fatalf("status %d, %v: %s", res.StatusCode, err, content)
	}
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, file := range archive.File {
		r, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[file.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func TestAPersonTakesTheirDataWithThem(t *testing.T) {
	forEachStoreAndClient(t, func(t *testing.T, s *server, browser bool) {
		c := newClient(t, s.url, browser)
		c.agent = "curl/8.5.0"
		c.mustEnter("signUp", "Alice", password)
		c.upload(updateAvatar, photo(t, 300, 400))
		c.saveVerification(realName, idCard)
		c.recoveryCodes()

		files := unzip(t, c.export())
		var profile struct {
			User          struct{ ID, Name string }
			Pictures      []string
			Verification  map[string]string
			Sessions      []map[string]string
			RecoveryCodes []map[string]any
			Events        []map[string]any
		}
		if err := json.Unmarshal(files["profile.json"], &profile); err != nil {
			t.Fatalf("%v: %s", err, files["profile.json"])
		}
		if profile.User.Name != "Alice" || profile.Verification["realName"] != realName || profile.Verification["idCard"] != idCard {
			t.Errorf("profile.json: %s", files["profile.json"])
		}
		if len(profile.Sessions) != 1 || profile.Sessions[0]["userAgent"] != "curl/8.5.0" || len(profile.RecoveryCodes) != 10 {
			t.Errorf("profile.json: %s", files["profile.json"])
		}
		var kinds []any
		for _, e := range profile.Events {
			kinds = append(kinds, e["kind"])
		}
		want := []any{"ID_CARD_READ", "DATA_EXPORTED", "RECOVERY_CODES_CREATED", "ID_CARD_READ", "VERIFICATION_SAVED", "AVATAR_CHANGED", "SIGNED_UP"}
		if diff := cmp.Diff(want, kinds); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		var sides []int
		for _, name := range profile.Pictures {
			config, _, err := image.DecodeConfig(bytes.NewReader(files[name]))
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			sides = append(sides, config.Width)
		}
		if !cmp.Equal(sides, []int{64, 128, 256, 300}) || len(files) != 5 {
			t.Errorf("pictures %v of %v", sides, profile.Pictures)
		}
		for _, secret := range []string{password, "argon2id"} {
			if bytes.Contains(files["profile.json"], []byte(secret)) {
				t.Errorf("profile.json has %q", secret)
			}
		}
	})
}

func TestAnExportTakesASessionAndAFreshPassword(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), nil)
	c := newClient(t, s.url, false)
	refused := func(what string, res *http.Response, status int, code string) {
		t.Helper()
		a, err := readAnswer(res)
		if err != nil || a.Status != status || a.code() != code {
			t.Errorf("%s: status %d, %v %v", what, res.StatusCode, a, err)
		}
	}
	refused("without a session", c.export(), http.StatusUnauthorized, "UNAUTHENTICATED")
	c.mustEnter("signUp", "Alice", password)
	c.saveVerification(realName, idCard)
	passwordsWereEntered(t, s, 601*time.Second)
	refused("a password of ten minutes ago", c.export(), http.StatusForbidden, "REAUTHENTICATION_REQUIRED")
	if n := len(c.events(100)); n != 3 {
		t.Errorf("what was refused has left %d events, want the 3 from before", n)
	}
	c.reauthenticate(password)
	browser := newClient(t, s.url, true)
	browser.mustEnter("signIn", "Alice", password)
	refused("a link in a mail", browser.export("Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate"), http.StatusForbidden, "FORBIDDEN")
	refused("another page", browser.export("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors", "Origin", "https://evil.example"), http.StatusForbidden, "FORBIDDEN")
	refused("a link in a page over plain http", browser.export("Referer", "http://evil.example/"), http.StatusForbidden, "FORBIDDEN")
	unzip(t, browser.export("Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "navigate"))
	res, err := http.Post(s.url+"/me/export", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	refused("a POST", res, http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED")
	for range 9 {
		unzip(t, c.export())
	}
	refused("the eleventh at once", c.export(), http.StatusTooManyRequests, "RATE_LIMITED")
}

func TestDeletingAnAccountLeavesNothing(t *testing.T) {
	t.Parallel()
	for store, settings := range stores {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			env := settings(t)
			s := start(t, t.TempDir(), env)
			c, other, bob := newClient(t, s.url, true), newClient(t, s.url, false), newClient(t, s.url, false)
			const name, agent = "Wilhelmina", "WilhelminasApp/7"
			c.agent, other.agent = agent, agent
			c.mustEnter("signUp", name, password)
			other.mustEnter("signIn", name, password)
			bob.mustEnter("signUp", "Bob", password)
			bob.upload(updateAvatar, photo(t, 64, 64))
			c.upload(updateAvatar, photo(t, 300, 400))
			c.saveVerification(realName, idCard)
			c.recoveryCodes()
			other.enter("signIn", name, "wrong password!")
			gone := secretsOf(t, s, name)
			gone = append(gone, name, strings.ToLower(name), agent)

			if got := c.deleteAccount("wrong password!").faults("deleteAccount"); !cmp.Equal(got, []string{"WRONG_CREDENTIALS input.password"}) {
				t.Errorf("with a wrong password: %v", got)
			}
			other.me()
			if a := c.deleteAccount(password); a.code() != "" || a.faults("deleteAccount") != nil {
				t.Fatalf("deleting: %s", a.Body)
			}
			for _, c := range []*client{c, other} {
				if code := c.do(`{ me { name } }`, nil).code(); code != "UNAUTHENTICATED" {
					t.Errorf("a session of the user's gets %q", code)
				}
			}
			other.agent = "" // for that is recorded, of nobody
			if got := other.enter("signIn", name, password).faults("signIn"); !cmp.Equal(got, []string{"WRONG_CREDENTIALS"}) {
				t.Errorf("signing in: %v", got)
			}
			if got := other.enter("signUp", "ＷＩＬＨＥＬＭＩＮＡ", password).faults("signUp"); !cmp.Equal(got, []string{"NAME_TAKEN input.name"}) {
				t.Errorf("taking the name: %v", got)
			}
			if got := bob.updateName(name).faults("updateName"); !cmp.Equal(got, []string{"NAME_TAKEN input.name"}) {
				t.Errorf("taking the name by a change: %v", got)
			}
			sweepAll(t, s, env)
			for key := range objects(t, s) {
				if !strings.Contains(bob.me()["avatarUrl"].(string), strings.Split(key, "-")[0]) {
					t.Errorf("the object %s is left", key)
				}
			}
			if err := s.stop(); err != nil { // which folds the write-ahead log into the database
				t.Fatal(err)
			}
			content, err := os.ReadFile(filepath.Join(s.data, "nameplate.db"))
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range gone {
				if bytes.Contains(content, []byte(secret)) {
					t.Errorf("the database still has %q", secret)
				}
			}
			if !bytes.Contains(content, []byte("Bob")) {
				t.Error("the database has no other user: was it looked into?")
			}
		})
	}
}

// secretsOf are the values of a user's that the database has.
func secretsOf(t *testing.T, s *server, name string) (values []string) {
	t.Helper()
	inDatabase(t, s, func(ctx context.Context, db *ent.Client) error {
		for _, user := range db.User.Query().WithSessions().WithEvents().WithRecoveryCodes().WithAttempts().AllX(ctx) {
			if user.Name != name {
				continue
			}
			values = append(values, user.ID.String(), user.PasswordHash, *user.AvatarKey, string(user.RealNameSealed), string(user.IDCardSealed))
			for _, row := range user.Edges.Sessions {
				values = append(values, row.ID.String(), string(row.TokenSha256))
			}
			for _, row := range user.Edges.Events {
				values = append(values, row.ID.String())
			}
			for _, row := range user.Edges.RecoveryCodes {
				values = append(values, string(row.CodeSha256))
			}
			for _, row := range user.Edges.Attempts {
				values = append(values, row.ID)
			}
		}
		return nil
	})
	if values = slices.Compact(slices.Sorted(slices.Values(values))); len(values) < 20 {
		t.Fatalf("the user has left %d values", len(values))
	}
	return values
}
