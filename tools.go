//go:build tools

// Package main keeps the code generators among the module's dependencies, so
// that their versions are pinned by go.mod. It is never built: the tag is never
// given.
package main

import (
	_ "entgo.io/ent/cmd/ent"
	_ "github.com/99designs/gqlgen"
)
