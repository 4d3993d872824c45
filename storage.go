package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"nameplate/internal/blob"
	"nameplate/internal/config"
	"nameplate/internal/profile"
)

// openUsedStore opens the store of a server for a command beside it. A folder must
// be there already: in one that is made by mistake there is nothing to check, and
// whatever a sweep looks for there is gone.
func openUsedStore(conf *config.Config) (blob.Store, error) {
	if conf.Storage.Kodo == nil {
		if _, err := os.Stat(conf.Storage.Folder); err != nil {
			return nil, fmt.Errorf("the folder of pictures: %w; NAMEPLATE_DATA and NAMEPLATE_STORAGE_URL "+
				"must be those of the server, which makes it when it starts", err)
		}
	}
	store, _, err := openStore(conf, publicURL(conf, conf.Addr))
	return store, err
}

// describeStorage names the store that a command is about.
func describeStorage(conf *config.Config) string {
	k := conf.Storage.Kodo
	if k == nil {
		return "the folder " + conf.Storage.Folder
	}
	text := "bucket " + k.Bucket + " of Qiniu Kodo"
	if k.Private {
		text += ", private"
	}
	return text
}

// sweepStorage does what the server does every minute, once.
func sweepStorage(ctx context.Context, conf *config.Config, stdout io.Writer) (err error) {
	db, err := openUsedDatabase(ctx, conf)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	store, err := openUsedStore(conf)
	if err != nil {
		return err
	}
	profiles := &profile.Service{DB: db, Store: store, SweepAfter: conf.SweepAfter, Now: now}
	swept, err := profiles.SweepOnce(ctx)
	if err != nil {
		return err
	}
	if swept.Failure != nil {
		err = fmt.Errorf("%d pictures' objects could not be deleted, the first: %w", swept.Failed, swept.Failure)
	}
	_, printErr := fmt.Fprintf(stdout, "in %s: deleted %d, failed %d, left for later %d\n",
		describeStorage(conf), swept.Deleted, swept.Failed, swept.Left)
	return errors.Join(err, printErr)
}
