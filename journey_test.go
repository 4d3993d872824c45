package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nameplate/ent/session"
	"nameplate/internal/blob/blobtest"
	"nameplate/internal/database"
)

const (
	password  = "correct horse battery"
	realName  = "张三"
	idCard    = "11010519491231002X"
	otherCard = "110101199003070011"
)

// stores are the settings for each kind of store.
var stores = map[string]func(t testing.TB) map[string]string{
	"disk": func(testing.TB) map[string]string { return nil },
	"kodo": func(t testing.TB) map[string]string { return kodoSettings(blobtest.NewKodo(t)) },
}

func kodoSettings(double *blobtest.Kodo) map[string]string {
	return map[string]string{
		"NAMEPLATE_STORAGE_URL":     fmt.Sprintf("kodo://%s?endpoint=%s&domain=%s", double.Bucket, double.URL, double.Domain),
		"NAMEPLATE_KODO_ACCESS_KEY": double.AccessKey,
		"NAMEPLATE_KODO_SECRET_KEY": double.SecretKey,
	}
}

// forEachStoreAndClient runs a test on all four kinds of server and client.
func forEachStoreAndClient(t *testing.T, test func(t *testing.T, s *server, browser bool)) {
	for store, settings := range stores {
		for kind, browser := range map[string]bool{"cookie": true, "bearer": false} {
			t.Run(store+"/"+kind, func(t *testing.T) {
				t.Parallel()
				test(t, start(t, t.TempDir(), settings(t)), browser)
			})
		}
	}
}

func TestJourney(t *testing.T) {
	forEachStoreAndClient(t, func(t *testing.T, s *server, browser bool) {
		alice, aliceToo := newClient(t, s.url, browser), newClient(t, s.url, browser)
		bob, bobToo := newClient(t, s.url, browser), newClient(t, s.url, browser)
		alice.mustEnter("signUp", "Alice", password)
		bob.mustEnter("signUp", "Bob", password)
		aliceToo.mustEnter("signIn", "ＡＬＩＣＥ", password)
		bobToo.mustEnter("signIn", "bob", password)

		everyoneStartsWithAGeneratedPicture(t, alice, bob)
		aRenameShowsInTheOtherSession(t, alice, aliceToo, bob)
		aPictureShowsInTheOtherSession(t, alice, aliceToo, bob)
		aVerificationIsSavedOnce(t, alice, aliceToo, bob)
		theFullNumberNeedsAFreshPassword(t, s, alice, aliceToo)
		oneSessionEndsAndTheOtherStays(t, alice, aliceToo)
		bobIsUntouched(t, bob, bobToo)
	})
}

const profileFields = `id name avatarUrl hasAvatar createdAt updatedAt
	verification { realName maskedIdCard savedAt }`

func (c *client) me() map[string]any {
	c.t.Helper()
	me, ok := c.do(`{ me { `+profileFields+` } }`, nil).at("me").(map[string]any)
	if !ok {
		c.t.Fatal("me is null")
	}
	return me
}

func everyoneStartsWithAGeneratedPicture(t *testing.T, alice, bob *client) {
	t.Helper()
	a, b := alice.me(), bob.me()
	if a["hasAvatar"] != false || a["verification"] != nil || a["name"] != "Alice" {
		t.Errorf("a new user is %v", a)
	}
	if a["avatarUrl"] == b["avatarUrl"] || a["id"] == b["id"] {
		t.Errorf("two users have one picture or id: %v, %v", a, b)
	}
	if side := pictureSide(t, a["avatarUrl"], "image/png"); side != 256 {
		t.Errorf("the generated picture has %d pixels a side, want 256", side)
	}
}

func (c *client) updateName(name string) *answer {
	c.t.Helper()
	return c.do(`mutation($input: UpdateNameInput!) { updateName(input: $input) { user { name } `+userErrorFields+` } }`,
		vars{"input": vars{"name": name}})
}

