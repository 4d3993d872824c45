package main

import (
	"context"
	"io"
	"log/slog"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"nameplate/internal/config"
	"nameplate/internal/database"
)

func TestCommandLine(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:  "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"signup": signUp},
	})
}

// signUp is the scripts' command "signup NAME": it leaves what a server has made for
// that user.
func signUp(ts *testscript.TestScript, _ bool, args []string) {
	conf, _, err := config.Parse([]string{"--data=" + ts.MkAbs("data")}, ts.Getenv, io.Discard, io.Discard)
	ts.Check(err)
	db, err := database.Open(context.Background(), conf.DatabaseURL)
	ts.Check(err)
	defer db.Close()
	s := build(conf, slog.New(slog.DiscardHandler), "http://localhost", db, nil, nil)
	_, _, err = s.accounts.SignUp(context.Background(), args[0], password)
	ts.Check(err)
}
