package graph

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nameplate/ent"
	"nameplate/ent/event"
)

func TestAPageOfEventsThatCannotBeSaysWhichArgumentIsWrong(t *testing.T) {
	c := newEndpoint(t).listen()
	token := c.mustSignUp("Alice")
	const (
		bounds   = "The argument first must be from 0 to 100."
		noCursor = "The argument after is no cursor of an event."
	)
	for arguments, want := range map[string]string{
		`first: -1`:          bounds,
		`first: 101`:         bounds,
		`first: 2147483647`:  bounds,
		`first: -2147483648`: bounds,
		`after: ""`:          noCursor,
		`after: "x"`:         noCursor,
		`after: "` + strings.Repeat("x", 32) + `"`:                                                  noCursor, // as long as a cursor
		`after: "` + strings.Repeat("x", 10_000) + `"`:                                              noCursor,
		`after: "` + base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("\xff", 24))) + `"`: noCursor,
		`first: 101, after: "x"`:                                                                    bounds,
	} {
		a := c.ask(token, `{ me { name events(`+arguments+`) { nodes { id } } } limits { signUpOpen } }`)
		if a.code() != "GRAPHQL_VALIDATION_FAILED" || a.message() != want || len(a.Errors) != 1 ||
			!cmp.Equal(a.Errors[0].Path, []any{"me", "events"}) {
			t.Errorf("%.80s: %s", arguments, a.Body)
		}
		// What doesn't depend on it is answered.
		if diff := cmp.Diff(map[string]any{"me": nil, "limits": map[string]any{"signUpOpen": true}}, a.Data); diff != "" {
			t.Errorf("%.80s (-want +got):\n%s", arguments, diff)
		}
	}
	if log := c.log.troubles(); log != "" {
		t.Errorf("the log has: %s", log)
	}
}

// What the schema itself forbids is said of the place where it is written, and nothing is
// done.
func TestAnArgumentOfEventsThatIsOfAnotherTypeIsPointedAt(t *testing.T) {
	c := newEndpoint(t).listen()
	token := c.mustSignUp("Alice")
	for argument, want := range map[string]string{
		`first: 2147483648`:  "An Int must be a whole number of 32 bits.",
		`first: 99999999999`: "An Int must be a whole number of 32 bits.",
		`first: null`:        `Expected a value of type "Int!".`,
		`first: "1"`:         `Expected a value of type "Int".`,
		`first: 1.5`:         `Expected a value of type "Int".`,
		`after: 1`:           `Expected a value of type "String".`,
	} {
		query := `{ me { events(` + argument + `) { nodes { id } } } }`
		a := c.ask(token, query)
		if a.code() != "GRAPHQL_VALIDATION_FAILED" || a.message() != want || a.Data != nil || len(a.Errors[0].Locations) != 1 {
			t.Errorf("%s: %s", argument, a.Body)
			continue
		}
		value := argument[strings.Index(argument, " ")+1:]
		column := a.Errors[0].Locations[0]["column"]
		if !strings.HasPrefix(query[column-1:], value) && !strings.HasPrefix(query[column-1:], strings.Trim(value, `"`)) {
			t.Errorf("%s: column %d of %s", argument, column, query)
		}
	}
	// Left out, or null where null may be, is the same.
	for _, arguments := range []string{``, `(first: 20)`, `(after: null)`} {
		if a := c.ask(token, `{ me { events`+arguments+` { nodes { kind } } } }`); !strings.Contains(a.Body, `"nodes":[{"kind":"SIGNED_UP"}]`) {
			t.Errorf("%q: %s", arguments, a.Body)
		}
	}
}

// eventPage is a page as a client reads it.
type eventPage struct {
	counts                 []int // by which this test tells its events apart
	cursors                []string
	hasNext, hasPrev       bool
	startCursor, endCursor any
}

