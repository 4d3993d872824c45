package avatar

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nameplate/internal/fault"
)

func mustTake(t *testing.T, turns *turns, name string) {
	t.Helper()
	if err := turns.take(t.Context(), name, time.Minute); err != nil {
		t.Fatal(err)
	}
}

func TestNoMoreSlotsThanThereAreAndNoneIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(3, 3)
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
				if err := turns.take(ctx, name, time.Hour); err != nil {
					return
				}
				defer turns.done(name)
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
		if most != 3 || turns.free != 3 || len(turns.owners) != 0 || len(turns.waiting) != 0 {
			t.Errorf("%d at once, %d free at the end, %d owners and %d waiters remembered",
				most, turns.free, len(turns.owners), len(turns.waiting))
		}
	})
}

// Two who have all slots and a hundred waiting keep a third waiting for one turn.
func TestWhoComesLastWithOneIsNextInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(2, 2)
		order := make(chan string, 300)
		queue := func(name string) {
			go func() {
				mustTake(t, turns, name)
				order <- name
			}()
			synctest.Wait()
		}
		mustTake(t, turns, "mallory")
		mustTake(t, turns, "mallet")
		for range 100 {
			queue("mallory")
			queue("mallet")
		}
		queue("alice")
		queue("bob")
		turns.done("mallory")
		synctest.Wait()
		turns.done("mallet")
		synctest.Wait()
		if first, second := <-order, <-order; first != "alice" || second != "bob" {
			t.Errorf("%s came first, and then %s", first, second)
		}
		turns.done("alice")
		turns.done("bob")
		for range 200 {
			synctest.Wait()
			turns.done(<-order)
		}
	})
}

func TestWhoIsAloneHasAllSlotsThatOneMayHave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(10, 8)
		for range 8 {
			mustTake(t, turns, "alice")
		}
		start := time.Now()
		err := turns.take(t.Context(), "alice", 5*time.Second)
		if away, ok := errors.AsType[*fault.Unavailable](err); !ok || away.RetryAfter != 5*time.Second {
			t.Errorf("the ninth: %v", err)
		}
		if waited := time.Since(start); waited != 5*time.Second {
			t.Errorf("it waited %v", waited)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := turns.take(ctx, "alice", time.Hour); !errors.Is(err, context.Canceled) {
			t.Errorf("one that leaves: %v", err)
		}
		mustTake(t, turns, "bob")
		turns.done("alice")
		mustTake(t, turns, "alice")
	})
}
