package graph

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const typename = `{"query":"{ __typename }"}`

func TestAnotherMediaTypeIsUnsupported(t *testing.T) {
	e := newEndpoint(t)
	for _, contentType := range []string{
		"", "text/plain", "text/plain; application/json", "application/x-www-form-urlencoded", "application/graphql",
		"application/jsonx", "text/json", "application/json, text/plain", "multipart/mixed; boundary=b", "nonsense",
	} {
		a := e.send(request(contentType, strings.NewReader(typename)))
		if a.Status != http.StatusUnsupportedMediaType || a.code() != "UNSUPPORTED_MEDIA_TYPE" {
			t.Errorf("%q: status %d, %s", contentType, a.Status, a.Body)
		}
	}
}

func TestJSONMayHaveParameters(t *testing.T) {
	e := newEndpoint(t)
	for _, contentType := range []string{
		"application/json", "APPLICATION/JSON", "application/json; charset=utf-8",
		`application/json;charset="UTF-8"`, "application/json; odata=verbose", "application/json;",
	} {
		a := e.send(request(contentType, strings.NewReader(typename)))
		if a.Status != http.StatusOK || a.Data["__typename"] != "Query" {
			t.Errorf("%q: status %d, %s", contentType, a.Status, a.Body)
		}
	}
}

func TestWhatIsNoGraphQLRequestIsABadRequest(t *testing.T) {
	e := newEndpoint(t)
	for _, body := range []string{
		"", " ", "null", "true", "1", `"query"`, "[]", "[" + typename + "]", "{}", "{", typename + "x", typename + typename,
		typename[:len(typename)-1], "\xff\xfe", "\ufeff" + typename, "query=%7B__typename%7D", `{'query':'{__typename}'}`,
		`{"query":null}`, `{"query":1}`, `{"query":["{ __typename }"]}`, `{"variables":{}}`,
		`{"query":"{ __typename }","variables":[]}`, `{"query":"{ __typename }","variables":"{}"}`,
		`{"query":"{ __typename }","variables":{"n":1e999}}`, `{"query":"{ __typename }","operationName":1}`,
		`{"query":"{ __typename }","extensions":"x"}`, `{"query":"{ __typename }",}`,
		strings.Repeat("[", 60000), strings.Repeat(`{"a":`, 12000),
	} {
		a := e.post(body)
		if a.Status != http.StatusBadRequest || a.code() != "BAD_REQUEST" || a.Data != nil {
			t.Errorf("%.40q: status %d, %s", body, a.Status, a.Body)
		}
		if strings.Contains(a.Body, "typename") {
			t.Errorf("%.40q is echoed: %s", body, a.Body)
		}
	}
	if log := e.log.troubles(); log != "" {
		t.Errorf("the log has: %s", log)
	}
}

func TestWhatMayBeNullMayBeMissing(t *testing.T) {
	e := newEndpoint(t)
	a := e.post(`{"query":"{ __typename }","variables":null,"operationName":null,"extensions":null}`)
	if a.Status != http.StatusOK || a.Data["__typename"] != "Query" {
		t.Errorf("status %d, %s", a.Status, a.Body)
	}
}

func TestABodyMayHave64KB(t *testing.T) {
	e := newEndpoint(t)
	whole := typename + strings.Repeat(" ", 64<<10-len(typename))
	if a := e.post(whole); a.Status != http.StatusOK || a.Data["__typename"] != "Query" {
		t.Errorf("a body of %d bytes: status %d, %s", len(whole), a.Status, a.Body)
	}
	if a := e.post(whole + " "); a.Status != http.StatusRequestEntityTooLarge || a.code() != "PAYLOAD_TOO_LARGE" {
		t.Errorf("a byte more: status %d, %s", a.Status, a.Body)
	}
}

