package rpcd

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// lock keeps two changes from being made at once. It locks the file, or its
// directory if there is none yet, and writes nothing.
func lock(path string) (unlock func(), err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		f, err = os.Open(filepath.Dir(path))
	}
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = errors.New("another change is being saved; try again")
		}
		return nil, err
	}
	return func() { f.Close() }, nil
}

// replace puts text in the place of a file, so that whoever reads it, also
// after a power cut, finds the old text or the new one. The file has mode 0600
// then and the owner it had; a new one that of the daemon, which owns the
// socket, else that of its directory. A link to it stays one.
func replace(path, socket string, text []byte) error {
	if to, err := os.Readlink(path); err == nil {
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
	dir := filepath.Dir(path)
	like, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if like, err = os.Stat(socket); err != nil {
			like, err = os.Stat(dir)
		}
	}
	if err != nil {
		return err
	}
	aside := path + ".new"
	if err := os.Remove(aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(aside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = write(f, like, text)
	if err == nil {
		err = os.Rename(aside, path)
	}
	if err != nil {
		os.Remove(aside)
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// write fills and closes f, which gets the owner of like.
func write(f *os.File, like fs.FileInfo, text []byte) error {
	defer f.Close()
	if s, ok := like.Sys().(*syscall.Stat_t); ok && (int(s.Uid) != os.Geteuid() || int(s.Gid) != os.Getegid()) {
		if err := f.Chown(int(s.Uid), int(s.Gid)); err != nil {
			return err
		}
	}
	if _, err := f.Write(text); err != nil {
		return err
	}
	return f.Sync()
}
