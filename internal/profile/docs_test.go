package profile

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestTheDocsTellTheNumbersOfTheSweeper(t *testing.T) {
	content, err := os.ReadFile("../../docs/storage.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(content)), " ")
	if sweepEvery.Minutes() != 1 || maxRetry.Hours() != 1 {
		t.Error("the docs say: every minute, and an hour at most")
	}
	for _, sentence := range []string{
		"The server sweeps when it starts and every minute,",
		"is tried again a minute later, then after 2, 4, 8 minutes and so on, an hour at most",
		fmt.Sprintf("After %d failures a sweep ends: a store that is away costs %d deletions a minute,", maxSweepFailures, maxSweepFailures),
		fmt.Sprintf("one whose objects are not stored within %.0f seconds,", storeWithin.Seconds()),
		fmt.Sprintf("`SERVICE_UNAVAILABLE` within %.0f seconds of its turn,", storeWithin.Seconds()),
	} {
		if !strings.Contains(text, sentence) {
			t.Errorf("nothing in docs/storage.md says: %s", sentence)
		}
	}
}
