// Package throttle slows down who does something too often, such as guessing a
// password.
//
// What is counted, and of whom, is a [Bucket]. A number of attempts are free. Each
// one beyond must wait after the one before, a second at first and then twice as long
// every time up to a bound. One attempt is forgotten every so often, and all of them when
// the caller says so, as after the right password.
//
// An attempt that is refused doesn't count, so nobody can keep others waiting longer by
// trying all the time.
//
// The counts are in the database: a restart, or another process, doesn't begin anew.
package throttle

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"math/bits"
	"time"

	"github.com/google/uuid"

	"nameplate/ent"
	"nameplate/ent/attempt"
	"nameplate/internal/fault"
)

// Policy is how often something may be done.
type Policy struct {
	// Free is how many attempts need not wait.
	Free int
	// First is how long the next one waits, and MaxDelay how long one waits at most. First
	// is at least a second.
	First, MaxDelay time.Duration
	// Forget is after how long one attempt is forgotten.
	Forget time.Duration
}

// delay is how long to wait after so many attempts.
func (p Policy) delay(attempts int) time.Duration {
	beyond := attempts - p.Free
	if beyond < 0 {
		return 0
	}
	return min(p.First<<min(beyond, p.doublings()), p.MaxDelay)
}

// doublings is after how many the longest delay is reached.
func (p Policy) doublings() int { return bits.Len64(uint64(p.MaxDelay / p.First)) }

// max is how many attempts are remembered: more change nothing, and would take long to
// be forgotten when it is over.
func (p Policy) max() int { return p.Free + p.doublings() }

// Bucket is what is counted together: what somebody does, by whom or from where.
type Bucket struct {
	id     string
	userID *uuid.UUID
	policy Policy
}

// OfUser is a bucket for what is done by a user, or to one. Its count goes with the user.
// What tells apart several of such buckets, as an address, is in of.
func (p Policy) OfUser(what string, userID uuid.UUID, of ...string) Bucket {
	return Bucket{id: digest(append([]string{"user", what, userID.String()}, of...)), userID: &userID, policy: p}
}

// Of is a bucket for what isn't a user's, such as what is done from an address.
func (p Policy) Of(what, of string) Bucket {
	return Bucket{id: digest([]string{"", what, of}), policy: p}
}

// digest doesn't show what it is of, which may be an address or whatever was sent for a
// name.
func digest(parts []string) string {
	hash := sha256.New()
	for _, part := range parts {
		sum := sha256.Sum256([]byte(part)) // so that parts can't flow into one another
		hash.Write(sum[:])
	}
	return base64.RawURLEncoding.EncodeToString(hash.Sum(nil))
}

// Limiter counts.
type Limiter struct {
	// DB has the counts.
	DB *ent.Client
	// Off is whether nobody is refused. Counting goes on, so that load tests measure what
	// it costs, and timing tells no more than otherwise.
	Off bool
	// Now is the clock, in UTC and to the microsecond.
	Now func() time.Time
}

// Take counts an attempt in all of these buckets, before it is made: so a hundred at once are
// no more than one after the other. If one of them is full it counts in none, and the
// error is a fault.RateLimited.
func (l *Limiter) Take(ctx context.Context, buckets ...Bucket) error {
	return l.DB.WithTx(ctx, func(tx *ent.Tx) error {
		now := l.Now()
		rows := make([]*ent.Attempt, len(buckets))
		var wait time.Duration
		for i, bucket := range buckets {
			row, err := tx.Attempt.Get(ctx, bucket.id)
			if ent.IsNotFound(err) {
				continue
			}
			if err != nil {
				return err
			}
			rows[i] = row
			wait = max(wait, bucket.opens(row, now).Sub(now))
		}
		if wait > 0 && !l.Off {
			return &fault.RateLimited{RetryAfter: max(wait, time.Second)}
		}
		for i, bucket := range buckets {
			if err := bucket.add(ctx, tx, rows[i], now); err != nil {
				return err
			}
		}
		return nil
	})
}

// count is how many attempts are remembered at that time.
func (b Bucket) count(row *ent.Attempt, at time.Time) int {
	left := max(row.ClearAt.Sub(at), 0)
	return int((left + b.policy.Forget - 1) / b.policy.Forget)
}

// opens is when the next attempt may be made. It was settled by the last one, so that a
// wait is as long as it was said to be.
func (b Bucket) opens(row *ent.Attempt, now time.Time) time.Time {
	delay := b.policy.delay(b.count(row, row.LastAt))
	if delay == 0 || row.LastAt.Sub(now) > b.policy.MaxDelay { // by a clock that has been set back
		return now
	}
	return row.LastAt.Add(delay)
}

// add counts one more on what is stored, which is nil where that is nothing.
func (b Bucket) add(ctx context.Context, tx *ent.Tx, row *ent.Attempt, now time.Time) error {
	if row == nil {
		return tx.Attempt.Create().SetID(b.id).SetNillableUserID(b.userID).
			SetLastAt(now).SetClearAt(now.Add(b.policy.Forget)).Exec(ctx)
	}
	most := now.Add(time.Duration(b.policy.max()) * b.policy.Forget)
	clearAt := row.ClearAt
	if clearAt.Before(now) {
		clearAt = now
	}
	if clearAt = clearAt.Add(b.policy.Forget); clearAt.After(most) {
		clearAt = most
	}
	return tx.Attempt.Update().Where(attempt.ID(b.id)).SetLastAt(now).SetClearAt(clearAt).Exec(ctx)
}

// Failed says that the attempt counted by Take has now come to nothing: the wait for the
// next begins here.
func (l *Limiter) Failed(ctx context.Context, tx *ent.Tx, buckets ...Bucket) error {
	return tx.Attempt.Update().Where(attempt.IDIn(ids(buckets)...)).SetLastAt(l.Now()).Exec(ctx)
}

// Forget forgets all attempts in these buckets.
func (l *Limiter) Forget(ctx context.Context, tx *ent.Tx, buckets ...Bucket) error {
	_, err := tx.Attempt.Delete().Where(attempt.IDIn(ids(buckets)...)).Exec(ctx)
	return err
}

// ForgetUser forgets all attempts of a user, and to one.
func (l *Limiter) ForgetUser(ctx context.Context, tx *ent.Tx, userID uuid.UUID) error {
	_, err := tx.Attempt.Delete().Where(attempt.UserID(userID)).Exec(ctx)
	return err
}

// GiveBack takes the attempt counted by Take out of these buckets, but leaves the others
// there: who knows one password may still be guessing at others.
func (l *Limiter) GiveBack(ctx context.Context, tx *ent.Tx, buckets ...Bucket) error {
	for _, bucket := range buckets {
		row, err := tx.Attempt.Get(ctx, bucket.id)
		if ent.IsNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		clearAt := row.ClearAt.Add(-bucket.policy.Forget)
		if err := tx.Attempt.Update().Where(attempt.ID(bucket.id)).SetClearAt(clearAt).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Sweep deletes the counts that have come to nothing.
func (l *Limiter) Sweep(ctx context.Context) error {
	_, err := l.DB.Attempt.Delete().Where(attempt.ClearAtLTE(l.Now())).Exec(ctx)
	return err
}

func ids(buckets []Bucket) []string {
	list := make([]string, len(buckets))
	for i, bucket := range buckets {
		list[i] = bucket.id
	}
	return list
}