func aRenameShowsInTheOtherSession(t *testing.T, alice, aliceToo, bob *client) {
	t.Helper()
	if got := alice.updateName("Alice Liddell").at("updateName", "user", "name"); got != "Alice Liddell" {
		t.Errorf("after the rename the name is %v", got)
	}
	if got := aliceToo.me()["name"]; got != "Alice Liddell" {
		t.Errorf("the other session shows the name %v", got)
	}
	for name, want := range map[string]string{
		"":                      "REQUIRED input.name",
		"x":                     "TOO_SHORT input.name 2",
		strings.Repeat("x", 33): "TOO_LONG input.name 32",
		"a\u0007b":              "INVALID_CHARACTER input.name",
		"bOB":                   "NAME_TAKEN input.name",
	} {
		a := alice.updateName(name)
		if diff := cmp.Diff([]string{want}, a.faults("updateName")); diff != "" {
			t.Errorf("renaming to %q (-want +got):\n%s", name, diff)
		}
	}
	if got := aliceToo.me()["name"]; got != "Alice Liddell" {
		t.Errorf("a refused rename left the name %v", got)
	}
	// The name that was left is free.
	if got := bob.updateName("alice").at("updateName", "user", "name"); got != "alice" {
		t.Errorf("a name that was given up could not be taken: %v", got)
	}
	if faults := bob.updateName("Bob").faults("updateName"); faults != nil {
		t.Errorf("going back to one's own name: %v", faults)
	}
}

const (
	updateAvatar = `mutation($file: Upload!) { updateAvatar(file: $file) {
		user { avatarUrl(size: 64) large: avatarUrl(size: 4000) hasAvatar } ` + userErrorFields + ` } }`
	removeAvatar = `mutation { removeAvatar { user { avatarUrl hasAvatar } ` + userErrorFields + ` } }`
)

func aPictureShowsInTheOtherSession(t *testing.T, alice, aliceToo, bob *client) {
	t.Helper()
	a := alice.upload(updateAvatar, photo(t, 300, 400))
	if side := pictureSide(t, a.at("updateAvatar", "user", "avatarUrl"), "image/jpeg"); side != 64 {
		t.Errorf("the small picture has %d pixels a side, want 64", side)
	}
	if side := pictureSide(t, a.at("updateAvatar", "user", "large"), "image/jpeg"); side != 300 {
		t.Errorf("the largest picture has %d pixels a side, want 300", side)
	}
	first := aliceToo.me()["avatarUrl"]
	if side := pictureSide(t, first, "image/jpeg"); side != 256 {
		t.Errorf("the other session shows a picture of %d pixels a side, want 256", side)
	}
	badFilesAreRefused(t, alice)
	if got := aliceToo.me(); got["avatarUrl"] != first || got["hasAvatar"] != true {
		t.Errorf("refused files changed the picture: %v", got)
	}
	if bob.me()["hasAvatar"] != false {
		t.Error("another user's picture changed")
	}
	cropsAreKept(t, alice)
	alice.upload(updateAvatar, transparent(t))
	if second := aliceToo.me()["avatarUrl"]; second == first {
		t.Error("a new picture has the old one's address")
	} else if side := pictureSide(t, second, "image/png"); side != 100 {
		t.Errorf("the transparent picture has %d pixels a side, want 100", side)
	}
	alice.do(removeAvatar, nil)
	if got := aliceToo.me(); got["hasAvatar"] != false {
		t.Errorf("the picture was removed, and the other session shows %v", got)
	}
}

func badFilesAreRefused(t *testing.T, c *client) {
	t.Helper()
	whole := photo(t, 300, 400)
	for name, test := range map[string]struct {
		file []byte
		want string
	}{
		"empty":       {nil, "FILE_EMPTY file"},
		"too large":   {make([]byte, 10<<20+1), "FILE_TOO_LARGE file 10485760"},
		"no picture":  {[]byte("<svg xmlns='http://www.w3.org/2000/svg'/>"), "IMAGE_UNSUPPORTED file"},
		"cut short":   {whole[:len(whole)/2], "IMAGE_CORRUPT file"},
		"many pixels": {hugeHeader(), "IMAGE_TOO_LARGE file 16777216"},
	} {
		if diff := cmp.Diff([]string{test.want}, c.upload(updateAvatar, test.file).faults("updateAvatar")); diff != "" {
			t.Errorf("%s file (-want +got):\n%s", name, diff)
		}
	}
}

