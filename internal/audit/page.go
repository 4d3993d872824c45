package audit

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"nameplate/ent"
	"nameplate/ent/event"
	"nameplate/ent/predicate"
)

// MaxPage is how many events are read at once.
const MaxPage = 100

// Page is a part of a user's events, by the Relay Cursor Connections Specification
// (https://relay.dev/graphql/connections.htm).
type Page struct {
	Edges    []Edge
	Nodes    []*ent.Event
	PageInfo PageInfo
}

// Edge is an event and its place.
type Edge struct {
	Cursor string
	Node   *ent.Event
}

// PageInfo is what lies around a page. The cursors are nil where it is empty.
type PageInfo struct {
	HasNextPage, HasPreviousPage bool
	StartCursor, EndCursor       *string
}

// ErrFirst and ErrCursor say that a page that was asked for can't be.
var (
	ErrFirst  = fmt.Errorf("first must be from 0 to %d", MaxPage)
	ErrCursor = errors.New("after is no cursor of an event")
)

// Read returns the first events of the user, newest first: of those behind the cursor,
// where there is one.
func Read(ctx context.Context, db *ent.Client, userID uuid.UUID, first int, after *string) (*Page, error) {
	if first < 0 || first > MaxPage {
		return nil, ErrFirst
	}
	page := &Page{Edges: []Edge{}, Nodes: []*ent.Event{}}
	query := db.Event.Query().Where(event.UserID(userID))
	if after != nil {
		place, err := parseCursor(*after)
		if err != nil {
			return nil, err
		}
		page.PageInfo.HasPreviousPage, err = query.Clone().Where(place.notOlder()).Exist(ctx)
		if err != nil {
			return nil, err
		}
		query.Where(place.older())
	}
	rows, err := query.Order(ent.Desc(event.FieldAt, event.FieldID)).Limit(first + 1).All(ctx)
	if err != nil {
		return nil, err
	}
	page.PageInfo.HasNextPage = len(rows) > first
	page.Nodes = append(page.Nodes, rows[:min(len(rows), first)]...)
	for _, row := range page.Nodes {
		page.Edges = append(page.Edges, Edge{Cursor: place{row.At, row.ID}.cursor(), Node: row})
	}
	if n := len(page.Edges); n > 0 {
		page.PageInfo.StartCursor, page.PageInfo.EndCursor = &page.Edges[0].Cursor, &page.Edges[n-1].Cursor
	}
	return page, nil
}

// place is where an event stands among the user's, whether it is still there or not.
type place struct {
	at time.Time
	id uuid.UUID
}

// older are the events behind it. The bound on the time is on its own, so that an index
// finds where they begin.
func (p place) older() predicate.Event {
	return event.And(event.AtLTE(p.at), event.Or(event.AtLT(p.at), event.IDLT(p.id)))
}

func (p place) notOlder() predicate.Event {
	return event.And(event.AtGTE(p.at), event.Or(event.AtGT(p.at), event.IDGTE(p.id)))
}

// A cursor is the time in microseconds, as the database keeps it, and the id.
const cursorBytes = 8 + 16

func (p place) cursor() string {
	b := binary.BigEndian.AppendUint64(nil, uint64(p.at.UnixMicro()))
	return base64.RawURLEncoding.EncodeToString(append(b, p.id[:]...))
}

func parseCursor(s string) (place, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	// The decoder skips line breaks, of which a cursor has none.
	if err != nil || len(b) != cursorBytes || len(s) != base64.RawURLEncoding.EncodedLen(cursorBytes) {
		return place{}, ErrCursor
	}
	at := time.UnixMicro(int64(binary.BigEndian.Uint64(b))).UTC()
	if at.Year() < 1970 || at.Year() > 9999 { // which the database could not write
		return place{}, ErrCursor
	}
	return place{at, uuid.UUID(b[8:])}, nil
}
