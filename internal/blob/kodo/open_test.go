package kodo_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"nameplate/internal/blob/blobtest"
	"nameplate/internal/blob/kodo"
)

// openAt opens the store of a private bucket whose domain h serves.
func openAt(t *testing.T, h http.HandlerFunc) (*kodo.Store, *blobtest.Kodo) {
	t.Helper()
	domain := httptest.NewServer(h)
	t.Cleanup(func() {
		domain.CloseClientConnections()
		domain.Close()
	})
	double := blobtest.NewKodo(t)
	c := config(double)
	c.Domain, c.Private = domain.URL, true
	return open(t, c), double
}

func TestAnObjectOfAPrivateBucketIsOpened(t *testing.T) {
	double := blobtest.NewKodo(t)
	double.RequireSignedURLs()
	c := config(double)
	c.Private = true
	s := open(t, c)
	if err := put(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	content, err := s.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	if got, err := io.ReadAll(content); err != nil || len(got) != 100_000 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	c.Private = false
	_, err = open(t, c).Open(t.Context(), key)
	wantError(t, err, double, "open", "401")
	if errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an object that must not be read is missing: %v", err)
	}
}

func TestADomainThatFailsIsAClearError(t *testing.T) {
	for name, test := range map[string]struct {
		domain http.HandlerFunc
		want   string
	}{
		"503": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, "503"},
		"403": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, "403"},
		"206": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusPartialContent) }, "206"},
		"cut": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
		// It is not followed: who is led elsewhere must not bring the signature.
		"redirected": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://"+r.Host+"/elsewhere", http.StatusFound)
		}, "302"},
	} {
		t.Run(name, func(t *testing.T) {
			s, double := openAt(t, test.domain)
			_, err := s.Open(t.Context(), key)
			wantError(t, err, double, "open", test.want)
			if strings.Contains(err.Error(), "token=") {
				t.Errorf("error %q tells the signature", err)
			}
		})
	}
}

func TestAContentThatIsCutShortIsAnError(t *testing.T) {
	s, _ := openAt(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write(blobtest.JPEG(100, 'c'))
	})
	content, err := s.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	if got, err := io.ReadAll(content); err == nil || len(got) != 100 {
		t.Errorf("%d bytes, %v; want 100 and an error", len(got), err)
	}
}

func TestCancellingEndsTheReading(t *testing.T) {
	s, _ := openAt(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(blobtest.JPEG(100, 'c'))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	content, err := s.Open(ctx, key)
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	if _, err := io.ReadFull(content, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.ReadAll(content); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}
