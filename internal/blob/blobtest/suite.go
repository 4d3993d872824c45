// Package blobtest has the suite that every [blob.Store] passes and a test
// double of Kodo's HTTP protocol to run one of them against.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"nameplate/internal/blob"
)

const (
	jpegType = "image/jpeg"
	pngType  = "image/png"
)

// JPEG returns n bytes that begin as a JPEG file does and then repeat seed, so
// that stores which look at the content take them for one. n is at least 4.
func JPEG(n int, seed byte) []byte {
	return append([]byte("\xff\xd8\xff\xe0"), bytes.Repeat([]byte{seed}, n-4)...)
}

// Run holds the store that open returns, a new and empty one for each test, to
// the contract of [blob.Store]. Objects are read back over HTTP from the
// store's URL, so open must also have it served.
func Run(t *testing.T, open func(t *testing.T) blob.Store) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, s blob.Store)
	}{
		{"an object put is served with its media type", testServed},
		{"a large object comes back whole", testLarge},
		{"an object is opened, and one that is not there is missing", testOpened},
		{"an object deleted is gone", testDeleted},
		{"deleting what is not there is no error", testDeleteMissing},
		{"a key in use is refused and its object unchanged", testKeyInUse},
		{"a key outside the grammar is refused", testBadKeys},
		{"a cancelled context stores, opens and deletes nothing", testCancelled},
		{"different keys at once are all stored", testManyKeys},
		{"one of many writers of a key wins", testOneKey},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
}

func testServed(t *testing.T, s blob.Store) {
	png := append([]byte("\x89PNG\r\n\x1a\n"), "and more"...)
	put(t, s, "a/b-1.jpg", jpegType, JPEG(100, 'a'))
	put(t, s, "0.png", pngType, png)
	wantServed(t, s, "a/b-1.jpg", jpegType, JPEG(100, 'a'))
	wantServed(t, s, "0.png", pngType, png)
}

func testLarge(t *testing.T, s blob.Store) {
	large := JPEG(5<<20, 'l')
	put(t, s, "large.jpg", jpegType, large)
	wantServed(t, s, "large.jpg", jpegType, large)
}

func testOpened(t *testing.T, s blob.Store) {
	large := JPEG(1<<20, 'l')
	put(t, s, "x/large.jpg", jpegType, large)
	content, err := s.Open(t.Context(), "x/large.jpg")
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	if got, err := io.ReadAll(content); err != nil || !bytes.Equal(got, large) {
		t.Errorf("%d bytes that are not the %d that were put, %v", len(got), len(large), err)
	}
	remove(t, s, "x/large.jpg")
	for _, key := range []string{"x/large.jpg", "never.jpg", "no/such/folder.jpg", "x", "x/large.jpg/below.jpg"} {
		if _, err := s.Open(t.Context(), key); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Open %s: %v, want %v", key, err, fs.ErrNotExist)
		}
	}
}

func testDeleted(t *testing.T, s blob.Store) {
	put(t, s, "x/gone.jpg", jpegType, JPEG(10, 'g'))
	put(t, s, "x/stays.jpg", jpegType, JPEG(10, 's'))
	remove(t, s, "x/gone.jpg")
	wantNotServed(t, s, "x/gone.jpg")
	wantServed(t, s, "x/stays.jpg", jpegType, JPEG(10, 's'))
}

func testDeleteMissing(t *testing.T, s blob.Store) {
	put(t, s, "x/y.jpg", jpegType, JPEG(10, 'y'))
	remove(t, s, "never.jpg")
	remove(t, s, "no/such/folder.jpg")
	remove(t, s, "x")
	remove(t, s, "x/y.jpg")
	remove(t, s, "x/y.jpg")
}

func testKeyInUse(t *testing.T, s blob.Store) {
	put(t, s, "used.jpg", jpegType, JPEG(10, '1'))
	if err := s.Put(t.Context(), "used.jpg", jpegType, JPEG(10, '2')); err == nil {
		t.Error("Put on a key in use succeeded")
	}
	wantServed(t, s, "used.jpg", jpegType, JPEG(10, '1'))
}

