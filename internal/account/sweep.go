package account

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"nameplate/ent/event"
	"nameplate/ent/recoverycode"
	"nameplate/internal/audit"
)

// sweepEvery is how often what has had its time is deleted.
const sweepEvery = time.Hour

// Sweep deletes what has had its time, until ctx ends: at once and then every hour.
func (s *Service) Sweep(ctx context.Context, log *slog.Logger) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		if err := s.SweepOnce(ctx); err != nil && ctx.Err() == nil {
			log.LogAttrs(ctx, slog.LevelError, "sweep accounts", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// SweepOnce deletes the sessions and links that have ended, old events, counts that are
// forgotten and the digests of names that are free again.
func (s *Service) SweepOnce(ctx context.Context) error {
	now := s.Now()
	_, eventsErr := s.DB.Event.Delete().Where(event.AtLTE(now.Add(-s.KeepEvents))).Exec(ctx)
	_, linksErr := s.DB.RecoveryCode.Delete().Where(recoverycode.ExpiresAtLTE(now)).Exec(ctx)
	return errors.Join(
		s.Sessions.Sweep(ctx), eventsErr, audit.SweepFailures(ctx, s.DB, now), linksErr, s.Attempts.Sweep(ctx), s.Profiles.SweepNames(ctx))
}
