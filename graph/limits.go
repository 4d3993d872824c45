package graph

import (
	"nameplate/internal/account"
	"nameplate/internal/avatar"
	"nameplate/internal/idcard"
	"nameplate/internal/username"
)

func limits() *Limits {
	return &Limits{
		Name:     &NameLimits{MinLength: username.MinLength, MaxLength: username.MaxLength},
		RealName: &NameLimits{MinLength: idcard.MinRealNameLength, MaxLength: idcard.MaxRealNameLength},
		Password: &PasswordLimits{MinLength: account.MinPasswordLength, MaxLength: account.MaxPasswordLength},
		Avatar: &AvatarLimits{
			MaxBytes:  avatar.MaxBytes,
			MaxPixels: avatar.MaxPixels,
			MaxSide:   avatar.MaxSide,
			Types:     avatar.Types(),
			Sizes:     avatar.Sizes(),
		},
	}
}
