package graph

import (
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// fieldsMerge relies on it: fields of two types in one set may differ.
func TestTheSchemaHasNoInterfaceAndNoUnion(t *testing.T) {
	for _, definition := range loadSchema(t).Types {
		if definition.Kind == ast.Interface || definition.Kind == ast.Union {
			t.Errorf("%s is one", definition.Name)
		}
	}
}

// queriesThatMerge are by whether their fields do.
var queriesThatMerge = map[string]bool{
	`{ me { name, name } }`:                                                                                            true,
	`{ me { name: id name } }`:                                                                                         false,
	`{ me { a: name a: id } }`:                                                                                         false,
	`{ me { name } me { id } }`:                                                                                        true,
	`{ me { a: name } me { a: id } }`:                                                                                  false,
	`{ me { a: name } b: me { a: id } }`:                                                                               true,
	`{ me { avatarUrl(size: 1) avatarUrl(size: 1) } }`:                                                                 true,
	`{ me { avatarUrl(size: 1) avatarUrl(size: 2) } }`:                                                                 false,
	`{ me { avatarUrl(size: 1) avatarUrl } }`:                                                                          false,
	`{ me { avatarUrl(size: 1) } ... { me { avatarUrl(size: 2) } } }`:                                                  false,
	`query($a: Int!, $b: Int!) { me { avatarUrl(size: $a) ... { avatarUrl(size: $b) } } }`:                             false,
	`query($a: Int!) { me { avatarUrl(size: $a) ... { avatarUrl(size: $a) } } }`:                                       true,
	`{ me { ...F a: id } } fragment F on User { a: name }`:                                                             false,
	`{ me { ...F ...G } } fragment F on User { a: name } fragment G on User { a: id }`:                                 false,
	`{ me { ...F ...F b: id } } fragment F on User { a: name }`:                                                        true,
	`{ me { verification { a: savedAt } ...F } } fragment F on User { verification { a: realName } }`:                  false,
	`{ limits { name { a: minLength } realName { a: maxLength } } }`:                                                   true,
	`{ a: __typename a: __typename }`:                                                                                  true,
	`mutation { updateName(input: { name: "a" }) { user { id } } updateName(input: { name: "a" }) { user { name } } }`: true,
	`mutation { updateName(input: { name: "a" }) { user { id } } updateName(input: { name: "b" }) { user { id } } }`:   false,
	`mutation { signIn(input: { name: "a", password: "b" }) { user { id } } signIn(input: { password: "b", name: "a" }) { user { id } } }`: true,
	`{ me { name @skip(if: true) name @include(if: true) } }`:                                                                              true,
	`{ me { a: name @skip(if: true) a: id @include(if: true) } }`:                                                                          false,
}

func TestFieldsOfOneNameMustBeTheSame(t *testing.T) {
	e := newEndpoint(t)
	for query, merge := range queriesThatMerge {
		variables := vars{"a": 1, "b": 1}
		a := e.query("", query, variables)
		if refused := a.code() == "GRAPHQL_VALIDATION_FAILED"; refused == merge {
			t.Errorf("%s: %s", query, a.Body)
		}
		if !merge && a.message() != "The query breaks the rule OverlappingFieldsCanBeMerged." {
			t.Errorf("%s: %s", query, a.message())
		}
	}
}

// What is refused is what gqlparser's own rule refuses.
func FuzzFieldsMerge(f *testing.F) {
	for query := range queriesThatMerge {
		f.Add(query)
	}
	limits := defaultLimits(f)
	// The other rule takes time that the limits don't bound.
	limits.MaxTokens, limits.MaxFields = 200, 50
	schema := servedSchema()
	others := rules.NewDefaultRules()
	others.RemoveRule(rules.OverlappingFieldsCanBeMergedRule.Name)
	theirs := rules.NewRules(rules.OverlappingFieldsCanBeMergedRule)
	ours := rules.NewRules()
	ours.AddRule("ours", fieldsMerge)
	f.Fuzz(func(t *testing.T, query string) {
		doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: query}, limits.MaxTokens)
		if err != nil || limits.check(doc) != nil || len(validator.ValidateWithRules(schema, doc, others)) > 0 {
			return
		}
		want, got := validator.ValidateWithRules(schema, doc, theirs), validator.ValidateWithRules(schema, doc, ours)
		if (len(want) > 0) != (len(got) > 0) {
			t.Errorf("refused with %v, by gqlparser with %v", got, want)
		}
	})
}
