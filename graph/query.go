package graph

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// queries makes documents of the texts of queries: it parses, holds to the limits and
// validates, in this order.
type queries struct {
	schema *ast.Schema
	rules  *rules.Rules
	limits *RequestLimits
	known  queryCache
}

// prepare returns a document that may be executed.
func (q *queries) prepare(text string) (*ast.QueryDocument, gqlerror.List) {
	if document := q.known.get(text); document != nil {
		return document, nil
	}
	if len(text) > q.limits.MaxQuery {
		return nil, tooComplex("The query has more than %d bytes.", q.limits.MaxQuery)
	}
	document, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, q.limits.MaxTokens)
	if err != nil {
		return nil, q.parseErrors(err)
	}
	if len(document.Operations) == 0 {
		return nil, gqlerror.List{gqlerror.Errorf("no operation")}
	}
	if err := q.limits.check(document); err != nil {
		return nil, gqlerror.List{gqlerror.Wrap(err)}
	}
	if errs := validator.ValidateWithRules(q.schema, document, q.rules); len(errs) > 0 {
		return nil, errs
	}
	// What has a text in it is hardly asked for again to the letter, and may be
	// personal data, which needn't stay in memory.
	if !strings.Contains(text, `"`) {
		q.known.add(text, document)
	}
	return document, nil
}

func (q *queries) parseErrors(err error) gqlerror.List {
	if strings.Contains(err.Error(), "exceeded token limit") {
		return tooComplex("The query has more than %d tokens.", q.limits.MaxTokens)
	}
	located := gqlerror.WrapIfUnwrapped(err)
	errcode.Set(located, codeParseFailed)
	return gqlerror.List{located}
}

func tooComplex(message string, limit int) gqlerror.List {
	return gqlerror.List{gqlerror.Wrap(&codedError{codeTooComplex, fmt.Sprintf(message, limit)})}
}

// maxKnown is how many bytes of queries' texts are kept with their documents: those of
// two thousand usual queries, which take 7 MB, or 20 MB where they are made for that.
const maxKnown = 256 << 10

// queryCache keeps the documents that were used last.
type queryCache struct {
	mu    sync.Mutex
	lru   *simplelru.LRU[string, *ast.QueryDocument]
	bytes int
}

func (c *queryCache) get(text string) *ast.QueryDocument {
	c.mu.Lock()
	defer c.mu.Unlock()
	document, _ := c.lru.Get(text)
	return document
}

func (c *queryCache) add(text string, document *ast.QueryDocument) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lru.Contains(text) { // another request was faster
		return
	}
	c.lru.Add(text, document)
	c.bytes += len(text)
	for c.bytes > maxKnown {
		oldest, _, _ := c.lru.RemoveOldest()
		c.bytes -= len(oldest)
	}
}

func newQueries(schema *ast.Schema, limits *RequestLimits, introspection bool) *queries {
	// The cache is bounded by bytes, so by as many entries at most.
	lru, err := simplelru.NewLRU[string, *ast.QueryDocument](maxKnown, nil)
	if err != nil {
		panic(err) // only a size below 1 fails
	}
	return &queries{schema: schema, rules: validationRules(introspection), limits: limits, known: queryCache{lru: lru}}
}

type documentKey struct{}

// withDocument hands the document to gqlgen's executor, which asks a cache for it.
func withDocument(ctx context.Context, document *ast.QueryDocument) context.Context {
	return context.WithValue(ctx, documentKey{}, document)
}

// prepared is that cache: it has just the document of the request, so the executor
// never parses or validates by itself.
type prepared struct{}

// Get implements graphql.Cache.
func (prepared) Get(ctx context.Context, _ string) (*ast.QueryDocument, bool) {
	document, ok := ctx.Value(documentKey{}).(*ast.QueryDocument)
	return document, ok
}

// Add implements graphql.Cache.
func (prepared) Add(context.Context, string, *ast.QueryDocument) {}
