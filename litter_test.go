package main

import (
	"maps"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nameplate/internal/avatar"
)

// painter is a user whose client sets and removes the picture as fast as it can
// until the server dies, and remembers what was acknowledged.
type painter struct {
	client    *client
	shown     string // the largest square's address that was acknowledged; empty after a removal
	uploading bool   // whether a request was in flight that sets another picture
	removing  bool   // whether one was that removes it
}

func (p *painter) paint(t *testing.T, files [][]byte) {
	for {
		p.removing = rand.IntN(3) == 0
		p.uploading = !p.removing
		form, contentType := uploadForm(updateAvatar, files[rand.IntN(len(files))])
		mutation := "updateAvatar"
		if p.removing {
			mutation, contentType = "removeAvatar", "application/json"
			form = strings.NewReader(`{"query": "mutation { removeAvatar { user { hasAvatar } } }"}`)
		}
		a, err := p.client.tryPost(contentType, form)
		if err != nil {
			return
		}
		if a.at(mutation, "user") != nil {
			p.shown, _ = a.at(mutation, "user", "large").(string)
		} else if a.code() != "SERVICE_UNAVAILABLE" { // as for an upload that took a second
			t.Errorf("%s: %s", mutation, a.Body)
		}
		p.uploading, p.removing = false, false
	}
}

var squareURL = regexp.MustCompile(`/media/(avatars/[a-z0-9]{26}-)(\d+)(\.jpg)$`)

// check holds what is shown to what was acknowledged, and returns the keys of the
// picture's squares after it has seen each of them.
func (p *painter) check(t *testing.T, round int) (keys []string) {
	t.Helper()
	a := p.client.do(`{ me { hasAvatar avatarUrl(size: 4000) } }`, nil)
	shown := ""
	if a.at("me", "hasAvatar") == true {
		shown, _ = a.at("me", "avatarUrl").(string)
	}
	if shown != p.shown && (shown == "" || !p.uploading) && (shown != "" || !p.removing) {
		t.Errorf("round %d: the picture is %q; acknowledged was %q; in flight: an upload %t, a removal %t",
			round, shown, p.shown, p.uploading, p.removing)
	}
	p.shown, p.uploading, p.removing = shown, false, false
	if shown == "" {
		return nil
	}
	parts := squareURL.FindStringSubmatch(shown)
	if parts == nil {
		t.Fatalf("round %d: the address is %s", round, shown)
	}
	largest, _ := strconv.Atoi(parts[2])
	for _, side := range avatar.SidesUpTo(largest) {
		key := parts[1] + strconv.Itoa(side) + parts[3]
		if got := pictureSide(t, p.client.url+"/media/"+key, "image/jpeg"); got != side {
			t.Errorf("round %d: %s has %d pixels a side", round, key, got)
		}
		keys = append(keys, key)
	}
	return keys
}

// Of every other round the leftovers stay, so that the next is killed while it
// sweeps them.
func TestNoPictureIsLeftBehindOrLostWhenTheProcessIsKilled(t *testing.T) {
	t.Parallel()
	files := [][]byte{photo(t, 64, 64), photo(t, 128, 200), photo(t, 300, 300)}
	data := t.TempDir()
	env := map[string]string{"NAMEPLATE_SWEEP_AFTER": "1s", "NAMEPLATE_THROTTLE": "off"}
	p := startProcess(t, data, env)
	env["NAMEPLATE_ADDR"] = strings.TrimPrefix(p.url, "http://")
	painters := make([]*painter, 3)
	for i := range painters {
		painters[i] = &painter{client: newClient(t, p.url, false)}
		painters[i].client.mustEnter("signUp", "painter "+strconv.Itoa(i), password)
	}
	rounds := crashRounds(8)
	for round := range rounds {
		var painting sync.WaitGroup
		for _, painter := range painters {
			painting.Go(func() { painter.paint(t, files) })
		}
		killing := time.AfterFunc(time.Duration(rand.Int64N(int64(200*time.Millisecond))), p.kill)
		painting.Wait()
		killing.Stop()
		p.kill()
		p = startProcess(t, data, env)
		swept := round%2 == 1 || round == rounds-1
		if swept {
			sweepAll(t, &p.server, env)
		} else {
			makeDue(t, &p.server)
		}
		want := map[string]string{}
		for _, painter := range painters {
			for _, key := range painter.check(t, round) {
				want[key] = "live"
			}
		}
		if !swept {
			continue
		}
		if diff := cmp.Diff(want, objects(t, &p.server)); diff != "" {
			t.Errorf("round %d: rows of objects (-want +got):\n%s", round, diff)
		}
		files := filesIn(t, filepath.Join(data, "media"))
		if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), files); diff != "" {
			t.Errorf("round %d: files (-want +got):\n%s", round, diff)
		}
	}
}
