package address

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/netwatch"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

const wan, lan = 2, 3

// router is a snapshot of a router: wan with the default routes, lan without.
func router(addrs ...netwatch.Addr) *netwatch.Snapshot {
	slices.SortStableFunc(addrs, func(a, b netwatch.Addr) int { return a.Link - b.Link })
	return &netwatch.Snapshot{
		At: noon,
		Links: []netwatch.Link{
			{Index: 1, Name: "lo", Up: true, Carrier: true, Loopback: true},
			{Index: wan, Name: "wan", Up: true, Carrier: true},
			{Index: lan, Name: "br-lan", Up: true, Carrier: true},
		},
		Addrs: addrs,
		Routes: []netwatch.Route{
			{Dst: netip.MustParsePrefix("0.0.0.0/0"), Table: mainTable, Link: wan},
			{Dst: netip.MustParsePrefix("::/0"), Table: mainTable, Link: wan},
		},
	}
}

// on is an address of a link, valid forever unless changed.
func on(link int, prefix string, change ...func(*netwatch.Addr)) netwatch.Addr {
	p := netip.MustParsePrefix(prefix)
	a := netwatch.Addr{Link: link, Addr: p.Addr(), Bits: p.Bits()}
	for _, c := range change {
		c(&a)
	}
	return a
}

func flags(f netwatch.Flags) func(*netwatch.Addr) {
	return func(a *netwatch.Addr) { a.Flags |= f }
}

func preferred(d time.Duration) func(*netwatch.Addr) {
	return func(a *netwatch.Addr) {
		a.PreferredUntil, a.ValidUntil = noon.Add(d), noon.Add(2*d+time.Hour)
	}
}

func scope(s uint8) func(*netwatch.Addr) { return func(a *netwatch.Addr) { a.Scope = s } }

func answer(t *testing.T, s config.Source, snap *netwatch.Snapshot, f config.Family) Answer {
	t.Helper()
	for _, a := range NewSet([]config.Source{s}).Answers(snap) {
		if a.Family == f {
			return a
		}
	}
	t.Fatal("no answer")
	return Answer{}
}

