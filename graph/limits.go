package graph

import (
	"time"

	"nameplate/internal/avatar"
	"nameplate/internal/idcard"
	"nameplate/internal/username"
)

// RequestLimits bound what a request may be, so that none costs much more than another.
// What a query may have is counted before it is validated, since rules take longer the more
// of it there is, some of them quadratically.
type RequestLimits struct {
	// MaxBody is how many bytes a request may have, its file not counted.
	MaxBody int
	// MaxJSONDepth is how deep the objects and lists of its JSON may be nested.
	MaxJSONDepth int
	// MaxQuery is how many bytes the text of a query may have.
	MaxQuery int
	// MaxTokens is how many tokens it may have.
	MaxTokens int
	// MaxOperations and MaxFragments are how many of them it may define.
	MaxOperations, MaxFragments int
	// MaxVariables is how many variables an operation may define.
	MaxVariables int

	// The rest of a query is counted in each operation with its fragments followed, so
	// a fragment counts as often as it is spread.

	// MaxDepth is how deep fields may be nested; `{ me { name } }` has a depth of 2, and an
	// inline fragment none of its own.
	// For introspection there is the rule MaxIntrospectionDepth instead.
	MaxDepth int
	// MaxFields is how many fields may be selected, and once more as many below
	// __schema and __type.
	MaxFields int
	// MaxAliases and MaxDirectives are how many of them may be used.
	MaxAliases, MaxDirectives int
	// MaxQueryRoots and MaxMutationRoots are how many fields a query and a mutation may
	// have at their root. A mutation that takes a password must be alone.
	MaxQueryRoots, MaxMutationRoots int

	// MaxUpload is how many bytes an uploaded file may have.
	MaxUpload int
	// MaxErrors is how many errors a response has; the others are left out.
	MaxErrors int
	// MaxErrorLength is how many characters of an error's message are sent.
	MaxErrorLength int
	// MaxTime is how long an operation may take, not counted while its file arrives.
	MaxTime time.Duration
}

// maxAliasLength is how many bytes an alias may have: a response repeats it for every
// error below it. It is no setting.
const maxAliasLength = 100

func (r *Resolver) limits() *Limits {
	return &Limits{
		SignUpOpen: r.Accounts.SignUpOpen,
		Name:       &NameLimits{MinLength: username.MinLength, MaxLength: username.MaxLength},
		RealName:   &NameLimits{MinLength: idcard.MinRealNameLength, MaxLength: idcard.MaxRealNameLength},
		Password:   &PasswordLimits{MinLength: r.Accounts.MinPasswordLength, MaxLength: r.Accounts.MaxPasswordLength},
		Avatar: &AvatarLimits{
			MaxBytes:  r.Profiles.Pictures.MaxBytes,
			MaxPixels: avatar.MaxPixels,
			MaxSide:   avatar.MaxSide,
			Types:     avatar.Types(),
			Sizes:     avatar.Sizes(),
		},
	}
}
