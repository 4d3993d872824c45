package profile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"nameplate/ent"
	"nameplate/ent/object"
)

// sweepEvery is how often objects that nothing refers to are looked for, or as
// often as SweepAfter if that is shorter.
const sweepEvery = time.Minute

// maxSweepFailures ends a sweep: more than a few objects with a trouble of their
// own mean that the store is away.
const maxSweepFailures = 5

// Sweep deletes the objects that nothing has referred to for SweepAfter, until
// ctx ends: at once and then regularly.
func (s *Service) Sweep(ctx context.Context) {
	ticker := time.NewTicker(min(sweepEvery, s.SweepAfter))
	defer ticker.Stop()
	for {
		if err := s.sweepOnce(ctx); err != nil && ctx.Err() == nil {
			s.Log.LogAttrs(ctx, slog.LevelError, "sweep pictures", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// sweepOnce first claims the rows of uploads that never finished, so that one
// that is only slow finds them gone when it wants to publish, and then deletes:
// the object before its row, since the row is what knows of the object.
func (s *Service) sweepOnce(ctx context.Context) error {
	before := s.Now().Add(-s.SweepAfter)
	err := s.DB.Object.Update().
		Where(object.StateEQ(object.StatePending), object.ChangedAtLTE(before)).
		SetState(object.StateStale).
		Exec(ctx)
	if err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	var failures []error
	after := ""
	for {
		keys, err := s.DB.Object.Query().
			Where(object.StateEQ(object.StateStale), object.ChangedAtLTE(before), object.IDGT(after)).
			Order(ent.Asc(object.FieldID)).
			Limit(100).
			IDs(ctx)
		if err != nil {
			return fmt.Errorf("list: %w", err)
		}
		if len(keys) == 0 {
			return errors.Join(failures...)
		}
		for _, key := range keys {
			if err := s.deleteObject(ctx, key); err != nil {
				failures = append(failures, err)
			}
			if len(failures) == maxSweepFailures {
				return errors.Join(failures...)
			}
		}
		after = keys[len(keys)-1]
	}
}

func (s *Service) deleteObject(ctx context.Context, key string) error {
	if err := s.Store.Delete(ctx, key); err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return s.DB.Object.DeleteOneID(key).Exec(ctx)
}
