package audit

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"nameplate/ent/schema"
)

func TestTheDocsTellWhatIsRecorded(t *testing.T) {
	content, err := os.ReadFile("../../docs/accounts.md")
	if err != nil {
		t.Fatal(err)
	}
	if countWithin != time.Hour || maxFailures != 10 {
		t.Error("the docs say: an hour's, and ten at most")
	}
	text := strings.Join(strings.Fields(string(content)), " ")
	if sentence := fmt.Sprintf("`first` is from 0 to %d,", MaxPage); !strings.Contains(text, sentence) {
		t.Errorf("nothing in docs/accounts.md says: %s", sentence)
	}
	for _, field := range (schema.Event{}).Fields() {
		for _, kind := range field.Descriptor().Enums {
			if !strings.Contains(string(content), "\n| `"+kind.V+"` |") {
				t.Errorf("docs/accounts.md has no row for %s", kind.V)
			}
		}
	}
}
