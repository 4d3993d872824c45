package profile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"nameplate/ent"
	"nameplate/ent/event"
	"nameplate/internal/avatar"
	"nameplate/internal/blob"
	"nameplate/internal/blob/disk"
	"nameplate/internal/database/databasetest"
	"nameplate/internal/fault"
	"nameplate/internal/session"
	"nameplate/internal/throttle"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)

// fixture is a service with a database and a store of its own, on a clock that
// stands still until a test moves it.
type fixture struct {
	*Service
	t      *testing.T
	folder string // of the database, the keys and the media
	store  *store
	now    time.Time
	log    bytes.Buffer
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{t: t, folder: t.TempDir(), now: start}
	media, err := disk.Open(filepath.Join(f.folder, "media"), "http://id.example.com/media")
	if err != nil {
		t.Fatal(err)
	}
	db := databasetest.OpenAt(t, filepath.Join(f.folder, "nameplate.db"))
	keys, err := OpenKeys(t.Context(), db, filepath.Join(f.folder, "keyset.json"))
	if err != nil {
		t.Fatal(err)
	}
	f.store = &store{Store: media}
	f.Service = &Service{
		DB: db, Store: f.store, Keys: keys, Pictures: avatar.NewProcessor(2),
		PublicURL: "http://id.example.com", SweepAfter: time.Hour,
		Attempts: &throttle.Limiter{DB: db, Now: func() time.Time { return f.now }},
		Now:      func() time.Time { return f.now },
		Log:      slog.New(slog.NewTextHandler(&f.log, nil)),
	}
	return f
}

// address is where requests are from.
const address = "198.51.100.7"

func (f *fixture) sessions() *session.Manager {
	return &session.Manager{DB: f.DB, Idle: time.Hour, Absolute: time.Hour, Now: f.Now}
}

// as is the context of a request that the user makes in a new session.
func (f *fixture) as(user *ent.User) context.Context {
	f.t.Helper()
	return f.from(user, address)
}

