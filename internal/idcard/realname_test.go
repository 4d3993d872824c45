package idcard

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"

	"nameplate/internal/fault"
)

func TestParseRealNameNormalisesAccepted(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"shortest", "张三", "张三"},
		{"longest", strings.Repeat("阿", 50), strings.Repeat("阿", 50)},
		{"longest beyond the basic plane", strings.Repeat("𠮷", 50), strings.Repeat("𠮷", 50)},
		{"middle dot", "阿卜杜热合曼·买买提", "阿卜杜热合曼·买买提"},
		{"several middle dots", "买买提·阿不都·热合曼", "买买提·阿不都·热合曼"},
		{"other middle dots", "一\u0387二\u2022三\u2027四\u30FB五\uFF0E六\uFF65七\u2219八\u22C5九", "一·二·三·四·五·六·七·八·九"},
		{"extension A", "㐀㐁", "㐀㐁"},
		{"extension B", "𠀀𪛖", "𠀀𪛖"},
		{"extension G", "王\U00030000", "王\U00030000"},
		{"extension that Go's tables lack", "王\U0002EBF0", "王\U0002EBF0"},
		{"ideographic zero", "李〇", "李〇"},
		{"compatibility ideograph", "王\uF9D1", "王六"},
		{"white space around", "\t张三\u3000\n", "张三"},
		{"Latin", "John Smith", "John Smith"},
		{"run of spaces", "John \u00A0\u3000Smith", "John Smith"},
		{"every Latin separator", "Anne-Marie O'Neill", "Anne-Marie O'Neill"},
		{"initials", "J. R.R. Smith Jr.", "J. R.R. Smith Jr."},
		{"initial before a hyphen", "J.-P. Dupont", "J.-P. Dupont"},
		{"typographic signs", "Anne\u2010Marie O\u2019Neill", "Anne-Marie O'Neill"},
		{"diacritics", "Nguyễn Đình Łukasz Ğül Əliyev", "Nguyễn Đình Łukasz Ğül Əliyev"},
		{"decomposed diacritics", "Jose\u0301", "José"},
		{"diacritic without a composed form", "Adẹ\u0301", "Adẹ\u0301"},
		{"full-width letters", "Ｊｏｈｎ　Ｓｍｉｔｈ", "John Smith"},
		{"longest of decomposed letters", strings.Repeat("e\u0323\u0302", 50), strings.Repeat("ệ", 50)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseRealName(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("got %+q, want %+q", got, tt.want)
			}
		})
	}
}

func TestParseRealNameRefuses(t *testing.T) {
	required := fault.Error{Code: fault.Required, Field: "realName"}
	tooShort := fault.Error{Code: fault.TooShort, Field: "realName", Limit: 2}
	tooLong := fault.Error{Code: fault.TooLong, Field: "realName", Limit: 50}
	invalid := fault.Error{Code: fault.RealNameInvalid, Field: "realName"}
	tests := []struct {
		name, in string
		want     fault.Error
	}{
		{"empty", "", required},
		{"white space", " \t\u3000", required},
		{"one ideograph", "张", tooShort},
		{"one ideograph of 4 bytes", "𠮷", tooShort},
		{"one letter", "e\u0323\u0302", tooShort},
		{"51 characters", strings.Repeat("阿", 51), tooLong},
		{"51 letters", strings.Repeat("a", 51), tooLong},
		{"1 MB", strings.Repeat("阿", 1<<20/3), tooLong},
		{"dot first", "·买买提", invalid},
		{"dot last", "买买提·", invalid},
		{"dot doubled", "买买提··热合曼", invalid},
		{"dot doubled by folding", "买买提·•热合曼", invalid},
		{"dot alone", "·", invalid},
		{"space between ideographs", "张 三", invalid},
		{"ideographs and letters", "张三Smith", invalid},
		{"digit", "张3", invalid},
		{"iteration mark", "佐々木", invalid},
		{"radical", "王\u2E80", invalid},
		{"kana", "たなか", invalid},
		{"Cyrillic", "Иван", invalid},
		{"emoji", "张三🙂", invalid},
		{"private use", "王\uE863", invalid},
		{"noncharacter of plane 2", "王\U0002FFFF", invalid},
		{"variation selector", "葛\U000E0100城", invalid},
		{"hyphen first", "-Anne", invalid},
		{"hyphen last", "Anne-", invalid},
		{"hyphen doubled", "Anne--Marie", invalid},
		{"apostrophe first", "'Neill", invalid},
		{"period first", ".John", invalid},
		{"period doubled", "Jr..", invalid},
		{"hyphen after a space", "Anne -Marie", invalid},
		{"middle dot between letters", "Anne·Marie", invalid},
		{"diacritic first", "\u0301Anne", invalid},
		{"diacritic after a space", "Anne \u0301Marie", invalid},
		{"grapheme joiner", "An\u034Fne", invalid},
		{"tab inside", "John\tSmith", invalid},
		{"line break inside", "张\n三", invalid},
		{"NUL", "张\x00三", invalid},
		{"bidi override", "张\u202E三", invalid},
		{"zero width space", "张\u200B三", invalid},
		{"invalid UTF-8", "张\xff三", invalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseRealName(tt.in)
			if diff := cmp.Diff(error(&tt.want), err); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzParseRealName(f *testing.F) {
	for _, s := range []string{
		"", "张三", "阿卜杜热合曼•买买提", "John Smith", "J. R.R. O’Neill-Smith Jr.", "Jose\u0301", "张 三",
		"··", "张\xff三", "\u0344a", "王\uF9D1", "a\u0315\u0300\u05ae\u0301", "Ａ b", "\u2000ab",
	} {
		f.Add(s)
	}
	refusals := map[fault.Error]bool{
		{Code: fault.Required, Field: "realName"}:           true,
		{Code: fault.TooShort, Field: "realName", Limit: 2}: true,
		{Code: fault.TooLong, Field: "realName", Limit: 50}: true,
		{Code: fault.RealNameInvalid, Field: "realName"}:    true,
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, err := ParseRealName(s)
		if err != nil {
			// Only these, so that no error can hold the input.
			if refused, ok := errors.AsType[*fault.Error](err); !ok || !refusals[*refused] {
				t.Errorf("an error of another kind: %v", err)
			}
			return
		}
		if n := utf8.RuneCountInString(name); n < 2 || n > 50 || !utf8.ValidString(name) {
			t.Errorf("accepted %q", name)
		}
		if !norm.NFC.IsNormalString(name) {
			t.Errorf("not in NFC: %+q", name)
		}
		if again, err := ParseRealName(name); err != nil || again != name {
			t.Errorf("parsed again, %+q becomes %+q, %v", name, again, err)
		}
	})
}
