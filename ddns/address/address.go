// Package address decides which address a source stands for.
//
// It turns a snapshot of the kernel's view (package netwatch), or what an
// outside method found, into the one address per family that is worth
// publishing, and says in words why every other candidate was passed over.
// Everything here is a plain function of its arguments. The package asks nobody
// itself: what it wants to know from beyond the kernel are its [Question]s, and
// the answers are put into it. It never decides when something is published.
//
// Start with [Set]: it holds the configured sources and remembers what each
// one took last, so that a choice stays put while it is still as good.
package address

import (
	"net/netip"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/netwatch"
)

// Answer is what a source says for one family at one moment.
type Answer struct {
	Source    string
	Family    config.Family
	Addr      netip.Addr // zero: no address worth publishing
	Method    string     // the method that found it, e.g. "interface"
	By        string     // who told it, if not the kernel: "NAT-PMP at 192.168.1.1"
	Announced bool       // who told it did so by itself, upon the change
	From      netip.Addr // address of ours that requests leave from; zero: the kernel's choice
	Interface string     // kernel device; "" if none is involved or known
	Named     bool       // requests are bound to the interface: the configuration names it, or it is in a VRF
	Unrouted  bool       // requests are bound to an interface that has no default route, in any table (IPv4)
	Offline   bool       // no default route leads out through the interface
	Untold    bool       // OpenWrt has not said yet which device it is; it does in a moment
	Note      string     // why there is no address, or a remark about the one taken
	Path      uint64     // changes whenever the way out through this source changes
	Line      uint64     // likewise, but of its own interface alone; 0: none is involved
}

// Candidate is one address that was considered for a source.
type Candidate struct {
	Addr      netip.Addr
	Bits      int
	Interface string
	Tunnel    string // what the interface is, if it is a tunnel
	Taken     bool
	Reason    string // why it was passed over; "" for the one taken
}

// Set is the configured sources with their memory. It is not safe for
// concurrent use: its owner is the goroutine that publishes.
type Set struct {
	sources   []*source
	questions []Question
}

type source struct {
	*config.Source
	taken  [2]netip.Addr  // by index
	remark [2]remark      // likewise
	found  map[slot]found // beyond the kernel
	absent string         // why Network has no device; Interface is what it has
}

// NewSet returns the set of the given sources.
func NewSet(sources []config.Source) *Set {
	s := new(Set)
	for _, c := range sources {
		s.sources = append(s.sources, &source{Source: &c, found: map[slot]found{}})
	}
	return s
}

// Inherit takes over what the sources of old that are configured alike took
// last and found outside, for a reload.
func (s *Set) Inherit(old *Set) {
	for _, n := range s.sources {
		for _, o := range old.sources {
			if n.Name == o.Name && same(*n.Source, *o.Source) {
				*n = *o
			}
		}
	}
}

func same(a, b config.Source) bool {
	if len(a.Command) != len(b.Command) {
		return false
	}
	for i := range a.Command {
		if a.Command[i] != b.Command[i] {
			return false
		}
	}
	a.Command, b.Command = nil, nil
	return sameButCommand(a) == sameButCommand(b)
}

// sameButCommand is the comparable part of a source.
func sameButCommand(s config.Source) any {
	if s.Network != "" {
		s.Interface = "" // follows
	}
	return [...]any{s.Name, s.Method, s.Interface, s.Network, s.AllowPrivate, s.Temporary, s.Suffix, s.MAC, s.IPv4, s.IPv6, s.URL, s.Pattern}
}

// Remember tells the set which address of a source was published before the
// program started, so that it is preferred while it is still as good.
func (s *Set) Remember(name string, addr netip.Addr) {
	for _, src := range s.sources {
		if src.Name == name {
			src.taken[index(config.FamilyOf(addr))] = addr
		}
	}
}

