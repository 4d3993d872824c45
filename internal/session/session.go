// Package session knows who is asking: it issues, finds, lists and revokes sessions,
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
	"net/http"
	"time"

	"github.com/google/uuid"

	"nameplate/ent"
	"nameplate/ent/predicate"
	entsession "nameplate/ent/session"
)

const (
	// maxLive is how many live sessions a user has. With one more the oldest ends.
	maxLive = 50
	// seenEvery is how exactly the time of the last request is kept, so that
	// one request a minute writes and the others don't.
	seenEvery = time.Minute
	// touchWithin is how long a request waits for that.
	touchWithin = 500 * time.Millisecond
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
	// Idle is how long a session lives without a request, and Absolute how long it lives
	// however much it is used.
	Idle, Absolute time.Duration
	// Now is the clock, in UTC and to the microsecond.
	Now func() time.Time
}

// Issue writes a new session of the user, who has just entered the password, or a code. It
// becomes the request's own by Begin, after tx is committed.
func (m *Manager) Issue(ctx context.Context, tx *ent.Tx, userID uuid.UUID) (*Issued, error) {
	if err := m.makeRoom(ctx, tx, userID); err != nil {
		return nil, fmt.Errorf("end the oldest session: %w", err)
	}
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
		SetExpiresAt(now.Add(m.Absolute)).
		Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("issue a session: %w", err)
	}
	return &Issued{row: row, token: token}, nil
}

// makeRoom deletes the user's oldest live sessions until there is room for one more, and
// those that have ended by themselves.
func (m *Manager) makeRoom(ctx context.Context, tx *ent.Tx, userID uuid.UUID) error {
	keep, err := tx.Session.Query().
		Where(append(m.live(), entsession.UserID(userID))...).
		Order(ent.Desc(entsession.FieldCreatedAt, entsession.FieldID)).
		Limit(maxLive - 1).
		IDs(ctx)
	if err != nil {
		return err
	}
	_, err = tx.Session.Delete().Where(entsession.UserID(userID), entsession.IDNotIn(keep...)).Exec(ctx)
	return err
}

// live are the conditions under which a session has not ended by itself.
func (m *Manager) live() []predicate.Session {
	now := m.Now()
	return []predicate.Session{entsession.ExpiresAtGT(now), entsession.LastSeenAtGT(now.Add(-m.Idle))}
}

// List returns the user's live sessions, the most recently used first.
func (m *Manager) List(ctx context.Context, userID uuid.UUID) ([]*ent.Session, error) {
	return m.DB.Session.Query().
		Where(append(m.live(), entsession.UserID(userID))...).
		Order(ent.Desc(entsession.FieldLastSeenAt, entsession.FieldCreatedAt, entsession.FieldID)).
		All(ctx)
}

// EndsAt is when the session ends unless it is used before, or in any case.
func (m *Manager) EndsAt(row *ent.Session) time.Time {
	if idle := row.LastSeenAt.Add(m.Idle); idle.Before(row.ExpiresAt) {
		return idle
	}
	return row.ExpiresAt
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

// RotateToken is Reauthenticated for a password that was changed: where the request has its token
// from a cookie, the session gets another one, so that a copy of the cookie opens it no
// more. A client without cookies keeps its token. It becomes the request's by
// BeginAgain, after tx is committed.
func (m *Manager) RotateToken(ctx context.Context, tx *ent.Tx, id uuid.UUID) (*Issued, error) {
	update := tx.Session.UpdateOneID(id).SetAuthenticatedAt(m.Now())
	issued := &Issued{}
	if from(ctx).byCookie {
		issued.token = newToken()
		update.SetTokenSha256(digest(issued.token))
	}
	var err error
	if issued.row, err = update.Save(ctx); ent.IsNotFound(err) {
		return nil, ErrNone
	}
	return issued, err
}

// Confirm is an error if the request's session has ended since it was found. Every change
// asks in the transaction that makes it: when the end of a session is acknowledged, nothing
// is done in it any more.
func Confirm(ctx context.Context, tx *ent.Tx) error {
	current, err := Current(ctx)
	if err != nil {
		return err
	}
	live, err := tx.Session.Query().
		Where(entsession.ID(current.ID), entsession.TokenSha256(current.TokenSha256)). // which a new password may have changed
		Exist(ctx)
	if err == nil && !live {
		return ErrNone
	}
	return err
}

// Sweep deletes the sessions that have ended by themselves. What is known of where they
// were used goes with them.
func (m *Manager) Sweep(ctx context.Context) error {
	now := m.Now()
	_, err := m.DB.Session.Delete().
		Where(entsession.Or(entsession.ExpiresAtLTE(now), entsession.LastSeenAtLTE(now.Add(-m.Idle)))).
		Exec(ctx)
	return err
}

// Revoke deletes a session of the user. It says whether there was a live one to delete.
func (m *Manager) Revoke(ctx context.Context, tx *ent.Tx, userID, id uuid.UUID) (bool, error) {
	n, err := tx.Session.Delete().
		Where(append(m.live(), entsession.ID(id), entsession.UserID(userID))...).
		Exec(ctx)
	return n == 1, err
}

// RevokeAll deletes all sessions of the user but one; none is excepted by uuid.Nil. It
// returns those that were live.
func (m *Manager) RevokeAll(ctx context.Context, tx *ent.Tx, userID, except uuid.UUID) ([]uuid.UUID, error) {
	others := []predicate.Session{entsession.UserID(userID), entsession.IDNEQ(except)}
	ids, err := tx.Session.Query().Where(append(m.live(), others...)...).IDs(ctx)
	if err != nil {
		return nil, err
	}
	_, err = tx.Session.Delete().Where(others...).Exec(ctx)
	return ids, err
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
	if !now.Before(m.EndsAt(row)) {
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
