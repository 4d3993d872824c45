package config

import (
	"strings"
	"testing"
)

func TestDurationsAndLengthsHaveBounds(t *testing.T) {
	for name, tt := range map[string]struct {
		good []string
		bad  map[string]string // and the bound that is told
	}{
		"NAME_HOLD":   {[]string{"0", "0s", "1ns", "1s", "87600h"}, map[string]string{"-1ns": "at least 0s", "-1s": "at least 0s"}},
		"KEEP_EVENTS": {[]string{"1h", "1h0m1s", "87600h"}, map[string]string{"59m59s": "at least 1h0m0s", "0": "at least 1h0m0s"}},
		"SESSION_IDLE": {
			[]string{"5m", "5m1s", "87600h"},
			map[string]string{"4m59s": "at least 5m0s", "-5m": "at least 5m0s"},
		},
		"SESSION_ABSOLUTE": {
			[]string{"5m", "5m1s", "9599h59m59s", "9600h"},
			map[string]string{"4m59s": "at least 5m0s", "9600h0m1s": "at most 9600h0m0s"},
		},
		"MIN_PASSWORD_LENGTH": {
			[]string{"1", "8", "255", "256"}, // the other's default
			map[string]string{"0": "from 1 to", "257": "257 and NAMEPLATE_MAX_PASSWORD_LENGTH 256"},
		},
		"MAX_PASSWORD_LENGTH": {
			[]string{"8", "9", "4095", "4096"},
			map[string]string{"7": "NAMEPLATE_MIN_PASSWORD_LENGTH is 8", "4097": "at most 4096"},
		},
	} {
		for _, value := range tt.good {
			if err := parseError(t, []string{flagOf(name) + "=" + value}, nil); err != nil {
				t.Errorf("%s=%s: %v", name, value, err)
			}
		}
		for value, bound := range tt.bad {
			err := parseError(t, []string{flagOf(name) + "=" + value}, nil)
			if err == nil || !strings.Contains(err.Error(), "NAMEPLATE_"+name) || !strings.Contains(err.Error(), bound) {
				t.Errorf("%s=%s: %v, want %q", name, value, err, bound)
			}
		}
	}
}

func TestTheLeastLengthOfAPasswordMayBeTheMost(t *testing.T) {
	for _, tt := range []struct {
		least, most string
		good        bool
	}{
		{"1", "1", true},
		{"4096", "4096", true},
		{"4096", "4095", false},
		{"2", "1", false},
		{"4097", "4097", false},
	} {
		err := parseError(t, []string{"--min-password-length=" + tt.least, "--max-password-length=" + tt.most}, nil)
		if (err == nil) != tt.good {
			t.Errorf("%s and %s: %v", tt.least, tt.most, err)
		}
	}
}

// It lives no longer than Absolute in any case.
func TestIdleMayBeLongerThanAbsolute(t *testing.T) {
	if err := parseError(t, []string{"--session-idle=24h", "--session-absolute=5m"}, nil); err != nil {
		t.Error(err)
	}
}
