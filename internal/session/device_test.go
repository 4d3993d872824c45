package session_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"nameplate/internal/session"
)

const (
	webKit = "AppleWebKit/537.36 (KHTML, like Gecko) "
	apple  = "AppleWebKit/605.1.15 (KHTML, like Gecko) "
)

// agents are what clients send, and what a person reads of it.
var agents = []struct{ agent, want string }{
	{"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux"},
	{"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux"},
	{"Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0", "Firefox on Android"},
	{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) " + webKit + "Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0", "Edge on Windows"},
	{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) " + webKit + "Chrome/126.0.0.0 Safari/537.36 OPR/112.0.0.0", "Opera on Windows"},
	{"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) " + apple + "Version/17.5 Mobile/15E148 Safari/604.1", "Safari on iOS"},
	{"Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) " + apple + "Version/17.5 Mobile/15E148 Safari/604.1", "Safari on iOS"},
	{"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) " + apple + "CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1", "Chrome on iOS"},
	{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) " + apple + "Version/17.5 Safari/605.1.15", "Safari on macOS"},
	{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) " + webKit + "Chrome/126.0.0.0 Safari/537.36", "Chrome on macOS"},
	{"Mozilla/5.0 (Linux; Android 10; K) " + webKit + "Chrome/126.0.0.0 Mobile Safari/537.36", "Chrome on Android"},
	{"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) " + webKit + "Chrome/126.0.0.0 Safari/537.36", "Chrome on ChromeOS"},
	{"Mozilla/5.0 (Linux; Android 10; K) " + webKit + "SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36", "Samsung Browser on Android"},
	{
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) " + apple + "Mobile/15E148 MicroMessenger/8.0.49(0x18003137) NetType/WIFI Language/zh_CN",
		"MicroMessenger on iOS",
	},
	{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) " + webKit + "Chrome/107.0.0.0 Safari/537.36 MicroMessenger/7.0.20.1781(0x6700143B) NetType/WIFI",
		"MicroMessenger on Windows",
	},
	{ // the app shows its pages in Android's own browser
		"Mozilla/5.0 (Linux; Android 13; M2012K11AC Build/TKQ1.220829.002; wv) " + webKit + "Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36 " +
			"XWEB/1160117 MMWEBSDK/20240404 MicroMessenger/8.0.49.2600(0x28003133) WeChat/arm64 Weixin NetType/WIFI Language/zh_CN",
		"Chrome on Android",
	},
	{"curl/8.5.0", "curl"},
	{"Wget/1.21.4", "Wget"},
	{"node", "node"},
	{"undici", "undici"},
	{"Go-http-client/2.0", "Go-http-client"},
	{"python-requests/2.32.3", "python-requests"},
	{"okhttp/4.12.0", "okhttp"},
	{"Dart/3.4 (dart:io)", "Dart"},
	{"PostmanRuntime/7.39.0", "PostmanRuntime"},
	{"名刺/1.0", "名刺"},
	{"<b>nice</b> try", "<b>nice<"}, // whoever shows it escapes it, as any text

	{"", session.UnknownDevice},
	{"   ", session.UnknownDevice},
	{"/", session.UnknownDevice},
	{"(", session.UnknownDevice},
	{";;()//", session.UnknownDevice},
	{"1.0", session.UnknownDevice},
	{"\x00", session.UnknownDevice},
	{"cu\x1b[31mrl/8", session.UnknownDevice},
	{"evil\r\nSet-Cookie: x", session.UnknownDevice},
	{"\u202efdp.evil", session.UnknownDevice}, // would be read from right to left
	{"zero\u200bwidth", session.UnknownDevice},
	{"\xff\xfe", session.UnknownDevice},
	{"cu\xffrl/8", session.UnknownDevice},
	{strings.Repeat("x", 60) + "\xff", session.UnknownDevice},
	{strings.Repeat("x", 50), strings.Repeat("x", 50)},
	{strings.Repeat("x", 51), strings.Repeat("x", 50) + "…"},
	{strings.Repeat("x", 256), strings.Repeat("x", 50) + "…"},
	{strings.Repeat("名", 85), strings.Repeat("名", 50) + "…"},
	{strings.Repeat("\xf0\x9f\x98\x80", 64), session.UnknownDevice}, // without a letter
	{strings.Repeat("(", 256), session.UnknownDevice},
	{strings.Repeat("1", 60) + "a", session.UnknownDevice}, // its letter is cut off
	{strings.Repeat("a/1 ", 64), "a"},
}

func TestADeviceIsNamedForPeople(t *testing.T) {
	for _, tt := range agents {
		if got := session.Device(tt.agent); got != tt.want {
			t.Errorf("%q is %q, want %q", tt.agent, got, tt.want)
		}
	}
}

func FuzzDevice(f *testing.F) {
	for _, seed := range agents {
		f.Add(seed.agent)
	}
	f.Fuzz(func(t *testing.T, agent string) {
		got := session.Device(agent)
		// The longest name with its ellipsis, and the longest system.
		if n := utf8.RuneCountInString(got); n == 0 || n > len("… on Windows Phone")+50 {
			t.Errorf("%q has %d characters", got, n)
		}
		if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q is not printable", got)
		}
		if strings.TrimSpace(got) != got || !strings.ContainsFunc(got, unicode.IsLetter) {
			t.Errorf("%q is nothing to read", got)
		}
	})
}
