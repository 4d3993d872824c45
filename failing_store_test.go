package main

import (
	"image"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nameplate/internal/blob/blobtest"
)

// A picture of 300 pixels has four objects. Whether the store fails at the first of
// them or at the last, and however, the user's picture stays and nothing of the new
// one does.
func TestAStoreThatFailsInAnyWayLeavesTheOldPicture(t *testing.T) {
	for name, failure := range map[string]blobtest.Failure{
		"401":           blobtest.Status(http.StatusUnauthorized),
		"503":           blobtest.Status(http.StatusServiceUnavailable),
		"no object":     blobtest.Status(612),
		"object exists": blobtest.Status(614),
		"no bucket":     blobtest.Status(631),
		"hangs":         blobtest.Hang,
		"cuts":          blobtest.Cut,
		"loses answers": blobtest.LoseAnswer,
		"too slow":      blobtest.Slow(time.Minute),
	} {
		for _, stored := range []int{0, 3} {
			t.Run(name+" after "+strconv.Itoa(stored), func(t *testing.T) {
				t.Parallel()
				testFailingStore(t, failure, stored)
			})
		}
	}
}

func testFailingStore(t *testing.T, failure blobtest.Failure, stored int) {
	double := blobtest.NewKodo(t)
	settings := kodoSettings(double)
	settings["NAMEPLATE_SWEEP_AFTER"] = "1s" // bounds an upload, too
	s := start(t, t.TempDir(), settings)
	c := newClient(t, s.url, false)
	c.mustEnter("signUp", "Alice", password)
	old := c.upload(updateAvatar, photo(t, 128, 128)).at("updateAvatar", "user", "large")
	before, live := c.me(), objects(t, s)

	double.Fail(stored, func(next http.Handler) http.Handler { return next })
	double.Fail(1000, failure)
	begin := time.Now()
	a := c.upload(updateAvatar, photo(t, 300, 300))
	if a.code() != "SERVICE_UNAVAILABLE" || a.Errors[0].Extensions["retryAfter"] == nil || a.at("updateAvatar") != nil {
		t.Errorf("the answer is %s", a.Body)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("the answer took %s", took)
	}
	double.Heal()
	if diff := cmp.Diff(before, c.me()); diff != "" {
		t.Errorf("the refused picture changed (-before +after):\n%s", diff)
	}
	if side := pictureSide(t, old, "image/jpeg"); side != 128 {
		t.Errorf("the old picture has %d pixels a side", side)
	}
	for _, key := range double.Keys() {
		wholeAt(t, double, key)
	}

	sweepAll(t, s, settings)
	if diff := cmp.Diff(live, objects(t, s)); diff != "" {
		t.Errorf("rows of objects (-before +after):\n%s", diff)
	}
	for _, key := range double.Keys() {
		if live[key] == "" {
			t.Errorf("%s is left in the bucket", key)
		}
	}
	if pictureSide(t, c.me()["avatarUrl"], "image/jpeg") != 128 {
		t.Error("the sweep took the old picture")
	}
	if log := s.log.String(); strings.Contains(log, double.SecretKey) || strings.Contains(log, double.AccessKey) {
		t.Errorf("the log tells a key: %s", log)
	}
}

// wholeAt requires that what is served under the key, if anything, is a whole picture.
func wholeAt(t *testing.T, double *blobtest.Kodo, key string) {
	t.Helper()
	address, err := url.JoinPath(double.Domain, key)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusNotFound { // this server's own sweep has been there
		return
	}
	if _, _, err := image.Decode(res.Body); err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("%s is served and no whole picture: status %d, %v", key, res.StatusCode, err)
	}
}
