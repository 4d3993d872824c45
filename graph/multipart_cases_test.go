package graph

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"nameplate/internal/avatar"
)

// withVariables is an upload whose operations have these variables.
func withVariables(variables, fileMap string, files ...part) string {
	operations := `{"query":"` + updateAvatar + `","variables":` + variables + `}`
	return form(append([]part{{"operations", "", operations}, {"map", "", fileMap}}, files...)...)
}

// The cases that the tests of graphql-upload have, the reference implementation of the
// multipart request specification (its processRequest.test.mjs, by the names there), and
// what becomes of each here, where a request has one file and one path. Those of its
// streams and its promises have no counterpart but the tests named below.
var graphqlUploadCases = map[string]struct {
	body   string
	status int
	code   string // of an error, or of a userError; empty where the picture is changed
}{
	"no files":                        {withVariables(`{"file":null}`, `{}`), 400, "BAD_REQUEST"},
	"a single file":                   {uploadForm("PICTURE"), 200, ""},
	"a single file, batched":          {form(part{"operations", "", "[" + operations + "," + operations + "]"}, part{"map", "", `{"1":["0.variables.file"],"2":["1.variables.file"]}`}, part{"1", "a.txt", "a"}, part{"2", "b.txt", "b"}), 400, "BAD_REQUEST"},
	"deduped files":                   {withVariables(`{"files":[null,null]}`, `{"1":["variables.files.0","variables.files.1"]}`, part{"1", "a.txt", "a"}), 400, "BAD_REQUEST"},
	"unconsumed uploads":              {withVariables(`{"fileA":null,"fileB":null}`, `{"1":["variables.fileA"],"2":["variables.fileB"]}`, part{"1", "a.txt", "a"}, part{"2", "b.txt", "b"}), 400, "BAD_REQUEST"},
	"an extraneous file":              {form(operationsPart, mapPart, part{"0", "me.png", "PICTURE"}, part{"2", "b.txt", "b"}), 200, ""},
	"a missing file":                  {form(operationsPart, mapPart), 400, "BAD_REQUEST"},
	"maxFiles":                        {withVariables(`{"files":[null,null]}`, `{"1":["variables.files.0"],"2":["variables.files.1"]}`, part{"1", "a.txt", "a"}, part{"2", "b.txt", "b"}), 400, "BAD_REQUEST"},
	"an interspersed extraneous file": {form(operationsPart, mapPart, part{"extraneous", "c.txt", "c"}, part{"0", "me.png", "PICTURE"}), 400, "BAD_REQUEST"},
	"maxFileSize":                     {uploadForm(strings.Repeat("a", avatar.MaxBytes+1)), 200, "FILE_TOO_LARGE"},
	"maxFieldSize, operations":        {withOperations(operations + strings.Repeat(" ", 64<<10)), 413, "PAYLOAD_TOO_LARGE"},
	"maxFieldSize, map":               {withMap(fileMap + strings.Repeat(" ", maxMap)), 413, "PAYLOAD_TOO_LARGE"},
	"map before operations":           {form(mapPart, operationsPart, filePart), 400, "BAD_REQUEST"},
	"file before map":                 {form(operationsPart, filePart, mapPart), 400, "BAD_REQUEST"},
	"map and file missing":            {form(operationsPart), 400, "BAD_REQUEST"},
	"all missing":                     {form(), 400, "BAD_REQUEST"},
	"operations' JSON, a small file":  {withOperations(`{ x }`), 400, "BAD_REQUEST"},
	"operations' JSON, a large file":  {form(part{"operations", "", `{ x }`}, mapPart, part{"0", "a.txt", strings.Repeat("a", 70_000)}), 400, "BAD_REQUEST"},
	"operations null":                 {withOperations(`null`), 400, "BAD_REQUEST"},
	"operations a boolean":            {withOperations(`true`), 400, "BAD_REQUEST"},
	"operations a string":             {withOperations(`""`), 400, "BAD_REQUEST"},
	"map's JSON":                      {withMap(`{ x }`), 400, "BAD_REQUEST"},
	"map null":                        {withMap(`null`), 400, "BAD_REQUEST"},
	"map an array":                    {withMap(`[]`), 400, "BAD_REQUEST"},
	"map a boolean":                   {withMap(`true`), 400, "BAD_REQUEST"},
	"map a string":                    {withMap(`""`), 400, "BAD_REQUEST"},
	"map's entry type":                {withMap(`{"0":null}`), 400, "BAD_REQUEST"},
	"map's array item type":           {withMap(`{"0":[null]}`), 400, "BAD_REQUEST"},
	"map's path":                      {withVariables(`""`, fileMap, filePart), 400, "BAD_REQUEST"},
	"unparsable":                      {"--" + boundary + "\r\nContent-Disposition", 400, "BAD_REQUEST"},
	"maliciously malformed":           {"--" + boundary + "\r\n Content-Disposition: form-data;", 400, "BAD_REQUEST"},
}

