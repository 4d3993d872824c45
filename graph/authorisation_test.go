package graph

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	gqlast "github.com/vektah/gqlparser/v2/ast"

	"nameplate/ent"
	entuser "nameplate/ent/user"
)

// access is who may what: every field of the schema, and what it answers to who is
// not signed in, to a user, to another user, and to the first one with a session in
// which the password was entered too long ago.
//
//	all    the same as to everybody
//	own    what is the asker's, and nobody else's; that there are no userErrors
//	new    what is of the user who came into being by it
//	codes  ten texts
//	-      UNAUTHENTICATED
//	stale  REAUTHENTICATION_REQUIRED
//
//nolint:dupword // in a table, words may stand twice
const access = `
                                    anonymous  owner  other  owner, stale
Query.me                            -          own    own    own
Query.limits                        all        all    all    all

Mutation.signUp                     new        new    new    new
Mutation.signIn                     own        own    own    own
Mutation.resetPassword              own        own    own    own
Mutation.signOut                    own        own    own    own
Mutation.reauthenticate             -          own    own    own
Mutation.updateName                 -          own    own    own
Mutation.updateAvatar               -          own    own    own
Mutation.removeAvatar               -          own    own    own
Mutation.saveVerification           -          own    own    stale
Mutation.changePassword             -          own    own    own
Mutation.createRecoveryCodes        -          codes  codes  codes
Mutation.revokeSession              -          own    own    own
Mutation.revokeOtherSessions        -          own    own    own
Mutation.deleteAccount              -          own    own    own

User.id                             -          own    own    own
User.name                           -          own    own    own
User.avatarUrl                      -          own    own    own
User.hasAvatar                      -          own    own    own
User.verification                   -          own    own    own
User.sessions                       -          own    own    own
User.events                         -          own    own    own
User.recoveryCodesLeft              -          own    own    own
User.createdAt                      -          own    own    own
User.updatedAt                      -          own    own    own

Verification.realName               -          own    own    own
Verification.maskedIdCard           -          own    own    own
Verification.idCard                 -          own    own    stale
Verification.savedAt                -          own    own    own

Session.id                          -          own    own    own
Session.isCurrent                   -          own    own    own
Session.device                      -          own    own    own
Session.ipAddress                   -          own    own    own
Session.createdAt                   -          own    own    own
Session.lastSeenAt                  -          own    own    own
Session.expiresAt                   -          own    own    own

EventConnection.edges               -          own    own    own
EventConnection.nodes               -          own    own    own
EventConnection.pageInfo            -          own    own    own
EventEdge.cursor                    -          own    own    own
EventEdge.node                      -          own    own    own
PageInfo.hasNextPage                -          own    own    own
PageInfo.hasPreviousPage            -          own    own    own
PageInfo.startCursor                -          own    own    own
PageInfo.endCursor                  -          own    own    own
Event.id                            -          own    own    own
Event.kind                          -          own    own    own
Event.at                            -          own    own    own
Event.count                         -          own    own    own
Event.ipAddress                     -          own    own    own
Event.device                        -          own    own    own
Event.byOperator                    -          own    own    own

Limits.signUpOpen                   all        all    all    all
Limits.name                         all        all    all    all
Limits.realName                     all        all    all    all
Limits.password                     all        all    all    all
Limits.avatar                       all        all    all    all
NameLimits.minLength                all        all    all    all
NameLimits.maxLength                all        all    all    all
PasswordLimits.minLength            all        all    all    all
PasswordLimits.maxLength            all        all    all    all
AvatarLimits.maxBytes               all        all    all    all
AvatarLimits.maxPixels              all        all    all    all
AvatarLimits.maxSide                all        all    all    all
AvatarLimits.types                  all        all    all    all
AvatarLimits.sizes                  all        all    all    all

UserError.code                      all        all    all    all
UserError.message                   all        all    all    all
UserError.field                     all        all    all    all
UserError.limit                     all        all    all    all

SignUpPayload.user                  new        new    new    new
SignUpPayload.sessionToken          new        new    new    new
SignUpPayload.userErrors            new        new    new    new
SignInPayload.user                  own        own    own    own
SignInPayload.sessionToken          own        own    own    own
SignInPayload.userErrors            own        own    own    own
ResetPasswordPayload.user           own        own    own    own
ResetPasswordPayload.sessionToken   own        own    own    own
ResetPasswordPayload.userErrors     own        own    own    own
SignOutPayload.userErrors           own        own    own    own
ReauthenticatePayload.userErrors    -          own    own    own
UpdateNamePayload.user              -          own    own    own
UpdateNamePayload.userErrors        -          own    own    own
UpdateAvatarPayload.user            -          own    own    own
UpdateAvatarPayload.userErrors      -          own    own    own
RemoveAvatarPayload.user            -          own    own    own
RemoveAvatarPayload.userErrors      -          own    own    own
SaveVerificationPayload.user        -          own    own    stale
SaveVerificationPayload.userErrors  -          own    own    stale
ChangePasswordPayload.user          -          own    own    own
ChangePasswordPayload.userErrors    -          own    own    own
CreateRecoveryCodesPayload.recoveryCodes -          codes  codes  codes
CreateRecoveryCodesPayload.userErrors -          own    own    own
RevokeSessionPayload.revokedSessionId -          own    own    own
RevokeSessionPayload.userErrors     -          own    own    own
RevokeOtherSessionsPayload.revokedSessionIds -          own    own    own
RevokeOtherSessionsPayload.userErrors -          own    own    own
DeleteAccountPayload.userErrors     -          own    own    own
`

