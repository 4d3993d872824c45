package database

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"
)

// Versioned SQL files, made from ent/schema by `make migration NAME=…`. Once
// released, a file is never changed.
//
//go:embed migrations
var migrations embed.FS

// lockPoll is how often a process that waits for another's migration looks again.
const lockPoll = 20 * time.Millisecond

// migrateAlone migrates while no other process does: of two that start at once
// on a new database, the second would else run into the tables of the first. The
// lock is on a file of its own, which stays: SQLite has locks on the database's
// file that the process would lose by closing it here.
func migrateAlone(ctx context.Context, db *sql.DB, path string, migrate func(context.Context, *sql.DB) error) error {
	lock := flock.New(path + ".lock")
	if _, err := lock.TryLockContext(ctx, lockPoll); err != nil {
		return fmt.Errorf("lock %s: %w", lock.Path(), err)
	}
	return errors.Join(migrate(ctx, db), lock.Unlock())
}

// migrate applies the migrations that the database lacks.
func migrate(ctx context.Context, db *sql.DB) error {
	provider, _, err := compare(ctx, db)
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

// requireMigrated is an error if the database lacks any.
func requireMigrated(ctx context.Context, db *sql.DB) error {
	_, lacking, err := compare(ctx, db)
	if err == nil && lacking {
		return errors.New("its tables are of an older version: start the server of this version first")
	}
	return err
}

// compare refuses a database that a newer binary has migrated, and says whether one lacks
// migrations.
func compare(ctx context.Context, db *sql.DB) (provider *goose.Provider, lacking bool, err error) {
	files, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return nil, false, err
	}
	provider, err = goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		return nil, false, err
	}
	current, err := provider.GetDBVersion(ctx)
	if err != nil {
		return nil, false, err
	}
	sources := provider.ListSources()
	newest := sources[len(sources)-1].Version
	if current > newest {
		return nil, false, fmt.Errorf("its tables are of version %d and this binary knows only %d: "+
			"it was used by a newer nameplate; run that one, or restore the backup made before the upgrade",
			current, newest)
	}
	return provider, current < newest, nil
}
