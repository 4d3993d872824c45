package database

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/pressly/goose/v3"
)

// Versioned SQL files, made from ent/schema by `make migration NAME=…`. Once
// released, a file is never changed.
//
//go:embed migrations
var migrations embed.FS

// migrateAlone migrates while no other process does: of two that start at once
// on a new database, the second would else run into the tables of the first. The
// lock is on the folder. The file's own won't do: SQLite has locks on it that
// the process would lose by closing it here.
func migrateAlone(ctx context.Context, db *sql.DB, folder string) error {
	dir, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer dir.Close() // which unlocks
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock the folder %s: %w", folder, err)
	}
	return migrate(ctx, db)
}

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
