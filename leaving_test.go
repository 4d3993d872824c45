package main

import (
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ownFiles are those in the data folder of a server that has no picture.
var ownFiles = regexp.MustCompile(`^(nameplate\.db(-wal|-shm|\.lock)?|keyset\.json)$`)

// A client that leaves after each tenth of what it has to send, and after the whole
// without waiting for the answer.
func TestAClientThatLeavesDuringAnUploadLeavesNothing(t *testing.T) {
	s := newTarget(t)
	s.alice.upload(updateAvatar, photo(t, 64, 64))
	form, contentType := uploadForm(updateAvatar, photo(t, 1200, 1200))
	body, err := io.ReadAll(form)
	if err != nil {
		t.Fatal(err)
	}
	head := fmt.Sprintf("POST /graphql HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n",
		s.alice.token, contentType, len(body))
	goroutines, _ := s.rest(t, 1<<20)
	before := s.alice.me()
	s.log.take()
	for tenth := range 11 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(append([]byte(head), body[:len(body)*tenth/10]...)); err != nil {
			t.Fatal(err)
		}
		conn.Close()
		var log string
		waitUntil(t, "the server has noticed", func() bool {
			log += s.log.take()
			return strings.Contains(log, "msg=request")
		})
		if strings.Contains(log, "level=ERROR") {
			t.Errorf("after %d tenths the log has: %s", tenth, log)
		}
		s.rest(t, goroutines)
		if diff := cmp.Diff(before, s.alice.me()); diff != "" && tenth < 10 {
			t.Errorf("after %d tenths (-before +after):\n%s", tenth, diff)
		}
		s.log.take()
		s.wantOnlyThePicture(t, tenth)
	}
}

// wantOnlyThePicture holds rows and files of the whole data folder to the picture of
// alice.
func (s *target) wantOnlyThePicture(t *testing.T, tenth int) {
	t.Helper()
	sweepAll(t, s.server, nil)
	var rows []string
	for key, state := range objects(t, s.server) {
		rows = append(rows, "media/"+key)
		if state != "live" {
			t.Errorf("after %d tenths %s is %s", tenth, key, state)
		}
	}
	slices.Sort(rows)
	files := slices.DeleteFunc(filesIn(t, s.data), ownFiles.MatchString)
	if diff := cmp.Diff(rows, files); diff != "" {
		t.Errorf("after %d tenths, files of pictures (-rows +files):\n%s", tenth, diff)
	}
	shown, _ := s.alice.do(`{ me { avatarUrl(size: 64) } }`, nil).at("me", "avatarUrl").(string)
	if !slices.Contains(rows, strings.TrimPrefix(shown, s.url+"/")) {
		t.Errorf("after %d tenths the picture is %s, and there are %q", tenth, shown, rows)
	}
	pictureSide(t, shown, "image/jpeg")
}
