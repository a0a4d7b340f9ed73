package bench

import (
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// bare is the program to compare with. Its network namespace is the router's.
// It never returns. It waits as every program in Go does, so that the runtime
// knows that it is idle: in a raw call its monitor would wake up a hundred times
// a second, and keep processor and caches warm for it. From the message to the
// request nothing goes through the runtime: all system calls are raw ones.
func bare(server netip.AddrPort, secure bool) {
	runtime.LockOSThread()
	names := deviceNames()
	events, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	must("netlink socket", err)
	must("netlink bind", unix.Bind(events, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: unix.RTMGRP_IPV4_IFADDR}))
	config := &tls.Config{InsecureSkipVerify: true, ServerName: server.Addr().String(), ClientSessionCache: tls.NewLRUClientSessionCache(0)}
	to := rawAddr(server.Addr().As4(), server.Port())
	request := []byte("GET /nic/update HTTP/1.1\r\nHost: " + server.String() + "\r\nConnection: close\r\n\r\n")
	buf := make([]byte, 32<<10)
	fmt.Println("ready")
	for {
		n, err := unix.Read(events, buf)
		if err != nil {
			continue
		}
		addr, device, ok := newAddr(buf[:n])
		if !ok || names[device] == nil {
			continue
		}
		from := rawAddr(addr, 0)
		fd := connected(&from, &to, names[device])
		if secure {
			overTLS(fd, config, request)
			continue
		}
		raw(unix.SYS_WRITE, fd, unsafe.Pointer(&request[0]), uintptr(len(request)))
		for n := 1; n > 0; {
			var errno unix.Errno
			if n, errno = raw(unix.SYS_READ, fd, unsafe.Pointer(&buf[0]), uintptr(len(buf))); errno != 0 {
				break
			}
		}
		raw(unix.SYS_CLOSE, fd, nil, 0)
	}
}

// connected makes a connection from an address and a device.
func connected(from, to *unix.RawSockaddrInet4, device []byte) int {
	fd, _, errno := unix.RawSyscall(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must("socket", orNil(errno))
	_, _, errno = unix.RawSyscall6(unix.SYS_SETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_BINDTODEVICE,
		uintptr(unsafe.Pointer(&device[0])), uintptr(len(device)), 0)
	must("bind to device", orNil(errno))
	for {
		// The kernel announces an address a moment before it gives it out.
		_, errno := raw(unix.SYS_BIND, int(fd), unsafe.Pointer(from), unix.SizeofSockaddrInet4)
		if errno == 0 {
			break
		}
		if errno != unix.EADDRNOTAVAIL {
			must("bind", errno)
		}
		pause := unix.Timespec{Nsec: 20_000}
		unix.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&pause)), 0, 0)
	}
	_, errno = raw(unix.SYS_CONNECT, int(fd), unsafe.Pointer(to), unix.SizeofSockaddrInet4)
	must("connect", orNil(errno))
	return int(fd)
}

// overTLS is the rest of a run with TLS: no raw system calls, and the
// library's handshake.
func overTLS(fd int, config *tls.Config, request []byte) {
	must("non-blocking", unix.SetNonblock(fd, true))
	file := os.NewFile(uintptr(fd), "tcp")
	conn, err := net.FileConn(file)
	must("connection", err)
	file.Close()
	defer conn.Close()
	c := tls.Client(conn, config)
	_, err = c.Write(request)
	must("TLS", err)
	for buf := make([]byte, 4096); err == nil; {
		_, err = c.Read(buf) // the session for the next time comes with the answer
	}
}

// newAddr finds the IPv4 address that a message of the kernel announces first,
// and the index of its device (rtnetlink(7)).
func newAddr(b []byte) (addr [4]byte, device uint32, ok bool) {
	const header = unix.SizeofNlMsghdr + unix.SizeofIfAddrmsg
	order := binary.NativeEndian
	if len(b) < header || order.Uint16(b[4:]) != unix.RTM_NEWADDR || b[unix.SizeofNlMsghdr] != unix.AF_INET {
		return addr, 0, false
	}
	device = order.Uint32(b[unix.SizeofNlMsghdr+4:])
	for b = b[header:]; len(b) >= unix.SizeofRtAttr; {
		size := int(order.Uint16(b))
		if size < unix.SizeofRtAttr || size > len(b) {
			break
		}
		if order.Uint16(b[2:]) == unix.IFA_LOCAL && size == unix.SizeofRtAttr+4 {
			copy(addr[:], b[unix.SizeofRtAttr:])
			return addr, device, true
		}
		b = b[min((size+3)&^3, len(b)):]
	}
	return addr, 0, false
}

// deviceNames gives the WANs' names, ended by a zero byte, by index.
func deviceNames() map[uint32][]byte {
	devices, err := net.Interfaces()
	must("devices", err)
	names := map[uint32][]byte{}
	for _, d := range devices {
		if d.Flags&net.FlagLoopback == 0 {
			names[uint32(d.Index)] = append([]byte(d.Name), 0)
		}
	}
	return names
}

// rawAddr is sockaddr_in; its port is in network byte order on any machine.
func rawAddr(addr [4]byte, port uint16) unix.RawSockaddrInet4 {
	a := unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: addr}
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&a.Port))[:], port)
	return a
}

// raw is a system call on a descriptor and some memory.
func raw(call uintptr, fd int, p unsafe.Pointer, size uintptr) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(call, uintptr(fd), uintptr(p), size, 0, 0, 0)
	return int(n), errno
}

func orNil(errno unix.Errno) error {
	if errno == 0 {
		return nil
	}
	return errno
}

func must(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %s: %v\n", what, err)
		os.Exit(1)
	}
}
