package address

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/netwatch"
)

// rank orders what an address is worth to the world, best first.
type rank int

const (
	public  rank = iota
	testnet      // documentation and benchmarking, with allow_private
	private      // private, shared, unique local, with allow_private
	refused
)

// block is one that is not globally routable.
type block struct {
	text string // of the prefix
	rank rank   // what allow_private makes of it
	what string

	first, mask words
}

// words are an address's bits, those of IPv4 the lower 32. Every address is
// compared with every block on the way from event to request.
type words struct{ high, low uint64 }

func wordsOf(a netip.Addr) words {
	if a.Is4() {
		b := a.As4()
		return words{0, uint64(b[0])<<24 | uint64(b[1])<<16 | uint64(b[2])<<8 | uint64(b[3])}
	}
	b := a.As16()
	return words{binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:])}
}

// Prefixes are parsed in a loop: as literals they are 4 kB of code.
func init() {
	for _, list := range [...][]block{special4, special6} {
		for i := range list {
			p := netip.MustParsePrefix(list[i].text)
			host := p.Addr().BitLen() - p.Bits()
			list[i].first = wordsOf(p.Addr())
			// A shift by more than a word has gives 0.
			list[i].mask = words{^uint64(0) << max(host-64, 0), ^uint64(0) << host}
		}
	}
}

const cgnat = "shared by the provider's NAT (CGNAT, RFC 6598)"

// The blocks are those of the IANA special-purpose address registries (RFC 6890
// and its updates), by family.
var special4 = []block{
	{text: "0.0.0.0/8", rank: refused, what: "reserved (this network)"},
	{text: "10.0.0.0/8", rank: private, what: "private (RFC 1918)"},
	{text: "100.64.0.0/10", rank: private, what: cgnat},
	{text: "127.0.0.0/8", rank: refused, what: "loopback"},
	{text: "169.254.0.0/16", rank: refused, what: "link-local"},
	{text: "172.16.0.0/12", rank: private, what: "private (RFC 1918)"},
	{text: "192.0.0.2/32", rank: refused, what: "the router's end of DS-Lite (RFC 6333): IPv4 goes through the provider's NAT"},
	{text: "192.0.0.0/29", rank: refused, what: "the router's end of 464XLAT or DS-Lite (RFC 7335): IPv4 goes through the provider's NAT"},
	{text: "192.0.0.0/24", rank: refused, what: "reserved for IPv4 in IPv6"},
	{text: "192.0.2.0/24", rank: testnet, what: "for documentation (RFC 5737)"},
	{text: "192.88.99.0/24", rank: refused, what: "reserved (6to4 relays)"},
	{text: "192.168.0.0/16", rank: private, what: "private (RFC 1918)"},
	{text: "198.18.0.0/15", rank: testnet, what: "for benchmarking (RFC 2544)"},
	{text: "198.51.100.0/24", rank: testnet, what: "for documentation (RFC 5737)"},
	{text: "203.0.113.0/24", rank: testnet, what: "for documentation (RFC 5737)"},
	{text: "224.0.0.0/4", rank: refused, what: "multicast"},
	{text: "240.0.0.0/4", rank: refused, what: "reserved"},
}

var special6 = []block{
	{text: "fe80::/10", rank: refused, what: "link-local"},
	{text: "fc00::/7", rank: private, what: "unique local (RFC 4193)"},
	{text: "ff00::/8", rank: refused, what: "multicast"},
	{text: "::1/128", rank: refused, what: "loopback"},
	{text: "2001::/32", rank: refused, what: "a Teredo tunnel's"},
	{text: "2001:2::/48", rank: testnet, what: "for benchmarking (RFC 5180)"},
	{text: "2001:10::/28", rank: refused, what: "an identifier, no address (ORCHID)"},
	{text: "2001:20::/28", rank: refused, what: "an identifier, no address (ORCHID)"},
	{text: "2001:db8::/32", rank: testnet, what: "for documentation (RFC 3849)"},
	{text: "3fff::/20", rank: testnet, what: "for documentation (RFC 9637)"},
}

// scopeOf ranks an address by its block alone; reason is "" for a public one
// and says what it is otherwise, even when allowPrivate admits it.
func scopeOf(a netip.Addr, allowPrivate bool) (rank, string) {
	special, isIPv4, w := special6, a.Is4(), wordsOf(a)
	if isIPv4 {
		special = special4
	}
	for i := range special {
		s := &special[i]
		if w.high&s.mask.high == s.first.high && w.low&s.mask.low == s.first.low {
			if allowPrivate {
				return s.rank, s.what
			}
			return refused, s.what
		}
	}
	if isIPv4 || w.high>>61 == 1 { // 2000::/3, RFC 4291 section 2.4
		return public, ""
	}
	return refused, "not global unicast"
}

