package netwatch

import (
	"net/netip"
	"slices"
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

	// Which tables differ from the last snapshot.
	newLinks, newAddrs, newRoutes bool

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
	}
	return nil
}

func (m *mirror) setAddr(a Addr, now time.Time) {
	at, found := slices.BinarySearchFunc(m.addrs, a, compareAddrs)
	if !found {
		m.addrs = slices.Insert(m.addrs, at, a)
		m.newAddrs = true
		return
	}
	// What is the same within the slack keeps its first deadlines, so that
	// many small steps cannot drift away from what was published.
	if !sameAddr(m.addrs[at], a, now) {
		m.addrs[at] = a
		m.newAddrs = true
	}
}

func (m *mirror) dropAddr(a Addr) {
	at, found := slices.BinarySearchFunc(m.addrs, a, compareAddrs)
	if found {
		m.addrs = slices.Delete(m.addrs, at, at+1)
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
	at, found := slices.BinarySearchFunc(m.links, l, compareLinks)
	if !found {
		m.links = slices.Insert(m.links, at, l)
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
	at, found := slices.BinarySearchFunc(m.links, Link{Index: index}, compareLinks)
	if found {
		m.links = slices.Delete(m.links, at, at+1)
		m.newLinks = true
	}
	m.suspectLink(index)
	addrs, routes := len(m.addrs), len(m.routes)
	m.addrs = slices.DeleteFunc(m.addrs, func(a Addr) bool { return a.Link == index })
	m.routes = slices.DeleteFunc(m.routes, func(r Route) bool { return r.Link == index })
	m.newAddrs = m.newAddrs || len(m.addrs) != addrs
	m.newRoutes = m.newRoutes || len(m.routes) != routes
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
			if at, found := slices.BinarySearchFunc(m.routes, r, compareRoutes); found {
				m.routes = slices.Delete(m.routes, at, at+1)
				m.newRoutes = true
			}
		}
		return
	}
	if msg.flags&unix.NLM_F_REPLACE != 0 {
		before := len(m.routes)
		m.routes = slices.DeleteFunc(m.routes, func(r Route) bool {
			replaced := r.Dst == common.Dst && r.From == common.From && r.Table == common.Table && r.Metric == common.Metric
			return replaced && !slices.Contains(m.route.hops, r)
		})
		m.newRoutes = m.newRoutes || len(m.routes) != before
	}
	for _, r := range m.route.hops {
		m.setRoute(r)
	}
}

func (m *mirror) setRoute(r Route) {
	if at, found := slices.BinarySearchFunc(m.routes, r, compareRoutes); !found {
		m.routes = slices.Insert(m.routes, at, r)
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
// with sort.Slice: slices.SortFunc costs 12 kB of a router's flash per type.

func (m *mirror) replaceLinks(links []Link) {
	sort.Slice(links, func(i, j int) bool { return compareLinks(links[i], links[j]) < 0 })
	if !slices.Equal(m.links, links) {
		m.links, m.newLinks = links, true
	}
}

func (m *mirror) replaceAddrs(addrs []Addr, now time.Time) {
	sort.Slice(addrs, func(i, j int) bool { return compareAddrs(addrs[i], addrs[j]) < 0 })
	addrs = slices.CompactFunc(addrs, func(a, b Addr) bool { return compareAddrs(a, b) == 0 })
	changed := len(addrs) != len(m.addrs)
	for i, a := range addrs {
		at, found := slices.BinarySearchFunc(m.addrs, a, compareAddrs)
		if found && sameAddr(m.addrs[at], a, now) {
			addrs[i] = m.addrs[at]
		} else {
			changed = true
		}
	}
	if changed {
		m.addrs, m.newAddrs = addrs, true
	}
}

func (m *mirror) replaceRoutes(which families, routes []Route) {
	for _, r := range m.routes {
		if familyOf(r.Dst.Addr())&which == 0 {
			routes = append(routes, r)
		}
	}
	sort.Slice(routes, func(i, j int) bool { return compareRoutes(routes[i], routes[j]) < 0 })
	routes = slices.Compact(routes)
	if !slices.Equal(m.routes, routes) {
		m.routes, m.newRoutes = routes, true
	}
}

// snapshot gives the next snapshot, or nil if nothing differs from the last.
// It shares with the last one what has not changed.
func (m *mirror) snapshot(now time.Time) *Snapshot {
	if m.last != nil && !m.newLinks && !m.newAddrs && !m.newRoutes {
		return nil
	}
	s := &Snapshot{Seq: 1, At: now}
	if last := m.last; last != nil {
		s.Seq, s.Links, s.Addrs, s.Routes = last.Seq+1, last.Links, last.Addrs, last.Routes
	}
	if m.newLinks {
		s.Links = slices.Clone(m.links)
	}
	if m.newAddrs {
		s.Addrs = slices.Clone(m.addrs)
	}
	if m.newRoutes {
		s.Routes = slices.Clone(m.routes)
	}
	m.newLinks, m.newAddrs, m.newRoutes = false, false, false
	m.last = s
	return s
}
