package kodo_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/qiniu/go-sdk/v7/storagev2/uplog"

	"nameplate/internal/blob"
	"nameplate/internal/blob/blobtest"
	"nameplate/internal/blob/kodo"
)

func TestStore(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blob.Store {
		return open(t, config(blobtest.NewKodo(t)))
	})
}

// config is that of the double's bucket.
func config(double *blobtest.Kodo) kodo.Config {
	return kodo.Config{
		AccessKey: double.AccessKey,
		SecretKey: double.SecretKey,
		Bucket:    double.Bucket,
		Endpoint:  double.URL,
		Domain:    double.Domain,
	}
}

func open(t *testing.T, c kodo.Config) *kodo.Store {
	t.Helper()
	s, err := kodo.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const key = "a/b.jpg"

func put(ctx context.Context, s *kodo.Store) error {
	return s.Put(ctx, key, "image/jpeg", blobtest.JPEG(100_000, 'b'))
}

// calls are the methods that go to the endpoint.
var calls = map[string]func(ctx context.Context, s *kodo.Store) error{
	"put":    put,
	"delete": func(ctx context.Context, s *kodo.Store) error { return s.Delete(ctx, key) },
}

func get(t *testing.T, address string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res
}

func TestObjectsMayBeCachedForEver(t *testing.T) {
	s := open(t, config(blobtest.NewKodo(t)))
	if err := put(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	want := "public, max-age=31536000, immutable"
	if got := get(t, s.URL(key)).Header.Get("Cache-Control"); got != want {
		t.Errorf("Cache-Control %q, want %q", got, want)
	}
}

func TestDataThatIsNotOfItsMediaTypeIsRefused(t *testing.T) {
	double := blobtest.NewKodo(t)
	s := open(t, config(double))
	for _, data := range []string{"<!doctype html>", ""} {
		if err := s.Put(t.Context(), key, "image/jpeg", []byte(data)); err == nil {
			t.Errorf("Put took %q for a picture", data)
		}
	}
	if got := double.Keys(); len(got) != 0 {
		t.Errorf("stored %v", got)
	}
}

func TestPrivateURLs(t *testing.T) {
	double := blobtest.NewKodo(t)
	double.RequireSignedURLs()
	c := config(double)
	c.Private = true
	s := open(t, c)
	if err := put(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(s.URL(key))
	if err != nil {
		t.Fatal(err)
	}
	expiry, err := strconv.ParseInt(u.Query().Get("e"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(time.Unix(expiry, 0)); left < time.Hour-time.Minute || left > 2*time.Hour {
		t.Errorf("URL is valid for %s, want 1 h to 2 h", left)
	}
	if got := get(t, u.String()).StatusCode; got != http.StatusOK {
		t.Errorf("signed URL: status %d", got)
	}
	c.Private = false
	if got := get(t, open(t, c).URL(key)).StatusCode; got != http.StatusUnauthorized {
		t.Errorf("unsigned URL: status %d", got)
	}
}

func TestATransientFailureIsOvercome(t *testing.T) {
	for name, fail := range map[string]blobtest.Failure{
		"503":         blobtest.Status(http.StatusServiceUnavailable),
		"slow":        blobtest.Slow(10 * time.Millisecond),
		"cut":         blobtest.Cut,
		"lost answer": blobtest.LoseAnswer,
		"not Kodo":    hijacked,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			double := blobtest.NewKodo(t)
			s := open(t, config(double))
			double.Fail(1, fail)
			if err := put(t.Context(), s); err != nil {
				t.Errorf("put: %v", err)
			}
			if diff := cmp.Diff([]string{key}, double.Keys()); diff != "" {
				t.Errorf("keys after put (-want +got):\n%s", diff)
			}
			double.Fail(1, fail)
			if err := s.Delete(t.Context(), key); err != nil {
				t.Errorf("delete: %v", err)
			}
			if got := double.Keys(); len(got) != 0 {
				t.Errorf("keys after delete: %v", got)
			}
		})
	}
}

// hijacked is the answer of a machine between the client and Kodo.
func hijacked(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "<html>Welcome to the airport</html>")
	})
}

// An upload's large body is still on its way when the answer comes.
func TestALargeUploadIsRepeatedWhole(t *testing.T) {
	t.Parallel()
	double := blobtest.NewKodo(t)
	s := open(t, config(double))
	double.Fail(1, blobtest.Status(http.StatusServiceUnavailable))
	// The double compares the checksum.
	if err := s.Put(t.Context(), key, "image/jpeg", blobtest.JPEG(2<<20, 'l')); err != nil {
		t.Error(err)
	}
}

