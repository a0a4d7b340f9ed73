package netwatch

import (
	"net/netip"
	"sort"
	"time"

	"golang.org/x/sys/unix"
)

// families is a set of address families.
type families uint8

const (
	family4 families = 1 << iota
	family6

	bothFamilies = family4 | family6
)

func familyOf(a netip.Addr) families {
	if a.Is4() {
		return family4
	}
	return family6
}

// mirror is our copy of the kernel's tables, kept by applying its messages in
// their order. It holds no socket and no clock.
type mirror struct {
	links  []Link
	addrs  []Addr
	routes []Route

	neighbors []Neighbor // of follow
	follow    []MAC

	// Which tables differ from the last snapshot.
	newLinks, newAddrs, newRoutes, newNeighbors bool

	// The kernel drops routes silently: with the link that goes down, with
	// the last IPv4 address of a link, with their preferred source. Default
	// routes of these families may be gone, and must be read again before
	// anybody is told that they exist.
	suspect families

	// Default routes of these families changed in ways that a message does
	// not tell fully (siblings, replacements, revived next hops): read again
	// after the news is out.
	confirm families

	last  *Snapshot
	route routeMessage // reused
}

// apply takes one message of the kernel. An error means that it was not
// understood, and that the mirror may differ from the kernel now.
func (m *mirror) apply(msg message, now time.Time) error {
	switch msg.kind {
	case unix.RTM_NEWADDR, unix.RTM_DELADDR:
		a, ok, err := parseAddr(msg.body, now)
		if err != nil || !ok {
			return err
		}
		if msg.kind == unix.RTM_NEWADDR {
			m.setAddr(a, now)
		} else {
			m.dropAddr(a)
		}
	case unix.RTM_NEWROUTE, unix.RTM_DELROUTE:
		if !isDefault(msg.body) {
			return nil
		}
		if err := parseRoute(msg.body, &m.route); err != nil {
			return err
		}
		m.changeRoute(msg)
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		l, ok, err := parseLink(msg.body)
		if err != nil || !ok {
			return err
		}
		if msg.kind == unix.RTM_DELLINK {
			m.dropLink(l.Index)
		} else if l.Name != "" {
			m.setLink(l)
		}
	case unix.RTM_NEWNEIGH:
		n, ok, err := parseNeighbor(msg.body)
		if err != nil || !ok {
			return err
		}
		m.setNeighbor(&n)
	}
	return nil
}

func (m *mirror) setAddr(a Addr, now time.Time) {
	at, found := findAddr(m.addrs, &a)
	if !found {
		m.addrs = append(m.addrs, a)
		copy(m.addrs[at+1:], m.addrs[at:])
		m.addrs[at] = a
		m.newAddrs = true
		return
	}
	// What is the same within the slack keeps its first deadlines, so that
	// many small steps cannot drift away from what was published.
	if !sameAddr(&m.addrs[at], &a, now) {
		m.addrs[at] = a
		m.newAddrs = true
	}
}

func (m *mirror) dropAddr(a Addr) {
	at, found := findAddr(m.addrs, &a)
	if found {
		m.addrs = append(m.addrs[:at], m.addrs[at+1:]...)
		m.newAddrs = true
	}
	family := familyOf(a.Addr)
	for _, r := range m.routes {
		if (r.Link == a.Link && familyOf(r.Dst.Addr()) == family) || r.Src == a.Addr {
			m.suspect |= family
			return
		}
	}
}

func (m *mirror) setLink(l Link) {
	at, found := findLink(m.links, l.Index)
	if !found {
		m.links = append(m.links, l)
		copy(m.links[at+1:], m.links[at:])
		m.links[at] = l
		m.newLinks = true
		return
	}
	old := m.links[at]
	if old == l {
		return
	}
	m.links[at] = l
	m.newLinks = true
	if old.Up && !l.Up || old.Master != l.Master {
		m.suspectLink(l.Index)
	}
	if !old.Up && l.Up {
		m.confirm = bothFamilies // next hops of multipath routes come back silently
	}
}

func (m *mirror) dropLink(index int) {
	at, found := findLink(m.links, index)
	if found {
		m.links = append(m.links[:at], m.links[at+1:]...)
		m.newLinks = true
	}
	m.suspectLink(index)
	addrs := m.addrs[:0]
	for _, a := range m.addrs {
		if a.Link != index {
			addrs = append(addrs, a)
		}
	}
	m.newAddrs = m.newAddrs || len(m.addrs) != len(addrs)
	m.addrs = addrs
	m.dropRoutes(func(r *Route) bool { return r.Link == index })
	m.dropNeighbors(func(n *Neighbor) bool { return n.Link == index })
}

// dropRoutes takes out the routes that gone says so of.
func (m *mirror) dropRoutes(gone func(r *Route) bool) {
	routes := m.routes[:0]
	for i := range m.routes {
		if !gone(&m.routes[i]) {
			routes = append(routes, m.routes[i])
		}
	}
	m.newRoutes = m.newRoutes || len(m.routes) != len(routes)
	m.routes = routes
}

