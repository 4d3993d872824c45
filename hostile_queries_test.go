package main

import (
	"fmt"
	"net/http"
	"strings"
)

// bomb are fragments, each of which spreads the next one many times, but for the last.
func bomb(on string, fragments, spreads int, last string) string {
	var all strings.Builder
	for i := range fragments - 1 {
		fmt.Fprintf(&all, "fragment F%d on %s{%s}", i, on, strings.Repeat(fmt.Sprintf("...F%d ", i+1), spreads))
	}
	fmt.Fprintf(&all, "fragment F%d on %s{%s}", fragments-1, on, last)
	return all.String()
}

// queries are hostile as GraphQL. They are answered with the status 200, or with 400
// where that is what the client accepts.
func queries() []attack {
	const (
		invalid     = "GRAPHQL_VALIDATION_FAILED"
		unparseable = "GRAPHQL_PARSE_FAILED"
		tooComplex  = "COMPLEXITY_LIMIT_EXCEEDED"
		accepted    = ""
	)
	signIn := `signIn(input:{name:"Alice",password:"hunter2"}){__typename}`
	var all []attack
	for _, q := range []struct{ name, query, code string }{
		{"signIn under 1,000 aliases", `mutation($i:SignInInput!){` + times(1000, `a#:signIn(input:$i){user{id}}`) + `}`, tooComplex},
		{"signIn under 20 aliases", `mutation{` + times(20, "a#:"+signIn) + `}`, tooComplex},
		{"signIn twice", `mutation{a:` + signIn + `b:` + signIn + `}`, tooComplex},
		{"signIn twice by a fragment", `mutation{...F...F}fragment F on Mutation{` + signIn + `}`, tooComplex},
		{"four roots of a mutation", `mutation{` + times(4, `a#:updateName(input:{name:""}){userErrors{code}}`) + `}`, tooComplex},
		{"21 roots of a query", `{` + times(21, ` __typename`) + `}`, tooComplex},
		{"400 aliases", `{limits{` + times(400, ` a#:name`) + `}}`, tooComplex},
		{"an alias of 16 KB", `{` + strings.Repeat("a", 16000) + `:__typename}`, tooComplex},
		{"300 directives on a field", `{__typename` + strings.Repeat(" @hunter2", 300) + `}`, tooComplex},
		{"300 directives on an operation", `query` + strings.Repeat(" @hunter2", 300) + `{__typename}`, tooComplex},
		{"300 directives on a variable", `query($v:Int` + strings.Repeat(" @hunter2", 300) + `){__typename}`, tooComplex},
		{"16 selections deep", within(15, `{limits`, `{name}`, `}`), tooComplex},
		{"320 selections deep", within(320, `{hunter2`, `{name}`, `}`), tooComplex},

		{"a fragment that spreads itself", `{...A}fragment A on Query{...A}`, invalid},
		{"fragments that spread each other", `{...A}fragment A on Query{...B}fragment B on Query{...A}`, invalid},
		{"a cycle of 20 fragments", `{...F0}` + times(19, `fragment F# on Query{...F_#}`) + `fragment F19 on Query{...F0}`, invalid},
		{"20 fragments that double", `{...F0}` + bomb("Query", 20, 2, `__typename`), tooComplex},
		{"20 fragments that multiply by 20", `{...F0}` + bomb("Query", 20, 20, `__typename`), tooComplex},
		{"20 fragments that multiply by 40", `{...F0}` + bomb("Query", 20, 40, `__typename`), tooComplex},
		{"20 fragments that multiply and spread the first", `{...F0}` + bomb("Query", 20, 20, `...F0`), invalid},
		{"fragments that multiply in introspection", `{__schema{types{...F0}}}` + bomb("__Type", 20, 2, `name`), tooComplex},
		{"fragments that multiply and are not spread", `{__typename}` + bomb("Query", 20, 2, `__typename`), tooComplex},
		{"21 fragments", `{` + times(21, `...F#`) + `}` + times(21, `fragment F# on Query{__typename}`), tooComplex},
		{"20 unused fragments", `{__typename}` + times(20, `fragment F# on Query{__typename}`), invalid},
		{"20 fragments of one name", `{...F}` + times(20, `fragment F on Query{__typename}`), invalid},
		{"a fragment of 16 KB", `{...` + strings.Repeat("F", 16000) + `}`, invalid},

		{"a field 1,000 times", `{limits{` + strings.Repeat(`name `, 1000) + `}}`, tooComplex},
		{"a field 240 times", `{limits{name{` + strings.Repeat(`minLength `, 240) + `}}}`, accepted},
		{"an unknown field 240 times", `{limits{` + strings.Repeat(`hunter2 `, 240) + `}}`, invalid},
		{"an unknown argument 160 times", `{limits(` + times(160, `hunter2#:1 `) + `){name}}`, invalid},
		{"an argument 240 times", `{me{avatarUrl(` + strings.Repeat(`size:1 `, 240) + `)}}`, invalid},
		{"45 KB of conflicts", `{` + times(1800, `a:name b:id `) + `}`, tooComplex},
		{"conflicts under 20 aliases", `{limits{name{` + times(10, `a#:minLength a#:maxLength `) + `}}}`, invalid},
		{"25,000 conflicts", `{me{` + times(148, `avatarUrl(size:#)`) + strings.Repeat(` avatarUrl`, 99) + `}}`, invalid},
		{"conflicts 140 fragments deep", `{me{` + within(140, `...{`, times(60, `avatarUrl(size:#)`)+strings.Repeat(` avatarUrl`, 180), `}`) + `}}`, invalid},
		{"conflicts in five operations", times(5, `query Q#{me{...F}}`) + `fragment F on User{` + within(140, `...{`, times(60, `avatarUrl(size:#)`)+strings.Repeat(` avatarUrl`, 140), `}`) + `}`, invalid},
		{"a field 240 times, 200 fragments deep", `{limits{` + within(200, `...{`, strings.Repeat(` name`, 240), `}`) + `}}`, invalid},
		{"the schema 20 times", `{` + times(20, ` a#:__schema{types{name fields{name args{name}type{name fields{args{name}}}}}}`) + `}`, tooComplex},
		{"fields of the schema 20 times", `{__schema{types{` + times(20, ` a#:fields{description type{ofType{fields{description}}fields{description}}}`) + `}}}`, tooComplex},
		{"introspection 4 lists deep", `{__schema{types{fields{type{fields{type{fields{name}}}}}}}}`, invalid},
		{"introspection by fragments", `{__schema{types{...T}}}fragment T on __Type{fields{type{fields{type{fields{name}}}}}}`, invalid},
		{"ofType 240 times", `{__type(name:"hunter2"){` + within(240, `ofType{`, `name`, `}`) + `}}`, accepted},
		{"ofType 300 times", `{__type(name:"hunter2"){` + within(300, `ofType{`, `name`, `}`) + `}}`, tooComplex},

		{"a list 16 KB deep", `{f(a:` + strings.Repeat("[", 16000), tooComplex},
		{"a list 480 deep", `{f(a:` + within(480, "[", "1", "]") + `)}`, invalid},
		{"a list 480 deep for a number", `{me{avatarUrl(size:` + within(480, "[", "1", "]") + `)}}`, invalid},
		{"an object 240 deep", `mutation{updateName(input:` + within(240, "{name:", `"hunter2"`, "}") + `){user{id}}}`, invalid},
		{"a list never closed", `{f(a:` + strings.Repeat("[", 900), unparseable},
		{"a type of lists 480 deep", `query($v:` + within(480, "[", "Int", "]") + `){__typename}`, invalid},
		{"inline fragments 240 deep", `{limits` + within(240, "{...", `{hunter2}`, "}") + `}`, invalid},
		{"a whole number of 10 KB", `{me{avatarUrl(size:` + strings.Repeat("9", 10000) + `)}}`, invalid},
		{"a fraction of 10 KB", `{me{avatarUrl(size:1.` + strings.Repeat("9", 10000) + `e999)}}`, invalid},
		{"a number for a file", `mutation{updateAvatar(file:` + strings.Repeat("9", 10000) + `){user{id}}}`, invalid},
		{"a string of 15 KB", `mutation{updateName(input:{name:"` + strings.Repeat("hunter2", 2100) + `"}){` + userErrorFields + `}}`, "updateName: TOO_LONG"},
		{"15,000 lines of a block string", `mutation{updateName(input:{name:"""` + strings.Repeat("\n ", 7500) + `"""}){` + userErrorFields + `}}`, "updateName: REQUIRED"},
		{"2,500 escapes", `mutation{updateName(input:{name:"` + strings.Repeat(`\u0000`, 2500) + `"}){` + userErrorFields + `}}`, "updateName: TOO_LONG"},
		{"half a surrogate", `mutation{updateName(input:{name:"\ud800"}){` + userErrorFields + `}}`, "updateName: INVALID_CHARACTER"},
		{"NUL in a string", `mutation{updateName(input:{name:"a\u0000b"}){` + userErrorFields + `}}`, "updateName: INVALID_CHARACTER"},
		{"160 unknown types", `{limits{` + times(160, `...on hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2_#{a}`) + `}}`, invalid},
		{"fragments that multiply what there isn't", `{...F0}` + bomb("Query", 20, 20, `...hunter2`), invalid},
		{"a string for a number", `{me{avatarUrl(size:"hunter2")}}`, invalid},
		{"an enum for a string", `mutation{updateName(input:{name:hunter2}){user{id}}}`, invalid},
		{"a string never closed", `{me{name(a:"hunter2` + strings.Repeat("x", 10000), unparseable},
		{"an escape that is none", `{me{name(a:"hunter2\x")}}`, unparseable},
		{"not GraphQL", `hunter2`, unparseable},
		{"a schema", `type hunter2{a:Int}`, unparseable},
		{"a subscription", `subscription{hunter2}`, invalid},

		{"31 variables", `query(` + times(31, `$v#:Int `) + `){__typename}`, tooComplex},
		{"30 unused variables", `query(` + times(30, `$hunter2#:Int `) + `){__typename}`, invalid},
		{"200 undefined variables", `{me{avatarUrl(size:[` + times(200, `$hunter2# `) + `])}}`, invalid},
		{"a variable of 16 KB", `query($` + strings.Repeat("v", 16000) + `:Int){__typename}`, invalid},
		{"a type of 16 KB", `query($v:` + strings.Repeat("T", 16000) + `){__typename}`, invalid},
		{"a field of 16 KB", `{` + strings.Repeat("f", 16000) + `}`, invalid},
		{"an argument of 16 KB", `{limits(` + strings.Repeat("a", 16000) + `:1){__typename}}`, invalid},
		{"a directive of 16 KB", `{__typename@` + strings.Repeat("d", 16000) + `}`, invalid},
		{"six operations", times(6, `query Q#{__typename}`), tooComplex},
		{"five operations and none named", times(5, `query Q#{__typename}`), invalid},
		{"five operations of one name", times(5, `query hunter2{__typename}`), invalid},
		{"1,001 tokens", `{` + strings.Repeat("a ", 1000) + `}`, tooComplex},
		{"16 KB and a byte", `{__typename}` + strings.Repeat(" ", 16<<10-11), tooComplex},
		{"16 KB of commas", strings.Repeat(",", 16000), invalid},
		{"16 KB of comments", strings.Repeat("#\n", 8000), tooComplex},
		{"a comment of 16 KB", `#` + strings.Repeat("hunter2", 2000), invalid},
		{"nothing", ``, invalid},
		{"a BOM", "\ufeff", invalid},
		{"NUL", "{__typename\x00}", unparseable},
	} {
		all = append(all, attack{
			name: q.name, body: question(q.query, nil), header: []string{"Content-Type", "application/json"},
			status: http.StatusOK, strict: http.StatusBadRequest, code: q.code,
		})
		if last := &all[len(all)-1]; !strings.Contains(q.code, "_FAILED") && q.code != tooComplex {
			last.strict = 0
		}
	}
	return all
}
