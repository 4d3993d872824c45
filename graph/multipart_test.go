package graph

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nameplate/internal/avatar"
)

// picture is a small one that is accepted.
func picture(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewNRGBA(image.Rect(0, 0, 64, 64))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var (
	operationsPart = part{"operations", "", operations}
	mapPart        = part{"map", "", fileMap}
	filePart       = part{"0", "me.jpg", "file"}
)

func withMap(fileMap string) string {
	return form(operationsPart, part{"map", "", fileMap}, filePart)
}

func withOperations(operations string) string {
	return form(part{"operations", "", operations}, mapPart, filePart)
}

// cutBefore is the form until the first occurrence of text.
func cutBefore(text string) string {
	before, _, _ := strings.Cut(uploadForm("file"), text)
	return before
}

// malformed are bodies that are no upload, by what is wrong.
var malformed = map[string]struct {
	body   string
	status int
	code   string
}{
	"empty":                     {"", 400, "BAD_REQUEST"},
	"no part":                   {form(), 400, "BAD_REQUEST"},
	"another boundary":          {strings.ReplaceAll(uploadForm("x"), boundary, "other"), 400, "BAD_REQUEST"},
	"JSON":                      {operations, 400, "BAD_REQUEST"},
	"map first":                 {form(mapPart, operationsPart, filePart), 400, "BAD_REQUEST"},
	"file first":                {form(filePart, operationsPart, mapPart), 400, "BAD_REQUEST"},
	"file second":               {form(operationsPart, filePart, mapPart), 400, "BAD_REQUEST"},
	"operations only":           {form(operationsPart), 400, "BAD_REQUEST"},
	"operations twice":          {form(operationsPart, operationsPart, mapPart, filePart), 400, "BAD_REQUEST"},
	"map twice":                 {form(operationsPart, mapPart, mapPart, filePart), 400, "BAD_REQUEST"},
	"no file":                   {form(operationsPart, mapPart), 400, "BAD_REQUEST"},
	"no map":                    {form(operationsPart, filePart), 400, "BAD_REQUEST"},
	"another name of the file":  {form(operationsPart, mapPart, part{"1", "me.jpg", "x"}), 400, "BAD_REQUEST"},
	"a file without a name":     {form(operationsPart, mapPart, part{"", "me.jpg", "x"}), 400, "BAD_REQUEST"},
	"parts without disposition": {strings.ReplaceAll(uploadForm("x"), "Content-Disposition", "X-Other"), 400, "BAD_REQUEST"},
	"parts that are no form":    {strings.ReplaceAll(uploadForm("x"), "form-data", "attachment"), 400, "BAD_REQUEST"},
	"a part with a bad header":  {strings.ReplaceAll(uploadForm("x"), "Content-Disposition:", ":"), 400, "BAD_REQUEST"},

	"operations empty":         {withOperations(""), 400, "BAD_REQUEST"},
	"operations not JSON":      {withOperations("{"), 400, "BAD_REQUEST"},
	"operations a batch":       {withOperations("[" + operations + "]"), 400, "BAD_REQUEST"},
	"operations without query": {withOperations(`{"variables":{"file":null}}`), 400, "BAD_REQUEST"},
	"operations too large":     {withOperations(operations + strings.Repeat(" ", 64<<10)), 413, "PAYLOAD_TOO_LARGE"},
	"no variables":             {withOperations(`{"query":"` + updateAvatar + `"}`), 400, "BAD_REQUEST"},
	"variables null":           {withOperations(`{"query":"` + updateAvatar + `","variables":null}`), 400, "BAD_REQUEST"},
	"another variable":         {withOperations(`{"query":"` + updateAvatar + `","variables":{"x":null}}`), 400, "BAD_REQUEST"},
	"a variable with a value":  {withOperations(`{"query":"` + updateAvatar + `","variables":{"file":"x"}}`), 400, "BAD_REQUEST"},
	"a list of files":          {withOperations(`{"query":"` + updateAvatar + `","variables":{"file":[null]}}`), 400, "BAD_REQUEST"},

	"map empty":             {withMap(""), 400, "BAD_REQUEST"},
	"map not JSON":          {withMap("{"), 400, "BAD_REQUEST"},
	"map null":              {withMap("null"), 400, "BAD_REQUEST"},
	"map a list":            {withMap(`[["variables.file"]]`), 400, "BAD_REQUEST"},
	"map of strings":        {withMap(`{"0":"variables.file"}`), 400, "BAD_REQUEST"},
	"map of numbers":        {withMap(`{"0":[0]}`), 400, "BAD_REQUEST"},
	"map of objects":        {withMap(`{"0":{"0":"variables.file"}}`), 400, "BAD_REQUEST"},
	"map of no file":        {withMap(`{}`), 400, "BAD_REQUEST"},
	"map of two files":      {withMap(`{"0":["variables.file"],"1":["variables.file"]}`), 400, "BAD_REQUEST"},
	"map of no path":        {withMap(`{"0":[]}`), 400, "BAD_REQUEST"},
	"map of a null path":    {withMap(`{"0":[null]}`), 400, "BAD_REQUEST"},
	"map of null":           {withMap(`{"0":null}`), 400, "BAD_REQUEST"},
	"map of two paths":      {withMap(`{"0":["variables.file","variables.file"]}`), 400, "BAD_REQUEST"},
	"map of another path":   {withMap(`{"0":["file"]}`), 400, "BAD_REQUEST"},
	"map of a batch path":   {withMap(`{"0":["0.variables.file"]}`), 400, "BAD_REQUEST"},
	"map of the root":       {withMap(`{"0":["variables"]}`), 400, "BAD_REQUEST"},
	"map of no variable":    {withMap(`{"0":["variables."]}`), 400, "BAD_REQUEST"},
	"map of the query":      {withMap(`{"0":["query"]}`), 400, "BAD_REQUEST"},
	"map of a deep path":    {withMap(`{"0":["variables.file.x"]}`), 400, "BAD_REQUEST"},
	"map of an index":       {withMap(`{"0":["variables.file.0"]}`), 400, "BAD_REQUEST"},
	"map of a number":       {withMap(`{"0":["variables.0"]}`), 400, "BAD_REQUEST"},
	"map of minus one":      {withMap(`{"0":["variables.file.-1"]}`), 400, "BAD_REQUEST"},
	"map of one name twice": {withMap(`{"0":["variables.file"],"0":["variables.file"]}`), 400, "BAD_REQUEST"},
	"map too large":         {withMap(fileMap + strings.Repeat(" ", maxMap)), 413, "PAYLOAD_TOO_LARGE"},

	"cut in operations":        {cutBefore("mutation"), 400, "BAD_REQUEST"},
	"cut after operations":     {cutBefore("--boundary\r\nContent-Disposition: form-data; name=map"), 400, "BAD_REQUEST"},
	"cut in the map":           {cutBefore("variables.file"), 400, "BAD_REQUEST"},
	"cut in the file's header": {cutBefore("me.jpg"), 400, "BAD_REQUEST"},

	"much before the parts": {strings.Repeat("x\r\n", 1<<18) + uploadForm("x"), 413, "PAYLOAD_TOO_LARGE"},
	"much in a header": {
		strings.Replace(uploadForm("x"), "Content-D", "X: "+strings.Repeat("x", 1<<20)+"\r\nContent-D", 1),
		413, "PAYLOAD_TOO_LARGE",
	},
}

func TestAMalformedUploadIsRefusedQuietly(t *testing.T) {
	e := newEndpoint(t)
	user, token := e.newUser("Alice")
	for name, test := range malformed {
		a := e.postForm(test.body, bearer(token)...)
		if a.Status != test.status || a.code() != test.code || a.Data != nil {
			t.Errorf("%s: status %d, %s", name, a.Status, a.Body)
		}
		if log := e.log.troubles(); log != "" {
			t.Errorf("%s: the log has: %s", name, log)
		}
	}
	if e.reload(user).AvatarKey != nil {
		t.Error("a malformed upload changed the picture")
	}
}

func TestAnUploadNeedsABoundary(t *testing.T) {
	e := newEndpoint(t)
	_, token := e.newUser("Alice")
	for _, contentType := range []string{
		"multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; charset=utf-8",
	} {
		a := e.send(request(contentType, strings.NewReader(uploadForm("x")), bearer(token)...))
		if a.Status != http.StatusBadRequest || a.code() != "BAD_REQUEST" {
			t.Errorf("%s: status %d, %s", contentType, a.Status, a.Body)
		}
	}
}

func TestAnUploadMayBeUnusual(t *testing.T) {
	e := newEndpoint(t)
	user, token := e.newUser("Alice")
	file := string(picture(t))
	for name, body := range map[string]string{
		"more parts after the file": form(operationsPart, mapPart, part{"0", "me.jpg", file}, filePart, operationsPart),
		"no filename":               form(operationsPart, mapPart, part{"0", "", file}),
		"a strange filename":        form(operationsPart, mapPart, part{"0", "../../etc/passwd\x00", file}),
		"text before the parts":     "preamble\r\n" + uploadForm(file),
		"text after the parts":      uploadForm(file) + "epilogue",
		"another name in the map":   form(operationsPart, part{"map", "", `{"picture":["variables.file"]}`}, part{"picture", "x", file}),
	} {
		a := e.postForm(body, bearer(token)...)
		now := e.reload(user)
		if a.Status != http.StatusOK || len(a.Errors) > 0 || a.fault("updateAvatar") != "" || now.AvatarKey == nil {
			t.Errorf("%s: status %d, %s", name, a.Status, a.Body)
		}
		e.db.User.UpdateOne(now).ClearAvatarKey().ExecX(t.Context())
	}
}

func TestAFileIsNoValueOfAnotherType(t *testing.T) {
	e := newEndpoint(t)
	_, token := e.newUser("Alice")
	for _, query := range []string{
		`mutation($file: String!) { updateName(input: { name: $file }) { user { name } } }`,
		`mutation($file: UpdateNameInput!) { updateName(input: $file) { user { name } } }`,
		`query($file: Int!) { me { avatarUrl(size: $file) } }`,
		`query($file: Boolean!) { me @skip(if: $file) { name } }`,
		`query($file: String!) { __type(name: $file) { name } }`,
	} {
		a := e.postForm(withOperations(toJSON(t, vars{"query": query, "variables": vars{"file": nil}})), bearer(token)...)
		if a.Status != http.StatusOK || a.code() != "GRAPHQL_VALIDATION_FAILED" {
			t.Errorf("%s: status %d, %s", query, a.Status, a.Body)
		}
	}
	if log := e.log.troubles(); log != "" {
		t.Errorf("the log has: %s", log)
	}
}

func TestOnlyAMultipartRequestHasAFile(t *testing.T) {
	e := newEndpoint(t)
	_, token := e.newUser("Alice")
	for _, value := range []any{"x", 1, true, vars{}, vars{"Reader": "x"}, []any{}} {
		a := e.query(token, updateAvatar, vars{"file": value})
		if a.code() != "GRAPHQL_VALIDATION_FAILED" || !strings.Contains(a.message(), "multipart/form-data") {
			t.Errorf("%v: %s", value, a.Body)
		}
	}
	for _, literal := range []string{
		`"x"`, "1", "null", "{}", "99999999999999999999", "1e999", "{ a: [99999999999999999999] }",
	} {
		query := `mutation { updateAvatar(file: ` + literal + `) { userErrors { code } } }`
		if a := e.query(token, query, nil); a.code() != "GRAPHQL_VALIDATION_FAILED" {
			t.Errorf("%s: %s", literal, a.Body)
		}
		query = `mutation($file: Upload = ` + literal + `) { updateAvatar(file: $file) { userErrors { code } } }`
		if a := e.query(token, query, nil); a.code() != "GRAPHQL_VALIDATION_FAILED" {
			t.Errorf("default %s: %s", literal, a.Body)
		}
	}
	if log := e.log.troubles(); log != "" {
		t.Errorf("the log has: %s", log)
	}
}

func TestAFileMayHave10MiB(t *testing.T) {
	e := newEndpoint(t)
	_, token := e.newUser("Alice")
	for size, want := range map[int]string{
		0:                   "FILE_EMPTY",
		avatar.MaxBytes:     "IMAGE_UNSUPPORTED", // its size was accepted
		avatar.MaxBytes + 1: "FILE_TOO_LARGE",
	} {
		a := e.postForm(uploadForm(string(make([]byte, size))), bearer(token)...)
		if got := a.fault("updateAvatar"); got != want {
			t.Errorf("%d bytes: %s", size, a.Body)
		}
	}
}

// readFunc is a reader of one function.
type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

func TestAnUploadWithoutASessionIsRefusedBeforeItsBodyIsRead(t *testing.T) {
	e := newEndpoint(t)
	for _, header := range [][]string{nil, bearer("AAAA"), {"Cookie", "nameplate_session=AAAA"}} {
		w := httptest.NewRecorder()
		body := readFunc(func([]byte) (int, error) {
			t.Error("the body was read")
			return 0, io.EOF
		})
		e.ServeHTTP(w, request(multipartType, body, header...))
		a := parseAnswer(t, w.Result())
		if a.Status != http.StatusUnauthorized || a.code() != "UNAUTHENTICATED" || a.Header.Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("status %d, %s", a.Status, a.Body)
		}
	}
}

