package graph

import (
	"go/constant"
	"go/importer"
	"go/token"
	"go/types"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2"
	gqlast "github.com/vektah/gqlparser/v2/ast"

	"nameplate/internal/fault"
	"nameplate/internal/profile"
)

func loadSchema(t *testing.T) *gqlast.Schema {
	t.Helper()
	text, err := os.ReadFile("../schema.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	schema, err := gqlparser.LoadSchema(&gqlast.Source{Input: string(text)})
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestEveryElementOfTheSchemaIsDescribed(t *testing.T) {
	for _, definition := range loadSchema(t).Types {
		if definition.BuiltIn {
			continue
		}
		if definition.Description == "" {
			t.Errorf("%s has no description", definition.Name)
		}
		for _, value := range definition.EnumValues {
			if value.Description == "" {
				t.Errorf("%s.%s has no description", definition.Name, value.Name)
			}
		}
		for _, field := range definition.Fields {
			if field.Description == "" && !strings.HasPrefix(field.Name, "__") {
				t.Errorf("%s.%s has no description", definition.Name, field.Name)
			}
			for _, argument := range field.Arguments {
				if argument.Description == "" && !strings.HasPrefix(field.Name, "__") {
					t.Errorf("%s.%s(%s:) has no description", definition.Name, field.Name, argument.Name)
				}
			}
		}
	}
}

// faultCodes are the constants of type fault.Code.
func faultCodes(t *testing.T) []string {
	t.Helper()
	pkg, err := importer.ForCompiler(token.NewFileSet(), "source", nil).Import("nameplate/internal/fault")
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, name := range pkg.Scope().Names() {
		if c, ok := pkg.Scope().Lookup(name).(*types.Const); ok && strings.HasSuffix(c.Type().String(), "fault.Code") {
			codes = append(codes, constant.StringVal(c.Val()))
		}
	}
	slices.Sort(codes)
	return codes
}

func TestUserErrorCodesAreTheCodesOfFaults(t *testing.T) {
	var inSchema []string
	for _, value := range loadSchema(t).Types["UserErrorCode"].EnumValues {
		inSchema = append(inSchema, value.Name)
	}
	slices.Sort(inSchema)
	if diff := cmp.Diff(faultCodes(t), inSchema); diff != "" {
		t.Errorf("package fault and schema.graphqls differ (-fault +schema):\n%s", diff)
	}
}

func TestEveryFaultHasAMessageInEveryLanguage(t *testing.T) {
	for _, code := range faultCodes(t) {
		found := false
		for key, texts := range messages {
			if key == code || strings.HasPrefix(key, code+" ") {
				found = true
				if slices.Contains(texts[:], "") || texts[0] == texts[1] {
					t.Errorf("%s has the messages %q", key, texts)
				}
			}
		}
		if !found {
			t.Errorf("%s has no message", code)
		}
	}
}

func TestAMessageNamesTheBoundAndTheCharacter(t *testing.T) {
	for want, f := range map[string]*fault.Error{
		"This may have at most 32 characters.":                     {Code: fault.TooLong, Limit: 32},
		"The character \"U+202E\" can't be used here.":             {Code: fault.InvalidCharacter, Detail: "U+202E"},
		"This has a character that can't be used here.":            {Code: fault.InvalidCharacter},
		"The birth date in the ID number is not possible.":         {Code: fault.IDCardInvalid, Detail: "birth date"},
		"This kind of picture is not accepted; accepted are a, b.": {Code: fault.ImageUnsupported, Detail: "a, b"},
	} {
		if got := message("en", f); got != want {
			t.Errorf("%v: %q, want %q", f, got, want)
		}
	}
}

func TestTheServiceAndTheSchemaAgreeOnWhoMayReadTheNumber(t *testing.T) {
	field := loadSchema(t).Types["Verification"].Fields.ForName("idCard")
	maxAge := field.Directives.ForName("auth").Arguments.ForName("maxAge").Value.Raw
	if want := strconv.Itoa(int(profile.IDCardMaxAge.Seconds())); maxAge != want {
		t.Errorf("@auth(maxAge: %s) in the schema, %s seconds in package profile", maxAge, want)
	}
}