func TestWhatIsPublished(t *testing.T) {
	auto := config.Source{Name: "wan", Method: "auto", Interface: "auto"}
	lax := auto
	lax.AllowPrivate = true
	temporary, alone := auto, auto
	temporary.Temporary, alone.Method = true, "interface"
	for _, c := range []struct {
		name   string
		source config.Source
		addrs  []netwatch.Addr
		family config.Family
		want   string // "" for none
		note   string // part of it
	}{
		{"public IPv4", auto, []netwatch.Addr{on(wan, "8.8.4.4/24")}, 4, "8.8.4.4", ""},
		{"private IPv4", auto, []netwatch.Addr{on(wan, "192.168.7.5/24")}, 4, "", "192.168.7.5 is private"},
		{"10/8", auto, []netwatch.Addr{on(wan, "10.1.2.3/8")}, 4, "", "private"},
		{"172.31", auto, []netwatch.Addr{on(wan, "172.31.2.3/16")}, 4, "", "private"},
		{"172.32 is public", auto, []netwatch.Addr{on(wan, "172.32.2.3/16")}, 4, "172.32.2.3", ""},
		{"CGNAT", auto, []netwatch.Addr{on(wan, "100.64.3.4/10")}, 4, "", "CGNAT"},
		{"end of CGNAT", auto, []netwatch.Addr{on(wan, "100.127.255.254/10")}, 4, "", "CGNAT"},
		{"link-local IPv4", auto, []netwatch.Addr{on(wan, "169.254.1.1/16")}, 4, "", "link-local"},
		{"documentation", auto, []netwatch.Addr{on(wan, "203.0.113.7/24")}, 4, "", "documentation"},
		{"benchmarking", auto, []netwatch.Addr{on(wan, "198.19.0.1/15")}, 4, "", "benchmarking"},
		{"464XLAT's own", auto, []netwatch.Addr{on(wan, "192.0.0.1/29")}, 4, "", "464XLAT"},
		{"DS-Lite's own", auto, []netwatch.Addr{on(wan, "192.0.0.2/32")}, 4, "", "192.0.0.2 is the router's end of DS-Lite"},
		{"class E", auto, []netwatch.Addr{on(wan, "245.1.1.1/24")}, 4, "", "reserved"},
		{"link scope", auto, []netwatch.Addr{on(wan, "8.8.4.4/24", scope(253))}, 4, "", "global scope"},
		{"deprecated IPv4", auto, []netwatch.Addr{on(wan, "8.8.4.4/24", preferred(0))}, 4, "", "deprecated"},
		{"private first, public second", auto, []netwatch.Addr{on(wan, "192.168.7.9/24"), on(wan, "8.8.4.4/24")}, 4, "8.8.4.4", ""},
		{"another interface's", auto, []netwatch.Addr{on(lan, "8.8.4.4/24")}, 4, "", "no ipv4 address on wan"},
		{"none at all", auto, nil, 4, "", "no ipv4 address on wan"},
		{"primary before secondary", auto, []netwatch.Addr{on(wan, "8.8.4.3/24", flags(netwatch.Secondary)), on(wan, "8.8.4.4/24")}, 4, "8.8.4.4", ""},

		{"allowed: documentation", lax, []netwatch.Addr{on(wan, "203.0.113.7/24")}, 4, "203.0.113.7", ""},
		{"allowed: public first", lax, []netwatch.Addr{on(wan, "10.0.0.1/8"), on(wan, "203.0.113.7/24"), on(wan, "8.8.4.4/24")}, 4, "8.8.4.4", ""},
		{"allowed: documentation before private", lax, []netwatch.Addr{on(wan, "10.0.0.1/8"), on(wan, "203.0.113.7/24")}, 4, "203.0.113.7", ""},
		{"allowed: CGNAT at last", lax, []netwatch.Addr{on(wan, "100.64.0.9/10")}, 4, "100.64.0.9", ""},
		{"never link-local", lax, []netwatch.Addr{on(wan, "169.254.1.1/16"), on(wan, "fe80::1/64")}, 4, "", "link-local"},
		{"never loopback", lax, []netwatch.Addr{on(wan, "127.0.0.2/8")}, 4, "", "loopback"},
		{"allowed: unique local", lax, []netwatch.Addr{on(wan, "fd00::1/64")}, 6, "fd00::1", ""},

		{"global unicast", auto, []netwatch.Addr{on(wan, "2a02:8::1/64")}, 6, "2a02:8::1", ""},
		{"unique local", auto, []netwatch.Addr{on(wan, "fd12::1/64")}, 6, "", "unique local"},
		{"link-local IPv6", auto, []netwatch.Addr{on(wan, "fe80::1/64", scope(253))}, 6, "", "link-local"},
		{"documentation IPv6", auto, []netwatch.Addr{on(wan, "2001:db8::1/64")}, 6, "", "documentation"},
		{"new documentation IPv6", auto, []netwatch.Addr{on(wan, "3fff:1::1/64")}, 6, "", "documentation"},
		{"outside 2000::/3", auto, []netwatch.Addr{on(wan, "4000::1/64")}, 6, "", "not global unicast"},
		{"tentative", auto, []netwatch.Addr{on(wan, "2a02:8::1/64", flags(netwatch.Tentative))}, 6, "", "tentative"},
		{"optimistic and tentative", auto, []netwatch.Addr{on(wan, "2a02:8::1/64", flags(netwatch.Tentative|netwatch.Optimistic))}, 6, "", "tentative"},
		{"DAD failed", auto, []netwatch.Addr{on(wan, "2a02:8::1/64", flags(netwatch.DADFailed|netwatch.Tentative))}, 6, "", "duplicate"},
		{"deprecated by flag", auto, []netwatch.Addr{on(wan, "2a02:8::1/64", flags(netwatch.Deprecated))}, 6, "", "deprecated"},
		{"deprecated by lifetime, flag missing", auto, []netwatch.Addr{on(wan, "2a02:8::1/64", preferred(0))}, 6, "", "deprecated"},
		{"temporary", auto, []netwatch.Addr{on(wan, "2a02:8::1/64", flags(netwatch.Temporary))}, 6, "", "temporary"},
		{"temporary and stable", auto, []netwatch.Addr{on(wan, "2a02:8::1/64", flags(netwatch.Temporary)), on(wan, "2a02:8::2/64")}, 6, "2a02:8::2", ""},
		{"temporary and stable, temporary preferred", temporary, []netwatch.Addr{on(wan, "2a02:8::1/64"), on(wan, "2a02:8::2/64", flags(netwatch.Temporary), preferred(time.Minute))}, 6, "2a02:8::2", ""},
		{"two temporary, temporary preferred", temporary, []netwatch.Addr{on(wan, "2a02:8::1/64", flags(netwatch.Temporary), preferred(time.Minute)), on(wan, "2a02:8::2/64", flags(netwatch.Temporary), preferred(time.Hour))}, 6, "2a02:8::2", ""},
		{"no temporary, temporary preferred", temporary, []netwatch.Addr{on(wan, "2a02:8::1/64")}, 6, "2a02:8::1", ""},
		{"temporary deprecated, temporary preferred", temporary, []netwatch.Addr{on(wan, "2a02:8::1/64"), on(wan, "2a02:8::2/64", flags(netwatch.Temporary|netwatch.Deprecated))}, 6, "2a02:8::1", ""},
		{"temporary unique local, temporary preferred", temporary, []netwatch.Addr{on(wan, "2a02:8::1/64"), on(wan, "fd02:8::2/64", flags(netwatch.Temporary))}, 6, "2a02:8::1", ""},
		{"IPv4 has none", temporary, []netwatch.Addr{on(wan, "8.8.4.3/24", flags(netwatch.Secondary)), on(wan, "8.8.4.4/24")}, 4, "8.8.4.4", ""},
		{"interface alone, private", alone, []netwatch.Addr{on(wan, "192.168.7.5/24")}, 4, "", `192.168.7.5 is private (RFC 1918); method = "auto" asks further, allow_private = true publishes it`},
		{"interface alone, CGNAT", alone, []netwatch.Addr{on(wan, "100.64.3.4/10")}, 4, "", `CGNAT, RFC 6598); method = "auto" asks further`},
		{"renumbering", auto, []netwatch.Addr{on(wan, "2a02:8::1/64", flags(netwatch.Deprecated)), on(wan, "2a02:9::1/64", preferred(time.Hour))}, 6, "2a02:9::1", ""},
		{"longest preferred lifetime", auto, []netwatch.Addr{on(wan, "2a02:8::1/64", preferred(time.Hour)), on(wan, "2a02:9::1/64", preferred(2*time.Hour))}, 6, "2a02:9::1", ""},
		{"forever is longest", auto, []netwatch.Addr{on(wan, "2a02:8::1/64", preferred(time.Hour)), on(wan, "2a02:9::1/64")}, 6, "2a02:9::1", ""},
		{"then the lowest", auto, []netwatch.Addr{on(wan, "2a02:9::1/64"), on(wan, "2a02:8::1/64")}, 6, "2a02:8::1", ""},
		{"IPv4 beside does not count", auto, []netwatch.Addr{on(wan, "8.8.4.4/24")}, 6, "", "no ipv6 address on wan"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := answer(t, c.source, router(c.addrs...), c.family)
			got := ""
			if a.Addr.IsValid() {
				got = a.Addr.String()
			}
			if got != c.want || !strings.Contains(a.Note, c.note) {
				t.Errorf("took %q, note %q; want %q, note with %q", got, a.Note, c.want, c.note)
			}
		})
	}
}

