// Package account is what a person does to come and go: sign up, sign in, sign
// out, enter the password again.
package account

import (
	"time"

	"nameplate/ent"
	"nameplate/internal/session"
)

// Service holds the use cases, a file for each.
type Service struct {
	db        *ent.Client
	sessions  *session.Manager
	passwords *passwords
	now       func() time.Time
}

// New makes the service. workers is how many passwords are hashed at once, each
// in 19 MiB; now is the clock, in UTC and to the microsecond.
func New(db *ent.Client, sessions *session.Manager, workers int, now func() time.Time) *Service {
	return &Service{db: db, sessions: sessions, passwords: newPasswords(workers), now: now}
}
