// Package session knows who is asking: it issues, finds and revokes sessions,
// and carries the one of a request in the request's context.
//
// A session is a row. Its token is 32 random bytes that only the client has;
// the row keeps their SHA-256. It refers to the user's id, so it lives through
// a rename, and it goes with the user's row.
package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"

	"nameplate/ent"
	entsession "nameplate/ent/session"
)

const (
	// idle is how long a session lives without a request.
	idle = 7 * 24 * time.Hour
	// absolute is how long it lives however much it is used.
	absolute = 30 * 24 * time.Hour
	// seenEvery is how exactly the time of the last request is kept, so that
	// one request a minute writes and the others don't.
	seenEvery = time.Minute
	// touchWithin is how long a request waits for that.
	touchWithin = 500 * time.Millisecond
	// sweepEvery is how often expired sessions are deleted.
	sweepEvery = time.Hour
)

// ErrNone says that the request has no live session, or that its user is gone.
var ErrNone = errors.New("no live session")

// ErrStale says that the password was entered too long ago in this session.
var ErrStale = errors.New("the password was entered too long ago")

// Manager issues, finds and revokes sessions.
type Manager struct {
	// DB holds them.
	DB *ent.Client
	// Secure is whether clients reach the server by https.
	Secure bool
	// SameSite is from where browsers send the cookie; Lax where it isn't set.
	SameSite http.SameSite
	// Now is the clock, in UTC and to the microsecond.
	Now func() time.Time
}

// Issue writes a new session of the user, who has just entered the password. It
// becomes the request's own by Begin, after tx is committed.
func (m *Manager) Issue(ctx context.Context, tx *ent.Tx, userID uuid.UUID) (*Issued, error) {
	now := m.Now()
	token := newToken()
	client := ClientOf(ctx)
	row, err := tx.Session.Create().
		SetUserID(userID).
		SetTokenSha256(digest(token)).
		SetIPAddress(client.IPAddress).
		SetUserAgent(client.UserAgent).
		SetCreatedAt(now).
		SetAuthenticatedAt(now).
		SetLastSeenAt(now).
		SetExpiresAt(now.Add(absolute)).
		Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("issue a session: %w", err)
	}
	return &Issued{row: row, token: token}, nil
}

// Issued is a session and its token, which exists nowhere else on the server.
type Issued struct {
	row   *ent.Session
	token string
}

// Reauthenticated notes that the password was entered again in the session.
func (m *Manager) Reauthenticated(ctx context.Context, tx *ent.Tx, id uuid.UUID) (*ent.Session, error) {
	row, err := tx.Session.UpdateOneID(id).SetAuthenticatedAt(m.Now()).Save(ctx)
	if ent.IsNotFound(err) {
		return nil, ErrNone
	}
	return row, err
}

// Confirm is an error if the request's session has ended since it was found. It is
// for work that takes long, within the transaction that makes its effect.
func Confirm(ctx context.Context, tx *ent.Tx) error {
	current, err := Current(ctx)
	if err != nil {
		return err
	}
	live, err := tx.Session.Query().Where(entsession.ID(current.ID)).Exist(ctx)
	if err == nil && !live {
		return ErrNone
	}
	return err
}

// Sweep deletes the sessions whose absolute end has come, until ctx ends: at once
// and then every hour. What is known of where they were used goes with them.
func (m *Manager) Sweep(ctx context.Context, log *slog.Logger) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		_, err := m.DB.Session.Delete().Where(entsession.ExpiresAtLTE(m.Now())).Exec(ctx)
		if err != nil && ctx.Err() == nil {
			log.LogAttrs(ctx, slog.LevelError, "sweep sessions", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Revoke deletes the session. It says whether there was one to delete.
func (m *Manager) Revoke(ctx context.Context, tx *ent.Tx, id uuid.UUID) (bool, error) {
	n, err := tx.Session.Delete().Where(entsession.ID(id)).Exec(ctx)
	return n == 1, err
}

// find returns the live session of the token, or nil.
func (m *Manager) find(ctx context.Context, token string) (*ent.Session, error) {
	row, err := m.DB.Session.Query().Where(entsession.TokenSha256(digest(token))).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find the session: %w", err)
	}
	now := m.Now()
	if !now.Before(row.ExpiresAt) || now.Sub(row.LastSeenAt) >= idle {
		return nil, nil
	}
	if now.Sub(row.LastSeenAt) >= seenEvery {
		m.touch(ctx, row, now)
	}
	return row, nil
}

// touch notes that the session was seen. That it can't, because the disk is full or
// another process holds the database, is no reason to refuse who only reads; who
// writes comes upon the same trouble and tells of it.
func (m *Manager) touch(ctx context.Context, row *ent.Session, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, touchWithin)
	defer cancel()
	// By condition, not by id alone: of a page's many requests at once, one writes.
	_ = m.DB.Session.Update().
		Where(entsession.ID(row.ID), entsession.LastSeenAt(row.LastSeenAt)).
		SetLastSeenAt(now).
		Exec(ctx)
}

func newToken() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails: it ends the process rather than return an error
	return base64.RawURLEncoding.EncodeToString(b)
}

func digest(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
