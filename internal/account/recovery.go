package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"nameplate/ent"
	"nameplate/ent/event"
	"nameplate/ent/predicate"
	"nameplate/ent/recoverycode"
	"nameplate/internal/audit"
	"nameplate/internal/session"
	"nameplate/internal/username"
)

const (
	// recoveryCodes is how many a user gets at once.
	recoveryCodes = 10
	// codeLength is how many letters and digits one has, in groups: 80 bits of chance, so
	// that guessing is hopeless and a plain hash of it is safe.
	codeLength = 16
	codeGroup  = 4
	// linkLife is how long the link of an operator is good.
	linkLife = 24 * time.Hour
)

// CreateRecoveryCodes replaces the user's recovery codes by new ones, which exist nowhere
// else on the server.
func (s *Service) CreateRecoveryCodes(ctx context.Context, password string) ([]string, error) {
	c, err := s.confirm(ctx, "password", password)
	if err != nil {
		return nil, err
	}
	codes := make([]string, recoveryCodes)
	for i := range codes {
		codes[i] = newRecoveryCode()
	}
	err = s.DB.WithTx(ctx, func(tx *ent.Tx) error {
		if err := s.recheck(ctx, tx, c); err != nil {
			return err
		}
		now := s.Now()
		if _, err := tx.RecoveryCode.Delete().Where(usersOwn(c.user.ID)...).Exec(ctx); err != nil {
			return err
		}
		rows := make([]*ent.RecoveryCodeCreate, len(codes))
		for i, code := range codes {
			rows[i] = tx.RecoveryCode.Create().SetUserID(c.user.ID).SetCodeSha256(codeDigest(code)).SetCreatedAt(now)
		}
		if err := tx.RecoveryCode.CreateBulk(rows...).Exec(ctx); err != nil {
			return err
		}
		return audit.Record(ctx, tx, c.user.ID, event.KindRECOVERY_CODES_CREATED, now)
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// RecoveryCodesLeft is how many codes the user has that were not used.
func (s *Service) RecoveryCodesLeft(ctx context.Context, userID uuid.UUID) (int, error) {
	return s.DB.RecoveryCode.Query().Where(usersOwn(userID)...).Count(ctx)
}

// ResetCode makes the code of a link that resets the password of the user of that name, in
// any equivalent writing. It is for an operator: who has it can become the user. It replaces
// one made before.
func (s *Service) ResetCode(ctx context.Context, name string) (user *ent.User, code string, expires time.Time, err error) {
	code = rand.Text()
	now := s.Now()
	expires = now.Add(linkLife)
	err = s.DB.WithTx(ctx, func(tx *ent.Tx) error {
		if user, err = find(ctx, tx.User, name); err != nil {
			return err
		}
		if user == nil {
			return errors.New("there is no user of that name")
		}
		_, err := tx.RecoveryCode.Delete().Where(recoverycode.UserID(user.ID), recoverycode.ByOperator(true)).Exec(ctx)
		if err != nil {
			return err
		}
		err = tx.RecoveryCode.Create().SetUserID(user.ID).SetCodeSha256(codeDigest(code)).
			SetCreatedAt(now).SetExpiresAt(expires).SetByOperator(true).Exec(ctx)
		if err != nil {
			return err
		}
		return audit.RecordByOperator(ctx, tx, user.ID, event.KindRESET_LINK_CREATED, now)
	})
	return user, code, expires, err
}

// ResetPassword sets a new password for who has a code: a recovery code of the user's, or
// that of a link. It ends all sessions and starts one. The token is nil for a browser, which
// has it as a cookie.
func (s *Service) ResetPassword(ctx context.Context, name, code, password string) (*ent.User, *string, error) {
	err := errors.Join(
		required("name", name), required("code", code), s.passwords.check("newPassword", password))
	if err != nil {
		return nil, nil, err
	}
	// Guessing at the codes of one user is hopeless, so it is counted by address alone:
	// nobody can keep a user from using one.
	asker := askerOf(ctx)
	bucket := passwordAttempts.Of("code", asker)
	if err := s.Attempts.Take(ctx, bucket, hashed.Of("hash", asker)); err != nil {
		return nil, nil, err
	}
	parsed, _ := username.Parse(name) // one that is none is nobody's
	if err := s.passwords.checkGuesses(ctx, asker, "newPassword", password, parsed.Display); err != nil {
		return nil, nil, s.giveBack(ctx, err, bucket)
	}
	hash, err := s.passwords.hash(ctx, asker, password) // first, so that no time tells whether the code is right
	if err != nil {
		return nil, nil, s.giveBack(ctx, err, bucket)
	}
	user, err := find(ctx, s.DB.User, name)
	if err != nil {
		return nil, nil, err
	}
	if user == nil {
		return nil, nil, s.refuse(ctx, "", nil, bucket)
	}
	var issued *session.Issued
	err = s.DB.WithTx(ctx, func(tx *ent.Tx) error {
		if err := s.consume(ctx, tx, user.ID, code); err != nil {
			return err
		}
		if user, err = s.setPassword(ctx, tx, user, hash); err != nil {
			return err
		}
		if _, err := s.Sessions.RevokeAll(ctx, tx, user.ID, uuid.Nil); err != nil {
			return err
		}
		if err := s.Attempts.ForgetUser(ctx, tx, user.ID); err != nil {
			return err
		}
		if err := s.Attempts.GiveBack(ctx, tx, bucket); err != nil {
			return err
		}
		if err := audit.Record(ctx, tx, user.ID, event.KindPASSWORD_RESET, s.Now()); err != nil {
			return err
		}
		issued, err = s.Sessions.Issue(ctx, tx, user.ID)
		return err
	})
	if errors.Is(err, errWrongCode) {
		return nil, nil, s.refuse(ctx, "", user, bucket)
	}
	if err != nil {
		return nil, nil, err
	}
	return user, session.Begin(ctx, issued), nil
}

// errWrongCode says that the user has no such code.
var errWrongCode = errors.New("no such code")

// consume deletes the code: of several who have it, one succeeds.
func (s *Service) consume(ctx context.Context, tx *ent.Tx, userID uuid.UUID, code string) error {
	n, err := tx.RecoveryCode.Delete().
		Where(
			recoverycode.UserID(userID),
			recoverycode.CodeSha256(codeDigest(code)),
			recoverycode.Or(recoverycode.ExpiresAtIsNil(), recoverycode.ExpiresAtGT(s.Now())),
		).
		Exec(ctx)
	if err == nil && n == 0 {
		return errWrongCode
	}
	return err
}

// usersOwn are the codes that the user has made.
func usersOwn(userID uuid.UUID) []predicate.RecoveryCode {
	return []predicate.RecoveryCode{recoverycode.UserID(userID), recoverycode.ByOperator(false)}
}

func newRecoveryCode() string {
	letters := rand.Text()[:codeLength]
	groups := make([]string, 0, codeLength/codeGroup)
	for i := 0; i < codeLength; i += codeGroup {
		groups = append(groups, letters[i:i+codeGroup])
	}
	return strings.Join(groups, "-")
}

// lookAlikes are the digits that people may take for a letter of a code, which has A to Z and
// 2 to 7.
var lookAlikes = strings.NewReplacer("0", "O", "1", "I", "8", "B")

// codeDigest is of the letters and digits alone: what stands between them, programs change.
func codeDigest(code string) []byte {
	letters := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, norm.NFKC.String(code))
	sum := sha256.Sum256([]byte(lookAlikes.Replace(letters)))
	return sum[:]
}