func cropsAreKept(t *testing.T, c *client) {
	t.Helper()
	cropped := func(x, y, size int) string {
		return strings.Replace(updateAvatar, "file: $file", fmt.Sprintf("file: $file, crop: { x: %d, y: %d, size: %d }", x, y, size), 1)
	}
	before := c.me()["avatarUrl"]
	for _, crop := range [][3]int{{0, 0, 0}, {-1, 0, 10}, {1, 0, 300}, {0, 101, 300}, {0, 0, 301}} {
		got := c.upload(cropped(crop[0], crop[1], crop[2]), photo(t, 300, 400)).faults("updateAvatar")
		if diff := cmp.Diff([]string{"CROP_OUT_OF_BOUNDS crop"}, got); diff != "" {
			t.Errorf("crop %v (-want +got):\n%s", crop, diff)
		}
	}
	if c.me()["avatarUrl"] != before {
		t.Error("a refused crop changed the picture")
	}
	c.upload(cropped(100, 200, 200), photo(t, 300, 400))
	if side := pictureSide(t, c.me()["avatarUrl"], "image/jpeg"); side != 200 {
		t.Errorf("the crop has %d pixels a side, want 200", side)
	}
}

func (c *client) saveVerification(name, number string) *answer {
	c.t.Helper()
	return c.do(`mutation($input: SaveVerificationInput!) { saveVerification(input: $input) {
		user { verification { realName maskedIdCard idCard } } `+userErrorFields+` } }`,
		vars{"input": vars{"realName": name, "idCard": number}})
}

func aVerificationIsSavedOnce(t *testing.T, alice, aliceToo, bob *client) {
	t.Helper()
	for _, test := range []struct {
		name, number string
		want         []string
	}{
		{"", "", []string{"REQUIRED input.realName", "REQUIRED input.idCard"}},
		{realName, "", []string{"REQUIRED input.idCard"}},
		{"张", idCard, []string{"TOO_SHORT input.realName 2"}},
		{strings.Repeat("张", 51), idCard, []string{"TOO_LONG input.realName 50"}},
		{"张3", idCard, []string{"REAL_NAME_INVALID input.realName"}},
		{realName, "110105194912310021", []string{"ID_CARD_INVALID input.idCard"}},
		{realName, "11010519491231002", []string{"ID_CARD_INVALID input.idCard"}},
		{realName, "110101190002290011", []string{"ID_CARD_INVALID input.idCard"}},
	} {
		if diff := cmp.Diff(test.want, alice.saveVerification(test.name, test.number).faults("saveVerification")); diff != "" {
			t.Errorf("saving %q, %q (-want +got):\n%s", test.name, test.number, diff)
		}
	}
	if aliceToo.me()["verification"] != nil {
		t.Error("refused values were stored")
	}
	a := alice.saveVerification(realName, "１１０１０５19491231002x")
	want := map[string]any{"realName": realName, "maskedIdCard": "1****************X", "idCard": idCard}
	if diff := cmp.Diff(want, a.at("saveVerification", "user", "verification")); diff != "" {
		t.Errorf("saved (-want +got):\n%s", diff)
	}
	saved := aliceToo.me()["verification"]
	if faults := aliceToo.saveVerification(realName, idCard).faults("saveVerification"); faults != nil {
		t.Errorf("the same again: %v", faults)
	}
	for _, other := range [][2]string{{"李四", idCard}, {realName, otherCard}} {
		got := aliceToo.saveVerification(other[0], other[1]).faults("saveVerification")
		if diff := cmp.Diff([]string{"ALREADY_VERIFIED"}, got); diff != "" {
			t.Errorf("other values (-want +got):\n%s", diff)
		}
	}
	if diff := cmp.Diff(saved, alice.me()["verification"]); diff != "" {
		t.Errorf("saving again changed what is stored (-before +after):\n%s", diff)
	}
	if bob.me()["verification"] != nil {
		t.Error("another user has the verification")
	}
}

const fullNumber = `{ me { verification { maskedIdCard idCard } } }`

