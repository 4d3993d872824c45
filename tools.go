//go:build tools

// The code generators, for tools that don't know go.mod's tool directive, by which
// `go tool` runs them. It is never built: the tag is never given.
package main

import (
	_ "entgo.io/ent/cmd/ent"
	_ "github.com/99designs/gqlgen"
)
