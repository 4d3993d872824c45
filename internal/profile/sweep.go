package profile

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"nameplate/ent"
	"nameplate/ent/object"
	entuser "nameplate/ent/user"
)

// sweepEvery is how often objects that nothing refers to are looked for, or as
// often as SweepAfter if that is shorter.
const sweepEvery = time.Minute

// maxSweepFailures ends a sweep: more than a few objects with a trouble of their
// own mean that the store is away.
const maxSweepFailures = 5

// maxRetry is the longest time before a deletion that failed is tried again. The
// first is that between two sweeps, and each later one is twice the one before.
const maxRetry = time.Hour

// Swept is what a sweep did.
type Swept struct {
	Deleted, Failed int
	// Failure is why the first of those that failed did.
	Failure error
	// Left is how many objects that nothing refers to there are still: those that are
	// not old enough, of uploads under way too, and those that could not be deleted.
	Left int
}

// Sweep deletes the objects that nothing has referred to for SweepAfter, until
// ctx ends: at once and then regularly.
func (s *Service) Sweep(ctx context.Context) {
	ticker := time.NewTicker(s.betweenSweeps())
	defer ticker.Stop()
	for {
		swept, err := s.SweepOnce(ctx)
		if err = cmp.Or(err, swept.Failure); err != nil && ctx.Err() == nil {
			s.Log.LogAttrs(ctx, slog.LevelError, "sweep pictures",
				slog.Int("deleted", swept.Deleted), slog.Int("failed", swept.Failed), slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (s *Service) betweenSweeps() time.Duration { return min(sweepEvery, s.SweepAfter) }

// SweepOnce deletes what is due now. It first claims the rows of uploads that never
// finished, so that one that is only slow finds them gone when it wants to publish.
// Several processes may sweep at once.
func (s *Service) SweepOnce(ctx context.Context) (Swept, error) {
	before := s.Now().Add(-s.SweepAfter)
	err := s.DB.Object.Update().
		Where(object.StateEQ(object.StatePending), object.ChangedAtLTE(before)).
		SetState(object.StateStale).
		Exec(ctx)
	if err != nil {
		return Swept{}, fmt.Errorf("claim: %w", err)
	}
	var swept Swept
	// What was in one list isn't in the next: it is gone or has to wait.
	for first, more := true, true; more; first = false {
		rows, err := s.listDue(ctx, before)
		if err == nil && first && len(rows) > 0 {
			err = s.checkStore(ctx)
		}
		if err != nil {
			return swept, err
		}
		for _, row := range rows {
			if err := s.deleteObject(ctx, row, &swept); err != nil {
				return swept, err
			}
			if swept.Failed == maxSweepFailures {
				break
			}
		}
		more = len(rows) > 0 && swept.Failed < maxSweepFailures
	}
	swept.Left, err = s.DB.Object.Query().Where(object.StateIn(object.StatePending, object.StateStale)).Count(ctx)
	return swept, err
}

// probes are how many users' pictures are looked for before any object is deleted.
const probes = 3

// checkStore refuses a store in which a few pictures that are in use, of users by
// chance, can't be read: it is another one, or a folder that isn't mounted, where every
// deletion would seem to succeed and its row would be lost.
func (s *Service) checkStore(ctx context.Context) error {
	users, err := s.usersWithPicture(ctx, uuid.New())
	if err != nil {
		return err
	}
	var failure error
	for _, user := range users {
		content, err := s.Store.Open(ctx, *user.AvatarKey)
		if err == nil {
			return content.Close()
		}
		failure = cmp.Or(failure, err)
	}
	if failure != nil {
		return fmt.Errorf("nothing is swept, since pictures in use can't be read: %w. NAMEPLATE_STORAGE_URL or "+
			"NAMEPLATE_DATA is not what it was, a folder is not mounted, or a domain does not serve its bucket: "+
			"nameplate storage check tells", failure)
	}
	return nil
}

// usersWithPicture are some from that id on, and behind the last from the first on.
func (s *Service) usersWithPicture(ctx context.Context, from uuid.UUID) ([]*ent.User, error) {
	query := s.DB.User.Query().
		Where(entuser.AvatarKeyNotNil()).
		Order(ent.Asc(entuser.FieldID)).
		Limit(probes)
	users, err := query.Clone().Where(entuser.IDGTE(from)).All(ctx)
	if err != nil || len(users) == probes {
		return users, err
	}
	first, err := query.All(ctx)
	return append(users, first...), err
}

// listDue lists some of what is to be deleted now, first what has failed least: so
// those that fail for ever keep no other waiting.
func (s *Service) listDue(ctx context.Context, before time.Time) ([]*ent.Object, error) {
	return s.DB.Object.Query().
		Where(
			object.StateEQ(object.StateStale), object.ChangedAtLTE(before),
			object.Or(object.RetryAtIsNil(), object.RetryAtLTE(s.Now())),
		).
		Order(ent.Asc(object.FieldFailures, object.FieldID)).
		Limit(100).
		All(ctx)
}

// deleteObject deletes the object before its row, since the row is what knows of
// the object. A failure of the store is noted, and is no error.
func (s *Service) deleteObject(ctx context.Context, row *ent.Object, swept *Swept) error {
	failure := s.Store.Delete(ctx, row.ID)
	if failure == nil {
		swept.Deleted++
		// Another process may have deleted it as well.
		_, err := s.DB.Object.Delete().Where(object.ID(row.ID)).Exec(ctx)
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	swept.Failed++
	swept.Failure = cmp.Or(swept.Failure, fmt.Errorf("delete %s: %w", row.ID, failure))
	return s.DB.Object.Update().
		Where(object.ID(row.ID)).
		SetFailures(row.Failures + 1).
		SetRetryAt(s.Now().Add(s.retryAfter(row.Failures))).
		Exec(ctx)
}

// retryAfter is how long a deletion that had failed so often, and now has again,
// waits.
func (s *Service) retryAfter(failures int) time.Duration {
	return min(maxRetry, s.betweenSweeps()<<min(failures, 12)) // 2^12 s is more than an hour
}
