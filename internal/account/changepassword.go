package account

import (
	"context"
	"errors"

	"nameplate/ent"
	"nameplate/ent/event"
	"nameplate/ent/recoverycode"
	entuser "nameplate/ent/user"
	"nameplate/internal/audit"
	"nameplate/internal/fault"
	"nameplate/internal/session"
)

// ChangePassword sets a new password for who knows the present one, and ends all other
// sessions of the user; this one gets another cookie. Links of operators that reset the
// password end with it; the user's recovery codes don't.
func (s *Service) ChangePassword(ctx context.Context, current, password string) (*ent.User, error) {
	err := errors.Join(required("currentPassword", current), s.passwords.check("newPassword", password))
	if err != nil {
		return nil, err
	}
	c, err := s.confirm(ctx, "currentPassword", current)
	if err != nil {
		return nil, err
	}
	asker := askerOf(ctx)
	if guessErr := s.passwords.checkGuesses(ctx, asker, "newPassword", password, c.user.Name); guessErr != nil {
		// The present password was right, so this wasn't a guess at it.
		err := s.DB.WithTx(ctx, func(tx *ent.Tx) error { return s.recheck(ctx, tx, c) })
		if err != nil {
			return nil, err
		}
		return nil, guessErr
	}
	hash, err := s.passwords.hash(ctx, asker, password)
	if err != nil {
		return nil, err
	}
	var user *ent.User
	var issued *session.Issued
	err = s.DB.WithTx(ctx, func(tx *ent.Tx) error {
		if err := s.recheck(ctx, tx, c); err != nil {
			return err
		}
		if user, err = s.setPassword(ctx, tx, c.user, hash); err != nil {
			return err
		}
		if _, err := s.Sessions.RevokeAll(ctx, tx, user.ID, c.session.ID); err != nil {
			return err
		}
		if issued, err = s.Sessions.RotateToken(ctx, tx, c.session.ID); err != nil {
			return err
		}
		return audit.Record(ctx, tx, user.ID, event.KindPASSWORD_CHANGED, s.Now())
	})
	if err != nil {
		return nil, err
	}
	session.BeginAgain(ctx, issued)
	return user, nil
}

// setPassword stores the hash of a new password, unless the user has another by now. What
// was begun with the old one, and the links of operators, come to nothing.
func (s *Service) setPassword(ctx context.Context, tx *ent.Tx, user *ent.User, hash string) (*ent.User, error) {
	n, err := tx.User.Update().
		Where(entuser.ID(user.ID), entuser.PasswordVersion(user.PasswordVersion)).
		SetPasswordHash(hash).
		AddPasswordVersion(1).
		Save(ctx)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, &fault.Error{Code: fault.WrongCredentials}
	}
	_, err = tx.RecoveryCode.Delete().
		Where(recoverycode.UserID(user.ID), recoverycode.ByOperator(true)).
		Exec(ctx)
	if err != nil {
		return nil, err
	}
	return tx.User.Get(ctx, user.ID)
}
