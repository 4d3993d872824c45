package main

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// marker is the secret that a request carries where it doesn't belong.
const marker = "hunter2"

// byNetHTTP is in place of a code where the server's library answers, in plain text.
const byNetHTTP = "net/http"

const (
	kilobyte = 1 << 10
	megabyte = 1 << 20
)

// attack is a hostile request, and what it is to be answered.
type attack struct {
	name   string
	method string   // POST where it is empty
	params string   // the query of the URL, as it is sent
	header []string // name, value, name, value, …
	body   string
	filler int64 // how many bytes "x" follow the body
	// chunked is without a Content-Length, and crumbled in chunks of a byte.
	chunked, crumbled bool
	// anonymous is without the token of a session.
	anonymous bool

	// status is for a client that accepts application/json, and strict for one that
	// accepts application/graphql-response+json; 0 is the same one.
	status, strict int
	// code is the first error's, or else the first userError's as "mutation: CODE".
	code string
	// memory is how many bytes more it may take than others.
	memory uint64
}

func attacks(token string) []attack {
	return slices.Concat(queries(), bodies(), requests(), uploads(), foreignPages(token))
}

// times repeats a text, in which # is the number.
func times(n int, text string) string {
	var all strings.Builder
	for i := range n {
		all.WriteString(strings.ReplaceAll(text, "#", fmt.Sprint(i)))
	}
	return all.String()
}

// within puts a text into n pairs of brackets.
func within(n int, open, text, end string) string {
	return strings.Repeat(open, n) + text + strings.Repeat(end, n)
}

// question is a request in JSON. Also where it is not looked at, it has the marker.
func question(query string, variables vars) string {
	b, _ := json.Marshal(vars{"query": query, "variables": variables, "extensions": vars{marker: marker}}) // strings
	return string(b)
}

