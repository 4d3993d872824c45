package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jub0bs/cors"

	"nameplate/internal/clientaddr"
)

// maxCookieLife is how long browsers keep a cookie (RFC 6265bis, section 5.5).
const maxCookieLife = 400 * 24 * time.Hour

func (c *Config) checkDurations() error {
	var errs []error
	for _, d := range []struct {
		name         string
		value, least time.Duration
	}{
		{"NAMEPLATE_SWEEP_AFTER", c.SweepAfter, time.Second},
		{"NAMEPLATE_MAX_TIME", c.Limits.MaxTime, time.Millisecond},
		{"NAMEPLATE_NAME_HOLD", c.NameHold, 0},
		{"NAMEPLATE_KEEP_EVENTS", c.KeepEvents, time.Hour},
		{"NAMEPLATE_SESSION_IDLE", c.SessionIdle, 5 * time.Minute},
		{"NAMEPLATE_SESSION_ABSOLUTE", c.SessionAbsolute, 5 * time.Minute},
	} {
		if d.value < d.least {
			errs = append(errs, fmt.Errorf("%s is %s: it must be at least %s", d.name, d.value, d.least))
		}
	}
	if c.SessionAbsolute > maxCookieLife {
		errs = append(errs, fmt.Errorf("NAMEPLATE_SESSION_ABSOLUTE is %s: it must be at most %s", c.SessionAbsolute, maxCookieLife))
	}
	return errors.Join(errs...)
}

// maxPassword bounds the work on a password.
const maxPassword = 4096

func (c *Config) checkPasswordLengths() error {
	if c.MinPasswordLength > c.MaxPasswordLength || c.MaxPasswordLength > maxPassword {
		return fmt.Errorf("NAMEPLATE_MIN_PASSWORD_LENGTH is %d and NAMEPLATE_MAX_PASSWORD_LENGTH %d: "+
			"the least must not be more than the most, and that at most %d", c.MinPasswordLength, c.MaxPasswordLength, maxPassword)
	}
	return nil
}

// checkSameSite refuses a cookie that browsers would (RFC 6265bis, section 5.7, step 17).
func (c *Config) checkSameSite() error {
	if c.CookieSameSite == "none" && !strings.HasPrefix(c.PublicURL, "https://") {
		return errors.New("NAMEPLATE_COOKIE_SAMESITE is none: browsers accept that under https only, so NAMEPLATE_PUBLIC_URL must begin with https://")
	}
	return nil
}

// checkOrigins refuses patterns: who may use a person's session is named one by one.
func (c *Config) checkOrigins() error {
	if len(c.CORSOrigins) == 0 {
		return nil
	}
	trim(c.CORSOrigins)
	if slices.ContainsFunc(c.CORSOrigins, func(origin string) bool { return strings.Contains(origin, "*") }) {
		return errors.New("NAMEPLATE_CORS_ORIGINS must be exact origins, such as https://app.example.com")
	}
	if _, err := cors.NewMiddleware(cors.Config{Origins: c.CORSOrigins, Credentialed: true}); err != nil {
		return fmt.Errorf("NAMEPLATE_CORS_ORIGINS must be origins such as https://app.example.com: %w", err)
	}
	return nil
}

func (c *Config) parseProxies() (err error) {
	trim(c.TrustedProxies)
	if c.Proxies, err = clientaddr.ParseProxies(c.TrustedProxies); err != nil {
		return fmt.Errorf("NAMEPLATE_TRUSTED_PROXIES must be addresses or networks, such as 127.0.0.1,192.0.2.0/28: %w", err)
	}
	return nil
}

// trim takes away the spaces around the elements of a list.
func trim(list []string) {
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
}

func checkAddr(addr string) error {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return fmt.Errorf("NAMEPLATE_ADDR is %q: it must be HOST:PORT, such as localhost:8080 or :8080", addr)
	}
	return nil
}

func (c *Config) checkPublicURL() error {
	if c.PublicURL == "" {
		return nil
	}
	// As browsers send it as Origin: in small letters, without a default port.
	c.PublicURL = strings.ToLower(strings.TrimSuffix(c.PublicURL, "/"))
	u, err := url.Parse(c.PublicURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" ||
		strings.HasSuffix(u.Host, ":") || c.PublicURL != u.Scheme+"://"+u.Host {
		return errors.New("NAMEPLATE_PUBLIC_URL must be http:// or https:// and a host, such as https://id.example.com, with no path")
	}
	if port := u.Port(); u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		c.PublicURL = strings.TrimSuffix(c.PublicURL, ":"+port)
	}
	return nil
}
