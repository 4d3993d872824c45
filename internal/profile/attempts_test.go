package profile

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"nameplate/ent"
	"nameplate/ent/event"
	"nameplate/internal/avatar"
	"nameplate/internal/fault"
)

const elsewhere = "203.0.113.9"

// badUpload sends a file that is no picture, which counts as any other.
func (f *fixture) badUpload(ctx context.Context, user *ent.User) error {
	f.t.Helper()
	_, err := f.UpdateAvatar(ctx, user.ID, strings.NewReader("no image"), nil)
	return err
}

// unsupported is what becomes of it unless it is limited.
func unsupported() fault.Error {
	return fault.Error{Code: fault.ImageUnsupported, Field: "file", Detail: strings.Join(avatar.Types(), ", ")}
}

// wantUploads sends as many, of which none may be limited.
func (f *fixture) wantUploads(ctx context.Context, user *ent.User, n int) {
	f.t.Helper()
	for range n {
		wantFault(f.t, f.badUpload(ctx, user), unsupported())
	}
}

func TestAUserMaySendSixtyFilesWithoutWaiting(t *testing.T) {
	f := newFixture(t)
	alice, bob := f.newUser("alice"), f.newUser("bob")
	ctx := f.as(alice)
	f.wantUploads(ctx, alice, 60)
	wantLimited(t, f.badUpload(ctx, alice), time.Second)
	// In another session from elsewhere as well: it is the user's own limit.
	wantLimited(t, f.badUpload(f.from(alice, elsewhere), alice), time.Second)
	f.wantUploads(f.as(bob), bob, 1)
	f.wantUploads(f.from(bob, elsewhere), bob, 1)

	f.now = start.Add(time.Second - time.Microsecond)
	wantLimited(t, f.badUpload(ctx, alice), time.Second)
	f.now = start.Add(time.Second)
	f.wantUploads(ctx, alice, 1)
	// The next waits twice as long.
	wantLimited(t, f.badUpload(ctx, alice), 2*time.Second)
	f.now = start.Add(2 * time.Second)
	wantLimited(t, f.badUpload(ctx, alice), time.Second)
	f.now = start.Add(3 * time.Second)
	f.wantUploads(ctx, alice, 1)
	wantLimited(t, f.badUpload(ctx, alice), 4*time.Second)
}

func TestFromOneAddressThreeHundredFilesMayBeSentWithoutWaiting(t *testing.T) {
	f := newFixture(t)
	users := f.newUsers(6)
	first, last := users[0], users[5]
	for _, user := range users[:5] {
		f.wantUploads(f.as(user), user, 60)
	}
	ctx := f.as(last)
	wantLimited(t, f.badUpload(ctx, last), time.Second)
	f.wantUploads(f.from(last, elsewhere), last, 1)
	wantLimited(t, f.badUpload(f.from(first, elsewhere), first), time.Second)

	f.now = start.Add(time.Second - time.Microsecond)
	wantLimited(t, f.badUpload(ctx, last), time.Second)
	f.now = start.Add(time.Second)
	f.wantUploads(ctx, last, 1)
	// One is forgotten in two seconds.
	wantLimited(t, f.badUpload(ctx, last), 2*time.Second)
	f.wantUploads(f.from(last, elsewhere), last, 1)
}

func TestAFileThatIsTooManyIsNotRead(t *testing.T) {
	f := newFixture(t)
	alice := f.setAvatarOf(f.newUser("alice"), picture(64))
	ctx := f.as(alice)
	f.wantUploads(ctx, alice, 59)
	user, err := f.UpdateAvatar(ctx, alice.ID, iotest.ErrReader(errors.New("the file was read")), nil)
	if user != nil {
		t.Errorf("got %v", user)
	}
	wantLimited(t, err, time.Second)
	f.wantSame(alice)
	f.wantEvents(alice.ID, event.KindAVATAR_CHANGED)
	f.wantObjects(states("live", squareKeys(*alice.AvatarKey)...))
	// Going back to the generated picture costs nothing, so it isn't counted.
	if _, err := f.RemoveAvatar(ctx, alice.ID); err != nil {
		t.Error(err)
	}
}

