package kodo

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/qiniu/go-sdk/v7/storagev2/region"
)

// Config says which bucket a [Store] is in. It holds secrets: do not print it.
type Config struct {
	// AccessKey and SecretKey are a key pair that may upload to the bucket and
	// delete from it.
	AccessKey, SecretKey string
	Bucket               string
	// Region is the id of the bucket's region, such as "z0". Not needed with
	// Endpoint.
	Region string
	// Endpoint is the http or https URL for uploads and management in place of
	// the region's: that of a private deployment.
	Endpoint string
	// Domain is the bucket's public domain, an http or https URL or a host,
	// which then is served by https.
	Domain string
	// Private says that objects are read by signed URLs only.
	Private bool
}

const (
	// maxName bounds the name of a bucket and the id of a region.
	maxName   = 63
	nameChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
)

// check looks at the fields that are names and keys. An error never repeats a
// value: it may be a secret in the wrong field.
func (c Config) check() error {
	return errors.Join(
		checkKeyPart("AccessKey", c.AccessKey),
		checkKeyPart("SecretKey", c.SecretKey),
		checkName("Bucket", c.Bucket),
	)
}

// checkKeyPart refuses what a key can't have, above all the line break at the
// end of a file.
func checkKeyPart(field, value string) error {
	if value == "" {
		return fmt.Errorf("kodo: %s is empty", field)
	}
	if strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' }) {
		return fmt.Errorf("kodo: %s has a space, a line break, a colon or another character that no key has", field)
	}
	return nil
}

func checkName(field, value string) error {
	if value == "" || len(value) > maxName || strings.Trim(value, nameChars) != "" {
		return fmt.Errorf("kodo: %s must be 1 to %d letters, digits, '-', '_' and '.'", field, maxName)
	}
	return nil
}

// region is where requests go. Given to the SDK, it keeps it from asking Kodo.
func (c Config) region() (*region.Region, error) {
	if c.Endpoint == "" {
		if err := checkName("Region", c.Region); err != nil {
			return nil, err
		}
		return region.GetRegionByID(c.Region, true), nil
	}
	endpoint, err := checkAddress("Endpoint", c.Endpoint)
	if err != nil {
		return nil, err
	}
	hosts := region.Endpoints{Preferred: []string{endpoint}}
	return &region.Region{Up: hosts, Rs: hosts}, nil
}

func (c Config) domain() (string, error) {
	if c.Domain != "" && !strings.Contains(c.Domain, "://") {
		return checkAddress("Domain", "https://"+c.Domain)
	}
	return checkAddress("Domain", c.Domain)
}

// checkAddress returns the scheme and host of an address that has nothing else.
func checkAddress(field, value string) (string, error) {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" ||
		strings.TrimSuffix(value, "/") != u.Scheme+"://"+u.Host {
		return "", fmt.Errorf("kodo: %s must be http:// or https:// and a host, with nothing after it", field)
	}
	return u.Scheme + "://" + u.Host, nil
}