// Answers gives each source's answer for both families, in the order of the
// configuration, IPv4 first.
func (s *Set) Answers(snap *netwatch.Snapshot) []Answer {
	answers := make([]Answer, 0, 2*len(s.sources))
	s.questions = nil
	routes := routesOut(snap)
	for _, src := range s.sources {
		for _, f := range [...]config.Family{config.IPv4, config.IPv6} {
			a := src.choose(snap, routes, f, nil, &s.questions)
			if a.Addr.IsValid() {
				src.taken[index(f)] = a.Addr
			}
			answers = append(answers, a)
		}
	}
	return answers
}

// Explain gives every address that was considered for the named source, in
// the kernel's order, and the answers themselves. It changes nothing.
func (s *Set) Explain(snap *netwatch.Snapshot) (map[string][]Candidate, []Answer) {
	all := make(map[string][]Candidate)
	var answers []Answer
	for _, src := range s.sources {
		for _, f := range [...]config.Family{config.IPv4, config.IPv6} {
			var list []Candidate
			answers = append(answers, src.choose(snap, routesOut(snap), f, &list, nil))
			all[src.Name] = append(all[src.Name], list...)
		}
	}
	return all, answers
}

// choose finds the source's answer for a family; list, if not nil, receives
// every candidate with the reason why it was passed over, and ask what is to be
// asked beyond the kernel.
func (s *source) choose(snap *netwatch.Snapshot, routes ways, f config.Family, list *[]Candidate, ask *[]Question) Answer {
	a := Answer{Source: s.Name, Family: f, Method: s.Method, Untold: s.untold()}
	switch s.Method {
	case "static":
		a.Addr = s.static(f)
		a.Path, _ = routes.out(snap, f, 0)
		if !a.Addr.IsValid() {
			a.Note = "no " + f.String() + " address configured"
		} else if list != nil {
			*list = append(*list, Candidate{Addr: a.Addr, Bits: a.Addr.BitLen(), Taken: true})
		}
	case Command:
		a.Path = s.anyWay(snap, routes, f)
		place := Place{Kind: Command, Source: s.Source}
		s.fromCommand(&a, s.at(place), list)
		if f == config.IPv4 { // one question for both families
			put(ask, Question{Place: place, Path: a.Path + 31*s.anyWay(snap, routes, config.IPv6), Poll: true})
		}
	case Host:
		s.fromHost(snap, routes, &a, list)
	default:
		a.Method = "interface"
		s.fromInterface(snap, routes, &a, list)
		a.From = a.Addr
		switch {
		case s.Method == "auto" && !a.Addr.IsValid(), s.Method == Echo,
			s.Method == Upstream && f == config.IPv4: // IPv6 routers have no address for others
			s.beyond(snap, &a, list, ask)
		}
	}
	return a
}

// anyWay is the way out of a source that has no device: by the default route,
// with the addresses there, as a new one is a reason to ask again.
func (s *source) anyWay(snap *netwatch.Snapshot, routes ways, f config.Family) uint64 {
	link, _ := s.link(snap, f)
	path, _ := routes.out(snap, f, link.Index)
	return path
}

// index is a family's place in an array.
func index(f config.Family) int {
	if f == config.IPv6 {
		return 1
	}
	return 0
}

func (s *source) static(f config.Family) netip.Addr {
	if f == config.IPv4 {
		return s.IPv4
	}
	return s.IPv6
}

// fromInterface answers with an address that the kernel has.
func (s *source) fromInterface(snap *netwatch.Snapshot, routes ways, a *Answer, list *[]Candidate) {
	link, why := s.link(snap, a.Family)
	a.Interface, a.Named = link.Name, s.named() || inVRF(snap, link)
	if a.Named && !link.PointToPoint && !routed(snap, link.Index, a.Family) {
		a.Unrouted, a.Offline = a.Family == config.IPv4, s.named()
	}
	a.Path, a.Line = routes.out(snap, a.Family, link.Index)
	if why != "" {
		a.Note = why
		if list == nil {
			return
		}
	}
	best, note := s.pick(snap, link, why, a.Family, list)
	if why == "" {
		a.Addr, a.Note = best, note
	}
}

