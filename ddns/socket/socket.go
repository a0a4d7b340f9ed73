// Package socket makes the sockets of exchanges with peers: TCP and UDP,
// connected, bound to a device and a source address. It never looks a name
// up, never repeats an attempt, and chooses no device by itself.
//
//	conn, notPermitted, err := socket.UDP(server, "eth1", netip.Addr{})
package socket

import (
	"context"
	"net"
	"net/netip"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Conn is a connection. Against the net package's it saves what a
// connection of one request never needs: a goroutine that guards the connect,
// names of both ends, keep-alive; that is a third of the time until the first
// byte leaves.
type Conn struct {
	*os.File // reads, writes, deadlines
	remote   netip.AddrPort

	Early int // how many bytes of TCP's first are on their way
}

// LocalAddr returns nil: nobody has asked the kernel.
func (s *Conn) LocalAddr() net.Addr { return nil }

// RemoteAddr returns the address connected to.
func (s *Conn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(s.remote) }

// TCP connects to an address, from a source address and through a
// device if there are any. notPermitted: the kernel refuses the device, and
// the connection goes without.
// A peer that answers at once, on the same machine or network, is sent first at
// once; Conn.Early says how much of it, and the rest is the caller's. For any
// other peer waiting is called when the first packet is on its way.
func TCP(ctx context.Context, to netip.AddrPort, device string, source netip.Addr, first []byte, waiting func()) (conn *Conn, notPermitted bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	fd, notPermitted, err := boundSocket(unix.SOCK_STREAM, unix.IPPROTO_TCP, to, device, source)
	if err != nil {
		return nil, notPermitted, err
	}
	err = unix.Connect(fd, Sockaddr(to))
	if err != nil && err != unix.EINPROGRESS && err != unix.EINTR {
		unix.Close(fd)
		return nil, notPermitted, &ConnectError{to, err}
	}
	done, err := connected(fd)
	early := 0
	if done && err == nil && len(first) > 0 {
		// What goes wrong here goes wrong again with the rest.
		early, _ = unix.Write(fd, first)
	}
	// Without this a request waits for the acknowledgement of the end of the TLS
	// handshake, which the peer delays by 40 ms (RFC 1122 section 4.2.3.2).
	unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	s := &Conn{os.NewFile(uintptr(fd), "tcp"), to, max(early, 0)}
	if !done {
		waiting()
		stop := CloseWith(ctx, s)
		err = s.connected()
		if !stop() {
			err = ctx.Err()
		}
	}
	if err != nil {
		s.Close()
		if ctx.Err() != nil {
			return nil, notPermitted, ctx.Err()
		}
		return nil, notPermitted, &ConnectError{to, err}
	}
	return s, notPermitted, nil
}

// UDP makes a socket that sends to one address, and receives from that
// one alone. notPermitted: as of TCP.
func UDP(to netip.AddrPort, device string, source netip.Addr) (conn *Conn, notPermitted bool, err error) {
	fd, notPermitted, err := boundSocket(unix.SOCK_DGRAM, unix.IPPROTO_UDP, to, device, source)
	if err != nil {
		return nil, notPermitted, err
	}
	if err := unix.Connect(fd, Sockaddr(to)); err != nil {
		unix.Close(fd)
		return nil, notPermitted, &ConnectError{to, err}
	}
	return &Conn{os.NewFile(uintptr(fd), "udp"), to, 0}, notPermitted, nil
}

// boundSocket makes a socket for a destination, with its device and source.
func boundSocket(kind, protocol int, to netip.AddrPort, device string, source netip.Addr) (fd int, notPermitted bool, err error) {
	domain := unix.AF_INET
	if to.Addr().Is6() {
		domain = unix.AF_INET6
	}
	fd, err = unix.Socket(domain, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return -1, false, &ConnectError{to, err}
	}
	fail := func(err error) (int, bool, error) {
		unix.Close(fd)
		return -1, notPermitted, err
	}
	if device != "" {
		switch err := unix.BindToDevice(fd, device); err {
		case nil:
		case unix.EPERM:
			notPermitted = true
		default:
			return fail(&BindError{device, err})
		}
	}
	if source.IsValid() {
		// The port is chosen at connect, when more of them are free; kernels
		// before 4.2 do without.
		unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
		if err := unix.Bind(fd, Sockaddr(netip.AddrPortFrom(source, 0))); err != nil {
			return fail(&ConnectError{to, err})
		}
	}
	return fd, notPermitted, nil
}

// connected waits for the end of a connect.
func (s *Conn) connected() error {
	raw, err := s.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	err = raw.Write(func(fd uintptr) (done bool) {
		done, result = connected(int(fd))
		return done
	})
	if err != nil {
		return err
	}
	return result
}

// connected says whether a connect has ended, and how.
func connected(fd int) (done bool, err error) {
	ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	if n, err := unix.Poll(ready, 0); n == 0 || err == unix.EINTR {
		return false, nil
	}
	errno, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && errno != 0 {
		err = unix.Errno(errno)
	}
	return true, err
}

// Sockaddr is an address for the kernel.
func Sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Unmap().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().Unmap().As4()}
	}
	sa := &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
	if zone := a.Addr().Zone(); zone != "" {
		if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
			sa.ZoneId = uint32(n)
		} else {
			sa.ZoneId = index(zone)
		}
	}
	return sa
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
