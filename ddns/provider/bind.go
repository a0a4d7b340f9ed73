package provider

import (
	"net/netip"
	"sync/atomic"

	"github.com/wanbeacon/wanbeacon/ddns/config"
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

// isLocal reports whether a destination is on this side of the WAN.
func isLocal(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast()
}
