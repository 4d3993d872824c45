package profile

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nameplate/ent"
	"nameplate/ent/event"
	"nameplate/internal/fault"
	"nameplate/internal/idcard"
	"nameplate/internal/session"
)

// A number and a name that are nobody's, to look for where they must not be.
const (
	realName = "Zdeněk Prüfling"
	idCard   = "11010519491231002X"
)

func (f *fixture) saveVerification(user *ent.User) {
	f.t.Helper()
	if _, err := f.SaveVerification(f.as(user), user.ID, realName, idCard); err != nil {
		f.t.Fatal(err)
	}
}

// wantStored checks what can be read of the user's verification.
func (f *fixture) wantStored(user *ent.User, name, number string) {
	f.t.Helper()
	got, err := f.Verification(f.user(user.ID))
	if err != nil || got == nil || got.RealName != name || got.MaskedIDCard != idcard.Stored(number).Mask() || got.UserID != user.ID {
		f.t.Errorf("got %+v, %v", got, err)
	}
	read, err := f.ReadIDCard(f.as(user), user.ID)
	if err != nil || read == nil || *read != number {
		f.t.Errorf("the number is not what was saved: %v", err)
	}
}

func TestAVerificationIsSavedAndRead(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	f.now = start.Add(time.Hour)
	user, err := f.SaveVerification(f.as(alice), alice.ID, "  "+realName+" ", " 11010519491231002x")
	if err != nil {
		t.Fatal(err)
	}
	f.wantSame(user)
	if user.VerificationSavedAt == nil || !user.VerificationSavedAt.Equal(f.now) || !user.UpdatedAt.Equal(f.now) {
		t.Errorf("got %v", user)
	}
	f.wantEvents(alice.ID, event.KindVERIFICATION_SAVED)
	f.wantStored(alice, realName, idCard)
}

func TestWithoutAVerificationThereIsNothingToRead(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	if got, err := f.Verification(alice); got != nil || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := f.ReadIDCard(f.as(alice), alice.ID); got != nil || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	f.wantEvents(alice.ID)
}

func TestTheSameVerificationAgainIsNoChange(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	f.saveVerification(alice)
	before := f.user(alice.ID)
	f.now = start.Add(time.Hour)
	for _, number := range []string{idCard, strings.ToLower(idCard), " １１010519491231002Ｘ"} {
		user, err := f.SaveVerification(f.as(alice), alice.ID, realName, number)
		if err != nil || user.ID != alice.ID {
			t.Errorf("%v, %v", user, err)
		}
	}
	f.wantSame(before)
	// Whoever guessed it would know it by now.
	f.wantEvents(alice.ID, event.KindVERIFICATION_SAVED, event.KindID_CARD_READ, event.KindID_CARD_READ, event.KindID_CARD_READ)
}

func TestNoGuessIsComparedAfterTheTimeForReadingTheNumber(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	f.saveVerification(alice)
	ctx := f.as(alice)
	f.now = start.Add(IDCardMaxAge)
	if _, err := f.SaveVerification(ctx, alice.ID, realName, idCard); err != nil {
		t.Errorf("at the bound: %v", err)
	}
	f.now = f.now.Add(time.Microsecond)
	for _, guess := range []string{idCard, number(7)} {
		if _, err := f.SaveVerification(ctx, alice.ID, realName, guess); !errors.Is(err, session.ErrStale) {
			t.Errorf("past it: %v, want ErrStale", err)
		}
	}
	f.wantEvents(alice.ID, event.KindVERIFICATION_SAVED, event.KindID_CARD_READ)
}

func TestAnotherVerificationIsRefused(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	f.saveVerification(alice)
	before := f.user(alice.ID)
	for _, values := range [][2]string{
		{"Zdeněk Other", idCard},
		{realName, number(7)},
		{"Zdeněk Other", number(7)},
	} {
		user, err := f.SaveVerification(f.as(alice), alice.ID, values[0], values[1])
		if user != nil {
			t.Errorf("got %v", user)
		}
		wantFault(t, err, fault.Error{Code: fault.AlreadyVerified})
		wantNoSecret(t, "error", []byte(err.Error()))
	}
	f.wantSame(before)
	f.wantEvents(alice.ID, event.KindVERIFICATION_SAVED)
	f.wantStored(alice, realName, idCard)
}

func TestAVerificationNeedsBothValues(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	for _, tt := range []struct{ name, number, want string }{
		{"", "", "REQUIRED in realName\nREQUIRED in idCard"},
		{"", idCard, "REQUIRED in realName"},
		{realName, "", "REQUIRED in idCard"},
		{realName, idCard[:17] + "1", "ID_CARD_INVALID in idCard: check character"},
		{"Zdeněk 2", idCard, "REAL_NAME_INVALID in realName"},
		{"Zdeněk 2", idCard[:17], "REAL_NAME_INVALID in realName\nID_CARD_INVALID in idCard: length"},
	} {
		user, err := f.SaveVerification(f.as(alice), alice.ID, tt.name, tt.number)
		if user != nil || err == nil || err.Error() != tt.want {
			t.Errorf("got %v, %v, want %s", user, err, tt.want)
		}
	}
	f.wantSame(alice)
	f.wantEvents(alice.ID)
}

