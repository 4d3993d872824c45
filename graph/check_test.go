package graph

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// times repeats a text, in which # is the number.
func times(n int, text string) string {
	var all strings.Builder
	for i := range n {
		all.WriteString(strings.ReplaceAll(text, "#", fmt.Sprint(i)) + " ")
	}
	return all.String()
}

const signIn = `signIn(input: { name: "x", password: "x" }) { userErrors { code } } `

// bounds has for each limit a query that just keeps within it and one that goes beyond by
// one, inline and through fragments. What is within must be answered, unless the schema
// has no such query: then it may be refused for that.
var bounds = []struct {
	name           string
	within, beyond string
	message        string
}{
	{
		"query text",
		`{ __typename } ` + strings.Repeat(" ", 16384-15),
		`{ __typename } ` + strings.Repeat(" ", 16384-14),
		"The query has more than 16384 bytes.",
	},
	{
		"tokens", // a list is one value
		`{ __type(name: "x") { name } ` + `...F } fragment F on Query { __typename @skip(if: [` + times(1000-28, "1") + `]) }`,
		`{ __type(name: "x") { name } ` + `...F } fragment F on Query { __typename @skip(if: [` + times(1000-27, "1") + `]) }`,
		"The query has more than 1000 tokens.",
	},
	{
		"operations",
		times(5, `query Q# { __typename }`), times(6, `query Q# { __typename }`),
		"The query has more than 5 operations.",
	},
	{
		"fragments",
		`query Q0 { ` + times(20, `...F#`) + `}` + times(20, `fragment F# on Query { __typename }`),
		`query Q0 { ` + times(21, `...F#`) + `}` + times(21, `fragment F# on Query { __typename }`),
		"The query has more than 20 fragments.",
	},
	{
		"variables",
		`query Q0(` + times(30, `$v#: Boolean! = true`) + `) { __type(name: "x") { name @skip(if: [` + times(30, `$v#`) + `]) } }`,
		`query Q0(` + times(31, `$v#: Boolean! = true`) + `) { __type(name: "x") { name @skip(if: [` + times(31, `$v#`) + `]) } }`,
		"An operation has more than 30 variables.",
	},
	{
		"depth", // deeper than the schema goes
		`{ ` + times(14, `limits {`) + `name ` + times(14, `}`) + `}`,
		`{ ` + times(15, `limits {`) + `name ` + times(15, `}`) + `}`,
		"The query is more than 15 fields deep.",
	},
	{
		"depth through fragments",
		`{ ` + times(7, `limits {`) + `...F ` + times(7, `}`) + `} fragment F on Limits { ` + times(7, `name { ... {`) + `x` + times(7, `} }`) + `}`,
		`{ ` + times(7, `limits {`) + `...F ` + times(7, `}`) + `} fragment F on Limits { ` + times(8, `name { ... {`) + `x` + times(8, `} }`) + `}`,
		"The query is more than 15 fields deep.",
	},
	{
		"fields",
		`{ limits { name { ` + times(248, `minLength`) + `} } }`,
		`{ limits { name { ` + times(249, `minLength`) + `} } }`,
		"The query selects more than 250 fields.",
	},
	{
		"fields through fragments",
		`{ limits { name { ...F ... on NameLimits { ...F } } } } fragment F on NameLimits { ` + times(124, `minLength`) + `}`,
		`{ limits { name { ...F ... on NameLimits { ...F } maxLength } } } fragment F on NameLimits { ` + times(124, `minLength`) + `}`,
		"The query selects more than 250 fields.",
	},
	{
		"fields of a fragment that is not spread", // which is refused for that
		`{ __typename } fragment F on NameLimits { ` + times(250, `minLength`) + `}`,
		`{ __typename } fragment F on NameLimits { ` + times(251, `minLength`) + `}`,
		"The query selects more than 250 fields.",
	},
	{
		"fields of the schema, apart from the others",
		`{ limits { name { ` + times(248, `minLength`) + `} } __schema { queryType { ` + times(248, `name`) + `} } }`,
		`{ limits { name { ` + times(248, `minLength`) + `} } __schema { queryType { ` + times(249, `name`) + `} } }`,
		"The query selects more than 250 fields of the schema.",
	},
	{
		"fields of the schema through fragments",
		`{ ...R } fragment R on Query { __type(name: "User") { kind ...T ...T } } fragment T on __Type { name ` + times(122, `kind`) + ` name }`,
		`{ ...R } fragment R on Query { __type(name: "User") { kind name ...T ...T } } fragment T on __Type { name ` + times(122, `kind`) + ` name }`,
		"The query selects more than 250 fields of the schema.",
	},
	{
		"aliases",
		`{ limits { name { ` + times(20, `a#: minLength`) + `} } }`,
		`{ limits { name { ` + times(21, `a#: minLength`) + `} } }`,
		"The query has more than 20 aliases.",
	},
	{
		"aliases through fragments",
		`{ limits { a: name { ...F } b: name { ...F } } } fragment F on NameLimits { ` + times(9, `a#: minLength`) + `}`,
		`{ limits { a: name { ...F } b: name { ...F } c: name { minLength } } } fragment F on NameLimits { ` + times(9, `a#: minLength`) + `}`,
		"The query has more than 20 aliases.",
	},
	{
		"an alias",
		`{ ` + strings.Repeat("a", 100) + `: __typename }`, `{ ` + strings.Repeat("a", 101) + `: __typename }`,
		"An alias has more than 100 characters.",
	},
	{
		"an alias in introspection",
		`{ a: __type(name: "User") { name } b: __type(name: "Profile") { name } }`, `{ a: __schema { queryType { name } } }`,
		"Neither __schema nor a field of the schema may have an alias.",
	},
	{
		"an alias in introspection, through fragments",
		`{ a: __type(name: "User") { ...T } } fragment T on __Type { name }`, `{ __type(name: "User") { ...T } } fragment T on __Type { fields { a: name } }`,
		"Neither __schema nor a field of the schema may have an alias.",
	},
	{
		"directives",
		`{ limits { name { ` + times(20, `minLength @skip(if: false)`) + `} } }`,
		`{ limits { name { ` + times(21, `minLength @skip(if: false)`) + `} } }`,
		"The query has more than 20 directives.",
	},
	{
		"directives through fragments",
		`{ limits { name { ...F @skip(if: false) ... @skip(if: false) { ...F } } } } fragment F on NameLimits { ` + times(9, `minLength @skip(if: false)`) + `}`,
		`{ limits { name @skip(if: false) { ...F @skip(if: false) ... @skip(if: false) { ...F } } } } fragment F on NameLimits { ` + times(9, `minLength @skip(if: false)`) + `}`,
		"The query has more than 20 directives.",
	},
	{
		"directives on definitions", // where none of the schema's may be
		`query Q0($v: Boolean! @a @b @c @d) @e @f @g @h { ...F @include(if: $v) } fragment F on Query @a @b @c @d @e @f @g @h @i @j @k { __typename }`,
		`query Q0($v: Boolean! @a @b @c @d) @e @f @g @h { ...F @include(if: $v) } fragment F on Query @a @b @c @d @e @f @g @h @i @j @k @l { __typename }`,
		"The query has more than 20 directives.",
	},
	{
		"roots of a query",
		`{ ` + times(20, `__typename`) + `}`, `{ ` + times(21, `__typename`) + `}`,
		"A query may have at most 20 fields at its root.",
	},
	{
		"roots of a query through fragments",
		`{ ...F ... { ...F } } fragment F on Query { ` + times(10, `__typename`) + `}`,
		`{ ...F ... { ...F } __typename } fragment F on Query { ` + times(10, `__typename`) + `}`,
		"A query may have at most 20 fields at its root.",
	},
	{
		"roots of a mutation",
		`mutation Q0 { ` + times(3, `a#: signOut { userErrors { code } }`) + `}`,
		`mutation Q0 { ` + times(4, `a#: signOut { userErrors { code } }`) + `}`,
		"A mutation may have at most 3 fields at its root.",
	},
	{
		"roots of a mutation through fragments",
		`mutation Q0 { ...F ... { __typename } } fragment F on Mutation { __typename signOut { __typename } }`,
		`mutation Q0 { ...F ... { __typename ...F } } fragment F on Mutation { __typename signOut { __typename } }`,
		"A mutation may have at most 3 fields at its root.",
	},
	{
		"a mutation that takes a password",
		`mutation Q0 { ` + signIn + `}`, `mutation Q0 { __typename ` + signIn + `}`,
		"signIn must be the only field of its mutation.",
	},
	{
		"a mutation that takes a password, through fragments",
		`mutation Q0 { ...F } fragment F on Mutation { ... { ` + signIn + `} }`,
		`mutation Q0 { ...F ...F } fragment F on Mutation { ... { ` + signIn + `} }`,
		"signIn must be the only field of its mutation.",
	},
}

