package blob

import (
	"errors"
	"fmt"
	"strings"
)

// MaxKeyLen is the greatest length of a key in bytes. Every segment of such a
// key fits a file name (255 bytes) and every key an object name of Kodo (750).
const MaxKeyLen = 200

// CheckKey returns an error that says what is wrong with key when it is not in
// the grammar described at [Store].
func CheckKey(key string) error {
	if key == "" {
		return errors.New("blob: key is empty")
	}
	if len(key) > MaxKeyLen {
		return fmt.Errorf("blob: key has %d bytes, at most %d are allowed", len(key), MaxKeyLen)
	}
	if i := strings.IndexFunc(key, isForbidden); i >= 0 {
		return fmt.Errorf("blob: key %q has more than a-z, 0-9, '-', '.' and '/' at byte %d", key, i)
	}
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "" || segment[0] == '.' {
			return fmt.Errorf("blob: key %q has a segment that is empty or begins with a dot", key)
		}
	}
	return nil
}

func isForbidden(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '/'
}
