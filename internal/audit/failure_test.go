package audit_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"nameplate/ent"
	"nameplate/ent/event"
	"nameplate/internal/audit"
	"nameplate/internal/database/databasetest"
	"nameplate/internal/session"
)

// fail records a failed sign-in from that address.
func fail(t *testing.T, db *ent.Client, userID uuid.UUID, address string, at time.Time) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
	r.RemoteAddr = address + ":4711"
	r.Header.Set("User-Agent", "agent/1")
	sessions := &session.Manager{DB: db}
	sessions.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		err := db.WithTx(r.Context(), func(tx *ent.Tx) error { return audit.RecordFailure(r.Context(), tx, &userID, at) })
		if err != nil {
			t.Error(err)
		}
	})).ServeHTTP(httptest.NewRecorder(), r)
}

// failure is an event of failed sign-ins.
type failure struct {
	Address string
	After   time.Duration // the start
	Count   int
}

func failures(t *testing.T, db *ent.Client, userID uuid.UUID) []failure {
	t.Helper()
	rows, err := db.Event.Query().Where(event.UserID(userID), event.KindEQ(event.KindSIGN_IN_FAILED)).
		Order(ent.Asc(event.FieldAt, event.FieldID)).All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all []failure
	for _, row := range rows {
		all = append(all, failure{row.IPAddress, row.At.Sub(start), row.Count})
	}
	return all
}

func wantFailures(t *testing.T, db *ent.Client, userID uuid.UUID, want []failure) {
	t.Helper()
	if diff := cmp.Diff(want, failures(t, db, userID)); diff != "" {
		t.Error(diff)
	}
}

func TestFailuresOfOneAddressWithinAnHourAreOneEvent(t *testing.T) {
	db := databasetest.Open(t)
	user := newUser(t, db)
	for _, after := range []time.Duration{0, 0, time.Minute, time.Hour - time.Second, time.Hour, time.Hour + time.Second, 2*time.Hour - time.Second, 2 * time.Hour} {
		fail(t, db, user.ID, "192.0.2.1", start.Add(after))
	}
	wantFailures(t, db, user.ID, []failure{
		{"192.0.2.1", 0, 4},
		{"192.0.2.1", time.Hour, 3},
		{"192.0.2.1", 2 * time.Hour, 1},
	})
	if row := db.Event.Query().FirstX(t.Context()); row.UserAgent != "agent/1" || row.ByOperator {
		t.Errorf("got %v", row)
	}
}

func TestFailuresOfOtherAddressesAndUsersAreOtherEvents(t *testing.T) {
	db := databasetest.Open(t)
	alice := newUser(t, db)
	bob := db.User.Create().SetName("bob").SetNameKey("bob").SetPasswordHash("x").SetCreatedAt(start).SetUpdatedAt(start).SaveX(t.Context())
	for _, address := range []string{"192.0.2.1", "[2001:db8::1]", "192.0.2.1"} {
		fail(t, db, alice.ID, address, start)
	}
	fail(t, db, bob.ID, "192.0.2.1", start)
	wantFailures(t, db, alice.ID, []failure{{"192.0.2.1", 0, 2}, {"2001:db8::1", 0, 1}})
	wantFailures(t, db, bob.ID, []failure{{"192.0.2.1", 0, 1}})
}

func TestAFailureCountsIntoNoEventOfAnotherKind(t *testing.T) {
	db := databasetest.Open(t)
	user := newUser(t, db)
	for _, kind := range []event.Kind{event.KindSIGNED_IN, event.KindREAUTHENTICATED} {
		err := db.WithTx(t.Context(), func(tx *ent.Tx) error { return audit.Record(t.Context(), tx, user.ID, kind, start) })
		if err != nil {
			t.Fatal(err)
		}
	}
	// Outside of a request, as those two, there is no address.
	err := db.WithTx(t.Context(), func(tx *ent.Tx) error { return audit.RecordFailure(t.Context(), tx, &user.ID, start) })
	if err != nil {
		t.Fatal(err)
	}
	wantFailures(t, db, user.ID, []failure{{"", 0, 1}})
	if n := db.Event.Query().Where(event.CountNEQ(1)).CountX(t.Context()); n != 0 {
		t.Errorf("%d events were counted into", n)
	}
}

