package address

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/netwatch"
)

const behind = "192.168.1.20"

// behindNAT is a router whose WAN is the inside of another NAT.
func behindNAT() *netwatch.Snapshot {
	snap := router(on(wan, behind+"/24"), on(wan, "fd00:1::2/64"))
	snap.Routes[0].Gateway = netip.MustParseAddr("192.168.1.1")
	snap.Routes[1].Gateway = netip.MustParseAddr("fe80::1")
	return snap
}

// says is what someone answers to a kind of question.
type says struct {
	kind, addr, by  string
	announces       bool
	err             string
	wantAddr, note  string // the IPv4 answer after it
	method          string
	kinds           string // questions about IPv4 then, sorted
	polls           bool   // the question to echo services is asked at intervals
	candidateReason string // of addr, if it is passed over
}

func TestBeyondTheKernel(t *testing.T) {
	const nat = "NAT-PMP at 192.168.1.1"
	for _, c := range []struct {
		name   string
		source config.Source
		first  string // questions at the start
		steps  []says
	}{
		{"the router above knows it", config.Source{Method: "auto", Interface: "auto"}, "upstream", []says{
			{kind: Upstream, addr: "11.22.33.7", by: nat, wantAddr: "11.22.33.7", method: Upstream, note: behind + " is private (RFC 1918); found by " + nat, kinds: "upstream"},
			{kind: Upstream, addr: "11.22.33.8", by: nat, announces: true, wantAddr: "11.22.33.8", method: Upstream, kinds: "upstream"},
			{kind: Upstream, err: "silence", wantAddr: "11.22.33.8", method: Upstream, note: "which does not answer now", kinds: "echo upstream", polls: true},
			{kind: Echo, addr: "11.22.33.9", by: "two", wantAddr: "11.22.33.9", method: Echo, kinds: "echo upstream", polls: true},
			{kind: Upstream, addr: "11.22.33.9", by: nat, wantAddr: "11.22.33.9", method: Upstream, kinds: "upstream"},
		}},
		{"a chain of NATs", config.Source{Method: "auto", Interface: "auto"}, "upstream", []says{
			{kind: Upstream, addr: "100.64.1.7", by: nat, note: behind + " is private (RFC 1918); the router above is behind CGNAT: 100.64.1.7; no echo service",
				kinds: "echo upstream", polls: true, candidateReason: "CGNAT"},
			{kind: Echo, err: "no echo service answers", note: "no echo service answers", kinds: "echo upstream", polls: true},
			{kind: Echo, addr: "11.22.33.7", by: "two", wantAddr: "11.22.33.7", method: Echo, note: "behind CGNAT: 100.64.1.7; found by two", kinds: "echo upstream", polls: true},
			{kind: Upstream, addr: "10.0.0.5", by: nat, wantAddr: "11.22.33.7", method: Echo, note: "behind another NAT: 10.0.0.5", kinds: "echo upstream", polls: true, candidateReason: "private"},
		}},
		{"upstream alone waits", config.Source{Method: "upstream", Interface: "wan"}, "upstream", []says{
			{kind: Upstream, addr: "100.64.1.7", by: nat, note: "behind CGNAT: 100.64.1.7", kinds: "upstream", candidateReason: "CGNAT"},
			{kind: Upstream, err: "the router above has none", by: nat, note: "the router above has none", kinds: "upstream"},
			{kind: Upstream, addr: "11.22.33.7", by: nat, wantAddr: "11.22.33.7", method: Upstream, kinds: "upstream"},
			{kind: Upstream, err: "it has no public address outside", by: nat, note: "no public address", kinds: "upstream"},
		}},
		{"echo, and the router above announces", config.Source{Method: "echo", Interface: "auto"}, "upstream", []says{
			{kind: Upstream, addr: "11.22.33.7", by: nat, announces: true, note: "no echo service has answered yet", kinds: "echo upstream"},
			{kind: Echo, addr: "11.22.33.7", by: "two", wantAddr: "11.22.33.7", method: Echo, kinds: "echo upstream"},
			{kind: Upstream, addr: "100.64.1.7", by: nat, announces: true, wantAddr: "11.22.33.7", method: Echo, kinds: "echo upstream", polls: true},
		}},
		{"private addresses are wanted", config.Source{Method: "upstream", Interface: "auto", AllowPrivate: true}, "upstream", []says{
			{kind: Upstream, addr: "100.64.1.7", by: nat, wantAddr: "100.64.1.7", method: Upstream, kinds: "upstream"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.source.Name = "wan"
			set, snap := NewSet([]config.Source{c.source}), behindNAT()
			a := set.Answers(snap)[0]
			if got := kinds(set); a.Addr.IsValid() || got != c.first {
				t.Fatalf("at the start: took %v, asks %s; want %s", a.Addr, got, c.first)
			}
			for n, s := range c.steps {
				x := External{Place: question(t, set, s.kind).Place, By: s.by, Events: s.announces}
				if s.addr != "" {
					x.Addrs = []netip.Addr{netip.MustParseAddr(s.addr)}
				}
				if s.err != "" {
					x.Err = errors.New(s.err)
				}
				set.Put(x)
				a := set.Answers(snap)[0]
				if got := a.Addr.String(); got != s.wantAddr && (s.wantAddr != "" || a.Addr.IsValid()) {
					t.Errorf("step %d: took %s, want %q (%s)", n, got, s.wantAddr, a.Note)
				}
				if s.method != "" && a.Method != s.method || !strings.Contains(a.Note, s.note) || a.Interface != "wan" {
					t.Errorf("step %d: by method %s on %s, note %q; want %s, %q", n, a.Method, a.Interface, a.Note, s.method, s.note)
				}
				if a.From.String() != behind {
					t.Errorf("step %d: requests leave from %v", n, a.From)
				}
				if got := kinds(set); got != s.kinds {
					t.Errorf("step %d: asks %s, want %s", n, got, s.kinds)
				} else if strings.Contains(got, Echo) && question(t, set, Echo).Poll != s.polls {
					t.Errorf("step %d: polls %v", n, !s.polls)
				}
				if c.source.Method == Echo && s.kind == Upstream {
					continue // a hint, no candidate
				}
				list, _ := set.Explain(snap)
				if s.addr != "" && !slices.ContainsFunc(list["wan"], func(c Candidate) bool {
					return c.Addr.String() == s.addr && c.Taken == (s.candidateReason == "" && s.wantAddr == s.addr) && strings.Contains(c.Reason, s.candidateReason)
				}) && s.wantAddr != "" {
					t.Errorf("step %d: candidates %+v", n, list["wan"])
				}
			}
		})
	}
}

// kinds are the questions about IPv4.
func kinds(set *Set) string {
	var list []string
	for _, q := range set.Questions() {
		if q.Family == config.IPv4 {
			list = append(list, q.Kind)
		}
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func question(t *testing.T, set *Set, kind string) Question {
	t.Helper()
	for _, q := range set.Questions() {
		if q.Kind == kind && q.Family == config.IPv4 {
			return q
		}
	}
	t.Fatalf("no question to %s", kind)
	return Question{}
}

// Who has a public address on his own device asks nobody; nor does who has none
// from which he could ask.
func TestNobodyIsAskedInVain(t *testing.T) {
	auto := config.Source{Name: "wan", Method: "auto", Interface: "auto"}
	noRoute := behindNAT()
	noRoute.Routes = nil
	noCarrier := behindNAT()
	noCarrier.Links[1].Carrier = false
	for name, c := range map[string]struct {
		source config.Source
		snap   *netwatch.Snapshot
		want   string
	}{
		"public":               {auto, router(on(wan, "8.8.4.4/24"), on(wan, "2a02::1/64")), ""},
		"private beside it":    {auto, router(on(wan, behind+"/24"), on(wan, "8.8.4.4/24"), on(wan, "2a02::1/64")), ""},
		"no address":           {auto, router(), ""},
		"link-local":           {auto, router(on(wan, "169.254.1.1/16"), on(wan, "fe80::2/64", scope(253))), ""},
		"tentative":            {auto, router(on(wan, behind+"/24", flags(netwatch.Tentative))), ""},
		"no route":             {auto, noRoute, ""},
		"no route, named":      {config.Source{Name: "wan", Method: "auto", Interface: "wan"}, noRoute, "echo"}, // IPv6 leaves by routes that are not the default
		"no carrier":           {auto, noCarrier, ""},
		"method interface":     {config.Source{Name: "wan", Method: "interface", Interface: "auto"}, behindNAT(), ""},
		"private is wanted":    {config.Source{Name: "wan", Method: "auto", Interface: "auto", AllowPrivate: true}, behindNAT(), ""},
		"unique local, IPv6":   {auto, router(on(wan, "8.8.4.4/24"), on(wan, "fd00:1::2/64")), "echo"},
		"no router above":      {auto, router(on(wan, behind+"/24")), "echo"},
		"echo, public already": {config.Source{Name: "wan", Method: "echo", Interface: "auto"}, router(on(wan, "8.8.4.4/24")), "echo"},
	} {
		set := NewSet([]config.Source{c.source})
		set.Answers(c.snap)
		var got []string
		for _, q := range set.Questions() {
			got = append(got, q.Kind)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: asks %v, want %q", name, got, c.want)
		}
	}
}

// An address that was found behind one router says nothing about another.
func TestAnotherRouterAbove(t *testing.T) {
	set, snap := NewSet([]config.Source{{Name: "wan", Method: "auto", Interface: "auto"}}), behindNAT()
	set.Answers(snap)
	set.Put(External{Place: question(t, set, Upstream).Place, Addrs: []netip.Addr{netip.MustParseAddr("11.22.33.7")}, By: "x"})
	if a := set.Answers(snap)[0]; !a.Addr.IsValid() {
		t.Fatalf("no address: %s", a.Note)
	}
	moved := behindNAT()
	moved.Routes[0].Gateway = netip.MustParseAddr("192.168.1.254")
	if a := set.Answers(moved)[0]; a.Addr.IsValid() || question(t, set, Upstream).Gateway.String() != "192.168.1.254" {
		t.Errorf("took %v behind another router", a.Addr)
	}
	// A late answer of the first one changes nothing.
	set.Put(External{Place: Place{Kind: Upstream, Source: set.sources[0].Source, Family: config.IPv4}, Addrs: []netip.Addr{netip.MustParseAddr("66.6.6.6")}, By: "x"})
	if a := set.Answers(moved)[0]; a.Addr.IsValid() {
		t.Errorf("took %v", a.Addr)
	}
}

// An interface that gets a public address again needs nobody else.
func TestPublicAgain(t *testing.T) {
	set, snap := NewSet([]config.Source{{Name: "wan", Method: "auto", Interface: "auto"}}), behindNAT()
	set.Answers(snap)
	set.Put(External{Place: question(t, set, Upstream).Place, Addrs: []netip.Addr{netip.MustParseAddr("11.22.33.7")}, By: "x"})
	set.Answers(snap)
	a := set.Answers(router(on(wan, behind+"/24"), on(wan, "8.8.4.4/24")))[0]
	if a.Addr.String() != "8.8.4.4" || a.Method != "interface" || a.By != "" || kinds(set) != "" {
		t.Errorf("%+v, asks %s", a, kinds(set))
	}
}
