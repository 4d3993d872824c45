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
		Exec(ctx)
	if err != nil {
		return fmt.Errorf("record %s: %w", kind, err)
	}
	return nil
}
