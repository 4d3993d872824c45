// Package username is the grammar of a name that a person goes by.
//
//	name      = word *(separator word)
//	word      = 1*(LETTER *MARK / DIGIT)
//	separator = " " / "." / "_" / "-" / "·"
//
// LETTER is a Unicode letter of any script (general category L) or U+3007 〇,
// the ideographic zero, an exception as in RFC 5892, section 2.6. MARK is a
// combining mark (Mn, Mc), DIGIT a decimal digit (Nd). Characters that are not
// seen, though they are letters or marks by category (Hangul fillers, variation
// selectors and other default ignorables), are refused. So is what Unicode has
// not assigned: normalisation and case folding of assigned characters never
// change, so neither does a key that was stored.
//
// A name has [MinLength] to [MaxLength] characters (code points), counted after
// normalisation.
//
// # Normalisation
//
// The display form follows the Nickname profile of RFC 8266, section 2.3: NFKC,
// which folds full-width and half-width forms, then any space to U+0020, none
// at the ends, and one where there were several. Around the name all white
// space is dropped; within it tabs and line breaks are control characters, and
// refused.
//
// # Comparison
//
// Two names are the same when they match by definition D146 of the Unicode
// Standard, section 3.13 (compatibility caseless matching): they differ in
// nothing but case and width. The full case folding that it rests on also
// matches Straße to STRASSE and ς to σ, which lower case, the rule of RFC 8266,
// does not.
package username

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"nameplate/internal/fault"
)

// The bounds of a name, in characters after normalisation.
const (
	MinLength = 2
	MaxLength = 32
)

// maxBytes bounds the work on a hostile input. Runs of spaces aside, no name is
// longer before normalisation: NFKC composes at most four characters, a letter
// with three marks, of at most 4 bytes each to one.
const maxBytes = MaxLength * 16

// Name is a valid name.
type Name struct {
	// Display is the name in normal form, as people see it.
	Display string
	// Key is equal for names that differ only in case or width. It is for
	// comparing and for the unique index, not to be shown; it may be longer
	// than Display.
	Key string
}

// Parse reads a name by the grammar of this package. Parsing a Display gives
// the same Name again.
func Parse(s string) (Name, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return Name{}, &fault.Error{Code: fault.Required, Field: "name"}
	}
	tooLong := &fault.Error{Code: fault.TooLong, Field: "name", Limit: MaxLength}
	if len(s) > maxBytes {
		return Name{}, tooLong
	}
	display := normalise(s)
	characters := utf8.RuneCountInString(display)
	if characters > MaxLength {
		return Name{}, tooLong
	}
	if r, found := firstRefused(display); found {
		return Name{}, &fault.Error{Code: fault.InvalidCharacter, Field: "name", Detail: legible(r)}
	}
	if characters < MinLength {
		return Name{}, &fault.Error{Code: fault.TooShort, Field: "name", Limit: MinLength}
	}
	return Name{Display: display, Key: key(display)}, nil
}

func normalise(s string) string {
	isSpace := func(r rune) bool { return unicode.Is(unicode.Zs, r) }
	return strings.Join(strings.FieldsFunc(norm.NFKC.String(s), isSpace), " ")
}

// key is D146, composed at its end: as good for comparing, and shorter.
func key(s string) string {
	fold := cases.Fold() // has state, so it is not shared between goroutines
	s = norm.NFKD.String(fold.String(norm.NFD.String(s)))
	return norm.NFKC.String(strings.Map(foldCherokee, fold.String(s)))
}

// foldCherokee does what x/text's folding leaves out: by CaseFolding.txt the
// small letters of Cherokee fold to the capitals, which are older.
func foldCherokee(r rune) rune {
	if unicode.Is(unicode.Cherokee, r) {
		return unicode.ToUpper(r)
	}
	return r
}

// class is the part that a character plays in the grammar.
type class int

const (
	separator class = iota
	letter
	mark
	digit
	other
)

func classOf(r rune) class {
	switch {
	case strings.ContainsRune(" ._-·", r):
		return separator
	case isIgnorable(r):
		return other
	case unicode.IsLetter(r), r == '〇':
		return letter
	case unicode.In(r, unicode.Mn, unicode.Mc):
		return mark
	case unicode.IsDigit(r):
		return digit
	}
	return other
}

func isIgnorable(r rune) bool {
	return unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// firstRefused returns the first character that may not stand where it does.
func firstRefused(s string) (r rune, found bool) {
	before := separator
	for _, r = range s {
		now := classOf(r)
		switch {
		case now == other,
			now == mark && before != letter && before != mark,
			now == separator && before == separator:
			return r, true
		}
		before = now
	}
	return r, before == separator
}

// legible returns r itself, or its code point where r alone is not to be seen
// or would do something to the text around it.
func legible(r rune) string {
	visible := unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S)
	if !visible || isIgnorable(r) || r == utf8.RuneError {
		return fmt.Sprintf("%U", r)
	}
	return string(r)
}
