package blob_test

import (
	"strings"
	"testing"

	"nameplate/internal/blob"
)

func TestCheckKeyHoldsTheGrammar(t *testing.T) {
	valid := []string{
		"a", "0", "a.jpg", "a/b", "avatars/0/9f-1.256.png", "-", "a..b", "a.",
		strings.Repeat("a", blob.MaxKeyLen),
	}
	for _, key := range valid {
		if err := blob.CheckKey(key); err != nil {
			t.Errorf("CheckKey(%q) = %v, want nil", key, err)
		}
	}
	invalid := []string{
		"", "/", "/a", "a/", "a//b", ".", "..", ".a", "a/.b", "../a", "a/../b", "a/./b",
		"A", "a b", "a\x00", "a\n", "a\\b", "a_b", "a:b", "a%2fb", "a?b", "é", "\xff", "ａ",
		strings.Repeat("a", blob.MaxKeyLen+1),
	}
	for _, key := range invalid {
		if err := blob.CheckKey(key); err == nil {
			t.Errorf("CheckKey(%q) = nil, want an error", key)
		}
	}
}
