package account

import (
	"context"
	"errors"
	"net/netip"
	"strings"

	"github.com/google/uuid"

	"nameplate/ent"
	"nameplate/ent/event"
	entuser "nameplate/ent/user"
	"nameplate/internal/audit"
	"nameplate/internal/clientaddr"
	"nameplate/internal/fault"
	"nameplate/internal/session"
	"nameplate/internal/throttle"
	"nameplate/internal/username"
)

// SignIn issues a session to who knows the name, in any equivalent writing, and
// the password. The token is nil for a browser, which has it as a cookie.
func (s *Service) SignIn(ctx context.Context, name, password string) (*ent.User, *string, error) {
	if err := errors.Join(required("name", name), required("password", password)); err != nil {
		return nil, nil, err
	}
	user, lanes, err := s.authenticate(ctx, name, password)
	if err != nil {
		return nil, nil, err
	}
	var upgraded string
	if s.passwords.outdated(user.PasswordHash) {
		// What hinders it hinders no sign-in: there will be another.
		upgraded, _ = s.passwords.hash(ctx, askerOf(ctx), password)
	}
	var issued *session.Issued
	err = s.DB.WithTx(ctx, func(tx *ent.Tx) error {
		if err := unchanged(ctx, tx, user); err != nil {
			return err
		}
		if upgraded != "" {
			if err := tx.User.UpdateOneID(user.ID).SetPasswordHash(upgraded).Exec(ctx); err != nil {
				return err
			}
		}
		if err := s.succeeded(ctx, tx, lanes); err != nil {
			return err
		}
		if err := audit.Record(ctx, tx, user.ID, event.KindSIGNED_IN, s.Now()); err != nil {
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

// authenticate finds the user whose name and password these are. A missing user
// and a wrong password cost the same and are the same fault.
func (s *Service) authenticate(ctx context.Context, name, password string) (*ent.User, signInLanes, error) {
	user, err := find(ctx, s.DB.User, name)
	if err != nil {
		return nil, signInLanes{}, err
	}
	lanes, err := s.lanes(ctx, user, name)
	if err != nil {
		return nil, lanes, err
	}
	if err := s.Attempts.Take(ctx, lanes.all()...); err != nil {
		if ent.IsConstraintError(err) { // the user has been deleted meanwhile
			err = &fault.Error{Code: fault.WrongCredentials}
		}
		return nil, lanes, err
	}
	hash := s.passwords.nobody()
	if user != nil {
		hash = user.PasswordHash
	}
	match, err := s.passwords.matches(ctx, askerOf(ctx), password, hash)
	if err != nil {
		return nil, lanes, err
	}
	if user == nil || !match {
		return nil, lanes, s.refuse(ctx, "", user, lanes.all()...)
	}
	return user, lanes, nil
}

// find is the user of that name, in any equivalent writing; nil where there is none.
func find(ctx context.Context, users *ent.UserClient, name string) (*ent.User, error) {
	parsed, err := username.Parse(name)
	if err != nil {
		parsed.Key = "" // which is nobody's
	}
	user, err := users.Query().Where(entuser.NameKey(parsed.Key)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	return user, err
}

// signInLanes are where attempts at a user's password are counted. Those from a network
// from which the user has signed in before are counted on their own, so that strangers
// elsewhere can't hinder the user, and who guesses at others from there can't either.
type signInLanes struct {
	// user is forgotten after the right password. Of a name that is no user's there is one
	// as well, which behaves the same.
	user throttle.Lane
	// address is nil where the user has signed in from there before.
	address *throttle.Lane
}

func (l signInLanes) all() []throttle.Lane {
	if l.address == nil {
		return []throttle.Lane{l.user}
	}
	return []throttle.Lane{l.user, *l.address}
}

func (s *Service) lanes(ctx context.Context, user *ent.User, name string) (signInLanes, error) {
	from := session.ClientOf(ctx).Network
	id := uuid.Nil
	if user != nil {
		id = user.ID
	}
	known, err := s.hasSignedInFrom(ctx, id, from)
	if err != nil {
		return signInLanes{}, err
	}
	if known {
		return signInLanes{user: passwordAttempts.OfUser("password", id, from.String())}, nil
	}
	address := passwordAttempts.Of("password", from.String())
	if user != nil {
		return signInLanes{passwordAttempts.OfUser("password", id), &address}, nil
	}
	if parsed, err := username.Parse(name); err == nil {
		name = parsed.Key
	}
	return signInLanes{passwordAttempts.Of("password of nobody", strings.ToLower(name)), &address}, nil
}

// signInsLookedAt is how many of the user's last sign-ins tell from where they come.
const signInsLookedAt = 100

func (s *Service) hasSignedInFrom(ctx context.Context, userID uuid.UUID, network netip.Prefix) (bool, error) {
	addresses, err := s.DB.Event.Query().
		Where(event.UserID(userID), event.KindIn(event.KindSIGNED_UP, event.KindSIGNED_IN, event.KindPASSWORD_RESET)).
		Order(ent.Desc(event.FieldAt)).
		Limit(signInsLookedAt).
		Select(event.FieldIPAddress).
		Strings(ctx)
	if err != nil {
		return false, err
	}
	for _, address := range addresses {
		if network.IsValid() && clientaddr.Network(address) == network {
			return true, nil
		}
	}
	return false, nil
}

// succeeded forgets the attempts at the user's password. Those from the address stay:
// whoever knows one password may be guessing at others.
func (s *Service) succeeded(ctx context.Context, tx *ent.Tx, lanes signInLanes) error {
	if lanes.address != nil {
		if err := s.Attempts.GiveBack(ctx, tx, *lanes.address); err != nil {
			return err
		}
	}
	return s.Attempts.Forget(ctx, tx, lanes.user)
}

// refuse records that a wrong password, the input of that name, was entered for the user,
// who is nil where there is none: then the work is the same.
func (s *Service) refuse(ctx context.Context, field string, user *ent.User, lanes ...throttle.Lane) error {
	err := s.DB.WithTx(ctx, func(tx *ent.Tx) error {
		if err := s.Attempts.Failed(ctx, tx, lanes...); err != nil {
			return err
		}
		if user == nil {
			return audit.RecordFailure(ctx, tx, nil, s.Now())
		}
		return audit.RecordFailure(ctx, tx, &user.ID, s.Now())
	})
	if err != nil && !ent.IsConstraintError(err) { // the user has been deleted meanwhile
		return err
	}
	if field == "" {
		return &fault.Error{Code: fault.WrongCredentials}
	}
	return &fault.Error{Code: fault.WrongCredentials, Field: field, Detail: fault.DetailPassword}
}
