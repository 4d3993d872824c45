package graph

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// get sends the parameters in a URL.
func (e *endpoint) get(rawQuery string, header ...string) *answer {
	e.t.Helper()
	r := request("", http.NoBody, header...)
	r.Method, r.URL.RawQuery = http.MethodGet, rawQuery
	r.Header.Del("Content-Type")
	return e.send(r)
}

func encode(parameters ...string) string {
	values := url.Values{}
	for i := 0; i < len(parameters); i += 2 {
		values.Add(parameters[i], parameters[i+1])
	}
	return values.Encode()
}

func TestAQueryMayComeByGET(t *testing.T) {
	e := newEndpoint(t)
	_, token := e.newUser("Alice")
	const named = `query A($s: Int!) { me { avatarUrl(size: $s) } } query B { me { name } }`
	for _, test := range []struct{ rawQuery, want string }{
		{encode("query", `{ me { name } }`), `{"me":{"name":"Alice"}}`},
		{encode("query", named, "operationName", "B"), `{"me":{"name":"Alice"}}`},
		{encode("query", `query($no: Boolean!) { me { id @skip(if: $no) name } }`, "variables", `{"no":true}`), `{"me":{"name":"Alice"}}`},
		{encode("query", `{ me { name } }`, "operationName", "", "variables", "", "extensions", ""), `{"me":{"name":"Alice"}}`},
		{encode("query", `{ me { name } }`, "variables", "null", "extensions", `{"a":1}`, "other", "x", "other", "y"), `{"me":{"name":"Alice"}}`},
	} {
		a := e.get(test.rawQuery, bearer(token)...)
		if a.Status != http.StatusOK || !strings.Contains(a.Body, test.want) {
			t.Errorf("%s: status %d, %s", test.rawQuery, a.Status, a.Body)
		}
	}
	r := request("", http.NoBody, bearer(token)...)
	r.Method, r.URL.RawQuery = http.MethodHead, encode("query", `{ me { name } }`)
	if a := e.send(r); a.Status != http.StatusOK { // net/http leaves the body out
		t.Errorf("HEAD: status %d", a.Status)
	}
}

func TestAHashInPlaceOfAQueryIsToldToBeNoUse(t *testing.T) {
	e := newEndpoint(t)
	const extensions = `{"persistedQuery":{"version":1,"sha256Hash":"x"}}`
	for accept, status := range map[string]int{"application/json": http.StatusOK, graphqlResponse: http.StatusBadRequest} {
		for method, a := range map[string]*answer{
			"GET":  e.get(encode("extensions", extensions), "Accept", accept),
			"POST": e.post(`{"extensions":`+extensions+`}`, "Accept", accept),
		} {
			if a.Status != status || a.code() != "PERSISTED_QUERY_NOT_SUPPORTED" || a.message() != "PersistedQueryNotSupported" {
				t.Errorf("%s as %s: status %d, %s", method, accept, a.Status, a.Body)
			}
		}
		// With the query beside it, the hash is ignored.
		if a := e.post(`{"query":"{ __typename }","extensions":`+extensions+`}`, "Accept", accept); a.Data["__typename"] != "Query" {
			t.Errorf("with the query: %s", a.Body)
		}
	}
}

func TestAMutationByGETIsRefused(t *testing.T) {
	e := newEndpoint(t)
	user, token := e.newUser("Alice")
	const rename = `mutation M { updateName(input: { name: "Bob" }) { user { name } } }`
	for _, rawQuery := range []string{
		encode("query", rename),
		encode("query", `query Q { me { name } } `+rename, "operationName", "M"),
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			r := request("", http.NoBody, bearer(token)...)
			r.Method, r.URL.RawQuery = method, rawQuery
			a := e.send(r)
			if a.Status != http.StatusMethodNotAllowed || a.code() != "METHOD_NOT_ALLOWED" || a.Header.Get("Allow") != "POST" {
				t.Errorf("%s: status %d, Allow %q, %s", method, a.Status, a.Header.Get("Allow"), a.Body)
			}
		}
	}
	if name := e.reload(user).Name; name != "Alice" {
		t.Errorf("the name is %s", name)
	}
}

func TestAURLThatIsNoRequestIsABadRequest(t *testing.T) {
	e := newEndpoint(t)
	for _, rawQuery := range []string{
		"", "quer=x", encode("variables", "{}"), "query=%zz", "query={__typename};a=b", "query=%ff%fe",
		encode("query", "{ __typename }", "query", "{ __typename }"),
		encode("query", "{ __typename }", "variables", "{}", "variables", "{}"),
		encode("query", "{ __typename }", "variables", "[]"),
		encode("query", "{ __typename }", "variables", "{"),
		encode("query", "{ __typename }", "variables", `{"a":1,"a":2}`),
		encode("query", "{ __typename }", "variables", strings.Repeat(`{"a":`, 65)+"1"+strings.Repeat("}", 65)),
		encode("query", "{ __typename }", "extensions", "1"),
		encode("query", "{ __typename }", "operationName", "\xff"),
	} {
		a := e.get(rawQuery)
		if a.Status != http.StatusBadRequest || a.code() != "BAD_REQUEST" || a.Data != nil {
			t.Errorf("%.60s: status %d, %s", rawQuery, a.Status, a.Body)
		}
	}
}

