package lab

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// Injector changes a device's addresses by netlink messages of its own, a
// system call each, and tells when: for measuring and for fast sequences.
type Injector struct {
	link  *Link
	index int
	fd    int
	seq   uint32
}

// Injector opens one for the device as it is now (the index is kept). It is
// for one goroutine.
func (k *Link) Injector() *Injector {
	k.NS.lab.Helper()
	in := &Injector{link: k, index: k.Index()}
	err := k.NS.Do(func() (err error) {
		in.fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
		if err != nil {
			return err
		}
		return unix.Bind(in.fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
	})
	if err != nil {
		k.NS.lab.Fatalf("lab: %s: netlink: %v", k.NS.Name, err)
	}
	k.NS.lab.Cleanup(func() { unix.Close(in.fd) })
	return in
}

// Lifetimes of an address, in whole seconds; Forever for no end.
type Lifetimes struct{ Preferred, Valid time.Duration }

// Forever is the lifetime of an address that never expires.
const Forever time.Duration = 1<<32 - 1

// Add adds an address, or replaces its flags and lifetimes if the device has
// it, and returns the time right before the kernel was asked.
func (in *Injector) Add(cidr string, flags uint32, lifetimes *Lifetimes) Instant {
	in.link.NS.lab.Helper()
	return in.do(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_REPLACE, cidr, flags, lifetimes)
}

// Del removes an address and returns the time right before the kernel was
// asked.
func (in *Injector) Del(cidr string) Instant {
	in.link.NS.lab.Helper()
	return in.do(unix.RTM_DELADDR, 0, cidr, 0, nil)
}

func (in *Injector) do(kind, mode uint16, cidr string, flags uint32, lifetimes *Lifetimes) Instant {
	in.link.NS.lab.Helper()
	prefix, err := netip.ParsePrefix(cidr)
	if err != nil {
		in.link.NS.lab.Fatalf("lab: %v", err)
	}
	in.seq++
	message := in.message(kind, mode, prefix, flags, lifetimes)
	kernel := &unix.SockaddrNetlink{Family: unix.AF_NETLINK}
	at := Now()
	err = unix.Sendto(in.fd, message, 0, kernel)
	if err == nil {
		err = in.acknowledged()
	}
	if err != nil {
		in.link.NS.lab.Fatalf("lab: %s: %s on %s: %v", in.link.NS.Name, cidr, in.link.Name, err)
	}
	return at
}

// message builds nlmsghdr, ifaddrmsg and attributes (rtnetlink(7)).
func (in *Injector) message(kind, mode uint16, prefix netip.Prefix, flags uint32, lifetimes *Lifetimes) []byte {
	order := binary.NativeEndian
	family := byte(unix.AF_INET)
	if prefix.Addr().Is6() {
		family = unix.AF_INET6
	}
	m := make([]byte, unix.SizeofNlMsghdr, 128)
	m = append(m, family, byte(prefix.Bits()), byte(flags), unix.RT_SCOPE_UNIVERSE)
	m = order.AppendUint32(m, uint32(in.index))
	attribute := func(kind uint16, value []byte) {
		m = order.AppendUint16(m, uint16(unix.SizeofRtAttr+len(value)))
		m = order.AppendUint16(m, kind)
		m = append(m, value...) // all are multiples of four long
	}
	attribute(unix.IFA_LOCAL, prefix.Addr().AsSlice())
	attribute(unix.IFA_ADDRESS, prefix.Addr().AsSlice())
	attribute(unix.IFA_FLAGS, order.AppendUint32(nil, flags))
	if lifetimes != nil {
		seconds := func(d time.Duration) uint32 {
			if d == Forever {
				return 1<<32 - 1
			}
			return uint32(d / time.Second)
		}
		info := order.AppendUint32(nil, seconds(lifetimes.Preferred))
		info = order.AppendUint32(info, seconds(lifetimes.Valid))
		attribute(unix.IFA_CACHEINFO, append(info, make([]byte, 8)...))
	}
	order.PutUint32(m[0:], uint32(len(m)))
	order.PutUint16(m[4:], kind)
	order.PutUint16(m[6:], unix.NLM_F_REQUEST|unix.NLM_F_ACK|mode)
	order.PutUint32(m[8:], in.seq)
	return m
}

// acknowledged reads the kernel's answer.
func (in *Injector) acknowledged() error {
	buffer := make([]byte, 4096)
	for {
		n, _, err := unix.Recvfrom(in.fd, buffer, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		order := binary.NativeEndian
		if n < unix.SizeofNlMsghdr+4 || order.Uint16(buffer[4:]) != unix.NLMSG_ERROR {
			return fmt.Errorf("unexpected answer of %d bytes", n)
		}
		if order.Uint32(buffer[8:]) != in.seq {
			continue
		}
		if code := int32(order.Uint32(buffer[16:])); code != 0 {
			return unix.Errno(-code)
		}
		return nil
	}
}
