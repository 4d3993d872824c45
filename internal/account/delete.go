package account

import (
	"context"

	"nameplate/ent"
	"nameplate/internal/session"
)

// Delete deletes the user who is asking, with everything stored about them: sessions,
// events, codes and counts go with the row, and the pictures with the next sweep. Of the
// name a digest stays, so that nobody can pass for the user before it is forgotten.
func (s *Service) Delete(ctx context.Context, password string) error {
	c, err := s.confirm(ctx, "password", password)
	if err != nil {
		return err
	}
	err = s.DB.WithTx(ctx, func(tx *ent.Tx) error {
		if err := s.recheck(ctx, tx, c); err != nil {
			return err
		}
		return s.Profiles.Delete(ctx, tx, c.user.ID, s.NameHold)
	})
	if err != nil {
		return err
	}
	session.End(ctx)
	return nil
}
