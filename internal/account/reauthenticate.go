package account

import (
	"context"

	"nameplate/ent"
	"nameplate/ent/event"
	"nameplate/internal/audit"
	"nameplate/internal/session"
)

// Reauthenticate notes that the password was entered again in this session,
// which fields that ask for a fresh sign-in look at.
func (s *Service) Reauthenticate(ctx context.Context, password string) error {
	c, err := s.confirm(ctx, "password", password)
	if err != nil {
		return err
	}
	var current *ent.Session
	err = s.DB.WithTx(ctx, func(tx *ent.Tx) error {
		if err := s.recheck(ctx, tx, c); err != nil {
			return err
		}
		if current, err = s.Sessions.Reauthenticated(ctx, tx, c.session.ID); err != nil {
			return err
		}
		return audit.Record(ctx, tx, c.user.ID, event.KindREAUTHENTICATED, s.Now())
	})
	if err != nil {
		return err
	}
	session.Renew(ctx, current)
	return nil
}