// bodies are hostile as JSON.
func bodies() []attack {
	const (
		wrong    = "BAD_REQUEST"
		tooLarge = "PAYLOAD_TOO_LARGE"
		invalid  = "GRAPHQL_VALIDATION_FAILED"
		size     = `query($s:Int){me{avatarUrl(size:$s)}}`
		input    = `mutation($i:UpdateNameInput!){updateName(input:$i){user{id}}}`
	)
	typename := `{"query":"{__typename}","extensions":{"hunter2":"hunter2"}}`
	all := []attack{
		{name: "no body", params: marker, status: 400, code: wrong},
		{name: "not JSON", body: `hunter2`, status: 400, code: wrong},
		{name: "null", params: marker, body: `null`, status: 400, code: wrong},
		{name: "a string", body: `"hunter2"`, status: 400, code: wrong},
		{name: "a batch of one", body: "[" + typename + "]", status: 400, code: wrong},
		{name: "a batch of 1,000", body: "[" + strings.Repeat(typename+",", 999) + typename + "]", status: 400, code: wrong},
		{name: "lists never closed", body: `["hunter2",` + strings.Repeat("[", 60000), status: 400, code: wrong},
		{name: "objects never closed", body: strings.Repeat(`{"hunter2":`, 5000), status: 400, code: wrong},
		{name: "variables 9,000 deep", body: `{"query":"{__typename}","variables":{"hunter2":` + within(9000, "[", "1", "]") + `}}`, status: 400, code: wrong},
		{name: "variables 60 deep", body: question(size, vars{"s": json.RawMessage(within(60, "[", `"hunter2"`, "]"))}), status: 200, strict: 400, code: invalid},
		{name: "5,000 variables", body: `{"query":"{hunter2}","variables":{` + times(5000, `"v#":1,`) + `"v":1}}`, status: 200, strict: 400, code: invalid},
		{name: "5,000 unknown fields of an input", body: `{"query":"` + input + `","variables":{"i":{` + times(5000, `"v#":1,`) + `"hunter2":1}}}`, status: 200, strict: 400, code: invalid},
		{name: "an unknown field of 50 KB", body: question(input, vars{"i": vars{strings.Repeat(marker, 7000): 1}}), status: 200, strict: 400, code: invalid},
		{name: "a variable of the wrong type", body: question(size, vars{"s": marker}), status: 200, strict: 400, code: invalid},
		{name: "a string of 50 KB", body: question(strings.Replace(input, "user{id}", userErrorFields, 1), vars{"i": vars{"name": strings.Repeat(marker, 7000)}}), status: 200, code: "updateName: TOO_LONG"},
		{name: "20,000 letters that grow when normalised", body: question(strings.Replace(input, "user{id}", userErrorFields, 1), vars{"i": vars{"name": strings.Repeat("\ufdfa", 20000)}}), status: 200, code: "updateName: TOO_LONG"},
		{name: "a letter with 20,000 marks", body: question(strings.Replace(input, "user{id}", userErrorFields, 1), vars{"i": vars{"name": "a" + strings.Repeat("\u0301\u0316", 10000)}}), status: 200, code: "updateName: TOO_LONG"},
		{name: "a password of 50 KB", body: question(`mutation($i:SignUpInput!){signUp(input:$i){`+userErrorFields+`}}`, vars{"i": vars{"name": "Mallory", "password": strings.Repeat(marker, 7000)}}), status: 200, code: "signUp: TOO_LONG"},
		{name: "an ID number of 50 KB", body: question(`mutation($i:SaveVerificationInput!){saveVerification(input:$i){`+userErrorFields+`}}`, vars{"i": vars{"realName": strings.Repeat("·", 5000), "idCard": strings.Repeat(marker, 5000)}}), status: 200, code: "saveVerification: TOO_LONG"},
		{name: "a file as a literal", body: question(`mutation{updateAvatar(file:"hunter2"){user{id}}}`, nil), status: 200, code: invalid},
		{name: "a file as a variable", body: question(updateAvatar, vars{"file": vars{marker: marker}}), status: 200, code: invalid},
		{name: "a number beyond a float", body: `{"query":"{__typename}","variables":{"hunter2":1e999}}`, status: 400, code: wrong},
		{name: "a number of 50 KB", body: question(size, vars{"s": json.RawMessage(strings.Repeat("9", 50000))}), status: 400, code: wrong},
		{name: "an operation's name of 50 KB", body: `{"query":"query Q{__typename}","operationName":"` + strings.Repeat(marker, 7000) + `"}`, status: 200, strict: 400, code: invalid},
		{name: "invalid UTF-8", body: "{\"query\":\"{hunter2 \xff\xfe}\"}", status: 400, code: wrong},
		{name: "half a surrogate in JSON", body: `{"query":"{hunter2 \ud800}"}`, status: 400, code: wrong},
		{name: "NUL in JSON", body: "{\"query\":\"{hunter2 \x00}\"}", status: 400, code: wrong},
		{name: "NUL escaped in JSON", body: `{"query":"{hunter2 \u0000}"}`, status: 200, strict: 400, code: "GRAPHQL_PARSE_FAILED"},
		{name: "a BOM before JSON", body: "\ufeff" + typename, status: 400, code: wrong},
		{name: "UTF-16", params: marker, body: "\xff\xfe{\x00}\x00", status: 400, code: wrong},
		{name: "query twice", body: `{"query":"{__typename}","query":"{hunter2}"}`, status: 400, code: wrong},
		{name: "a variable twice", body: `{"query":"{__typename}","variables":{"hunter2":1,"hunter2":2}}`, status: 400, code: wrong},
		{name: "bytes after the object", body: typename + marker, status: 400, code: wrong},
		{name: "two objects", body: typename + typename, status: 400, code: wrong},
		{name: "a query that is a list", body: `{"query":["hunter2"]}`, status: 400, code: wrong},
		{name: "variables that are a list", body: `{"query":"{__typename}","variables":["hunter2"]}`, status: 400, code: wrong},
		{name: "variables that are a string", body: `{"query":"{__typename}","variables":"{\"hunter2\":1}"}`, status: 400, code: wrong},
		{name: "an operation's name that is an object", body: `{"query":"{__typename}","operationName":{"hunter2":1}}`, status: 400, code: wrong},
		{name: "no query", body: `{"QUERY":"{hunter2}"}`, status: 400, code: wrong},
		{name: "a persisted query", body: `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"hunter2"}}}`, status: 200, strict: 400, code: "PERSISTED_QUERY_NOT_SUPPORTED"},
		{name: "64 KB and a byte", body: typename + strings.Repeat(" ", 64<<10-len(typename)+1), status: 413, code: tooLarge},
		{name: "64 KB and a byte, chunked", body: typename + strings.Repeat(" ", 64<<10-len(typename)+1), chunked: true, status: 413, code: tooLarge},
		{name: "20 MB", body: `{"query":"hunter2`, filler: 20 * megabyte, status: 413, code: tooLarge},
		{name: "20 MB, chunked", body: `{"query":"hunter2`, filler: 20 * megabyte, chunked: true, status: 413, code: tooLarge},
		{name: "a list 2 MB deep", body: `{"query":"{hunter2(a:` + strings.Repeat("[", 2*megabyte), status: 413, code: tooLarge},
		{name: "a name of 100 KB", body: question("{"+strings.Repeat(marker, 15000)+"}", nil), status: 413, code: tooLarge},
	}
	for i := range all {
		all[i].header = []string{"Content-Type", "application/json"}
	}
	return all
}

