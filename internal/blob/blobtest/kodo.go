package blobtest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Statuses of Kodo that net/http has no name for.
const (
	statusNoSuchObject = 612
	statusObjectExists = 614
	statusNoSuchBucket = 631
)

const (
	// maxUpload bounds the body of an upload.
	maxUpload = 32 << 20
	// maxTokenLife bounds the deadline of an upload token.
	maxTokenLife = time.Hour
	// maxSkew is how far a signed request's date may be from the clock.
	maxSkew = 15 * time.Minute
)

// Kodo is a test double of Qiniu Kodo on the loopback: uploads by form and
// deletions at URL, the objects at Domain. It checks every signature, and it
// refuses upload tokens that allow more than the one upload of one key, which
// Kodo itself would accept.
type Kodo struct {
	// AccessKey and SecretKey are the only key pair it accepts, Bucket the only
	// bucket it has.
	AccessKey, SecretKey, Bucket string
	// URL is the endpoint of the upload and management API.
	URL string
	// Domain is the address of the bucket's public domain.
	Domain string

	mu       sync.Mutex
	objects  map[string]object
	signed   bool
	failures []Failure
	requests int
}

type object struct {
	mediaType, cacheControl string
	data                    []byte
}

// NewKodo starts a double with an empty public bucket. It stops when the test
// ends.
func NewKodo(t testing.TB) *Kodo {
	k := &Kodo{
		AccessKey: "access-key-of-the-double",
		SecretKey: "secret-key-of-the-double",
		Bucket:    "pictures",
		objects:   map[string]object{},
	}
	api := http.NewServeMux()
	api.HandleFunc("POST /{$}", k.upload)
	api.HandleFunc("POST /delete/{entry}", k.remove)
	k.URL = serve(t, k.failing(api))
	k.Domain = serve(t, http.HandlerFunc(k.get))
	return k
}

func serve(t testing.TB, h http.Handler) string {
	s := httptest.NewServer(h)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s.URL
}

// RequireSignedURLs makes the bucket private: from now on an object is served
// only at a URL with a valid signature that has not expired.
func (k *Kodo) RequireSignedURLs() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.signed = true
}

// Keys returns the keys of the objects in the bucket, sorted.
func (k *Kodo) Keys() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Sorted(maps.Keys(k.objects))
}

// Requests returns how many requests the API has had.
func (k *Kodo) Requests() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.requests
}

// Fail has the next n requests to the API fail in this way.
func (k *Kodo) Fail(n int, f Failure) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for range n {
		k.failures = append(k.failures, f)
	}
}

// Heal ends all failures: no further request fails.
func (k *Kodo) Heal() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.failures = nil
}

// Failure is a way in which a request fails; next is what would have served it.
type Failure func(next http.Handler) http.Handler

// Status answers with an HTTP status or one of Kodo's own, such as 612.
func Status(code int) Failure {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			answerError(w, code, fmt.Sprintf("told to answer %d", code))
		})
	}
}

// Hang answers nothing until the client leaves.
func Hang(http.Handler) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		readBody(r)
		<-r.Context().Done()
	})
}

// readBody replaces the request's body by a copy: only when the body has been
// read does the server notice that the client leaves.
func readBody(r *http.Request) {
	var body bytes.Buffer
	_, _ = body.ReadFrom(r.Body)
	r.Body = io.NopCloser(&body)
}

// Cut closes the connection without reading the body or answering.
func Cut(http.Handler) http.Handler {
	return http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic(http.ErrAbortHandler)
	})
}

// LoseAnswer does what the request asks for and then closes the connection.
func LoseAnswer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	})
}

// Slow does what the request asks for after d, if the client still waits.
func Slow(d time.Duration) Failure {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			readBody(r)
			select {
			case <-time.After(d):
				next.ServeHTTP(w, r)
			case <-r.Context().Done():
			}
		})
	}
}

// failing counts requests and lets those fail that are to.
func (k *Kodo) failing(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k.mu.Lock()
		k.requests++
		h := next
		if len(k.failures) > 0 {
			h, k.failures = k.failures[0](next), k.failures[1:]
		}
		k.mu.Unlock()
		h.ServeHTTP(w, r)
	})
}

// refusal is an answer other than success.
type refusal struct {
	code int
	text string
}

// policy is what an upload token allows.
type policy struct {
	Scope      string `json:"scope"`
	Deadline   int64  `json:"deadline"`
	InsertOnly int    `json:"insertOnly"`
	FsizeLimit int64  `json:"fsizeLimit"`
	MimeLimit  string `json:"mimeLimit"`
}

// upload serves the form upload: the fields key, token and crc32, the file, and
// what is to become the object's metadata.
func (k *Kodo) upload(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxUpload)
	// All of it in memory: a test looks at what is written to the temporary folder.
	if err := r.ParseMultipartForm(maxUpload); err != nil {
		answerError(w, http.StatusBadRequest, err.Error())
		return
	}
	f, header, err := r.FormFile("file")
	if err != nil {
		answerError(w, http.StatusBadRequest, err.Error())
		return
	}
	data, err := io.ReadAll(f)
	if err != nil {
		answerError(w, http.StatusBadRequest, err.Error())
		return
	}
	key := r.PostFormValue("key")
	p, no := k.openToken(r.PostFormValue("token"))
	if no == nil {
		no = k.checkPolicy(p, key, data)
	}
	if no == nil {
		no = checkCRC(r.PostFormValue("crc32"), data)
	}
	if no == nil {
		no = k.store(key, object{header.Header.Get("Content-Type"), r.PostFormValue("x-qn-meta-!Cache-Control"), data})
	}
	if no != nil {
		answerError(w, no.code, no.text)
		return
	}
	answer(w, http.StatusOK, map[string]string{"key": key, "hash": fmt.Sprintf("%x", sha1.Sum(data))})
}

