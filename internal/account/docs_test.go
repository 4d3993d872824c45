package account

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"nameplate/internal/throttle"
)

// row is what the docs' table has of a policy.
func row(what, by string, p throttle.Policy) string {
	return fmt.Sprintf("| %s | %s | %d | %s to %s | %s |", what, by, p.Free, words(p.First), words(p.MaxDelay), words(p.Forget))
}

// words are a duration in its largest whole unit.
func words(d time.Duration) string {
	for _, unit := range []struct {
		name string
		time.Duration
	}{{"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		switch {
		case d == unit.Duration:
			return "1 " + unit.name
		case d > unit.Duration && d%unit.Duration == 0:
			return fmt.Sprintf("%d %ss", d/unit.Duration, unit.name)
		}
	}
	return d.String()
}

func TestTheDocsTellTheNumbersOfAccounts(t *testing.T) {
	perDay := 24 * time.Hour / passwordAttempts.MaxDelay
	if recoveryCodes != 10 || sweepEvery != time.Hour || minScore != 2 {
		t.Error("the docs say: ten, within an hour, a million guesses")
	}
	for file, sentences := range map[string][]string{
		"docs/accounts.md": {
			row("`signIn`, from an address new to the user", "user", passwordAttempts),
			row("the same", "address", passwordAttempts),
			row("`signIn`, from an address where the user has been signed in before", "user and address", passwordAttempts),
			row("the same", "address", neighbours),
			row("`reauthenticate`, `changePassword`, `createRecoveryCodes`, `deleteAccount`", "user", passwordAttempts),
			row("`resetPassword`", "address", passwordAttempts),
			row("`signUp`", "address", newUsers),
			row("`GET /me/export`", "user", exports),
			fmt.Sprintf("without a session, a right one too | address | %d | %s to %s | %.1f seconds |", hashed.Free, words(hashed.First), words(hashed.MaxDelay), hashed.Forget.Seconds()),
			fmt.Sprintf("have %d guesses at the password in the first 20 minutes", guessesWithin(passwordAttempts, 20*time.Minute)),
			fmt.Sprintf("and then, all together, %d a day.", perDay),
			fmt.Sprintf("Argon2id hash (%d MiB, %d passes, one thread, a salt of %d bytes)", newCost.memory/1024, newCost.time, saltBytes),
			fmt.Sprintf("Who gets no turn within %.0f seconds", hashWait.Seconds()),
			fmt.Sprintf("Of more than %d characters, the first or the last %d must pass.", maxEstimated, maxEstimated),
			"They are ten, such as",
			fmt.Sprintf("Each has %d random bits.", 5*codeLength),
			fmt.Sprintf("The link is good once, for %.0f hours;", linkLife.Hours()),
		},
		"SECURITY.md": {
			fmt.Sprintf("after ten free attempts each waits twice as long as the one before, up to %s.", words(passwordAttempts.MaxDelay)),
			fmt.Sprintf("have %d guesses a day at the password together;", perDay),
			fmt.Sprintf("has %d guesses a day at each of many users", perDay),
			fmt.Sprintf("A recovery code has %d random bits, a link's 130.", 5*codeLength),
		},
	} {
		content, err := os.ReadFile("../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Join(strings.Fields(string(content)), " ")
		for _, sentence := range sentences {
			if !strings.Contains(text, sentence) {
				t.Errorf("nothing in %s says: %s", file, sentence)
			}
		}
	}
}

// guessesWithin is how many attempts can be made in that time where none is forgotten.
func guessesWithin(p throttle.Policy, within time.Duration) int {
	attempts := p.Free
	for delay := p.First; within >= delay; delay = min(2*delay, p.MaxDelay) {
		within -= delay
		attempts++
	}
	return attempts
}
