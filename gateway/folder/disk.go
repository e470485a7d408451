package folder

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
)

// Read reads a folder from disk. What keeps it from being one is a *mapping.Error
// that names files. A link is followed to a file inside the folder, and nowhere else.
func Read(dir string, l Limits) (_ *Folder, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("read an institution's folder: %w", err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	b := newBuilder(l)
	if err := b.directory(root, "."); err != nil {
		return nil, fmt.Errorf("read an institution's folder: %w", err)
	}
	return b.folder()
}

func (b *builder) directory(root *os.Root, dir string) error {
	entries, err := fs.ReadDir(root.FS(), dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		info, err := root.Stat(name)
		_, known := contents[name]
		switch {
		case err != nil && e.Type()&fs.ModeSymlink != 0:
			b.refuse(name, "is a link out of the folder, or to nothing")
		case err != nil:
			return err
		case info.IsDir() && e.IsDir() && known:
			if err := b.directory(root, name); err != nil {
				return err
			}
		case info.IsDir():
			b.refuse(name, "the folder does not belong here; "+wanted)
		case !info.Mode().IsRegular():
			b.refuse(name, "is not a plain file")
		case b.takes(name):
			if err := b.file(root, name); err != nil {
				return err
			}
		}
		if len(b.findings) >= maxFindings || b.left < 0 {
			return nil
		}
	}
	return nil
}

func (b *builder) file(root *os.Root, name string) error {
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(f, b.left+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	b.add(name, text)
	return nil
}

// ErrOccupied says that a folder is to be written where something is.
var ErrOccupied = errors.New("the folder is not empty")

// Write writes the files below dir, which must be empty or not there.
func (f *Folder) Write(dir string) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write an institution's folder: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("write an institution's folder: %w", err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	if there, err := fs.ReadDir(root.FS(), "."); err != nil || len(there) > 0 {
		return fmt.Errorf("write an institution's folder: %s: %w", dir, errors.Join(err, ErrOccupied))
	}
	for _, file := range f.files {
		if err := write(root, file); err != nil {
			return fmt.Errorf("write an institution's folder: %w", err)
		}
	}
	return nil
}

func write(root *os.Root, file File) error {
	if dir := path.Dir(file.Name); dir != "." {
		if err := root.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	f, err := root.OpenFile(file.Name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(file.Bytes)
	return errors.Join(err, f.Close())
}
