package turns

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nameplate/internal/fault"
)

func mustTake(t *testing.T, slots *Slots, name string) {
	t.Helper()
	if err := slots.Acquire(t.Context(), name, time.Minute); err != nil {
		t.Fatal(err)
	}
}

func TestNoMoreSlotsThanThereAreAndNoneIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := New(3, 3, "pictures")
		var mu sync.Mutex
		running, most := 0, 0
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				name := string(rune('a' + i%7))
				ctx := t.Context()
				if i%10 == 0 { // some leave
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, time.Duration(i)*time.Millisecond)
					defer cancel()
				}
				if err := slots.Acquire(ctx, name, time.Hour); err != nil {
					return
				}
				defer slots.Release(name)
				mu.Lock()
				running++
				most = max(most, running)
				mu.Unlock()
				<-time.After(10 * time.Millisecond)
				mu.Lock()
				running--
				mu.Unlock()
			})
		}
		all.Wait()
		if most != 3 || slots.free != 3 || len(slots.owners) != 0 || len(slots.waiting) != 0 {
			t.Errorf("%d at once, %d free at the end, %d owners and %d waiters remembered",
				most, slots.free, len(slots.owners), len(slots.waiting))
		}
	})
}

// Two who have all slots and a hundred waiting keep a third waiting for one turn.
func TestWhoComesLastWithOneIsNextInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := New(2, 2, "pictures")
		order := make(chan string, 300)
		queue := func(name string) {
			go func() {
				mustTake(t, slots, name)
				order <- name
			}()
			synctest.Wait()
		}
		mustTake(t, slots, "mallory")
		mustTake(t, slots, "mallet")
		for range 100 {
			queue("mallory")
			queue("mallet")
		}
		queue("alice")
		queue("bob")
		slots.Release("mallory")
		synctest.Wait()
		slots.Release("mallet")
		synctest.Wait()
		if first, second := <-order, <-order; first != "alice" || second != "bob" {
			t.Errorf("%s came first, and then %s", first, second)
		}
		slots.Release("alice")
		slots.Release("bob")
		for range 200 {
			synctest.Wait()
			slots.Release(<-order)
		}
	})
}

func TestWhoIsAloneHasAllSlotsThatOneMayHave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := New(10, 8, "pictures")
		for range 8 {
			mustTake(t, slots, "alice")
		}
		start := time.Now()
		err := slots.Acquire(t.Context(), "alice", 5*time.Second)
		if away, ok := errors.AsType[*fault.Unavailable](err); !ok || away.RetryAfter != 5*time.Second {
			t.Errorf("the ninth: %v", err)
		}
		if waited := time.Since(start); waited != 5*time.Second {
			t.Errorf("it waited %v", waited)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := slots.Acquire(ctx, "alice", time.Hour); !errors.Is(err, context.Canceled) {
			t.Errorf("one that leaves: %v", err)
		}
		mustTake(t, slots, "bob")
		slots.Release("alice")
		mustTake(t, slots, "alice")
	})
}
