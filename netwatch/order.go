package netwatch

import (
	"cmp"
	"net/netip"
	"sort"
	"time"
)

// slack is by how much a lifetime's end may differ and still be the same: the
// kernel tells lifetimes in whole seconds, rounded down.
const slack = 2 * time.Second

// sameAddr tells whether b says of an address what a, seen earlier, has said.
func sameAddr(a, b *Addr, now time.Time) bool {
	same := a.Addr == b.Addr && a.Link == b.Link && a.Bits == b.Bits && a.Peer == b.Peer &&
		a.Scope == b.Scope && a.Flags == b.Flags
	return same && sameDeadline(a.PreferredUntil, b.PreferredUntil, now) && sameDeadline(a.ValidUntil, b.ValidUntil, now)
}

// sameDeadline tells whether two ends of a lifetime are the same to a reader.
// An end that has passed stays the same however often it is told again.
func sameDeadline(a, b, now time.Time) bool {
	if a.IsZero() || b.IsZero() {
		return a.IsZero() && b.IsZero()
	}
	if !a.After(now) && !b.After(now) {
		return true
	}
	return a.Sub(b).Abs() <= slack
}

// compareAddrs orders by what the kernel takes for the identity of an
// address, and is 0 for the same one. IPv4 allows an address again on the same
// link with another prefix length or far end; IPv6 does not, and may change both.
func compareAddrs(a, b *Addr) int {
	if c := cmp.Or(cmp.Compare(a.Link, b.Link), a.Addr.Compare(b.Addr)); c != 0 || !a.Addr.Is4() {
		return c
	}
	return cmp.Or(cmp.Compare(a.Bits, b.Bits), a.Peer.Compare(b.Peer))
}

// compareRoutes orders by family, table, metric and then the rest, and is 0
// for equal routes only.
func compareRoutes(a, b *Route) int {
	if c := cmp.Or(
		cmp.Compare(a.Dst.Addr().BitLen(), b.Dst.Addr().BitLen()),
		cmp.Compare(a.Table, b.Table),
		cmp.Compare(a.Metric, b.Metric),
		comparePrefixes(a.From, b.From),
	); c != 0 {
		return c
	}
	return cmp.Or(
		cmp.Compare(a.Link, b.Link),
		a.Gateway.Compare(b.Gateway),
		a.Src.Compare(b.Src),
		comparePrefixes(a.Dst, b.Dst),
	)
}

func comparePrefixes(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}

// findLink, findAddr and findRoute tell where something is in its sorted table,
// or where it belongs.

func findLink(links []Link, index int) (at int, found bool) {
	high := len(links)
	for at < high { // without a function for each comparison: all lookups come here
		if mid := (at + high) / 2; links[mid].Index < index {
			at = mid + 1
		} else {
			high = mid
		}
	}
	return at, at < len(links) && links[at].Index == index
}

func findAddr(addrs []Addr, a *Addr) (at int, found bool) {
	at = sort.Search(len(addrs), func(i int) bool { return compareAddrs(&addrs[i], a) >= 0 })
	return at, at < len(addrs) && compareAddrs(&addrs[at], a) == 0
}

func findRoute(routes []Route, r *Route) (at int, found bool) {
	at = sort.Search(len(routes), func(i int) bool { return compareRoutes(&routes[i], r) >= 0 })
	return at, at < len(routes) && routes[at] == *r
}
