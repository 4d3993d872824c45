package config

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a text that is printed as [redacted], whatever the verb.
type Secret string

const redacted = "[redacted]"

// Reveal returns the text.
func (s Secret) Reveal() string { return string(s) }

// String is [redacted].
func (s Secret) String() string { return redacted }

// Format writes [redacted].
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue is [redacted].
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns [redacted].
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Switch is a setting that is "on" or "off".
type Switch string

// On is whether it is on.
func (s Switch) On() bool { return s == "on" }
