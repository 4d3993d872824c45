package kodo

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// slowDomain answers with three bytes, each after a while.
type slowDomain struct{ pause time.Duration }

func (d slowDomain) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: &slowBody{r.Context(), d.pause, 3}}, nil
}

type slowBody struct {
	ctx   context.Context
	pause time.Duration
	left  int
}

func (b *slowBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	b.left--
	select {
	case <-time.After(b.pause):
		return copy(p, "x"), nil
	case <-b.ctx.Done():
		return 0, b.ctx.Err()
	}
}

func (b *slowBody) Close() error { return nil }

func TestADomainMaySendSlowlyButNotStall(t *testing.T) {
	for pause, want := range map[time.Duration]error{
		stallTimeout - time.Second: nil,
		stallTimeout + time.Second: errStalled,
	} {
		synctest.Test(t, func(t *testing.T) {
			s, err := Open(Config{AccessKey: "a", SecretKey: "s", Bucket: "b", Region: "z0", Domain: "cdn.example.com"})
			if err != nil {
				t.Fatal(err)
			}
			s.sender.client.Transport = slowDomain{pause}
			begin := time.Now()
			content, err := s.Open(t.Context(), "a.jpg")
			if err != nil {
				t.Fatal(err)
			}
			defer content.Close()
			got, err := io.ReadAll(content)
			if !errors.Is(err, want) {
				t.Errorf("a byte each %s: %v, want %v", pause, err, want)
			}
			if err == nil && string(got) != "xxx" {
				t.Errorf("a byte each %s: got %q", pause, got)
			}
			if took := time.Since(begin); want != nil && took != stallTimeout {
				t.Errorf("a byte each %s: ended after %s, want %s", pause, took, stallTimeout)
			}
		})
	}
}