func theFullNumberNeedsAFreshPassword(t *testing.T, s *server, alice, aliceToo *client) {
	t.Helper()
	if got := alice.do(fullNumber, nil).at("me", "verification", "idCard"); got != idCard {
		t.Errorf("right after signing in, the full number is %v", got)
	}
	passwordsWereEntered(t, s, 601*time.Second)
	a := alice.do(fullNumber, nil)
	if a.code() != "REAUTHENTICATION_REQUIRED" || a.at("me", "verification", "maskedIdCard") == nil ||
		a.at("me", "verification", "idCard") != nil {
		t.Errorf("ten minutes later: %s", a.Body)
	}
	for password, want := range map[string]string{
		"":                "REQUIRED input.password",
		"wrong password!": "WRONG_CREDENTIALS input.password",
	} {
		if diff := cmp.Diff([]string{want}, alice.reauthenticate(password).faults("reauthenticate")); diff != "" {
			t.Errorf("password %q (-want +got):\n%s", password, diff)
		}
	}
	if faults := alice.reauthenticate(password).faults("reauthenticate"); faults != nil {
		t.Errorf("the right password: %v", faults)
	}
	if got := alice.do(fullNumber, nil).at("me", "verification", "idCard"); got != idCard {
		t.Errorf("after the password, the full number is %v", got)
	}
	if code := aliceToo.do(fullNumber, nil).code(); code != "REAUTHENTICATION_REQUIRED" {
		t.Errorf("the other session's password is as old as ever, and it got %q", code)
	}
}

func (c *client) reauthenticate(password string) *answer {
	c.t.Helper()
	return c.do(`mutation($input: ReauthenticateInput!) { reauthenticate(input: $input) { `+userErrorFields+` } }`,
		vars{"input": vars{"password": password}})
}

// passwordsWereEntered moves the last entry of every password into the past.
func passwordsWereEntered(t *testing.T, s *server, ago time.Duration) {
	t.Helper()
	db, err := database.Open(context.Background(), filepath.Join(s.data, "nameplate.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Session.Update().
		Where(session.AuthenticatedAtGT(time.Time{})).
		SetAuthenticatedAt(now().Add(-ago)).
		Exec(context.Background())
	if err != nil {
		t.Fatal(err)
	}
}

const signOut = `mutation { signOut { ` + userErrorFields + ` } }`

func oneSessionEndsAndTheOtherStays(t *testing.T, alice, aliceToo *client) {
	t.Helper()
	a := alice.do(`mutation { signOut { userErrors { code } } updateName(input: { name: "Mallory" }) { user { name } } }`, nil)
	if a.code() != "UNAUTHENTICATED" || a.at("signOut") == nil {
		t.Errorf("a change after signing out in one request: %s", a.Body)
	}
	for _, query := range []string{
		`{ me { name } }`, removeAvatar,
		`mutation { updateName(input: { name: "Mallory" }) { user { name } } }`,
		`mutation { reauthenticate(input: { password: "x" }) { userErrors { code } } }`,
		`mutation { saveVerification(input: { realName: "x", idCard: "x" }) { userErrors { code } } }`,
	} {
		if a := alice.do(query, nil); a.code() != "UNAUTHENTICATED" {
			t.Errorf("after signing out, %s: %s", query, a.Body)
		}
	}
	if a := alice.upload(updateAvatar, photo(t, 64, 64)); a.code() != "UNAUTHENTICATED" {
		t.Errorf("after signing out, an upload: %s", a.Body)
	}
	if a := alice.do(signOut, nil); a.code() != "" || a.faults("signOut") != nil {
		t.Errorf("signing out again: %s", a.Body)
	}
	if got := aliceToo.me()["name"]; got != "Alice Liddell" {
		t.Errorf("the other session shows %v", got)
	}
}

func bobIsUntouched(t *testing.T, bob, bobToo *client) {
	t.Helper()
	me := bobToo.me()
	if me["name"] != "Bob" || me["hasAvatar"] != false || me["verification"] != nil {
		t.Errorf("the other user is %v", me)
	}
	if diff := cmp.Diff(me, bob.me()); diff != "" {
		t.Errorf("two sessions of one user differ:\n%s", diff)
	}
}
