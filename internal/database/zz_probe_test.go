package database

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func TestProbe(t *testing.T) {
	for i := range 20 {
		p := filepath.Join(t.TempDir(), fmt.Sprint(i, ".db"))
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				s := time.Now()
				c, err := Open(t.Context(), p)
				if err != nil {
					t.Log(time.Since(s), err)
					return
				}
				c.Close()
			})
		}
		wg.Wait()
	}
	for _, p := range []string{"//tmp/nptest/x.db", ":memory:", "/nonexist/x.db", t.TempDir()} {
		c, err := Open(t.Context(), p)
		t.Log(p, err)
		if err == nil {
			c.Close()
		}
	}
}
