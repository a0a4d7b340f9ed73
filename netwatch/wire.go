package netwatch

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// The kernel's rtnetlink messages, as in rtnetlink(7) and linux/rtnetlink.h:
// everything in the machine's own byte order, except the bytes of addresses.
// Nothing here trusts a length.

var (
	errMessageCut = errors.New("netlink message cut short")
	errAttrCut    = errors.New("netlink attribute cut short")
	errAttrSize   = errors.New("netlink attribute of an unexpected size")
)

// native reads and writes the machine's byte order.
var native = binary.NativeEndian

const (
	attrTypeMask = 0x3fff     // without NLA_F_NESTED and NLA_F_NET_BYTEORDER
	forever      = 0xffffffff // INFINITY_LIFE_TIME
)

// message is one netlink message: the parts of nlmsghdr that matter, and what follows it.
type message struct {
	kind  uint16 // RTM_*, NLMSG_*
	flags uint16 // NLM_F_*
	body  []byte
}

// nextMessage splits the first message off a datagram.
func nextMessage(b []byte) (m message, rest []byte, err error) {
	if len(b) < unix.NLMSG_HDRLEN {
		return m, nil, errMessageCut
	}
	size := native.Uint32(b)
	if size < unix.NLMSG_HDRLEN || uint64(size) > uint64(len(b)) {
		return m, nil, errMessageCut
	}
	m = message{kind: native.Uint16(b[4:]), flags: native.Uint16(b[6:]), body: b[unix.NLMSG_HDRLEN:size]}
	return m, b[min(align(int(size)), len(b)):], nil
}

// nextAttr splits the first attribute off. Fewer bytes than an attribute's
// header are padding, and give an empty rest and kind 0.
func nextAttr(b []byte) (kind uint16, value, rest []byte, err error) {
	if len(b) < unix.SizeofRtAttr {
		return 0, nil, nil, nil
	}
	size := int(native.Uint16(b))
	if size < unix.SizeofRtAttr || size > len(b) {
		return 0, nil, nil, errAttrCut
	}
	return native.Uint16(b[2:]) & attrTypeMask, b[unix.SizeofRtAttr:size], b[min(align(size), len(b)):], nil
}

// align rounds up to the 4 bytes of NLMSG_ALIGN and RTA_ALIGN.
func align(n int) int { return (n + 3) &^ 3 }

// parseLink reads the ifinfomsg of RTM_NEWLINK and RTM_DELLINK. ok is false
// for messages that say nothing about the link itself.
func parseLink(b []byte) (l Link, ok bool, err error) {
	if len(b) < unix.SizeofIfInfomsg {
		return l, false, errMessageCut
	}
	// The same types with AF_BRIDGE are about bridge ports: "deleted" means
	// no more than that the link left its bridge.
	if b[0] != unix.AF_UNSPEC {
		return l, false, nil
	}
	flags := native.Uint32(b[8:])
	l = Link{
		Index:        int(int32(native.Uint32(b[4:]))),
		Up:           flags&unix.IFF_UP != 0,
		Carrier:      flags&unix.IFF_LOWER_UP != 0,
		Loopback:     flags&unix.IFF_LOOPBACK != 0,
		PointToPoint: flags&unix.IFF_POINTOPOINT != 0,
	}
	for b = b[unix.SizeofIfInfomsg:]; len(b) > 0; {
		var kind uint16
		var v []byte
		if kind, v, b, err = nextAttr(b); err != nil {
			return l, false, err
		}
		switch kind {
		case unix.IFLA_IFNAME:
			l.Name = unix.ByteSliceToString(v)
		case unix.IFLA_MASTER:
			master, err := attrUint32(v)
			if err != nil {
				return l, false, err
			}
			l.Master = int(int32(master))
		case unix.IFLA_LINKINFO:
			for err == nil && len(v) > 0 && l.Kind == "" {
				var text []byte
				if kind, text, v, err = nextAttr(v); kind == unix.IFLA_INFO_KIND {
					l.Kind = unix.ByteSliceToString(text)
				}
			}
			if err != nil {
				return l, false, err
			}
		case unix.IFLA_WIRELESS:
			// Wireless extensions' own events carry name and flags only; taken
			// whole they would say that the link has left its bridge.
			return l, false, nil
		}
	}
	return l, l.Index > 0, nil
}

// parseAddr reads the ifaddrmsg of RTM_NEWADDR and RTM_DELADDR; the lifetimes
// count from now. ok is false if it holds no IPv4 or IPv6 address.
func parseAddr(b []byte, now time.Time) (a Addr, ok bool, err error) {
	if len(b) < unix.SizeofIfAddrmsg {
		return a, false, errMessageCut
	}
	family := b[0]
	if family != unix.AF_INET && family != unix.AF_INET6 {
		return a, false, nil
	}
	a = Addr{Bits: int(b[1]), Flags: Flags(b[2]), Scope: b[3], Link: int(int32(native.Uint32(b[4:])))}
	preferred, valid := uint32(forever), uint32(forever)
	var local, address netip.Addr
	for b = b[unix.SizeofIfAddrmsg:]; len(b) > 0; {
		var kind uint16
		var v []byte
		if kind, v, b, err = nextAttr(b); err != nil {
			return a, false, err
		}
		switch kind {
		case unix.IFA_ADDRESS:
			address, err = attrAddr(family, v)
		case unix.IFA_LOCAL:
			local, err = attrAddr(family, v)
		case unix.IFA_FLAGS:
			var flags uint32
			flags, err = attrUint32(v)
			a.Flags = Flags(flags)
		case unix.IFA_CACHEINFO:
			if len(v) < unix.SizeofIfaCacheinfo {
				return a, false, errAttrSize
			}
			preferred, valid = native.Uint32(v), native.Uint32(v[4:])
		}
		if err != nil {
			return a, false, err
		}
	}
	// IFA_LOCAL is ours wherever it is present, and IFA_ADDRESS then the far
	// end if it differs. IPv6 without a far end has IFA_ADDRESS alone.
	switch {
	case !local.IsValid():
		a.Addr = address
	default:
		a.Addr = local
		if address != local {
			a.Peer = address
		}
	}
	a.PreferredUntil, a.ValidUntil = deadline(now, preferred), deadline(now, valid)
	if preferred == 0 {
		a.Flags |= Deprecated
	}
	return a, a.Addr.IsValid() && a.Link > 0 && a.Bits <= a.Addr.BitLen(), nil
}

// deadline is when a lifetime in seconds ends, the zero Time for never.
func deadline(now time.Time, seconds uint32) time.Time {
	if seconds == forever {
		return time.Time{}
	}
	return now.Add(time.Duration(seconds) * time.Second)
}

func attrUint32(v []byte) (uint32, error) {
	if len(v) < 4 {
		return 0, errAttrSize
	}
	return native.Uint32(v), nil
}

// attrAddr is an address of the family. All zeros are an address here.
func attrAddr(family uint8, v []byte) (netip.Addr, error) {
	switch {
	case family == unix.AF_INET && len(v) == 4, family == unix.AF_INET6 && len(v) == 16:
		a, _ := netip.AddrFromSlice(v)
		return a, nil
	}
	return netip.Addr{}, errAttrSize
}
