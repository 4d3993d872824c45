package username

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"nameplate/internal/fault"
)

func TestParseNormalisesAccepted(t *testing.T) {
	tests := []struct {
		name, in string
		want     Name
	}{
		{"shortest", "al", Name{"al", "al"}},
		{"longest", strings.Repeat("a", MaxLength), Name{strings.Repeat("a", MaxLength), strings.Repeat("a", MaxLength)}},
		{"longest of 4 bytes", strings.Repeat("𠮷", MaxLength), Name{strings.Repeat("𠮷", MaxLength), strings.Repeat("𠮷", MaxLength)}},
		{"longest of decomposed letters", strings.Repeat("e\u0323\u0302", MaxLength), Name{strings.Repeat("ệ", MaxLength), strings.Repeat("ệ", MaxLength)}},
		{"capitals", "Alice", Name{"Alice", "alice"}},
		{"every separator", "a b.c_d-e·f", Name{"a b.c_d-e·f", "a b.c_d-e·f"}},
		{"white space around", "\t alice\u3000\r\n", Name{"alice", "alice"}},
		{"spaces inside", "Mary \u00A0\u3000Jane", Name{"Mary Jane", "mary jane"}},
		{"full width", "Ａｌｉｃｅ１２", Name{"Alice12", "alice12"}},
		{"half-width katakana", "ﾊﾝｶﾞｸ", Name{"ハンガク", "ハンガク"}},
		{"Han", "王小明", Name{"王小明", "王小明"}},
		{"ideographic zero", "二〇二四", Name{"二〇二四", "二〇二四"}},
		{"digits only", "007", Name{"007", "007"}},
		{"digits of another script", "\u0661\u0662", Name{"\u0661\u0662", "\u0661\u0662"}},
		{"mark without a composed form", "M\u0304o", Name{"M\u0304o", "m\u0304o"}},
		{"spacing mark", "हिन्दी", Name{"हिन्दी", "हिन्दी"}},
		{"sharp s", "Straße", Name{"Straße", "strasse"}},
		{"final sigma", "Σίσυφος", Name{"Σίσυφος", "σίσυφοσ"}},
		{"Turkish i without a dot is its own", "Işık ı", Name{"Işık ı", "işık ı"}},
		{"Cherokee", "\uAB70\uAB71", Name{"\uAB70\uAB71", "\u13A0\u13A1"}},
		{"ligature", "ﬁona", Name{"fiona", "fiona"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	required := fault.Error{Code: fault.Required, Field: "name"}
	tooShort := fault.Error{Code: fault.TooShort, Field: "name", Limit: MinLength}
	tooLong := fault.Error{Code: fault.TooLong, Field: "name", Limit: MaxLength}
	character := func(detail string) fault.Error {
		return fault.Error{Code: fault.InvalidCharacter, Field: "name", Detail: detail}
	}
	tests := []struct {
		name, in string
		want     fault.Error
	}{
		{"empty", "", required},
		{"white space", " \t\u3000\n", required},
		{"one character", "a", tooShort},
		{"one character of several bytes", "𠮷", tooShort},
		{"one character after normalisation", "e\u0323\u0302", tooShort},
		{"one more than the longest", strings.Repeat("a", MaxLength+1), tooLong},
		{"one more than the longest, of 4 bytes", strings.Repeat("𠮷", MaxLength+1), tooLong},
		{"too long once normalised", strings.Repeat("ﬃ", 11), tooLong},
		{"too long and invalid", strings.Repeat("!", MaxLength+1), tooLong},
		{"separator first", ".alice", character(".")},
		{"separator last", "alice-", character("-")},
		{"separator alone", "·", character("·")},
		{"two separators", "a__b", character("_")},
		{"two different separators", "a.-b", character("-")},
		{"space before a separator", "a -b", character("-")},
		{"space after a separator", "a- b", character("U+0020")},
		{"two separators by normalisation", "a…b", character(".")},
		{"punctuation", "alice!", character("!")},
		{"at sign", "a@b", character("@")},
		{"the first of two", "a<b>", character("<")},
		{"emoji", "alice🙂", character("🙂")},
		{"markup by normalisation", "a＜b", character("<")},
		{"tab inside", "a\tb", character("U+0009")},
		{"line break inside", "a\nb", character("U+000A")},
		{"line separator inside", "a\u2028b", character("U+2028")},
		{"NUL", "a\x00b", character("U+0000")},
		{"zero width space", "a\u200Bb", character("U+200B")},
		{"zero width joiner", "a\u200Db", character("U+200D")},
		{"bidi override", "a\u202Eb", character("U+202E")},
		{"byte order mark", "\uFEFFalice", character("U+FEFF")},
		{"soft hyphen", "a\u00ADb", character("U+00AD")},
		{"tag", "ab\U000E0041", character("U+E0041")},
		{"Hangul filler", "a\u3164b", character("U+1160")},
		{"variation selector", "ab\uFE0F", character("U+FE0F")},
		{"grapheme joiner", "a\u034Fb", character("U+034F")},
		{"enclosing mark", "a\u20DDb", character("U+20DD")},
		{"mark first", "\u0301ab", character("U+0301")},
		{"mark after a digit", "a1\u0301", character("U+0301")},
		{"mark after a separator", "a.\u0301b", character("U+0301")},
		{"mark after a space by normalisation", "a\u00A8", character("U+0308")},
		{"invalid UTF-8", "a\xffb", character("U+FFFD")},
		{"half a character", "ab\xe7\x8e", character("U+FFFD")},
		{"replacement character", "a\uFFFDb", character("U+FFFD")},
		{"private use", "a\uE000b", character("U+E000")},
		{"unassigned", "a\u0378b", character("U+0378")},
		{"noncharacter", "a\uFFFFb", character("U+FFFF")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse(tt.in)
			if diff := cmp.Diff(error(&tt.want), err); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNamesThatDifferInCaseOrWidthShareAKey(t *testing.T) {
	for _, same := range [][]string{
		{"alice", "Alice", "ALICE", "ａｌｉｃｅ", " Ａlice "},
		{"Straße", "STRASSE", "straẞe"},
		{"Σίσυφος", "ΣΊΣΥΦΟΣ"},
		{"José", "Jose\u0301", "JOSÉ"},
		{"ハンカク", "ﾊﾝｶｸ"},
		{"a b", "A\u3000 B"},
	} {
		want := mustParse(t, same[0]).Key
		for _, s := range same[1:] {
			if got := mustParse(t, s).Key; got != want {
				t.Errorf("%q has the key %q, %q has %q", s, got, same[0], want)
			}
		}
	}
}

func TestNamesThatDifferOtherwiseDoNotShareAKey(t *testing.T) {
	seen := map[string]string{}
	for _, s := range []string{"alice", "al ice", "al-ice", "al.ice", "al_ice", "al·ice", "alicé", "ali", "阿丽", "阿麗"} {
		key := mustParse(t, s).Key
		if other, found := seen[key]; found {
			t.Errorf("%q and %q share the key %q", s, other, key)
		}
		seen[key] = s
	}
}

// The standard library's tables of simple folding are a second opinion on
// those of x/text.
func TestKeyFoldsEveryLetterThatHasCase(t *testing.T) {
	for r := range unicode.MaxRune {
		other := unicode.SimpleFold(r)
		if other != r && key(string(r)) != key(string(other)) {
			t.Errorf("%U and %U have different keys", r, other)
		}
	}
}

func TestParseIsQuickOnHugeInput(t *testing.T) {
	const size = 1 << 20
	start := time.Now()
	for _, unit := range []string{"a", " ", "a ", "\u0301", "ﷺ", "\xff", "a\u0315\u0300\u05ae\u0301"} {
		_, err := Parse(strings.Repeat(unit, size/len(unit)))
		if err == nil {
			t.Errorf("1 MB of %q was accepted", unit)
		}
	}
	// It takes milliseconds; the bound only tells them from quadratic work.
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "alice", "Ａlice", "Straße", "a..b", "a\u0301\u0345", "ᾳ\u0301", "\u00A8a", "a\u200Db", "a\xff",
		"İstanbul", "ﷺ", "ŉa", "\uAB70b", "ﾊﾞ b", "각가\u11A8", strings.Repeat("ΐ", MaxLength),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, err := Parse(s)
		if err != nil {
			checkFault(t, err)
			return
		}
		if !utf8.ValidString(name.Display) || !utf8.ValidString(name.Key) {
			t.Errorf("not UTF-8: %q", name)
		}
		if n := utf8.RuneCountInString(name.Display); n < MinLength || n > MaxLength {
			t.Errorf("%q has %d characters", name.Display, n)
		}
		if again := mustParse(t, name.Display); again != name {
			t.Errorf("parsed again, %q becomes %q", name, again)
		}
		if again := key(name.Key); again != name.Key {
			t.Errorf("the key %q has the key %q", name.Key, again)
		}
	})
}

func checkFault(t *testing.T, err error) {
	t.Helper()
	refused, ok := errors.AsType[*fault.Error](err)
	if !ok || refused.Field != "name" {
		t.Fatalf("not a fault of the name: %v", err)
	}
	if n := utf8.RuneCountInString(refused.Detail); n > 1 && !strings.HasPrefix(refused.Detail, "U+") {
		t.Errorf("more than one character in the fault: %q", refused.Detail)
	}
}

func mustParse(t *testing.T, s string) Name {
	t.Helper()
	name, err := Parse(s)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return name
}