// Refused says why an address is not to be published, as the end of the
// sentence "ADDRESS is …"; "": it may be.
func Refused(a netip.Addr, allowPrivate bool) string {
	r, what := scopeOf(a, allowPrivate)
	if r == refused {
		return what
	}
	return ""
}

// judge ranks an address of the kernel's at a moment; reason says why it is
// refused, as the end of the sentence "ADDRESS is …". temporary admits addresses
// of the privacy extensions.
func judge(a *netwatch.Addr, allowPrivate, temporary bool, now time.Time) (rank, string) {
	r, what := scopeOf(a.Addr, allowPrivate)
	if r == refused {
		return refused, what
	}
	if a.Scope != 0 {
		return refused, "not of global scope"
	}
	switch f := a.Flags; {
	case f&netwatch.DADFailed != 0:
		return refused, "a duplicate on the link (DAD failed)"
	case f&netwatch.Tentative != 0:
		return refused, "still tentative (duplicate address detection)"
	case f&netwatch.Deprecated != 0 || !a.PreferredUntil.IsZero() && !a.PreferredUntil.After(now):
		return refused, "deprecated"
	case !a.ValidUntil.IsZero() && !a.ValidUntil.After(now):
		return refused, "expired"
	case isTemporary(a) && !temporary:
		return refused, "temporary (privacy extensions)"
	}
	return r, ""
}

// isTemporary says that an address is one of the privacy extensions (RFC 8981).
// The flag's bit means "secondary" for IPv4.
func isTemporary(a *netwatch.Addr) bool {
	return a.Flags&netwatch.Temporary != 0 && a.Addr.Is6()
}

// A way out is a fingerprint (FNV-1a) of everything that decides whether a
// request can leave: the default routes of a family and, if the source has a
// link, that link and its addresses.
const fnvOffset, fnvPrime = 14695981039346656037, 1099511628211

// ways holds the part of each family's fingerprint that all sources share.
type ways struct{ ipv4, ipv6 uint64 }

// routesOut makes the shared part: the default routes and their links.
func routesOut(snap *netwatch.Snapshot) ways {
	w := ways{fnvOffset, fnvOffset}
	for i := range snap.Routes {
		r := &snap.Routes[i]
		h := &w.ipv6
		if r.Dst.Addr().Is4() {
			h = &w.ipv4
		}
		add(h, uint64(r.Link))
		addRoute(h, r)
		if l, ok := snap.LinkByIndex(r.Link); ok {
			addLink(h, l)
		}
	}
	return w
}

// out is the way out of a source for a family, and the line alone: its link,
// with the link's own addresses and default routes. Link 0: it has none.
func (w ways) out(snap *netwatch.Snapshot, f config.Family, link int) (path, line uint64) {
	path, isIPv4 := w.ipv6, f == config.IPv4
	if isIPv4 {
		path = w.ipv4
	}
	if link == 0 {
		return path, 0
	}
	line = fnvOffset
	if l, ok := snap.LinkByIndex(link); ok {
		addLink(&line, l)
	}
	for i := firstOn(snap.Addrs, link); i < len(snap.Addrs) && snap.Addrs[i].Link == link; i++ {
		if a := &snap.Addrs[i]; a.Addr.Is4() == isIPv4 {
			addAddr(&line, a.Addr)
			add(&line, uint64(a.Flags&(netwatch.Tentative|netwatch.Deprecated)))
		}
	}
	for i := range snap.Routes {
		if r := &snap.Routes[i]; r.Link == link && r.Dst.Addr().Is4() == isIPv4 {
			addRoute(&line, r)
		}
	}
	add(&path, line)
	return path, line
}

func addRoute(h *uint64, r *netwatch.Route) {
	add(h, uint64(r.Table)<<32|uint64(r.Metric))
	addAddr(h, r.Gateway)
}

func add(h *uint64, v uint64) { *h = (*h ^ v) * fnvPrime }

func addLink(h *uint64, l netwatch.Link) {
	v := uint64(l.Index) << 2
	if l.Up {
		v |= 1
	}
	if l.Carrier {
		v |= 2
	}
	add(h, v)
}

func addAddr(h *uint64, a netip.Addr) {
	if !a.IsValid() {
		return
	}
	w := wordsOf(a)
	add(h, w.high)
	add(h, w.low)
}
