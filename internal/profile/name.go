package profile

import (
	"context"
	"time"

	"github.com/google/uuid"

	"nameplate/ent"
	"nameplate/ent/event"
	"nameplate/internal/audit"
	"nameplate/internal/fault"
	"nameplate/internal/session"
	"nameplate/internal/throttle"
	"nameplate/internal/username"
)

// OwnDoings is how often a user may do what is of no use to do often, counted for each kind on
// its own: each time is an event, which is kept for long.
var OwnDoings = throttle.Policy{Free: 60, First: time.Second, MaxDelay: time.Minute, Forget: time.Minute}

// UpdateName changes the user's name. Whether it is free is for the unique index
// to say; the name that the user has already is no change.
func (s *Service) UpdateName(ctx context.Context, userID uuid.UUID, name string) (*ent.User, error) {
	parsed, err := username.Parse(name)
	if err != nil {
		return nil, err
	}
	if err := s.Attempts.Take(ctx, OwnDoings.OfUser("rename", userID)); err != nil {
		return nil, Gone(err)
	}
	var user *ent.User
	err = s.DB.WithTx(ctx, func(tx *ent.Tx) error {
		if err := session.Confirm(ctx, tx); err != nil {
			return err
		}
		user, err = tx.User.Get(ctx, userID)
		if err != nil || user.Name == parsed.Display {
			return Gone(err)
		}
		now := s.Now()
		if err := NameIsHeld(ctx, tx, parsed, now); err != nil {
			return err
		}
		user, err = user.Update().
			SetName(parsed.Display).
			SetNameKey(parsed.Key).
			SetUpdatedAt(now).
			Save(ctx)
		if ent.IsConstraintError(err) {
			return &fault.Error{Code: fault.NameTaken, Field: "name"}
		}
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, userID, event.KindNAME_CHANGED, now)
	})
	if err != nil {
		return nil, err
	}
	return user, nil
}
