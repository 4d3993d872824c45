package account

import (
	"context"
	"errors"

	"nameplate/ent"
	"nameplate/ent/event"
	entuser "nameplate/ent/user"
	"nameplate/internal/audit"
	"nameplate/internal/fault"
	"nameplate/internal/session"
	"nameplate/internal/username"
)

// SignIn issues a session to who knows the name, in any equivalent writing, and
// the password. The token is nil for a browser, which has it as a cookie.
func (s *Service) SignIn(ctx context.Context, name, password string) (*ent.User, *string, error) {
	if err := errors.Join(required("name", name), required("password", password)); err != nil {
		return nil, nil, err
	}
	user, err := s.authenticate(ctx, name, password)
	if err != nil {
		return nil, nil, err
	}
	var issued *session.Issued
	err = s.db.WithTx(ctx, func(tx *ent.Tx) error {
		err := audit.Record(ctx, tx, user.ID, event.KindSIGNED_IN, s.now())
		if ent.IsConstraintError(err) { // the user has been deleted meanwhile
			return &fault.Error{Code: fault.WrongCredentials}
		}
		if err != nil {
			return err
		}
		issued, err = s.sessions.Issue(ctx, tx, user.ID)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return user, session.Begin(ctx, issued), nil
}

// authenticate finds the user whose name and password these are. A missing user
// and a wrong password cost the same and are the same fault.
func (s *Service) authenticate(ctx context.Context, name, password string) (*ent.User, error) {
	parsed, err := username.Parse(name)
	var user *ent.User
	if err == nil {
		user, err = s.db.User.Query().Where(entuser.NameKey(parsed.Key)).Only(ctx)
		if err != nil && !ent.IsNotFound(err) {
			return nil, err
		}
	}
	hash := s.passwords.nobody
	if user != nil {
		hash = user.PasswordHash
	}
	match, err := s.passwords.matches(ctx, password, hash)
	if err != nil {
		return nil, err
	}
	if user == nil || !match {
		return nil, &fault.Error{Code: fault.WrongCredentials}
	}
	return user, nil
}

func required(field, value string) error {
	if value == "" {
		return &fault.Error{Code: fault.Required, Field: field}
	}
	return nil
}
