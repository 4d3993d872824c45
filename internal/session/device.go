package session

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mileusna/useragent"
)

// UnknownDevice is the device of a client that doesn't say what it is.
const UnknownDevice = "Unknown device"

// maxDevice is how many characters of what a client calls itself are shown.
const maxDevice = 50

// Device words a User-Agent for people: "Firefox on Linux", or "curl" where it names no
// system. Clients can claim anything.
func Device(userAgent string) string {
	parsed := useragent.Parse(userAgent)
	name := strings.TrimSpace(parsed.Name)
	if runes := []rune(name); len(runes) > maxDevice {
		name = string(runes[:maxDevice]) + "…"
	}
	if !utf8.ValidString(parsed.Name) || !readable(name) { // what is left of it
		return UnknownDevice
	}
	if parsed.OS == "" {
		return name
	}
	return name + " on " + parsed.OS
}

// readable is whether a name has a letter, and nothing that isn't seen or turns the text
// around it.
func readable(name string) bool {
	return strings.ContainsFunc(name, unicode.IsLetter) &&
		!strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
}
