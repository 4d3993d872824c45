package audit_test

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"nameplate/ent"
	"nameplate/ent/event"
	"nameplate/internal/audit"
	"nameplate/internal/database/databasetest"
)

// newEvents adds so many events of the user, of which several each are of one moment. It
// returns their ids in the order of reading: the last one first.
func newEvents(t *testing.T, db *ent.Client, userID uuid.UUID, n int) []uuid.UUID {
	t.Helper()
	var ids []uuid.UUID
	err := db.WithTx(t.Context(), func(tx *ent.Tx) error {
		for i := range n {
			row, err := tx.Event.Create().SetUserID(userID).SetKind(event.KindSIGNED_IN).
				SetAt(start.Add(time.Duration(i/7) * time.Microsecond)).Save(t.Context())
			if err != nil {
				return err
			}
			ids = append(ids, row.ID)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(ids)
	return ids
}

func read(t *testing.T, db *ent.Client, userID uuid.UUID, first int, after *string) *audit.Page {
	t.Helper()
	page, err := audit.Read(t.Context(), db, userID, first, after)
	if err != nil {
		t.Fatal(err)
	}
	checkPage(t, page)
	return page
}

// checkPage wants what Relay says of every page: the nodes are those of the edges, and
// the cursors those of the first and the last one.
func checkPage(t *testing.T, page *audit.Page) {
	t.Helper()
	if page.Edges == nil || page.Nodes == nil || len(page.Edges) != len(page.Nodes) {
		t.Fatalf("edges %v, nodes %v", page.Edges, page.Nodes)
	}
	for i, edge := range page.Edges {
		if edge.Node != page.Nodes[i] {
			t.Errorf("edge %d has another node than the nodes", i)
		}
	}
	var start, end *string
	if n := len(page.Edges); n > 0 {
		start, end = &page.Edges[0].Cursor, &page.Edges[n-1].Cursor
	}
	if diff := cmp.Diff([]*string{start, end}, []*string{page.PageInfo.StartCursor, page.PageInfo.EndCursor}); diff != "" {
		t.Errorf("the first and the last cursor: %s", diff)
	}
}

func idsOf(page *audit.Page) []uuid.UUID {
	ids := []uuid.UUID{}
	for _, node := range page.Nodes {
		ids = append(ids, node.ID)
	}
	return ids
}

func TestAPageHasTheNewestEventsOfTheUserFirst(t *testing.T) {
	db := databasetest.Open(t)
	user := newUser(t, db)
	bob := db.User.Create().SetName("bob").SetNameKey("bob").SetPasswordHash("x").SetCreatedAt(start).SetUpdatedAt(start).SaveX(t.Context())
	bobs := newEvents(t, db, bob.ID, 3)
	ids := newEvents(t, db, user.ID, 101)
	for _, tt := range []struct {
		first int
		want  []uuid.UUID
		next  bool
	}{
		{0, ids[:0], true},
		{1, ids[:1], true},
		{99, ids[:99], true},
		{100, ids[:100], true},
	} {
		page := read(t, db, user.ID, tt.first, nil)
		if diff := cmp.Diff(tt.want, idsOf(page)); diff != "" {
			t.Errorf("first %d: %s", tt.first, diff)
		}
		if page.PageInfo.HasNextPage != tt.next || page.PageInfo.HasPreviousPage {
			t.Errorf("first %d: %+v", tt.first, page.PageInfo)
		}
	}
	for _, first := range []int{3, 4, 100} {
		page := read(t, db, bob.ID, first, nil)
		if diff := cmp.Diff(bobs, idsOf(page)); diff != "" || page.PageInfo.HasNextPage || page.PageInfo.HasPreviousPage {
			t.Errorf("first %d of three: %s, %+v", first, diff, page.PageInfo)
		}
	}
}

func TestAPageOfLessThanNoneOrMoreThanAHundredIsAnError(t *testing.T) {
	db := databasetest.Open(t)
	user := newUser(t, db)
	for _, first := range []int{-1, audit.MaxPage + 1, 1 << 31, -1 << 31} {
		page, err := audit.Read(t.Context(), db, user.ID, first, nil)
		if page != nil || !errors.Is(err, audit.ErrFirst) {
			t.Errorf("first %d: %v, %v, want ErrFirst", first, page, err)
		}
	}
	if !strings.Contains(audit.ErrFirst.Error(), fmt.Sprint(audit.MaxPage)) {
		t.Errorf("the bound is not in %q", audit.ErrFirst)
	}
}

func TestOfNoEventsThePageIsEmpty(t *testing.T) {
	db := databasetest.Open(t)
	user := newUser(t, db)
	for _, first := range []int{0, 100} {
		page := read(t, db, user.ID, first, nil)
		if diff := cmp.Diff(&audit.Page{Edges: []audit.Edge{}, Nodes: []*ent.Event{}}, page); diff != "" {
			t.Error(diff)
		}
	}
}

func TestThePagesHaveEveryEventOnceAndInOrder(t *testing.T) {
	db := databasetest.Open(t)
	user := newUser(t, db)
	ids := newEvents(t, db, user.ID, 250)
	for _, first := range []int{1, 7, 10, 99, 100} {
		var got []uuid.UUID
		var after *string
		for next := true; next; {
			page := read(t, db, user.ID, first, after)
			if page.PageInfo.HasPreviousPage != (after != nil) {
				t.Errorf("first %d, after %d events: %+v", first, len(got), page.PageInfo)
			}
			got = append(got, idsOf(page)...)
			after, next = page.PageInfo.EndCursor, page.PageInfo.HasNextPage
			if len(got) > len(ids) || next && after == nil {
				t.Fatalf("first %d: no end after %d events", first, len(got))
			}
		}
		if diff := cmp.Diff(ids, got); diff != "" {
			t.Errorf("first %d: %s", first, diff)
		}
		page := read(t, db, user.ID, first, after)
		if len(page.Nodes) != 0 || page.PageInfo.HasNextPage || !page.PageInfo.HasPreviousPage {
			t.Errorf("first %d, behind the last one: %+v", first, page)
		}
	}
}

// What is new stands before the pages that have been read, and moves none of them.
func TestEventsThatComeBetweenTwoPagesMoveNothing(t *testing.T) {
	db := databasetest.Open(t)
	user := newUser(t, db)
	ids := newEvents(t, db, user.ID, 20)
	page := read(t, db, user.ID, 10, nil)
	for _, at := range []time.Time{page.Nodes[0].At, start.Add(time.Hour)} {
		db.Event.Create().SetUserID(user.ID).SetKind(event.KindSIGNED_IN).SetAt(at).ExecX(t.Context())
	}
	if diff := cmp.Diff(ids[10:17], idsOf(read(t, db, user.ID, 7, page.PageInfo.EndCursor))); diff != "" {
		t.Error(diff)
	}
}

func TestTheCursorOfADeletedEventIsStillAPlace(t *testing.T) {
	db := databasetest.Open(t)
	user := newUser(t, db)
	ids := newEvents(t, db, user.ID, 20)
	page := read(t, db, user.ID, 10, nil)
	db.Event.DeleteOneID(ids[9]).ExecX(t.Context())
	next := read(t, db, user.ID, 5, page.PageInfo.EndCursor)
	if diff := cmp.Diff(ids[10:15], idsOf(next)); diff != "" || !next.PageInfo.HasPreviousPage || !next.PageInfo.HasNextPage {
		t.Errorf("%s, %+v", diff, next.PageInfo)
	}
	// As when old ones are deleted.
	db.Event.Delete().Where(event.IDIn(ids[10:]...)).ExecX(t.Context())
	next = read(t, db, user.ID, 5, page.PageInfo.EndCursor)
	if len(next.Nodes) != 0 || next.PageInfo.HasNextPage || !next.PageInfo.HasPreviousPage {
		t.Errorf("behind the last one that is left: %+v", next)
	}
	db.Event.Delete().ExecX(t.Context())
	if next = read(t, db, user.ID, 5, page.PageInfo.EndCursor); next.PageInfo.HasPreviousPage {
		t.Errorf("with none left: %+v", next)
	}
}

func TestAnothersCursorShowsNothingOfTheirs(t *testing.T) {
	db := databasetest.Open(t)
	user := newUser(t, db)
	bob := db.User.Create().SetName("bob").SetNameKey("bob").SetPasswordHash("x").SetCreatedAt(start).SetUpdatedAt(start).SaveX(t.Context())
	newEvents(t, db, bob.ID, 20)
	page := read(t, db, bob.ID, 10, nil)
	got := read(t, db, user.ID, 10, page.PageInfo.EndCursor)
	if diff := cmp.Diff(&audit.Page{Edges: []audit.Edge{}, Nodes: []*ent.Event{}}, got); diff != "" {
		t.Error(diff)
	}
}

// cursorAt is the cursor of a moment in microseconds since 1970.
func cursorAt(micro int64, rest ...byte) string {
	return base64.RawURLEncoding.EncodeToString(append(binary.BigEndian.AppendUint64(nil, uint64(micro)), rest...))
}

func TestWhatIsNoCursorIsAnError(t *testing.T) {
	db := databasetest.Open(t)
	user := newUser(t, db)
	newEvents(t, db, user.ID, 2)
	good := *read(t, db, user.ID, 1, nil).PageInfo.EndCursor
	id := make([]byte, 16)
	for _, cursor := range []string{
		"", " ", "x", "null", "0", good + "=", good + "A", good[1:], good[:len(good)-1], " " + good, good + "\n", good[:16] + "\r\n" + good[16:], good[:31] + "\n",
		strings.Repeat("A", 1<<16), "ÄÖÜ", "\x00", "' OR 1=1 --", uuid.NewString(),
		base64.StdEncoding.EncodeToString(slices.Repeat([]byte{0xff}, 24)), // in the other alphabet
		cursorAt(start.UnixMicro(), id[1:]...), cursorAt(start.UnixMicro(), append(id, 0)...),
		cursorAt(-1, id...), cursorAt(-1<<63, id...), cursorAt(1<<63-1, id...),
		cursorAt(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro(), id...),
	} {
		page, err := audit.Read(t.Context(), db, user.ID, 1, &cursor)
		if page != nil || !errors.Is(err, audit.ErrCursor) {
			t.Errorf("%.50q: %v, %v, want ErrCursor", cursor, page, err)
		}
	}
	for _, cursor := range []string{
		good, cursorAt(0, id...), cursorAt(time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC).UnixMicro(), id...),
	} {
		if _, err := audit.Read(t.Context(), db, user.ID, 1, &cursor); err != nil {
			t.Errorf("%q: %v", cursor, err)
		}
	}
}
