// Package netwatch tells what the Linux kernel knows about this machine's
// network: its links, its addresses and its default routes, and where it finds
// the hosts that one asks for, as whole snapshots, at once when they change.
//
// It never hands out events. An event only means that something is different
// now, and can be lost, doubled or late; a [Snapshot] is the truth of one
// moment. It never decides which address is fit to publish, never touches the
// network, and never wakes up while nothing happens.
//
// Start with [Open] and read the channel:
//
//	w, err := netwatch.Open(log.Printf)
//	if err != nil {
//		return err
//	}
//	defer w.Close()
//	for s := range w.Snapshots() {
//		for _, a := range s.Addrs {
//			fmt.Println(a.Link, a.Addr, a.Flags)
//		}
//	}
//
// Programs that want to look only once use [Take], and [RouteTo] asks the
// kernel how it would reach a destination, policy routing included.
//
// Everything is about the network namespace of the thread that called Open,
// Take or RouteTo.
package netwatch

import (
	"net/netip"
	"time"
)

// Snapshot is what the kernel knew at one moment. It and its slices are never
// changed after publication, and snapshots share the slices that did not
// change from one to the next; so must not be changed by readers either.
type Snapshot struct {
	Seq    uint64    // grows by one with each published snapshot
	At     time.Time // when it was put together
	Links  []Link    // by Index
	Addrs  []Addr    // by Link, then Addr
	Routes []Route   // default routes (0.0.0.0/0, ::/0), by family, table, metric

	Neighbors []Neighbor // of the hosts that were asked for
}

// Link is a network interface.
type Link struct {
	Index        int // new for each creation, also under an old name
	Name         string
	Up           bool   // IFF_UP: switched on by the administrator
	Carrier      bool   // IFF_LOWER_UP: the physical or lower layer is there
	Loopback     bool   // IFF_LOOPBACK
	PointToPoint bool   // IFF_POINTOPOINT
	Master       int    // index of the bridge, bond or VRF it belongs to, or 0
	Kind         string // IFLA_INFO_KIND, such as "sit", "wireguard", "bridge"; "" of hardware
}

// Addr is an address of ours on a link.
type Addr struct {
	Link  int        // index of the link
	Addr  netip.Addr // ours, without zone
	Bits  int        // prefix length; with a Peer it belongs to the Peer
	Peer  netip.Addr // the far end of a point-to-point link, else the zero Addr
	Scope uint8      // RT_SCOPE_*: 0 universe, 200 site, 253 link, 254 host

	// Flags are the kernel's, except that Deprecated is set too wherever the
	// preferred lifetime is zero: after a router advertisement the kernel
	// shows such an address without the flag for some microseconds.
	Flags Flags

	// PreferredUntil and ValidUntil are when the lifetimes end; the zero Time
	// is forever. They are good to about two seconds. PreferredUntil is not
	// after the snapshot if the lifetime was zero.
	PreferredUntil, ValidUntil time.Time
}

// Route is a unicast route, one per next hop. Snapshots hold the default
// routes of every table but local (255).
type Route struct {
	Dst     netip.Prefix
	From    netip.Prefix // IPv6: only for packets from there; else the zero Prefix
	Table   uint32       // 254 is main
	Metric  uint32       // less is better
	Link    int          // index of the outgoing link
	Gateway netip.Addr   // zero if the destination is on the link; may be IPv6 for an IPv4 route
	Src     netip.Addr   // preferred source address, if the route names one
}

// LinkByName gives the link that has the name now.
func (s *Snapshot) LinkByName(name string) (Link, bool) {
	for i := range s.Links {
		if s.Links[i].Name == name {
			return s.Links[i], true
		}
	}
	return Link{}, false
}

// LinkByIndex gives the link with the kernel's index i.
func (s *Snapshot) LinkByIndex(i int) (Link, bool) {
	at, ok := findLink(s.Links, i)
	if !ok {
		return Link{}, false
	}
	return s.Links[at], true
}
