// Command newmigration writes a migration file with what ent/schema has and the
// migrations so far don't:
//
//	go run ./internal/database/newmigration NAME
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"ariga.io/atlas/sql/migrate"
	_ "ariga.io/atlas/sql/sqlite" // how atlas reads a SQLite database
	"ariga.io/atlas/sql/sqltool"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql/schema"
	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3"

	entmigrate "nameplate/ent/migrate"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: newmigration NAME")
		os.Exit(2)
	}
	if err := diff(context.Background(), "internal/database/migrations/sqlite", os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "newmigration:", err)
		os.Exit(1)
	}
}

// diff replays the migrations of the folder into an empty database and writes
// what is missing there into a new one. There is nothing to write when it
// returns an error that wraps migrate.ErrNoPlan.
func diff(ctx context.Context, folder, name string) error {
	dir, err := sqltool.NewGooseDir(folder)
	if err != nil {
		return err
	}
	err = entmigrate.NamedDiff(ctx, "sqlite://empty?mode=memory&_fk=1", name,
		schema.WithDir(dir),
		schema.WithMigrationMode(schema.ModeReplay),
		schema.WithDialect(dialect.SQLite),
		schema.WithFormatter(sqltool.GooseFormatter),
		schema.WithErrNoPlan(true),
		schema.WithDropColumn(true),
		schema.WithDropIndex(true),
	)
	if errors.Is(err, migrate.ErrNoPlan) {
		return fmt.Errorf("ent/schema has nothing that the migrations lack: %w", err)
	}
	return err
}
