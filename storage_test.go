package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"nameplate/internal/blob/blobtest"
)

func TestAStorageThatWorksPassesItsCheck(t *testing.T) {
	for store, settings := range stores {
		t.Run(store, func(t *testing.T) {
			s := start(t, t.TempDir(), settings(t))
			got, err := command(t, beside(s, settings(t)), "storage", "check")
			if err != nil || strings.Contains(got, "failed") {
				t.Errorf("%v\n%s", err, got)
			}
			for _, step := range []string{"put check-", "get http", "read it", "delete it", "find it gone"} {
				if !strings.Contains(got, "\nok       "+step) {
					t.Errorf("%q is not in\n%s", step, got)
				}
			}
			if warned := strings.Contains(got, "\nwarning  the answer has no Access-Control-Allow-Origin"); warned != (store == "kodo") {
				t.Errorf("warned of the missing header: %t\n%s", warned, got)
			}
			if store == "disk" {
				wantNoFiles(t, filepath.Join(s.data, "media"))
			}
		})
	}
}

func wantNoFiles(t *testing.T, folder string) {
	t.Helper()
	if got := filesIn(t, folder); len(got) != 0 {
		t.Errorf("%s has %q", folder, got)
	}
}

func TestACheckThatFailsSaysWhatToChange(t *testing.T) {
	elsewhere := httptest.NewServer(http.RedirectHandler("https://www.example.com/", http.StatusFound))
	defer elsewhere.Close()
	another := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "<!doctype html>Welcome")
	}))
	defer another.Close()
	shrunk := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/png")
		_, _ = io.WriteString(w, "smaller")
	}))
	defer shrunk.Close()
	closed := httptest.NewServer(nil)
	closed.Close()
	domain := func(address string) func(*blobtest.Kodo, map[string]string) {
		return func(double *blobtest.Kodo, env map[string]string) { replace(env, double.Domain, address) }
	}
	for name, test := range map[string]struct {
		change func(double *blobtest.Kodo, env map[string]string)
		failed string // the first step that did
		why    string
		hint   string
	}{
		"secret key": {
			func(_ *blobtest.Kodo, env map[string]string) { env["NAMEPLATE_KODO_SECRET_KEY"] = "wrong" },
			"put", "401", "NAMEPLATE_KODO_SECRET_KEY",
		},
		"access key": {
			func(_ *blobtest.Kodo, env map[string]string) { env["NAMEPLATE_KODO_ACCESS_KEY"] = "wrong" },
			"put", "401", "NAMEPLATE_KODO_ACCESS_KEY",
		},
		"bucket": {
			func(double *blobtest.Kodo, env map[string]string) {
				replace(env, "kodo://"+double.Bucket, "kodo://other")
			},
			"put", "403", "the name behind kodo://",
		},
		"no such bucket": {
			func(double *blobtest.Kodo, _ map[string]string) { double.Fail(1, blobtest.Status(631)) },
			"put", "631", "no such bucket",
		},
		"region": {
			func(double *blobtest.Kodo, _ map[string]string) { double.Fail(1, anotherRegion) },
			"put", "incorrect region, please use up-z2.qiniup.com", "change region=",
		},
		"endpoint": {
			func(double *blobtest.Kodo, env map[string]string) { replace(env, double.URL, closed.URL) },
			"put", "refused", "region= (or endpoint=)",
		},
		"may not delete": {
			func(double *blobtest.Kodo, _ map[string]string) {
				double.Fail(1, func(next http.Handler) http.Handler { return next })
				double.Fail(1, blobtest.Status(http.StatusForbidden))
			},
			"delete", "403", "the rights of the key pair",
		},
		"domain of nobody":          {domain(closed.URL), "get", "refused", "CNAME record"},
		"domain of another bucket":  {domain(blobtest.NewKodo(t).Domain), "get", "404", "bind it to the bucket"},
		"domain that leads away":    {domain(elsewhere.URL), "get", "302", "leads elsewhere"},
		"domain of another website": {domain(another.URL), "get", `"text/html; charset=utf-8", not image/png`, "Something else answers"},
		"domain that changes it":    {domain(shrunk.URL), "get", "not those that were put", "image processing"},
		"private bucket": {
			func(double *blobtest.Kodo, _ map[string]string) { double.RequireSignedURLs() },
			"get", "401", "private=true",
		},
		"private bucket with its own signatures": {
			func(_ *blobtest.Kodo, env map[string]string) {
				refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
				t.Cleanup(refusing.Close)
				env["NAMEPLATE_STORAGE_URL"] = regexp.MustCompile(`domain=.*`).ReplaceAllString(env["NAMEPLATE_STORAGE_URL"], "private=true&domain="+refusing.URL)
			},
			"get", "403", "refuses the signature",
		},
	} {
		t.Run(name, func(t *testing.T) {
			double := blobtest.NewKodo(t)
			env := kodoSettings(double)
			test.change(double, env)
			got, err := command(t, env, "storage", "check")
			if err == nil {
				t.Error("the check succeeded")
			}
			first := regexp.MustCompile(`\nfailed   (\w+) .*\n         (.*)\n         (.*)\n`).FindStringSubmatch(got)
			if first == nil || first[1] != test.failed || !strings.Contains(first[2], test.why) || !strings.Contains(first[3], test.hint) {
				t.Errorf("want the failure of %s, %s, with the hint %q\n%s", test.failed, test.why, test.hint, got)
			}
			for _, secret := range []string{double.AccessKey, double.SecretKey, "token="} {
				if strings.Contains(got+fmt.Sprint(err), secret) {
					t.Errorf("%q is in %v\n%s", secret, err, got)
				}
			}
			if deletes := name != "may not delete"; deletes && len(double.Keys()) != 0 {
				t.Errorf("it left %q\n%s", double.Keys(), got)
			}
		})
	}
}