// requests are hostile as HTTP.
func requests() []attack {
	const (
		wrong       = "BAD_REQUEST"
		unsupported = "UNSUPPORTED_MEDIA_TYPE"
		notAllowed  = "METHOD_NOT_ALLOWED"
		invalid     = "GRAPHQL_VALIDATION_FAILED"
	)
	const typename = "query=%7B__typename%7D"
	body := question("{__typename}", nil)
	json := func(more ...string) []string { return append([]string{"Content-Type", "application/json"}, more...) }
	return []attack{
		{name: "a gzip bomb", header: json("Content-Encoding", "gzip"), body: gzipped(10 * megabyte), status: 415, code: unsupported},
		{name: "deflate", header: json("Content-Encoding", "deflate"), body: deflated(10 * megabyte), status: 415, code: unsupported},
		{name: "br", header: json("Content-Encoding", "br"), body: body, status: 415, code: unsupported},
		{name: "gzip twice", header: json("Content-Encoding", "gzip, gzip"), body: body, status: 415, code: unsupported},
		{name: "an encoding of 20 KB", header: json("Content-Encoding", strings.Repeat("x,", 10000)), body: body, status: 415, code: unsupported},
		{name: "in UTF-16", header: []string{"Content-Type", "application/json; charset=utf-16"}, body: body, status: 415, code: unsupported},
		{name: "in a charset of 20 KB", header: []string{"Content-Type", "application/json; charset=" + strings.Repeat("x", 20000)}, body: body, status: 415, code: unsupported},
		{name: "2,000 parameters of the type", header: []string{"Content-Type", "application/json" + times(2000, ";a#=b")}, body: `{"query":"{hunter2}"}`, status: 200, strict: 400, code: invalid},
		{name: "1,500 pieces of a parameter", header: []string{"Content-Type", "application/json" + times(1500, ";a*#*=%41")}, body: `{"query":"{hunter2}"}`, status: 200, strict: 400, code: invalid},
		{name: "no type", body: body, status: 415, code: unsupported},
		{name: "a type that is none", header: []string{"Content-Type", "hunter2"}, body: body, status: 415, code: unsupported},
		{name: "two types", header: []string{"Content-Type", "application/json, text/plain"}, body: body, status: 415, code: unsupported},
		{name: "text", header: []string{"Content-Type", "text/plain"}, body: body, status: 415, code: unsupported},
		{name: "a form of a page", header: []string{"Content-Type", "application/x-www-form-urlencoded"}, body: "query=hunter2", status: 415, code: unsupported},
		{name: "application/graphql", header: []string{"Content-Type", "application/graphql"}, body: "{hunter2}", status: 415, code: unsupported},
		{name: "20 MB of text", header: []string{"Content-Type", "text/plain"}, body: marker, filler: 20 * megabyte, status: 415, code: unsupported},

		{name: "20 MB of text in chunks of a byte", anonymous: true, header: []string{"Content-Type", "text/plain"}, body: marker, filler: 20 * megabyte, crumbled: true, status: 415, code: unsupported},
		{name: "20 MB of JSON in chunks of a byte", header: json(), body: marker, filler: 20 * megabyte, crumbled: true, status: 413, code: "PAYLOAD_TOO_LARGE"},

		{name: "text is accepted", header: json("Accept", "text/html"), body: body, status: 406, code: "NOT_ACCEPTABLE"},
		{name: "nothing is accepted", header: json("Accept", "*/*;q=0"), body: body, status: 406, code: "NOT_ACCEPTABLE"},
		{name: "3,000 types are accepted", header: json("Accept", strings.Repeat("a/b;q=0.1,", 3000)+"a/b"), body: body, status: 406, code: "NOT_ACCEPTABLE"},
		{name: "60 KB of Accept", header: json("Accept", strings.Repeat("a", 60*kilobyte)), body: body, status: 431, code: byNetHTTP},
		{name: "60 KB of URL", method: "GET", params: "query=" + strings.Repeat(marker, 9000), status: 431, code: byNetHTTP},
		{name: "30 KB of languages", header: json("Accept-Language", strings.Repeat("zh-Hant-TW;q=0.1,", 1700)), body: question(`mutation{updateName(input:{name:""}){`+userErrorFields+`}}`, nil), status: 200, code: "updateName: REQUIRED"},
		{name: "15,000 languages in two errors", header: json("Accept-Language", strings.Repeat("*,", 15000)), body: question(`mutation{saveVerification(input:{realName:"",idCard:"hunter2"}){`+userErrorFields+`}}`, nil), status: 200, code: "saveVerification: REQUIRED"},
		{name: "one language of 30 KB", header: json("Accept-Language", strings.Repeat("a-", 15000)), body: question(`mutation{updateName(input:{name:""}){`+userErrorFields+`}}`, nil), status: 200, code: "updateName: REQUIRED"},
		{name: "30 KB of cookies", anonymous: true, header: json("Cookie", times(2500, "hunter2=#;")), body: question("{me{id}}", nil), status: 200, code: "UNAUTHENTICATED"},
		{name: "a token of 30 KB", header: json("Authorization", "Bearer "+strings.Repeat(marker, 4000)), body: question("{me{id}}", nil), status: 200, code: "UNAUTHENTICATED"},

		{name: "PUT", method: "PUT", header: json(), body: body, status: 405, code: notAllowed},
		{name: "PATCH", method: "PATCH", header: json(), body: body, status: 405, code: notAllowed},
		{name: "DELETE", method: "DELETE", params: "hunter2", status: 405, code: notAllowed},
		{name: "TRACE", method: "TRACE", params: "hunter2", status: 405, code: notAllowed},
		{name: "a method that is none", method: "HUNTER2", params: marker, status: 405, code: notAllowed},
		{name: "PUT of 20 MB", method: "PUT", header: json(), body: marker, filler: 20 * megabyte, status: 405, code: notAllowed},
		{name: "GET of a mutation", method: "GET", params: "query=mutation%7BremoveAvatar%7BuserErrors%7Bcode%7D%7D%7D&hunter2", status: 405, code: notAllowed},
		{name: "GET of a query twice", method: "GET", params: typename + "&query=hunter2", status: 400, code: wrong},
		{name: "GET of variables twice", method: "GET", params: typename + "&variables=%7B%7D&variables=hunter2", status: 400, code: wrong},
		{name: "GET of no query", method: "GET", params: "hunter2=1", header: []string{"Upgrade", "websocket", "Connection", "Upgrade"}, status: 400, code: wrong},
		{name: "GET of bad escapes", method: "GET", params: "query=hunter2%zz", status: 400, code: wrong},
		{name: "GET of half an escape", method: "GET", params: "query=hunter2%", status: 400, code: wrong},
		{name: "GET with a semicolon", method: "GET", params: typename + ";hunter2=1", status: 400, code: wrong},
		{name: "GET of invalid UTF-8", method: "GET", params: "query=hunter2%ff%fe", status: 400, code: wrong},
		{name: "GET of variables that are none", method: "GET", params: typename + "&variables=hunter2", status: 400, code: wrong},
		{name: "GET of variables 9,000 deep", method: "GET", params: typename + "&variables=" + within(9000, "[", "hunter2", "]"), status: 400, code: wrong},
		{name: "GET of 3,000 parameters", method: "GET", params: "query=%7Bhunter2%7D" + times(3000, "&a#=1"), status: 200, strict: 400, code: invalid},
		{name: "GET of 16 KB and a byte", method: "GET", params: "query=" + strings.Repeat("x", 16<<10+1) + "&hunter2", status: 200, strict: 400, code: "COMPLEXITY_LIMIT_EXCEEDED"},
	}
}

