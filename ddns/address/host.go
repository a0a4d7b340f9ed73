package address

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/netwatch"
)

// Host is the method of an IPv6 host behind this router. Its prefix is that of
// an address which the router itself has on the link to it; the rest is either
// the source's suffix, or what the neighbour table shows of its hardware address.
const Host = "host"

// Hosts are the hardware addresses whose neighbours the sources need.
func Hosts(sources []config.Source) []netwatch.MAC {
	var list []netwatch.MAC
	for i := range sources {
		if m, ok := hardware(&sources[i]); ok {
			list = append(list, m)
		}
	}
	return list
}

// hardware is a source's hardware address, if it has one.
func hardware(s *config.Source) (m netwatch.MAC, ok bool) {
	for i, part := range strings.Split(s.MAC, ":") {
		b, err := strconv.ParseUint(part, 16, 8)
		if err != nil || i >= len(m) {
			return m, false
		}
		m[i] = byte(b)
	}
	return m, true
}

// fromHost answers with the address of a host on the source's link.
//
// The link may be down: IPv6 addresses, and so the prefix, go by themselves
// then. A prefix counts while the router's address in it is tentative, or
// found to be somebody else's: that concerns the router's address alone.
func (s *source) fromHost(snap *netwatch.Snapshot, routes ways, a *Answer, list *[]Candidate) {
	a.Interface = s.Interface
	a.Path, _ = routes.out(snap, a.Family, 0)
	link, ok := snap.LinkByName(s.Interface)
	switch {
	case a.Family == config.IPv4:
		a.Note = "a host of the LAN is published by IPv6 alone"
		return
	case s.noDevice() != "":
		a.Note = s.noDevice()
		return
	case !ok:
		a.Note = "there is no interface " + s.Interface
		return
	}
	h := host{link: link.Index, suffix: s.Suffix, name: s.MAC, taken: s.taken[index(config.IPv6)]}
	h.mac, _ = hardware(s.Source)
	var best, current netwatch.Addr // the router's, in the prefix
	bestRank, curRank := refused, refused
	note := "no IPv6 prefix on " + link.Name
	for _, on := range snap.Addrs {
		if on.Link != link.Index || !on.Addr.Is6() || on.Addr.IsLinkLocalUnicast() {
			continue
		}
		shown := on.Addr
		rank, reason := judgePrefix(on, s.AllowPrivate, snap.At)
		if rank < refused {
			addr, none := h.in(snap, on)
			if none != "" {
				rank, reason = refused, none
			} else if shown = addr; addr == h.taken {
				current, curRank = on, rank
			}
		}
		if list != nil {
			*list = append(*list, Candidate{Addr: shown, Bits: on.Bits, Interface: link.Name, Reason: reason})
		}
		if rank == refused && bestRank == refused {
			note = "prefix " + prefixOf(on).String() + ": " + reason
		}
		if rank < bestRank || rank < refused && rank == bestRank && better(&on, &best, false) {
			best, bestRank = on, rank
		}
	}
	if curRank < refused && curRank == bestRank && asGood(&current, &best, snap.At) {
		best = current
	}
	if bestRank == refused {
		a.Note = note
	} else {
		a.Addr, _ = h.in(snap, best)
	}
	if list != nil {
		h.explain(snap, a.Addr, best, list)
	}
}

func prefixOf(on netwatch.Addr) netip.Prefix { return netip.PrefixFrom(on.Addr, on.Bits).Masked() }

// judgePrefix ranks the prefix of an address of the router's.
func judgePrefix(on netwatch.Addr, allowPrivate bool, now time.Time) (rank, string) {
	on.Flags &^= netwatch.Tentative | netwatch.DADFailed | netwatch.Temporary
	r, reason := judge(&on, allowPrivate, false, now)
	if r < refused && (on.Bits > 64 || on.Peer.IsValid()) {
		return refused, "too long for hosts to have addresses in it"
	}
	return r, reason
}

// host is what identifies the host of a source.
type host struct {
	link   int
	suffix netip.Addr // or:
	mac    netwatch.MAC
	name   string     // mac as the configuration has it
	taken  netip.Addr // before
}