// Others are promised no more than what can be had.
func TestOtherWaysAreNamedWhereTheyHelp(t *testing.T) {
	s := config.Source{Name: "wan", Method: "interface", Interface: "auto"}
	for cidr, f := range map[string]config.Family{"127.0.0.2/8": config.IPv4, "192.0.0.2/32": config.IPv4, "fe80::1/64": config.IPv6} {
		if a := answer(t, s, router(on(wan, cidr)), f); strings.Contains(a.Note, "publishes it") {
			t.Errorf("%s: %s", cidr, a.Note)
		}
	}
	if a := answer(t, s, router(on(wan, "2a02:8::1/64", flags(netwatch.Deprecated))), config.IPv6); !strings.HasSuffix(a.Note, "is deprecated") {
		t.Error(a.Note)
	}
}

// A preferred temporary address takes over from the stable one when it comes,
// and the next from it when it is about to end (RFC 8981 section 3.4).
func TestTemporaryAddressesFollowOneAnother(t *testing.T) {
	stable := on(wan, "2a02:8::1/64", preferred(time.Hour))
	old := on(wan, "2a02:8::9/64", flags(netwatch.Temporary), preferred(50*time.Minute))
	ending := on(wan, "2a02:8::9/64", flags(netwatch.Temporary), preferred(5*time.Second))
	next := on(wan, "2a02:8::5/64", flags(netwatch.Temporary), preferred(55*time.Minute))
	set := NewSet([]config.Source{{Name: "wan", Method: "interface", Interface: "auto", Temporary: true}})
	for n, step := range []struct {
		addrs []netwatch.Addr
		want  string
	}{
		{[]netwatch.Addr{stable}, "2a02:8::1"},
		{[]netwatch.Addr{stable, old}, "2a02:8::9"},
		{[]netwatch.Addr{stable, old, next}, "2a02:8::9"}, // still as good
		{[]netwatch.Addr{stable, ending, next}, "2a02:8::5"},
		{[]netwatch.Addr{stable}, "2a02:8::1"},
	} {
		snap := router(step.addrs...)
		list, _ := set.Explain(snap)
		if a := set.Answers(snap)[1]; addrText(a.Addr) != step.want {
			t.Errorf("step %d: took %v, want %s", n, a.Addr, step.want)
		}
		for _, c := range list["wan"] {
			if c.Addr == stable.Addr && !c.Taken && !strings.Contains(c.Reason, "(temporary)") {
				t.Errorf("step %d: %+v", n, c)
			}
		}
	}
}

