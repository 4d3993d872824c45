package graph

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/google/uuid"

	"nameplate/ent"
	"nameplate/ent/event"
	"nameplate/ent/object"
	"nameplate/ent/session"
	"nameplate/internal/audit"
)

// person is a user, what only that user may see, by the fields that show it, and what
// that user sends.
type person struct {
	row   *ent.User
	shows map[string]any
	sends map[string]string
}

// newPerson is a user who has everything that a user can have, in values that no
// other has.
func (e *endpoint) newPerson(name, passwordHash, realName, number string) *person {
	e.t.Helper()
	id, key := uuid.New(), "avatars/"+strings.ToLower(name)+"-64.png"
	seal := func(field, value string) []byte {
		sealed, err := e.resolver.Profiles.Keys.Seal(id.String(), field, []byte(value))
		if err != nil {
			e.t.Fatal(err)
		}
		return sealed
	}
	instant := func() time.Time {
		e.clock.advance(time.Second)
		return e.clock.Now()
	}
	createdAt, savedAt, updatedAt := instant(), instant(), instant()
	return &person{
		row: &ent.User{
			ID: id, Name: name, NameKey: strings.ToLower(name), PasswordHash: passwordHash, AvatarKey: &key,
			RealNameSealed: seal("real_name", realName), IDCardSealed: seal("id_card", number),
			VerificationSavedAt: &savedAt, CreatedAt: createdAt, UpdatedAt: updatedAt,
		},
		shows: map[string]any{
			"id":           id.String(),
			"name":         name,
			"avatarUrl":    publicURL + "/media/" + key,
			"avatarKey":    key, // no field shows it
			"hasAvatar":    true,
			"realName":     realName,
			"maskedIdCard": number[:1] + strings.Repeat("*", 16) + number[17:],
			"idCard":       number,
			"createdAt":    createdAt.Format(time.RFC3339),
			"savedAt":      savedAt.Format(time.RFC3339),
			"updatedAt":    updatedAt.Format(time.RFC3339),
			"userErrors":   []any{},
		},
		sends: map[string]string{
			"<name>": name, "<new name>": newName, "<password>": everybodysPassword, "<real name>": realName, "<number>": number,
		},
	}
}

// begin makes the database one of these people, each with a session.
func (e *endpoint) begin(people []*person) (tokens map[*person]string) {
	e.t.Helper()
	ctx := e.t.Context()
	e.db.User.Delete().ExecX(ctx) // and their sessions and events
	e.db.Object.Delete().ExecX(ctx)
	e.db.HeldName.Delete().ExecX(ctx)
	tokens = map[*person]string{}
	for _, p := range people {
		e.db.User.Create().SetID(p.row.ID).SetName(p.row.Name).SetNameKey(p.row.NameKey).
			SetPasswordHash(p.row.PasswordHash).SetAvatarKey(*p.row.AvatarKey).
			SetRealNameSealed(p.row.RealNameSealed).SetIDCardSealed(p.row.IDCardSealed).
			SetVerificationSavedAt(*p.row.VerificationSavedAt).
			SetCreatedAt(p.row.CreatedAt).SetUpdatedAt(p.row.UpdatedAt).ExecX(ctx)
		e.db.Object.Create().SetID(*p.row.AvatarKey).SetState(object.StateLive).SetChangedAt(p.row.CreatedAt).ExecX(ctx)
		tokens[p] = e.signIn(p)
	}
	e.clock.advance(time.Second) // so that what is written from now on has another time
	return tokens
}

// signIn starts the session that a person has, from where no other is, with an event and a
// recovery code, and makes known what shows of them.
func (e *endpoint) signIn(p *person) (token string) {
	e.t.Helper()
	ctx := e.t.Context()
	e.clock.advance(time.Second) // so that no other person's has these times
	now, agent := e.clock.Now(), strings.ToLower(p.row.Name)+"-app"
	number := int(p.row.Name[0])
	address := fmt.Sprintf("192.0.2.%d", number)
	r := request("application/json", nil, "User-Agent", agent+"/1.0")
	r.RemoteAddr = address + ":4711"
	token = e.issueTo(r, p.row)
	row := e.db.Session.Query().Where(session.UserID(p.row.ID)).OnlyX(ctx)
	code := p.row.Name + " code"
	sum := sha256.Sum256([]byte(strings.ToUpper(strings.ReplaceAll(code, " ", ""))))
	e.db.RecoveryCode.Create().SetUserID(p.row.ID).SetCodeSha256(sum[:]).SetCreatedAt(now).ExecX(ctx)
	happened := e.db.Event.Create().SetUserID(p.row.ID).SetKind(event.KindSIGN_IN_FAILED).SetAt(now).SetCount(number).
		SetIPAddress(address).SetUserAgent(agent + "/1.0").SaveX(ctx)
	page, err := audit.Read(ctx, e.db, p.row.ID, 1, nil)
	if err != nil {
		e.t.Fatal(err)
	}
	p.sends["<code>"], p.sends["<session>"] = code, row.ID.String()
	maps.Copy(p.shows, map[string]any{
		"Session.id": row.ID.String(), "Session.isCurrent": true, "Session.device": agent, "Session.ipAddress": address,
		"Session.createdAt": now.Format(time.RFC3339), "Session.lastSeenAt": now.Format(time.RFC3339),
		"Session.expiresAt": now.Add(e.sessions.Idle).Format(time.RFC3339),
		"Event.id":          happened.ID.String(), "Event.kind": "SIGN_IN_FAILED", "Event.at": now.Format(time.RFC3339),
		"Event.count": float64(number), "Event.ipAddress": address, "Event.device": agent, "Event.byOperator": false,
		"EventEdge.cursor": *page.PageInfo.EndCursor, "PageInfo.startCursor": *page.PageInfo.EndCursor,
		"PageInfo.endCursor": *page.PageInfo.EndCursor, "PageInfo.hasNextPage": false, "PageInfo.hasPreviousPage": false,
		"User.recoveryCodesLeft": 1.0, "RevokeSessionPayload.revokedSessionId": row.ID.String(),
		"RevokeOtherSessionsPayload.revokedSessionIds": []any{},
	})
	return token
}
