// Package blob says what an object store is. Package disk keeps objects in a
// folder, package kodo in a bucket of Qiniu Kodo; package blobtest is the suite
// that both pass.
package blob

import (
	"context"
	"io"
)

// Store keeps immutable objects under keys that the caller chooses and never
// uses twice. It is safe for concurrent use.
//
// A key is one or more segments of a-z, 0-9, "-" and "." with "/" between them,
// at most [MaxKeyLen] bytes in all; no segment is empty or begins with a dot.
// Put, Open and Delete refuse any other key by [CheckKey]. A key must not be the
// folder of another: "a" beside "a/b" may be refused.
type Store interface {
	// Put stores data under key. When it returns nil the object is complete,
	// durable and served at URL(key) with this media type. When it fails,
	// nothing half-written is ever served; whether the object exists is then
	// unknown, so the caller has it deleted. A key that is in use is an error and
	// its object stays as it was; only the very bytes that are there already
	// may be accepted again. A store may refuse a media type that it can't
	// serve, or that doesn't fit the key's extension or the data.
	Put(ctx context.Context, key, mediaType string, data []byte) error

	// Open returns the object's content, for the caller to close. That there is no
	// such object is an error that matches fs.ErrNotExist. What is read up to io.EOF
	// is whole: a store that sends no more ends the reading with another error, and so
	// may the end of ctx. Where a cache stands before the store, an object may be read
	// for some time after it was deleted.
	Open(ctx context.Context, key string) (io.ReadCloser, error)

	// Delete removes the object and whatever a Put of it that was cut off has left.
	// One that does not exist is no error. A Put of the key that is still under way
	// may fail, or come after it.
	Delete(ctx context.Context, key string) error

	// URL is the object's absolute public address: the store's public domain
	// and the key, signed where the store is private. It does not ask whether
	// the object exists.
	URL(key string) string
}
