package graph

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"nameplate/internal/session"
)

const (
	// maxMap is how many bytes the part "map" may have: it names one file.
	maxMap = 1 << 10
	// maxBetween is how many bytes may stand around the content of the parts.
	maxBetween = 64 << 10
	// uploadTime is how long a file may be on its way, and pauseTime how long without a
	// byte of it.
	uploadTime = 5 * time.Minute
	pauseTime  = 15 * time.Second
)

// multipartTransport is a POST of multipart/form-data by the GraphQL multipart
// request specification, with one file:
// https://github.com/jaydenseric/graphql-multipart-request-spec
//
// Without a session it is refused before its body is read: only who is signed in has a use
// for a file. The file is not read before the field that takes it reads it.
type multipartTransport struct{ *runner }

// Supports implements graphql.Transport.
func (multipartTransport) Supports(r *http.Request) bool {
	return r.Method == http.MethodPost && mediaType(r) == "multipart/form-data"
}

// Do implements graphql.Transport.
func (t multipartTransport) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	if _, err := session.Current(r.Context()); err != nil {
		w.Header().Set("WWW-Authenticate", "Bearer") // RFC 9110, section 15.5.2
		t.refuse(w, r, exec, err)
		return
	}
	// Until the request is known to be one, little of it is read: what stands
	// around the parts is kept in memory.
	body := &limitedBody{body: r.Body, limit: int64(t.limits.MaxBody) + maxMap + maxBetween}
	r.Body = io.NopCloser(body)
	params, file, err := t.limits.parseMultipart(r)
	if err != nil {
		t.refuse(w, r, exec, err)
		return
	}
	body.limit = body.read + int64(t.limits.MaxUpload) + maxBetween

	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	file.conn = http.NewResponseController(w)
	file.until = time.Now().Add(uploadTime)
	file.maxTime = t.limits.MaxTime
	file.timer = time.AfterFunc(t.limits.MaxTime, func() { cancel(context.DeadlineExceeded) })
	defer file.timer.Stop()
	t.run(w, r.WithContext(ctx), exec, params)
}

// limitedBody fails as http.MaxBytesReader does, at a limit that can be changed.
type limitedBody struct {
	body        io.Reader
	read, limit int64
}

func (l *limitedBody) Read(p []byte) (int, error) {
	if l.read >= l.limit {
		return 0, &http.MaxBytesError{Limit: l.limit}
	}
	n, err := l.body.Read(p[:min(int64(len(p)), l.limit-l.read)])
	l.read += int64(n)
	return n, err
}

// parseMultipart reads the parts "operations" and "map" and puts the file's part,
// unread, where the map says.
func (l *RequestLimits) parseMultipart(r *http.Request) (*graphql.RawParams, *uploadReader, error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, nil, multipartError("has no boundary")
	}
	operations, err := readPart(parts, "operations", int64(l.MaxBody))
	if err != nil {
		return nil, nil, err
	}
	params, err := l.parseParams(operations)
	if err != nil {
		return nil, nil, err
	}
	fileMap, err := readPart(parts, "map", maxMap)
	if err != nil {
		return nil, nil, err
	}
	name, variable, err := l.parseMap(fileMap)
	if err != nil {
		return nil, nil, err
	}
	if value, exists := params.Variables[variable]; !exists || value != nil {
		return nil, nil, multipartError("must have null as the variable that \"map\" names")
	}
	part, err := parts.NextPart()
	if err != nil {
		return nil, nil, partError(err, "must have the file as its third part")
	}
	if part.FormName() != name {
		return nil, nil, multipartError("must have the file that \"map\" names as its third part")
	}
	file := &uploadReader{part: part}
	params.Variables[variable] = Upload{file}
	return params, file, nil
}

// parseMap reads a map such as {"0": ["variables.file"]}.
func (l *RequestLimits) parseMap(b []byte) (name, variable string, err error) {
	var files map[string][]string
	const should = "The multipart request must have in \"map\" a JSON object of lists of paths."
	if err := l.unmarshal(b, &files, should); err != nil {
		return "", "", err
	}
	if len(files) != 1 {
		return "", "", multipartError("must name one file in \"map\"")
	}
	for name, paths := range files {
		if len(paths) != 1 {
			return "", "", multipartError("must name one path in \"map\"")
		}
		variable, ok := strings.CutPrefix(paths[0], "variables.")
		if !ok {
			return "", "", multipartError("must have in \"map\" a path that begins with \"variables.\"")
		}
		return name, variable, nil
	}
	panic("unreachable: files has one entry")
}

func readPart(parts *multipart.Reader, name string, limit int64) ([]byte, error) {
	part, err := parts.NextPart()
	if err != nil {
		return nil, partError(err, fmt.Sprintf("has no part %q", name))
	}
	if part.FormName() != name {
		return nil, multipartError("must have the parts \"operations\", \"map\" and the file, in this order")
	}
	body, err := io.ReadAll(io.LimitReader(part, limit+1))
	if err != nil {
		return nil, readError(err)
	}
	if int64(len(body)) > limit {
		return nil, &codedError{codePayloadTooLarge, fmt.Sprintf("The part %q may have at most %d bytes.", name, limit)}
	}
	return body, nil
}

func multipartError(what string) error {
	return badRequest("The multipart request " + what + ".")
}

func partError(err error, what string) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return readError(err)
	}
	return multipartError(what)
}

// uploadReader is a file that is read in a resolver, so by a user who may send it. A
// large one on a slow line takes longer than the server's timeouts for a request and
// than the time of an operation: they are put off for as long as it moves.
type uploadReader struct {
	taken   atomic.Bool // by a field
	part    io.Reader
	conn    *http.ResponseController
	until   time.Time
	timer   *time.Timer // ends the operation
	maxTime time.Duration
}

func (u *uploadReader) Read(p []byte) (int, error) {
	u.timer.Stop()
	defer u.timer.Reset(u.maxTime)
	deadline := time.Now().Add(pauseTime)
	if deadline.After(u.until) {
		deadline = u.until
	}
	// Where a connection has no deadlines, there is nothing to put off.
	_ = u.conn.SetReadDeadline(deadline)
	n, err := u.part.Read(p)
	if err == io.EOF { //nolint:errorlint // the contract of io.Reader
		awaitAnswer(u.conn, u.maxTime)
	} else if err != nil {
		err = readError(err)
	}
	return n, err
}
