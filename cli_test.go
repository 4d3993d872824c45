package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestCommandLine(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script"})
}
