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
func (s *Service) OpenPictures(ctx context.Context, user *ent.User) (pictures []OpenPicture, err error) {
	if user.AvatarKey == nil {
		return nil, nil
	}
	// Not by a deadline, which would end the reading too.
	ctx, cancel := context.WithCancel(ctx)
	defer time.AfterFunc(openWithin, cancel).Stop()
	for _, key := range squareKeys(*user.AvatarKey) {
		content, err := s.Store.Open(ctx, key)
		if err != nil {
			for _, picture := range pictures {
				picture.Content.Close()
			}
			if errors.Is(err, fs.ErrNotExist) { // replaced meanwhile, and swept
				return nil, &fault.Unavailable{RetryAfter: time.Second, Err: err}
			}
			return nil, &fault.Unavailable{RetryAfter: 5 * time.Second, Err: fmt.Errorf("open a picture: %w", err)}
		}
		pictures = append(pictures, OpenPicture{Name: path.Join("pictures", path.Base(key)), Content: content})
	}
	return pictures, nil
}