// state is all that the database has of a person.
type state struct {
	User    *ent.User
	Picture *ent.Object
}

func (e *endpoint) states(people []*person) map[*person]state {
	e.t.Helper()
	ctx, states := e.t.Context(), map[*person]state{}
	for _, p := range people {
		states[p] = state{
			User:    e.db.User.Query().Where(entuser.ID(p.row.ID)).WithSessions().WithEvents().WithRecoveryCodes().OnlyX(ctx),
			Picture: e.db.Object.GetX(ctx, *p.row.AvatarKey),
		}
	}
	return states
}

var ignoreUnexported = cmpopts.IgnoreUnexported(ent.User{}, ent.UserEdges{}, ent.Session{}, ent.SessionEdges{},
	ent.Event{}, ent.EventEdges{}, ent.RecoveryCode{}, ent.RecoveryCodeEdges{}, ent.Object{})

// ask sends a question, with what its blanks are filled with.
func (e *endpoint) ask(token, query string, sends map[string]string) *answer {
	e.t.Helper()
	for _, blank := range []string{"<name>", "<new name>", "<password>", "<real name>", "<number>", "<code>", "<session>"} {
		query = strings.ReplaceAll(query, blank, toJSON(e.t, sends[blank]))
	}
	if strings.Contains(query, "$file") {
		operations := toJSON(e.t, vars{"query": query, "variables": vars{"file": nil}})
		return e.postForm(form(part{"operations", "", operations}, mapPart, part{"0", "me.png", string(picture(e.t))}), bearer(token)...)
	}
	return e.query(token, query, nil)
}

// valueAt is the one leaf of an answer, of lists that of the first element; nil where
// something on the way is null.
func valueAt(data map[string]any) any {
	for _, value := range data {
		if object, ok := value.(map[string]any); ok {
			return valueAt(object)
		}
		if list, ok := value.([]any); ok && len(list) > 0 {
			if object, ok := list[0].(map[string]any); ok {
				return valueAt(object)
			}
		}
		return value
	}
	return nil
}

// accessRows are the rows of the table, each a field and its outcomes.
func accessRows() (rows [][]string) {
	for _, line := range strings.Split(access, "\n")[2:] {
		if line != "" {
			rows = append(rows, strings.Fields(line))
		}
	}
	return rows
}

func TestOfEveryFieldItIsSaidWhoMayAskForIt(t *testing.T) {
	var inTable, inSchema []string
	for _, row := range accessRows() {
		inTable = append(inTable, row[0])
	}
	for _, definition := range loadSchema(t).Types {
		for _, field := range definition.Fields {
			if definition.Kind == gqlast.Object && !definition.BuiltIn && !strings.HasPrefix(field.Name, "__") {
				inSchema = append(inSchema, definition.Name+"."+field.Name)
			}
		}
	}
	slices.Sort(inTable)
	slices.Sort(inSchema)
	if diff := cmp.Diff(inTable, inSchema); diff != "" {
		t.Errorf("the table has other fields than the schema (-table +schema):\n%s", diff)
	}
}

