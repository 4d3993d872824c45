package profile

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"nameplate/internal/fault"
)

func TestAUserHasSoManyFilesOnTheirWayAndOthersHaveTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var u uploads
		alice, bob := uuid.New(), uuid.New()
		var leaves []func()
		for range maxUserUploads {
			leave, err := u.enter(t.Context(), alice, time.Second)
			if err != nil {
				t.Fatal(err)
			}
			leaves = append(leaves, leave)
		}
		start := time.Now()
		_, err := u.enter(t.Context(), alice, 5*time.Second)
		if away, ok := errors.AsType[*fault.Unavailable](err); !ok || away.RetryAfter != 5*time.Second {
			t.Errorf("one more: %v", err)
		}
		if waited := time.Since(start); waited != 5*time.Second {
			t.Errorf("it waited %v", waited)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := u.enter(ctx, alice, time.Hour); !errors.Is(err, context.Canceled) {
			t.Errorf("one that leaves: %v", err)
		}
		leave, err := u.enter(t.Context(), bob, time.Second)
		if err != nil {
			t.Errorf("another user: %v", err)
		}
		leave()
		for _, leave := range leaves {
			leave()
		}
		if len(u.users) != 0 {
			t.Errorf("%d users are remembered with no file on its way", len(u.users))
		}
	})
}

func TestAHundredFilesOfOneUserAllGetTheirTurn(t *testing.T) {
	var u uploads
	alice := uuid.New()
	var mu sync.Mutex
	running, most := 0, 0
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			leave, err := u.enter(t.Context(), alice, time.Minute)
			if err != nil {
				t.Error(err)
				return
			}
			defer leave()
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			mu.Lock()
			running--
			mu.Unlock()
		})
	}
	all.Wait()
	if most > maxUserUploads || len(u.users) != 0 {
		t.Errorf("%d at once, %d users remembered", most, len(u.users))
	}
}
