package graph

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/text/language"

	"nameplate/internal/avatar"
	"nameplate/internal/fault"
	"nameplate/internal/idcard"
)

// languages are those that messages are written in; the first is what a request
// gets that asks for none of them.
var languages = language.NewMatcher([]language.Tag{language.English, language.Chinese})

// message words a fault for people.
func message(acceptLanguage string, f *fault.Error) string {
	tags, _, _ := language.ParseAcceptLanguage(acceptLanguage) // on error: no tags
	_, i, _ := languages.Match(tags...)
	texts, ok := messages[string(f.Code)+" "+f.Detail]
	if !ok {
		texts = messages[string(f.Code)]
	}
	return strings.NewReplacer(
		"{limit}", fmt.Sprint(f.Limit),
		"{size}", size(f.Limit),
		"{detail}", f.Detail,
	).Replace(texts[i])
}

// size words a number of bytes.
func size(bytes int) string {
	if bytes < 1<<20 {
		return strconv.Itoa(bytes) + " B"
	}
	return strconv.FormatFloat(float64(bytes)/(1<<20), 'g', 3, 64) + " MiB"
}

// messages has for each code the text in each of languages; for a code that stands
// for several rules, those of each Detail behind the code and a space.
var messages = map[string][2]string{
	string(fault.Required):         {"This is required.", "此项必填。"},
	string(fault.TooShort):         {"This needs at least {limit} characters.", "至少需要 {limit} 个字符。"},
	string(fault.TooLong):          {"This may have at most {limit} characters.", "最多 {limit} 个字符。"},
	string(fault.InvalidCharacter): {"The character \"{detail}\" can't be used here.", "此处不能使用字符“{detail}”。"},
	string(fault.InvalidCharacter) + " ": {
		"This has a character that can't be used here.", "含有此处不能使用的字符。",
	},
	string(fault.NameTaken):                                     {"This name is taken.", "此名称已被使用。"},
	string(fault.PasswordTooCommon):                             {"This password is too easy to guess.", "此密码过于容易被猜到。"},
	string(fault.WrongCredentials) + " " + fault.DetailPassword: {"The password is wrong.", "密码不正确。"},
	string(fault.WrongCredentials):                              {"The name, the password or the code is wrong.", "名称、密码或恢复码不正确。"},
	string(fault.SignUpClosed):                                  {"Signing up is closed on this server.", "此服务器已关闭注册。"},
	string(fault.SessionNotFound):                               {"There is no such session.", "没有此会话。"},
	string(fault.FileEmpty):                                     {"The file is empty.", "文件为空。"},
	string(fault.FileTooLarge):                                  {"The file is too large: at most {size} are accepted.", "文件过大：最大 {size}。"},
	string(fault.ImageTooLarge): {
		"The picture is too large: at most {limit} pixels are accepted.", "图片过大：最多 {limit} 像素。",
	},
	string(fault.ImageTooLarge) + " " + avatar.RuleSide: {
		"The picture is too large: each side may have at most {limit} pixels.", "图片过大：边长最多 {limit} 像素。",
	},
	string(fault.ImageUnsupported): {
		"This kind of picture is not accepted; accepted are {detail}.", "不支持此图片格式（支持 {detail}）。",
	},
	string(fault.ImageCorrupt): {"The picture is damaged or incomplete.", "图片已损坏或不完整。"},
	string(fault.CropOutOfBounds): {
		"The crop must be a square in the picture, which has {detail} pixels.", "裁剪区域必须是图片（{detail} 像素）内的正方形。",
	},
	string(fault.RealNameInvalid): {"This is not a name as printed on an ID card.", "这不是证件上的有效姓名。"},
	string(fault.IDCardInvalid) + " " + idcard.RuleLength: {
		"An ID number has 18 characters.", "身份证号码应为 18 位。",
	},
	string(fault.IDCardInvalid) + " " + idcard.RuleCharacters: {
		"An ID number is 17 digits and then a digit or X.", "身份证号码应为 17 位数字加一位数字或 X。",
	},
	string(fault.IDCardInvalid) + " " + idcard.RuleProvince: {
		"The ID number doesn't begin with a valid province code.", "身份证号码开头不是有效的省份代码。",
	},
	string(fault.IDCardInvalid) + " " + idcard.RuleBirthDate: {
		"The birth date in the ID number is not possible.", "身份证号码中的出生日期无效。",
	},
	string(fault.IDCardInvalid) + " " + idcard.RuleCheckCharacter: {
		"The last character of the ID number doesn't fit the others.", "身份证号码的校验码不正确。",
	},
	string(fault.AlreadyVerified): {
		"Another real name or ID number is saved already.", "已保存过其他姓名或身份证号码。",
	},
}
