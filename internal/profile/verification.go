package profile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"nameplate/ent"
	"nameplate/ent/event"
	entuser "nameplate/ent/user"
	"nameplate/internal/audit"
	"nameplate/internal/fault"
	"nameplate/internal/idcard"
	"nameplate/internal/session"
	"nameplate/internal/throttle"
)

// The fields by which sealed values are bound to their column.
const (
	fieldRealName = "real_name"
	fieldIDCard   = "id_card"
)

// Verification is a real name and ID number as the user declared them. The full
// number is not among its fields: reading it is a use case of its own.
type Verification struct {
	UserID       uuid.UUID
	RealName     string
	MaskedIDCard string
	SavedAt      time.Time
}

// IDCardMaxAge is how long after the password was entered the full number may be
// read. It is @auth(maxAge:) of the field in schema.graphqls, and stands here too
// because who may not read the number may not have guesses compared with it either.
const IDCardMaxAge = 10 * time.Minute

// Attempts to save a verification, of a user and from one address: each can be a guess at
// what is saved. So many users who have just signed up come from one address in an hour.
var (
	userVerifications    = throttle.Policy{Free: 10, First: time.Second, MaxDelay: 15 * time.Minute, Forget: 30 * time.Minute}
	addressVerifications = throttle.Policy{Free: 100, First: time.Second, MaxDelay: time.Minute, Forget: 36 * time.Second}
)

// SaveVerification stores both values, sealed, if none are stored: one UPDATE
// that only a row without values matches decides. The values that are stored
// already are no change; others are refused. Which it is takes a session that may
// read the number, or else it is session.ErrStale, and is recorded as a reading
// when it tells the number.
func (s *Service) SaveVerification(
	ctx context.Context, userID uuid.UUID, realName, idCard string,
) (*ent.User, error) {
	name, nameErr := idcard.ParseRealName(realName)
	number, numberErr := idcard.Parse(idCard, s.Now())
	if err := errors.Join(nameErr, numberErr); err != nil {
		return nil, err
	}
	err := s.Attempts.Take(ctx, userVerifications.OfUser("verification", userID),
		addressVerifications.Of("verification", session.ClientOf(ctx).Network.String()))
	if err != nil {
		return nil, Gone(err)
	}
	sealedName, err := s.Keys.Seal(userID.String(), fieldRealName, []byte(name))
	if err != nil {
		return nil, err
	}
	sealedNumber, err := s.Keys.Seal(userID.String(), fieldIDCard, []byte(number.Reveal()))
	if err != nil {
		return nil, err
	}
	var user *ent.User
	err = s.DB.WithTx(ctx, func(tx *ent.Tx) error {
		if err := session.Confirm(ctx, tx); err != nil {
			return err
		}
		now := s.Now()
		n, err := tx.User.Update().
			Where(entuser.ID(userID), entuser.IDCardSealedIsNil()).
			SetRealNameSealed(sealedName).
			SetIDCardSealed(sealedNumber).
			SetVerificationSavedAt(now).
			SetUpdatedAt(now).
			Save(ctx)
		if err != nil {
			return err
		}
		if user, err = tx.User.Get(ctx, userID); err != nil {
			return Gone(err)
		}
		kind := event.KindVERIFICATION_SAVED
		if n == 0 {
			if err := session.Fresh(ctx, now, IDCardMaxAge); err != nil {
				return err
			}
			if err := s.sameVerification(user, name, number); err != nil {
				return err
			}
			kind = event.KindID_CARD_READ
		}
		return audit.Record(ctx, tx, userID, kind, now)
	})
	if err != nil {
		return nil, err
	}
	return user, nil
}

// sameVerification is an error unless these are the values that are stored.
func (s *Service) sameVerification(user *ent.User, name string, number idcard.Number) error {
	storedName, storedNumber, err := s.Unseal(user)
	if err != nil {
		return err
	}
	if storedName != name || storedNumber != number {
		return &fault.Error{Code: fault.AlreadyVerified}
	}
	return nil
}

// Verification returns what the user saved, nil when that is nothing.
func (s *Service) Verification(user *ent.User) (*Verification, error) {
	if user.IDCardSealed == nil {
		return nil, nil
	}
	name, number, err := s.Unseal(user)
	if err != nil {
		return nil, err
	}
	return &Verification{
		UserID:       user.ID,
		RealName:     name,
		MaskedIDCard: number.Mask(),
		SavedAt:      *user.VerificationSavedAt,
	}, nil
}

// ReadIDCard returns the full number. It is given out only when it is recorded
// that it was; null when none is saved.
func (s *Service) ReadIDCard(ctx context.Context, userID uuid.UUID) (*string, error) {
	user, err := s.Get(ctx, userID)
	if err != nil || user.IDCardSealed == nil {
		return nil, err
	}
	if err := s.Attempts.Take(ctx, OwnDoings.OfUser("read the ID number", userID)); err != nil {
		return nil, Gone(err)
	}
	_, number, err := s.Unseal(user)
	if err != nil {
		return nil, err
	}
	err = s.DB.WithTx(ctx, func(tx *ent.Tx) error {
		if err := session.Confirm(ctx, tx); err != nil {
			return err
		}
		return Gone(audit.Record(ctx, tx, userID, event.KindID_CARD_READ, s.Now()))
	})
	if err != nil {
		return nil, err
	}
	full := number.Reveal()
	return &full, nil
}

// Unseal opens what is stored of the user, who has a verification. Who shows the number
// records it as read.
func (s *Service) Unseal(user *ent.User) (name string, number idcard.Number, err error) {
	id := user.ID.String()
	openedName, nameErr := s.Keys.Open(id, fieldRealName, user.RealNameSealed)
	openedNumber, numberErr := s.Keys.Open(id, fieldIDCard, user.IDCardSealed)
	if err := errors.Join(nameErr, numberErr); err != nil {
		return "", number, fmt.Errorf("open the verification of user %s: %w", id, err)
	}
	return string(openedName), idcard.Stored(string(openedNumber)), nil
}
