package account

import (
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nameplate/ent/attempt"
	"nameplate/ent/event"
	"nameplate/ent/migrate"
	"nameplate/ent/recoverycode"
	entsession "nameplate/ent/session"
	entuser "nameplate/ent/user"
)

// What is stored of a user, and what an export has of it by which name. Where that is empty,
// docs/accounts.md says why it is left out.
func TestAnExportHasEveryColumnOrTheDocsSayWhyNot(t *testing.T) {
	var tables []string
	for _, table := range []struct {
		name    string
		columns []string
		as      map[string]string
		types   []any
	}{
		{"users", entuser.Columns, map[string]string{
			"id": "id", "name": "name", "created_at": "createdAt", "updated_at": "updatedAt",
			"real_name_sealed": "realName", "id_card_sealed": "idCard", "verification_saved_at": "savedAt",
			"avatar_key": "", // the pictures themselves are there
			"name_key":   "", "password_hash": "", "password_version": "",
		}, []any{exportedUser{}, exportedVerification{}}},
		{"sessions", entsession.Columns, map[string]string{
			"id": "id", "ip_address": "ipAddress", "user_agent": "userAgent", "created_at": "createdAt",
			"authenticated_at": "passwordEnteredAt", "last_seen_at": "lastSeenAt", "expires_at": "expiresAt",
			"token_sha256": "", "user_id": "",
		}, []any{exportedSession{}}},
		{"recovery_codes", recoverycode.Columns, map[string]string{
			"created_at": "createdAt", "expires_at": "expiresAt", "by_operator": "byOperator",
			"id": "", "code_sha256": "", "user_id": "",
		}, []any{exportedRecoveryCode{}}},
		{"attempts", attempt.Columns, map[string]string{
			"last_at": "lastAt", "clear_at": "forgottenAt", "id": "", "user_id": "",
		}, []any{exportedAttempts{}}},
		{"events", event.Columns, map[string]string{
			"id": "id", "kind": "kind", "at": "at", "count": "count", "ip_address": "ipAddress",
			"user_agent": "userAgent", "by_operator": "byOperator", "network": "", "user_id": "",
		}, []any{exportedEvent{}}},
	} {
		tables = append(tables, table.name)
		var known, want, got []string
		for column, field := range table.as {
			known = append(known, column)
			if field != "" {
				want = append(want, field)
			}
		}
		for _, v := range table.types {
			for field := range reflect.TypeOf(v).Fields() {
				got = append(got, field.Tag.Get("json"))
			}
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(table.columns)), slices.Sorted(slices.Values(known))); diff != "" {
			t.Errorf("%s, stored and known here:\n%s", table.name, diff)
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(got))); diff != "" {
			t.Errorf("%s, to be exported and exported:\n%s", table.name, diff)
		}
	}
	for _, table := range migrate.Tables {
		for _, key := range table.ForeignKeys {
			if key.RefTable == migrate.UsersTable && !slices.Contains(tables, table.Name) {
				t.Errorf("what is exported of %s?", table.Name)
			}
		}
	}
}
