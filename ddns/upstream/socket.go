package upstream

import (
	"context"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// socket is a UDP or listening TCP socket of one device.
type socket struct {
	*os.File // deadlines, Close
}

// open makes a socket, bound to a device (where the kernel permits it) and an
// address of its own.
func open(kind int, gw *Gateway, local netip.AddrPort) (*socket, error) {
	domain := unix.AF_INET
	if local.Addr().Is6() {
		domain = unix.AF_INET6
	}
	fd, err := unix.Socket(domain, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	unix.BindToDevice(fd, gw.Device) // without it the address must do
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if domain == unix.AF_INET6 {
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1)
	}
	if err := unix.Bind(fd, sockaddr(local, gw.Link)); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("bind", err)
	}
	return &socket{os.NewFile(uintptr(fd), "upstream")}, nil
}

func sockaddr(a netip.AddrPort, link int) unix.Sockaddr {
	if config.FamilyOf(a.Addr()) == config.IPv4 {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().Unmap().As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16(), ZoneId: uint32(link)}
}

// connected makes a UDP socket that sends to one port of the gateway, and
// receives from there alone.
func connected(gw *Gateway, port uint16) (*socket, error) {
	s, err := open(unix.SOCK_DGRAM, gw, netip.AddrPortFrom(gw.Local, 0))
	if err != nil {
		return nil, err
	}
	err = s.control(func(fd int) error { return unix.Connect(fd, sockaddr(netip.AddrPortFrom(gw.Addr, port), 0)) })
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// The groups that gateways announce to (RFC 6886 section 3.2.1, RFC 6887
// section 14.1): all hosts of the link.
var (
	allHosts  = netip.MustParseAddr("224.0.0.1")
	allHosts6 = netip.MustParseAddr("ff02::1")
	ssdpGroup = netip.MustParseAddr("239.255.255.250")
)

// joined makes a socket that hears what is sent to a group at the clients' port.
func joined(gw *Gateway, group netip.Addr) (*socket, error) {
	s, err := open(unix.SOCK_DGRAM, gw, netip.AddrPortFrom(group, clientPort))
	if err != nil {
		return nil, err
	}
	s.control(func(fd int) error { // a kernel that is a member anyway may refuse
		if group.Is6() {
			return unix.SetsockoptIPv6Mreq(fd, unix.IPPROTO_IPV6, unix.IPV6_JOIN_GROUP,
				&unix.IPv6Mreq{Multiaddr: group.As16(), Interface: uint32(gw.Link)})
		}
		return unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP,
			&unix.IPMreqn{Multiaddr: group.As4(), Ifindex: int32(gw.Link)})
	})
	return s, nil
}

func (s *socket) control(f func(fd int) error) error {
	raw, err := s.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	if err := raw.Control(func(fd uintptr) { result = f(int(fd)) }); err != nil {
		return err
	}
	return os.NewSyscallError("socket", result)
}

// port is the socket's own.
func (s *socket) port() (port uint16) {
	s.control(func(fd int) error {
		switch a, _ := unix.Getsockname(fd); a := a.(type) {
		case *unix.SockaddrInet4:
			port = uint16(a.Port)
		case *unix.SockaddrInet6:
			port = uint16(a.Port)
		}
		return nil
	})
	return port
}

// sendTo sends a packet somewhere; that it could not be sent shows in that no
// answer comes.
func (s *socket) sendTo(packet []byte, gw *Gateway, to netip.AddrPort) {
	s.control(func(fd int) error {
		if to.Addr().IsMulticast() {
			unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, &unix.IPMreqn{Ifindex: int32(gw.Link), Address: gw.Local.As4()})
			unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, 2)
		}
		return unix.Sendto(fd, packet, 0, sockaddr(to, gw.Link))
	})
}

// receive waits for a packet and tells who sent it.
func (s *socket) receive(buf []byte) (n int, from netip.Addr, err error) {
	raw, err := s.SyscallConn()
	if err != nil {
		return 0, from, err
	}
	var result error
	err = raw.Read(func(fd uintptr) bool {
		var sender unix.Sockaddr
		n, sender, result = unix.Recvfrom(int(fd), buf, 0)
		from = addrOf(sender)
		return result != unix.EAGAIN && result != unix.EINTR
	})
	if err == nil {
		err = result
	}
	return n, from, err
}

// accept waits for a connection and tells who made it.
func (s *socket) accept() (conn *os.File, from netip.Addr, err error) {
	raw, err := s.SyscallConn()
	if err != nil {
		return nil, from, err
	}
	var fd int
	var result error
	err = raw.Read(func(listener uintptr) bool {
		var sender unix.Sockaddr
		fd, sender, result = unix.Accept4(int(listener), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		from = addrOf(sender)
		return result != unix.EAGAIN && result != unix.EINTR && result != unix.ECONNABORTED
	})
	if err == nil {
		err = result
	}
	if err != nil {
		return nil, from, err
	}
	return os.NewFile(uintptr(fd), "upnp"), from, nil
}

func addrOf(sa unix.Sockaddr) netip.Addr {
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrFrom4(a.Addr)
	case *unix.SockaddrInet6:
		return netip.AddrFrom16(a.Addr)
	}
	return netip.Addr{}
}

// until makes everything that waits on the socket return when ctx is done.
func (s *socket) until(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { s.SetDeadline(time.Unix(1, 0)) })
}
