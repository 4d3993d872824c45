package seal

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
)

const (
	user  = "0198c1f2-7b3e-7c41-9d55-0a6f6f6a3b10"
	field = "id_card"
	plain = "11010519491231002X"
)

func create(t *testing.T) *Keys {
	t.Helper()
	keys, err := Create(filepath.Join(t.TempDir(), "keyset.json"))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func seal(t *testing.T, keys *Keys) []byte {
	t.Helper()
	sealed, err := keys.Seal(user, field, []byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestWhatIsSealedOpens(t *testing.T) {
	keys := create(t)
	for _, value := range []string{plain, "", "张三", "\x00\xff", strings.Repeat("a", 1<<16)} {
		sealed, err := keys.Seal(user, field, []byte(value))
		if err != nil {
			t.Fatal(err)
		}
		if opened, err := keys.Open(user, field, sealed); err != nil || string(opened) != value {
			t.Errorf("opened as %q, %v", opened, err)
		}
	}
}

func TestSealedValueHidesThePlainOne(t *testing.T) {
	if sealed := seal(t, create(t)); bytes.Contains(sealed, []byte(plain)) {
		t.Errorf("the plain value is in %q", sealed)
	}
}

func TestTwoSealsOfAValueDiffer(t *testing.T) {
	keys := create(t)
	if bytes.Equal(seal(t, keys), seal(t, keys)) {
		t.Error("two seals are equal")
	}
}

func TestMovedValueDoesNotOpen(t *testing.T) {
	keys := create(t)
	sealed := seal(t, keys)
	for _, moved := range []struct{ user, field string }{
		{"0198c1f2-7b3e-7c41-9d55-0a6f6f6a3b11", field},
		{user, "real_name"},
		{"", field},
		{user, ""},
		{user + field, ""},
		{"", user + field},
		{user + "i", "d_card"},
		{user[:len(user)-1], user[len(user)-1:] + field},
	} {
		if opened, err := keys.Open(moved.user, moved.field, sealed); err == nil {
			t.Errorf("as field %q of user %q it opens to %q", moved.field, moved.user, opened)
		}
	}
}

func TestChangedValueDoesNotOpen(t *testing.T) {
	keys := create(t)
	sealed := seal(t, keys)
	for i := range sealed {
		flipped := bytes.Clone(sealed)
		flipped[i] ^= 1
		if _, err := keys.Open(user, field, flipped); err == nil {
			t.Errorf("opens with byte %d flipped", i)
		}
		if _, err := keys.Open(user, field, sealed[:i]); err == nil {
			t.Errorf("opens cut to %d bytes", i)
		}
	}
	if _, err := keys.Open(user, field, append(sealed, 0)); err == nil {
		t.Error("opens with a byte more")
	}
}

func TestValueSealedWithOtherKeysDoesNotOpen(t *testing.T) {
	_, err := create(t).Open(user, field, seal(t, create(t)))
	if err == nil {
		t.Fatal("it opens")
	}
	if !strings.Contains(err.Error(), field) || strings.Contains(err.Error(), user) {
		t.Errorf("the error is to name the field only: %v", err)
	}
}

// A change of the algorithm or of the associated data would make everything
// unreadable that is stored already.
func TestValueSealedByAnEarlierVersionOpens(t *testing.T) {
	keys, ok := parse([]byte(earlierKeys))
	if !ok {
		t.Fatal("the key set is not read")
	}
	sealed, err := base64.StdEncoding.DecodeString(
		"AfwD6gk0mm+K0eQuy2Q2WPuHDpSwpIH28jUXt90reJMFANEagOu98gbH9tfSrsb3goRcVXwo8k5HDSI=")
	if err != nil {
		t.Fatal(err)
	}
	opened, err := keys.Open("0198c1f2-user", "idCard", sealed)
	if want := "value of the first release"; err != nil || string(opened) != want {
		t.Errorf("opened as %q, %v", opened, err)
	}
}

const (
	earlierKey  = "GiD+FwLn7G+yXvqk8goeA3X7dm5vMOt6Tz0klndTTWsMwA=="
	earlierKeys = `{"primaryKeyId":4228114953,"key":[{"keyData":{` +
		`"typeUrl":"type.googleapis.com/google.crypto.tink.AesGcmKey","value":"` + earlierKey + `",` +
		`"keyMaterialType":"SYMMETRIC"},"status":"ENABLED","keyId":4228114953,"outputPrefixType":"TINK"}]}`
)

func TestKeysPrintAsRedacted(t *testing.T) {
	keys := create(t)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		for _, value := range []any{keys, *keys} {
			if got := fmt.Sprintf(verb, value); got != "[redacted]" {
				t.Errorf("%s of %T prints %s", verb, value, got)
			}
		}
	}
	if keys.String() != "[redacted]" {
		t.Errorf("String is %s", keys)
	}
	//nolint:staticcheck // that nothing is in it is what is tested
	if encoded, err := json.Marshal(keys); err != nil || string(encoded) != "{}" {
		t.Errorf("JSON is %s, %v", encoded, err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("start", "keys", keys)
	if !strings.Contains(log.String(), "keys=[redacted]") {
		t.Errorf("the log has %s", log.String())
	}
}