func TestFailuresOfManyAddressesAreTenEventsAnHour(t *testing.T) {
	db := databasetest.Open(t)
	user := newUser(t, db)
	var want []failure
	for i := range 10 {
		after := time.Duration(i) * time.Minute
		fail(t, db, user.ID, address(i), start.Add(after))
		want = append(want, failure{address(i), after, 1})
	}
	wantFailures(t, db, user.ID, want)

	// The eleventh address and all behind it count into the tenth event.
	for i := 10; i < 100; i++ {
		fail(t, db, user.ID, address(i), start.Add(15*time.Minute))
	}
	want[9].Count = 91
	wantFailures(t, db, user.ID, want)

	// Those that have an event go on counting into their own.
	fail(t, db, user.ID, address(3), start.Add(time.Hour-time.Second))
	want[3].Count = 2
	wantFailures(t, db, user.ID, want)

	// In any hour there are ten: when the first is an hour old there is room for one more.
	fail(t, db, user.ID, address(100), start.Add(time.Hour-time.Second))
	want[9].Count = 92
	wantFailures(t, db, user.ID, want)
	fail(t, db, user.ID, address(101), start.Add(time.Hour))
	fail(t, db, user.ID, address(102), start.Add(time.Hour+time.Second))
	want = append(want, failure{address(101), time.Hour, 2})
	wantFailures(t, db, user.ID, want)
}

func address(i int) string { return fmt.Sprintf("192.0.2.%d", i) }

func TestAHundredFailuresAtOnceAreAllCounted(t *testing.T) {
	db := databasetest.Open(t)
	user := newUser(t, db)
	const addresses = 20
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() { fail(t, db, user.ID, address(i%addresses), start) })
	}
	all.Wait()
	rows, sum := failures(t, db, user.ID), 0
	for _, row := range rows {
		sum += row.Count
	}
	if len(rows) != 10 || sum != 100 {
		t.Errorf("%d failures in %d events, want 100 in 10: %v", sum, len(rows), rows)
	}
}

func TestAFailureOfNoUserIsAnError(t *testing.T) {
	db := databasetest.Open(t)
	err := db.WithTx(t.Context(), func(tx *ent.Tx) error { return audit.RecordFailure(t.Context(), tx, new(uuid.New()), start) })
	if !ent.IsConstraintError(err) {
		t.Errorf("got %v, want a constraint error", err)
	}
}

func TestWhatAnOperatorDidIsMarkedAndFromNoClient(t *testing.T) {
	db := databasetest.Open(t)
	user := newUser(t, db)
	record := func(ctx context.Context, userID uuid.UUID) error {
		return db.WithTx(ctx, func(tx *ent.Tx) error {
			return audit.RecordByOperator(ctx, tx, userID, event.KindRESET_LINK_CREATED, start)
		})
	}
	if err := record(t.Context(), user.ID); err != nil {
		t.Fatal(err)
	}
	row := db.Event.Query().OnlyX(t.Context())
	got := []any{*row.UserID, row.Kind, row.At, row.IPAddress, row.UserAgent, row.ByOperator, row.Count}
	want := []any{user.ID, event.KindRESET_LINK_CREATED, start, "", "", true, 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := record(t.Context(), uuid.New()); !ent.IsConstraintError(err) {
		t.Errorf("no user: got %v, want a constraint error", err)
	}
}

func TestFailuresOfNobodyAreForgottenAndThoseOfUsersAreNot(t *testing.T) {
	db := databasetest.Open(t)
	user := db.User.Create().SetName("alice").SetNameKey("alice").SetPasswordHash("x").
		SetCreatedAt(start).SetUpdatedAt(start).SaveX(t.Context())
	for _, of := range []*uuid.UUID{nil, &user.ID} {
		if err := db.WithTx(t.Context(), func(tx *ent.Tx) error { return audit.RecordFailure(t.Context(), tx, of, start) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := audit.SweepFailures(t.Context(), db, start.Add(time.Hour-time.Second)); err != nil {
		t.Fatal(err)
	}
	if n := db.Event.Query().CountX(t.Context()); n != 2 {
		t.Errorf("%d are left a second before, want 2", n)
	}
	if err := audit.SweepFailures(t.Context(), db, start.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if row := db.Event.Query().OnlyX(t.Context()); row.UserID == nil {
		t.Error("what is left is of nobody")
	}
}
