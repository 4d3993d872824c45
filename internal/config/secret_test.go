package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestASecretComesFromItsVariableOrItsFile(t *testing.T) {
	file := func(content string) string {
		name := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for _, tt := range []struct {
		name string
		env  map[string]string
		want [2]string
	}{
		{"none", nil, [2]string{}},
		{"variables", map[string]string{"NAMEPLATE_KODO_ACCESS_KEY": "a", "NAMEPLATE_KODO_SECRET_KEY": "hunter2"}, [2]string{"a", "hunter2"}},
		{"files", map[string]string{"NAMEPLATE_KODO_ACCESS_KEY_FILE": file("a"), "NAMEPLATE_KODO_SECRET_KEY_FILE": file(" hunter2\r\n")}, [2]string{"a", "hunter2"}},
		{"variable and an empty file variable", map[string]string{"NAMEPLATE_KODO_ACCESS_KEY": "a", "NAMEPLATE_KODO_ACCESS_KEY_FILE": ""}, [2]string{"a"}},
		{"file and an empty variable", map[string]string{"NAMEPLATE_KODO_SECRET_KEY": "", "NAMEPLATE_KODO_SECRET_KEY_FILE": file("hunter2")}, [2]string{"", "hunter2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			config := mustParse(t, nil, tt.env)
			if got := [2]string{config.KodoAccessKey.Reveal(), config.KodoSecretKey.Reveal()}; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestASecretThatIsSetTwiceOrCannotBeReadIsRefused(t *testing.T) {
	for _, name := range secrets {
		err := parseError(t, nil, map[string]string{name: "hunter2", name + "_FILE": "hunter2.txt"})
		if err == nil || !strings.Contains(err.Error(), name+" and "+name+"_FILE") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("both set: %v", err)
		}
		missing := filepath.Join(t.TempDir(), "missing")
		err = parseError(t, nil, map[string]string{name + "_FILE": missing})
		if err == nil || !strings.Contains(err.Error(), name+"_FILE") || !strings.Contains(err.Error(), missing) {
			t.Errorf("missing file: %v", err)
		}
	}
}

// Command lines can be read by other users of a machine.
func TestASecretHasNoFlag(t *testing.T) {
	for _, name := range secrets {
		flag := flagOf(strings.TrimPrefix(name, "NAMEPLATE_"))
		for _, args := range [][]string{{flag + "=hunter2"}, {flag, "hunter2"}} {
			err := parseError(t, args, nil)
			if err == nil || !strings.Contains(err.Error(), flag) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q: %v", args, err)
			}
		}
	}
}

func TestASecretIsNotPrinted(t *testing.T) {
	config := mustParse(t, nil, map[string]string{"NAMEPLATE_KODO_ACCESS_KEY": "hunter2", "NAMEPLATE_KODO_SECRET_KEY": "hunter2"})
	secret := config.KodoSecretKey
	var printed []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%d", "%s", "%q", "%x", "%X", "%10.3s", "%t", "%z"} {
		printed = append(printed, fmt.Sprintf(verb, secret), fmt.Sprintf(verb, &secret), fmt.Sprintf(verb, *config), fmt.Sprintf(verb, config),
			fmt.Sprintf(verb, []Secret{secret}), fmt.Sprintf(verb, map[string]any{"key": secret}))
	}
	asJSON, err := json.Marshal([]any{config, secret, &secret})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		slog.New(handler).Info("x", "secret", secret, "config", config, "value", *config, slog.Group("g", "secret", &secret))
	}
	printed = append(printed, string(asJSON), b.String(), fmt.Sprint(secret), fmt.Errorf("%w: %v", os.ErrInvalid, secret).Error(), secret.String())
	for _, text := range printed {
		// 68756e74657232 is its hexadecimal.
		if strings.Contains(text, "hunter2") || strings.Contains(strings.ToLower(text), "68756e74657232") {
			t.Errorf("printed: %s", text)
		}
	}
	if !strings.Contains(printed[0], redacted) || !strings.Contains(b.String(), redacted) {
		t.Errorf("not marked as redacted: %s, %s", printed[0], &b)
	}
}
