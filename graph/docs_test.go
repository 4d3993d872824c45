package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/language"
	textmessage "golang.org/x/text/message"

	"nameplate/ent"
	"nameplate/internal/config"
)

func readDocs(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/graphql.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheDocsNameEveryLimitAsItsErrorDoes(t *testing.T) {
	text := readDocs(t)
	for _, b := range bounds {
		if !strings.Contains(text, "| "+b.message+" |") {
			t.Errorf("no row says: %s", b.message)
		}
	}
}

func TestTheDocsTellTheNumbersOfTheCode(t *testing.T) {
	text := strings.Join(strings.Fields(readDocs(t)), " ")
	conf, _, err := config.Parse(nil, func(string) string { return "" }, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	limits, number := conf.Limits, textmessage.NewPrinter(language.English)
	for _, sentence := range []string{
		number.Sprintf("| bytes of a body, its file not counted | %d |", limits.MaxBody),
		number.Sprintf("| bytes of a file | %d |", limits.MaxUpload),
		number.Sprintf("| requests from an address, a second; at once | %d; %d |", conf.MaxRate, burst*conf.MaxRate),
		fmt.Sprintf("| objects and lists of the JSON within one another | %d |", limits.MaxJSONDepth),
		fmt.Sprintf("| errors of a response, characters of a message | %d, %d |", limits.MaxErrors, limits.MaxErrorLength),
		fmt.Sprintf("| seconds of an operation, not counted while its file arrives | %.0f |", limits.MaxTime.Seconds()),
		fmt.Sprintf("`map` (up to %d KB)", maxMap>>10),
		fmt.Sprintf("a file may take %.0f minutes, and %.0f seconds without a byte", uploadTime.Minutes(), pauseTime.Seconds()),
		fmt.Sprintf("and read the answer within %.0f.", answerWithin.Seconds()),
	} {
		if !strings.Contains(text, sentence) {
			t.Errorf("nothing says: %s", sentence)
		}
	}
}

// documented is the JSON that stands below the heading of a code.
func documented(t *testing.T, code string) any {
	t.Helper()
	match := regexp.MustCompile("(?s)### `" + code + "`\n[^#]*?```(?:json|http)\n[^{]*(.*?)```").FindStringSubmatch(readDocs(t))
	if match == nil {
		t.Errorf("there is no example of %s", code)
		return nil
	}
	var example any
	if err := json.Unmarshal([]byte(match[1]), &example); err != nil {
		t.Errorf("the example of %s: %v", code, err)
	}
	return example
}

func TestTheDocsHaveAnExampleOfEveryCode(t *testing.T) {
	source, err := os.ReadFile("errors.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := regexp.MustCompile(`"([A-Z_]{5,})"`).FindAllStringSubmatch(string(source), -1)
	if len(codes) < 10 {
		t.Fatalf("found only %v", codes)
	}
	for _, match := range codes {
		documented(t, match[1])
	}
	documented(t, codeParseFailed)
	documented(t, codeValidationFailed)
}

// These no command alone can show; those that one can are run by the program's tests.
func TestTheExamplesOfWhatRarelyHappensAreTrue(t *testing.T) {
	synctest.Test(t, testRareExamples)
}

func testRareExamples(t *testing.T) {
	e := newEndpoint(t)
	user, token := e.newUser("Alice")
	if _, err := e.resolver.Profiles.SaveVerification(e.as(token), user.ID, secretName, secretNumber); err != nil {
		t.Fatal(err)
	}
	compare := func(code string, a *answer) {
		t.Helper()
		body := a.Body
		if id := a.Header.Get("X-Request-Id"); id != "" {
			body = strings.ReplaceAll(body, id, "…")
		}
		var got any
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(documented(t, code), got); diff != "" {
			t.Errorf("%s (-docs +server):\n%s", code, diff)
		}
	}
	e.clock.advance(time.Hour)
	compare("REAUTHENTICATION_REQUIRED", e.query(token, `{ me { verification { idCard } } }`, nil))

	e.resolver.Profiles.Store = hostileStore{put: func() error { return errors.New("the bucket is away") }}
	compare("SERVICE_UNAVAILABLE", e.postForm(uploadForm(string(picture(t))), bearer(token)...))

	failing := errors.New("the disk is on fire")
	e.db.User.Intercept(ent.InterceptFunc(func(ent.Querier) ent.Querier {
		return ent.QuerierFunc(func(ctx context.Context, _ ent.Query) (ent.Value, error) {
			if failing == nil {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return nil, failing
		})
	}))
	compare("INTERNAL_SERVER_ERROR", e.query(token, `{ me { name } }`, nil))
	failing = nil // but the time goes by, by the bubble's clock
	compare("TIMEOUT", e.query(token, `{ me { name } }`, nil))

	e.Handler = LimitRate(1, e.Handler)
	for range burst {
		if a := e.query("", `{ __typename }`, nil); a.Status != http.StatusOK {
			t.Fatalf("status %d", a.Status)
		}
	}
	limited := e.query("", `{ __typename }`, nil)
	if limited.Status != http.StatusTooManyRequests {
		t.Fatalf("status %d", limited.Status)
	}
	compare("RATE_LIMITED", limited)
}
