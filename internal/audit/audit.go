// Package audit keeps what happened to a user: what, when and from where.
package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"nameplate/ent"
	"nameplate/ent/event"
	"nameplate/internal/session"
)

// Record adds an event to the user's. It is written in the transaction of what
// it tells of: either both are kept or neither.
func Record(ctx context.Context, tx *ent.Tx, userID uuid.UUID, kind event.Kind, at time.Time) error {
	client := session.ClientOf(ctx)
	err := tx.Event.Create().
		SetUserID(userID).
		SetKind(kind).
		SetAt(at).
		SetIPAddress(client.IPAddress).
		SetUserAgent(client.UserAgent).
		SetNetwork(client.Network.String()).
		Exec(ctx)
	if err != nil {
		return fmt.Errorf("record %s: %w", kind, err)
	}
	return nil
}

// IsKnown is whether the user has done something from the request's network, as far as
// events are kept.
func IsKnown(ctx context.Context, db *ent.Client, userID uuid.UUID) (bool, error) {
	network := session.ClientOf(ctx).Network
	return db.Event.Query().Where(event.UserID(userID), event.Network(network.String())).Exist(ctx)
}

// SweepFailures deletes the failures of nobody, which nobody reads, as soon as none is
// counted into them any more.
func SweepFailures(ctx context.Context, db *ent.Client, now time.Time) error {
	_, err := db.Event.Delete().Where(event.UserIDIsNil(), event.AtLTE(now.Add(-countWithin))).Exec(ctx)
	return err
}

// RecordByOperator is Record for what an operator of the server has done.
func RecordByOperator(ctx context.Context, tx *ent.Tx, userID uuid.UUID, kind event.Kind, at time.Time) error {
	err := tx.Event.Create().SetUserID(userID).SetKind(kind).SetAt(at).SetByOperator(true).Exec(ctx)
	if err != nil {
		return fmt.Errorf("record %s: %w", kind, err)
	}
	return nil
}

// Failed sign-ins that are counted into one event are those of one address within
// countWithin, and of all addresses where that would be more than maxFailures events.
const (
	countWithin = time.Hour
	maxFailures = 10
)

// RecordFailure is Record for SIGN_IN_FAILED, which anybody can cause as often as they
// like: it counts into an event that is there. The user is nil where somebody gave a name
// that no user has, so that this takes no less time.
func RecordFailure(ctx context.Context, tx *ent.Tx, userID *uuid.UUID, at time.Time) error {
	of := event.UserIDIsNil()
	if userID != nil {
		of = event.UserID(*userID)
	}
	recent, err := tx.Event.Query().
		Where(of, event.AtGT(at.Add(-countWithin)), event.KindEQ(event.KindSIGN_IN_FAILED)).
		Order(ent.Asc(event.FieldAt, event.FieldID)).
		All(ctx)
	if err != nil {
		return err
	}
	client := session.ClientOf(ctx)
	for i, row := range recent {
		if row.IPAddress == client.IPAddress || i == maxFailures-1 {
			return tx.Event.Update().Where(event.ID(row.ID)).AddCount(1).Exec(ctx)
		}
	}
	return tx.Event.Create().
		SetNillableUserID(userID).
		SetKind(event.KindSIGN_IN_FAILED).
		SetAt(at).
		SetIPAddress(client.IPAddress).
		SetUserAgent(client.UserAgent).
		Exec(ctx)
}
