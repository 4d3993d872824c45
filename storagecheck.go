package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"nameplate/internal/avatar"
	"nameplate/internal/blob"
	"nameplate/internal/blob/kodo"
	"nameplate/internal/config"
)

const (
	// checkTimeout bounds each request to the public address, and the deletion at
	// the end, which is made even when the operator has given up.
	checkTimeout = 15 * time.Second
	// checkSide is the side of the picture that is put, in pixels.
	checkSide = 64
	// checkOrigin is that of a page that shows pictures. No such page is needed.
	checkOrigin = "https://app.example.com"
)

// storageCheck puts a picture into the store, looks at it from all sides and
// deletes it.
type storageCheck struct {
	conf   *config.Config
	store  blob.Store
	out    io.Writer
	key    string
	data   []byte
	failed bool
	hint   string // the last one, which isn't repeated
}

// checkStorage prints every step and, where one fails, what to change. The object
// is no picture of a user, so it has no row; what was put is deleted whatever
// happens short of a kill.
func checkStorage(ctx context.Context, conf *config.Config, stdout io.Writer) error {
	store, err := openUsedStore(conf)
	if err != nil {
		return err
	}
	seed := rand.Text()
	c := &storageCheck{
		conf: conf, store: store, out: stdout,
		// Not in a folder, which would stay.
		key:  "check-" + strings.ToLower(seed) + ".png",
		data: avatar.Generate([]byte(seed), checkSide),
	}
	c.print("storage", describeStorage(conf))
	isPut := c.step(ctx, "put "+c.key, c.put)
	if isPut {
		c.step(ctx, "get "+withoutQuery(store.URL(c.key))+" as a browser does", c.get)
		c.step(ctx, "read it through the store", c.read)
	}
	deleting, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkTimeout)
	defer cancel()
	if c.step(deleting, "delete it", c.delete) && isPut {
		c.step(ctx, "find it gone", c.gone)
	}
	if c.failed {
		return errors.New("the storage does not work as it is set")
	}
	return nil
}

func (c *storageCheck) print(word, text string) {
	_, _ = fmt.Fprintf(c.out, "%-8s %s\n", word, text) // the exit status says it too
}

// step runs one and says how it went. What a step returns beside an error is what
// to do about it.
func (c *storageCheck) step(ctx context.Context, name string, run func(context.Context) (hint string, err error)) bool {
	hint, err := run(ctx)
	if err == nil {
		c.print("ok", name)
		return true
	}
	c.failed = true
	c.print("failed", name)
	c.print("", err.Error())
	if hint != c.hint && ctx.Err() == nil { // an interruption needs no advice
		c.print("", hint)
		c.hint = hint
	}
	return false
}

func (c *storageCheck) put(ctx context.Context) (hint string, err error) {
	err = c.store.Put(ctx, c.key, "image/png", c.data)
	return c.storeHint(err), err
}

func (c *storageCheck) delete(ctx context.Context) (hint string, err error) {
	err = c.store.Delete(ctx, c.key)
	return c.storeHint(err), err
}

func (c *storageCheck) read(ctx context.Context) (hint string, err error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	content, err := c.store.Open(ctx, c.key)
	if err != nil {
		return c.readHint(err), err
	}
	defer content.Close()
	return c.compare(content)
}

// readHint is for what goes wrong in reading through the store: a bucket is read at
// its domain, a folder as it is written.
func (c *storageCheck) readHint(err error) string {
	if c.conf.Storage.Kodo == nil {
		return c.storeHint(err)
	}
	return c.publicHint(err)
}

// compare reads one byte too many, at most, and so can't be led to read for ever.
func (c *storageCheck) compare(content io.Reader) (hint string, err error) {
	got, err := io.ReadAll(io.LimitReader(content, int64(len(c.data))+1))
	switch {
	case err != nil:
		return c.readHint(err), err
	case !bytes.Equal(got, c.data):
		return "Something on the way changes pictures: a CDN's image processing, or a proxy. Turn it off there.",
			errors.New("the bytes are not those that were put")
	}
	return "", nil
}

func (c *storageCheck) gone(ctx context.Context) (hint string, err error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	content, err := c.store.Open(ctx, c.key)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return c.readHint(err), err
	}
	content.Close()
	if c.conf.Storage.Kodo == nil {
		return "Something else writes to the folder.", errors.New("it is still there")
	}
	c.print("warning", "the domain still has it, as a CDN may for as long as it keeps copies; the bucket has acknowledged the deletion")
	return "", nil
}

// get is what a page of another origin would do. It follows no redirection, which
// might lead anywhere.
func (c *storageCheck) get(ctx context.Context) (hint string, err error) {
	browser := &http.Client{
		Timeout:       checkTimeout,
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer browser.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.store.URL(c.key), http.NoBody)
	if err != nil {
		return "", err
	}
	req.Header.Set("Origin", checkOrigin)
	res, err := browser.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the URL, which may be signed
		}
		return c.publicHint(err), err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		err := &kodo.AnswerError{Status: res.StatusCode, Text: http.StatusText(res.StatusCode)}
		return c.publicHint(err), err
	}
	if got := res.Header.Get("Content-Type"); got != "image/png" {
		return c.publicHint(nil), fmt.Errorf("its Content-Type is %q, not image/png", got)
	}
	c.checkHeader(res.Header)
	return c.compare(res.Body)
}

// checkHeader warns of what pictures are shown without, but not as well.
func (c *storageCheck) checkHeader(h http.Header) {
	if !strings.Contains(h.Get("Cache-Control"), "max-age=") {
		c.print("warning", "the answer has no Cache-Control with a max-age: browsers will ask for pictures again and again")
	}
	if origin := h.Get("Access-Control-Allow-Origin"); origin != "*" && origin != checkOrigin {
		c.print("warning", "the answer has no Access-Control-Allow-Origin: pages show pictures, but their scripts can't read them; "+
			"set that header to * at the domain or its CDN")
	}
}

func withoutQuery(address string) string {
	address, _, _ = strings.Cut(address, "?")
	return address
}
