package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/trustelem/zxcvbn"
	"golang.org/x/crypto/argon2"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"

	"nameplate/internal/fault"
	"nameplate/internal/turns"
)

// cost is what Argon2id takes: time is the passes and memory the KiB.
type cost struct {
	time, memory uint32
	threads      uint8
}

// newCost is the least that the OWASP Password Storage Cheat Sheet recommends: 50 ms on one
// core. A hash of another cost is made anew at the next sign-in.
var newCost = cost{time: 2, memory: 19 * 1024, threads: 1}

const (
	saltBytes = 16
	hashBytes = 32
)

// hashWait is how long a request waits for its turn to hash.
const hashWait = 5 * time.Second

// passwords hashes and compares, so many at once that memory is bounded. Who asks is told
// by a name, since askers take turns: one with many passwords keeps no other waiting.
type passwords struct {
	minLength, maxLength int
	slots                *turns.Slots
	cost                 cost // of a new hash
	// key is argon2.IDKey, which tests count.
	key func(password, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte
}

func newPasswords(o Options) *passwords {
	return &passwords{
		minLength: o.MinPasswordLength,
		maxLength: o.MaxPasswordLength,
		slots:     turns.New(o.Hashes, o.Hashes, "passwords"),
		cost:      newCost,
		key:       argon2.IDKey,
	}
}

// nobody is compared with when there is no such user, so that a missing user costs what
// a wrong password does, of whoever has signed in since the cost was last changed.
func (p *passwords) nobody() string {
	return phc{cost: p.cost, salt: make([]byte, saltBytes), sum: make([]byte, hashBytes)}.String()
}

// normalise is the OpaqueString profile (RFC 8265, section 4.2): what a
// keyboard composes differently is the same password. U+FFFD is refused, since
// it is what becomes of any character that a client didn't send in UTF-8: of such
// passwords all of a length would be the same.
func (p *passwords) normalise(password string) (string, fault.Code) {
	// A character of four bytes is never composed from more than a few. A bound that was
	// lowered keeps nobody out.
	if len(password) > 16*max(p.maxLength, 256) {
		return "", fault.TooLong
	}
	normal, err := precis.OpaqueString.String(password)
	if err != nil || strings.ContainsRune(normal, utf8.RuneError) {
		return "", fault.InvalidCharacter
	}
	return normal, ""
}

// check says whether a new password, the input of that name, may be used, but for
// whether it can be guessed, which takes long to tell.
func (p *passwords) check(field, password string) error {
	if err := required(field, password); err != nil {
		return err
	}
	normal, code := p.normalise(password)
	switch n := utf8.RuneCountInString(normal); {
	case code == fault.InvalidCharacter:
		return &fault.Error{Code: code, Field: field}
	case code == fault.TooLong || n > p.maxLength:
		return &fault.Error{Code: fault.TooLong, Field: field, Limit: p.maxLength}
	case n < p.minLength:
		return &fault.Error{Code: fault.TooShort, Field: field, Limit: p.minLength}
	}
	return nil
}

const (
	// minScore is zxcvbn's for what takes a million guesses, its authors' bound for
	// guessing at a server (Wheeler, zxcvbn: Low-Budget Password Strength Estimation,
	// USENIX Security 2016).
	minScore = 2
	// maxEstimated is how many characters are looked at together: the time for it grows with
	// their square, and with hostile ones faster, up to what a hash or two take.
	maxEstimated = 24
)

// checkGuesses is a fault if a new password that has passed check can be guessed in few
// attempts.
func (p *passwords) checkGuesses(ctx context.Context, asker, field, password, userName string) error {
	if err := p.slots.Acquire(ctx, asker, hashWait); err != nil {
		return err
	}
	defer p.slots.Release(asker)
	if normal, _ := p.normalise(password); guessable(normal, userName) {
		return &fault.Error{Code: fault.PasswordTooCommon, Field: field}
	}
	return nil
}

// guessable is whether a password is common, or made of what people make passwords of,
// and of their name. Of a long one, neither the beginning nor the end needs be hard to
// guess if the other is.
func guessable(password, userName string) bool {
	words := strings.Fields(latin(userName))
	known := append(words, strings.Join(words, ""), strings.Join(words, " "))
	weak := func(part []rune) bool {
		return zxcvbn.PasswordStrength(string(part), known).Score < minScore
	}
	characters := []rune(latin(password))
	if len(characters) <= maxEstimated {
		return weak(characters)
	}
	return weak(characters[:maxEstimated]) && weak(characters[len(characters)-maxEstimated:])
}

// latin makes of a text one of ASCII characters, since with others zxcvbn miscounts: letters
// without their marks and widths, digits, and for what is left one letter each, so that it sees what
// is repeated. The letters are in no order that it knows.
func latin(text string) string {
	const letters = "xqjvzkwbyfgphmucdltrnsieoa"
	stand := map[rune]rune{}
	return strings.Map(func(r rune) rune {
		switch {
		case r < utf8.RuneSelf:
			return r
		case unicode.Is(unicode.Mn, r):
			return -1
		case unicode.IsDigit(r):
			return '0' + digit(r)
		}
		if _, known := stand[r]; !known {
			stand[r] = rune(letters[len(stand)%len(letters)])
		}
		return stand[r]
	}, norm.NFKD.String(text))
}

// digit is the value of a decimal digit of any script: each has ten in a row, from 0 on
// (Unicode Standard, section 4.6).
func digit(r rune) rune {
	value := rune(0)
	for value < 9 && unicode.IsDigit(r-value-1) {
		value++
	}
	return value
}

// hash returns the PHC string of a password that passed check.
func (p *passwords) hash(ctx context.Context, asker, password string) (string, error) {
	normal, _ := p.normalise(password)
	h := phc{cost: p.cost, salt: make([]byte, saltBytes)}
	rand.Read(h.salt) // never fails: it ends the process rather than return an error
	var err error
	if h.sum, err = p.argon2id(ctx, asker, normal, h); err != nil {
		return "", err
	}
	return h.String(), nil
}

// matches compares a password with a PHC string, at the cost that the string
// names. A password that no one can have costs the same.
func (p *passwords) matches(ctx context.Context, asker, password, stored string) (bool, error) {
	normal, invalid := p.normalise(password)
	h, err := decode(stored)
	if err != nil {
		return false, err
	}
	sum, err := p.argon2id(ctx, asker, normal, h)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(sum, h.sum) == 1 && invalid == "", nil
}

// outdated is whether a PHC string is of another cost than a new one would be.
func (p *passwords) outdated(stored string) bool {
	h, err := decode(stored)
	return err == nil && h.cost != p.cost
}

func (p *passwords) argon2id(ctx context.Context, asker, password string, h phc) ([]byte, error) {
	if err := p.slots.Acquire(ctx, asker, hashWait); err != nil {
		return nil, err
	}
	defer p.slots.Release(asker)
	return p.key([]byte(password), h.salt, h.time, h.memory, h.threads, hashBytes), nil
}

// phc is the parts of a PHC string:
// https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md
type phc struct {
	cost
	salt, sum []byte
}

func (h phc) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, h.memory, h.time, h.threads,
		base64.RawStdEncoding.EncodeToString(h.salt), base64.RawStdEncoding.EncodeToString(h.sum))
}

func decode(s string) (phc, error) {
	var h phc
	malformed := errors.New("the stored password hash is malformed")
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return h, malformed
	}
	const format = "m=%d,t=%d,p=%d"
	_, err := fmt.Sscanf(parts[3], format, &h.memory, &h.time, &h.threads)
	if err != nil || parts[3] != fmt.Sprintf(format, h.memory, h.time, h.threads) {
		return h, malformed
	}
	var saltErr, sumErr error
	h.salt, saltErr = base64.RawStdEncoding.DecodeString(parts[4])
	h.sum, sumErr = base64.RawStdEncoding.DecodeString(parts[5])
	if saltErr != nil || sumErr != nil || len(h.sum) != hashBytes || h.time == 0 || h.threads == 0 {
		return h, malformed
	}
	return h, nil
}
