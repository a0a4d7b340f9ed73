package netwatch

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// routeMessage is one RTM_NEWROUTE or RTM_DELROUTE: what is common to its
// next hops, and a Route for each of them. A route that carries no traffic to
// the outside (unreachable, blackhole …) has none.
type routeMessage struct {
	common Route // Dst, From, Table, Metric, Src
	kind   uint8 // RTN_*
	hops   []Route
}

var (
	default4 = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	default6 = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
)

// sizeRtvia is the family in front of the address in struct rtvia.
const sizeRtvia = 2

// isDefault tells from the rtmsg alone whether the message is about a default
// route that matters, so that the many others cost next to nothing.
func isDefault(b []byte) bool {
	if len(b) < unix.SizeofRtMsg {
		return true // let the parser complain
	}
	family, dstBits, tos, table, flags := b[0], b[1], b[3], b[4], native.Uint32(b[8:])
	return (family == unix.AF_INET || family == unix.AF_INET6) &&
		dstBits == 0 &&
		tos == 0 && // only for packets marked so, which ours are not
		table != unix.RT_TABLE_LOCAL &&
		flags&unix.RTM_F_CLONED == 0 // a cached exception
}

// parseRoute reads the rtmsg of one route into m, whose hops it reuses.
func parseRoute(b []byte, m *routeMessage) error {
	m.hops, m.common, m.kind = m.hops[:0], Route{}, 0
	if len(b) < unix.SizeofRtMsg {
		return errMessageCut
	}
	family, dstBits, srcBits, flags := b[0], int(b[1]), int(b[2]), native.Uint32(b[8:])
	m.common.Table, m.kind = uint32(b[4]), b[7]
	if family != unix.AF_INET && family != unix.AF_INET6 {
		return nil
	}
	dst := default4.Addr()
	if family == unix.AF_INET6 {
		dst = default6.Addr()
	}
	src := dst
	hop := Route{}
	var several []byte
	for b = b[unix.SizeofRtMsg:]; len(b) > 0; {
		kind, v, rest, err := nextAttr(b)
		if err != nil {
			return err
		}
		b = rest
		switch kind {
		case unix.RTA_DST:
			dst, err = attrAddr(family, v)
		case unix.RTA_SRC:
			src, err = attrAddr(family, v)
		case unix.RTA_PREFSRC:
			m.common.Src, err = attrAddr(family, v)
		case unix.RTA_TABLE:
			m.common.Table, err = attrUint32(v)
		case unix.RTA_PRIORITY:
			m.common.Metric, err = attrUint32(v)
		case unix.RTA_OIF:
			var index uint32
			index, err = attrUint32(v)
			hop.Link = int(int32(index))
		case unix.RTA_GATEWAY, unix.RTA_VIA:
			hop.Gateway, err = attrGateway(family, kind, v)
		case unix.RTA_MULTIPATH:
			several = v
		}
		if err != nil {
			return err
		}
	}
	if dstBits > dst.BitLen() || srcBits > src.BitLen() {
		return errAttrSize
	}
	m.common.Dst = netip.PrefixFrom(dst, dstBits)
	if srcBits > 0 {
		m.common.From = netip.PrefixFrom(src, srcBits)
	}
	if m.kind != unix.RTN_UNICAST && m.kind != unix.RTN_LOCAL {
		return nil
	}
	if several != nil {
		return parseHops(family, several, m)
	}
	// A dead next hop is one whose link is down: kept by the kernel, never used.
	if hop.Link > 0 && flags&unix.RTNH_F_DEAD == 0 {
		m.addHop(hop.Link, hop.Gateway)
	}
	return nil
}

// parseHops reads RTA_MULTIPATH: struct rtnexthop with attributes, repeated.
func parseHops(family uint8, b []byte, m *routeMessage) error {
	for len(b) >= unix.SizeofRtNexthop {
		size := int(native.Uint16(b))
		if size < unix.SizeofRtNexthop || size > len(b) {
			return errAttrCut
		}
		flags, link := b[2], int(int32(native.Uint32(b[4:])))
		var gateway netip.Addr
		for v := b[unix.SizeofRtNexthop:size]; len(v) > 0; {
			kind, value, rest, err := nextAttr(v)
			if err == nil && (kind == unix.RTA_GATEWAY || kind == unix.RTA_VIA) {
				gateway, err = attrGateway(family, kind, value)
			}
			if err != nil {
				return err
			}
			v = rest
		}
		if link > 0 && flags&unix.RTNH_F_DEAD == 0 {
			m.addHop(link, gateway)
		}
		b = b[min(align(size), len(b)):]
	}
	return nil
}

func (m *routeMessage) addHop(link int, gateway netip.Addr) {
	r := m.common
	r.Link, r.Gateway = link, gateway
	m.hops = append(m.hops, r)
}

// attrGateway reads RTA_GATEWAY, or RTA_VIA: a 16-bit family before the address.
func attrGateway(family uint8, kind uint16, v []byte) (netip.Addr, error) {
	if kind == unix.RTA_VIA {
		if len(v) < sizeRtvia {
			return netip.Addr{}, errAttrSize
		}
		via := native.Uint16(v)
		if via != unix.AF_INET && via != unix.AF_INET6 {
			return netip.Addr{}, nil
		}
		family, v = uint8(via), v[sizeRtvia:]
	}
	return attrAddr(family, v)
}
