package kodo

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/qiniu/go-sdk/v7/storagev2/http_client"
	"github.com/qiniu/go-sdk/v7/storagev2/retrier"
)

// sender sends the SDK's requests. It takes the place of the SDK's own client,
// which waits half a minute for a connection that is refused.
type sender struct {
	client http.Client
}

func newSender() *sender {
	return &sender{http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 3 * time.Second}).DialContext,
			TLSHandshakeTimeout:   5 * time.Second,
			ResponseHeaderTimeout: 15 * time.Second,
			IdleConnTimeout:       time.Minute,
			MaxIdleConnsPerHost:   16,
			ForceAttemptHTTP2:     true,
		},
		// A token must not follow a redirection to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Do sends the request with its body read to the end. The SDK produces the body
// of an upload in a goroutine, and repeating a request resets what that
// goroutine reads and writes. With the goroutine gone before anything is sent,
// the two can't meet, and the upload has a Content-Length.
func (s *sender) Do(req *http.Request) (*http.Response, error) {
	if req.Body == nil {
		return s.client.Do(req)
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	if err := req.Body.Close(); err != nil {
		return nil, err
	}
	req = req.WithContext(req.Context())
	req.ContentLength = int64(len(body))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	req.Body, _ = req.GetBody()
	return s.client.Do(req)
}

// retries has the SDK's rules for repeating a request, to which it adds the
// connection that ends before there is an answer. Whatever is sent here may be
// sent again: see Put, and what is deleted twice is gone all the same.
func retries() *http_client.RetryConfig {
	rules := retrier.NewErrorRetrier()
	return &http_client.RetryConfig{
		Retrier: retrier.NewRetrier(func(res *http.Response, err error, o *retrier.RetrierOptions) retrier.RetryDecision {
			if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
				return retrier.RetryRequest
			}
			return rules.Retry(res, err, o)
		}),
	}
}