func TestAFileIsForOneField(t *testing.T) {
	e := newEndpoint(t)
	user, token := e.newUser("Alice")
	query := `mutation($file: Upload!) {
		a: updateAvatar(file: $file) { userErrors { code } }
		b: updateAvatar(file: $file) { userErrors { code } } }`
	body := form(
		part{"operations", "", toJSON(t, vars{"query": query, "variables": vars{"file": nil}})},
		mapPart, part{"0", "me.png", string(picture(t))})
	a := e.postForm(body, bearer(token)...)
	want := []answerError{{
		Message:    "A file can be used by one field of a request.",
		Path:       []any{"b"},
		Locations:  []map[string]int{{"line": 3, "column": 3}},
		Extensions: map[string]any{"code": "BAD_REQUEST"},
	}}
	if diff := cmp.Diff(want, a.Errors); diff != "" || a.fault("a") != "" || a.Data["b"] != nil {
		t.Errorf("errors (-want +got):\n%s\n%s", diff, a.Body)
	}
	if e.reload(user).AvatarKey == nil {
		t.Error("the first field did not get the file")
	}
}

func TestAFileThatEndsEarlyChangesNothing(t *testing.T) {
	e := newEndpoint(t)
	e.resolver.Profiles.Attempts.Off = true // for there are more than a user may send at once
	user, token := e.newUser("Alice")
	whole := uploadForm(string(picture(t)))
	for missing := len("--boundary--\r\n"); missing < len(picture(t)); missing++ {
		a := e.postForm(whole[:len(whole)-missing], bearer(token)...)
		if a.Status != http.StatusOK || a.code() != "BAD_REQUEST" || a.Data["updateAvatar"] != nil {
			t.Errorf("%d bytes are missing: status %d, %s", missing, a.Status, a.Body)
		}
	}
	e.leftNothing("cut", t.TempDir())
	if e.reload(user).AvatarKey != nil {
		t.Error("half a file became the picture")
	}
}