func TestAnotherMethodIsToldWhichAreAllowed(t *testing.T) {
	e := newEndpoint(t)
	for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodTrace, "QUERY", "get"} {
		r := request("application/json", strings.NewReader(typename))
		r.Method = method
		a := e.send(r)
		if a.Status != http.StatusMethodNotAllowed || a.code() != "METHOD_NOT_ALLOWED" || a.Header.Get("Allow") != "GET, HEAD, POST, OPTIONS" {
			t.Errorf("%s: status %d, Allow %q, %s", method, a.Status, a.Header.Get("Allow"), a.Body)
		}
	}
	r := request("application/json", http.NoBody)
	r.Method = http.MethodOptions
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	want := http.Header{
		"Allow": {"GET, HEAD, POST, OPTIONS"}, "Cache-Control": {"no-store"}, "X-Content-Type-Options": {"nosniff"},
		"X-Request-Id": w.Header()["X-Request-Id"],
	}
	if diff := cmp.Diff(want, w.Header()); diff != "" || w.Code != http.StatusNoContent || w.Body.Len() != 0 {
		t.Errorf("OPTIONS: status %d, %q, headers (-want +got):\n%s", w.Code, w.Body, diff)
	}
}

func TestABodyMustBeUTF8AndNotCompressed(t *testing.T) {
	e := newEndpoint(t)
	for _, header := range [][2]string{
		{"Content-Type", "application/json; charset=utf-16"},
		{"Content-Type", "application/json; charset=iso-8859-1"},
		{"Content-Encoding", "gzip"},
		{"Content-Encoding", "br"},
		{"Content-Encoding", "identity, gzip"},
	} {
		a := e.post(typename, header[0], header[1])
		if a.Status != http.StatusUnsupportedMediaType || a.code() != "UNSUPPORTED_MEDIA_TYPE" || a.Header.Get("Accept-Encoding") != "identity" {
			t.Errorf("%v: status %d, %s", header, a.Status, a.Body)
		}
	}
	if a := e.post(typename, "Content-Encoding", "Identity"); a.Status != http.StatusOK {
		t.Errorf("identity: status %d, %s", a.Status, a.Body)
	}
}

func TestJSONHasOneMeaning(t *testing.T) {
	e := newEndpoint(t)
	nested := func(depth int) string { // the object, variables, and the lists in it
		return `{"query":"{ __typename }","variables":{"a":` + strings.Repeat("[", depth-2) + strings.Repeat("]", depth-2) + `}}`
	}
	for _, body := range []string{
		`{"query":"{ __typename }","query":"{ me { name } }"}`,
		`{"query":"{ __typename }","\u0071uery":"{ me { name } }"}`,
		`{"query":"{ __typename }","variables":{"a":1,"a":2}}`,
		`{"query":"{ __typename }","variables":{"a":{"b":1,"c":2,"b":3}}}`,
		`{"query":"{ __typename }","other":{"a":1,"a":2}}`,
		"{\"query\":\"{ __typename }\",\"variables\":{\"a\":\"\xff\"}}",
		"{\"query\":\"{ __typename }\",\"variables\":{\"a\":\"\xed\xa0\x80\"}}", // a surrogate
		`{"query":"{ __typename }","variables":{"a":"\ud800"}}`,
		`{"query":"{ __typename }","variables":{"a":"\udc00\ud800"}}`,
		`{"query":"{ __typename }","variables":{"\ud800":1}}`,
		"{\"query\":\"{ __typename }\",\"variables\":{\"a\":\"\x00\"}}",
		typename + "\x00", typename + " 1", "\x00" + typename, "\v" + typename,
		`{"query":"{ __typename }","variables":{"a":01}}`, `{"query":"{ __typename }","variables":{"a":NaN}}`,
		`{"query":"{ __typename }",/**/"variables":{}}`,
		`{"Query":"{ __typename }"}`,
	} {
		if a := e.post(body); a.Status != http.StatusBadRequest || a.code() != "BAD_REQUEST" {
			t.Errorf("%.80q: status %d, %s", body, a.Status, a.Body)
		}
	}
	for _, body := range []string{nested(65), strings.ReplaceAll(nested(65), "variables", "other"), nested(9000)} {
		a := e.post(body)
		if a.Status != http.StatusBadRequest || a.message() != "JSON may have at most 64 objects and lists within one another." {
			t.Errorf("%.80q: status %d, %s", body, a.Status, a.Body)
		}
	}
	for _, body := range []string{
		nested(64),
		`{"query":"{ __typename }","variables":{"a":"\ud83d\ude00 \" [[[ \\"},"Query":1}`,
		" \t\r\n" + typename + " \t\r\n",
		`{"query":"{ __typename }","variables":{"a":"` + strings.Repeat("[", 100) + `\"{{{"}}`,
	} {
		if a := e.post(body); a.Status != http.StatusOK || a.Data["__typename"] != "Query" {
			t.Errorf("%.80q: status %d, %s", body, a.Status, a.Body)
		}
	}
}

func TestTheLimitsOfABodyAreSettings(t *testing.T) {
	e := newEndpoint(t)
	limits := defaultLimits(t)
	limits.MaxBody, limits.MaxJSONDepth = 60, 1
	e.serve(Options{Limits: limits})
	for body, status := range map[string]int{
		typename + strings.Repeat(" ", 60-len(typename)): 200,
		typename + strings.Repeat(" ", 61-len(typename)): 413,
		`{"query":"{ __typename }","variables":null}`:    200,
		`{"query":"{ __typename }","variables":{}}`:      400,
	} {
		if a := e.post(body); a.Status != status {
			t.Errorf("%s: status %d, %s", body, a.Status, a.Body)
		}
	}
}
