package graph

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/elnormous/contenttype"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// The media types of a response, by the specification of GraphQL over HTTP. The older
// one comes first, since it is for clients that don't say what they accept.
var mediaTypes = []contenttype.MediaType{
	contenttype.NewMediaType("application/json; charset=utf-8"),
	contenttype.NewMediaType("application/graphql-response+json; charset=utf-8"),
}

const graphqlResponse = "application/graphql-response+json"

// negotiate sets the response's media type. It is false where the client accepts none.
func negotiate(w http.ResponseWriter, r *http.Request) bool {
	chosen := mediaTypes[0]
	accept := beginning(strings.Join(r.Header.Values("Accept"), ","))
	if strings.TrimSpace(accept) != "" {
		accepted, _, err := contenttype.GetAcceptableMediaTypeFromHeader(accept, mediaTypes)
		switch {
		case errors.Is(err, contenttype.ErrNoAcceptableTypeFound):
			return false
		case err == nil: // what can't be read is as good as missing (RFC 9110, section 12.5.1)
			chosen = accepted
		}
	}
	w.Header().Set("Content-Type", chosen.MIME()+"; charset=utf-8")
	return true
}

// maxPreferences is how many bytes of a header with preferences are looked at. Clients send
// one or two hundred; reading a list of 30 KB takes milliseconds.
const maxPreferences = 512

// beginning cuts a list at the end of an element.
func beginning(list string) string {
	if len(list) <= maxPreferences {
		return list
	}
	return list[:max(strings.LastIndexByte(list[:maxPreferences], ','), 0)]
}

// setHeader says what all answers are. What a session reads is nobody else's.
func setHeader(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", mediaTypes[0].MIME()+"; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
}

// statuses are of responses to what was not executed. That a query is wrong is no
// matter of HTTP in application/json, and one in application/graphql-response+json.
var statuses = map[string]int{
	codeBadRequest:         http.StatusBadRequest,
	codeUnauthenticated:    http.StatusUnauthorized,
	codeReauthenticate:     http.StatusForbidden,
	codeForbidden:          http.StatusForbidden,
	codeMethodNotAllowed:   http.StatusMethodNotAllowed,
	codeNotAcceptable:      http.StatusNotAcceptable,
	codePayloadTooLarge:    http.StatusRequestEntityTooLarge,
	codeUnsupportedMedia:   http.StatusUnsupportedMediaType,
	codeRateLimited:        http.StatusTooManyRequests,
	codeInternal:           http.StatusInternalServerError,
	codeServiceUnavailable: http.StatusServiceUnavailable,
	codeTimeout:            http.StatusServiceUnavailable,
}

func status(w http.ResponseWriter, response *graphql.Response) int {
	if response.Data != nil || len(response.Errors) == 0 {
		return http.StatusOK
	}
	code, _ := response.Errors[0].Extensions["code"].(string)
	if status, ok := statuses[code]; ok {
		return status
	}
	if strings.HasPrefix(w.Header().Get("Content-Type"), graphqlResponse) {
		return http.StatusBadRequest
	}
	return http.StatusOK
}

// answerWithin is how long a client may take to read an answer. The server's own time
// for that runs from the beginning of the request.
const answerWithin = 30 * time.Second

// write sends a response.
func write(w http.ResponseWriter, response *graphql.Response) {
	// Where a connection has no deadlines, there is nothing to put off.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerWithin))
	w.WriteHeader(status(w, response))
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	// Not graphql.Response itself: it has data, as null, also where nothing was
	// executed (GraphQL specification, section 7.1).
	_ = encoder.Encode(struct { // a client that has left is no error
		Errors     gqlerror.List   `json:"errors,omitempty"`
		Data       json.RawMessage `json:"data,omitempty"`
		Extensions map[string]any  `json:"extensions,omitempty"`
	}{response.Errors, response.Data, response.Extensions})
}

// cut keeps a response's errors within the limits.
func (l *RequestLimits) cut(response *graphql.Response) *graphql.Response {
	if len(response.Errors) > l.MaxErrors {
		response.Errors = response.Errors[:l.MaxErrors]
	}
	for _, err := range response.Errors {
		err.Message = shorten(err.Message, l.MaxErrorLength)
	}
	return response
}

// shorten leaves the beginning of a text that has more than so many characters.
func shorten(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	return string([]rune(text)[:limit-1]) + "…"
}

// refuse answers in place of the endpoint, in a middleware around it. A client that
// accepts neither media type gets the older one: what it must know is the code.
func refuse(w http.ResponseWriter, r *http.Request, err *gqlerror.Error) {
	setHeader(w)
	negotiate(w, r)
	write(w, &graphql.Response{Errors: gqlerror.List{err}})
}
