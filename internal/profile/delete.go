package profile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/google/uuid"

	"nameplate/ent"
	"nameplate/ent/heldname"
	"nameplate/ent/object"
	"nameplate/internal/fault"
	"nameplate/internal/username"
)

// Delete deletes the user with what hangs on it, hands the picture's objects to the
// sweeper and holds the name for as long as hold; for 0, not at all. That the session may
// do so is for the caller to say, in the same transaction.
func (s *Service) Delete(ctx context.Context, tx *ent.Tx, userID uuid.UUID, hold time.Duration) error {
	user, err := tx.User.Get(ctx, userID)
	if err != nil {
		return Gone(err)
	}
	now := s.Now()
	if err := release(ctx, tx, user, now); err != nil {
		return err
	}
	if hold > 0 {
		if err := holdName(ctx, tx, user.NameKey, now.Add(hold)); err != nil {
			return err
		}
	}
	return tx.User.DeleteOne(user).Exec(ctx)
}

// holdName holds it anew where it is held already. Nobody takes a name that is, except at
// a server of an older version that still runs beside this one; and that must not keep who
// has it from leaving.
func holdName(ctx context.Context, tx *ent.Tx, nameKey string, until time.Time) error {
	id := heldID(nameKey)
	if _, err := tx.HeldName.Delete().Where(heldname.ID(id)).Exec(ctx); err != nil {
		return err
	}
	return tx.HeldName.Create().SetID(id).SetUntil(until).Exec(ctx)
}

// release hands the objects of the user's picture to the sweeper.
func release(ctx context.Context, tx *ent.Tx, user *ent.User, now time.Time) error {
	if user.AvatarKey == nil {
		return nil
	}
	return tx.Object.Update().
		Where(object.IDIn(squareKeys(*user.AvatarKey)...)).
		SetState(object.StateStale).
		SetChangedAt(now).
		Exec(ctx)
}

// NameIsHeld is a fault if nobody may take the name now. It belongs in the transaction
// that takes it, which also deletes a hold that has ended.
func NameIsHeld(ctx context.Context, tx *ent.Tx, name username.Name, now time.Time) error {
	id := heldID(name.Key)
	if _, err := tx.HeldName.Delete().Where(heldname.ID(id), heldname.UntilLTE(now)).Exec(ctx); err != nil {
		return err
	}
	held, err := tx.HeldName.Query().Where(heldname.ID(id)).Exist(ctx)
	if err == nil && held {
		return &fault.Error{Code: fault.NameTaken, Field: "name"}
	}
	return err
}

// SweepNames forgets the names that are held no more.
func (s *Service) SweepNames(ctx context.Context) error {
	_, err := s.DB.HeldName.Delete().Where(heldname.UntilLTE(s.Now())).Exec(ctx)
	return err
}

func heldID(nameKey string) string {
	sum := sha256.Sum256([]byte(nameKey))
	return hex.EncodeToString(sum[:])
}
