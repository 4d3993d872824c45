// Package kodo keeps objects in a bucket of Qiniu Kodo.
package kodo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/qiniu/go-sdk/v7/client"
	"github.com/qiniu/go-sdk/v7/storagev2/credentials"
	"github.com/qiniu/go-sdk/v7/storagev2/http_client"
	"github.com/qiniu/go-sdk/v7/storagev2/objects"
	"github.com/qiniu/go-sdk/v7/storagev2/resolver"
	"github.com/qiniu/go-sdk/v7/storagev2/retrier"
	"github.com/qiniu/go-sdk/v7/storagev2/uploader"
	"github.com/qiniu/go-sdk/v7/storagev2/uplog"
	"github.com/qiniu/go-sdk/v7/storagev2/uptoken"

	"nameplate/internal/blob"
)

const (
	// putTimeout and deleteTimeout bound a call whose context has no deadline.
	putTimeout    = 20 * time.Second
	deleteTimeout = 10 * time.Second
	// tokenLife is how long an upload token is valid: an upload, and some
	// difference between the clocks.
	tokenLife = 5 * time.Minute
	// urlPeriod is how long the signed URL of an object stays the same.
	urlPeriod = time.Hour
	// statusNoSuchObject is Kodo's answer to deleting what is not there.
	statusNoSuchObject = 612
	// stallTimeout is how long an object that is read may send nothing.
	stallTimeout = 15 * time.Second
	// maxAnswer is how much of Kodo's explanation an error repeats, in bytes.
	maxAnswer = 200
)

// Store is a [blob.Store] in a bucket of Kodo.
//
// A private bucket's URLs are signed and valid for one to two hours: within one
// hour of the clock an object has one URL, which browsers can cache.
//
// Every upload is one form request, however large; for the pictures kept here,
// well below Kodo's bounds, there is nothing to gain from sending parts.
type Store struct {
	bucket      string
	domain      string
	private     bool
	credentials *credentials.Credentials
	sender      *sender
	uploader    uploader.Uploader
	objects     *objects.Bucket
}

var _ blob.Store = (*Store)(nil)

// disableUplog stops the SDK's reports about its requests, which it writes to
// the temporary folder and sends elsewhere. The switch is the SDK's own and
// unsynchronised, so it is thrown once, before the first request.
var disableUplog = sync.OnceFunc(uplog.DisableUplog)

// Open returns the store that c describes. It sends no request.
func Open(c Config) (*Store, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	domain, err := c.domain()
	if err != nil {
		return nil, err
	}
	regions, err := c.region()
	if err != nil {
		return nil, err
	}
	disableUplog()
	keys := credentials.NewCredentials(c.AccessKey, c.SecretKey)
	sender := newSender()
	options := http_client.Options{
		BasicHTTPClient: sender,
		Credentials:     keys,
		Regions:         regions,
		// The transport resolves names itself. The SDK's own resolver would
		// write what it learns to the temporary folder.
		Resolver:         resolver.NewEmptyResolver(),
		HostRetryConfig:  retries(),
		HostsRetryConfig: retries(),
	}
	manager := objects.NewObjectsManager(&objects.ObjectsManagerOptions{Options: options})
	return &Store{
		bucket:      c.Bucket,
		domain:      domain,
		private:     c.Private,
		credentials: keys,
		sender:      sender,
		uploader:    uploader.NewFormUploader(&uploader.FormUploaderOptions{Options: options}),
		objects:     manager.Bucket(c.Bucket),
	}, nil
}

// Put implements [blob.Store]. Kodo looks at the content and refuses data that
// is not of the media type.
//
// The SDK repeats an upload that failed on the way. Kodo takes the very bytes
// it has already as success, so an upload whose answer was lost is repeated
// without harm; "file exists" (614) therefore always means other bytes, and is
// an error.
func (s *Store) Put(ctx context.Context, key, mediaType string, data []byte) error {
	if err := blob.CheckKey(key); err != nil {
		return err
	}
	if len(data) == 0 {
		return fmt.Errorf("kodo: put %s: data is empty", key) // and a size limit of 0 is none
	}
	ctx, cancel := withDeadline(ctx, putTimeout)
	defer cancel()
	if err := s.upload(ctx, key, mediaType, data); err != nil {
		return fmt.Errorf("kodo: put %s: %w", key, s.explain(err))
	}
	return nil
}

// upload sends data with a token that allows this upload and no other.
func (s *Store) upload(ctx context.Context, key, mediaType string, data []byte) error {
	policy, err := uptoken.NewPutPolicyWithKey(s.bucket, key, time.Now().Add(tokenLife))
	if err != nil {
		return err
	}
	policy.SetInsertOnly(1).SetFsizeLimit(int64(len(data))).SetMimeLimit(mediaType)
	return s.uploader.UploadReader(ctx, bytes.NewReader(data), &uploader.ObjectOptions{
		BucketName:  s.bucket,
		ObjectName:  &key,
		FileName:    path.Base(key),
		ContentType: mediaType,
		UpToken:     uptoken.NewSigner(policy, s.credentials),
		// Kodo sends metadata whose name begins with "!" as a header.
		Metadata: map[string]string{"!Cache-Control": "public, max-age=31536000, immutable"},
	}, nil)
}

// Delete implements [blob.Store].
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := blob.CheckKey(key); err != nil {
		return err
	}
	ctx, cancel := withDeadline(ctx, deleteTimeout)
	defer cancel()
	err := s.objects.Object(key).Delete().Call(ctx)
	var answer *client.ErrorInfo
	if err == nil || errors.As(err, &answer) && answer.Code == statusNoSuchObject {
		return nil
	}
	return fmt.Errorf("kodo: delete %s: %w", key, s.explain(err))
}

// URL implements [blob.Store].
func (s *Store) URL(key string) string {
	address := s.domain + "/" + key
	if !s.private {
		return address
	}
	expiry := time.Now().Truncate(urlPeriod).Add(2 * urlPeriod)
	address = fmt.Sprintf("%s?e=%d", address, expiry.Unix())
	return address + "&token=" + s.credentials.Sign([]byte(address))
}

// AnswerError is an answer that is no success: of Kodo, or of the bucket's domain.
type AnswerError struct {
	// Status is of HTTP or Kodo's own, such as 631 for a bucket that is not there.
	Status int
	// Text is Kodo's explanation ("incorrect region, please use ...") or, where that
	// is empty or repeats a token, the name of the status.
	Text string
}

// Error implements error.
func (e *AnswerError) Error() string { return fmt.Sprintf("answer %d %q", e.Status, e.Text) }

// explain words an error of the SDK for the log. Kodo's own explanation is left
// out when it repeats a token: every token holds the access key.
func (s *Store) explain(err error) error {
	if errors.Is(err, retrier.ErrMaliciousResponse) {
		return errors.New("the answer has no X-Reqid, it does not come from Kodo")
	}
	var answer *client.ErrorInfo
	if !errors.As(err, &answer) {
		return err
	}
	text := answer.Err
	if text == "" || strings.Contains(text, s.credentials.AccessKey) {
		text = http.StatusText(answer.Code)
	}
	if len(text) > maxAnswer {
		text = text[:maxAnswer] + "..."
	}
	return &AnswerError{answer.Code, text}
}

func withDeadline(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, timeout)
}