// explain lists the kernel's addresses of a family with the reason for each
// that was not taken. It is off the path from event to request.
func (s *source) explain(snap *netwatch.Snapshot, link netwatch.Link, down string, f config.Family, best *netwatch.Addr, bestRank rank, list *[]Candidate) {
	for i := range snap.Addrs {
		addr := &snap.Addrs[i]
		if config.FamilyOf(addr.Addr) != f {
			continue
		}
		on, _ := snap.LinkByIndex(addr.Link)
		c := Candidate{Addr: addr.Addr, Bits: addr.Bits, Interface: on.Name, Tunnel: tunnel(on)}
		r, reason := judge(addr, s.AllowPrivate, s.Temporary, snap.At)
		switch {
		case addr.Link != link.Index && link.Name == "":
			c.Reason = down
		case addr.Link != link.Index:
			c.Reason = "not on " + link.Name
		case r == refused:
			c.Reason = reason
		case down != "":
			c.Reason = down
		case addr == best:
			c.Taken = true
		case r > bestRank:
			c.Reason = "a globally routable address comes first"
		case s.Temporary && isTemporary(best) && !isTemporary(addr):
			c.Reason = best.Addr.String() + " is preferred (temporary)"
		case best.Addr == s.taken[index(f)]:
			c.Reason = best.Addr.String() + " was taken before and is still as good"
		default:
			c.Reason = best.Addr.String() + " is preferred (" + preference(addr, best) + ")"
		}
		*list = append(*list, c)
	}
}

// named reports whether the source is bound to one device.
func (s *source) named() bool {
	return s.Network != "" || s.Interface != "" && s.Interface != "auto"
}

// link finds the device of a source, and says why it cannot be used now.
func (s *source) link(snap *netwatch.Snapshot, f config.Family) (netwatch.Link, string) {
	if why := s.noDevice(); why != "" {
		return netwatch.Link{}, why
	}
	if s.named() {
		l, ok := snap.LinkByName(s.Interface)
		switch {
		case !ok:
			return netwatch.Link{Name: s.Interface}, "there is no interface " + s.Interface
		case !l.Up:
			return l, s.Interface + " is down"
		case !l.Carrier:
			return l, s.Interface + " has no carrier"
		}
		return l, ""
	}
	// The kernel prefers by metric within a table; the main table speaks for
	// the router itself, the others (several WANs, VRFs) only when it is silent.
	var best *netwatch.Route
	var on netwatch.Link
	for i := range snap.Routes {
		r := &snap.Routes[i]
		if r.Dst.Addr().Is4() != (f == config.IPv4) {
			continue
		}
		l, ok := snap.LinkByIndex(r.Link)
		if !ok || !l.Up || !l.Carrier || l.Loopback {
			continue
		}
		if best == nil || inMain(r) && !inMain(best) || inMain(r) == inMain(best) && r.Metric < best.Metric {
			best, on = r, l
		}
	}
	if best == nil {
		return netwatch.Link{}, "no interface has an " + f.String() + " default route"
	}
	return on, ""
}

// routed says whether a link has a default route of a family.
func routed(snap *netwatch.Snapshot, link int, f config.Family) bool {
	for i := range snap.Routes {
		if r := &snap.Routes[i]; r.Link == link && r.Dst.Addr().Is4() == (f == config.IPv4) {
			return true
		}
	}
	return false
}

// inVRF says whether only sockets that are bound to the link get out by it.
func inVRF(snap *netwatch.Snapshot, link netwatch.Link) bool {
	if link.Master == 0 {
		return false
	}
	master, _ := snap.LinkByIndex(link.Master)
	return master.Kind == "vrf"
}

func inMain(r *netwatch.Route) bool { return r.Table == mainTable }

const mainTable = 254 // RT_TABLE_MAIN, rtnetlink(7)

func preference(a, best *netwatch.Addr) string {
	switch {
	case a.Flags&netwatch.Secondary != best.Flags&netwatch.Secondary:
		return "this one is secondary"
	case !a.PreferredUntil.Equal(best.PreferredUntil):
		return "longer preferred lifetime"
	}
	return "lowest address"
}
