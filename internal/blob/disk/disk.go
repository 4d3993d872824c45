// Package disk keeps objects in a folder, each in a file named by its key, and
// serves them over HTTP.
package disk

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"strings"
	"syscall"
	"time"

	"nameplate/internal/blob"
)

const (
	// tempDir holds files while they are written. No key begins with a dot, so
	// that nothing in it can be named from outside.
	tempDir = ".tmp"
	// staleAfter is how old a temporary file is before it counts as left over.
	staleAfter = time.Hour
)

// Store is a [blob.Store] in a folder and the http.Handler that serves it. Its
// URL is the public address given to Open, "/" and the key.
type Store struct {
	root      *os.Root
	publicURL string
}

var _ blob.Store = (*Store)(nil)

// Open returns the store in dir, which is created if need be. The file system
// must have hard links. publicURL is the absolute address under which the
// caller serves the store.
//
// Open removes the temporary files that a crash left behind, those older than
// an hour. Several processes may share the folder: a younger file may be one
// that another process is writing. Should a Put take longer than the hour, its
// file is gone when it is to get its name, and that Put fails and stores nothing.
func Open(dir, publicURL string) (*Store, error) {
	u, err := url.Parse(publicURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("disk: public URL %q is not an absolute http or https address without query", publicURL)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("disk: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("disk: %w", err)
	}
	s := &Store{root: root, publicURL: strings.TrimRight(publicURL, "/")}
	if err := s.cleanTemp(time.Now().Add(-staleAfter)); err != nil {
		return nil, errors.Join(fmt.Errorf("disk: temporary files in %s: %w", dir, err), root.Close())
	}
	return s, nil
}

// cleanTemp makes the folder of temporary files and removes what is in it from
// before the given time.
func (s *Store) cleanTemp(before time.Time) error {
	if err := s.root.MkdirAll(tempDir, 0o700); err != nil {
		return err
	}
	entries, err := fs.ReadDir(s.root.FS(), tempDir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if isMissing(err) {
			continue
		}
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() || !info.ModTime().Before(before) {
			continue
		}
		if err := s.root.Remove(path.Join(tempDir, entry.Name())); err != nil && !isMissing(err) {
			return err
		}
	}
	return nil
}

// Put implements [blob.Store]. It takes JPEG pictures under keys that end in
// .jpg and PNG pictures under keys that end in .png, by the media type given.
func (s *Store) Put(ctx context.Context, key, mediaType string, data []byte) error {
	if err := blob.CheckKey(key); err != nil {
		return err
	}
	if want := mediaTypes[path.Ext(key)]; want == "" || mediaType != want {
		return fmt.Errorf("disk: put %s: media type %q is not that of .jpg (image/jpeg) or .png (image/png)", key, mediaType)
	}
	if err := s.put(ctx, key, data); err != nil {
		return fmt.Errorf("disk: put %s: %w", key, err)
	}
	return nil
}

// put gives the complete and durable temporary file its name by a link, which
// unlike a rename fails when the name is in use.
func (s *Store) put(ctx context.Context, key string, data []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	temp := path.Join(tempDir, rand.Text())
	// What can't be removed now is removed as a leftover.
	defer func() { _ = s.root.Remove(temp) }()
	if err := s.writeFile(temp, data); err != nil {
		return err
	}
	dir := path.Dir(key)
	if err := s.root.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.root.Link(temp, key); err != nil {
		return err
	}
	return s.syncUp(dir)
}

func (s *Store) writeFile(name string, data []byte) error {
	f, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncUp makes the names in dir and in every folder above it durable: another
// Put may have made one of those folders just now and not be there yet.
func (s *Store) syncUp(dir string) error {
	for ; dir != "."; dir = path.Dir(dir) {
		if err := s.sync(dir); err != nil {
			return err
		}
	}
	return s.sync(dir)
}

func (s *Store) sync(dir string) error {
	f, err := s.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Delete implements [blob.Store].
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := blob.CheckKey(key); err != nil {
		return err
	}
	if err := s.remove(ctx, key); err != nil && !isMissing(err) {
		return fmt.Errorf("disk: delete %s: %w", key, err)
	}
	return nil
}

func (s *Store) remove(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	info, err := s.root.Lstat(key)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return fs.ErrNotExist
	}
	if err := s.root.Remove(key); err != nil {
		return err
	}
	return s.sync(path.Dir(key))
}

// isMissing tells whether err says that there is no such file; ENOTDIR is what
// the system says of "a/b" when "a" is an object.
func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// URL implements [blob.Store].
func (s *Store) URL(key string) string {
	return s.publicURL + "/" + key
}
