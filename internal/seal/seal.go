// Package seal encrypts single fields of a user, so that the database alone
// gives none of them away, and a value moved to another row or column does not
// open.
//
// A sealed value is a Tink ciphertext (AES-256-GCM, 33 bytes longer than the
// plain one, a new nonce each time). Its associated data is
//
//	length of the user's id, 8 bytes, big-endian | the user's id | the field's name
//
// where the length keeps one user and field from reading as another. It is part
// of every value stored: a change to it makes them unreadable.
package seal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Keys seals and opens. It is safe for concurrent use, and prints as
// [redacted].
type Keys struct{ aead tink.AEAD }

// parse reads a key set in Tink's JSON. It answers with a bool because Tink's
// errors may quote what they could not read.
func parse(keysetJSON []byte) (keys *Keys, ok bool) {
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(keysetJSON)))
	if err != nil {
		return nil, false
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, false
	}
	return &Keys{primitive}, true
}

// generate makes a key set of one new key, in Tink's JSON.
func generate() ([]byte, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("seal: making a key: %w", err)
	}
	var keysetJSON bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&keysetJSON)); err != nil {
		return nil, fmt.Errorf("seal: encoding a key: %w", err)
	}
	return keysetJSON.Bytes(), nil
}

// Seal encrypts the field of a user.
func (k *Keys) Seal(userID, field string, plain []byte) ([]byte, error) {
	sealed, err := k.aead.Encrypt(plain, associatedData(userID, field))
	if err != nil {
		return nil, fmt.Errorf("seal: sealing %s: %w", field, err)
	}
	return sealed, nil
}

// Open decrypts what Seal returned for the same user and field. Anything else
// is an error: a value of another user or field, one that was changed, or one
// sealed with other keys.
func (k *Keys) Open(userID, field string, sealed []byte) ([]byte, error) {
	plain, err := k.aead.Decrypt(sealed, associatedData(userID, field))
	if err != nil {
		return nil, fmt.Errorf("seal: opening %s: %w", field, err)
	}
	return plain, nil
}

func associatedData(userID, field string) []byte {
	data := binary.BigEndian.AppendUint64(nil, uint64(len(userID)))
	data = append(data, userID...)
	return append(data, field...)
}

const redacted = "[redacted]"

// String returns [redacted].
func (Keys) String() string { return redacted }

// Format writes [redacted], whatever the verb.
func (Keys) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue is [redacted].
func (Keys) LogValue() slog.Value { return slog.StringValue(redacted) }
