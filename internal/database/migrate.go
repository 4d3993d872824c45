package database

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// Versioned SQL files, made from ent/schema by `make migration NAME=…`. Once
// released, a file is never changed.
//
//go:embed migrations
var migrations embed.FS

func migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		return err
	}
	current, err := provider.GetDBVersion(ctx)
	if err != nil {
		return err
	}
	sources := provider.ListSources()
	newest := sources[len(sources)-1].Version
	if current > newest {
		return fmt.Errorf("its tables are of version %d and this binary knows only %d: "+
			"it was used by a newer nameplate; run that one, or restore the backup made before the upgrade",
			current, newest)
	}
	_, err = provider.Up(ctx)
	return err
}
