package graph

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/go-json-experiment/json"
)

// readBody reads a body of application/json.
func (l *RequestLimits) readBody(r *http.Request) ([]byte, error) {
	tooLarge := &codedError{codePayloadTooLarge, fmt.Sprintf("The request may have at most %d bytes.", l.MaxBody)}
	if r.ContentLength > int64(l.MaxBody) { // so that a client that asks first needn't send it
		return nil, tooLarge
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(l.MaxBody)+1))
	switch {
	case len(body) > l.MaxBody:
		return nil, tooLarge
	case err != nil:
		return nil, readError(err)
	}
	return body, nil
}

const wellFormed = "The request must be one JSON object with query (a string) and, where needed, " +
	"variables (an object) and operationName (a string)."

// parseParams reads a GraphQL request from JSON. What is wrong is not quoted: it may be a
// person's.
func (l *RequestLimits) parseParams(body []byte) (*graphql.RawParams, error) {
	// Not RawParams itself: it would take headers from the body too.
	var in struct {
		Query         *string        `json:"query"`
		OperationName string         `json:"operationName"`
		Variables     map[string]any `json:"variables"`
		Extensions    map[string]any `json:"extensions"`
	}
	if err := l.unmarshal(body, &in, wellFormed); err != nil {
		return nil, err
	}
	if in.Query == nil {
		return nil, noQuery(in.Extensions)
	}
	return &graphql.RawParams{
		Query:         *in.Query,
		OperationName: in.OperationName,
		Variables:     in.Variables,
		Extensions:    in.Extensions,
	}, nil
}

// parseURL reads a GraphQL request from the parameters of a URL.
func (l *RequestLimits) parseURL(rawQuery string) (*graphql.RawParams, error) {
	values, err := url.ParseQuery(rawQuery)
	if err != nil {
		return nil, badRequest("The parameters of the URL can't be decoded.")
	}
	for _, name := range []string{"query", "operationName", "variables", "extensions"} {
		if len(values[name]) > 1 {
			return nil, badRequest("The URL has the parameter " + name + " twice.")
		}
		if !utf8.ValidString(values.Get(name)) {
			return nil, badRequest("The parameter " + name + " is not UTF-8.")
		}
	}
	params := &graphql.RawParams{Query: values.Get("query"), OperationName: values.Get("operationName")}
	for name, object := range map[string]*map[string]any{"variables": &params.Variables, "extensions": &params.Extensions} {
		if text := values.Get(name); text != "" {
			if err := l.unmarshal([]byte(text), object, "The parameter "+name+" must be a JSON object."); err != nil {
				return nil, err
			}
		}
	}
	if !values.Has("query") {
		return nil, noQuery(params.Extensions)
	}
	return params, nil
}

// noQuery is what a request without one gets. Who has sent a hash in its place is told in
// the words that clients understand: they send the query then.
// https://www.apollographql.com/docs/apollo-server/performance/apq
func noQuery(extensions map[string]any) error {
	if _, hashed := extensions["persistedQuery"]; hashed {
		return &codedError{codeNotPersisted, "PersistedQueryNotSupported"}
	}
	return badRequest("The request has no query.")
}

// unmarshal is stricter than encoding/json, by the defaults of its library: what is not
// UTF-8, repeats a name in an object, or goes on after the value is an error, and names
// are compared with their case. What it should be is said instead of what is wrong.
func (l *RequestLimits) unmarshal(body []byte, v any, should string) error {
	if nesting(body) > l.MaxJSONDepth {
		return badRequest(fmt.Sprintf("JSON may have at most %d objects and lists within one another.", l.MaxJSONDepth))
	}
	if err := json.Unmarshal(body, v); err != nil {
		return badRequest(should)
	}
	return nil
}

// nesting is how deep the brackets of a JSON text go.
func nesting(text []byte) (deepest int) {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{', c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}', c == ']':
			depth--
		}
	}
	return deepest
}

// mediaType is the request's, in small letters; empty where a body of that type can't be
// read: it is in another charset than UTF-8, or compressed.
func mediaType(r *http.Request) string {
	mediaType, parameters, _ := mime.ParseMediaType(r.Header.Get("Content-Type")) // on error: ""
	charset, encoding := parameters["charset"], r.Header.Get("Content-Encoding")
	if charset != "" && !strings.EqualFold(charset, "utf-8") ||
		encoding != "" && !strings.EqualFold(encoding, "identity") {
		return ""
	}
	return mediaType
}
