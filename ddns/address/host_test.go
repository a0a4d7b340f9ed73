package address

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/netwatch"
)

const nasMAC = "02:11:22:33:44:55" // makes ::11:22ff:fe33:4455

func bySuffix(suffix string) config.Source {
	return config.Source{Name: "nas", Method: Host, Interface: "br-lan", Suffix: netip.MustParseAddr(suffix)}
}

func byMAC() config.Source {
	return config.Source{Name: "nas", Method: Host, Interface: "br-lan", MAC: nasMAC}
}

func neighbor(link int, addr string, state netwatch.Presence) netwatch.Neighbor {
	s := byMAC()
	m, _ := hardware(&s)
	return netwatch.Neighbor{Link: link, Addr: netip.MustParseAddr(addr), MAC: m, State: state}
}

func TestHostBySuffix(t *testing.T) {
	const suffix = "::1234:5678:9abc:def0"
	lax := bySuffix(suffix)
	lax.AllowPrivate = true
	for _, c := range []struct {
		name   string
		source config.Source
		addrs  []netwatch.Addr
		want   string
		note   string
	}{
		{"a /64", bySuffix(suffix), []netwatch.Addr{on(lan, "2a02:8:0:1::1/64")}, "2a02:8:0:1:1234:5678:9abc:def0", ""},
		{"a /60: the router's own /64", bySuffix(suffix), []netwatch.Addr{on(lan, "2a02:8:0:f1::1/60")}, "2a02:8:0:f1:1234:5678:9abc:def0", ""},
		{"a /56", bySuffix("::7"), []netwatch.Addr{on(lan, "2a02:8:0:100::1/56")}, "2a02:8:0:100::7", ""},
		{"a /48", bySuffix("::7"), []netwatch.Addr{on(lan, "2a02:8:1::1/48")}, "2a02:8:1::7", ""},
		{"another /64 of a /56", bySuffix("::3:0:0:0:7"), []netwatch.Addr{on(lan, "2a02:8:0:100::1/56")}, "2a02:8:0:103::7", ""},
		{"another /64 of a /60, the last", bySuffix("::f:0:0:0:7"), []netwatch.Addr{on(lan, "2a02:8:0:121::1/60")}, "2a02:8:0:12f::7", ""},
		{"another /64, no room for it", bySuffix("::10:0:0:0:7"), []netwatch.Addr{on(lan, "2a02:8:0:121::1/60")}, "", "longer than the prefix leaves room for"},
		{"no prefix", bySuffix(suffix), []netwatch.Addr{on(wan, "2a02:8::1/64"), on(lan, "fe80::1/64", scope(253))}, "", "no IPv6 prefix on br-lan"},
		{"unique local alone", bySuffix(suffix), []netwatch.Addr{on(lan, "fd00::1/64")}, "", "prefix fd00::/64: unique local"},
		{"unique local, allowed", lax, []netwatch.Addr{on(lan, "fd00::1/64")}, "fd00::1234:5678:9abc:def0", ""},
		{"unique local, allowed, after a global one", lax, []netwatch.Addr{on(lan, "fd00::1/64"), on(lan, "2a02:8::1/64", preferred(time.Minute))}, "2a02:8::1234:5678:9abc:def0", ""},
		{"documentation", bySuffix(suffix), []netwatch.Addr{on(lan, "2001:db8::1/64")}, "", "documentation"},
		{"the old prefix deprecated", bySuffix(suffix), []netwatch.Addr{on(lan, "2a02:8:0:1::1/64", flags(netwatch.Deprecated), preferred(0)), on(lan, "2a02:8:0:2::1/64")}, "2a02:8:0:2:1234:5678:9abc:def0", ""},
		{"only a deprecated one", bySuffix(suffix), []netwatch.Addr{on(lan, "2a02:8:0:1::1/64", flags(netwatch.Deprecated))}, "", "prefix 2a02:8:0:1::/64: deprecated"},
		{"longest preferred lifetime", bySuffix(suffix), []netwatch.Addr{on(lan, "2a02:8:0:1::1/64", preferred(time.Hour)), on(lan, "2a02:8:0:2::1/64", preferred(2*time.Hour))}, "2a02:8:0:2:1234:5678:9abc:def0", ""},
		{"the router's address still tentative", bySuffix(suffix), []netwatch.Addr{on(lan, "2a02:8:0:1::1/64", flags(netwatch.Tentative))}, "2a02:8:0:1:1234:5678:9abc:def0", ""},
		{"the router's address somebody else's", bySuffix(suffix), []netwatch.Addr{on(lan, "2a02:8:0:1::1/64", flags(netwatch.Tentative|netwatch.DADFailed))}, "2a02:8:0:1:1234:5678:9abc:def0", ""},
		{"one address, no prefix", bySuffix(suffix), []netwatch.Addr{on(lan, "2a02:8:0:1::1/128")}, "", "too long for hosts"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := answer(t, c.source, router(c.addrs...), config.IPv6)
			if addrText(a.Addr) != c.want || !strings.Contains(a.Note, c.note) || (c.want == "") == (a.Note == "") {
				t.Errorf("got %v (%s), want %q (%s)", a.Addr, a.Note, c.want, c.note)
			}
			if a.Named || a.Interface != "br-lan" || a.Method != "host" {
				t.Errorf("got %+v", a)
			}
		})
	}
}