// gzipped is so many bytes, compressed.
func gzipped(size int64) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Name = marker
	_, _ = io.CopyN(w, filling{}, size) // a buffer takes all
	_ = w.Close()
	return b.String()
}

// deflated likewise, behind a block that is as it is.
func deflated(size int64) string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression) // a level that there is
	_, _ = io.CopyN(w, filling{}, size)
	_ = w.Close()
	return b.String() + marker
}

// filling has no end.
type filling struct{}

var filler = bytes.Repeat([]byte("x"), 32<<10)

func (filling) Read(p []byte) (int, error) { return copy(p, filler), nil }

// part is a part of a multipart request.
type part struct{ disposition, content string }

// between is what separates the parts.
const between = "hunter2"

// form is a multipart body of these parts.
func form(parts ...part) string {
	return openForm(parts...) + "\r\n--" + between + "--\r\n"
}

// openForm is form without its end.
func openForm(parts ...part) string {
	var body strings.Builder
	for _, p := range parts {
		body.WriteString("\r\n--" + between + "\r\nContent-Disposition: form-data; " + p.disposition + "\r\n\r\n" + p.content)
	}
	return body.String()[2:] // the first line has none before it
}

// uploads are hostile as multipart requests.
func uploads() []attack {
	const (
		wrong    = "BAD_REQUEST"
		tooLarge = "PAYLOAD_TOO_LARGE"
		noImage  = "updateAvatar: IMAGE_UNSUPPORTED"
		// whole is what reading a file of 10 MiB may take: twice as much, since its
		// length isn't known before.
		whole    = 24 * megabyte
		limit    = 10 * megabyte
		formType = "multipart/form-data; boundary=" + between
	)
	operations := part{`name="operations"`, question(updateAvatar, vars{"file": nil})}
	mapped := part{`name="map"`, `{"0":["variables.file"]}`}
	file := part{`name="0"; filename="me.jpg"`, marker}
	upload := form(operations, mapped, file)
	withMap := func(text string) string { return form(operations, part{`name="map"`, text}, file) }
	withFile := func(disposition string) string { return form(operations, mapped, part{disposition, marker}) }
	inFile := func(header string) string {
		return strings.Replace(upload, `me.jpg"`, `me.jpg"`+"\r\n"+header, 1)
	}
	all := []attack{
		{name: "map of null", body: withMap(`null`), status: 400, code: wrong},
		{name: "map of a list", body: withMap(`["hunter2"]`), status: 400, code: wrong},
		{name: "map of a string", body: withMap(`"hunter2"`), status: 400, code: wrong},
		{name: "map of a number", body: withMap(`1`), status: 400, code: wrong},
		{name: "map of an object", body: withMap(`{"0":{}}`), status: 400, code: wrong},
		{name: "map of a path of null", body: withMap(`{"0":[null]}`), status: 400, code: wrong},
		{name: "map of no path", body: withMap(`{"0":[]}`), status: 400, code: wrong},
		{name: "map of 40 paths", body: withMap(`{"0":[` + strings.Repeat(`"variables.file",`, 39) + `"variables.file"]}`), status: 400, code: wrong},
		{name: "map of 10 files", body: withMap(`{` + times(10, `"#":["variables.file"],`) + `"hunter2":["variables.file"]}`), status: 400, code: wrong},
		{name: "map of a path into a list", body: withMap(`{"0":["variables.file.99999999"]}`), status: 400, code: wrong},
		{name: "map of a path elsewhere", body: withMap(`{"0":["query.hunter2"]}`), status: 400, code: wrong},
		{name: "map 900 deep", body: withMap(within(450, "[", "1", "]")), status: 400, code: wrong},
		{name: "map of 1 MB", body: withMap(strings.Repeat(" ", megabyte)), status: 413, code: tooLarge},
		{name: "operations of 1 MB", body: form(part{operations.disposition, operations.content + strings.Repeat(" ", megabyte)}, mapped, file), status: 413, code: tooLarge},
		{name: "operations a batch", body: form(part{operations.disposition, "[" + operations.content + "]"}, mapped, file), status: 400, code: wrong},
		{name: "operations that are a file", body: form(part{operations.disposition + `; filename="hunter2"`, "hunter2"}, mapped, file), status: 400, code: wrong},
		{name: "map before operations", body: form(mapped, operations, file), status: 400, code: wrong},
		{name: "file before map", body: form(operations, file, mapped), status: 400, code: wrong},
		{name: "file before operations", body: form(file, operations, mapped), status: 400, code: wrong},
		{name: "no file", body: form(operations, mapped), status: 400, code: wrong},
		{name: "a part's name with ..", body: withFile(`name="../0"`), status: 400, code: wrong},
		{name: "a part's name with NUL", body: withFile("name=\"0\x00\""), status: 400, code: wrong},
		{name: "a part's name of 100 KB", body: form(part{`name="` + strings.Repeat("x", 100*kilobyte) + `"`, marker}), status: 400, code: wrong},
		{name: "a filename with ..", body: withFile(`name="0"; filename="../../hunter2"`), status: 200, code: noImage},
		{name: "a filename with NUL", body: withFile("name=\"0\"; filename=\"hunter2\x00.jpg\""), status: 400, code: wrong},
		{name: "a filename of 100 KB", body: withFile(`name="0"; filename="` + strings.Repeat("x", 100*kilobyte) + `"`), status: 200, code: noImage},
		{name: "10,000 empty parts", body: form(slices.Repeat([]part{{`name=""`, ""}}, 10000)...), status: 400, code: wrong},
		{name: "10,000 parts after the file", body: form(append([]part{operations, mapped, file}, slices.Repeat([]part{{`name=""`, ""}}, 10000)...)...), status: 200, code: noImage},
		{name: "12,000 headers of a part", body: "--hunter2\r\n" + strings.Repeat("a:b\r\n", 12000) + "\r\n", status: 400, code: wrong},
		{name: "a preamble of 1 MB", body: strings.Repeat("x\r\n", megabyte/3) + upload, status: 413, code: tooLarge},
		{name: "one line of 20 MB", body: marker, filler: 20 * megabyte, status: 400, code: wrong},
		{name: "no end", body: openForm(operations, mapped, file), status: 200, code: wrong},
		{name: "an end in operations", body: openForm(operations)[:200], status: 400, code: wrong},
		{name: "multipart within multipart", body: inFile("Content-Type: multipart/mixed; boundary=b"), status: 200, code: noImage},
		{name: "a file in base64", body: inFile("Content-Transfer-Encoding: base64"), status: 200, code: noImage},
		{name: "a file quoted-printable", body: inFile("Content-Transfer-Encoding: quoted-printable"), status: 200, code: noImage},
		{name: "a file compressed", body: inFile("Content-Encoding: gzip"), status: 200, code: noImage},
		{name: "a picture of 60,000 pixels a side", body: form(operations, mapped, part{file.disposition, string(hugeHeader())}), status: 200, code: "updateAvatar: IMAGE_TOO_LARGE"},
		{name: "a file of 10 MB", body: openForm(operations, mapped, file), filler: limit - int64(len(file.content)), status: 200, code: wrong, memory: whole},
		{name: "a file of 10 MB and a byte", body: openForm(operations, mapped, file), filler: limit - int64(len(file.content)) + 1, status: 200, code: "updateAvatar: FILE_TOO_LARGE", memory: whole},
		{name: "a file of 10 MB in chunks of a byte", body: openForm(operations, mapped, file), filler: limit - int64(len(file.content)), crumbled: true, status: 200, code: tooLarge, memory: whole},
		{name: "a file of 10 MB and a byte, chunked", body: openForm(operations, mapped, file), filler: limit - int64(len(file.content)) + 1, chunked: true, status: 200, code: "updateAvatar: FILE_TOO_LARGE", memory: whole},
		{name: "a file of 20 MB", body: openForm(operations, mapped, file), filler: 20 * megabyte, status: 200, code: "updateAvatar: FILE_TOO_LARGE", memory: whole},
		{name: "a file that no field reads", body: form(part{operations.disposition, question(`query($file:Upload){__typename}`, vars{"file": nil})}, mapped, file), status: 200, strict: 400, code: "GRAPHQL_VALIDATION_FAILED"},
		{name: "an upload without a session", body: upload, anonymous: true, status: 401, code: "UNAUTHENTICATED"},
		{name: "20 MB without a session", body: openForm(operations, mapped, file), filler: 20 * megabyte, anonymous: true, status: 401, code: "UNAUTHENTICATED"},
		{name: "a malformed upload without a session", body: marker, anonymous: true, status: 401, code: "UNAUTHENTICATED"},
		{name: "no boundary", header: []string{"Content-Type", "multipart/form-data"}, body: upload, status: 400, code: wrong},
		{name: "a boundary of 10 KB", header: []string{"Content-Type", formType + strings.Repeat("x", 10*kilobyte)}, body: strings.ReplaceAll(upload, "--"+between, "--"+between+strings.Repeat("x", 10*kilobyte)), status: 400, code: wrong},
		{name: "multipart/mixed", header: []string{"Content-Type", "multipart/mixed; boundary=" + between}, body: upload, status: 415, code: "UNSUPPORTED_MEDIA_TYPE"},
		{name: "multipart compressed", header: []string{"Content-Type", formType, "Content-Encoding", "gzip"}, body: upload, status: 415, code: "UNSUPPORTED_MEDIA_TYPE"},
	}
	for i := range all {
		if all[i].header == nil {
			all[i].header = []string{"Content-Type", formType}
		}
	}
	return all
}

