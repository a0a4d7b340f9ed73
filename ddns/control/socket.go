package control

import (
	"os"

	"golang.org/x/sys/unix"
)

// unixSocket makes a stream socket and gives it and the address of path to use.
// The file reads and writes with deadlines. Against package net's sockets it
// saves 20 kB of a router's flash: those bring a resolver with them.
func unixSocket(path, doing string, use func(fd int, addr unix.Sockaddr) error) (*os.File, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		if err = use(fd, &unix.SockaddrUnix{Name: path}); err == nil {
			err = unix.SetNonblock(fd, true)
		}
		if err != nil {
			unix.Close(fd)
		}
	}
	if err != nil {
		return nil, &os.PathError{Op: doing, Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

// dial connects to the socket at path; to one whose owner is busy, within a
// second.
func dial(path string) (*os.File, error) {
	return unixSocket(path, "connect", func(fd int, addr unix.Sockaddr) error {
		patience := unix.Timeval{Sec: 1}
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &patience); err != nil {
			return err
		}
		for {
			if err := unix.Connect(fd, addr); err != unix.EINTR {
				return err
			}
		}
	})
}

// Listener is the daemon's socket.
type Listener struct{ *os.File }

func listen(path string) (*Listener, error) {
	f, err := unixSocket(path, "listen", func(fd int, addr unix.Sockaddr) error {
		if err := unix.Bind(fd, addr); err != nil {
			return err
		}
		return unix.Listen(fd, maxClients)
	})
	return &Listener{f}, err
}

// accept waits for a client. The error is os.ErrClosed after Close.
func (l *Listener) accept() (*os.File, error) {
	raw, err := l.SyscallConn()
	if err != nil {
		return nil, err
	}
	var fd int
	var failed error
	err = raw.Read(func(listener uintptr) bool {
		fd, _, failed = unix.Accept4(int(listener), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		return failed != unix.EAGAIN
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), l.Name()), nil
}

// Close removes the socket.
func (l *Listener) Close() error {
	os.Remove(l.Name())
	return l.File.Close()
}
