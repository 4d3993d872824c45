package account

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"nameplate/internal/fault"
)

func TestAPasswordsLengthIsCountedInCharactersAfterNormalisation(t *testing.T) {
	tooShort := passFault(fault.TooShort, 8)
	tooLong := passFault(fault.TooLong, 256)
	invalid, common := passFault(fault.InvalidCharacter, 0), passFault(fault.PasswordTooCommon, 0)
	for _, tt := range []struct {
		name, in string
		want     *fault.Error
	}{
		{"one less than the shortest", "1234567", &tooShort},
		{"shortest", "wq7-pzk4", nil},
		{"shortest of 4 bytes", "𠮷𠀋𡈽𡌛𡑮𡢽𠮟𡚴", nil},
		{"one less, of 4 bytes", strings.Repeat("𠮷", 7), &tooShort},
		{"shortest of decomposed letters", "e\u0323\u0302q\u0323\u0302z\u0323k\u0323w\u0323v\u0323x\u0323b\u0323", nil},
		{"short once composed", strings.Repeat("e\u0323\u0302", 7), &tooShort},
		{"longest", strings.Repeat("a", 240) + "wq7-pzk4 mbb3 xv", nil},
		{"longest of 4 bytes", strings.Repeat("𠮷", 240) + "𠮷𠀋𡈽𡌛𡑮𡢽𠮟𡚴𠮷𠀋𡈽𡌛𡑮𡢽𠮟𡚴", nil},
		{"longest of decomposed letters", strings.Repeat("e\u0323\u0302", 240) + "wq7-pzk4 mbb3 xv", nil},
		{"one more than the longest", strings.Repeat("a", 257), &tooLong},
		{"one more, of 4 bytes", strings.Repeat("𠮷", 257), &tooLong},
		{"one more, of decomposed letters", strings.Repeat("e\u0323\u0302", 257), &tooLong},
		{"huge", strings.Repeat("a", 1<<20), &tooLong},
		{"empty", "", &fault.Error{Code: fault.Required, Field: "password"}},
		{"spaces alone", strings.Repeat(" ", 9), &common},
		{"emoji", "🙂🚲🌧🧀🪁🎺🦑🥝", nil},
		{"any printable ASCII", " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", nil},
		{"control character", "correct\x00horse", &invalid},
		{"tab", "correct\thorse", &invalid},
		{"not UTF-8", "correct\xffhorse", &invalid},
		{"what becomes of that in JSON", "correct\uFFFDhorse", &invalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := hashing(1)
			err := p.check("password", tt.in)
			if err == nil {
				err = p.checkGuesses(t.Context(), "asker", "password", tt.in, "Alice")
			}
			if tt.want == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantFaults(t, err, *tt.want)
		})
	}
}

func TestEquivalentPasswordsAreTheSame(t *testing.T) {
	f := newFixture(t)
	composed, decomposed := "caf\u00e9 au lait", "cafe\u0301\u00a0au\u3000lait"
	if _, _, err := f.signUp("alice", composed); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.signIn("alice", decomposed); err != nil {
		t.Error(err)
	}
	_, _, err := f.signIn("alice", strings.ToUpper(composed))
	wantFaults(t, err, fault.Error{Code: fault.WrongCredentials})
}

// hashing hashes so many passwords at once.
func hashing(workers int) *passwords {
	return newPasswords(Options{Hashes: workers, MinPasswordLength: 8, MaxPasswordLength: 256})
}