// foreignPages are what a page of another origin makes a browser send, with the cookie.
func foreignPages(token string) []attack {
	const forbidden = "FORBIDDEN"
	body := question(`mutation{removeAvatar{userErrors{code}}}`, nil)
	var all []attack
	for page, foreign := range map[string][]string{
		"another origin":     {"Origin", "https://hunter2.example"},
		"a sandboxed page":   {"Origin", "null", "Sec-Fetch-Site", "cross-site"},
		"an origin of 20 KB": {"Origin", strings.Repeat("x", 20000), "Sec-Fetch-Site", "same-site"},
	} {
		header := func(contentType string) []string {
			return append([]string{"Cookie", "nameplate_session=" + token, "Content-Type", contentType}, foreign...)
		}
		all = append(all,
			attack{name: "a form of " + page, header: header("application/x-www-form-urlencoded"), body: "query=hunter2"},
			attack{name: "an upload of " + page, header: header("multipart/form-data; boundary=" + between), body: form(part{`name="operations"`, body})},
			attack{name: "text of " + page, header: header("text/plain"), body: body},
			attack{name: "JSON of " + page, header: header("application/json"), body: body},
			attack{name: "20 MB of " + page, header: header("text/plain"), body: body, filler: 20 * megabyte},
			attack{name: "GET of " + page, method: "GET", header: header(""), params: "query=%7Bhunter2%7D"},
		)
	}
	all = append(all, attack{
		name: "GET of a link", method: "GET", header: []string{"Cookie", "nameplate_session=" + token}, params: "query=%7Bhunter2%7D",
	})
	for i := range all {
		all[i].anonymous, all[i].status, all[i].code = true, http.StatusForbidden, forbidden
	}
	return all
}