func (c *caller) eventPage(token string, first int, after any) (p eventPage) {
	c.t.Helper()
	a := c.ask(token, fmt.Sprintf(`{ me { events(first: %d, after: %s) { edges { cursor node { count } } nodes { count }
		pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }`, first, toJSON(c.t, after)))
	if len(a.Errors) > 0 {
		c.t.Fatal(a.Body)
	}
	events := a.Data["me"].(map[string]any)["events"].(map[string]any)
	for i, edge := range events["edges"].([]any) {
		edge := edge.(map[string]any)
		if diff := cmp.Diff(edge["node"], events["nodes"].([]any)[i]); diff != "" {
			c.t.Errorf("the edge and the node (-edge +node):\n%s", diff)
		}
		p.cursors = append(p.cursors, edge["cursor"].(string))
		p.counts = append(p.counts, int(edge["node"].(map[string]any)["count"].(float64)))
	}
	info := events["pageInfo"].(map[string]any)
	p.hasNext, p.hasPrev = info["hasNextPage"].(bool), info["hasPreviousPage"].(bool)
	p.startCursor, p.endCursor = info["startCursor"], info["endCursor"]
	return p
}

// happened writes events of the user, each with the next count, three at one instant.
func (c *caller) happened(user *ent.User, from, to int) {
	c.t.Helper()
	for n := from; n <= to; n++ {
		if n%3 == 0 {
			c.clock.advance(time.Second)
		}
		c.db.Event.Create().SetUserID(user.ID).SetKind(event.KindSIGN_IN_FAILED).SetAt(c.clock.Now()).SetCount(n).ExecX(c.t.Context())
	}
}

func TestEventsAreReadPageByPage(t *testing.T) {
	c := newEndpoint(t).listen()
	user, token := c.newUser("Alice")
	other, _ := c.newUser("Bob")
	for n := 1; n <= 20; n++ { // so that events of both are at one instant
		c.happened(user, n, n)
		c.happened(other, 1000, 1000)
	}
	for _, size := range []int{1, 2, 3, 7, 19, 20, 21} {
		var seen []int
		var after any
		for pages := 1; ; pages++ {
			p := c.eventPage(token, size, after)
			seen = append(seen, p.counts...)
			if p.hasPrev != (pages > 1) || p.hasNext != (len(seen) < 20) || len(p.counts) > size ||
				p.startCursor != p.cursors[0] || p.endCursor != p.cursors[len(p.cursors)-1] {
				t.Fatalf("page %d of %d each: %+v", pages, size, p)
			}
			if after = p.endCursor; !p.hasNext {
				break
			}
		}
		want := make([]int, 0, 20)
		for n := 20; n > 0; n-- {
			want = append(want, n)
		}
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Errorf("pages of %d (-want +got):\n%s", size, diff)
		}
		if p := c.eventPage(token, size, after); len(p.counts) != 0 || p.hasNext || !p.hasPrev || p.endCursor != nil || p.startCursor != nil {
			t.Errorf("behind the last: %+v", p)
		}
	}
	if p := c.eventPage(token, 0, nil); len(p.counts) != 0 || !p.hasNext || p.hasPrev || p.endCursor != nil {
		t.Errorf("none: %+v", p)
	}
}

// Who reads on isn't shown one twice because there are new ones, and misses none because the
// one where they were has gone.
func TestACursorStaysGoodWhateverHappens(t *testing.T) {
	c := newEndpoint(t).listen()
	user, token := c.newUser("Alice")
	c.happened(user, 1, 10)
	first := c.eventPage(token, 4, nil)
	c.happened(user, 11, 13)
	c.db.Event.Delete().Where(event.Count(7)).ExecX(t.Context())
	if got := c.eventPage(token, 4, first.endCursor).counts; !slices.Equal(got, []int{6, 5, 4, 3}) {
		t.Errorf("after %v came %v", first.counts, got)
	}
	_, others := c.newUser("Bob")
	if got := c.eventPage(others, 4, first.endCursor); len(got.counts) != 0 || got.hasNext || got.hasPrev {
		t.Errorf("with it another user gets %+v", got)
	}
}
