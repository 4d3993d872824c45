package graph

import (
	_ "embed"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// introspectionQuery is what getIntrospectionQuery of graphql-js 16 returns with
// all its options on; playgrounds and code generators send it or less.
//
//go:embed testdata/introspection.graphql
var introspectionQuery string

// introspected returns the names in a list of the schema that clients see.
func introspected(t *testing.T, a *answer, list string) []string {
	t.Helper()
	schema, ok := a.Data["__schema"].(map[string]any)
	if !ok {
		t.Fatal(a.Body)
	}
	var names []string
	for _, element := range schema[list].([]any) {
		names = append(names, element.(map[string]any)["name"].(string))
	}
	return names
}

func TestClientsCanAskForTheSchema(t *testing.T) {
	a := newEndpoint(t).query("", introspectionQuery, nil)
	types := introspected(t, a, "types")
	for name := range loadSchema(t).Types {
		if !slices.Contains(types, name) {
			t.Errorf("the type %s is not in it", name)
		}
	}
}

// What no client can use is not offered: responses aren't sent in parts.
func TestTheSchemaHasOnlyDirectivesThatWork(t *testing.T) {
	e := newEndpoint(t)
	got := introspected(t, e.query("", introspectionQuery, nil), "directives")
	slices.Sort(got)
	if diff := cmp.Diff([]string{"auth", "deprecated", "include", "oneOf", "skip", "specifiedBy"}, got); diff != "" {
		t.Errorf("directives (-want +got):\n%s", diff)
	}
	_, token := e.newUser("Alice")
	a := e.query(token, `{ me { ... @defer { avatarUrl } } }`, nil)
	if a.code() != "GRAPHQL_VALIDATION_FAILED" {
		t.Errorf("@defer: %s", a.Body)
	}
}

func TestIntrospectionCanBeOff(t *testing.T) {
	e := newEndpoint(t)
	_, token := e.newUser("Alice")
	e.serve(Options{Limits: defaultLimits(t)})
	for _, query := range []string{
		introspectionQuery,
		`{ __schema { queryType { name } } }`,
		`{ a: __type(name: "User") { name } }`,
		`{ __type(name: "User") { name } }`,
		`{ ...F } fragment F on Query { ... on Query { __type(name: "User") { name } } }`,
	} {
		a := e.query(token, query, nil)
		if a.code() != "GRAPHQL_VALIDATION_FAILED" || a.message() != "Introspection is off on this server." || a.Data != nil {
			t.Errorf("%.40s: %s", query, a.Body)
		}
	}
	a := e.query(token, `{ __typename me { __typename } }`, nil)
	want := map[string]any{"__typename": "Query", "me": map[string]any{"__typename": "User"}}
	if diff := cmp.Diff(want, a.Data); diff != "" {
		t.Errorf("__typename (-want +got):\n%s", diff)
	}
	if log := e.log.troubles(); strings.Contains(log, "ERROR") {
		t.Errorf("the log has: %s", log)
	}
}
