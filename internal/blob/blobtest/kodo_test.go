package blobtest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The store's own tests show that the double takes what the SDK sends. These
// show that it takes nothing else.

// form is an upload, valid but for what a test changes.
type form struct {
	key, crc string
	policy   policy
	token    func(string) string
	data     []byte
}

func newForm(k *Kodo) form {
	data := JPEG(100, 'f')
	return form{
		key: "a.jpg",
		crc: fmt.Sprint(crc32.ChecksumIEEE(data)),
		policy: policy{
			Scope:      k.Bucket + ":a.jpg",
			Deadline:   time.Now().Add(time.Minute).Unix(),
			InsertOnly: 1,
			FsizeLimit: 100,
			MimeLimit:  jpegType,
		},
		token: func(s string) string { return s },
		data:  data,
	}
}

func (f form) send(t *testing.T, k *Kodo) int {
	t.Helper()
	text, err := json.Marshal(f.policy)
	if err != nil {
		t.Fatal(err)
	}
	encoded := base64.URLEncoding.EncodeToString(text)
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, value := range map[string]string{
		"key": f.key, "crc32": f.crc, "token": f.token(k.sign(encoded) + ":" + encoded),
	} {
		if err := w.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	part, err := w.CreateFormFile("file", "a.jpg")
	if err != nil {
		t.Fatal(err)
	}
	part.Write(f.data)
	w.Close()
	return send(t, http.MethodPost, k.URL, http.Header{"Content-Type": {w.FormDataContentType()}}, &body)
}

func send(t *testing.T, method, address string, header http.Header, body io.Reader) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

func TestKodoRefusesUploadsThatTheTokenDoesNotAllow(t *testing.T) {
	k := NewKodo(t)
	for name, test := range map[string]struct {
		change func(f *form)
		want   int
	}{
		"no token":         {func(f *form) { f.token = func(string) string { return "" } }, 401},
		"no policy":        {func(f *form) { f.token = func(s string) string { return s[:strings.LastIndexByte(s, ':')+1] } }, 401},
		"other policy":     {func(f *form) { f.token = func(s string) string { return s[:len(s)-4] + "e30=" } }, 401},
		"other access key": {func(f *form) { f.token = func(s string) string { return "x" + s } }, 401},
		"expired":          {func(f *form) { f.policy.Deadline = time.Now().Unix() - 1 }, 401},
		"long deadline":    {func(f *form) { f.policy.Deadline += 7200 }, 400},
		"may overwrite":    {func(f *form) { f.policy.InsertOnly = 0 }, 400},
		"any size":         {func(f *form) { f.policy.FsizeLimit = 0 }, 400},
		"any type":         {func(f *form) { f.policy.MimeLimit = "" }, 400},
		"any key":          {func(f *form) { f.policy.Scope = k.Bucket }, 403},
		"other bucket":     {func(f *form) { f.policy.Scope = "other:a.jpg" }, 403},
		"other key":        {func(f *form) { f.key = "b.jpg" }, 403},
		"too large":        {func(f *form) { f.policy.FsizeLimit = 99 }, 413},
		"other type":       {func(f *form) { f.policy.MimeLimit = pngType }, 403},
		"other bytes":      {func(f *form) { f.data = JPEG(100, 'x') }, 406},
		"no checksum":      {func(f *form) { f.crc = "" }, 406},
	} {
		f := newForm(k)
		test.change(&f)
		if got := f.send(t, k); got != test.want {
			t.Errorf("%s: status %d, want %d", name, got, test.want)
		}
	}
	if got := k.Keys(); len(got) != 0 {
		t.Errorf("refused uploads stored %v", got)
	}
	if got := newForm(k).send(t, k); got != http.StatusOK {
		t.Errorf("valid upload: status %d", got)
	}
}

func TestKodoDeletesOnlyWithASignature(t *testing.T) {
	k := NewKodo(t)
	if got := newForm(k).send(t, k); got != http.StatusOK {
		t.Fatalf("upload: status %d", got)
	}
	entry := base64.URLEncoding.EncodeToString([]byte(k.Bucket + ":a.jpg"))
	other := base64.URLEncoding.EncodeToString([]byte("other:a.jpg"))
	for _, test := range []struct {
		name, entry, signed string
		age                 time.Duration
		want                int
	}{
		{"signature of another entry", entry, other, 0, 401},
		{"old signature", entry, entry, time.Hour, 401},
		{"signature of the future", entry, entry, -time.Hour, 401},
		{"other bucket", other, other, 0, 631},
		{"no entry", "_", "_", 0, 400},
		{"valid", entry, entry, 0, 200},
		{"gone", entry, entry, 0, 612},
	} {
		date := time.Now().Add(-test.age).UTC().Format("20060102T150405Z")
		text := fmt.Sprintf("POST /delete/%s\nHost: %s\nContent-Type: x\nX-Qiniu-Date: %s\n\n",
			test.signed, strings.TrimPrefix(k.URL, "http://"), date)
		header := http.Header{
			"Content-Type":  {"x"},
			"X-Qiniu-Date":  {date},
			"Authorization": {"Qiniu " + k.sign(text)},
		}
		if got := send(t, http.MethodPost, k.URL+"/delete/"+test.entry, header, nil); got != test.want {
			t.Errorf("%s: status %d, want %d", test.name, got, test.want)
		}
	}
}

func TestKodoServesAPrivateBucketOnlyAtSignedURLs(t *testing.T) {
	k := NewKodo(t)
	if got := newForm(k).send(t, k); got != http.StatusOK {
		t.Fatalf("upload: status %d", got)
	}
	k.RequireSignedURLs()
	at := func(key string, expiry time.Time) string {
		return fmt.Sprintf("%s/%s?e=%d", k.Domain, key, expiry.Unix())
	}
	valid, past, other := at("a.jpg", time.Now().Add(time.Minute)), at("a.jpg", time.Now()), at("b.jpg", time.Now().Add(time.Minute))
	for _, test := range []struct {
		name, address string
		want          int
	}{
		{"valid", valid + "&token=" + k.sign(valid), 200},
		{"no object", other + "&token=" + k.sign(other), 404},
		{"expired", past + "&token=" + k.sign(past), 401},
		{"other signature", valid + "&token=" + k.sign(other), 401},
		{"no signature", k.Domain + "/a.jpg", 401},
	} {
		if got := send(t, http.MethodGet, test.address, nil, nil); got != test.want {
			t.Errorf("%s: status %d, want %d", test.name, got, test.want)
		}
	}
}
