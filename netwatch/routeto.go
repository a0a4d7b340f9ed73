package netwatch

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// RouteTo asks the kernel which route a packet to dst would take, through all
// of its policy rules. src is the packet's source address and device the name
// of the link its socket is bound to; the zero Addr and "" leave them to the
// kernel. The zone of a link-local dst serves as device if there is none.
//
// The answer's Dst is dst alone, Src the source address that the packet would
// have, Gateway the next router or zero, and Table where the route was found.
//
// The error wraps the kernel's errno: unix.ENETUNREACH if there is no route,
// unix.EHOSTUNREACH and unix.EACCES if a route forbids it, unix.ENODEV if there
// is no such device, unix.EINVAL if src is not an address of ours.
func RouteTo(dst, src netip.Addr, device string) (Route, error) {
	if device == "" {
		device = dst.Zone()
	}
	dst, src = dst.Unmap().WithZone(""), src.Unmap().WithZone("")
	r, err := routeTo(dst, src, device)
	if err != nil {
		return Route{}, fmt.Errorf("no route to %v%s: %w", dst, through(src, device), err)
	}
	return r, nil
}

// Leads reports whether the kernel has a route through a device to an address.
// A 6in4 tunnel has none for IPv4, nor has a line that carries IPv6 alone: who
// is not reached by the family that the device is for is reached another way.
func Leads(device string, to netip.Addr) bool {
	r, err := RouteTo(to, netip.Addr{}, device)
	return err == nil && r.Table != 0 // 0: no route, only the device
}

func through(src netip.Addr, device string) (s string) {
	if src.IsValid() {
		s += " from " + src.String()
	}
	if device != "" {
		s += " through " + device
	}
	return s
}

func routeTo(dst, src netip.Addr, device string) (Route, error) {
	if !dst.IsValid() || src.IsValid() && src.Is4() != dst.Is4() {
		return Route{}, unix.EINVAL
	}
	family := uint8(unix.AF_INET)
	if dst.Is6() {
		family = unix.AF_INET6
	}
	head := &nl.RtMsg{RtMsg: unix.RtMsg{Family: family, Dst_len: uint8(dst.BitLen()), Flags: unix.RTM_F_LOOKUP_TABLE}}
	req := nl.NewNetlinkRequest(unix.RTM_GETROUTE, 0)
	req.AddData(head)
	req.AddData(nl.NewRtAttr(unix.RTA_DST, dst.AsSlice()))
	if src.IsValid() {
		head.Src_len = uint8(src.BitLen())
		req.AddData(nl.NewRtAttr(unix.RTA_SRC, src.AsSlice()))
	}
	var link Link
	if device != "" {
		var err error
		if link, err = linkNamed(device); err != nil {
			return Route{}, err
		}
		req.AddData(nl.NewRtAttr(unix.RTA_OIF, nl.Uint32Attr(uint32(link.Index))))
	}
	var m routeMessage
	if err := askOne(req, unix.RTM_NEWROUTE, func(b []byte) error { return parseRoute(b, &m) }); err != nil {
		return Route{}, err
	}
	switch m.kind {
	case unix.RTN_UNREACHABLE:
		return Route{}, unix.EHOSTUNREACH
	case unix.RTN_PROHIBIT:
		return Route{}, unix.EACCES
	case unix.RTN_BLACKHOLE:
		return Route{}, unix.EINVAL
	}
	if len(m.hops) == 0 {
		return Route{}, unix.ENETUNREACH
	}
	r := m.hops[0]
	// For IPv4 and a device but no route the kernel takes any destination to be
	// on the link, and tells no table. Where the far end must be looked for
	// by ARP, that is no route.
	if r.Table == unix.RT_TABLE_UNSPEC && device != "" && !link.PointToPoint {
		return Route{}, unix.ENETUNREACH
	}
	// With a source in the question the kernel repeats it as if it were the
	// route's, and names no preferred one.
	r.From = netip.Prefix{}
	if src.IsValid() {
		r.Src = src
	}
	return r, nil
}

// linkNamed asks for the link of that name.
func linkNamed(name string) (l Link, err error) {
	if len(name) >= unix.IFNAMSIZ {
		return l, unix.ENODEV
	}
	req := nl.NewNetlinkRequest(unix.RTM_GETLINK, 0)
	req.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	req.AddData(nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(name)))
	err = askOne(req, unix.RTM_NEWLINK, func(b []byte) (err error) {
		l, _, err = parseLink(b)
		return err
	})
	return l, err
}

// askOne sends a request that has one answer, over a socket of its own.
func askOne(req *nl.NetlinkRequest, answer uint16, take func(body []byte) error) error {
	var parseErr error
	err := req.ExecuteIter(unix.NETLINK_ROUTE, answer, func(body []byte) bool {
		parseErr = take(body)
		return false
	})
	if err != nil {
		return err
	}
	return parseErr
}
