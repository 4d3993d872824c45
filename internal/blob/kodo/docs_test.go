package kodo

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

func TestTheDocsTellHowLongTokensAndURLsAreValid(t *testing.T) {
	content, err := os.ReadFile("../../../docs/storage.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(content)), " ")
	if urlPeriod != time.Hour {
		t.Error("the docs say: one to two hours")
	}
	for _, sentence := range []string{
		fmt.Sprintf("and no more than its bytes, for %.0f minutes.", tokenLife.Minutes()),
		"They are valid for one to two hours,",
	} {
		if !strings.Contains(text, sentence) {
			t.Errorf("nothing in docs/storage.md says: %s", sentence)
		}
	}
}
