package idcard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nameplate/internal/fault"
)

// now is 30 June 2025, 08:00, in Shanghai.
var now = time.Date(2025, time.June, 30, 0, 0, 0, 0, time.UTC)

// number puts the right check character behind 17 digits. It is computed with
// the weights that GB 11643-1999 prints, not as the package does.
func number(digits string) string {
	weights := [...]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		sum += w * int(digits[i]-'0')
	}
	return digits + "10X98765432"[sum%11:sum%11+1]
}

func TestParseAccepts(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"check character X", "11010519491231002X", "11010519491231002X"},
		{"check character digit", "110101199003070011", "110101199003070011"},
		{"leap day", "110101200002290018", "110101200002290018"},
		{"resident of Hong Kong", "810000199003070015", "810000199003070015"},
		{"small x", "11010519491231002x", "11010519491231002X"},
		{"full width", "１１０１０５１９４９１２３１００２Ｘ", "11010519491231002X"},
		{"full-width small x", "11010519491231002ｘ", "11010519491231002X"},
		{"white space around", "\t 11010519491231002X\u3000\r\n", "11010519491231002X"},
		{"Taiwan", number("71000019900307001"), number("71000019900307001")},
		{"resident of Macao", number("82000019900307001"), number("82000019900307001")},
		{"resident of Taiwan", number("83000019900307001"), number("83000019900307001")},
		{"abroad", number("91000019900307001"), number("91000019900307001")},
		{"permanent resident, Zhejiang", "932682198501010017", "932682198501010017"},
		{"region that is in no list", number("11999919900307001"), number("11999919900307001")},
		{"born today", number("11010120250630001"), number("11010120250630001")},
		{"born 150 years ago", number("11010118750630001"), number("11010118750630001")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse(tt.in, now)
			if err != nil {
				t.Fatal(err)
			}
			if got.Reveal() != tt.want {
				t.Errorf("got %q, want %q", got.Reveal(), tt.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ name, in, rule string }{
		{"17 characters", "11010519491231002", RuleLength},
		{"19 characters", "11010519491231002XX", RuleLength},
		{"15 digits, as before 1999", "110105491231002", RuleLength},
		{"space inside", "110105 19491231002X", RuleLength},
		{"space in place of a digit", "110105 9491231002X", RuleCharacters},
		{"letter", "11010519491231002A", RuleCharacters},
		{"X before the end", "1101051949123100X2", RuleCharacters},
		{"two X", "1101051949123100XX", RuleCharacters},
		{"sign", "+10105194912310021", RuleCharacters},
		{"digits of another script", strings.Repeat("\u0661", 18), RuleCharacters},
		{"Han digits", strings.Repeat("一", 18), RuleCharacters},
		{"invalid UTF-8", strings.Repeat("\xff", 18), RuleCharacters},
		{"no such province", "990101199003070015", RuleProvince},
		{"province 00", number("00010119900307001"), RuleProvince},
		{"province 16", number("16010119900307001"), RuleProvince},
		{"province 84", number("84000019900307001"), RuleProvince},
		{"foreigner, no such province", number("92000019900307001"), RuleProvince},
		{"no leap year", "110101202302290019", RuleBirthDate},
		{"no leap year, 1900", "110101190002290011", RuleBirthDate},
		{"future", "110101299901010019", RuleBirthDate},
		{"born tomorrow", number("11010120250701001"), RuleBirthDate},
		{"born a day more than 150 years ago", number("11010118750629001"), RuleBirthDate},
		{"month 00", number("11010119900007001"), RuleBirthDate},
		{"month 13", number("11010119901307001"), RuleBirthDate},
		{"day 00", number("11010119900300001"), RuleBirthDate},
		{"31 April", number("11010119900431001"), RuleBirthDate},
		{"year 0000", number("11010100000307001"), RuleBirthDate},
		{"wrong check character", "110105194912310021", RuleCheckCharacter},
		{"digits swapped", "11010519491213002X", RuleCheckCharacter},
		{"the first broken rule counts", "990101202302290010", RuleProvince},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse(tt.in, now)
			want := &fault.Error{Code: fault.IDCardInvalid, Field: "idCard", Detail: tt.rule}
			if diff := cmp.Diff(error(want), err); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseRequiresANumber(t *testing.T) {
	for _, in := range []string{"", " ", "\u3000\t\n"} {
		_, err := Parse(in, now)
		want := &fault.Error{Code: fault.Required, Field: "idCard"}
		if diff := cmp.Diff(error(want), err); diff != "" {
			t.Errorf("%q: %s", in, diff)
		}
	}
}

func TestTodayIsTheDayInShanghai(t *testing.T) {
	bornOnTheFirst := number("11010120250701001")
	midnight := time.Date(2025, time.June, 30, 16, 0, 0, 0, time.UTC)
	if _, err := Parse(bornOnTheFirst, midnight); err != nil {
		t.Errorf("refused at midnight in Shanghai: %v", err)
	}
	if _, err := Parse(bornOnTheFirst, midnight.Add(-time.Nanosecond)); err == nil {
		t.Error("accepted before midnight in Shanghai")
	}
}

func TestAnyOtherCheckCharacterIsRefused(t *testing.T) {
	const digits = "11010519491231002"
	for _, c := range "0123456789X" {
		s := digits + string(c)
		_, err := Parse(s, now)
		if accepted, want := err == nil, s == number(digits); accepted != want {
			t.Errorf("%s: accepted is %v", s, accepted)
		}
	}
}

func TestNumberShowsNothingButItsMask(t *testing.T) {
	const secret, mask = "11010519491231002X", "1****************X"
	n, err := Parse(secret, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%20s"} {
		if got := fmt.Sprintf(verb, n); got != mask {
			t.Errorf("%s prints %s", verb, got)
		}
		exported := struct{ N *Number }{&n}
		if got := fmt.Sprintf(verb, exported); strings.Contains(got, secret) {
			t.Errorf("%s of a struct prints %s", verb, got)
		}
	}
	encoded, err := json.Marshal(map[string]any{"idCard": n})
	if want := `{"idCard":"` + mask + `"}`; err != nil || string(encoded) != want {
		t.Errorf("JSON is %s, %v", encoded, err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("verified", "number", n, "in", []any{n})
	if strings.Contains(log.String(), secret) || strings.Count(log.String(), mask) != 2 {
		t.Errorf("the log has %s", log.String())
	}
	if n.String() != mask || n.Mask() != mask {
		t.Errorf("String is %s, Mask is %s", n.String(), n.Mask())
	}
}

func TestZeroNumberPrintsAsNothing(t *testing.T) {
	if got := fmt.Sprint(Number{}); got != "" {
		t.Errorf("got %q", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "11010519491231002X", "110101199003070011", "110101200002290018", "810000199003070015",
		"110105194912310021", "110101190002290011", "110101202302290019", "110101299901010019",
		"990101199003070015", "932682198501010017", " １１０１０５１９４９１２３１００２ｘ ", "\xff\xfe", strings.Repeat("X", 18),
	} {
		f.Add(s)
	}
	refusals := map[fault.Error]bool{
		{Code: fault.Required, Field: "idCard"}:                                  true,
		{Code: fault.IDCardInvalid, Field: "idCard", Detail: RuleLength}:         true,
		{Code: fault.IDCardInvalid, Field: "idCard", Detail: RuleCharacters}:     true,
		{Code: fault.IDCardInvalid, Field: "idCard", Detail: RuleProvince}:       true,
		{Code: fault.IDCardInvalid, Field: "idCard", Detail: RuleBirthDate}:      true,
		{Code: fault.IDCardInvalid, Field: "idCard", Detail: RuleCheckCharacter}: true,
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := Parse(s, now)
		if err != nil {
			// Only these, so that no error can hold the input.
			if refused, ok := errors.AsType[*fault.Error](err); !ok || !refusals[*refused] {
				t.Errorf("an error of another kind: %v", err)
			}
			return
		}
		if len(n.Reveal()) != 18 || n.Reveal() != number(n.Reveal()[:17]) {
			t.Errorf("accepted %q", n.Reveal())
		}
		if again, err := Parse(n.Reveal(), now); err != nil || again != n {
			t.Errorf("parsed again: %v", err)
		}
	})
}
