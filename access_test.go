package main

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSignUpAndSignInRefuse(t *testing.T) {
	s := start(t, t.TempDir(), nil)
	c := newClient(t, s.url, false)
	c.mustEnter("signUp", "Alice", password)
	for _, test := range []struct {
		mutation, name, password string
		want                     []string
	}{
		{"signUp", "", "", []string{"REQUIRED input.name", "REQUIRED input.password"}},
		{"signUp", "x", "short", []string{"TOO_SHORT input.name 2", "TOO_SHORT input.password 8"}},
		{"signUp", "Bob", strings.Repeat("x", 257), []string{"TOO_LONG input.password 256"}},
		{"signUp", "Bob", "with\x00a NUL", []string{"INVALID_CHARACTER input.password"}},
		{"signUp", "Bo\u202Eb", password, []string{"INVALID_CHARACTER input.name"}},
		{"signUp", "ａｌｉｃｅ", password, []string{"NAME_TAKEN input.name"}},
		{"signIn", "", "", []string{"REQUIRED input.name", "REQUIRED input.password"}},
		{"signIn", "Alice", "wrong password!", []string{"WRONG_CREDENTIALS"}},
		{"signIn", "Nobody", password, []string{"WRONG_CREDENTIALS"}},
		{"signIn", "\u202E", password, []string{"WRONG_CREDENTIALS"}},
	} {
		anonymous := newClient(t, s.url, true)
		a := anonymous.enter(test.mutation, test.name, test.password)
		if diff := cmp.Diff(test.want, a.faults(test.mutation)); diff != "" {
			t.Errorf("%s as %q (-want +got):\n%s", test.mutation, test.name, diff)
		}
		if a.at(test.mutation, "user") != nil || a.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s as %q: a session was given: %s", test.mutation, test.name, a.Body)
		}
	}
}

func TestMessagesAreInTheLanguageOfTheRequest(t *testing.T) {
	s := start(t, t.TempDir(), nil)
	for language, want := range map[string]string{
		"":                        "This is required.",
		"de":                      "This is required.",
		"zh-CN,zh;q=0.9,en;q=0.8": "此项必填。",
		"en;q=0.5, zh-Hans;q=0.9": "此项必填。",
		"nonsense;;;":             "This is required.",
		// Of a long list, the beginning counts.
		"zh," + strings.Repeat("de;q=0.1,", 1000): "此项必填。",
		strings.Repeat("de;q=0.1,", 1000) + "zh":  "This is required.",
		strings.Repeat("a-", 1000) + ",zh":        "This is required.",
		"zh-" + strings.Repeat("a", 600) + ",en":  "This is required.",
		"zh," + strings.Repeat("nonsense-", 100):  "此项必填。", // is cut off
	} {
		req, _ := http.NewRequest(http.MethodPost, s.url+"/graphql", strings.NewReader(
			`{"query":"mutation{signIn(input:{name:\"\",password:\"x\"}){userErrors{message}}}"}`))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept-Language", language)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if !strings.Contains(string(body), want) {
			t.Errorf("Accept-Language %q: %s, want %s", language, body, want)
		}
	}
}

func TestABrowserGetsItsTokenAsACookieOnly(t *testing.T) {
	s := start(t, t.TempDir(), nil)
	a := newClient(t, s.url, true).enter("signUp", "Alice", password)
	if a.at("signUp", "sessionToken") != nil {
		t.Errorf("a script could read the token: %s", a.Body)
	}
	cookie := a.Header.Get("Set-Cookie")
	for _, attribute := range []string{"nameplate_session=", "HttpOnly", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(cookie, attribute) {
			t.Errorf("the cookie lacks %s: %s", attribute, cookie)
		}
	}
}

func TestUnderHTTPSTheCookieIsBoundToTheHost(t *testing.T) {
	s := start(t, t.TempDir(), map[string]string{"NAMEPLATE_PUBLIC_URL": "https://id.example.com"})
	a := newClient(t, s.url, false).enter("signUp", "Alice", password)
	if got := a.Header.Get("Set-Cookie"); !strings.HasPrefix(got, "__Host-nameplate_session=") || !strings.Contains(got, "Secure") {
		t.Errorf("the cookie is %s", got)
	}
}

func TestLimitsTellWhatIsAccepted(t *testing.T) {
	s := start(t, t.TempDir(), nil)
	a := newClient(t, s.url, false).do(`{ limits {
		name { minLength maxLength } realName { minLength maxLength } password { minLength maxLength }
		avatar { maxBytes maxPixels maxSide types sizes } } }`, nil)
	want := map[string]any{
		"name":     map[string]any{"minLength": 2.0, "maxLength": 32.0},
		"realName": map[string]any{"minLength": 2.0, "maxLength": 50.0},
		"password": map[string]any{"minLength": 8.0, "maxLength": 256.0},
		"avatar": map[string]any{
			"maxBytes": 10485760.0, "maxPixels": 16777216.0, "maxSide": 8192.0,
			"types": []any{"image/jpeg", "image/png", "image/gif", "image/webp"}, "sizes": []any{64.0, 128.0, 256.0, 512.0},
		},
	}
	if diff := cmp.Diff(want, a.at("limits")); diff != "" {
		t.Errorf("limits (-want +got):\n%s", diff)
	}
}

func TestTheSizeOfAPictureIsASetting(t *testing.T) {
	file := photo(t, 64, 64)
	for limit, want := range map[int][]string{
		len(file):     nil,
		len(file) - 1: {"FILE_TOO_LARGE file " + strconv.Itoa(len(file)-1)},
	} {
		s := start(t, t.TempDir(), map[string]string{"NAMEPLATE_MAX_UPLOAD": strconv.Itoa(limit)})
		c := newClient(t, s.url, false)
		c.mustEnter("signUp", "Alice", password)
		if diff := cmp.Diff(want, c.upload(updateAvatar, file).faults("updateAvatar")); diff != "" {
			t.Errorf("%d bytes of at most %d (-want +got):\n%s", len(file), limit, diff)
		}
		if told := c.do(`{ limits { avatar { maxBytes } } }`, nil).at("limits", "avatar", "maxBytes"); told != float64(limit) {
			t.Errorf("the limit is told as %v, want %d", told, limit)
		}
	}
}
