package provider

import (
	"context"
	"net"
	"net/netip"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// socket is a TCP connection. Against the net package's it saves what a
// connection of one request never needs: a goroutine that guards the connect,
// names of both ends, keep-alive; that is a third of the time until the first
// byte leaves.
type socket struct {
	*os.File // reads, writes, deadlines
	remote   netip.AddrPort
}

// LocalAddr returns nil: nobody has asked the kernel.
func (s *socket) LocalAddr() net.Addr { return nil }

// RemoteAddr returns the address connected to.
func (s *socket) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(s.remote) }

// connectTCP connects to an address, from a source address and through a
// device if there are any. notPermitted: the kernel refuses the device, and
// the connection goes without.
// waiting is called when the first packet is on its way and no answer is there yet.
func connectTCP(ctx context.Context, to netip.AddrPort, device string, source netip.Addr, waiting func()) (conn *socket, notPermitted bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	fd, notPermitted, err := boundSocket(unix.SOCK_STREAM, unix.IPPROTO_TCP, to, device, source)
	if err != nil {
		return nil, notPermitted, err
	}
	// Without this a request waits for the acknowledgement of the end of the TLS
	// handshake, which the peer delays by 40 ms (RFC 1122 section 4.2.3.2).
	unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	err = unix.Connect(fd, sockaddr(to))
	if err != nil && err != unix.EINPROGRESS && err != unix.EINTR {
		unix.Close(fd)
		return nil, notPermitted, &connectError{to, err}
	}
	s := &socket{os.NewFile(uintptr(fd), "tcp"), to}
	if err == nil {
		return s, notPermitted, nil
	}
	waiting()
	stop := closeWith(ctx, s)
	err = s.connected()
	if !stop() {
		err = ctx.Err()
	} else if err != nil {
		err = &connectError{to, err}
	}
	if err != nil {
		s.Close()
		return nil, notPermitted, ctxOr(ctx, err)
	}
	return s, notPermitted, nil
}

// connectUDP makes a socket that sends to one address, and receives from that
// one alone. notPermitted: as of connectTCP.
func connectUDP(to netip.AddrPort, device string, source netip.Addr) (conn *socket, notPermitted bool, err error) {
	fd, notPermitted, err := boundSocket(unix.SOCK_DGRAM, unix.IPPROTO_UDP, to, device, source)
	if err != nil {
		return nil, notPermitted, err
	}
	if err := unix.Connect(fd, sockaddr(to)); err != nil {
		unix.Close(fd)
		return nil, notPermitted, &connectError{to, err}
	}
	return &socket{os.NewFile(uintptr(fd), "udp"), to}, notPermitted, nil
}

// boundSocket makes a socket for a destination, with its device and source.
func boundSocket(kind, protocol int, to netip.AddrPort, device string, source netip.Addr) (fd int, notPermitted bool, err error) {
	domain := unix.AF_INET
	if to.Addr().Is6() {
		domain = unix.AF_INET6
	}
	fd, err = unix.Socket(domain, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return -1, false, &connectError{to, err}
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
			return fail(&bindError{device, err})
		}
	}
	if source.IsValid() {
		// The port is chosen at connect, when more of them are free; kernels
		// before 4.2 do without.
		unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
		if err := unix.Bind(fd, sockaddr(netip.AddrPortFrom(source, 0))); err != nil {
			return fail(&connectError{to, err})
		}
	}
	return fd, notPermitted, nil
}

// connected waits for the end of a connect.
func (s *socket) connected() error {
	raw, err := s.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	err = raw.Write(func(fd uintptr) bool {
		ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		if n, err := unix.Poll(ready, 0); n == 0 || err == unix.EINTR {
			return false
		}
		errno, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
		if err == nil && errno != 0 {
			err = unix.Errno(errno)
		}
		result = err
		return true
	})
	if err != nil {
		return err
	}
	return result
}

// sockaddr is an address for the kernel.
func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if config.FamilyOf(a.Addr()) == config.IPv4 {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().Unmap().As4()}
	}
	sa := &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
	if zone := a.Addr().Zone(); zone != "" {
		if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
			sa.ZoneId = uint32(n)
		} else if link, err := net.InterfaceByName(zone); err == nil {
			sa.ZoneId = uint32(link.Index)
		}
	}
	return sa
}

// connectError is a connection that could not be made.
type connectError struct {
	to  netip.AddrPort
	err error
}

func (e *connectError) Error() string { return e.to.String() + ": " + e.err.Error() }
func (e *connectError) Unwrap() error { return e.err }
