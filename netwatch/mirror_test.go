package netwatch

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// checkOrder checks what snapshots promise: order, and each thing once.
func checkOrder(t *testing.T, m *mirror) {
	t.Helper()
	for i := 1; i < len(m.links); i++ {
		if m.links[i-1].Index >= m.links[i].Index {
			t.Errorf("links out of order: %+v", m.links)
		}
	}
	for i := 1; i < len(m.addrs); i++ {
		if compareAddrs(&m.addrs[i-1], &m.addrs[i]) >= 0 {
			t.Errorf("addresses out of order: %+v", m.addrs)
		}
	}
	for i := 1; i < len(m.routes); i++ {
		if compareRoutes(&m.routes[i-1], &m.routes[i]) >= 0 {
			t.Errorf("routes out of order: %+v", m.routes)
		}
	}
}

func linkMessage(kind uint16, index uint32, name string, flags, master uint32) []byte {
	attrs := [][]byte{attr(unix.IFLA_IFNAME, append([]byte(name), 0))}
	if master != 0 {
		attrs = append(attrs, attr(unix.IFLA_MASTER, u32(master)))
	}
	return build(kind, 0, body(unix.AF_UNSPEC, 0, u16(1), u32(index), u32(flags), u32(0)), attrs...)
}

func addrMessage(kind uint16, link uint32, prefix string, flags Flags, preferred, valid uint32) []byte {
	p := netip.MustParsePrefix(prefix)
	family := byte(unix.AF_INET)
	if p.Addr().Is6() {
		family = unix.AF_INET6
	}
	return build(kind, 0, body(family, byte(p.Bits()), byte(flags), 0, u32(link)),
		attr(unix.IFA_ADDRESS, p.Addr().AsSlice()),
		attr(unix.IFA_FLAGS, u32(uint32(flags))),
		attr(unix.IFA_CACHEINFO, body(u32(preferred), u32(valid), u32(0), u32(0))))
}

func routeMessage4(kind, flags uint16, table, metric, link uint32, gateway string) []byte {
	attrs := [][]byte{attr(unix.RTA_TABLE, u32(table)), attr(unix.RTA_PRIORITY, u32(metric)), attr(unix.RTA_OIF, u32(link))}
	if gateway != "" {
		attrs = append(attrs, attr(unix.RTA_GATEWAY, netip.MustParseAddr(gateway).AsSlice()))
	}
	return build(kind, flags, body(unix.AF_INET, 0, 0, 0, byte(min(table, 252)), 3, 0, unix.RTN_UNICAST, u32(0)), attrs...)
}

