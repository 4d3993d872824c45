package graph

import (
	"strings"
	"testing"

	gqlast "github.com/vektah/gqlparser/v2/ast"
)

// ways are how to come to an object of each type. A mutation is asked for in the way
// to its payload.
var ways = map[string]string{
	"Query":                      `{ <field> }`,
	"User":                       `{ me { <field> } }`,
	"Verification":               `{ me { verification { <field> } } }`,
	"Session":                    `{ me { sessions { <field> } } }`,
	"EventConnection":            `{ me { events { <field> } } }`,
	"EventEdge":                  `{ me { events { edges { <field> } } } }`,
	"PageInfo":                   `{ me { events { pageInfo { <field> } } } }`,
	"Event":                      `{ me { events { nodes { <field> } } } }`,
	"Limits":                     `{ limits { <field> } }`,
	"NameLimits":                 `{ limits { name { <field> } } }`,
	"PasswordLimits":             `{ limits { password { <field> } } }`,
	"AvatarLimits":               `{ limits { avatar { <field> } } }`,
	"UserError":                  `mutation { signUp(input: { name: "x", password: <password> }) { userErrors { <field> } } }`,
	"SignUpPayload":              `mutation { signUp(input: { name: <new name>, password: <password> }) { <field> } }`,
	"SignInPayload":              `mutation { signIn(input: { name: <name>, password: <password> }) { <field> } }`,
	"ResetPasswordPayload":       `mutation { resetPassword(input: { name: <name>, code: <code>, newPassword: <password> }) { <field> } }`,
	"ChangePasswordPayload":      `mutation { changePassword(input: { currentPassword: <password>, newPassword: <password> }) { <field> } }`,
	"CreateRecoveryCodesPayload": `mutation { createRecoveryCodes(input: { password: <password> }) { <field> } }`,
	"RevokeSessionPayload":       `mutation { revokeSession(id: <session>) { <field> } }`,
	"RevokeOtherSessionsPayload": `mutation { revokeOtherSessions { <field> } }`,
	"DeleteAccountPayload":       `mutation { deleteAccount(input: { password: <password> }) { <field> } }`,
	"SignOutPayload":             `mutation { signOut { <field> } }`,
	"ReauthenticatePayload":      `mutation { reauthenticate(input: { password: <password> }) { <field> } }`,
	"UpdateNamePayload":          `mutation { updateName(input: { name: <new name> }) { <field> } }`,
	"UpdateAvatarPayload":        `mutation($file: Upload!) { updateAvatar(file: $file) { <field> } }`,
	"RemoveAvatarPayload":        `mutation { removeAvatar { <field> } }`,
	"SaveVerificationPayload":    `mutation { saveVerification(input: { realName: <real name>, idCard: <number> }) { <field> } }`,
}

const (
	everybodysPassword = "correct horse battery"
	newName            = "Newcomer"
)

// question asks for a field, such as User.name, and where that is an object for the
// first field of it, and so on; leaf is the last of them with its type, or userErrors.
func question(t *testing.T, schema *gqlast.Schema, what string) (query, leaf string) {
	t.Helper()
	parent, name, _ := strings.Cut(what, ".")
	definition := schema.Types[parent]
	if definition == nil || definition.Fields.ForName(name) == nil {
		t.Fatalf("the schema has no %s", what)
	}
	field := definition.Fields.ForName(name)
	if parent == "Mutation" {
		parent = field.Type.Name()
		field = schema.Types[parent].Fields[0]
	}
	selection, closing, leaf := field.Name, "", parent+"."+field.Name
	for of := schema.Types[field.Type.Name()]; of.Kind == gqlast.Object; of = schema.Types[field.Type.Name()] {
		field = of.Fields[0]
		selection, closing = selection+" { "+field.Name, closing+" }"
		if !strings.HasSuffix(leaf, ".userErrors") {
			leaf = of.Name + "." + field.Name
		}
	}
	query = strings.ReplaceAll(ways[parent], "<field>", selection+closing)
	if !strings.Contains(query, name) {
		t.Fatalf("the test knows no way to %s, but %q", what, query)
	}
	return query, leaf
}
