package kodo_test

import (
	"strings"
	"testing"

	"nameplate/internal/blob/kodo"
)

func valid() kodo.Config {
	return kodo.Config{
		AccessKey: "the-access-key",
		SecretKey: "the-secret-key",
		Bucket:    "pictures",
		Region:    "z0",
		Domain:    "cdn.example.com",
	}
}

func TestOpenRefusesABadFieldByName(t *testing.T) {
	for _, test := range []struct {
		field  string
		change func(c *kodo.Config, value string)
		values []string
	}{
		{"AccessKey", func(c *kodo.Config, v string) { c.AccessKey = v }, []string{"", "a b", "key\n", "a:b", "é"}},
		{"SecretKey", func(c *kodo.Config, v string) { c.SecretKey = v }, []string{"", "key\n", "a:b"}},
		{"Bucket", func(c *kodo.Config, v string) { c.Bucket = v }, []string{"", "a:b", "a/b", strings.Repeat("a", 64)}},
		{"Region", func(c *kodo.Config, v string) { c.Region = v }, []string{"", "z0/", "a:b", strings.Repeat("a", 64)}},
		{
			"Endpoint", func(c *kodo.Config, v string) { c.Endpoint = v },
			[]string{"up.example.com", "ftp://x", "http://", "http://:80", "http://x/path", "http://x?q", "http://x#f", "http://u:p@x", "http://x y", "http://x//"},
		},
		{
			"Domain", func(c *kodo.Config, v string) { c.Domain = v },
			[]string{"", "/", "ftp://x", "https://", "cdn.example.com/path", "https://cdn.example.com?q", "u:p@cdn.example.com", "a b"},
		},
	} {
		for _, value := range test.values {
			c := valid()
			test.change(&c, value)
			_, err := kodo.Open(c)
			if err == nil || !strings.Contains(err.Error(), test.field) {
				t.Errorf("%s %q: %v, want an error that names the field", test.field, value, err)
			}
		}
	}
}

func TestOpenRepeatsNoValueInAnError(t *testing.T) {
	const misplaced = "my secret:/@"
	_, err := kodo.Open(kodo.Config{AccessKey: misplaced, SecretKey: misplaced, Bucket: misplaced})
	if err == nil || strings.Contains(err.Error(), misplaced) {
		t.Errorf("secrets in the wrong fields: %v", err)
	}
	for _, change := range []func(c *kodo.Config){
		func(c *kodo.Config) { c.Region = misplaced },
		func(c *kodo.Config) { c.Endpoint = misplaced },
		func(c *kodo.Config) { c.Domain = misplaced },
	} {
		c := valid()
		change(&c)
		if _, err := kodo.Open(c); err == nil || strings.Contains(err.Error(), misplaced) {
			t.Errorf("a secret in the wrong field: %v", err)
		}
	}
}

func TestURLIsTheDomainAndTheKey(t *testing.T) {
	for domain, want := range map[string]string{
		"cdn.example.com":          "https://cdn.example.com/a/b.jpg",
		"cdn.example.com:8443":     "https://cdn.example.com:8443/a/b.jpg",
		"https://cdn.example.com/": "https://cdn.example.com/a/b.jpg",
		"http://127.0.0.1:80":      "http://127.0.0.1:80/a/b.jpg",
	} {
		c := valid()
		c.Domain = domain
		if got := open(t, c).URL("a/b.jpg"); got != want {
			t.Errorf("domain %s: URL %s, want %s", domain, got, want)
		}
	}
}
