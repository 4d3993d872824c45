package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"

	"nameplate/ent"
	"nameplate/internal/account"
	"nameplate/internal/config"
	"nameplate/internal/database"
)

// openUsedDatabase opens the database of a server for a command beside it. It must be
// there already, in one that is made by mistake there is nobody; and it isn't migrated, since
// an older server may be at work on it.
func openUsedDatabase(ctx context.Context, conf *config.Config) (*ent.Client, error) {
	if _, err := os.Stat(conf.DatabaseURL); err != nil {
		return nil, fmt.Errorf("the database: %w; NAMEPLATE_DATA and NAMEPLATE_DATABASE_URL must be those of the server", err)
	}
	return database.OpenUsed(ctx, conf.DatabaseURL)
}

// resetPassword makes a link for a user who has neither the password nor a recovery code
// any more, or the code alone where no page of ours can take it. In the link it is behind
// the #, which browsers send to no server.
func resetPassword(ctx context.Context, conf *config.Config, stdout io.Writer) (err error) {
	if _, port, _ := net.SplitHostPort(conf.Addr); port == "0" && conf.PublicURL == "" && conf.Web.On() {
		return errors.New("NAMEPLATE_PUBLIC_URL must be set: the link needs it, since NAMEPLATE_ADDR leaves the port open")
	}
	db, err := openUsedDatabase(ctx, conf)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	accounts := account.New(account.Options{DB: db, Hashes: 1, Now: now})
	user, code, expires, err := accounts.ResetCode(ctx, conf.UserName)
	if err != nil {
		return err
	}
	until := expires.Format("2006-01-02 15:04 UTC")
	if !conf.Web.On() {
		_, err = fmt.Fprintf(stdout, "%s can set a new password once, until %s, by this code:\n%s\n"+
			"Whoever has it can: give it to nobody else. NAMEPLATE_WEB is off, so there is no link: "+
			"the application's own page must send the code, by the mutation resetPassword.\n",
			user.Name, until, code)
		return err
	}
	link := publicURL(conf, conf.Addr) + resetPath + "#" + url.Values{"name": {user.Name}, "code": {code}}.Encode()
	_, err = fmt.Fprintf(stdout, "%s can set a new password once, until %s, by this link:\n%s\n"+
		"Whoever has it can: give it to nobody else. The mutation resetPassword takes its code too: %s\n",
		user.Name, until, link, code)
	return err
}
