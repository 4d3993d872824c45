package account

import (
	"context"

	"nameplate/ent"
	"nameplate/ent/event"
	"nameplate/internal/audit"
	"nameplate/internal/fault"
	"nameplate/internal/session"
)

// Reauthenticate notes that the password was entered again in this session,
// which fields that ask for a fresh sign-in look at.
func (s *Service) Reauthenticate(ctx context.Context, password string) error {
	if err := required("password", password); err != nil {
		return err
	}
	current, err := session.Current(ctx)
	if err != nil {
		return err
	}
	user, err := s.db.User.Get(ctx, current.UserID)
	if ent.IsNotFound(err) {
		return session.ErrNone
	}
	if err != nil {
		return err
	}
	match, err := s.passwords.matches(ctx, password, user.PasswordHash)
	if err != nil {
		return err
	}
	if !match {
		return &fault.Error{Code: fault.WrongCredentials, Field: "password"}
	}
	err = s.db.WithTx(ctx, func(tx *ent.Tx) error {
		current, err = s.sessions.Reauthenticated(ctx, tx, current.ID)
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, user.ID, event.KindREAUTHENTICATED, s.now())
	})
	if err != nil {
		return err
	}
	session.Renew(ctx, current)
	return nil
}