func TestAQueryMayGoToEachLimitAndNoFurther(t *testing.T) {
	e := newEndpoint(t)
	for _, b := range bounds {
		for accept, status := range map[string]int{"application/json": http.StatusOK, graphqlResponse: http.StatusBadRequest} {
			ask := func(query string) *answer {
				body := vars{"query": query}
				if strings.Contains(query, "Q0") {
					body["operationName"] = "Q0"
				}
				return e.post(toJSON(t, body), "Accept", accept)
			}
			if a := ask(b.within); a.code() == "COMPLEXITY_LIMIT_EXCEEDED" || a.Data == nil && a.code() != "GRAPHQL_VALIDATION_FAILED" {
				t.Errorf("within %s: status %d, %.300s", b.name, a.Status, a.Body)
			}
			a := ask(b.beyond)
			want := &answer{Status: status, Errors: []answerError{{
				Message:    b.message,
				Extensions: map[string]any{"code": "COMPLEXITY_LIMIT_EXCEEDED"},
			}}}
			if diff := cmp.Diff(want, &answer{Status: a.Status, Data: a.Data, Errors: a.Errors}); diff != "" {
				t.Errorf("beyond %s (-want +got):\n%s", b.name, diff)
			}
		}
	}
	if log := e.log.troubles(); log != "" {
		t.Errorf("the log has: %s", log)
	}
}