// openToken checks the form and signature of an upload token and returns its
// policy.
func (k *Kodo) openToken(token string) (p policy, no *refusal) {
	bad := &refusal{http.StatusUnauthorized, "bad token"}
	i := strings.LastIndexByte(token, ':')
	if i < 0 || !hmac.Equal([]byte(token[:i]), []byte(k.sign(token[i+1:]))) {
		return p, bad
	}
	text, err := base64.URLEncoding.DecodeString(token[i+1:])
	if err != nil || json.Unmarshal(text, &p) != nil {
		return p, bad
	}
	return p, nil
}

func (k *Kodo) checkPolicy(p policy, key string, data []byte) *refusal {
	left := time.Until(time.Unix(p.Deadline, 0))
	detected := http.DetectContentType(data)
	switch {
	case left <= 0:
		return &refusal{http.StatusUnauthorized, "expired token"}
	case left > maxTokenLife || p.InsertOnly != 1 || p.FsizeLimit <= 0 || p.MimeLimit == "":
		return &refusal{http.StatusBadRequest, "token allows more than one upload needs"}
	case p.Scope != k.Bucket+":"+key:
		return &refusal{http.StatusForbidden, "key doesn't match with scope"}
	case int64(len(data)) > p.FsizeLimit:
		return &refusal{http.StatusRequestEntityTooLarge, "request entity too large"}
	case detected != p.MimeLimit:
		// Kodo, too, goes by the content here and not by what the client says.
		return &refusal{http.StatusForbidden, "limited mimeType: this file type (" + detected + ") is forbidden to upload"}
	}
	return nil
}

func checkCRC(want string, data []byte) *refusal {
	if want != strconv.FormatUint(uint64(crc32.ChecksumIEEE(data)), 10) {
		return &refusal{http.StatusNotAcceptable, "crc32 not match"}
	}
	return nil
}

// store adds the object. As in Kodo, the bytes that are there already may be
// uploaded again.
func (k *Kodo) store(key string, o object) *refusal {
	k.mu.Lock()
	defer k.mu.Unlock()
	if old, ok := k.objects[key]; ok && string(old.data) != string(o.data) {
		return &refusal{statusObjectExists, "file exists"}
	}
	k.objects[key] = o
	return nil
}

// remove serves the deletion of the object that the entry names, base64 of the
// bucket, ":" and the key.
func (k *Kodo) remove(w http.ResponseWriter, r *http.Request) {
	if !k.isSigned(r) {
		answerError(w, http.StatusUnauthorized, "bad token")
		return
	}
	entry, err := base64.URLEncoding.DecodeString(r.PathValue("entry"))
	if err != nil {
		answerError(w, http.StatusBadRequest, "invalid entry")
		return
	}
	bucket, key, _ := strings.Cut(string(entry), ":")
	if bucket != k.Bucket {
		answerError(w, statusNoSuchBucket, "no such bucket")
		return
	}
	k.mu.Lock()
	_, ok := k.objects[key]
	delete(k.objects, key)
	k.mu.Unlock()
	if !ok {
		answerError(w, statusNoSuchObject, "no such file or directory")
		return
	}
	answer(w, http.StatusOK, struct{}{})
}

// isSigned checks the Qiniu signature of a management request without a body.
func (k *Kodo) isSigned(r *http.Request) bool {
	date := r.Header.Get("X-Qiniu-Date")
	when, err := time.Parse("20060102T150405Z", date)
	if err != nil || time.Since(when).Abs() > maxSkew {
		return false
	}
	text := fmt.Sprintf("%s %s\nHost: %s\nContent-Type: %s\nX-Qiniu-Date: %s\n\n",
		r.Method, r.URL.RequestURI(), r.Host, r.Header.Get("Content-Type"), date)
	return hmac.Equal([]byte(r.Header.Get("Authorization")), []byte("Qiniu "+k.sign(text)))
}

// get serves an object at the public domain.
func (k *Kodo) get(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	o, ok := k.objects[strings.TrimPrefix(r.URL.Path, "/")]
	signed := k.signed
	k.mu.Unlock()
	if signed && !k.isValidURL(r) {
		answerError(w, http.StatusUnauthorized, "download token not specified, wrong or expired")
		return
	}
	if !ok {
		answerError(w, http.StatusNotFound, "Document not found")
		return
	}
	w.Header().Set("Content-Type", o.mediaType)
	if o.cacheControl != "" {
		w.Header().Set("Cache-Control", o.cacheControl)
	}
	_, _ = w.Write(o.data)
}

// isValidURL checks the signature and the expiry of a private bucket's URL.
func (k *Kodo) isValidURL(r *http.Request) bool {
	text, token, ok := strings.Cut(k.Domain+r.URL.RequestURI(), "&token=")
	expiry, err := strconv.ParseInt(r.URL.Query().Get("e"), 10, 64)
	return ok && err == nil && time.Now().Unix() < expiry && hmac.Equal([]byte(token), []byte(k.sign(text)))
}

// sign is Kodo's signature of text.
func (k *Kodo) sign(text string) string {
	mac := hmac.New(sha1.New, []byte(k.SecretKey))
	mac.Write([]byte(text))
	return k.AccessKey + ":" + base64.URLEncoding.EncodeToString(mac.Sum(nil))
}

func answerError(w http.ResponseWriter, code int, text string) {
	answer(w, code, map[string]string{"error": text})
}

// answer has the request id that distinguishes Kodo's answers from those of a
// machine between it and the client.
func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Reqid", "reqid-of-the-double")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}
