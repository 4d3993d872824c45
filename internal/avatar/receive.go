package avatar

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"nameplate/internal/fault"
)

// received is an uploaded file. It has lost its name already, so that nothing
// is left of it when it is closed, however the process ends.
type received struct {
	file *os.File
	size int
	head []byte
}

// receive reads a file to its end, but no more of it than shows that it is too
// large.
func receive(r io.Reader, dir string, maxBytes int) (_ *received, err error) {
	file, err := createNameless(dir)
	if err != nil {
		return nil, noRoom(err)
	}
	f := &received{file: file}
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	buffer := make([]byte, 32<<10)
	for {
		n, err := r.Read(buffer[:min(len(buffer), maxBytes+1-f.size)])
		if writeErr := f.add(buffer[:n]); writeErr != nil {
			return nil, noRoom(writeErr)
		}
		switch {
		case f.size > maxBytes:
			return nil, &fault.Error{Code: fault.FileTooLarge, Field: fieldFile, Limit: maxBytes}
		case err != nil && !errors.Is(err, io.EOF):
			return nil, fmt.Errorf("reading the picture: %w", err)
		case err != nil && f.size == 0:
			return nil, &fault.Error{Code: fault.FileEmpty, Field: fieldFile}
		case err != nil:
			return f, nil
		}
	}
}

const receivedPattern = "upload-*"

// UseDir has uploaded files wait in dir, which is made if need be, before the first
// use. A process that was killed between making a file and taking its name away
// has left it there, without a byte: it is removed.
func (p *Processor) UseDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("the folder for uploads: %w", err)
	}
	left, err := fs.Glob(os.DirFS(dir), receivedPattern)
	for _, name := range left {
		if removeErr := os.Remove(filepath.Join(dir, name)); !errors.Is(removeErr, fs.ErrNotExist) {
			err = errors.Join(err, removeErr)
		}
	}
	if err != nil {
		return fmt.Errorf("the folder for uploads: %w", err)
	}
	// That files can be written there shows now, and not at the first upload.
	file, err := createNameless(dir)
	if err != nil {
		return fmt.Errorf("the folder for uploads: %w", err)
	}
	p.dir = dir
	return file.Close()
}

func createNameless(dir string) (*os.File, error) {
	file, err := os.CreateTemp(dir, receivedPattern)
	if errors.Is(err, fs.ErrNotExist) { // somebody has tidied up
		_ = os.MkdirAll(dir, 0o700)
		file, err = os.CreateTemp(dir, receivedPattern)
	}
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func noRoom(err error) error {
	return &fault.Unavailable{RetryAfter: 5 * time.Second, Err: fmt.Errorf("keep an upload: %w", err)}
}

func (f *received) add(data []byte) error {
	if len(f.head) < headBytes {
		f.head = append(f.head, data[:min(len(data), headBytes-len(f.head))]...)
	}
	f.size += len(data)
	_, err := f.file.Write(data)
	return err
}

// bytes are the whole file.
func (f *received) bytes() ([]byte, error) {
	data := make([]byte, f.size)
	if _, err := f.file.ReadAt(data, 0); err != nil {
		return nil, noRoom(err)
	}
	return data, nil
}

// close frees the room that the file takes. What closing says of a file that nobody
// will see again is no matter.
func (f *received) close() { _ = f.file.Close() }
