// Package fault describes the kinds of failure that reach a client as something
// other than an internal error: an [Error], which a person can put right, and
// [Unavailable] and [RateLimited], which time puts right.
//
// A fault never holds what the person sent, with one exception: the single
// character that a name may not have.
package fault

import (
	"strings"
	"time"
)

// Code says what is wrong. The values are those of UserErrorCode in
// schema.graphqls; a test holds the two lists to each other.
type Code string

// The codes.
const (
	Required          Code = "REQUIRED"
	TooShort          Code = "TOO_SHORT"
	TooLong           Code = "TOO_LONG"
	InvalidCharacter  Code = "INVALID_CHARACTER"
	NameTaken         Code = "NAME_TAKEN"
	PasswordTooCommon Code = "PASSWORD_TOO_COMMON"
	WrongCredentials  Code = "WRONG_CREDENTIALS"
	SignUpClosed      Code = "SIGN_UP_CLOSED"
	SessionNotFound   Code = "SESSION_NOT_FOUND"
	FileEmpty         Code = "FILE_EMPTY"
	FileTooLarge      Code = "FILE_TOO_LARGE"
	ImageTooLarge     Code = "IMAGE_TOO_LARGE"
	ImageUnsupported  Code = "IMAGE_UNSUPPORTED"
	ImageCorrupt      Code = "IMAGE_CORRUPT"
	CropOutOfBounds   Code = "CROP_OUT_OF_BOUNDS"
	RealNameInvalid   Code = "REAL_NAME_INVALID"
	IDCardInvalid     Code = "ID_CARD_INVALID"
	AlreadyVerified   Code = "ALREADY_VERIFIED"
)

// DetailPassword is the Detail of WrongCredentials where only the password can be wrong.
const DetailPassword = "password"

// Error is an input that a person can put right. It is sent to the client as
// a UserError.
type Error struct {
	Code Code
	// Field is the input at fault by its name in the schema, such as
	// "idCard"; empty when it is none.
	Field string
	// Limit is the bound that was crossed, in the unit that the schema's
	// Limits has for it (characters, bytes, pixels); 0 when there is none.
	Limit int
	// Detail is the rule that was broken, for a code that stands for several
	// (see package idcard), or the character at fault for InvalidCharacter.
	Detail string
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Code))
	if e.Field != "" {
		b.WriteString(" in " + e.Field)
	}
	if e.Detail != "" {
		b.WriteString(": " + e.Detail)
	}
	return b.String()
}

// Unavailable is a part of the server that is busy or away. It is sent to the
// client as SERVICE_UNAVAILABLE, without Err, which goes to the log.
type Unavailable struct {
	// RetryAfter is when the same request may succeed; at least a second.
	RetryAfter time.Duration
	Err        error
}

func (u *Unavailable) Error() string { return "unavailable: " + u.Err.Error() }

func (u *Unavailable) Unwrap() error { return u.Err }

// RateLimited is somebody who asks too often. It is sent to the client as
// RATE_LIMITED.
type RateLimited struct {
	// RetryAfter is when the same request may succeed; at least a second.
	RetryAfter time.Duration
}

func (r *RateLimited) Error() string { return "asked too often" }