func TestInterface(t *testing.T) {
	public := []netwatch.Addr{on(wan, "8.8.4.4/24"), on(lan, "8.8.8.8/24")}
	named := config.Source{Name: "s", Method: "interface", Interface: "br-lan"}
	auto := config.Source{Name: "s", Method: "auto", Interface: "auto"}
	for _, c := range []struct {
		name   string
		source config.Source
		change func(*netwatch.Snapshot)
		want   string
		note   string
	}{
		{"named", named, func(*netwatch.Snapshot) {}, "8.8.8.8", ""},
		{"named, down", named, func(s *netwatch.Snapshot) { s.Links[2].Up = false }, "invalid IP", "br-lan is down"},
		{"named, no carrier", named, func(s *netwatch.Snapshot) { s.Links[2].Carrier = false }, "invalid IP", "br-lan has no carrier"},
		{"named, gone", named, func(s *netwatch.Snapshot) { s.Links = s.Links[:2] }, "invalid IP", "no interface br-lan"},
		{"named, new index", named, func(s *netwatch.Snapshot) { s.Links[2].Index, s.Addrs[1].Link = 9, 9 }, "8.8.8.8", ""},
		{"auto", auto, func(*netwatch.Snapshot) {}, "8.8.4.4", ""},
		{"auto, no default route", auto, func(s *netwatch.Snapshot) { s.Routes = nil }, "invalid IP", "no interface has an ipv4 default route"},
		{"auto, better metric elsewhere", auto, func(s *netwatch.Snapshot) {
			s.Routes[0].Metric = 10
			s.Routes = append(s.Routes, netwatch.Route{Dst: netip.MustParsePrefix("0.0.0.0/0"), Table: mainTable, Link: lan})
		}, "8.8.8.8", ""},
		{"auto, route only in another table", auto, func(s *netwatch.Snapshot) { s.Routes[0].Table = 2 }, "8.8.4.4", ""},
		{"auto, main table before others", auto, func(s *netwatch.Snapshot) {
			s.Routes = append([]netwatch.Route{{Dst: netip.MustParsePrefix("0.0.0.0/0"), Table: 1, Link: lan}}, s.Routes...)
		}, "8.8.4.4", ""},
		{"auto, route through a dead link", auto, func(s *netwatch.Snapshot) { s.Links[1].Carrier = false }, "invalid IP", "default route"},
	} {
		t.Run(c.name, func(t *testing.T) {
			snap := router(append([]netwatch.Addr(nil), public...)...)
			c.change(snap)
			a := answer(t, c.source, snap, config.IPv4)
			if a.Addr.String() != c.want || !strings.Contains(a.Note, c.note) {
				t.Errorf("took %v, note %q; want %s, note with %q", a.Addr, a.Note, c.want, c.note)
			}
		})
	}
}

