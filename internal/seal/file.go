package seal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Load reads the key set in the file at path. Where there is no file, the error
// is [fs.ErrNotExist].
//
// A file that the group or others have any access to is refused: whoever reads
// it reads every sealed field of every backup, and nothing else would tell the
// operator of a slip of chmod or of a restored copy.
func Load(path string) (*Keys, error) {
	keysetJSON, mode, err := read(path)
	if err != nil {
		return nil, fmt.Errorf("seal: reading the key set: %w", err)
	}
	if mode.Perm()&0o077 != 0 {
		return nil, fmt.Errorf("seal: the key set %s can be reached by other users (mode %04o): run chmod 600 %[1]s",
			path, mode.Perm())
	}
	keys, ok := parse(keysetJSON)
	if !ok {
		return nil, fmt.Errorf("seal: %s is not a key set, or is damaged: restore it from a backup", path)
	}
	return keys, nil
}

// read returns the mode of the very file whose content it returns.
func read(path string) ([]byte, fs.FileMode, error) {
	// Before it is opened, which on a pipe would wait for a writer.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	content, err := io.ReadAll(f)
	return content, info.Mode(), err
}

// Create makes a key set in a new file at path, of mode 0600, and returns it. A
// file that is there already stays as it is and is loaded, so that of several
// processes that start at once all have the keys of the first.
//
// On return the file survives a power cut: were it lost, so would be whatever
// was sealed with it.
func Create(path string) (*Keys, error) {
	keysetJSON, err := generate()
	if err != nil {
		return nil, err
	}
	if err := publish(path, keysetJSON); err != nil {
		return nil, fmt.Errorf("seal: writing the key set: %w", err)
	}
	return Load(path)
}

// publish puts content at path in one step, unless there is a file. It links
// instead of renaming, because a rename would replace that file.
func publish(path string, content []byte) error {
	folder := filepath.Dir(path)
	temporary, err := writeTemporary(folder, content)
	if err != nil {
		return err
	}
	defer os.Remove(temporary)
	if err := os.Link(temporary, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	// Needed even if another process made the file: it may not have come to
	// this line yet.
	return syncFolder(folder)
}

// writeTemporary returns the name of a new file of mode 0600 with the content,
// which is on the disk.
func writeTemporary(folder string, content []byte) (name string, err error) {
	f, err := os.CreateTemp(folder, ".keyset-*")
	if err != nil {
		return "", err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			os.Remove(f.Name())
		}
	}()
	if _, err := f.Write(content); err != nil {
		return "", err
	}
	return f.Name(), f.Sync()
}

func syncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
