// Package turns shares out what a few at once may have, such as the memory for decoding a
// picture, so that who asks for much keeps nobody waiting who asks for little.
package turns

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"nameplate/internal/fault"
)

// Slots are given out fairly to owners: one who has many waiting gets all that
// nobody else wants, and no more than their share as soon as somebody does.
type Slots struct {
	// what is waiting, in the words of the error.
	what string
	// most is how many slots one owner may hold.
	most int

	mu      sync.Mutex
	free    int
	waiting []*waiter // in the order that they came
	owners  map[string]*owner
	served  uint64 // how many slots were given
}

type waiter struct {
	owner *owner
	ready chan struct{} // closed when it has a slot
}

// owner is one who holds slots or waits for one.
type owner struct {
	name          string
	held, waiting int
	last          uint64 // which of all slots that were given was the last of theirs
}

// New makes so many slots, of which one owner may hold at most so many. What they are for,
// such as "pictures", is told when too many are waiting.
func New(slots, most int, what string) *Slots {
	return &Slots{what: what, most: most, free: slots, owners: map[string]*owner{}}
}

// Acquire waits for a slot, for Release to give back. That none came free within that time is a
// *[fault.Unavailable].
func (t *Slots) Acquire(ctx context.Context, name string, within time.Duration) error {
	w := t.enter(name)
	var err error
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-time.After(within):
		err = &fault.Unavailable{RetryAfter: max(within, time.Second), Err: fmt.Errorf("too many %s are waiting", t.what)}
	}
	t.abandon(w)
	return err
}

func (t *Slots) enter(name string) *waiter {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.owners[name]
	if o == nil {
		o = &owner{name: name}
		t.owners[name] = o
	}
	o.waiting++
	w := &waiter{o, make(chan struct{})}
	t.waiting = append(t.waiting, w)
	t.give()
	return w
}

// abandon is for one who waits no longer, and may have got a slot just now.
func (t *Slots) abandon(w *waiter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(t.waiting, w); i >= 0 {
		t.waiting = slices.Delete(t.waiting, i, i+1)
		w.owner.waiting--
		t.forget(w.owner)
		return
	}
	t.leave(w.owner)
}

// Release gives a slot back.
func (t *Slots) Release(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.leave(t.owners[name])
}

func (t *Slots) leave(o *owner) {
	o.held--
	t.free++
	t.forget(o)
	t.give()
}

func (t *Slots) forget(o *owner) {
	if o.held == 0 && o.waiting == 0 {
		delete(t.owners, o.name)
	}
}

// give hands out the slots that are free.
func (t *Slots) give() {
	for t.free > 0 {
		i := t.next()
		if i < 0 {
			return
		}
		w := t.waiting[i]
		t.waiting = slices.Delete(t.waiting, i, i+1)
		t.free--
		t.served++
		w.owner.waiting--
		w.owner.held++
		w.owner.last = t.served
		close(w.ready)
	}
}

// next is whose turn it is: the first of the owner who holds the fewest slots and, of
// several, has gone without one for longest.
func (t *Slots) next() int {
	best := -1
	for i, w := range t.waiting {
		if w.owner.held < t.most && (best < 0 || w.owner.before(t.waiting[best].owner)) {
			best = i
		}
	}
	return best
}

func (o *owner) before(other *owner) bool {
	if o.held != other.held {
		return o.held < other.held
	}
	return o.last < other.last
}
