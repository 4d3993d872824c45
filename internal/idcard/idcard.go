// Package idcard reads what a person proves their identity with: the number of
// a resident identity card and the real name that stands beside it.
//
// # The number
//
// It has the 18 characters of GB 11643-1999, the citizen identification number:
//
//	number    = address birthdate sequence check
//	address   = province 4DIGIT
//	birthdate = 4DIGIT 2DIGIT 2DIGIT   ; year, month, day
//	sequence  = 3DIGIT
//	check     = DIGIT / "X"
//
// The check character is that of ISO 7064 (ISO/IEC 7064:2003) MOD 11-2 over
// the 17 digits before it, X standing for ten.
//
// The province is one of GB/T 2260: 11–15, 21–23, 31–37, 41–46, 50–54, 61–65
// and 71, 81, 82; or 83, under which residents of Taiwan hold a residence
// permit; or 91, abroad. Permits of residents of Hong Kong and Macao have 81
// and 82. The permanent residence card for foreigners puts a 9 in front of the
// province that issued it (since December 2023), which is accepted too. The
// four digits after the province are not looked up: regions are renamed and
// merged, and a number outlives them.
//
// The birth date is a day of the calendar, no later than today and no more
// than 150 years ago. Today is the day in Asia/Shanghai, where the numbers are
// issued, so that the answer does not depend on where the server runs.
//
// White space around the number is dropped, full-width characters and a small
// x are folded. Rules are checked in the order of the Rule constants, and the
// first that is broken is reported.
//
// # The real name
//
// See [ParseRealName].
package idcard

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/width"

	"nameplate/internal/fault"
)

// The rules of a number. A fault with the code [fault.IDCardInvalid] holds in
// its Detail the one that was broken.
const (
	RuleLength         = "length"
	RuleCharacters     = "characters"
	RuleProvince       = "province"
	RuleBirthDate      = "birth date"
	RuleCheckCharacter = "check character"
)

const (
	length   = 18
	maxYears = 150
)

// Number is a valid resident identity card number. Whatever prints, logs or
// encodes it gets the mask; only [Number.Reveal] gives the number. As any
// value, it is printed in full from an unexported field of another struct,
// where fmt can't call its methods.
type Number struct{ digits string }

// Parse reads a number by the grammar of this package, as of now.
func Parse(s string, now time.Time) (Number, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return Number{}, &fault.Error{Code: fault.Required, Field: "idCard"}
	}
	if utf8.RuneCountInString(s) != length {
		return Number{}, invalid(RuleLength)
	}
	s = strings.ToUpper(width.Fold.String(s))
	switch {
	case !hasOnlyItsCharacters(s):
		return Number{}, invalid(RuleCharacters)
	case !hasProvince(s):
		return Number{}, invalid(RuleProvince)
	case !hasBirthDate(s, now):
		return Number{}, invalid(RuleBirthDate)
	case s[length-1] != checkCharacter(s[:length-1]):
		return Number{}, invalid(RuleCheckCharacter)
	}
	return Number{s}, nil
}

func invalid(rule string) error {
	return &fault.Error{Code: fault.IDCardInvalid, Field: "idCard", Detail: rule}
}

func hasOnlyItsCharacters(s string) bool {
	return strings.Trim(strings.TrimSuffix(s, "X"), "0123456789") == ""
}

func hasProvince(s string) bool {
	switch s[:2] {
	case "71", "81", "82", "83", "91":
		return true
	}
	return isMainland(s[:2]) || s[0] == '9' && isMainland(s[1:3])
}

// isMainland reports whether code is a province, an autonomous region or a
// municipality of GB/T 2260, Taiwan, Hong Kong and Macao apart.
func isMainland(code string) bool {
	switch code {
	case "11", "12", "13", "14", "15",
		"21", "22", "23",
		"31", "32", "33", "34", "35", "36", "37",
		"41", "42", "43", "44", "45", "46",
		"50", "51", "52", "53", "54",
		"61", "62", "63", "64", "65":
		return true
	}
	return false
}

func hasBirthDate(s string, now time.Time) bool {
	// A fixed zone needs no time zone database on the host, and China has had
	// no other since 1991.
	shanghai := time.FixedZone("Asia/Shanghai", 8*60*60)
	born, err := time.ParseInLocation("20060102", s[6:14], shanghai)
	if err != nil {
		return false
	}
	year, month, day := now.In(shanghai).Date()
	earliest := time.Date(year-maxYears, month, day, 0, 0, 0, 0, shanghai)
	return !born.After(now) && !born.Before(earliest)
}

// checkCharacter is ISO 7064 MOD 11-2 in its recursive form: the remainder,
// with the check character added, is to be 1 modulo 11.
func checkCharacter(digits string) byte {
	remainder := 0
	for _, d := range []byte(digits) {
		remainder = (remainder + int(d-'0')) * 2 % 11
	}
	return "0123456789X"[(12-remainder)%11]
}

// Reveal returns the 18 characters of the number, for sealing it and for the
// person whose number it is.
func (n Number) Reveal() string { return n.digits }

// Mask returns the first and the last character with stars between them. Where
// the birth date is known, four visible digits would leave some 318 numbers
// to try.
func (n Number) Mask() string {
	if n.digits == "" {
		return ""
	}
	return n.digits[:1] + strings.Repeat("*", length-2) + n.digits[length-1:]
}

// String returns the mask.
func (n Number) String() string { return n.Mask() }

// Format writes the mask, whatever the verb: with a String method alone, %d
// and the like would print the field.
func (n Number) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, n.Mask()) }

// LogValue is the mask.
func (n Number) LogValue() slog.Value { return slog.StringValue(n.Mask()) }

// MarshalText returns the mask, to JSON as to any other encoding of text.
func (n Number) MarshalText() ([]byte, error) { return []byte(n.Mask()), nil }

// Stored returns the Number of what Reveal gave when it was saved. It is not
// checked again: a rule that came later doesn't take away what was accepted.
func Stored(digits string) Number { return Number{digits: digits} }
