package main

import (
	"errors"
	"io/fs"
	"net/http"
	"strings"

	"nameplate/internal/blob/kodo"
)

// kodoNoSuchBucket is a status of Kodo's own.
const kodoNoSuchBucket = 631

// storeHint says what to change when the store itself refuses.
func (c *storageCheck) storeHint(err error) string {
	if c.conf.Storage.Kodo == nil {
		return "This user must be able to write to the folder, on a file system with hard links and some space left."
	}
	answer, ok := errors.AsType[*kodo.AnswerError](err)
	switch {
	case !ok:
		return "Kodo was not reached: look at region= (or endpoint=) in NAMEPLATE_STORAGE_URL, at DNS and at the firewall."
	case answer.Status == http.StatusUnauthorized:
		return "The key pair is wrong: NAMEPLATE_KODO_ACCESS_KEY and NAMEPLATE_KODO_SECRET_KEY must be one pair, as the " +
			"console's key management shows it, and enabled; and this machine's clock must be right."
	case answer.Status == kodoNoSuchBucket:
		return "The key pair's account has no such bucket: look at the name behind kodo:// in NAMEPLATE_STORAGE_URL."
	case answer.Status == http.StatusForbidden:
		return "The key pair may not do that in this bucket: look at the name behind kodo:// in NAMEPLATE_STORAGE_URL, " +
			"and at the rights of the key pair, which must be able to upload and to delete."
	case strings.Contains(answer.Text, "region"):
		return "The bucket is in another region: change region= in NAMEPLATE_STORAGE_URL to the one that the console shows."
	}
	return "Kodo refuses, or is in trouble. Try again later, and then look at the bucket in the console."
}

// publicHint says what to change when the public address doesn't answer as it must.
func (c *storageCheck) publicHint(err error) string {
	if c.conf.Storage.Kodo == nil {
		return c.folderHint(err)
	}
	answer, ok := errors.AsType[*kodo.AnswerError](err)
	private := c.conf.Storage.Kodo.Private
	switch {
	case errors.Is(err, fs.ErrNotExist) || ok && answer.Status == http.StatusNotFound:
		return "The domain does not serve this bucket: bind it to the bucket in the console, or change domain= in NAMEPLATE_STORAGE_URL."
	case ok && refused(answer) && private:
		return "The domain refuses the signature: this machine's clock must be right, and the CDN must have no signatures of its own."
	case ok && refused(answer):
		return "The bucket is private: add private=true to NAMEPLATE_STORAGE_URL, or make it public in the console."
	case ok && answer.Status/100 == 3:
		return "The domain leads elsewhere: give the address that answers itself, with https:// or http://, as domain= in NAMEPLATE_STORAGE_URL."
	case ok:
		return "The domain, or the CDN before it, is in trouble. Try again later, and then look at the domain in the console."
	case err == nil:
		return "Something else answers at the domain: look at domain= in NAMEPLATE_STORAGE_URL and at the CDN's settings."
	}
	return "The domain can't be reached: look at domain= in NAMEPLATE_STORAGE_URL, with http:// in front where it has no certificate, " +
		"at the domain's CNAME record, and whether it is bound to the bucket in the console."
}

func refused(answer *kodo.AnswerError) bool {
	return answer.Status == http.StatusUnauthorized || answer.Status == http.StatusForbidden
}

// folderHint is for a folder, which the running server serves.
func (c *storageCheck) folderHint(err error) string {
	if _, ok := errors.AsType[*kodo.AnswerError](err); ok || err == nil {
		return "Something else answers there, or a server with another folder: NAMEPLATE_DATA, NAMEPLATE_STORAGE_URL and " +
			"NAMEPLATE_PUBLIC_URL must be those of the server, and a proxy must pass " + mediaPath + "/ on to it."
	}
	return "No server answers there: start it, or set NAMEPLATE_PUBLIC_URL to where browsers reach it."
}