// number is the i-th of many valid numbers.
func number(i int) string {
	digits := fmt.Sprintf("11010519491231%03d", i)
	for _, check := range "0123456789X" {
		s := digits + string(check)
		if _, err := idcard.Parse(s, start); err == nil {
			return s
		}
	}
	panic("no check character fits")
}

func TestOfManyDifferentVerificationsOneIsSaved(t *testing.T) {
	f := newFixture(t)
	f.Attempts.Off = true // so that all of them come to the row
	alice := f.newUser("alice")
	var saved atomic.Pointer[string]
	var refused atomic.Int64
	ctx := f.as(alice)
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			mine := number(i)
			_, err := f.SaveVerification(ctx, alice.ID, realName, mine)
			var taken *fault.Error
			switch {
			case err == nil && !saved.CompareAndSwap(nil, &mine):
				t.Error("a second one was told that it is saved")
			case errors.As(err, &taken) && taken.Code == fault.AlreadyVerified:
				refused.Add(1)
			case err != nil:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if saved.Load() == nil || refused.Load() != 99 {
		t.Fatalf("%d were refused, want 99", refused.Load())
	}
	f.wantEvents(alice.ID, event.KindVERIFICATION_SAVED)
	f.wantStored(alice, realName, *saved.Load())
}

func TestNothingOfAVerificationIsStoredInClear(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice-whose-name-is-found")
	ctx := f.as(alice)
	if _, err := f.SaveVerification(ctx, alice.ID, realName, idCard); err != nil {
		t.Fatal(err)
	}
	if _, err := f.ReadIDCard(ctx, alice.ID); err != nil {
		t.Fatal(err)
	}
	_, err := f.SaveVerification(ctx, alice.ID, "Zdeněk Other", idCard)
	wantFault(t, err, fault.Error{Code: fault.AlreadyVerified})
	files, err := filepath.Glob(filepath.Join(f.folder, "nameplate.db*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("files: %q, %v, want the database and its log", files, err)
	}
	var all []byte
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		wantNoSecret(t, file, content)
		all = append(all, content...)
	}
	if !bytes.Contains(all, []byte(alice.Name)) {
		t.Error("what is stored in clear is not found: the search is in the wrong place")
	}
	wantNoSecret(t, "log", f.log.Bytes())
	wantNoSecret(t, "printed row", []byte(fmt.Sprintf("%v %+v", f.user(alice.ID), f.user(alice.ID))))
}

// wantNoSecret looks for the number, the birth date in it, and the names.
func wantNoSecret(t *testing.T, where string, content []byte) {
	t.Helper()
	for _, secret := range []string{idCard[:17], idCard[6:14], "Zdeněk", "Prüfling"} {
		if bytes.Contains(content, []byte(secret)) {
			t.Errorf("%s has %q", where, secret)
		}
	}
}

func TestAVerificationMovedElsewhereDoesNotOpen(t *testing.T) {
	f := newFixture(t)
	alice, bob := f.newUser("alice"), f.newUser("bob")
	f.saveVerification(alice)
	alice = f.user(alice.ID)
	move := func(user *ent.User, name, number []byte) {
		f.DB.User.UpdateOneID(user.ID).SetRealNameSealed(name).SetIDCardSealed(number).
			SetVerificationSavedAt(start).ExecX(t.Context())
	}
	move(bob, alice.RealNameSealed, alice.IDCardSealed)
	f.wantUnreadable(bob)
	move(alice, alice.IDCardSealed, alice.RealNameSealed)
	f.wantUnreadable(alice)
	f.wantEvents(bob.ID)
}

func (f *fixture) wantUnreadable(user *ent.User) {
	f.t.Helper()
	got, err := f.Verification(f.user(user.ID))
	if got != nil || err == nil {
		f.t.Errorf("got %v, %v", got, err)
	} else {
		wantNoSecret(f.t, "error", []byte(err.Error()))
	}
	if number, err := f.ReadIDCard(f.as(user), user.ID); number != nil || err == nil {
		f.t.Errorf("the number was given out: %v", err)
	}
	// Nor is what can't be read taken for the same, or for something else.
	var refused *fault.Error
	if _, err := f.SaveVerification(f.as(user), user.ID, realName, idCard); err == nil || errors.As(err, &refused) {
		f.t.Errorf("got %v, want an error that is no fault", err)
	}
}

func TestReadingTheNumberIsAnEvent(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	f.saveVerification(alice)
	f.now = start.Add(time.Hour)
	if number, err := f.ReadIDCard(f.as(alice), alice.ID); err != nil || *number != idCard {
		t.Errorf("got %v", err)
	}
	f.wantEvents(alice.ID, event.KindVERIFICATION_SAVED, event.KindID_CARD_READ)
	row := f.DB.Event.Query().Where(event.KindEQ(event.KindID_CARD_READ)).OnlyX(t.Context())
	if row.IPAddress != address || !row.At.Equal(f.now) {
		t.Errorf("the event is %v", row)
	}
}

func TestANumberWhoseReadingCannotBeRecordedIsNotGivenOut(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	f.saveVerification(alice)
	failure := f.failEvents()
	number, err := f.ReadIDCard(f.as(alice), alice.ID)
	if number != nil || !errors.Is(err, failure) {
		t.Errorf("got %v, want nothing and the failure", err)
	}
}

func TestAVerificationWithoutItsEventIsNotSaved(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	failure := f.failEvents()
	if _, err := f.SaveVerification(f.as(alice), alice.ID, realName, idCard); !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
	f.wantSame(alice)
}
