package idcard

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"nameplate/internal/fault"
)

// The bounds of a real name, in Unicode characters after normalisation.
// Names of ethnic minorities run to fifty.
const (
	MinRealNameLength = 2
	MaxRealNameLength = 50
)

// maxRealNameBytes bounds the work on a hostile input. Runs of spaces aside, no
// name within the bound is longer before normalisation: its characters have at
// most 4 bytes, and UTF-8 grows at most threefold when decomposed
// (https://www.unicode.org/faq/normalization.html).
const maxRealNameBytes = MaxRealNameLength * 4 * 3

// hanCharacter is an ideograph or U+3007, the zero that names are written
// with. Of planes 2 and 3 it takes all: Unicode keeps both for ideographs, and
// the latest blocks, encoded because registered names need them, are not in Go's
// tables yet.
const hanCharacter = `[〇\x{3400}-\x{4DBF}\x{4E00}-\x{9FFF}\x{F900}-\x{FAFF}` +
	`\x{20000}-\x{2FFFD}\x{30000}-\x{3FFFD}]`

// latinWord is made of letters of the blocks that alphabets of today use, with
// the diacritics that have no composed form (U+034F among them is invisible),
// and of the periods of initials and abbreviations.
const latinWord = `([A-Za-zÀ-ÖØ-öø-ʯḀ-ỿ][\x{300}-\x{34E}\x{350}-\x{36F}]*\.?)+`

var (
	hanName   = regexp.MustCompile(`^` + hanCharacter + `+(·` + hanCharacter + `+)*$`)
	latinName = regexp.MustCompile(`^` + latinWord + `([ '-]` + latinWord + `)*$`)
)

// ParseRealName reads a real name as identity documents write it, and returns
// it normalised. It is one of two:
//
//	han    = 1*HAN *("·" 1*HAN)                  ; 张三, 阿卜杜热合曼·买买提
//	latin  = word *((" " / "-" / "'") word)      ; Anne-Marie O'Neill, J. R. Smith Jr.
//	word   = 1*(LETTER ["."])                    ; LETTER may have diacritics
//
// U+00B7 is the one separator that Chinese registers have in the names of
// ethnic minorities; other middle dots are folded to it, typographic
// apostrophes and hyphens to ' and -, full-width letters to ASCII. White space
// around the name is dropped and a run of spaces becomes one; tabs and line
// breaks inside are refused as other control characters are. The name is in
// NFC, with [MinRealNameLength] to [MaxRealNameLength] characters.
func ParseRealName(s string) (string, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return "", &fault.Error{Code: fault.Required, Field: "realName"}
	}
	tooLong := &fault.Error{Code: fault.TooLong, Field: "realName", Limit: MaxRealNameLength}
	if len(s) > maxRealNameBytes {
		return "", tooLong
	}
	s = normaliseRealName(s)
	characters := utf8.RuneCountInString(s)
	switch {
	case characters > MaxRealNameLength:
		return "", tooLong
	case !hanName.MatchString(s) && !latinName.MatchString(s):
		return "", &fault.Error{Code: fault.RealNameInvalid, Field: "realName"}
	case characters < MinRealNameLength:
		return "", &fault.Error{Code: fault.TooShort, Field: "realName", Limit: MinRealNameLength}
	}
	return s, nil
}

func normaliseRealName(s string) string {
	s = norm.NFC.String(strings.Map(foldRealName, s))
	words := strings.FieldsFunc(s, func(r rune) bool { return r == ' ' })
	return strings.Join(words, " ")
}

// foldRealName maps what keyboards and input methods produce to the one
// character that documents have.
func foldRealName(r rune) rune {
	switch r {
	case '\u0387', '\u2022', '\u2027', '\u2219', '\u22C5', '\u2E31', '\u30FB', '\uFF0E', '\uFF65':
		return '\u00B7'
	case '\u02BB', '\u02BC', '\u2018', '\u2019', '\uFF07':
		return '\''
	case '\u2010', '\u2011', '\uFF0D':
		return '-'
	}
	switch {
	case 'Ａ' <= r && r <= 'Ｚ', 'ａ' <= r && r <= 'ｚ':
		return r - 'Ａ' + 'A'
	case unicode.Is(unicode.Zs, r):
		return ' '
	}
	return r
}