// The limits are settings: half of each is as exact as the default.
func TestEachLimitOfAQueryIsASetting(t *testing.T) {
	for name, test := range map[string]struct {
		set            func(*RequestLimits)
		within, beyond string
	}{
		"MaxQuery":         {func(l *RequestLimits) { l.MaxQuery = 14 }, `{ __typename }`, `{  __typename }`},
		"MaxTokens":        {func(l *RequestLimits) { l.MaxTokens = 3 }, `{ __typename }`, `{ __typename __typename }`},
		"MaxOperations":    {func(l *RequestLimits) { l.MaxOperations = 1 }, `query Q0 { __typename }`, times(2, `query Q# { __typename }`)},
		"MaxFragments":     {func(l *RequestLimits) { l.MaxFragments = 1 }, `{ ...F0 }` + times(1, `fragment F# on Query { __typename }`), `{ ...F0 ...F1 }` + times(2, `fragment F# on Query { __typename }`)},
		"MaxVariables":     {func(l *RequestLimits) { l.MaxVariables = 1 }, `query($a: Boolean! = true) { __typename @skip(if: $a) }`, `query($a: Boolean! = true, $b: Boolean! = true) { __typename @skip(if: $a) @include(if: $b) }`},
		"MaxDepth":         {func(l *RequestLimits) { l.MaxDepth = 2 }, `{ limits { __typename } }`, `{ limits { name { minLength } } }`},
		"MaxFields":        {func(l *RequestLimits) { l.MaxFields = 2 }, `{ limits { __typename } }`, `{ limits { __typename __typename } }`},
		"MaxAliases":       {func(l *RequestLimits) { l.MaxAliases = 1 }, `{ a: __typename }`, `{ a: __typename b: __typename }`},
		"MaxDirectives":    {func(l *RequestLimits) { l.MaxDirectives = 1 }, `{ __typename @skip(if: false) }`, `{ __typename @skip(if: false) @include(if: true) }`},
		"MaxQueryRoots":    {func(l *RequestLimits) { l.MaxQueryRoots = 1 }, `{ __typename }`, `{ __typename __typename }`},
		"MaxMutationRoots": {func(l *RequestLimits) { l.MaxMutationRoots = 1 }, `mutation { __typename }`, `mutation { __typename __typename }`},
	} {
		e := newEndpoint(t)
		limits := defaultLimits(t)
		test.set(&limits)
		e.serve(Options{Limits: limits})
		if a := e.query("", test.within, nil); a.code() != "" {
			t.Errorf("%s, within: %s", name, a.Body)
		}
		if a := e.query("", test.beyond, nil); a.code() != "COMPLEXITY_LIMIT_EXCEEDED" {
			t.Errorf("%s, beyond: %s", name, a.Body)
		}
	}
}

