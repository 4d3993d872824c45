package profile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"path"
	"time"

	"nameplate/ent"
	"nameplate/internal/fault"
)

// PictureFile is one square of a user's picture.
type PictureFile struct {
	// Name is such as pictures/….jpg.
	Name string
	Data []byte
}

// readWithin bounds how long the store is asked for all squares.
const readWithin = 8 * time.Second

// ReadPictures reads all squares of the user's picture; there are none of a generated one.
// They are small, so they are read before anything is sent: a client that is slow holds
// nothing of the store, and one that it doesn't have leaves no broken archive. What the
// store has lost is left out.
func (s *Service) ReadPictures(ctx context.Context, user *ent.User) ([]PictureFile, error) {
	if user.AvatarKey == nil {
		return nil, nil
	}
	reading, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	var files []PictureFile
	for _, key := range squareKeys(*user.AvatarKey) {
		data, err := s.read(reading, key)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			s.Log.LogAttrs(ctx, slog.LevelWarn, "a picture in use is not in the store", slog.String("key", key))
			continue
		case err != nil && ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			return nil, &fault.Unavailable{RetryAfter: 5 * time.Second, Err: fmt.Errorf("read a picture: %w", err)}
		}
		files = append(files, PictureFile{Name: path.Join("pictures", path.Base(key)), Data: data})
	}
	if len(files) == 0 { // rather than of one picture, of all of them
		return nil, &fault.Unavailable{RetryAfter: 5 * time.Second, Err: errors.New("the store has no square of a picture in use")}
	}
	return files, nil
}

func (s *Service) read(ctx context.Context, key string) ([]byte, error) {
	content, err := s.Store.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	return io.ReadAll(content)
}
