package graph

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// acceptable checks what holds for the answer to anything that a client sends. The
// secrets of the seeds must not be repeated either, but where a client has named
// a part of the response itself.
func (e *endpoint) acceptable(a *answer) {
	e.t.Helper()
	switch a.Status {
	case http.StatusOK, http.StatusBadRequest, http.StatusRequestEntityTooLarge:
	default:
		e.t.Errorf("status %d, %s", a.Status, a.Body)
	}
	for _, err := range a.Errors {
		if err.Extensions["code"] == "INTERNAL_SERVER_ERROR" || leaked(err.Message) != nil {
			e.t.Errorf("an error in %s", a.Body)
		}
	}
	if log := e.log.troubles(); log != "" {
		e.t.Errorf("the log has: %s", log)
	}
}

func FuzzMultipart(f *testing.F) {
	e := newEndpoint(f)
	_, token := e.newUser("Alice")
	f.Add([]byte(uploadForm(string(picture(f)))))
	f.Add([]byte(uploadForm(secrets)))
	for _, test := range malformed {
		if len(test.body) < 4096 {
			f.Add([]byte(test.body))
		}
	}
	for _, query := range queriesWithSecrets {
		if len(query) < 4096 {
			f.Add([]byte(withOperations(toJSON(f, vars{"query": query, "variables": vars{"file": nil}}))))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		e.t = t
		e.acceptable(e.postForm(string(body), bearer(token)...))
	})
}

func FuzzJSONRequest(f *testing.F) {
	e := newEndpoint(f)
	_, token := e.newUser("Alice")
	f.Add(typename)
	f.Add(toJSON(f, vars{"query": introspectionQuery}))
	for _, body := range bodiesWithSecrets {
		f.Add(body)
	}
	for _, query := range queriesWithSecrets {
		if len(query) < 4096 {
			f.Add(toJSON(f, vars{"query": query}))
		}
	}
	f.Fuzz(func(t *testing.T, body string) {
		e.t = t
		e.acceptable(e.post(body, bearer(token)...))
	})
}

// FuzzQuery reaches deeper than FuzzJSONRequest, whose bodies are mostly no JSON.
func FuzzQuery(f *testing.F) {
	e := newEndpoint(f)
	_, token := e.newUser("Alice")
	for _, query := range queriesWithSecrets {
		if len(query) < 4096 {
			f.Add(query, "")
		}
	}
	f.Add(rename, `{"input":{"name":"`+secrets+`"}}`)
	f.Add(resize, `{"size":256}`)
	f.Add(`{ ...@skip(if: {}) { limits { __typename } } }`, "")
	f.Add(updateAvatar, `{"file":null}`)
	f.Fuzz(func(t *testing.T, query, variables string) {
		e.t = t
		if strings.TrimSpace(variables) == "" {
			variables = "null"
		}
		e.acceptable(e.post(`{"query":`+toJSON(t, query)+`,"variables":`+variables+`}`, bearer(token)...))
	})
}

// depthOf is how deep a decoded value is nested.
func depthOf(v any) int {
	deepest := 0
	switch v := v.(type) {
	case map[string]any:
		for _, value := range v {
			deepest = max(deepest, depthOf(value))
		}
	case []any:
		for _, value := range v {
			deepest = max(deepest, depthOf(value))
		}
	default:
		return 0
	}
	return deepest + 1
}