// The one test with the real, slow function.
func TestPasswordsAreHashedByArgon2id(t *testing.T) {
	p := hashing(1)
	stored, err := p.hash(t.Context(), "alice", password)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(stored, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(stored, "=$") {
		t.Errorf("not a PHC string of the cost that is wanted: %s", stored)
	}
	for _, tt := range []struct {
		password string
		want     bool
	}{
		{password, true},
		{password + " ", false},
	} {
		if got, err := p.matches(t.Context(), "alice", tt.password, stored); got != tt.want || err != nil {
			t.Errorf("got %t, %v, want %t", got, err, tt.want)
		}
	}
}

// From the tests of the reference implementation, with a cost that is not ours:
// what is stored says what it costs.
const referenceHash = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"

func TestAHashOfAnotherCostIsCompared(t *testing.T) {
	p := hashing(1)
	for input, want := range map[string]bool{"password": true, "passwore": false, "": false} {
		if got, err := p.matches(t.Context(), "alice", input, referenceHash); got != want || err != nil {
			t.Errorf("%q: %t, %v, want %t", input, got, err, want)
		}
	}
}

func TestAPasswordThatNoOneCanHaveMatchesNothing(t *testing.T) {
	f := newFixture(t)
	salt := make([]byte, saltBytes)
	empty := phc{newCost, salt, f.passwords.key(nil, salt, 0, 0, 0, hashBytes)}.String()
	for _, input := range []string{"correct\x00horse", strings.Repeat("a", 16*256+1)} {
		for _, stored := range []string{empty, f.passwords.nobody()} {
			if match, err := f.passwords.matches(t.Context(), "alice", input, stored); match || err != nil {
				t.Errorf("%t, %v, want no match", match, err)
			}
		}
	}
}

func TestSaltsDiffer(t *testing.T) {
	f := newFixture(t)
	first, _ := f.mustSignUp("alice")
	second, _ := f.mustSignUp("bob")
	if first.PasswordHash == second.PasswordHash {
		t.Error("one password has one hash")
	}
}

func TestEncodedHashesAreDecoded(t *testing.T) {
	salt, sum := slices.Repeat([]byte{0xfb}, saltBytes), slices.Repeat([]byte{0xff}, hashBytes)
	h, err := decode(phc{newCost, salt, sum}.String())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(h.salt, salt) || !slices.Equal(h.sum, sum) || h.cost != newCost {
		t.Errorf("got %+v", h)
	}
}

func TestAMalformedHashIsAnErrorAndNotAMatch(t *testing.T) {
	p := hashing(1)
	change := func(old, replacement string) string { return strings.Replace(referenceHash, old, replacement, 1) }
	for _, stored := range []string{
		"", "x", "$", "$$$$$", "password", referenceHash[1:], referenceHash + "$", "$" + referenceHash,
		change("argon2id", "argon2i"), change("argon2id", "bcrypt"),
		change("v=19", "v=16"), change("v=19", ""), change("$v=19", ""),
		change("m=256", "m=-1"), change("m=256", "m=x"), change("m=256", "m=99999999999"), change("m=256,", ""),
		change("t=2", "t=0"), change("p=1", "p=0"), change("p=1", "p=256"), change("p=1", "p=1x"), change("p=1", "p=01"),
		change("c29tZXNhbHQ", "c29tZXNhbHQ=="), change("c29tZXNhbHQ", "*"),
		change("nf65", "nf6*"), change("nf65", ""), change("/4", "/4AA"), referenceHash[:strings.LastIndexByte(referenceHash, '$')+1],
	} {
		if match, err := p.matches(t.Context(), "alice", "password", stored); match || err == nil {
			t.Errorf("%q: %t, %v, want an error", stored, match, err)
		}
	}
}

// Each takes 19 MiB, so their number is what bounds the memory.
func TestNoMorePasswordsAreHashedAtOnceThanThereAreWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const workers, requests = 3, 100
		p := hashing(workers)
		var hashing atomic.Int64
		next := make(chan struct{})
		p.key = func(_, _ []byte, _, _ uint32, _ uint8, keyLen uint32) []byte {
			hashing.Add(1)
			defer hashing.Add(-1)
			<-next
			return make([]byte, keyLen)
		}
		var all sync.WaitGroup
		for range requests {
			all.Go(func() {
				if _, err := p.hash(t.Context(), "alice", password); err != nil {
					t.Error(err)
				}
			})
		}
		for done := range requests {
			synctest.Wait()
			if got, want := hashing.Load(), int64(min(workers, requests-done)); got != want {
				t.Errorf("after %d: %d at once, want %d", done, got, want)
			}
			next <- struct{}{}
		}
		all.Wait()
	})
}

func TestWaitingTooLongToHashIsUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := hashing(1)
		next := make(chan struct{})
		p.key = func(_, _ []byte, _, _ uint32, _ uint8, keyLen uint32) []byte {
			<-next
			return make([]byte, keyLen)
		}
		go func() { _, _ = p.hash(t.Context(), "alice", password) }()
		synctest.Wait()

		begin := time.Now()
		_, err := p.matches(t.Context(), "alice", password, p.nobody())
		var busy *fault.Unavailable
		if !errors.As(err, &busy) || busy.RetryAfter < time.Second {
			t.Errorf("got %v, want Unavailable", err)
		}
		if waited := time.Since(begin); waited != hashWait {
			t.Errorf("waited %s, want %s", waited, hashWait)
		}
		wantNoPassword(t, err)

		// Who leaves is not told that the server is busy.
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := p.hash(ctx, "alice", password); !errors.Is(err, context.DeadlineExceeded) || errors.As(err, &busy) {
			t.Errorf("got %v, want the context's own error", err)
		}
		close(next)
	})
}