// in is the host's address in the prefix of one of the router's own; reason
// says why there is none.
func (h *host) in(snap *netwatch.Snapshot, on netwatch.Addr) (addr netip.Addr, reason string) {
	if h.suffix.IsValid() {
		return h.withSuffix(on)
	}
	prefix, best := prefixOf(on), 0
	take := func(a netip.Addr, state netwatch.Presence) {
		if worth := h.worth(a, state); prefix.Contains(a) && worth > best {
			addr, best = a, worth
		}
	}
	made := fromMAC(on.Addr, h.mac)
	madeIs, takenIs := netwatch.Gone, netwatch.Unsure
	if h.taken.IsValid() && fromMAC(h.taken, h.mac) == h.taken {
		madeIs = netwatch.There // it was so in another prefix
	}
	for _, n := range snap.Neighbors {
		if n.Link == h.link && n.MAC == h.mac && n.Addr.IsLinkLocalUnicast() && fromMAC(n.Addr, h.mac) == n.Addr {
			madeIs = min(madeIs, n.State) // a host makes all its addresses alike
		}
	}
	for _, n := range snap.Neighbors {
		if n.Link != h.link || n.MAC != h.mac {
			continue
		}
		switch n.Addr {
		case made:
			madeIs = n.State
		case h.taken:
			takenIs = n.State
		default:
			take(n.Addr, n.State)
		}
	}
	if h.taken.IsValid() && h.taken != made {
		take(h.taken, takenIs)
	}
	if take(made, madeIs); !addr.IsValid() {
		return addr, "host " + h.name + " has not been seen with an address in it"
	}
	return addr, ""
}

// worth orders a host's addresses; 0: not to be taken. Which of them come and
// go for privacy's sake does not show. Surely none that is made from the
// hardware address (RFC 4291 appendix A), hardly one that somebody assigned,
// since its last 64 bits begin with zeros, and rather not the one known for the
// longest, which is seen first. What was taken before stays while it is as
// good, and, even if the host does not answer there, while it answers nowhere else.
func (h *host) worth(a netip.Addr, state netwatch.Presence) int {
	b := a.As16()
	kind := 20
	switch {
	case fromMAC(a, h.mac) == a:
		kind = 40
	case b[8]|b[9]|b[10]|b[11] == 0:
		kind = 30
	}
	taken := a == h.taken
	switch {
	case state == netwatch.There && taken, state == netwatch.Unsure && taken:
		return kind + 5
	case state == netwatch.There:
		return kind
	case taken:
		return 2
	case state == netwatch.Unsure:
		return 1
	}
	return 0
}

// withSuffix joins the suffix with the /64 of the router's address. A suffix
// longer than 64 bits chooses another /64 of a shorter prefix.
func (h *host) withSuffix(on netwatch.Addr) (netip.Addr, string) {
	p, s := on.Addr.As16(), h.suffix.As16()
	bits := 64
	for _, b := range s[:8] {
		if b != 0 {
			bits = on.Bits
		}
	}
	for i := range s {
		if mask := byte(0xff << max(0, min(8, 8*(i+1)-bits))); s[i]&mask != 0 {
			return netip.Addr{}, "the suffix is longer than the prefix leaves room for"
		} else {
			s[i] |= p[i] & mask
		}
	}
	return netip.AddrFrom16(s), ""
}

// fromMAC is the address that a host with this hardware address makes in the
// /64 of a.
func fromMAC(a netip.Addr, m netwatch.MAC) netip.Addr {
	b := a.As16()
	copy(b[8:], []byte{m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]})
	return netip.AddrFrom16(b)
}

// explain marks the address that was taken and says why each other was not.
func (h *host) explain(snap *netwatch.Snapshot, addr netip.Addr, best netwatch.Addr, list *[]Candidate) {
	for i := range *list {
		switch c := &(*list)[i]; {
		case c.Reason != "":
		case c.Addr == addr:
			c.Taken = true
		default:
			c.Reason = "prefix " + prefixOf(best).String() + " is preferred"
		}
	}
	for _, n := range snap.Neighbors {
		c := Candidate{Addr: n.Addr, Bits: n.Addr.BitLen()}
		known := n.Link != h.link || n.MAC != h.mac
		for _, o := range *list {
			known = known || o.Addr == n.Addr
		}
		if known {
			continue
		}
		link, _ := snap.LinkByIndex(n.Link)
		c.Interface = link.Name
		switch {
		case n.Addr.IsLinkLocalUnicast():
			c.Reason = "link-local"
		case n.State == netwatch.Gone:
			c.Reason = "the host does not answer there"
		case addr.IsValid() && prefixOf(best).Contains(n.Addr):
			c.Reason = addr.String() + " is preferred (less likely a privacy address)"
		default:
			c.Reason = "not in a prefix that is used"
		}
		*list = append(*list, c)
	}
}
