// Package disk keeps objects in a folder, each in a file named by its key, and
// serves them over HTTP.
package disk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"strings"
	"syscall"

	"nameplate/internal/blob"
)

// tempDir holds files while they are written. No key begins with a dot, so that
// nothing in it can be named from outside.
const tempDir = ".tmp"

// Store is a [blob.Store] in a folder and the http.Handler that serves it. Its
// URL is the public address given to Open, "/" and the key.
type Store struct {
	root      *os.Root
	publicURL string
}

var _ blob.Store = (*Store)(nil)

// Open returns the store in dir, which is created if need be. The file system
// must have hard links. publicURL is the absolute address under which the
// caller serves the store. Several processes may share the folder.
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
	if err := root.MkdirAll(tempDir, 0o700); err != nil {
		return nil, errors.Join(fmt.Errorf("disk: folder of temporary files in %s: %w", dir, err), root.Close())
	}
	return &Store{root: root, publicURL: strings.TrimRight(publicURL, "/")}, nil
}

// tempName is where an object is written before it has its name. It follows from
// the key, so that Delete finds what a Put that was killed has left; "_" is in no
// key.
func tempName(key string) string {
	return path.Join(tempDir, strings.ReplaceAll(key, "/", "_"))
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
// unlike a rename fails when the name is in use. Of several at once the first has
// the temporary file; the others find that it exists and leave it alone.
func (s *Store) put(ctx context.Context, key string, data []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	temp := tempName(key)
	f, err := s.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	// What can't be removed now is removed with the object.
	defer func() { _ = s.root.Remove(temp) }()
	if err := write(f, data); err != nil {
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

// write makes data the file's durable content and closes it.
func write(f *os.File, data []byte) error {
	_, err := f.Write(data)
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

// Open implements [blob.Store].
func (s *Store) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	if err := blob.CheckKey(key); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := s.open(key)
	if isMissing(err) {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, fmt.Errorf("disk: open %s: %w", key, err)
	}
	return f, nil
}

// Delete implements [blob.Store]. A Put of the key that is still under way fails,
// since its temporary file is gone when that is to get its name.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := blob.CheckKey(key); err != nil {
		return err
	}
	// In this order a Put under way can't come in between.
	for _, name := range []string{tempName(key), key} {
		if err := s.remove(ctx, name); err != nil && !isMissing(err) {
			return fmt.Errorf("disk: delete %s: %w", key, err)
		}
	}
	return nil
}

func (s *Store) remove(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	info, err := s.root.Lstat(name)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return fs.ErrNotExist
	}
	if err := s.root.Remove(name); err != nil {
		return err
	}
	return s.sync(path.Dir(name))
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