func TestWhoMayWhat(t *testing.T) {
	schema, e := loadSchema(t), newEndpoint(t)
	e.query("", `mutation { signUp(input: { name: "Nobody", password: "`+everybodysPassword+`" }) { user { id } } }`, nil)
	hash := e.db.User.Query().OnlyX(t.Context()).PasswordHash
	anonymous := e.newPerson("Grace", hash, "王五", "440524188001010014") // has a session, and doesn't send it
	owner := e.newPerson("Olivia", hash, "张三", "11010519491231002X")
	other := e.newPerson("Nathan", hash, "李四", "110101199003070011")
	people := []*person{anonymous, owner, other}
	for _, row := range accessRows() {
		query, leaf := question(t, schema, row[0])
		var first any
		for i, asker := range append(people, owner) {
			outcome, what := row[1+i], fmt.Sprintf("%s asked for by %s (column %d)", row[0], asker.row.Name, 1+i)
			token := e.begin(people)[asker]
			if asker == anonymous {
				token = ""
			}
			if i == len(people) { // the owner for the second time
				e.db.Session.Update().SetAuthenticatedAt(e.clock.Now().Add(-601 * time.Second)).ExecX(t.Context())
			}
			before := e.states(people)
			a := e.ask(token, query, asker.sends)
			if outcome == "-" && e.ask(token, query, nil).code() != a.code() {
				t.Errorf("%s: it is told what is wrong with the input", what)
			}
			e.checkOthers(what, before, a, func(p *person) bool { return p == asker && (outcome == "own" || outcome == "codes") })

			got, leaf := valueAt(a.Data), leaf
			if strings.HasSuffix(leaf, ".sessionToken") && got != nil { // it shows whose session it opens
				got, leaf = valueAt(e.query(got.(string), `{ me { id } }`, nil).Data), "User.id"
			}
			if i == 0 || outcome == "codes" {
				first = got
			}
			want, code := e.expected(outcome, leaf, asker, first)
			if a.code() != code || !cmp.Equal(want, got) || code == "" && strings.Contains(a.Body, "null") {
				t.Errorf("%s: %s, want %v %s", what, a.Body, want, code)
			}
		}
	}
	if log := e.log.troubles(); log != "" {
		t.Errorf("the log has: %s", log)
	}
}

// checkOthers checks that what is of people is as it was, and not in the answer, but
// for whose it may be.
func (e *endpoint) checkOthers(what string, before map[*person]state, a *answer, except func(*person) bool) {
	e.t.Helper()
	text := a.Body + fmt.Sprint(a.Header)
	for p := range before {
		if except(p) {
			continue
		}
		if diff := cmp.Diff(before[p], e.states([]*person{p})[p], ignoreUnexported); diff != "" {
			e.t.Errorf("%s: what is of %s has changed (-before +after):\n%s", what, p.row.Name, diff)
		}
		for field, value := range p.shows {
			if value, ok := value.(string); ok && value != "SIGN_IN_FAILED" && strings.Contains(text, value) {
				e.t.Errorf("%s: the answer has the %s of %s: %s", what, field, p.row.Name, text)
			}
		}
	}
}

// expected is what a word of the table stands for; first is what the first asker got.
func (e *endpoint) expected(outcome, leaf string, asker *person, first any) (value any, code string) {
	e.t.Helper()
	switch outcome {
	case "all":
		return first, ""
	case "own":
		if value, ok := asker.shows[leaf]; ok {
			return value, ""
		}
		_, field, _ := strings.Cut(leaf, ".")
		return asker.shows[field], ""
	case "codes":
		if list, ok := first.([]any); ok && len(list) == 10 {
			return first, ""
		}
		return asker.shows["userErrors"], ""
	case "new":
		if strings.HasSuffix(leaf, ".userErrors") {
			return asker.shows["userErrors"], ""
		}
		return e.db.User.Query().Where(entuser.Name(newName)).OnlyIDX(e.t.Context()).String(), ""
	case "-":
		return nil, "UNAUTHENTICATED"
	case "stale":
		return nil, "REAUTHENTICATION_REQUIRED"
	}
	e.t.Fatalf("the table has an unknown word: %s", outcome)
	return nil, ""
}