// What is read as a request is JSON of the one meaning that every other reader of it has.
func FuzzParseParams(f *testing.F) {
	for _, body := range bodiesWithSecrets {
		f.Add(body)
	}
	f.Add(typename)
	f.Add(`{"query":"{ __typename }","variables":{"a":[{"b":[1,"\ud83d\ude00","\\\"[{"]}],"c":null},"operationName":"A"}`)
	f.Add(`{"query":"","query":""}`)
	f.Add(`{"query":"\ud800"}`)
	f.Add(`{"query":"","":{"":1e700}}`)
	limits := defaultLimits(f)
	f.Fuzz(func(t *testing.T, body string) {
		params, err := limits.parseParams([]byte(body))
		if err != nil {
			if _, ok := errors.AsType[*codedError](err); !ok {
				t.Errorf("not a client's error: %v", err)
			}
			return
		}
		var naive map[string]any
		decoder := json.NewDecoder(strings.NewReader(body))
		decoder.UseNumber() // what is ignored may have a number of any size
		if err := decoder.Decode(&naive); err != nil {
			t.Fatalf("accepted, but %v", err)
		}
		if depth := depthOf(naive); depth > limits.MaxJSONDepth || depth != nesting([]byte(body)) {
			t.Errorf("counted %d levels, naively %d", nesting([]byte(body)), depth)
		}
		if naive["query"] != params.Query || !utf8.ValidString(body) {
			t.Errorf("read %q, naively %q", params.Query, naive["query"])
		}
		var variables map[string]any
		if err := json.Unmarshal([]byte(toJSON(t, naive["variables"])), &variables); err != nil || !cmp.Equal(params.Variables, variables) {
			t.Errorf("read %v, naively %v, %v", params.Variables, variables, err)
		}
	})
}

// naive counts as check does, but follows every spread whenever it comes to it.
type naive struct {
	doc     *ast.QueryDocument
	within  map[string]bool
	visited int
	cycle   bool
}

// tooMany is where it gives up.
const tooMany = 100_000

func (n *naive) selections(set ast.SelectionSet, level int, introspection bool, total *cost) {
	for _, selection := range set {
		if n.visited++; n.visited > tooMany {
			return
		}
		switch s := selection.(type) {
		case *ast.InlineFragment:
			total.directives += len(s.Directives)
			n.selections(s.SelectionSet, level, introspection, total)
		case *ast.FragmentSpread:
			total.directives += len(s.Directives)
			fragment := n.doc.Fragments.ForName(s.Name)
			switch {
			case fragment == nil:
			case n.within[s.Name]:
				n.cycle = true
			default:
				n.within[s.Name] = true
				total.directives += len(fragment.Directives)
				n.selections(fragment.SelectionSet, level, introspection, total)
				delete(n.within, s.Name)
			}
		case *ast.Field:
			n.field(s, level, introspection, total)
		}
	}
}

func (n *naive) field(f *ast.Field, level int, introspection bool, total *cost) {
	if level == 0 {
		total.roots++
	}
	if !introspection {
		total.depth = max(total.depth, level+1)
	}
	introspection = introspection || f.Name == "__schema" || f.Name == "__type"
	if introspection {
		total.introspection++
	} else {
		total.fields++
	}
	if f.Alias != f.Name {
		total.aliases++
	}
	total.directives += len(f.Directives)
	n.selections(f.SelectionSet, level+1, introspection, total)
}

func FuzzCheck(f *testing.F) {
	for _, b := range bounds {
		f.Add(b.within)
		f.Add(b.beyond)
	}
	f.Add(introspectionQuery)
	f.Add(bomb(3, 3))
	f.Add(bomb(19, 2))
	f.Add(`{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }`)
	f.Add(`{ ...A } fragment A on Query { a } fragment A on Query { b c }`)
	limits := defaultLimits(f)
	f.Fuzz(func(t *testing.T, query string) {
		doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: query}, limits.MaxTokens)
		if err != nil {
			return
		}
		verdict := limits.check(doc)
		for _, operation := range doc.Operations {
			n := naive{doc: doc, within: map[string]bool{}}
			want := cost{directives: len(operation.Directives)}
			for _, v := range operation.VariableDefinitions {
				want.directives += len(v.Directives)
			}
			n.selections(operation.SelectionSet, 0, false, &want)
			if n.cycle || n.visited > tooMany {
				if verdict == nil {
					t.Errorf("accepted, though it has no end or more than %d selections", tooMany)
				}
				return
			}
			c := counter{doc: doc, fragments: map[*ast.FragmentDefinition]*cost{}}
			got := c.operation(operation)
			got.alone = ""
			if got != want {
				t.Errorf("counted %+v, naively %+v", got, want)
			}
			if limits.checkSizes(want) != nil && verdict == nil {
				t.Errorf("accepted with %+v", want)
			}
		}
	})
}
