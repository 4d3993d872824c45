package profile

import (
	"context"
	"errors"
	"testing"
	"time"

	"nameplate/ent"
)

func TestAUserWhoIsDeletedHasNoSessionForAnyUseCase(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	ctx := f.as(alice)
	f.delete(alice)
	for name, use := range map[string]func() error{
		"Get":        func() error { _, err := f.Get(ctx, alice.ID); return err },
		"UpdateName": func() error { _, err := f.UpdateName(ctx, alice.ID, "bob"); return err },
		"UpdateAvatar": func() error {
			_, err := f.UpdateAvatar(ctx, alice.ID, picture(64), nil)
			return err
		},
		"RemoveAvatar": func() error { _, err := f.RemoveAvatar(ctx, alice.ID); return err },
		"SaveVerification": func() error {
			_, err := f.SaveVerification(ctx, alice.ID, realName, idCard)
			return err
		},
		"ReadIDCard": func() error { _, err := f.ReadIDCard(ctx, alice.ID); return err },
	} {
		t.Run(name, func(t *testing.T) { wantNone(t, use()) })
	}
	if n := f.DB.User.Query().CountX(ctx) + f.DB.Event.Query().CountX(ctx) + f.DB.Object.Query().CountX(ctx); n != 0 {
		t.Errorf("%d users, events and objects", n)
	}
}

func TestAUserWhoIsDeletedDuringTheUploadHasNoSession(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	f.store.put = func(context.Context, string) error {
		f.delete(alice)
		f.store.put = nil
		return nil
	}
	_, err := f.UpdateAvatar(f.as(alice), alice.ID, picture(64), nil)
	wantNone(t, err)

	f.now = start.Add(f.SweepAfter)
	if err := f.sweepOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.wantObjects(map[string]string{})
	f.wantFiles()
}

func TestAUserWhoIsDeletedWhileReadingTheNumberHasNoSession(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	f.saveVerification(alice)
	ctx := f.as(alice)
	f.DB.User.Intercept(ent.InterceptFunc(func(next ent.Querier) ent.Querier {
		return ent.QuerierFunc(func(ctx context.Context, q ent.Query) (ent.Value, error) {
			value, err := next.Query(ctx, q)
			return value, errors.Join(err, f.DB.User.DeleteOneID(alice.ID).Exec(ctx))
		})
	}))
	number, err := f.ReadIDCard(ctx, alice.ID)
	if number != nil {
		t.Error("the number was given out")
	}
	wantNone(t, err)
}

func TestAnUploadDoesNotOutliveItsSession(t *testing.T) {
	f := newFixture(t)
	alice := f.newUser("alice")
	ctx := f.as(alice)
	f.store.put = func(ctx context.Context, _ string) error {
		_, err := f.DB.Session.Delete().Exec(ctx)
		return err
	}
	_, err := f.UpdateAvatar(ctx, alice.ID, picture(64), nil)
	wantNone(t, err)
	f.wantSame(alice)
}

// What a session that was revoked is still about to do comes to nothing: whoever revoked
// it was told that it has ended.
func TestASessionThatWasRevokedChangesNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		prepare func(*fixture, *ent.User)
		use     func(*fixture, context.Context, *ent.User) error
	}{
		"UpdateName": {nil, func(f *fixture, ctx context.Context, alice *ent.User) error {
			_, err := f.UpdateName(ctx, alice.ID, "bob")
			return err
		}},
		"UpdateAvatar": {nil, func(f *fixture, ctx context.Context, alice *ent.User) error {
			_, err := f.UpdateAvatar(ctx, alice.ID, picture(128), nil)
			return err
		}},
		"RemoveAvatar": {nil, func(f *fixture, ctx context.Context, alice *ent.User) error {
			_, err := f.RemoveAvatar(ctx, alice.ID)
			return err
		}},
		"SaveVerification": {nil, func(f *fixture, ctx context.Context, alice *ent.User) error {
			_, err := f.SaveVerification(ctx, alice.ID, realName, idCard)
			return err
		}},
		"SaveVerification again": {(*fixture).saveVerification, func(f *fixture, ctx context.Context, alice *ent.User) error {
			_, err := f.SaveVerification(ctx, alice.ID, realName, idCard)
			return err
		}},
		"ReadIDCard": {(*fixture).saveVerification, func(f *fixture, ctx context.Context, alice *ent.User) error {
			number, err := f.ReadIDCard(ctx, alice.ID)
			if number != nil && err != nil {
				f.t.Error("the number was given out")
			}
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			alice := f.setAvatarOf(f.newUser("alice"), picture(64))
			if tt.prepare != nil {
				tt.prepare(f, alice)
			}
			before := f.user(alice.ID)
			events := f.DB.Event.Query().CountX(t.Context())
			revoked, live := f.as(alice), f.as(alice)
			f.revoke(revoked)
			f.now = start.Add(time.Second)
			wantNone(t, tt.use(f, revoked, alice))
			f.wantSame(before)
			if n := f.DB.Event.Query().CountX(t.Context()); n != events {
				t.Errorf("%d events were written", n-events)
			}
			f.now = f.now.Add(f.SweepAfter)
			f.sweep()
			f.wantObjects(states("live", squareKeys(*alice.AvatarKey)...))
			f.wantFiles(squareKeys(*alice.AvatarKey)...)

			f.now = start.Add(time.Second)
			if err := tt.use(f, live, alice); err != nil {
				t.Errorf("in a session that is not revoked: %v", err)
			}
			if n := f.DB.Event.Query().CountX(t.Context()); n != events+1 {
				t.Errorf("in a session that is not revoked it is no change: %d events", n-events)
			}
		})
	}
}
