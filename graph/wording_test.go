package graph

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDevelopersReadWhatIsWrongWithAQuery(t *testing.T) {
	e := newEndpoint(t)
	for query, want := range map[string]string{
		`{ me { nickname } }`:              `Cannot query field "…" on type "User".`,
		`{ me { avatarUrl(px: 1) } }`:      `Unknown argument "…" on field "User.avatarUrl".`,
		`{ me }`:                           `Field "me" of type "User" must have a selection of subfields.`,
		`{ me { name { __typename } } }`:   `Field "name" must not have a selection since type "String" has no subfields.`,
		`{ me @cached { name } }`:          `Unknown directive "@…".`,
		`{ me @include { name } }`:         `Directive "@include" argument "if" of type "Boolean!" is required, but it was not provided.`,
		`{ me { ...F } }`:                  `Unknown fragment "…".`,
		`{ me { ... on Usr { name } } }`:   `Unknown type "…".`,
		`{ me { avatarUrl(size: "big") }}`: `Expected a value of type "Int".`,
		`{ me { avatarUrl(size: {}) } }`:   `Expected a value of type "Int".`,
		`{ __typename @skip(if: {}) }`:     `Expected a value of type "Boolean".`,
		`mutation { updateName(input: { name: {} }) { user { name } } }`: `Expected a value of type "String".`,
		`mutation { updateName { user { name } } }`:                      `Field "updateName" argument "input" of type "UpdateNameInput!" is required, but it was not provided.`,
		`mutation { updateName(input: {}) { user { name } } }`:           `Field "UpdateNameInput.name" of required type "String!" was not provided.`,
		`mutation { updateName(input: "x") { user { name } } }`:          `Expected a value of type "UpdateNameInput!".`,
		`mutation { updateName(input: null) { user { name } } }`:         `Expected a value of type "UpdateNameInput!".`,
		`query($size: Int!) { me { avatarUrl(size: $size) } }`:           `The variable "size" must be defined.`,
		`query($size: ID) { me { avatarUrl(size: $size) } }`:             `Variable "$size" of type "ID" used in position expecting type "Int!".`,
		`query($pixels: Int!) { me { avatarUrl(size: $pixels) }}`:        `The variable "…" must be defined.`,
		`{ me { name }`: `The query is not valid GraphQL.`,
		`{ ` + strings.Repeat("__typename ", 1000) + `}`: `The query has more than 1000 tokens.`,
	} {
		a := e.query("", query, nil)
		if a.message() != want {
			t.Errorf("%.60s: %q, want %q", query, a.message(), want)
		}
		if len(a.Errors) > 0 && len(a.Errors[0].Locations) == 0 && !strings.HasPrefix(want, "The query has more") {
			t.Errorf("%.60s: no location in %s", query, a.Body)
		}
	}
}

func TestDevelopersReadWhatIsWrongWithAVariable(t *testing.T) {
	e := newEndpoint(t)
	for want, input := range map[string]any{
		`The variable "input" cannot be null.`:                     nil,
		`The variable "input" has a value of the wrong type.`:      "x",
		`The variable "input" has an unknown field.`:               vars{"name": "x", "nme": "x"},
		`The variable "input.name" must be defined.`:               vars{},
		`The variable "input.name" cannot be null.`:                vars{"name": nil},
		`The variable "input.name" has a value of the wrong type.`: vars{"name": 1},
	} {
		a := e.query("", rename, vars{"input": input})
		if a.message() != want || a.code() != "GRAPHQL_VALIDATION_FAILED" {
			t.Errorf("%v: %s, want %q", input, a.Body, want)
		}
		if diff := cmp.Diff([]map[string]int{{"line": 1, "column": 10}}, a.Errors[0].Locations); diff != "" {
			t.Errorf("%v: the location (-want +got):\n%s", input, diff)
		}
	}
}
