// Package profile is what a person is to the application: a name, a picture, a
// verification. A file for each use case.
package profile

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"nameplate/ent"
	"nameplate/internal/avatar"
	"nameplate/internal/blob"
	"nameplate/internal/seal"
	"nameplate/internal/session"
	"nameplate/internal/throttle"
)

// Service holds the use cases. All fields are set before the first use.
type Service struct {
	DB       *ent.Client
	Store    blob.Store
	Keys     *seal.Keys
	Pictures *avatar.Processor
	// PublicURL is where clients reach this server, without a slash at the end.
	PublicURL string
	// Attempts counts what must not be done too often, as uploads.
	Attempts *throttle.Limiter
	// SweepAfter is how long an object may be referred to by nothing before it
	// is deleted; at least a second.
	SweepAfter time.Duration
	// Now is the clock, in UTC and to the microsecond.
	Now func() time.Time
	Log *slog.Logger
}

// Get returns the user who is asking. One that exists no more ends the session:
// the error is session.ErrNone.
func (s *Service) Get(ctx context.Context, userID uuid.UUID) (*ent.User, error) {
	user, err := s.DB.User.Get(ctx, userID)
	return user, Gone(err)
}

// Gone says of a user's row that is not there, or that a new row can't refer to,
// what it means to who asked: that the session, which goes with the row, is no more.
func Gone(err error) error {
	if ent.IsNotFound(err) || ent.IsConstraintError(err) {
		return fmt.Errorf("%w: the user is gone", session.ErrNone)
	}
	return err
}
