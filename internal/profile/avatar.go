package profile

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"nameplate/ent"
	"nameplate/ent/event"
	"nameplate/ent/object"
	"nameplate/internal/audit"
	"nameplate/internal/avatar"
	"nameplate/internal/fault"
	"nameplate/internal/session"
	"nameplate/internal/throttle"
)

// storeWithin bounds how long the squares of a picture take to be stored: less than
// an operation may take, so that a store that is away is told from one.
const storeWithin = 8 * time.Second

// Uploads that a user, and those from one address, may send without waiting. Each takes
// about a tenth of a second of a core, and its objects stay until they are swept.
var (
	userUploads    = throttle.Policy{Free: 60, First: time.Second, MaxDelay: time.Minute, Forget: 10 * time.Second}
	addressUploads = throttle.Policy{Free: 300, First: time.Second, MaxDelay: time.Minute, Forget: 2 * time.Second}
)

// UpdateAvatar makes a part of the file the user's picture, the largest centred square
// where crop is nil. The old picture stays until the new one is whole and in the
// store.
func (s *Service) UpdateAvatar(
	ctx context.Context, userID uuid.UUID, file io.Reader, crop *avatar.Crop,
) (*ent.User, error) {
	err := s.Attempts.Take(ctx, userUploads.OfUser("upload", userID),
		addressUploads.Of("upload", session.ClientOf(ctx).Network.String()))
	if err != nil {
		return nil, Gone(err)
	}
	picture, err := s.Pictures.Process(ctx, userID.String(), file, crop)
	if err != nil {
		return nil, err
	}
	key := newAvatarKey(picture)
	if err := s.store(ctx, key, picture); err != nil {
		return nil, err
	}
	var user *ent.User
	err = s.DB.WithTx(ctx, func(tx *ent.Tx) error {
		// A file may be on its way for minutes.
		if err := session.Confirm(ctx, tx); err != nil {
			return err
		}
		if err := s.publish(ctx, tx, key); err != nil {
			return err
		}
		user, err = s.setAvatar(ctx, tx, userID, &key, event.KindAVATAR_CHANGED)
		return err
	})
	if err != nil {
		return nil, err
	}
	return user, nil
}

// RemoveAvatar goes back to the generated picture.
func (s *Service) RemoveAvatar(ctx context.Context, userID uuid.UUID) (*ent.User, error) {
	var user *ent.User
	err := s.DB.WithTx(ctx, func(tx *ent.Tx) error {
		err := session.Confirm(ctx, tx)
		if err != nil {
			return err
		}
		user, err = s.setAvatar(ctx, tx, userID, nil, event.KindAVATAR_REMOVED)
		return err
	})
	if err != nil {
		return nil, err
	}
	return user, nil
}

// store writes the picture's objects: first their rows, as pending, so that a
// crash leaves none that the sweeper doesn't know of. An upload that takes so
// long that the sweeper may take its rows for left over fails.
func (s *Service) store(ctx context.Context, key string, picture *avatar.Picture) error {
	ctx, cancel := context.WithTimeout(ctx, min(storeWithin, s.SweepAfter))
	defer cancel()
	keys := squareKeys(key)
	now := s.Now()
	rows := make([]*ent.ObjectCreate, len(keys))
	for i, k := range keys {
		rows[i] = s.DB.Object.Create().SetID(k).SetChangedAt(now)
	}
	if err := s.DB.Object.CreateBulk(rows...).Exec(ctx); err != nil {
		return fmt.Errorf("note the objects to come: %w", err)
	}
	for i, square := range picture.Squares {
		if err := s.Store.Put(ctx, keys[i], picture.MediaType, square.Data); err != nil {
			return &fault.Unavailable{RetryAfter: 5 * time.Second, Err: fmt.Errorf("store a picture: %w", err)}
		}
	}
	return nil
}

// publish makes pending objects live.
func (s *Service) publish(ctx context.Context, tx *ent.Tx, key string) error {
	keys := squareKeys(key)
	n, err := tx.Object.Update().
		Where(object.IDIn(keys...), object.StateEQ(object.StatePending)).
		SetState(object.StateLive).
		SetChangedAt(s.Now()).
		Save(ctx)
	if err != nil {
		return err
	}
	if n != len(keys) {
		return &fault.Unavailable{RetryAfter: time.Second, Err: errors.New("the picture was swept before it was published")}
	}
	return nil
}

// setAvatar points the user to the picture (nil: the generated one) and hands
// the old one's objects to the sweeper.
func (s *Service) setAvatar(
	ctx context.Context, tx *ent.Tx, userID uuid.UUID, key *string, kind event.Kind,
) (*ent.User, error) {
	user, err := tx.User.Get(ctx, userID)
	if err != nil {
		return nil, Gone(err)
	}
	if key == nil && user.AvatarKey == nil {
		return user, nil
	}
	now := s.Now()
	if err := release(ctx, tx, user, now); err != nil {
		return nil, err
	}
	update := user.Update().SetUpdatedAt(now)
	if key != nil {
		update.SetAvatarKey(*key)
	} else {
		update.ClearAvatarKey()
	}
	if user, err = update.Save(ctx); err != nil {
		return nil, err
	}
	return user, audit.Record(ctx, tx, userID, kind, now)
}

// AvatarURL is the address of the user's picture with at least size pixels a
// side, or of the largest there is.
func (s *Service) AvatarURL(user *ent.User, size int) string {
	if user.AvatarKey == nil {
		return s.PublicURL + generatedPath(user.ID, size)
	}
	prefix, side, ext := splitAvatarKey(*user.AvatarKey)
	return s.Store.URL(avatarKey(prefix, avatar.SideFor(size, side), ext))
}

// The key of a square is avatars/RANDOM-SIDE.EXT, where RANDOM is the same for
// all squares of a picture and has 128 bits, since who knows an address may see
// the picture. The user's row has the key of the largest square; the others are
// told from it.

func newAvatarKey(picture *avatar.Picture) string {
	largest := picture.Squares[len(picture.Squares)-1]
	return avatarKey("avatars/"+strings.ToLower(rand.Text()), largest.Side, picture.Ext)
}

func avatarKey(prefix string, side int, ext string) string {
	return prefix + "-" + strconv.Itoa(side) + "." + ext
}

func splitAvatarKey(key string) (prefix string, side int, ext string) {
	rest, ext, _ := strings.Cut(key, ".")
	prefix, digits, _ := strings.Cut(rest, "-")
	side, _ = strconv.Atoi(digits) // the key is our own
	return prefix, side, ext
}

// squareKeys are the keys of all squares of a picture, ascending by side.
func squareKeys(largest string) []string {
	prefix, side, ext := splitAvatarKey(largest)
	var keys []string
	for _, side := range avatar.SidesUpTo(side) {
		keys = append(keys, avatarKey(prefix, side, ext))
	}
	return keys
}
