package profile

import (
	"bytes"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"nameplate/internal/avatar"
)

var someID = uuid.MustParse("6ba7b810-9dad-41d1-80b4-00c04fd430c8")

func getGenerated(t *testing.T, method, path string) *http.Response {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc(GeneratedPattern, ServeGenerated)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, nil))
	return w.Result()
}

func TestAGeneratedPictureIsServedForEver(t *testing.T) {
	for _, size := range avatar.Sizes() {
		response := getGenerated(t, http.MethodGet, generatedPath(someID, size))
		want := http.Header{
			"Content-Type":                 {"image/png"},
			"Cache-Control":                {"public, max-age=31536000, immutable"},
			"X-Content-Type-Options":       {"nosniff"},
			"Content-Security-Policy":      {"default-src 'none'; sandbox"},
			"Cross-Origin-Resource-Policy": {"cross-origin"},
			"Access-Control-Allow-Origin":  {"*"},
		}
		if diff := cmp.Diff(want, response.Header); diff != "" || response.StatusCode != http.StatusOK {
			t.Errorf("status %d, header:\n%s", response.StatusCode, diff)
		}
		config, err := png.DecodeConfig(response.Body)
		if err != nil || config.Width != size || config.Height != size {
			t.Errorf("size %d: %dx%d, %v", size, config.Width, config.Height, err)
		}
	}
}

func TestUsersHaveDifferentGeneratedPictures(t *testing.T) {
	read := func(id uuid.UUID) []byte {
		var b bytes.Buffer
		if _, err := b.ReadFrom(getGenerated(t, http.MethodGet, generatedPath(id, 64)).Body); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	if bytes.Equal(read(someID), read(uuid.Nil)) {
		t.Error("two users have one picture")
	}
	if !bytes.Equal(read(someID), read(someID)) {
		t.Error("one user has two pictures")
	}
}

// There is one address for a picture, so that caches hold it once.
func TestAnyOtherAddressIsNotFound(t *testing.T) {
	const base = "/avatars/generated/1/"
	id := someID.String()
	for _, path := range []string{
		base + strings.ToUpper(id) + "/64.png",
		base + strings.ReplaceAll(id, "-", "") + "/64.png",
		base + "urn:uuid:" + id + "/64.png",
		base + "%7B" + id + "%7D/64.png",
		base + "alice/64.png",
		base + "/64.png",
		base + id + "/",
		base + id + "/64",
		base + id + "/64.PNG",
		base + id + "/64.jpg",
		base + id + "/64.png.png",
		base + id + "/064.png",
		base + id + "/+64.png",
		base + id + "/-64.png",
		base + id + "/0.png",
		base + id + "/1.png",
		base + id + "/65.png",
		base + id + "/1024.png",
		base + id + "/99999999999999999999.png",
		base + id + "/64.png/",
		"/avatars/generated/2/" + id + "/64.png",
	} {
		if got := getGenerated(t, http.MethodGet, path).StatusCode; got == http.StatusOK {
			t.Errorf("%s is served", path)
		} else if got != http.StatusNotFound && got != http.StatusMovedPermanently && got != http.StatusTemporaryRedirect {
			t.Errorf("%s: status %d, want 404", path, got)
		}
	}
}

func TestOtherMethodsThanGetAreRefused(t *testing.T) {
	for method, want := range map[string]int{
		http.MethodHead: http.StatusOK, http.MethodPost: http.StatusMethodNotAllowed, http.MethodDelete: http.StatusMethodNotAllowed,
	} {
		if got := getGenerated(t, method, generatedPath(someID, 64)).StatusCode; got != want {
			t.Errorf("%s: status %d, want %d", method, got, want)
		}
	}
}
