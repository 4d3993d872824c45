package kodo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"time"

	"nameplate/internal/blob"
)

// Open implements [blob.Store]. It reads the object at its URL, so by way of the
// bucket's domain.
func (s *Store) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	if err := blob.CheckKey(key); err != nil {
		return nil, err
	}
	content, err := s.get(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("kodo: open %s at %s: %w", key, s.domain, err)
	}
	return content, nil
}

func (s *Store) get(ctx context.Context, key string) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL(key), http.NoBody)
	if err != nil {
		cancel(nil)
		return nil, withoutURL(err)
	}
	res, err := s.sender.client.Do(req)
	if err != nil {
		cancel(nil)
		return nil, withoutURL(err)
	}
	if res.StatusCode == http.StatusOK {
		return &content{res.Body, ctx, cancel}, nil
	}
	res.Body.Close()
	cancel(nil)
	if res.StatusCode == http.StatusNotFound {
		return nil, fs.ErrNotExist
	}
	return nil, &AnswerError{res.StatusCode, http.StatusText(res.StatusCode)}
}

// withoutURL is the error without the address, which in a private bucket opens
// the object.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

var errStalled = fmt.Errorf("nothing was sent for %s", stallTimeout)

// content is an answer's body that fails when nothing of it comes for a while.
type content struct {
	io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
}

func (c *content) Read(p []byte) (int, error) {
	timer := time.AfterFunc(stallTimeout, func() { c.cancel(errStalled) })
	defer timer.Stop()
	n, err := c.ReadCloser.Read(p)
	if err != nil && errors.Is(context.Cause(c.ctx), errStalled) {
		err = errStalled
	}
	return n, err
}

func (c *content) Close() error {
	defer c.cancel(nil)
	return c.ReadCloser.Close()
}
