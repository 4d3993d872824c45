package graph

import (
	"strings"
	"testing"
)

// A crop comes as an argument or as a variable beside the file, and what is wrong with
// it is said in the words of whom it is for.
func TestCropsComeWithTheFile(t *testing.T) {
	e := newEndpoint(t)
	user, token := e.newUser("Alice")
	upload := func(signature, crop string, variables vars, header ...string) *answer {
		variables["file"] = nil
		query := `mutation($file: Upload!` + signature + `) { updateName(input: { name: "Bob" }) { userErrors { code } }
			updateAvatar(file: $file, crop: ` + crop + `) { userErrors { code field message } } }`
		operations := toJSON(t, vars{"query": query, "variables": variables})
		return e.postForm(form(part{"operations", "", operations}, part{"map", "", fileMap}, part{"0", "me.png", string(picture(t))}),
			append(bearer(token), header...)...)
	}
	const given = `, $crop: CropInput`
	for _, refused := range []*answer{
		upload("", `{ x: 3000000000, y: 0, size: 1 }`, vars{}),
		upload("", `{ x: 0, y: 0 }`, vars{}),
		upload(given, "$crop", vars{"crop": vars{"x": 0, "y": 3000000000, "size": 1}}),
		upload(given, "$crop", vars{"crop": vars{"x": 0, "y": 0, "size": "1"}}),
		upload(given, "$crop", vars{"crop": vars{"x": 0, "y": 0, "size": 1, "width": 1}}),
	} {
		if refused.code() != "GRAPHQL_VALIDATION_FAILED" || e.reload(user).Name != "Alice" {
			t.Errorf("the name is %s, and the answer %s", e.reload(user).Name, refused.Body)
		}
	}
	a := upload(given, "$crop", vars{"crop": vars{"x": 0, "y": 0, "size": 4000}})
	if a.fault("updateAvatar") != "CROP_OUT_OF_BOUNDS" || !strings.Contains(a.Body, `"field":["crop"]`) ||
		!strings.Contains(a.Body, "must be a square in the picture, which has ") {
		t.Errorf("a crop beyond the picture: %s", a.Body)
	}
	a = upload(given, "$crop", vars{"crop": vars{"x": 0, "y": 0, "size": 4000}}, "Accept-Language", "zh-CN")
	if !strings.Contains(a.Body, "裁剪区域必须是图片") {
		t.Errorf("in Chinese: %s", a.Body)
	}
	for _, crop := range []any{nil, vars{"x": 0, "y": 0, "size": 1}} {
		if a := upload(given, "$crop", vars{"crop": crop}); len(a.Errors) != 0 || a.fault("updateAvatar") != "" {
			t.Errorf("crop %v: %s", crop, a.Body)
		}
	}
}
