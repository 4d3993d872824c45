// Package blob says what an object store is. Package disk keeps objects in a
// folder, package kodo in a bucket of Qiniu Kodo; package blobtest is the suite
// that both pass.
package blob

import "context"

// Store keeps immutable objects under keys that the caller chooses and never
// uses twice. It is safe for concurrent use.
//
// A key is one or more segments of a-z, 0-9, "-" and "." with "/" between them;
// no segment is empty or begins with a dot. Every method that can fail refuses
// any other key.
type Store interface {
	// Put stores data under key. When it returns nil the object is complete,
	// durable and served at URL(key) with this media type. When it fails,
	// nothing half-written is ever served; whether the object exists is then
	// unknown, so the caller deletes it. A key that is in use is an error and
	// its object stays as it was.
	Put(ctx context.Context, key, mediaType string, data []byte) error

	// Delete removes the object. One that does not exist is no error.
	Delete(ctx context.Context, key string) error

	// URL is the object's absolute public address: the store's public domain
	// and the key. It does not ask whether the object exists.
	URL(key string) string
}
