package account

import (
	"context"
	"errors"

	"nameplate/ent"
	"nameplate/ent/event"
	"nameplate/internal/audit"
	"nameplate/internal/session"
)

// SignOut ends the request's session. Without one it does nothing but clear the
// cookie.
func (s *Service) SignOut(ctx context.Context) error {
	current, err := session.Current(ctx)
	if errors.Is(err, session.ErrNone) {
		session.End(ctx)
		return nil
	}
	if err != nil {
		return err
	}
	err = s.DB.WithTx(ctx, func(tx *ent.Tx) error {
		revoked, err := s.Sessions.Revoke(ctx, tx, current.UserID, current.ID)
		if err != nil || !revoked {
			return err
		}
		return audit.Record(ctx, tx, current.UserID, event.KindSIGNED_OUT, s.Now())
	})
	if err != nil {
		return err
	}
	session.End(ctx)
	return nil
}
