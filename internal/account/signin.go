package account

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"nameplate/ent"
	"nameplate/ent/event"
	entuser "nameplate/ent/user"
	"nameplate/internal/audit"
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
	user, buckets, err := s.authenticate(ctx, name, password)
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
			if err := tx.User.Update().Where(entuser.ID(user.ID)).SetPasswordHash(upgraded).Exec(ctx); err != nil {
				return err
			}
		}
		if err := s.succeeded(ctx, tx, buckets); err != nil {
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
func (s *Service) authenticate(ctx context.Context, name, password string) (*ent.User, signInBuckets, error) {
	user, err := find(ctx, s.DB.User, name)
	if err != nil {
		return nil, signInBuckets{}, err
	}
	buckets, err := s.buckets(ctx, user, name)
	if err != nil {
		return nil, buckets, err
	}
	if err := s.Attempts.Take(ctx, append(buckets.all(), hashed.Of("hash", askerOf(ctx)))...); err != nil {
		if ent.IsConstraintError(err) { // the user has been deleted meanwhile
			err = &fault.Error{Code: fault.WrongCredentials}
		}
		return nil, buckets, err
	}
	hash := s.passwords.nobody()
	if user != nil {
		hash = user.PasswordHash
	}
	match, err := s.passwords.matches(ctx, askerOf(ctx), password, hash)
	if err != nil {
		return nil, buckets, s.giveBack(ctx, err, buckets.all()...)
	}
	if user == nil || !match {
		return nil, buckets, s.refuse(ctx, "", user, buckets.all()...)
	}
	return user, buckets, nil
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

// signInBuckets are where attempts at a user's password are counted. Those from a network
// from which the user has been signed in before are counted on their own, so that strangers
// elsewhere can't hinder the user, and who guesses at others from there hardly can.
type signInBuckets struct {
	// user is forgotten after the right password. Of a name that is no user's there is one
	// as well, which behaves the same.
	user throttle.Bucket
	// address is of the network, whoever is guessed at.
	address throttle.Bucket
}

func (l signInBuckets) all() []throttle.Bucket { return []throttle.Bucket{l.user, l.address} }

// neighbours are those who have signed in from one network before: wrong passwords for
// users who have, which a whole office may enter in an hour.
var neighbours = throttle.Policy{Free: 100, First: time.Second, MaxDelay: time.Minute, Forget: 36 * time.Second}

func (s *Service) buckets(ctx context.Context, user *ent.User, name string) (signInBuckets, error) {
	from := session.ClientOf(ctx).Network.String()
	id := uuid.Nil
	if user != nil {
		id = user.ID
	}
	known, err := audit.IsKnown(ctx, s.DB, id)
	switch {
	case err != nil:
		return signInBuckets{}, err
	case known:
		return signInBuckets{passwordAttempts.OfUser("password", id, from), neighbours.Of("known", from)}, nil
	case user != nil:
		return signInBuckets{passwordAttempts.OfUser("password", id), passwordAttempts.Of("password", from)}, nil
	}
	if parsed, err := username.Parse(name); err == nil {
		name = parsed.Key
	}
	return signInBuckets{passwordAttempts.Of("password of nobody", strings.ToLower(name)), passwordAttempts.Of("password", from)}, nil
}

// succeeded forgets the attempts at the user's password. Those from the address stay:
// whoever knows one password may be guessing at others.
func (s *Service) succeeded(ctx context.Context, tx *ent.Tx, buckets signInBuckets) error {
	if err := s.Attempts.GiveBack(ctx, tx, buckets.address); err != nil {
		return err
	}
	return s.Attempts.Forget(ctx, tx, buckets.user)
}

// giveBack takes back an attempt that has come to no hash, if there is an error that says so:
// the server was too busy, or the client has left. What is wrong with an input stays counted.
func (s *Service) giveBack(ctx context.Context, err error, buckets ...throttle.Bucket) error {
	if _, isFault := errors.AsType[*fault.Error](err); err == nil || isFault {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	return errors.Join(err, s.DB.WithTx(ctx, func(tx *ent.Tx) error { return s.Attempts.GiveBack(ctx, tx, buckets...) }))
}

// refuse records that a wrong password, the input of that name, was entered for the user,
// who is nil where there is none: then the work is the same.
func (s *Service) refuse(ctx context.Context, field string, user *ent.User, buckets ...throttle.Bucket) error {
	// Also for a client that has left before it was told.
	ctx = context.WithoutCancel(ctx)
	err := s.DB.WithTx(ctx, func(tx *ent.Tx) error {
		if err := s.Attempts.Failed(ctx, tx, buckets...); err != nil {
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
