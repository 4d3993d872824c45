package profile

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"nameplate/internal/throttle"
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

func TestTheDocsTellWhatIsCounted(t *testing.T) {
	content, err := os.ReadFile("../../docs/accounts.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		row       string
		want, got throttle.Policy
	}{
		{
			"| `saveVerification` | user | 10 | 1 second to 15 minutes | 30 minutes |",
			throttle.Policy{Free: 10, First: time.Second, MaxDelay: 15 * time.Minute, Forget: 30 * time.Minute},
			userVerifications,
		},
		{
			"| the same | address | 100 | 1 second to 1 minute | 36 seconds |",
			throttle.Policy{Free: 100, First: time.Second, MaxDelay: time.Minute, Forget: 36 * time.Second},
			addressVerifications,
		},
		{
			"| `updateName`; reading the full `idCard`; entering a password in a session, the right one too | user, each on its own | 60 | 1 second to 1 minute | 1 minute |",
			throttle.Policy{Free: 60, First: time.Second, MaxDelay: time.Minute, Forget: time.Minute},
			OwnDoings,
		},
		{
			"| `updateAvatar` | user | 60 | 1 second to 1 minute | 10 seconds |",
			throttle.Policy{Free: 60, First: time.Second, MaxDelay: time.Minute, Forget: 10 * time.Second},
			userUploads,
		},
		{
			"| the same | address | 300 | 1 second to 1 minute | 2 seconds |",
			throttle.Policy{Free: 300, First: time.Second, MaxDelay: time.Minute, Forget: 2 * time.Second},
			addressUploads,
		},
	} {
		if !strings.Contains(string(content), tt.row) || tt.got != tt.want {
			t.Errorf("the policy is %v, and docs/accounts.md should say: %s", tt.got, tt.row)
		}
	}
}
