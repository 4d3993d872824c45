package profile

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"

	"nameplate/internal/fault"
)

// maxUserUploads is how many files of one user are taken at once. Others of theirs
// wait unread, so that nobody takes the places of all with files that arrive slowly.
const maxUserUploads = 8

// uploads are the files on their way, by user. The zero value is ready for use.
type uploads struct {
	mu    sync.Mutex
	users map[uuid.UUID]*userUploads
}

type userUploads struct {
	slots chan struct{}
	// interested are those that have a slot or wait for one.
	interested int
}

// enter waits for a slot of the user's. That none came free within that time is a
// *[fault.Unavailable]. leave gives the slot back.
func (u *uploads) enter(ctx context.Context, user uuid.UUID, within time.Duration) (leave func(), err error) {
	slots := u.of(user)
	select {
	case slots <- struct{}{}:
		return func() {
			<-slots
			u.forget(user)
		}, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-time.After(within):
		err = &fault.Unavailable{RetryAfter: max(within, time.Second), Err: errors.New("too many files of one user are on their way")}
	}
	u.forget(user)
	return nil, err
}

func (u *uploads) of(user uuid.UUID) chan struct{} {
	u.mu.Lock()
	defer u.mu.Unlock()
	own := u.users[user]
	if own == nil {
		if u.users == nil {
			u.users = map[uuid.UUID]*userUploads{}
		}
		own = &userUploads{slots: make(chan struct{}, maxUserUploads)}
		u.users[user] = own
	}
	own.interested++
	return own.slots
}

func (u *uploads) forget(user uuid.UUID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.users[user].interested--; u.users[user].interested == 0 {
		delete(u.users, user)
	}
}