// Whoever adds a mutation that takes a password must add it to the list.
func TestEveryMutationThatTakesAPasswordMustBeAlone(t *testing.T) {
	schema := loadSchema(t)
	for _, mutation := range schema.Mutation.Fields {
		for _, argument := range mutation.Arguments {
			for _, field := range schema.Types[argument.Type.Name()].Fields {
				if !strings.Contains(strings.ToLower(field.Name), "password") {
					continue
				}
				query := `mutation { __typename ` + mutation.Name + ` { __typename } }`
				if a := newEndpoint(t).query("", query, nil); a.message() != mutation.Name+" must be the only field of its mutation." {
					t.Errorf("%s: %s", mutation.Name, a.Body)
				}
			}
		}
	}
}

func TestIntrospectionMayGoAsDeepAsGraphQLJSLetsIt(t *testing.T) {
	e := newEndpoint(t)
	for query, code := range map[string]string{
		`{ __schema { types { fields { type { fields { name } } } } } }`:                                            "",
		`{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }`:                        "GRAPHQL_VALIDATION_FAILED",
		`{ __schema { types { ...T } } } fragment T on __Type { interfaces { possibleTypes { fields { name } } } }`: "GRAPHQL_VALIDATION_FAILED",
		`{ __type(name: "User") { ` + times(30, `ofType {`) + `name` + times(30, `}`) + ` } }`:                      "",
	} {
		if a := e.query("", query, nil); a.code() != code {
			t.Errorf("%s: %.200s", query, a.Body)
		}
	}
}

func TestAFragmentThatSpreadsItselfIsRefused(t *testing.T) {
	e := newEndpoint(t)
	for _, query := range []string{
		`{ ...A } fragment A on Query { ...A }`,
		`{ ...A } fragment A on Query { ... { ...B } } fragment B on Query { __typename ...A }`,
		`{ __typename } fragment A on Query { ...A }`,
	} {
		a := e.query("", query, nil)
		if a.code() != "GRAPHQL_VALIDATION_FAILED" || a.message() != "A fragment spreads itself." {
			t.Errorf("%s: %s", query, a.Body)
		}
	}
}

// bomb is a query of many fragments, each of which spreads the next one many times.
func bomb(fragments, spreads int) string {
	var query strings.Builder
	query.WriteString(`{ ...F0 }`)
	for i := range fragments {
		fmt.Fprintf(&query, ` fragment F%d on Query { %s}`, i, strings.Repeat(fmt.Sprintf("...F%d ", i+1), spreads))
	}
	fmt.Fprintf(&query, ` fragment F%d on Query { __typename }`, fragments)
	return query.String()
}

func TestFragmentsThatMultiplyAreCountedOnce(t *testing.T) {
	e := newEndpoint(t)
	for _, query := range []string{bomb(19, 2), bomb(19, 15), bomb(3, 200)} {
		if a := e.query("", query, nil); a.code() != "COMPLEXITY_LIMIT_EXCEEDED" {
			t.Errorf("%.60s: %s", query, a.Body)
		}
	}
}
