// Package database opens the database and brings its tables up to date.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	sqlite3 "github.com/mattn/go-sqlite3"

	"nameplate/ent"
	"nameplate/internal/fault"
)

// Open opens the SQLite database in the file at path, making it when it doesn't
// exist, and applies the migrations that it lacks. It refuses a database that a
// newer binary has migrated.
//
// Every commit is on the disk before it is acknowledged (WAL with
// synchronous=FULL). There is one writing connection, because SQLite has one
// writer and waiting for it in Go is fair where waiting in SQLite is not, and a
// pool of reading ones, which a write never blocks.
func Open(ctx context.Context, path string) (*ent.Client, error) {
	return newClient(open(ctx, path, migrate))
}

// OpenUsed is Open for who comes beside a server: it refuses a database that lacks
// migrations too, rather than change the tables under an older server.
func OpenUsed(ctx context.Context, path string) (*ent.Client, error) {
	return newClient(open(ctx, path, requireMigrated))
}

func newClient(d *driver, err error) (*ent.Client, error) {
	if err != nil {
		return nil, err
	}
	return ent.NewClient(ent.Driver(d)), nil
}

func open(ctx context.Context, path string, migrate func(context.Context, *sql.DB) error) (*driver, error) {
	// Absolute, so that SQLite takes no path for something else: "//a/b" for a
	// host, ":memory:" or an empty one for a database that is gone at the end.
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// SQLite would make it as readable as the umask lets it; its other files follow.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	writer, err := sql.Open("sqlite3", dsn(path, "_txlock=immediate"))
	if err != nil {
		return nil, err
	}
	writer.SetMaxOpenConns(1)
	if err := migrateAlone(ctx, writer, path, migrate); err != nil {
		return nil, errors.Join(fmt.Errorf("database %s: %w", path, err), writer.Close())
	}
	// Opened after the migration, so that the file is there and in WAL mode.
	reader, err := sql.Open("sqlite3", dsn(path, "_query_only=true"))
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	readers := max(4, runtime.GOMAXPROCS(0))
	reader.SetMaxOpenConns(readers)
	reader.SetMaxIdleConns(readers)
	return &driver{
		Driver: entsql.OpenDB(dialect.SQLite, writer),
		reader: entsql.OpenDB(dialect.SQLite, reader),
	}, nil
}

// dsn is documented at https://github.com/mattn/go-sqlite3#connection-string.
// The statement cache halves the cost of a read through ent. What is deleted is overwritten,
// since a person who leaves wants it gone.
func dsn(path, mode string) string {
	// The path is escaped: "?" or "%" in a folder's name would else be read as
	// the beginning of the parameters.
	return "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_journal_mode=WAL&_synchronous=FULL&_foreign_keys=true&_busy_timeout=5000" +
		"&_secure_delete=true&_stmt_cache_size=64&" + mode
}

// driver sends SELECT statements to the readers and everything else, INSERT …
// RETURNING included, to the writer. A transaction stands wholly on the writer.
type driver struct {
	*entsql.Driver
	reader *entsql.Driver
}

func (d *driver) Query(ctx context.Context, query string, args, v any) error {
	if strings.HasPrefix(query, "SELECT") {
		return busy(d.reader.Query(ctx, query, args, v))
	}
	return busy(d.Driver.Query(ctx, query, args, v))
}

func (d *driver) Exec(ctx context.Context, query string, args, v any) error {
	return busy(d.Driver.Exec(ctx, query, args, v))
}

func (d *driver) Tx(ctx context.Context) (dialect.Tx, error) {
	tx, err := d.Driver.Tx(ctx)
	if err != nil {
		return nil, busy(err)
	}
	return transaction{tx}, nil
}

type transaction struct{ dialect.Tx }

func (t transaction) Query(ctx context.Context, query string, args, v any) error {
	return busy(t.Tx.Query(ctx, query, args, v))
}

func (t transaction) Exec(ctx context.Context, query string, args, v any) error {
	return busy(t.Tx.Exec(ctx, query, args, v))
}

func (t transaction) Commit() error { return busy(t.Tx.Commit()) }

// busy says of a database on which another process has had a lock for too long, or
// whose disk is full, that it is unavailable.
func busy(err error) error {
	e, ok := errors.AsType[sqlite3.Error](err)
	if ok && slices.Contains([]sqlite3.ErrNo{sqlite3.ErrBusy, sqlite3.ErrLocked, sqlite3.ErrFull}, e.Code) {
		return &fault.Unavailable{RetryAfter: time.Second, Err: err}
	}
	return err
}

// closeWithin bounds how long the last statements are waited for.
const closeWithin = 5 * time.Second

// Close folds the write-ahead log into the database and closes both. It waits for
// the transaction of a caller who has given up, which database/sql undoes behind
// that caller's back.
func (d *driver) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	// SQLite folds the log by itself when the last connection closes, but not on one
	// that an interrupt has reached after its statement: that is cleared by the next.
	_, err := d.DB().ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return errors.Join(err, d.reader.Close(), d.Driver.Close())
}
