package address

import "github.com/wanbeacon/wanbeacon/netwatch"

// tunnel says of a link that is a tunnel which kind it is, by the kernel's name
// of its driver; "": it is none, or looks like none.
func tunnel(l netwatch.Link) string {
	switch l.Kind {
	case "sit":
		return "6in4 tunnel"
	case "wireguard":
		return "WireGuard tunnel"
	case "ip6tnl":
		return "tunnel in IPv6 (DS-Lite, MAP-E)"
	case "gre", "ip6gre", "ipip", "vti", "vti6", "xfrm":
		return l.Kind + " tunnel"
	case "tun":
		return "tunnel of a program (VPN, 464XLAT)"
	}
	return ""
}