func TestAFailureThatLastsIsAClearError(t *testing.T) {
	for name, test := range map[string]struct {
		fail blobtest.Failure
		want string
	}{
		"503":        {blobtest.Status(http.StatusServiceUnavailable), "503"},
		"401":        {blobtest.Status(http.StatusUnauthorized), "401"},
		"614":        {blobtest.Status(614), "614"},
		"631":        {blobtest.Status(631), "631"},
		"cut":        {blobtest.Cut, "http://127.0.0.1"},
		"not Kodo":   {hijacked, "X-Reqid"},
		"redirected": {redirected, "307"},
		"token told": {tellToken, "Unauthorized"},
		"long story": {tellMuch, "400"},
	} {
		for call, f := range calls {
			t.Run(name+" "+call, func(t *testing.T) {
				t.Parallel()
				double := blobtest.NewKodo(t)
				double.Fail(100, test.fail)
				wantError(t, f(t.Context(), open(t, config(double))), double, call, test.want)
			})
		}
	}
}

func TestTheDeadlineEndsACall(t *testing.T) {
	for name, fail := range map[string]blobtest.Failure{
		"hang": blobtest.Hang,
		"slow": blobtest.Slow(time.Minute),
	} {
		for call, f := range calls {
			double := blobtest.NewKodo(t)
			double.Fail(100, fail)
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			start := time.Now()
			err := f(ctx, open(t, config(double)))
			wantError(t, err, double, call)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s %s: %v, want %v", name, call, err, context.DeadlineExceeded)
			}
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("%s %s took %s", name, call, took)
			}
		}
	}
}

// wantError holds err to what every error of a call is: it names the call and
// the key, says what happened in few words and tells no secret.
func wantError(t *testing.T, err error, double *blobtest.Kodo, call string, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range append(parts, "kodo: "+call, key) {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not have %q", err, part)
		}
	}
	for _, secret := range []string{double.SecretKey, double.AccessKey} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("error %q tells a key", err)
		}
	}
	if len(err.Error()) > 400 {
		t.Errorf("error has %d characters", len(err.Error()))
	}
}

func redirected(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Reqid", "x")
		http.Redirect(w, r, "http://"+r.Host+r.URL.Path, http.StatusTemporaryRedirect)
	})
}

// tellToken answers 401 with everything that the client sent.
func tellToken(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Reqid", "x")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, r.Header.Get("Authorization")+r.FormValue("token"))
	})
}

func tellMuch(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Reqid", "x")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, strings.Repeat("bla ", 10_000))
	})
}

func TestARefusedConnectionFailsAtOnce(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	double := blobtest.NewKodo(t)
	c := config(double)
	c.Endpoint = "http://" + listener.Addr().String()
	for call, f := range calls {
		start := time.Now()
		wantError(t, f(t.Context(), open(t, c)), double, call, "refused")
		if took := time.Since(start); took > time.Second {
			t.Errorf("%s took %s", call, took)
		}
	}
}

func TestCancellingEndsACall(t *testing.T) {
	for call, f := range calls {
		double := blobtest.NewKodo(t)
		ctx, cancel := context.WithCancel(t.Context())
		double.Fail(1, func(next http.Handler) http.Handler {
			cancel()
			return blobtest.Hang(next)
		})
		if err := f(ctx, open(t, config(double))); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want %v", call, err, context.Canceled)
		}
	}
}

func TestWrongCredentialsAreRefused(t *testing.T) {
	for name, change := range map[string]func(*kodo.Config){
		"401 secret key": func(c *kodo.Config) { c.SecretKey += "x" },
		"401 access key": func(c *kodo.Config) { c.AccessKey = "x" },
	} {
		double := blobtest.NewKodo(t)
		if err := put(t.Context(), open(t, config(double))); err != nil {
			t.Fatal(err)
		}
		c := config(double)
		change(&c)
		s := open(t, c)
		wantError(t, s.Put(t.Context(), "new/"+key, "image/jpeg", blobtest.JPEG(10, 'n')), double, "put", "401")
		wantError(t, s.Delete(t.Context(), key), double, "delete", "401")
		if diff := cmp.Diff([]string{key}, double.Keys()); diff != "" {
			t.Errorf("%s: keys (-want +got):\n%s", name, diff)
		}
	}
}

func TestAnotherBucketIsAnError(t *testing.T) {
	double := blobtest.NewKodo(t)
	c := config(double)
	c.Bucket = "other"
	for call, f := range calls {
		wantError(t, f(t.Context(), open(t, c)), double, call)
	}
}

func TestNothingIsWrittenToTheTemporaryFolder(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	s := open(t, config(blobtest.NewKodo(t)))
	if err := put(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		t.Errorf("the SDK wrote %s", entry.Name())
	}
	// It writes its reports seconds later, if at all.
	if uplog.IsUplogEnabled() {
		t.Error("the SDK's reports are on")
	}
}
