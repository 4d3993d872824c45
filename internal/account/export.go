package account

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"nameplate/ent"
	"nameplate/ent/event"
	"nameplate/internal/audit"
	"nameplate/internal/profile"
	"nameplate/internal/session"
	"nameplate/internal/throttle"
)

// exports of one user.
var exports = throttle.Policy{Free: 10, First: time.Second, MaxDelay: time.Minute, Forget: time.Minute}

// Export is everything stored about a user, on its way to the user.
type Export struct {
	service  *Service
	userID   uuid.UUID
	profile  exportedProfile
	pictures []profile.PictureFile
}

// exportedProfile is profile.json but for the events, which come last. docs/accounts.md is
// about each field. Secrets are not among them: of passwords, tokens and codes there are
// hashes only, by which nobody learns anything.
type exportedProfile struct {
	ExportedAt    time.Time              `json:"exportedAt"`
	User          exportedUser           `json:"user"`
	Pictures      []string               `json:"pictures"`
	Verification  *exportedVerification  `json:"verification"`
	Sessions      []exportedSession      `json:"sessions"`
	RecoveryCodes []exportedRecoveryCode `json:"recoveryCodes"`
	Attempts      []exportedAttempts     `json:"attempts"`
}

type exportedUser struct {
	ID        uuid.UUID `json:"id"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
}

type exportedVerification struct {
	RealName string    `json:"realName"`
	IDCard   string    `json:"idCard"`
	SavedAt  time.Time `json:"savedAt"`
}

type exportedSession struct {
	ID                uuid.UUID `json:"id"`
	IPAddress         string    `json:"ipAddress"`
	UserAgent         string    `json:"userAgent"`
	CreatedAt         time.Time `json:"createdAt"`
	PasswordEnteredAt time.Time `json:"passwordEnteredAt"`
	LastSeenAt        time.Time `json:"lastSeenAt"`
	ExpiresAt         time.Time `json:"expiresAt"`
}

type exportedRecoveryCode struct {
	CreatedAt  time.Time  `json:"createdAt"`
	ExpiresAt  *time.Time `json:"expiresAt"`
	ByOperator bool       `json:"byOperator"`
}

type exportedAttempts struct {
	LastAt      time.Time `json:"lastAt"`
	ForgottenAt time.Time `json:"forgottenAt"`
}

type exportedEvent struct {
	ID         uuid.UUID  `json:"id"`
	Kind       event.Kind `json:"kind"`
	At         time.Time  `json:"at"`
	Count      int        `json:"count"`
	IPAddress  string     `json:"ipAddress"`
	UserAgent  string     `json:"userAgent"`
	ByOperator bool       `json:"byOperator"`
}

// Export gathers everything stored about the user who is asking, and records that. It takes
// what reading the full ID number takes, a password entered not long ago.
func (s *Service) Export(ctx context.Context) (*Export, error) {
	if err := session.Fresh(ctx, s.Now(), profile.IDCardMaxAge); err != nil {
		return nil, err
	}
	user, err := s.Profiles.Get(ctx, session.UserID(ctx))
	if err != nil {
		return nil, err
	}
	if err := s.Attempts.Take(ctx, exports.OfUser("export", user.ID)); err != nil {
		return nil, profile.Gone(err)
	}
	e := &Export{service: s, userID: user.ID}
	if e.profile, err = s.exportProfile(ctx, user); err != nil {
		return nil, err
	}
	if e.pictures, err = s.Profiles.ReadPictures(ctx, user); err != nil {
		return nil, err
	}
	for _, picture := range e.pictures {
		e.profile.Pictures = append(e.profile.Pictures, picture.Name)
	}
	err = s.DB.WithTx(ctx, func(tx *ent.Tx) error {
		if err := session.Confirm(ctx, tx); err != nil {
			return err
		}
		if err := audit.Record(ctx, tx, user.ID, event.KindDATA_EXPORTED, s.Now()); err != nil {
			return err
		}
		if e.profile.Verification == nil {
			return nil
		}
		return audit.Record(ctx, tx, user.ID, event.KindID_CARD_READ, s.Now())
	})
	if err != nil {
		return nil, profile.Gone(err)
	}
	return e, nil
}

func (s *Service) exportProfile(ctx context.Context, user *ent.User) (exportedProfile, error) {
	out := exportedProfile{
		ExportedAt: s.Now(),
		User:       exportedUser{user.ID, user.Name, user.CreatedAt, user.UpdatedAt},
		Pictures:   []string{},
	}
	if user.IDCardSealed != nil {
		name, number, err := s.Profiles.Unseal(user)
		if err != nil {
			return out, err
		}
		out.Verification = &exportedVerification{name, number.Reveal(), *user.VerificationSavedAt}
	}
	sessions, err := user.QuerySessions().All(ctx)
	if err != nil {
		return out, err
	}
	out.Sessions = exported(sessions, func(row *ent.Session) exportedSession {
		return exportedSession{
			row.ID, row.IPAddress, row.UserAgent, row.CreatedAt, row.AuthenticatedAt, row.LastSeenAt, s.Sessions.EndsAt(row),
		}
	})
	codes, err := user.QueryRecoveryCodes().All(ctx)
	if err != nil {
		return out, err
	}
	out.RecoveryCodes = exported(codes, func(row *ent.RecoveryCode) exportedRecoveryCode {
		return exportedRecoveryCode{row.CreatedAt, row.ExpiresAt, row.ByOperator}
	})
	attempts, err := user.QueryAttempts().All(ctx)
	if err != nil {
		return out, err
	}
	out.Attempts = exported(attempts, func(row *ent.Attempt) exportedAttempts {
		return exportedAttempts{row.LastAt, row.ClearAt}
	})
	return out, nil
}

func exported[Row, Out any](rows []*Row, export func(*Row) Out) []Out {
	list := make([]Out, len(rows))
	for i, row := range rows {
		list[i] = export(row)
	}
	return list
}

// Write writes a ZIP archive with profile.json and the pictures. What it has written is no
// whole archive if there is an error.
func (e *Export) Write(ctx context.Context, w io.Writer) error {
	archive := zip.NewWriter(w)
	file, err := archive.CreateHeader(&zip.FileHeader{Name: "profile.json", Method: zip.Deflate, Modified: e.profile.ExportedAt})
	if err != nil {
		return err
	}
	if err := e.writeProfile(ctx, file); err != nil {
		return err
	}
	for _, picture := range e.pictures {
		// It is compressed as it is.
		file, err := archive.CreateHeader(&zip.FileHeader{Name: picture.Name, Method: zip.Store, Modified: e.profile.ExportedAt})
		if err != nil {
			return err
		}
		if _, err := file.Write(picture.Data); err != nil {
			return err
		}
	}
	if err := e.check(ctx); err != nil {
		return err
	}
	return archive.Close()
}

// check is an error if the session has ended since, or the user is gone: an archive that lacks
// what was deleted meanwhile must not look whole.
func (e *Export) check(ctx context.Context) error {
	return e.service.DB.WithTx(ctx, func(tx *ent.Tx) error { return session.Confirm(ctx, tx) })
}

// writeProfile writes the events last and by pages, since there can be many.
func (e *Export) writeProfile(ctx context.Context, w io.Writer) error {
	head, err := json.MarshalIndent(e.profile, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s,\n  \"events\": [", bytes.TrimSuffix(head, []byte("\n}")))
	if err != nil {
		return err
	}
	separator := "\n    "
	for after, more := (*string)(nil), true; more; {
		if err := e.check(ctx); err != nil {
			return err
		}
		page, err := audit.Read(ctx, e.service.DB, e.userID, audit.MaxPage, after)
		if err != nil {
			return err
		}
		for _, row := range page.Nodes {
			line, err := json.Marshal(exportedEvent{row.ID, row.Kind, row.At, row.Count, row.IPAddress, row.UserAgent, row.ByOperator})
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintf(w, "%s%s", separator, line); err != nil {
				return err
			}
			separator = ",\n    "
		}
		after, more = page.PageInfo.EndCursor, page.PageInfo.HasNextPage
	}
	_, err = io.WriteString(w, "\n  ]\n}\n")
	return err
}