func applyTo(t *testing.T, m *mirror, now time.Time, messages ...[]byte) {
	t.Helper()
	for _, b := range messages {
		msg, _, err := nextMessage(b)
		if err == nil {
			err = m.apply(msg, now)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	checkOrder(t, m)
}

const up = unix.IFF_UP | unix.IFF_LOWER_UP

// TestMirrorNews: what is worth a snapshot, and what is not.
func TestMirrorNews(t *testing.T) {
	const newLink, newAddr, newRoute = unix.RTM_NEWLINK, unix.RTM_NEWADDR, unix.RTM_NEWROUTE
	start := [][]byte{
		linkMessage(newLink, 2, "wan", up, 0),
		addrMessage(newAddr, 2, "203.0.113.5/24", 0, 3600, 7200),
		addrMessage(newAddr, 2, "2001:db8::1/64", Deprecated, 0, 7200),
		addrMessage(newAddr, 2, "2001:db8::2/64", 0, 600, 7200),
		routeMessage4(newRoute, 0, 254, 10, 2, "203.0.113.1"),
	}
	cases := []struct {
		name  string
		after time.Duration
		msg   []byte
		news  bool
	}{
		{"link told again", 0, linkMessage(newLink, 2, "wan", up, 0), false},
		{"other link flags", 0, linkMessage(newLink, 2, "wan", up|unix.IFF_PROMISC, 0), false},
		{"carrier lost", 0, linkMessage(newLink, 2, "wan", unix.IFF_UP, 0), true},
		{"renamed", 0, linkMessage(newLink, 2, "wan0", up, 0), true},
		{"new master", 0, linkMessage(newLink, 2, "wan", up, 7), true},
		{"no name told", 0, build(newLink, 0, body(unix.AF_UNSPEC, 0, u16(1), u32(2), u32(0), u32(0))), false},
		{"unknown link deleted", 0, linkMessage(unix.RTM_DELLINK, 9, "x", 0, 0), false},
		{"address told again", 0, addrMessage(newAddr, 2, "203.0.113.5/24", 0, 3600, 7200), false},
		{"lifetimes as they have run down", 100 * time.Second, addrMessage(newAddr, 2, "203.0.113.5/24", 0, 3499, 7100), false},
		{"lifetimes renewed at once", 2 * time.Second, addrMessage(newAddr, 2, "203.0.113.5/24", 0, 3600, 7200), false},
		{"lifetimes renewed later", 3 * time.Second, addrMessage(newAddr, 2, "203.0.113.5/24", 0, 3600, 7200), true},
		{"lifetimes cut", 0, addrMessage(newAddr, 2, "203.0.113.5/24", 0, 3600, 3600), true},
		{"lifetimes ended", 0, addrMessage(newAddr, 2, "203.0.113.5/24", 0, forever, forever), true},
		{"deprecated one told again much later", time.Hour, addrMessage(newAddr, 2, "2001:db8::1/64", Deprecated, 0, 3600), false},
		{"deprecated one told without its flag", 10 * time.Second, addrMessage(newAddr, 2, "2001:db8::1/64", 0, 0, 7190), false},
		{"deprecated", 0, addrMessage(newAddr, 2, "2001:db8::2/64", Deprecated, 0, 7200), true},
		{"same IPv6 address, another prefix length", 0, addrMessage(newAddr, 2, "2001:db8::2/128", 0, 600, 7200), true},
		{"unknown address deleted", 0, addrMessage(unix.RTM_DELADDR, 2, "203.0.113.6/24", 0, 0, 0), false},
		{"address deleted", 0, addrMessage(unix.RTM_DELADDR, 2, "203.0.113.5/24", 0, 3600, 7200), true},
		{"route told again", 0, routeMessage4(newRoute, 0, 254, 10, 2, "203.0.113.1"), false},
		{"route replaced by itself", 0, routeMessage4(newRoute, unix.NLM_F_REPLACE, 254, 10, 2, "203.0.113.1"), false},
		{"route in another table", 0, routeMessage4(newRoute, 0, 1001, 10, 2, "203.0.113.1"), true},
		{"route in the local table", 0, routeMessage4(newRoute, 0, 255, 10, 2, "203.0.113.1"), false},
		{"unknown route deleted", 0, routeMessage4(unix.RTM_DELROUTE, 0, 254, 11, 2, "203.0.113.1"), false},
		{"route deleted", 0, routeMessage4(unix.RTM_DELROUTE, 0, 254, 10, 2, "203.0.113.1"), true},
		{"another kind of message", 0, build(unix.RTM_NEWNEIGH, 0, make([]byte, 12)), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var m mirror
			applyTo(t, &m, epoch, start...)
			first := m.snapshot(epoch)
			links, addrs, routes := slices.Clone(first.Links), slices.Clone(first.Addrs), slices.Clone(first.Routes)
			applyTo(t, &m, epoch.Add(c.after), c.msg)
			next := m.snapshot(epoch.Add(c.after))
			if (next != nil) != c.news {
				t.Errorf("snapshot %+v", next)
			}
			if next != nil && next.Seq != 2 {
				t.Errorf("Seq %d", next.Seq)
			}
			if !slices.Equal(first.Links, links) || !slices.Equal(first.Addrs, addrs) || !slices.Equal(first.Routes, routes) {
				t.Error("a published snapshot was changed")
			}
		})
	}
}

// Small steps that are each the same within the slack must not add up.
func TestMirrorDeadlinesDoNotDrift(t *testing.T) {
	var m mirror
	applyTo(t, &m, epoch, addrMessage(unix.RTM_NEWADDR, 2, "203.0.113.5/24", 0, 60, 60))
	m.snapshot(epoch)
	for i := 1; i <= 3; i++ {
		now := epoch.Add(time.Duration(i) * time.Second)
		applyTo(t, &m, now, addrMessage(unix.RTM_NEWADDR, 2, "203.0.113.5/24", 0, 60, 60))
		if s := m.snapshot(now); (s != nil) != (i == 3) {
			t.Errorf("after %d s: %+v", i, s)
		}
	}
}

// TestMirrorSuspicion: after which events default routes may be gone without a word.
func TestMirrorSuspicion(t *testing.T) {
	cases := []struct {
		name string
		msg  []byte
		want families
	}{
		{"address of the route's link", addrMessage(unix.RTM_DELADDR, 2, "203.0.113.5/24", 0, 0, 0), family4},
		{"IPv6 address of the route's link", addrMessage(unix.RTM_DELADDR, 2, "2001:db8::1/64", 0, 0, 0), 0},
		{"address of another link", addrMessage(unix.RTM_DELADDR, 3, "192.168.1.1/24", 0, 0, 0), 0},
		{"link down", linkMessage(unix.RTM_NEWLINK, 2, "wan", 0, 0), family4},
		{"other link down", linkMessage(unix.RTM_NEWLINK, 3, "lan", 0, 0), 0},
		{"link without carrier", linkMessage(unix.RTM_NEWLINK, 2, "wan", unix.IFF_UP, 0), 0},
		{"link to another master", linkMessage(unix.RTM_NEWLINK, 2, "wan", up, 3), family4},
		{"link deleted", linkMessage(unix.RTM_DELLINK, 2, "wan", 0, 0), family4},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var m mirror
			applyTo(t, &m, epoch,
				linkMessage(unix.RTM_NEWLINK, 2, "wan", up, 0),
				linkMessage(unix.RTM_NEWLINK, 3, "lan", up, 0),
				routeMessage4(unix.RTM_NEWROUTE, 0, 254, 0, 2, "203.0.113.1"))
			m.suspect = 0
			applyTo(t, &m, epoch, c.msg)
			if m.suspect != c.want {
				t.Errorf("suspects %b, want %b", m.suspect, c.want)
			}
		})
	}
}

