package session

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

func TestTheDocsTellHowManySessionsThereAre(t *testing.T) {
	if seenEvery != time.Minute {
		t.Error("the docs say: once a minute")
	}
	for file, sentence := range map[string]string{
		"docs/accounts.md": fmt.Sprintf("when the user has %d others that are newer: with one more the oldest ends;", maxLive),
		"schema.graphqls":  fmt.Sprintf("at most %d, since with one more the oldest", maxLive),
	} {
		content, err := os.ReadFile("../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(strings.Join(strings.Fields(string(content)), " "), sentence) {
			t.Errorf("nothing in %s says: %s", file, sentence)
		}
	}
}