// from is as with a request from another address.
func (f *fixture) from(user *ent.User, ip string) context.Context {
	f.t.Helper()
	r := httptest.NewRequestWithContext(f.t.Context(), http.MethodPost, "/graphql", http.NoBody)
	r.RemoteAddr = ip + ":4711"
	ctx := r.Context()
	sessions := f.sessions()
	sessions.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ctx = r.Context()
	})).ServeHTTP(httptest.NewRecorder(), r)
	var issued *session.Issued
	err := f.DB.WithTx(ctx, func(tx *ent.Tx) (err error) {
		issued, err = sessions.Issue(ctx, tx, user.ID)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	session.Begin(ctx, issued)
	return ctx
}

// revoke ends the session of the request.
func (f *fixture) revoke(ctx context.Context) {
	f.t.Helper()
	current, err := session.Current(ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	err = f.DB.WithTx(f.t.Context(), func(tx *ent.Tx) error {
		revoked, err := f.sessions().Revoke(f.t.Context(), tx, current.UserID, current.ID)
		if err == nil && !revoked {
			err = errors.New("there was no session to revoke")
		}
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// store is the real one, but for what a test does to it.
type store struct {
	blob.Store
	mu      sync.Mutex
	put     func(ctx context.Context, key string) error // before the real one
	stored  func(key string)                            // after it
	delete  func(key string) error                      // before the real one
	deletes []string
}

func (s *store) Put(ctx context.Context, key, mediaType string, data []byte) error {
	if s.put != nil {
		if err := s.put(ctx, key); err != nil {
			return err
		}
	}
	err := s.Store.Put(ctx, key, mediaType, data)
	if s.stored != nil {
		s.stored(key)
	}
	return err
}

func (s *store) Delete(ctx context.Context, key string) error {
	s.mu.Lock()
	s.deletes = append(s.deletes, key)
	s.mu.Unlock()
	if s.delete != nil {
		if err := s.delete(key); err != nil {
			return err
		}
	}
	return s.Store.Delete(ctx, key)
}

// tried is how many objects were to be deleted so far.
func (s *store) tried() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.deletes)
}

var errAway = errors.New("the store is away")

func (f *fixture) newUser(name string) *ent.User {
	f.t.Helper()
	user, err := f.DB.User.Create().SetName(name).SetNameKey(strings.ToLower(name)).SetPasswordHash("x").
		SetCreatedAt(start).SetUpdatedAt(start).Save(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return user
}

// newUsers makes as many users, in one transaction.
func (f *fixture) newUsers(n int) []*ent.User {
	f.t.Helper()
	rows := make([]*ent.UserCreate, n)
	for i := range rows {
		name := fmt.Sprint("user", i)
		rows[i] = f.DB.User.Create().SetName(name).SetNameKey(name).SetPasswordHash("x").
			SetCreatedAt(start).SetUpdatedAt(start)
	}
	users, err := f.DB.User.CreateBulk(rows...).Save(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return users
}

func (f *fixture) user(id uuid.UUID) *ent.User {
	f.t.Helper()
	user, err := f.DB.User.Get(f.t.Context(), id)
	if err != nil {
		f.t.Fatal(err)
	}
	return user
}

// wantSame checks that nothing of the user's row has changed.
func (f *fixture) wantSame(before *ent.User) {
	f.t.Helper()
	// By what is printed and by what isn't.
	after := f.user(before.ID)
	if before.String() != after.String() || before.NameKey != after.NameKey ||
		!cmp.Equal(before.AvatarKey, after.AvatarKey) ||
		!bytes.Equal(before.RealNameSealed, after.RealNameSealed) || !bytes.Equal(before.IDCardSealed, after.IDCardSealed) {
		f.t.Errorf("the user's row has changed:\n%v\n%v", before, after)
	}
}

// wantEvents checks all events of the user, in the order in which they were
// written.
func (f *fixture) wantEvents(id uuid.UUID, want ...event.Kind) {
	f.t.Helper()
	var got []event.Kind
	rows := f.DB.Event.Query().Where(event.UserID(id)).Order(ent.Asc(event.FieldID)).AllX(f.t.Context())
	for _, row := range rows {
		got = append(got, row.Kind)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		f.t.Errorf("events:\n%s", diff)
	}
}

// wantObjects checks the states of all objects' rows, by key.
func (f *fixture) wantObjects(want map[string]string) {
	f.t.Helper()
	got := map[string]string{}
	for _, row := range f.DB.Object.Query().AllX(f.t.Context()) {
		got[row.ID] = row.State.String()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		f.t.Errorf("rows of objects:\n%s", diff)
	}
}

// wantFiles checks which objects the store has.
func (f *fixture) wantFiles(want ...string) {
	f.t.Helper()
	var got []string
	media := filepath.Join(f.folder, "media")
	err := filepath.WalkDir(media, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			path, err = filepath.Rel(media, path)
			got = append(got, path)
		}
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		f.t.Errorf("files of the store:\n%s", diff)
	}
}

func (f *fixture) delete(user *ent.User) {
	f.t.Helper()
	if err := f.DB.User.DeleteOneID(user.ID).Exec(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
}

// failEvents makes every event fail to be written.
func (f *fixture) failEvents() error {
	failure := errors.New("the event was not written")
	f.DB.Event.Use(func(ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(context.Context, ent.Mutation) (ent.Value, error) { return nil, failure })
	})
	return failure
}

// picture is an uploaded file of side times side pixels, which the fraction of
// the colour tells from others.
func picture(side int) io.Reader {
	img := image.NewNRGBA(image.Rect(0, 0, side, side))
	for i := range img.Pix {
		img.Pix[i] = 0xff
	}
	return encoded(img)
}

func transparentPicture(side int) io.Reader {
	img := image.NewNRGBA(image.Rect(0, 0, side, side))
	img.Set(0, 0, color.White)
	return encoded(img)
}

func encoded(img image.Image) io.Reader {
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&b, img); err != nil {
		panic(err) // a buffer doesn't fail
	}
	return &b
}

func wantFault(t *testing.T, err error, want fault.Error) {
	t.Helper()
	var got *fault.Error
	if !errors.As(err, &got) || *got != want {
		t.Errorf("got %v, want %v", err, &want)
	}
}

func wantNone(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, session.ErrNone) {
		t.Errorf("got %v, want ErrNone", err)
	}
}

// unavailable is whether err is a fault.Unavailable that may be sent.
func unavailable(err error) bool {
	var busy *fault.Unavailable
	return errors.As(err, &busy) && busy.RetryAfter >= time.Second
}

// wantLimited checks that it was asked too often, and when it may be asked again.
func wantLimited(t *testing.T, err error, want time.Duration) {
	t.Helper()
	var limited *fault.RateLimited
	if !errors.As(err, &limited) || limited.RetryAfter != want {
		t.Errorf("got %v %+v, want RateLimited for %s", err, limited, want)
	}
}