func TestPeerIsNeverOurs(t *testing.T) {
	snap := router(on(wan, "8.8.4.4/32", func(a *netwatch.Addr) { a.Peer = netip.MustParseAddr("8.8.8.8") }))
	a := answer(t, config.Source{Name: "wan", Method: "auto", Interface: "auto"}, snap, config.IPv4)
	if a.Addr != netip.MustParseAddr("8.8.4.4") {
		t.Errorf("took %v", a.Addr)
	}
}

func TestChoiceStaysWhileAsGood(t *testing.T) {
	set := NewSet([]config.Source{{Name: "wan", Method: "auto", Interface: "auto"}})
	take := func(addrs ...netwatch.Addr) string {
		for _, a := range set.Answers(router(addrs...)) {
			if a.Family == config.IPv6 {
				return a.Addr.String()
			}
		}
		return ""
	}
	x, y := "2a02:8::1", "2a02:9::1"
	if got := take(on(wan, y+"/64", preferred(time.Hour))); got != y {
		t.Fatalf("first: %s", got)
	}
	if got := take(on(wan, x+"/64", preferred(time.Hour)), on(wan, y+"/64", preferred(time.Hour))); got != y {
		t.Errorf("an equal, lower address took over: %s", got)
	}
	if got := take(on(wan, x+"/64", preferred(time.Hour)), on(wan, y+"/64", preferred(40*time.Minute))); got != y {
		t.Errorf("a refresh of the other prefix took over: %s", got)
	}
	if got := take(on(wan, x+"/64", preferred(time.Hour)), on(wan, y+"/64", preferred(20*time.Minute))); got != x {
		t.Errorf("a prefix that is no longer refreshed was kept: %s", got)
	}
	if got := take(on(wan, x+"/64", flags(netwatch.Deprecated)), on(wan, y+"/64", preferred(time.Minute))); got != y {
		t.Errorf("a deprecated address was kept: %s", got)
	}
	if got := take(); got != "invalid IP" {
		t.Errorf("no address at all: %s", got)
	}
	if got := take(on(wan, x+"/64", preferred(time.Hour)), on(wan, y+"/64", preferred(time.Hour))); got != y {
		t.Errorf("after a gap the address before was not taken again: %s", got)
	}
}

func TestRememberedAddressIsKept(t *testing.T) {
	set := NewSet([]config.Source{{Name: "wan", Method: "auto", Interface: "auto"}})
	set.Remember("wan", netip.MustParseAddr("8.8.4.9"))
	if a := set.Answers(router(on(wan, "8.8.4.4/24"), on(wan, "8.8.4.9/24")))[0]; a.Addr.String() != "8.8.4.9" {
		t.Errorf("took %v", a.Addr)
	}
}

func TestEveryCandidateHasAReason(t *testing.T) {
	set := NewSet([]config.Source{{Name: "wan", Method: "auto", Interface: "auto"}})
	snap := router(on(wan, "192.168.1.2/24"), on(wan, "8.8.4.4/24"), on(wan, "8.8.4.9/24", flags(netwatch.Secondary)), on(lan, "10.0.0.1/24"),
		on(wan, "fe80::1/64", scope(253)), on(wan, "2a02:8::1/64"), on(wan, "2a02:8::2/64", flags(netwatch.Temporary)))
	list, _ := set.Explain(snap)
	if len(list["wan"]) != 7 {
		t.Fatalf("%d candidates: %+v", len(list["wan"]), list["wan"])
	}
	taken := 0
	for _, c := range list["wan"] {
		if c.Taken {
			taken++
		} else if c.Reason == "" {
			t.Errorf("%v was passed over without a reason", c.Addr)
		}
	}
	if taken != 2 {
		t.Errorf("%d taken, want one of each family", taken)
	}
}