func testBadKeys(t *testing.T, s blob.Store) {
	for _, key := range []string{
		"", "/a.jpg", "../a.jpg", "a/../b.jpg", "a/./b.jpg", "a//b.jpg", "a.jpg/", ".a.jpg",
		"a/.b.jpg", "A.jpg", "a b.jpg", "a\x00.jpg", "a\\b.jpg", "a:b.jpg", "a?b.jpg", "é.jpg",
		strings.Repeat("a", 1000) + ".jpg",
	} {
		if err := s.Put(t.Context(), key, jpegType, JPEG(10, 'b')); err == nil {
			t.Errorf("Put took the key %q", key)
		}
		if _, err := s.Open(t.Context(), key); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Open of the key %q: %v, want an error that is about the key", key, err)
		}
		if err := s.Delete(t.Context(), key); err == nil {
			t.Errorf("Delete took the key %q", key)
		}
	}
}

func testCancelled(t *testing.T, s blob.Store) {
	put(t, s, "stays.jpg", jpegType, JPEG(10, 's'))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Put(ctx, "never.jpg", jpegType, JPEG(10, 'n')); !errors.Is(err, context.Canceled) {
		t.Errorf("Put: %v, want %v", err, context.Canceled)
	}
	if _, err := s.Open(ctx, "stays.jpg"); !errors.Is(err, context.Canceled) {
		t.Errorf("Open: %v, want %v", err, context.Canceled)
	}
	if err := s.Delete(ctx, "stays.jpg"); !errors.Is(err, context.Canceled) {
		t.Errorf("Delete: %v, want %v", err, context.Canceled)
	}
	wantNotServed(t, s, "never.jpg")
	wantServed(t, s, "stays.jpg", jpegType, JPEG(10, 's'))
}

const writers = 100

func testManyKeys(t *testing.T, s blob.Store) {
	key := func(i int) string { return fmt.Sprintf("%d/%d.jpg", i%10, i) }
	errs := atOnce(func(i int) error {
		return s.Put(t.Context(), key(i), jpegType, JPEG(1000, byte(i)))
	})
	for i, err := range errs {
		if err != nil {
			t.Errorf("Put %d: %v", i, err)
			continue
		}
		wantServed(t, s, key(i), jpegType, JPEG(1000, byte(i)))
	}
}

func testOneKey(t *testing.T, s blob.Store) {
	errs := atOnce(func(i int) error {
		return s.Put(t.Context(), "one.jpg", jpegType, JPEG(1000, byte(i)))
	})
	var won []int
	for i, err := range errs {
		if err == nil {
			won = append(won, i)
		}
	}
	if len(won) != 1 {
		t.Fatalf("%d Puts of the same key succeeded, want 1", len(won))
	}
	wantServed(t, s, "one.jpg", jpegType, JPEG(1000, byte(won[0])))
}

// atOnce calls f for each writer in a goroutine of its own.
func atOnce(f func(i int) error) []error {
	errs := make([]error, writers)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = f(i) })
	}
	wg.Wait()
	return errs
}

func put(t *testing.T, s blob.Store, key, mediaType string, data []byte) {
	t.Helper()
	if err := s.Put(t.Context(), key, mediaType, data); err != nil {
		t.Fatalf("Put %s: %v", key, err)
	}
}

func remove(t *testing.T, s blob.Store, key string) {
	t.Helper()
	if err := s.Delete(t.Context(), key); err != nil {
		t.Fatalf("Delete %s: %v", key, err)
	}
}

func wantServed(t *testing.T, s blob.Store, key, mediaType string, data []byte) {
	t.Helper()
	res, body := get(t, s, key)
	if res.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s", key, res.Status)
	}
	if got := res.Header.Get("Content-Type"); got != mediaType {
		t.Errorf("GET %s: Content-Type %q, want %q", key, got, mediaType)
	}
	if !bytes.Equal(body, data) {
		t.Errorf("GET %s: %d bytes that are not the %d that were put", key, len(body), len(data))
	}
}

func wantNotServed(t *testing.T, s blob.Store, key string) {
	t.Helper()
	if res, _ := get(t, s, key); res.StatusCode != http.StatusNotFound {
		t.Errorf("GET %s: %s, want 404", key, res.Status)
	}
}

func get(t *testing.T, s blob.Store, key string) (*http.Response, []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL(key), nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("GET %s: %v", key, err)
	}
	return res, body
}
