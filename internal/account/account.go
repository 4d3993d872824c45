// Package account is what a person does to come and go: sign up, sign in, sign
// out, enter the password again, change or reset it, end sessions, take their data,
// leave.
package account

import (
	"context"
	"time"

	"nameplate/ent"
	"nameplate/ent/user"
	"nameplate/internal/fault"
	"nameplate/internal/profile"
	"nameplate/internal/session"
	"nameplate/internal/throttle"
)

// Options of New.
type Options struct {
	DB       *ent.Client
	Sessions *session.Manager
	Profiles *profile.Service
	Attempts *throttle.Limiter
	// Hashes is how many passwords are hashed at once, each in 19 MiB; at least 1. More
	// than there are cores gain nothing.
	Hashes int
	// MinPasswordLength and MaxPasswordLength bound a new password, in Unicode characters
	// after normalisation. There is no rule about which characters (NIST SP 800-63B,
	// section 3.1.1.2).
	MinPasswordLength, MaxPasswordLength int
	// SignUpOpen is whether users may sign up.
	SignUpOpen bool
	// NameHold is how long nobody may take the name of a user who was deleted.
	NameHold time.Duration
	// KeepEvents is how long events are kept.
	KeepEvents time.Duration
	// Now is the clock, in UTC and to the microsecond.
	Now func() time.Time
}

// Service holds the use cases, a file for each.
type Service struct {
	Options
	passwords *passwords
}

// New makes the service.
func New(o Options) *Service {
	return &Service{Options: o, passwords: newPasswords(o)}
}

// Attempts at a password: ten are free, then each waits twice as long as the one before,
// from a second up to a quarter of an hour. One is forgotten every half an hour.
var passwordAttempts = throttle.Policy{Free: 10, First: time.Second, MaxDelay: 15 * time.Minute, Forget: 30 * time.Minute}

// hashed are the passwords that are hashed, or judged, without a session for one address,
// right ones too: more would keep the server busy. In a session [profile.OwnDoings] bounds
// them by user, so that no neighbour keeps out who is signed in.
var hashed = throttle.Policy{Free: 300, First: time.Second, MaxDelay: 10 * time.Second, Forget: 200 * time.Millisecond}

// confirmed is the request's session and its user, whose password has been entered now.
type confirmed struct {
	session *ent.Session
	user    *ent.User
	bucket  throttle.Bucket
}

// confirm checks the password entered in the request's session, as the input of that
// name. Wrong ones are counted apart from those at sign-in, so that nobody who isn't
// signed in can hinder who is.
func (s *Service) confirm(ctx context.Context, field, password string) (*confirmed, error) {
	if err := required(field, password); err != nil {
		return nil, err
	}
	current, err := session.Current(ctx)
	if err != nil {
		return nil, err
	}
	user, err := s.Profiles.Get(ctx, current.UserID)
	if err != nil {
		return nil, err
	}
	c := &confirmed{session: current, user: user, bucket: passwordAttempts.OfUser("password in a session", user.ID)}
	own := profile.OwnDoings.OfUser("enter the password", user.ID)
	if err := s.Attempts.Take(ctx, c.bucket, own); err != nil {
		return nil, profile.Gone(err)
	}
	match, err := s.passwords.matches(ctx, askerOf(ctx), password, user.PasswordHash)
	if err != nil {
		return nil, s.giveBack(ctx, err, c.bucket)
	}
	if !match {
		return nil, s.refuse(ctx, field, user, c.bucket)
	}
	return c, nil
}

// askerOf names who asks where askers take turns: by the network, as one client has it,
// since one can have many users.
func askerOf(ctx context.Context) string { return session.ClientOf(ctx).Network.String() }

// recheck is an error if the session has ended meanwhile, or the password is another: what
// is done because of it must come to nothing then. It belongs into the transaction of
// that. The attempts so far are forgotten.
func (s *Service) recheck(ctx context.Context, tx *ent.Tx, c *confirmed) error {
	if err := session.Confirm(ctx, tx); err != nil {
		return err
	}
	if err := unchanged(ctx, tx, c.user); err != nil {
		return err
	}
	return s.Attempts.Forget(ctx, tx, c.bucket)
}

// unchanged is a fault if the password has been changed since the user was read, or the
// user is gone.
func unchanged(ctx context.Context, tx *ent.Tx, u *ent.User) error {
	same, err := tx.User.Query().Where(user.ID(u.ID), user.PasswordVersion(u.PasswordVersion)).Exist(ctx)
	if err == nil && !same {
		return &fault.Error{Code: fault.WrongCredentials}
	}
	return err
}

func required(field, value string) error {
	if value == "" {
		return &fault.Error{Code: fault.Required, Field: field}
	}
	return nil
}
