package profile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"time"

	"nameplate/ent"
	"nameplate/internal/fault"
)

// OpenPicture is one square of a user's picture.
type OpenPicture struct {
	// Name is a file's, such as pictures/….jpg.
	Name    string
	Content io.ReadCloser
}

// openWithin bounds how long the store is asked for them.
const openWithin = 8 * time.Second

// OpenPictures opens all squares of the user's picture; there are none of a generated
// one. The caller closes them.
func (s *Service) OpenPictures(ctx context.Context, user *ent.User) ([]OpenPicture, error) {
	if user.AvatarKey == nil {
		return nil, nil
	}
	// Not by a deadline, which would end the reading too.
	ctx, cancel := context.WithCancel(ctx)
	timer := time.AfterFunc(openWithin, cancel)
	pictures, err := s.openSquares(ctx, *user.AvatarKey)
	if !timer.Stop() {
		// Whatever was opened can't be read any more; and a store that is slow must not
		// pass for a client that has left, whose error is context.Canceled too.
		err = fmt.Errorf("the store took longer than %s", openWithin)
	}
	if err == nil {
		return pictures, nil
	}
	cancel()
	for _, picture := range pictures {
		picture.Content.Close()
	}
	retryAfter := 5 * time.Second
	if errors.Is(err, fs.ErrNotExist) { // replaced meanwhile, and swept
		retryAfter = time.Second
	}
	return nil, &fault.Unavailable{RetryAfter: retryAfter, Err: fmt.Errorf("open a picture: %w", err)}
}

// openSquares returns those that are open even if there is an error.
func (s *Service) openSquares(ctx context.Context, largest string) ([]OpenPicture, error) {
	var pictures []OpenPicture
	for _, key := range squareKeys(largest) {
		content, err := s.Store.Open(ctx, key)
		if err != nil {
			return pictures, err
		}
		pictures = append(pictures, OpenPicture{Name: path.Join("pictures", path.Base(key)), Content: content})
	}
	return pictures, nil
}