func TestTheCasesOfGraphQLUpload(t *testing.T) {
	e := newEndpoint(t)
	user, token := e.newUser("Alice")
	for name, test := range graphqlUploadCases {
		body := strings.ReplaceAll(test.body, "PICTURE", string(picture(t)))
		for how, reader := range map[string]io.Reader{
			"whole": strings.NewReader(body), "in two halves": iotest.HalfReader(strings.NewReader(body)),
		} {
			a := e.send(request(multipartType, reader, bearer(token)...))
			if code := a.code() + a.fault("updateAvatar"); a.Status != test.status || code != test.code {
				t.Errorf("%s, %s: status %d, %s", name, how, a.Status, a.Body)
			}
			now := e.reload(user)
			if changed := now.AvatarKey != nil; changed != (test.code == "") {
				t.Errorf("%s, %s: the picture changed: %t", name, how, changed)
			}
			e.db.User.UpdateOne(now).ClearAvatarKey().ExecX(t.Context())
		}
	}
	// "an aborted request": TestAClientThatLeavesDuringAnUploadLeavesNothing.
	// The scalar's parseValue and parseLiteral: TestOnlyAMultipartRequestHasAFile and
	// TestAFileIsNoValueOfAnotherType; its serialize: TestNoFieldReturnsAFile.
	// "a non multipart request": TestAnotherMediaTypeIsUnsupported.
	if log := e.log.troubles(); log != "" {
		t.Errorf("the log has: %s", log)
	}
}

func TestNoFieldReturnsAFile(t *testing.T) {
	for _, definition := range loadSchema(t).Types {
		for _, field := range definition.Fields {
			if definition.IsCompositeType() && field.Type.Name() == "Upload" {
				t.Errorf("%s.%s does", definition.Name, field.Name)
			}
		}
	}
}

func TestAFileThatNoFieldTakesIsNotRead(t *testing.T) {
	e := newEndpoint(t)
	user, token := e.newUser("Alice")
	query := `mutation($file: Upload!) { updateAvatar(file: $file) @skip(if: true) { user { id } } }`
	body := form(part{"operations", "", toJSON(t, vars{"query": query, "variables": vars{"file": nil}})}, mapPart,
		part{"0", "me.png", strings.Repeat("x", 1<<20)})
	reader := strings.NewReader(body)
	if a := e.send(request(multipartType, reader, bearer(token)...)); a.Status != http.StatusOK || len(a.Data) != 0 || a.code() != "" {
		t.Errorf("status %d, %s", a.Status, a.Body)
	}
	if read := len(body) - reader.Len(); read > 64<<10 {
		t.Errorf("%d bytes were read", read)
	}
	e.leftNothing("an unread file", t.TempDir())
	if e.reload(user).AvatarKey != nil {
		t.Error("the picture changed")
	}
}