func TestHeadersInTheBodyAreNotHonoured(t *testing.T) {
	e := newEndpoint(t)
	_, token := e.newUser("Alice")
	headers := vars{"Authorization": []string{"Bearer " + token}, "Accept-Language": []string{"zh"}}
	a := e.post(toJSON(t, vars{"query": "{ me { name } }", "headers": headers, "Headers": headers}))
	if a.code() != "UNAUTHENTICATED" {
		t.Errorf("a body brought its own session: %s", a.Body)
	}
	a = e.post(toJSON(t, vars{
		"query":   `mutation { signIn(input: { name: "", password: "x" }) { userErrors { message } } }`,
		"headers": headers, "Headers": headers,
	}))
	if !strings.Contains(a.Body, "This is required.") {
		t.Errorf("a body chose its own language: %s", a.Body)
	}
}

func TestARefusedRequestHasNoDataAndANullResultHas(t *testing.T) {
	e := newEndpoint(t)
	for query, hasData := range map[string]bool{"{": false, "{ nothing }": false, "{ me { name } }": true} {
		if a := e.query("", query, nil); strings.Contains(a.Body, `"data"`) != hasData {
			t.Errorf("%s: %s", query, a.Body)
		}
	}
}

func TestOperationNameChoosesTheOperation(t *testing.T) {
	e := newEndpoint(t)
	const two = "query A { a: __typename } query B { b: __typename }"
	for name, want := range map[string]string{"A": "a", "B": "b"} {
		if a := e.post(toJSON(t, vars{"query": two, "operationName": name})); a.Data[want] != "Query" {
			t.Errorf("%s: %s", name, a.Body)
		}
	}
	for _, body := range []vars{
		{"query": two},
		{"query": two, "operationName": "C"},
		{"query": "{ __typename }", "operationName": "C"},
		{"query": "fragment F on Query { __typename }"},
		{"query": ""},
	} {
		a := e.post(toJSON(t, body))
		if a.code() != "GRAPHQL_VALIDATION_FAILED" || !strings.Contains(a.message(), "There is no operation to run.") {
			t.Errorf("%v: %s", body, a.Body)
		}
	}
}

// The server's own timeouts run from the beginning of a request. One that came late would
// have none left, and lose the answer to what was done for it.
func TestTheTimeForAnAnswerBeginsWhenTheRequestIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoint(t)
		rest, late := strings.NewReader(typename), false
		body := readFunc(func(p []byte) (int, error) {
			if !late {
				late = true
				<-time.After(29 * time.Second) // by the bubble's clock, so at once
			}
			return rest.Read(p)
		})
		w := httptest.NewRecorder()
		conn := &deadlines{ResponseWriter: w}
		e.ServeHTTP(conn, request("application/json", body))
		if w.Code != http.StatusOK || len(conn.read) == 0 || len(conn.write) == 0 {
			t.Fatalf("status %d, deadlines %+v", w.Code, conn)
		}
		if got, want := time.Until(conn.read[len(conn.read)-1]), 10*time.Second+answerWithin; got != want {
			t.Errorf("the client is taken to have left after %s, want %s", got, want)
		}
		if got := time.Until(conn.write[len(conn.write)-1]); got != answerWithin {
			t.Errorf("the answer may take %s, want %s", got, answerWithin)
		}
	})
}

// failing is a body that fails as one does whose time is up, and must then be left
// alone: reading on would give a slow client the same time again.
type failing struct{ reads int }

func (f *failing) Read([]byte) (int, error) {
	f.reads++
	return 0, os.ErrDeadlineExceeded
}

func TestABodyThatFailedIsNotReadOn(t *testing.T) {
	e := newEndpoint(t)
	_, token := e.newUser("Alice")
	for _, contentType := range []string{"application/json", "multipart/form-data; boundary=b"} {
		body := &failing{}
		a := e.send(request(contentType, body, bearer(token)...))
		if a.Status != http.StatusBadRequest || body.reads != 1 {
			t.Errorf("%s: status %d, %d reads, want 400 and 1", contentType, a.Status, body.reads)
		}
	}
}
