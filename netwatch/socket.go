package netwatch

import (
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// queueBytes is how much the kernel may queue for us. Memory is used only
	// while something is queued.
	queueBytes = 1 << 20

	// datagramBytes holds the largest message of the kernel with room to spare
	// (a link with many virtual functions has a few kilobytes).
	datagramBytes = 32 << 10
)

// groups are the kernel's multicast groups that tell of links, addresses and routes.
const groups = 1<<(unix.RTNLGRP_LINK-1) |
	1<<(unix.RTNLGRP_IPV4_IFADDR-1) | 1<<(unix.RTNLGRP_IPV6_IFADDR-1) |
	1<<(unix.RTNLGRP_IPV4_ROUTE-1) | 1<<(unix.RTNLGRP_IPV6_ROUTE-1)

// eventSocket is one socket for all groups, since only that keeps the order
// of the kernel's messages.
type eventSocket struct {
	file *os.File
	raw  syscall.RawConn
}

// subscribe opens the socket in the network namespace of the calling thread.
func subscribe() (*eventSocket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("opening a netlink socket: %w", err)
	}
	// Past the system's limit only with CAP_NET_ADMIN. A smaller queue works
	// too: what is lost is noticed and read again.
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, queueBytes) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, queueBytes)
	}
	filter(uintptr(fd), nil)
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("subscribing to the kernel's network events: %w", err)
	}
	file := os.NewFile(uintptr(fd), "netlink") // non-blocking, so it joins the runtime's poller
	raw, err := file.SyscallConn()
	if err != nil {
		file.Close()
		return nil, err
	}
	return &eventSocket{file: file, raw: raw}, nil
}

// wakeUp ends the waiting for events, as if a deadline had passed.
func (s *eventSocket) wakeUp() {
	_ = s.file.SetReadDeadline(time.Unix(1, 0)) // fails only on a closed file
}

// receive reads one datagram without waiting. size is its whole length, more
// than len(buf) if the end was cut off. port is its sender, 0 for the kernel.
//
// The system call is made by hand because every portable way allocates the
// sender's address anew, and raw because it never waits: the runtime need not
// be told, which would wake its monitor thread on the way to the request.
func receive(fd uintptr, buf []byte) (size int, port uint32, errno syscall.Errno) {
	var from unix.RawSockaddrNetlink
	fromSize := uint32(unix.SizeofSockaddrNetlink)
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, fd,
		uintptr(unsafe.Pointer(unsafe.SliceData(buf))), uintptr(len(buf)), unix.MSG_TRUNC|unix.MSG_DONTWAIT,
		uintptr(unsafe.Pointer(&from)), uintptr(unsafe.Pointer(&fromSize)))
	if errno != 0 {
		return 0, 0, errno
	}
	return int(n), from.Pid, 0
}
