package config

import (
	"strings"
	"testing"
)

func TestTheCommandsOfTheStorageTakeTheSettingsOfServe(t *testing.T) {
	for _, command := range []Command{StorageCheck, StorageSweep} {
		subcommand := strings.TrimPrefix(string(command), "storage ")
		for _, s := range settings {
			want := defaults()
			s.change(want)
			for _, tt := range []struct {
				args []string
				env  map[string]string
			}{
				{[]string{"storage", subcommand, flagOf(s.name), s.value}, nil},
				{[]string{"storage", flagOf(s.name) + "=" + s.value, subcommand}, nil},
				{[]string{"storage", subcommand}, map[string]string{"NAMEPLATE_" + s.name: s.value}},
			} {
				got, gotCommand, err := parse(t, tt.args, tt.env)
				if err != nil || gotCommand != command {
					t.Fatalf("%q: command %q, %v", tt.args, gotCommand, err)
				}
				if d := diff(want, got); d != "" {
					t.Errorf("%q %v:\n%s", tt.args, tt.env, d)
				}
			}
		}
		for _, args := range [][]string{{"storage"}, {"storage", "bogus"}, {"storage", subcommand, "bogus"}, {"storage", subcommand, "--max-depth=0"}} {
			if err := parseError(t, args, nil); err == nil {
				t.Errorf("%q is accepted", args)
			}
		}
	}
}
