package socket

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The system calls on the way to the first byte are raw ones. None of them
// waits, so the runtime need not know; told, it would wake its monitor thread,
// and on a small router that thread runs before the packet leaves.

// call makes a system call on a socket and some memory.
func call(number uintptr, fd int, p unsafe.Pointer, size uintptr) (int, error) {
	n, _, errno := unix.RawSyscall(number, uintptr(fd), uintptr(p), size)
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}

// newSocket is socket(2).
func newSocket(domain, kind, protocol int) (int, error) {
	fd, _, errno := unix.RawSyscall(unix.SYS_SOCKET, uintptr(domain), uintptr(kind), uintptr(protocol))
	if errno != 0 {
		return -1, errno
	}
	return int(fd), nil
}

// setOption is setsockopt(2).
func setOption(fd, level, option int, value unsafe.Pointer, size uintptr) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), uintptr(level), uintptr(option), uintptr(value), size, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// switchOn sets an option that is a number to 1. Options are set where the
// kernel knows them.
func switchOn(fd, level, option int) {
	one := int32(1)
	_ = setOption(fd, level, option, unsafe.Pointer(&one), unsafe.Sizeof(one))
}

// bindToDevice is the option SO_BINDTODEVICE of socket(7).
func bindToDevice(fd int, device string) error {
	return setOption(fd, unix.SOL_SOCKET, unix.SO_BINDTODEVICE, unsafe.Pointer(unsafe.StringData(device)), uintptr(len(device)))
}

// send is send(2) without a signal when the peer has closed.
func send(fd int, b []byte) (int, error) {
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_NOSIGNAL, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// yield lets others run first that the packet waits for: on one core, a
// tunnel's process or the network card's thread. What this program does next
// can wait.
func yield() { unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }

// sockaddr is sockaddr_in or sockaddr_in6.
type sockaddr struct {
	b    [unix.SizeofSockaddrInet6]byte
	size uintptr
}

// newSockaddr is an address for the kernel.
func newSockaddr(to netip.AddrPort) (s sockaddr) {
	a := to.Addr().Unmap()
	binary.BigEndian.PutUint16(s.b[2:], to.Port())
	if a.Is4() {
		binary.NativeEndian.PutUint16(s.b[:], unix.AF_INET)
		addr := a.As4()
		copy(s.b[4:], addr[:])
		s.size = unix.SizeofSockaddrInet4
		return s
	}
	binary.NativeEndian.PutUint16(s.b[:], unix.AF_INET6)
	addr := a.As16()
	copy(s.b[8:], addr[:])
	if zone := a.Zone(); zone != "" {
		n, err := strconv.ParseUint(zone, 10, 32)
		if err != nil {
			n = uint64(index(zone))
		}
		binary.NativeEndian.PutUint32(s.b[24:], uint32(n))
	}
	s.size = unix.SizeofSockaddrInet6
	return s
}

// bind and connect are the system calls of these names.

func bind(fd int, from netip.AddrPort) error {
	s := newSockaddr(from)
	_, err := call(unix.SYS_BIND, fd, unsafe.Pointer(&s.b), s.size)
	return err
}

func connect(fd int, to netip.AddrPort) error {
	s := newSockaddr(to)
	_, err := call(unix.SYS_CONNECT, fd, unsafe.Pointer(&s.b), s.size)
	return err
}

// index is a device's number; 0: there is none of that name.
func index(device string) uint32 {
	request, err := unix.NewIfreq(device)
	if err != nil {
		return 0
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	defer unix.Close(fd)
	if unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, request) != nil {
		return 0
	}
	return request.Uint32()
}