// suspectLink casts doubt on the default routes through a link.
func (m *mirror) suspectLink(index int) {
	for _, r := range m.routes {
		if r.Link == index {
			m.suspect |= familyOf(r.Dst.Addr())
		}
	}
}

// changeRoute applies the default route in m.route.
func (m *mirror) changeRoute(msg message) {
	common := m.route.common
	if !m.route.inSnapshots() {
		return
	}
	m.confirm |= familyOf(common.Dst.Addr())
	if msg.kind == unix.RTM_DELROUTE {
		for _, r := range m.route.hops {
			if at, found := findRoute(m.routes, &r); found {
				m.routes = append(m.routes[:at], m.routes[at+1:]...)
				m.newRoutes = true
			}
		}
		return
	}
	if msg.flags&unix.NLM_F_REPLACE != 0 {
		m.dropRoutes(func(r *Route) bool {
			for _, hop := range m.route.hops {
				if *r == hop {
					return false
				}
			}
			return r.Dst == common.Dst && r.From == common.From && r.Table == common.Table && r.Metric == common.Metric
		})
	}
	for _, r := range m.route.hops {
		m.setRoute(r)
	}
}

func (m *mirror) setRoute(r Route) {
	if at, found := findRoute(m.routes, &r); !found {
		m.routes = append(m.routes, r)
		copy(m.routes[at+1:], m.routes[at:])
		m.routes[at] = r
		m.newRoutes = true
	}
}

// inSnapshots tells whether the message is about a default route outside the
// local table, and drops the next hops that are not of a unicast route: a
// message about a route of another type may still replace one.
func (m *routeMessage) inSnapshots() bool {
	if m.common.Dst != default4 && m.common.Dst != default6 || m.common.Table == unix.RT_TABLE_LOCAL {
		return false
	}
	if m.kind != unix.RTN_UNICAST {
		m.hops = m.hops[:0]
	}
	return true
}

// replaceLinks, replaceAddrs and replaceRoutes take a whole table as the
// kernel has just told it, and note whether that changes anything. They sort
// with sort.Slice, and write out what package slices has: its functions are
// compiled once for each type, which is 12 kB of a router's flash for SortFunc.

func (m *mirror) replaceLinks(links []Link) {
	sort.Slice(links, func(i, j int) bool { return links[i].Index < links[j].Index })
	same := len(m.links) == len(links)
	for i := 0; same && i < len(links); i++ {
		same = m.links[i] == links[i]
	}
	if !same {
		m.links, m.newLinks = links, true
	}
}

func (m *mirror) replaceAddrs(addrs []Addr, now time.Time) {
	sort.Slice(addrs, func(i, j int) bool { return compareAddrs(&addrs[i], &addrs[j]) < 0 })
	changed := false
	once := addrs[:0]
	for _, a := range addrs {
		if n := len(once); n > 0 && compareAddrs(&once[n-1], &a) == 0 {
			continue
		}
		at, found := findAddr(m.addrs, &a)
		if found && sameAddr(&m.addrs[at], &a, now) {
			a = m.addrs[at]
		} else {
			changed = true
		}
		once = append(once, a)
	}
	addrs = once
	if changed || len(addrs) != len(m.addrs) {
		m.addrs, m.newAddrs = addrs, true
	}
}

func (m *mirror) replaceRoutes(which families, routes []Route) {
	for _, r := range m.routes {
		if familyOf(r.Dst.Addr())&which == 0 {
			routes = append(routes, r)
		}
	}
	sort.Slice(routes, func(i, j int) bool { return compareRoutes(&routes[i], &routes[j]) < 0 })
	once := routes[:0]
	same := true
	for _, r := range routes {
		n := len(once)
		if n > 0 && once[n-1] == r {
			continue
		}
		same = same && n < len(m.routes) && m.routes[n] == r
		once = append(once, r)
	}
	if !same || len(once) != len(m.routes) {
		m.routes, m.newRoutes = once, true
	}
}

// snapshot gives the next snapshot, or nil if nothing differs from the last.
// It shares with the last one what has not changed.
func (m *mirror) snapshot(now time.Time) *Snapshot {
	if m.last != nil && !m.newLinks && !m.newAddrs && !m.newRoutes && !m.newNeighbors {
		return nil
	}
	s := &Snapshot{Seq: 1, At: now}
	if last := m.last; last != nil {
		s.Seq, s.Links, s.Addrs, s.Routes, s.Neighbors = last.Seq+1, last.Links, last.Addrs, last.Routes, last.Neighbors
	}
	if m.newLinks {
		s.Links = append([]Link(nil), m.links...)
	}
	if m.newAddrs {
		s.Addrs = append([]Addr(nil), m.addrs...)
	}
	if m.newRoutes {
		s.Routes = append([]Route(nil), m.routes...)
	}
	if m.newNeighbors {
		s.Neighbors = append([]Neighbor(nil), m.neighbors...)
	}
	m.newLinks, m.newAddrs, m.newRoutes, m.newNeighbors = false, false, false, false
	m.last = s
	return s
}