func TestMirrorLinkDeletedTakesAllOfIt(t *testing.T) {
	var m mirror
	applyTo(t, &m, epoch,
		linkMessage(unix.RTM_NEWLINK, 2, "wan", up, 0),
		linkMessage(unix.RTM_NEWLINK, 3, "lan", up, 0),
		addrMessage(unix.RTM_NEWADDR, 2, "203.0.113.5/24", 0, forever, forever),
		addrMessage(unix.RTM_NEWADDR, 3, "192.168.1.1/24", 0, forever, forever),
		routeMessage4(unix.RTM_NEWROUTE, 0, 254, 0, 2, "203.0.113.1"),
		linkMessage(unix.RTM_DELLINK, 2, "wan", 0, 0))
	s := m.snapshot(epoch)
	if len(s.Links) != 1 || len(s.Addrs) != 1 || len(s.Routes) != 0 {
		t.Errorf("got %+v", s)
	}
}

func TestSnapshotLookups(t *testing.T) {
	s := &Snapshot{Links: []Link{{Index: 1, Name: "lo"}, {Index: 7, Name: "wan"}}}
	if l, ok := s.LinkByName("wan"); !ok || l.Index != 7 {
		t.Errorf("%+v, %v", l, ok)
	}
	if l, ok := s.LinkByIndex(7); !ok || l.Name != "wan" {
		t.Errorf("%+v, %v", l, ok)
	}
	if _, ok := s.LinkByName("eth0"); ok {
		t.Error("found eth0")
	}
	if _, ok := s.LinkByIndex(2); ok {
		t.Error("found 2")
	}
}

func TestFlagsString(t *testing.T) {
	if got := (Tentative | Permanent | Temporary).String(); got != "secondary/temporary,tentative,permanent" {
		t.Error(got)
	}
	if got := Flags(0).String(); got != "" {
		t.Error(got)
	}
}

// BenchmarkNewAddress is the work from the bytes of RTM_NEWADDR to the
// snapshot, on a router with some links and addresses; half of the rounds are
// the RTM_DELADDR in between.
func BenchmarkNewAddress(b *testing.B) {
	var m mirror
	for i := range uint32(12) {
		m.setLink(Link{Index: int(i) + 1, Name: "eth0", Up: true})
		m.setAddr(Addr{Link: int(i) + 1, Addr: netip.AddrFrom4([4]byte{192, 168, byte(i), 1}), Bits: 24}, epoch)
	}
	add := addrMessage(unix.RTM_NEWADDR, 2, "203.0.113.5/24", 0, 3600, 3600)
	del := addrMessage(unix.RTM_DELADDR, 2, "203.0.113.5/24", 0, 3600, 3600)
	msgAdd, _, _ := nextMessage(add)
	msgDel, _, _ := nextMessage(del)
	run := func(publish bool) func(*testing.B) {
		return func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for _, msg := range []message{msgAdd, msgDel} {
					if err := m.apply(msg, epoch); err != nil {
						b.Fatal(err)
					}
					if publish && m.snapshot(epoch) == nil {
						b.Fatal("no news")
					}
				}
			}
		}
	}
	b.Run("parse+apply", run(false))
	b.Run("parse+apply+snapshot", run(true))
}