func TestOfManyFilesAtOnceAsManyAreTakenAsOneAfterTheOther(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	ctx := f.as(alice)
	var taken, limited atomic.Int64
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			err := f.badUpload(ctx, alice)
			var refused *fault.RateLimited
			if errors.As(err, &refused) {
				limited.Add(1)
				return
			}
			wantFault(t, err, unsupported())
			taken.Add(1)
		})
	}
	all.Wait()
	if taken.Load() != 60 || limited.Load() != 40 {
		t.Errorf("%d were taken and %d limited, want 60 and 40", taken.Load(), limited.Load())
	}
}

func TestTenGuessesAtAVerificationAreFree(t *testing.T) {
	f := newFixture(t)
	alice, bob := f.newUser("alice"), f.newUser("bob")
	f.saveVerification(alice)
	f.saveVerification(bob)
	before := f.user(alice.ID)
	ctx := f.as(alice)
	save := func(number string) error {
		_, err := f.SaveVerification(ctx, alice.ID, realName, number)
		return err
	}
	refused := fault.Error{Code: fault.AlreadyVerified}
	for i := range 9 {
		wantFault(t, save(number(100+i)), refused)
	}
	// The right one as well: else the limit would tell which it is.
	wantLimited(t, save(idCard), time.Second)
	wantLimited(t, save(number(109)), time.Second)
	if _, err := f.SaveVerification(f.as(bob), bob.ID, realName, idCard); err != nil {
		t.Errorf("another user: %v", err)
	}
	f.now = start.Add(time.Second - time.Microsecond)
	wantLimited(t, save(idCard), time.Second)
	f.now = start.Add(time.Second)
	wantFault(t, save(number(110)), refused)
	wantLimited(t, save(idCard), 2*time.Second)
	f.now = start.Add(2 * time.Second)
	wantLimited(t, save(idCard), time.Second)
	f.wantSame(before)
	f.wantEvents(alice.ID, event.KindVERIFICATION_SAVED)
	f.now = start.Add(3 * time.Second)
	if err := save(idCard); err != nil {
		t.Error(err)
	}
	f.wantEvents(alice.ID, event.KindVERIFICATION_SAVED, event.KindID_CARD_READ)
}

// Who mistypes it has guessed nothing.
func TestWhatCannotBeAVerificationIsNoGuess(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	ctx := f.as(alice)
	for range 20 {
		if _, err := f.SaveVerification(ctx, alice.ID, realName, idCard[:17]); err == nil {
			t.Fatal("it was saved")
		}
	}
	if _, err := f.SaveVerification(ctx, alice.ID, realName, idCard); err != nil {
		t.Error(err)
	}
}

func TestOfManyGuessesAtOnceTenAreCompared(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	ctx := f.as(alice)
	var saved, refused, limited atomic.Int64
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			_, err := f.SaveVerification(ctx, alice.ID, realName, number(i))
			var taken *fault.Error
			var often *fault.RateLimited
			switch {
			case err == nil:
				saved.Add(1)
			case errors.As(err, &taken) && taken.Code == fault.AlreadyVerified:
				refused.Add(1)
			case errors.As(err, &often):
				limited.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if saved.Load() != 1 || refused.Load() != 9 || limited.Load() != 90 {
		t.Errorf("saved, refused, limited: %d, %d, %d, want 1, 9, 90", saved.Load(), refused.Load(), limited.Load())
	}
}

func TestFromOneAddressAHundredVerificationsMayBeSentWithoutWaiting(t *testing.T) {
	f := newFixture(t)
	users := f.newUsers(101)
	save := func(ctx context.Context, user *ent.User) error {
		_, err := f.SaveVerification(ctx, user.ID, realName, number(0))
		return err
	}
	for _, user := range users[:100] {
		if err := save(f.as(user), user); err != nil {
			t.Fatal(err)
		}
	}
	last := users[100]
	ctx := f.as(last)
	wantLimited(t, save(ctx, last), time.Second)
	if err := save(f.from(last, elsewhere), last); err != nil {
		t.Errorf("from elsewhere: %v", err)
	}
	f.now = start.Add(time.Second)
	if err := save(ctx, last); err != nil {
		t.Errorf("a second later: %v", err)
	}
}
