package profile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"nameplate/ent"
	entuser "nameplate/ent/user"
	"nameplate/internal/seal"
)

// OpenKeys loads the sealing keys from the file at path. When there is no file
// it makes one, unless something is sealed already: then the keys for it are
// elsewhere, and new ones would only hide that they are missing. Keys that don't
// open what is sealed are refused too.
func OpenKeys(ctx context.Context, db *ent.Client, path string) (*seal.Keys, error) {
	sealed, err := db.User.Query().Where(entuser.IDCardSealedNotNil()).First(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return nil, err
	}
	keys, err := seal.Load(path)
	if errors.Is(err, fs.ErrNotExist) {
		if sealed != nil {
			return nil, fmt.Errorf("the sealing keys are missing: there is no file %s, but the database "+
				"has verifications that were sealed with them. Restore the file from a backup, or set "+
				"NAMEPLATE_KEYSET_FILE to where it is", path)
		}
		return seal.Create(path)
	}
	if err != nil {
		return nil, err
	}
	if sealed != nil {
		if _, err := keys.Open(sealed.ID.String(), fieldIDCard, sealed.IDCardSealed); err != nil {
			return nil, fmt.Errorf("the sealing keys in %s are not those that the database was sealed with: "+
				"restore the right file from a backup, or set NAMEPLATE_KEYSET_FILE to where it is", path)
		}
	}
	return keys, nil
}
