package account

import (
	"context"
	"errors"
	"time"

	"nameplate/ent"
	"nameplate/ent/event"
	"nameplate/internal/audit"
	"nameplate/internal/fault"
	"nameplate/internal/profile"
	"nameplate/internal/session"
	"nameplate/internal/throttle"
	"nameplate/internal/username"
)

// newUsers may sign up from one address: a class or an office does so in one hour.
var newUsers = throttle.Policy{Free: 100, First: time.Second, MaxDelay: time.Minute, Forget: 36 * time.Second}

// SignUp creates a user and signs them in. The token is nil for a browser, which
// has it as a cookie.
func (s *Service) SignUp(ctx context.Context, name, password string) (*ent.User, *string, error) {
	if !s.SignUpOpen {
		return nil, nil, &fault.Error{Code: fault.SignUpClosed}
	}
	asker := askerOf(ctx)
	parsed, nameErr := username.Parse(name)
	passwordErr := s.passwords.check("password", password)
	bucket := newUsers.Of("sign-up", asker)
	if passwordErr == nil { // what follows takes long, so it is counted
		if err := s.Attempts.Take(ctx, bucket, hashed.Of("hash", asker)); err != nil {
			return nil, nil, err
		}
		err := s.passwords.checkGuesses(ctx, asker, "password", password, parsed.Display)
		passwordErr = s.giveBack(ctx, err, bucket)
	}
	if err := errors.Join(nameErr, passwordErr); err != nil {
		return nil, nil, err
	}
	hash, err := s.passwords.hash(ctx, asker, password)
	if err != nil {
		return nil, nil, s.giveBack(ctx, err, bucket)
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