func replace(env map[string]string, old, with string) {
	env["NAMEPLATE_STORAGE_URL"] = strings.Replace(env["NAMEPLATE_STORAGE_URL"], old, with, 1)
}

// anotherRegion is Kodo's answer to who is in the wrong one.
func anotherRegion(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Reqid", "x")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":"incorrect region, please use up-z2.qiniup.com, bucket is: pictures"}`)
	})
}

func TestAPrivateBucketPassesItsCheckWithItsSignatureUntold(t *testing.T) {
	double := blobtest.NewKodo(t)
	double.RequireSignedURLs()
	env := kodoSettings(double)
	env["NAMEPLATE_STORAGE_URL"] += "&private=true"
	got, err := command(t, env, "storage", "check")
	if err != nil || !strings.Contains(got, "bucket pictures of Qiniu Kodo, private") {
		t.Errorf("%v\n%s", err, got)
	}
	if strings.Contains(got, "token") || strings.Contains(got, double.AccessKey) {
		t.Errorf("the signature is in\n%s", got)
	}
}

// As a CDN does.
func TestADomainThatKeepsWhatItServedIsNoFailure(t *testing.T) {
	double := blobtest.NewKodo(t)
	var kept sync.Map
	cdn := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, ok := kept.Load(r.URL.Path)
		if !ok {
			res, err := http.Get(double.Domain + r.URL.Path)
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			content, err = io.ReadAll(res.Body)
			if err != nil {
				t.Error(err)
			}
			kept.Store(r.URL.Path, content)
		}
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(content.([]byte))
	}))
	defer cdn.Close()
	env := kodoSettings(double)
	replace(env, double.Domain, cdn.URL)
	got, err := command(t, env, "storage", "check")
	if err != nil || !strings.Contains(got, "\nwarning  the domain still has it") {
		t.Errorf("%v\n%s", err, got)
	}
}

func TestACheckThatIsInterruptedDeletesWhatItPut(t *testing.T) {
	double := blobtest.NewKodo(t)
	ctx, cancel := context.WithCancel(t.Context())
	interrupting := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	defer interrupting.Close()
	env := kodoSettings(double)
	replace(env, double.Domain, interrupting.URL)
	var out bytes.Buffer
	err := run(ctx, []string{"storage", "check"}, func(name string) string { return env[name] }, &out, io.Discard)
	if err == nil || !strings.Contains(out.String(), "\nok       delete it") || len(double.Keys()) != 0 {
		t.Errorf("%v, it left %q\n%s", err, double.Keys(), &out)
	}
	if strings.Contains(out.String(), "can't be reached") {
		t.Errorf("it blames the domain:\n%s", &out)
	}
}

func TestASweepByCommandDeletesWhatIsDue(t *testing.T) {
	double := blobtest.NewKodo(t)
	for store, settings := range map[string]map[string]string{"disk": nil, "kodo": kodoSettings(double)} {
		t.Run(store, func(t *testing.T) {
			s := start(t, t.TempDir(), settings)
			where := map[string]string{
				"disk": "the folder " + filepath.Join(s.data, "media"), "kodo": "bucket " + double.Bucket + " of Qiniu Kodo",
			}[store]
			c := newClient(t, s.url, false)
			c.mustEnter("signUp", "Alice", password)
			for range 3 {
				c.upload(updateAvatar, photo(t, 64, 64))
			}
			env := beside(s, settings)
			sweep := func(want string) {
				t.Helper()
				want = "in " + where + ": " + want
				if got, err := command(t, env, "storage", "sweep"); err != nil || got != want {
					t.Errorf("got %q, %v; want %q", got, err, want)
				}
			}
			sweep("deleted 0, failed 0, left for later 2\n")
			makeDue(t, s)
			sweep("deleted 2, failed 0, left for later 0\n")
			sweep("deleted 0, failed 0, left for later 0\n")
			pictureSide(t, c.me()["avatarUrl"], "image/jpeg")
		})
	}
}

func TestASweepByCommandThatFailsSaysSo(t *testing.T) {
	double := blobtest.NewKodo(t)
	settings := kodoSettings(double)
	s := start(t, t.TempDir(), settings)
	c := newClient(t, s.url, false)
	c.mustEnter("signUp", "Alice", password)
	for range 3 {
		c.upload(updateAvatar, photo(t, 64, 64))
	}
	makeDue(t, s)
	settings["NAMEPLATE_KODO_SECRET_KEY"] = "wrong"
	got, err := command(t, beside(s, settings), "storage", "sweep")
	if want := "in bucket pictures of Qiniu Kodo: deleted 0, failed 2, left for later 2\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err == nil || !strings.Contains(err.Error(), "401") || !strings.Contains(err.Error(), "avatars/") {
		t.Errorf("got %v", err)
	}
	if n := len(double.Keys()); n != 3 {
		t.Errorf("%d objects are in the bucket, want 3", n)
	}
}
