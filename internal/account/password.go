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
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/semaphore"
	"golang.org/x/text/secure/precis"

	"nameplate/internal/fault"
)

// The length of a password, in Unicode characters after normalisation. There is
// no rule about which characters (NIST SP 800-63B, section 3.1.1.2).
const (
	MinPasswordLength = 8
	MaxPasswordLength = 256
)

// maxPasswordBytes bounds the work of normalising: a character of four bytes is
// never composed from more than a few.
const maxPasswordBytes = 16 * MaxPasswordLength

// Argon2id with the least parameters that the OWASP Password Storage Cheat Sheet
// recommends: 50 ms on one core.
const (
	argonTime    = 2
	argonMemory  = 19 * 1024 // KiB
	argonThreads = 1
	saltBytes    = 16
	hashBytes    = 32
)

// hashWait is how long a request waits for its turn to hash.
const hashWait = 5 * time.Second

// passwords hashes and compares, so many at once that memory is bounded.
type passwords struct {
	slots *semaphore.Weighted
	// key is argon2.IDKey, which tests count.
	key func(password, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte
	// nobody is compared with when there is no such user, so that a missing
	// user costs what a wrong password costs.
	nobody string
}

func newPasswords(workers int) *passwords {
	return &passwords{
		slots:  semaphore.NewWeighted(int64(workers)),
		key:    argon2.IDKey,
		nobody: encode(make([]byte, saltBytes), make([]byte, hashBytes)),
	}
}

// normalisePassword is the OpaqueString profile (RFC 8265, section 4.2): what a
// keyboard composes differently is the same password. U+FFFD is refused, since
// it is what becomes of any character that a client didn't send in UTF-8: of such
// passwords all of a length would be the same.
func normalisePassword(password string) (string, error) {
	if len(password) > maxPasswordBytes {
		return "", passwordFault(fault.TooLong, MaxPasswordLength)
	}
	normal, err := precis.OpaqueString.String(password)
	if err != nil || strings.ContainsRune(normal, utf8.RuneError) {
		return "", passwordFault(fault.InvalidCharacter, 0)
	}
	return normal, nil
}

// checkPassword says whether a new password may be used.
func checkPassword(password string) error {
	if password == "" {
		return passwordFault(fault.Required, 0)
	}
	normal, err := normalisePassword(password)
	if err != nil {
		return err
	}
	switch n := utf8.RuneCountInString(normal); {
	case n < MinPasswordLength:
		return passwordFault(fault.TooShort, MinPasswordLength)
	case n > MaxPasswordLength:
		return passwordFault(fault.TooLong, MaxPasswordLength)
	}
	return nil
}

func passwordFault(code fault.Code, limit int) error {
	return &fault.Error{Code: code, Field: "password", Limit: limit}
}

// hash returns the PHC string of a password that passed checkPassword.
func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	normal, err := normalisePassword(password)
	if err != nil {
		return "", err
	}
	salt := make([]byte, saltBytes)
	rand.Read(salt) // never fails: it ends the process rather than return an error
	sum, err := p.argon2id(ctx, normal, salt, argonTime, argonMemory, argonThreads)
	if err != nil {
		return "", err
	}
	return encode(salt, sum), nil
}

// matches compares a password with a PHC string, at the cost that the string
// names. A password that no one can have costs the same.
func (p *passwords) matches(ctx context.Context, password, phc string) (bool, error) {
	normal, normalErr := normalisePassword(password)
	h, err := decode(phc)
	if err != nil {
		return false, err
	}
	sum, err := p.argon2id(ctx, normal, h.salt, h.time, h.memory, h.threads)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(sum, h.sum) == 1 && normalErr == nil, nil
}

func (p *passwords) argon2id(
	ctx context.Context, password string, salt []byte, t, memory uint32, threads uint8,
) ([]byte, error) {
	waiting, cancel := context.WithTimeout(ctx, hashWait)
	defer cancel()
	if err := p.slots.Acquire(waiting, 1); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &fault.Unavailable{RetryAfter: hashWait, Err: errors.New("too many passwords are waiting to be hashed")}
	}
	defer p.slots.Release(1)
	return p.key([]byte(password), salt, t, memory, threads, hashBytes), nil
}

// phc is the parts of a PHC string:
// https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md
type phc struct {
	time, memory uint32
	threads      uint8
	salt, sum    []byte
}

func encode(salt, sum []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, argonMemory, argonTime, argonThreads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum))
}

func decode(s string) (phc, error) {
	var h phc
	malformed := errors.New("the stored password hash is malformed")
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return h, malformed
	}
	const cost = "m=%d,t=%d,p=%d"
	_, err := fmt.Sscanf(parts[3], cost, &h.memory, &h.time, &h.threads)
	if err != nil || parts[3] != fmt.Sprintf(cost, h.memory, h.time, h.threads) {
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