func addrText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func TestHostByHardwareAddress(t *testing.T) {
	const (
		there, unsure, gone = netwatch.There, netwatch.Unsure, netwatch.Gone

		made     = "2a02:8::11:22ff:fe33:4455"
		assigned = "2a02:8::a7"
		opaque   = "2a02:8::8a9b:17f3:c2d1:e6f0"
		privacy  = "2a02:8::d1ce:9b1f:770a:15c3"
		ll       = "fe80::11:22ff:fe33:4455"
		oddLL    = "fe80::8a9b:17f3:c2d1:e6f0"
	)
	n := func(addr string, state netwatch.Presence) netwatch.Neighbor { return neighbor(lan, addr, state) }
	type list = []netwatch.Neighbor
	for _, c := range []struct {
		name  string
		taken string
		list  list
		want  string
	}{
		{"never seen", "", nil, ""},
		{"seen on another link", "", list{neighbor(wan, made, there)}, ""},
		{"made from the hardware address", "", list{n(made, there)}, made},
		{"a privacy address beside it", "", list{n(privacy, there), n(made, there)}, made},
		{"its link-local address shows how it makes them", "", list{n(ll, there)}, made},
		{"and is better than a privacy address", "", list{n(privacy, there), n(ll, there)}, made},
		{"but not where nobody answers", "", list{n(ll, there), n(made, gone), n(opaque, there)}, opaque},
		{"a link-local address of another kind says nothing", "", list{n(oddLL, there)}, ""},
		{"assigned before privacy", "", list{n(privacy, there), n(assigned, there)}, assigned},
		{"the one known longest", "", list{n(opaque, there), n(privacy, there)}, opaque},
		{"what was taken stays", opaque, list{n(privacy, there), n(opaque, there)}, opaque},
		{"what was taken stays when the table has forgotten it", opaque, list{n(privacy, there)}, opaque},
		{"and when it has forgotten the host", opaque, nil, opaque},
		{"a better kind takes over", privacy, list{n(privacy, there), n(made, there)}, made},
		{"an absent host keeps its last", opaque, list{n(opaque, gone), n(privacy, unsure)}, opaque},
		{"one that answers elsewhere has moved", opaque, list{n(opaque, gone), n(privacy, there)}, privacy},
		{"absent, made from the hardware address", made, list{n(ll, unsure), n(made, gone)}, made},
		{"in a prefix that went, by its hardware address", "2a02:9::11:22ff:fe33:4455", nil, made},
		{"in a prefix that went, of another kind: waits", "2a02:9::8a9b:17f3:c2d1:e6f0", nil, ""},
		{"in a prefix that went, then seen in the new", "2a02:9::8a9b:17f3:c2d1:e6f0", list{n(opaque, there)}, opaque},
		{"in a prefix that is not ours", "", list{n("2a02:77::1", there)}, ""},
		{"all have failed", "", list{n(opaque, gone)}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			snap := router(on(lan, "2a02:8::1/64"), on(lan, "fe80::1/64", scope(253)))
			snap.Neighbors = c.list
			s := NewSet([]config.Source{byMAC()})
			if c.taken != "" {
				s.Remember("nas", netip.MustParseAddr(c.taken))
			}
			all, _ := s.Explain(snap)
			a := s.Answers(snap)[1]
			if addrText(a.Addr) != c.want || (c.want == "") == (a.Note == "") {
				t.Errorf("got %v (%s), want %q", a.Addr, a.Note, c.want)
			}
			taken := 0
			for _, x := range all["nas"] {
				if x.Taken {
					taken++
				}
				if x.Taken == (x.Reason != "") || x.Taken && x.Addr != a.Addr {
					t.Errorf("explained %+v", x)
				}
			}
			if (taken == 1) != (c.want != "") {
				t.Errorf("%d taken in %+v", taken, all["nas"])
			}
		})
	}
}

// TestNewPrefixOfAHost goes through a renumbering: the old prefix is dropped
// when it is deprecated, whatever the host still uses.
func TestNewPrefixOfAHost(t *testing.T) {
	set := NewSet([]config.Source{byMAC(), bySuffix("::5")})
	old, renewed := on(lan, "2a02:8:0:1::1/60"), on(lan, "2a02:9:0:1::1/60", flags(netwatch.Tentative))
	for _, step := range []struct {
		addrs     []netwatch.Addr
		neighbors []netwatch.Neighbor
		mac, suf  string
	}{
		{[]netwatch.Addr{old}, nil, "", "2a02:8:0:1::5"},
		{[]netwatch.Addr{old}, []netwatch.Neighbor{neighbor(lan, "2a02:8:0:1:11:22ff:fe33:4455", 0)}, "2a02:8:0:1:11:22ff:fe33:4455", "2a02:8:0:1::5"},
		{nil, nil, "", ""},
		{[]netwatch.Addr{old, renewed}, nil, "2a02:8:0:1:11:22ff:fe33:4455", "2a02:8:0:1::5"}, // both: stays
		{[]netwatch.Addr{on(lan, "2a02:8:0:1::1/60", preferred(0)), renewed}, []netwatch.Neighbor{neighbor(lan, "2a02:8:0:1:11:22ff:fe33:4455", 0)}, "2a02:9:0:1:11:22ff:fe33:4455", "2a02:9:0:1::5"},
		{[]netwatch.Addr{renewed}, nil, "2a02:9:0:1:11:22ff:fe33:4455", "2a02:9:0:1::5"},
	} {
		snap := router(step.addrs...)
		snap.Neighbors = step.neighbors
		a := set.Answers(snap)
		if addrText(a[1].Addr) != step.mac || addrText(a[3].Addr) != step.suf {
			t.Errorf("with %+v: %v, %v; want %q, %q", step.addrs, a[1].Addr, a[3].Addr, step.mac, step.suf)
		}
	}
}
