package account

import (
	"context"
	"errors"

	"nameplate/ent"
	"nameplate/ent/event"
	"nameplate/internal/audit"
	"nameplate/internal/fault"
	"nameplate/internal/profile"
	"nameplate/internal/session"
	"nameplate/internal/username"
)

// SignUp creates a user and signs them in. The token is nil for a browser, which
// has it as a cookie.
func (s *Service) SignUp(ctx context.Context, name, password string) (*ent.User, *string, error) {
	if !s.SignUpOpen {
		return nil, nil, &fault.Error{Code: fault.SignUpClosed}
	}
	asker := askerOf(ctx)
	parsed, nameErr := username.Parse(name)
	passwordErr := s.passwords.check("password", password)
	if passwordErr == nil { // what follows takes long, so it is counted
		if err := s.Attempts.Take(ctx, newUsers.Of("sign-up", asker)); err != nil {
			return nil, nil, err
		}
		passwordErr = s.passwords.checkGuesses(ctx, asker, "password", password, name)
	}
	if err := errors.Join(nameErr, passwordErr); err != nil {
		return nil, nil, err
	}
	hash, err := s.passwords.hash(ctx, asker, password)
	if err != nil {
		return nil, nil, err
	}
	var user *ent.User
	var issued *session.Issued
	err = s.DB.WithTx(ctx, func(tx *ent.Tx) error {
		now := s.Now()
		if err := profile.NameIsHeld(ctx, tx, parsed, now); err != nil {
			return err
		}
		user, err = tx.User.Create().
			SetName(parsed.Display).
			SetNameKey(parsed.Key).
			SetPasswordHash(hash).
			SetCreatedAt(now).
			SetUpdatedAt(now).
			Save(ctx)
		if ent.IsConstraintError(err) {
			return &fault.Error{Code: fault.NameTaken, Field: "name"}
		}
		if err != nil {
			return err
		}
		if err := audit.Record(ctx, tx, user.ID, event.KindSIGNED_UP, now); err != nil {
			return err
		}
		issued, err = s.Sessions.Issue(ctx, tx, user.ID)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return user, session.Begin(ctx, issued), nil
}
