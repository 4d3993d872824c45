package account

import (
	"context"

	"github.com/google/uuid"

	"nameplate/ent"
	"nameplate/ent/event"
	"nameplate/internal/audit"
	"nameplate/internal/fault"
	"nameplate/internal/session"
)

// RevokeSession ends one session of the user who is asking, and returns which it was. Of the
// request's own it is SignOut.
func (s *Service) RevokeSession(ctx context.Context, id uuid.UUID) (*uuid.UUID, error) {
	current, err := session.Current(ctx)
	if err != nil {
		return nil, err
	}
	if id == current.ID {
		return &id, s.SignOut(ctx)
	}
	err = s.DB.WithTx(ctx, func(tx *ent.Tx) error {
		if err := session.Confirm(ctx, tx); err != nil {
			return err
		}
		revoked, err := s.Sessions.Revoke(ctx, tx, current.UserID, id)
		if err != nil {
			return err
		}
		if !revoked {
			return &fault.Error{Code: fault.SessionNotFound, Field: "id"}
		}
		return audit.Record(ctx, tx, current.UserID, event.KindSESSION_REVOKED, s.Now())
	})
	if err != nil {
		return nil, err
	}
	return &id, nil
}

// RevokeOtherSessions ends every session of the user who is asking but the request's own,
// and returns which they were.
func (s *Service) RevokeOtherSessions(ctx context.Context) ([]uuid.UUID, error) {
	current, err := session.Current(ctx)
	if err != nil {
		return nil, err
	}
	var revoked []uuid.UUID
	err = s.DB.WithTx(ctx, func(tx *ent.Tx) error {
		if err := session.Confirm(ctx, tx); err != nil {
			return err
		}
		revoked, err = s.Sessions.RevokeAll(ctx, tx, current.UserID, current.ID)
		if err != nil || len(revoked) == 0 {
			return err
		}
		return audit.Record(ctx, tx, current.UserID, event.KindSESSION_REVOKED, s.Now())
	})
	if err != nil {
		return nil, err
	}
	return revoked, nil
}