// leftNothing checks that the database and the store have no object, the folder
// of temporary files no file, and the log no line but those about requests.
func (e *endpoint) leftNothing(name, temporary string) {
	e.t.Helper()
	if n := e.db.Object.Query().CountX(context.Background()); n != 0 {
		e.t.Errorf("%s: %d objects are in the database", name, n)
	}
	for _, folder := range []string{e.folder, temporary} {
		_ = fs.WalkDir(os.DirFS(folder), ".", func(path string, entry fs.DirEntry, _ error) error {
			if entry != nil && !entry.IsDir() {
				e.t.Errorf("%s: %s/%s is left", name, folder, path)
			}
			return nil
		})
	}
	if log := e.log.troubles(); log != "" {
		e.t.Errorf("%s: the log has: %s", name, log)
	}
}

func TestAClientThatLeavesDuringAnUploadLeavesNothing(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	e := newEndpoint(t)
	user, token := e.newUser("Alice")
	begun, answered := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		defer func() { answered <- struct{}{} }()
		e.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	whole := uploadForm(strings.Repeat("x", 1<<20))
	for _, sent := range []int{0, 10, 300, 600, 100_000, len(whole) - 1} {
		for _, reset := range []bool{false, true} {
			connection, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			_, err = fmt.Fprintf(connection, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nAuthorization: Bearer %s\r\n"+
				"Content-Length: %d\r\n\r\n%s", multipartType, token, len(whole), whole[:sent])
			if err != nil {
				t.Fatal(err)
			}
			<-begun
			if reset { // close with RST instead of FIN
				_ = connection.(*net.TCPConn).SetLinger(0)
			}
			connection.Close()
			<-answered
			e.leftNothing(fmt.Sprintf("%d bytes sent, reset %t", sent, reset), temporary)
		}
	}
	if e.reload(user).AvatarKey != nil {
		t.Error("half an upload changed the picture")
	}
}
