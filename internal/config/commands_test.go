package config

import (
	"bytes"
	"slices"
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

func TestTheCommandThatResetsAPasswordTakesANameAndTheSettingsOfServe(t *testing.T) {
	for i, s := range settings {
		want := defaults()
		s.change(want)
		want.UserName = "Alice"
		args, env := []string{"user", "reset-password", "Alice"}, map[string]string{}
		switch i % 4 { // each takes its time
		case 0:
			args = append(args, flagOf(s.name), s.value)
		case 1:
			args = slices.Insert(args, 1, flagOf(s.name)+"="+s.value)
		case 2:
			args = slices.Insert(args, 2, flagOf(s.name)+"="+s.value)
		case 3:
			env["NAMEPLATE_"+s.name] = s.value
		}
		got, command, err := parse(t, args, env)
		if err != nil || command != UserResetPassword {
			t.Fatalf("%q: command %q, %v", args, command, err)
		}
		if d := diff(want, got); d != "" {
			t.Errorf("%q %v:\n%s", args, env, d)
		}
	}
}

func TestAnyNameIsThatOfAUser(t *testing.T) {
	for _, name := range []string{"Alice", "名刺", "a b", "serve", "reset-password", " <name>", "a,b", "a=b", "$HOME", "@x", "ÅSA"} {
		config, command, err := parse(t, []string{"user", "reset-password", name}, nil)
		if err != nil || command != UserResetPassword || config.UserName != name {
			t.Errorf("%q: %v, %q, %v", name, config, command, err)
		}
	}
	for _, name := range []string{"-x", "--addr", "--"} {
		config, command, err := parse(t, []string{"user", "reset-password", "--", name}, nil)
		if err != nil || command != UserResetPassword || config.UserName != name {
			t.Errorf("%q: %v, %q, %v", name, config, command, err)
		}
	}
}

func TestACommandOfAUserWithoutANameOrWithTwoIsRefused(t *testing.T) {
	for _, args := range [][]string{
		{"user"},
		{"user", "bogus"},
		{"user", "reset-password"},
		{"user", "reset-password", "a", "b"},
		{"user", "Alice"},
		{"user", "reset-password", "--bogus", "a"},
		{"user", "reset-password", "a", "--max-depth=0"},
		{"user", "reset-password", "a", "--session-idle=1s"},
	} {
		if err := parseError(t, args, nil); err == nil {
			t.Errorf("%q is accepted", args)
		}
	}
}

func TestTheCommandsOfAUserAreInTheHelp(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"user", "--help"}, {"user", "reset-password", "--help"}} {
		var stdout, stderr bytes.Buffer
		config, command, err := Parse(args, getenv(nil), &stdout, &stderr)
		if config != nil || command != None || err != nil || stderr.Len() != 0 || !strings.Contains(stdout.String(), "reset-password <name>") {
			t.Errorf("%q: %v, %q, %v, stdout %q, stderr %q", args, config, command, err, &stdout, &stderr)
		}
	}
}
