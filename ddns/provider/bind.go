package provider

import (
	"net/netip"
	"sync/atomic"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/netwatch"
)

// dialer connects to one host on behalf of one origin.
type dialer struct {
	t     *transport
	from  Origin
	bind  string // the account's device, which always holds
	host  string
	port  uint16
	first []byte // what the first attempt may send at once

	refused atomic.Bool // binding to the device was not permitted
}

// binding returns the device and the source address for a destination, either
// of them empty where it does not apply.
func (d *dialer) binding(to netip.Addr) (device string, source netip.Addr) {
	device, source = d.from.Device, d.from.Addr
	switch {
	case d.bind != "":
		if device != d.bind {
			device, source = d.bind, netip.Addr{}
		}
	case isLocal(to):
		return "", netip.Addr{}
	}
	if source.IsValid() && config.FamilyOf(source) != config.FamilyOf(to) {
		source = netip.Addr{}
	}
	if d.t.noDevice.Load() {
		device = ""
	}
	return device, source
}

// leads reports whether the kernel has a route through the device. A 6in4
// tunnel has none for IPv4, nor has a line that carries IPv6 alone: a provider
// who is not reached by the family of the address is reached another way.
func leads(device string, to netip.Addr) bool {
	r, err := netwatch.RouteTo(to, netip.Addr{}, device)
	return err == nil && r.Table != 0 // 0: no route, only the device
}

// isLocal reports whether a destination is on this side of the WAN.
func isLocal(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast()
}