func TestPathChangesWithTheWayOut(t *testing.T) {
	s := config.Source{Name: "wan", Method: "interface", Interface: "wan"}
	base := router(on(wan, "8.8.4.4/24"))
	was := answer(t, s, base, config.IPv4)
	for name, change := range map[string]func(*netwatch.Snapshot){
		"route gone":    func(s *netwatch.Snapshot) { s.Routes = nil },
		"new gateway":   func(s *netwatch.Snapshot) { s.Routes[0].Gateway = netip.MustParseAddr("8.8.4.1") },
		"carrier lost":  func(s *netwatch.Snapshot) { s.Links[1].Carrier = false },
		"address added": func(s *netwatch.Snapshot) { s.Addrs = append(s.Addrs, on(wan, "8.8.4.5/24")) },
		"other table":   func(s *netwatch.Snapshot) { s.Routes[0].Table = 3 },
	} {
		snap := router(on(wan, "8.8.4.4/24"))
		change(snap)
		if a := answer(t, s, snap, config.IPv4); a.Path == was.Path || a.Line == was.Line {
			t.Errorf("%s: path unchanged", name)
		}
	}
	other := router(on(wan, "8.8.4.4/24"), on(lan, "10.0.0.1/8"), on(wan, "2a02::1/64"))
	if a := answer(t, s, other, config.IPv4); a.Path != was.Path || a.Line != was.Line {
		t.Error("an address elsewhere or of the other family changed the path")
	}
	other.Routes = append(other.Routes, netwatch.Route{Link: lan, Dst: netip.MustParsePrefix("0.0.0.0/0"), Gateway: netip.MustParseAddr("10.0.0.2"), Metric: 9, Table: 254})
	if a := answer(t, s, other, config.IPv4); a.Path == was.Path || a.Line != was.Line {
		t.Error("a default route elsewhere changes the path, which another provider may be reached by, and not the line")
	}
}

func TestStatic(t *testing.T) {
	s := config.Source{Name: "fixed", Method: "static", IPv4: netip.MustParseAddr("203.0.113.5")}
	if a := answer(t, s, router(), config.IPv4); a.Addr != s.IPv4 {
		t.Errorf("took %v", a.Addr)
	}
	if a := answer(t, s, router(), config.IPv6); a.Addr.IsValid() || a.Note != "no ipv6 address configured" {
		t.Errorf("took %v, note %q", a.Addr, a.Note)
	}
	// It stands as it was written, whatever its range, and without any link; the
	// way out is watched all the same, so that a failed request is made again.
	s = config.Source{Name: "fixed", Method: "static", IPv4: netip.MustParseAddr("10.1.2.3"), IPv6: netip.MustParseAddr("fd00::5")}
	for _, f := range []config.Family{config.IPv4, config.IPv6} {
		with, without := answer(t, s, router(), f), answer(t, s, &netwatch.Snapshot{}, f)
		if !with.Addr.IsValid() || with.Addr != without.Addr || config.FamilyOf(with.Addr) != f || with.Named || with.Offline {
			t.Errorf("%v: %+v, without links %+v", f, with, without)
		}
		if f == config.IPv4 && with.Path == without.Path {
			t.Errorf("%v: the way out is not watched", f)
		}
	}
	list := NewSet([]config.Source{s})
	if all, _ := list.Explain(router()); len(all["fixed"]) != 2 || !all["fixed"][0].Taken || !all["fixed"][1].Taken {
		t.Errorf("explained as %+v", all)
	}
}

func TestCommandsAddressMustBePublic(t *testing.T) {
	set := NewSet([]config.Source{{Name: "s", Method: "command", Command: []string{"/x"}}})
	snap := router()
	set.Answers(snap)
	place := set.Questions()[0].Place
	put := func(err error, addrs ...string) Answer {
		x := External{Place: place, Err: err}
		for _, a := range addrs {
			x.Addrs, x.By = append(x.Addrs, netip.MustParseAddr(a)), "/x"
		}
		set.Put(x)
		return set.Answers(snap)[0]
	}
	if a := put(nil, "10.0.0.1"); a.Addr.IsValid() || !strings.Contains(a.Note, "private") {
		t.Errorf("took %v, note %q", a.Addr, a.Note)
	}
	put(nil, "8.8.4.4")
	if a := put(context.DeadlineExceeded); a.Addr.String() != "8.8.4.4" {
		t.Errorf("a failing program took the address away: %v", a.Addr)
	}
}
