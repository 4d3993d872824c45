// Package ent is generated from the tables in ent/schema and the templates in
// ent/template; `go generate ./ent` makes it.
package ent

//go:generate go tool ent generate --feature sql/versioned-migration --template ./template ./schema
