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
	err = connect(fd, to)
	if err != nil && err != unix.EINPROGRESS && err != unix.EINTR {
		unix.Close(fd)
		return nil, notPermitted, &ConnectError{to, err}
	}
	var done bool
	early := 0
	if len(first) > 0 {
		early, err = send(fd, first) // tells the end of the connect too
		if done = err != unix.EAGAIN && err != unix.EINTR; early > 0 {
			yield()
		}
	} else {
		done, err = connected(fd)
	}
	// Without this a request waits for the acknowledgement of the end of the TLS
	// handshake, which the peer delays by 40 ms (RFC 1122 section 4.2.3.2).
	switchOn(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY)
	s := &Conn{os.NewFile(uintptr(fd), "tcp"), to, early}
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
	if err := connect(fd, to); err != nil {
		unix.Close(fd)
		return nil, notPermitted, &ConnectError{to, err}
	}
	return &Conn{os.NewFile(uintptr(fd), "udp"), to, 0}, notPermitted, nil
}

// boundSocket makes a socket for a destination, with its device and source.
func boundSocket(kind, protocol int, to netip.AddrPort, device string, source netip.Addr) (fd int, notPermitted bool, err error) {
	domain := unix.AF_INET
	if to.Addr().Unmap().Is6() {
		domain = unix.AF_INET6
	}
	fd, err = newSocket(domain, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return -1, false, &ConnectError{to, err}
	}
	fail := func(err error) (int, bool, error) {
		unix.Close(fd)
		return -1, notPermitted, err
	}
	if device != "" {
		switch err := bindToDevice(fd, device); err {
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
		switchOn(fd, unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT)
		if err := bind(fd, netip.AddrPortFrom(source, 0)); err != nil {
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
