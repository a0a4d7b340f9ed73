package witness

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/wanbeacon/wanbeacon/ddns/dns"
	"github.com/wanbeacon/wanbeacon/ddns/internal/dnsworld"
)

func look(t *testing.T, w *dnsworld.World) *Facts {
	t.Helper()
	return Check{Name: "home.example.org", Type: dns.TypeA, Roots: dnsworld.Roots,
		Expected: Expected{Want: dnsworld.Home, Older: []string{"198.51.100.9"}, Age: 3 * time.Hour, Delay: time.Minute}}.Run(t.Context(), w)
}

func TestWalkOfAnOrdinaryName(t *testing.T) {
	w := dnsworld.Usual()
	f := look(t, w)
	if f.Parent.Zone != "example.org" || len(f.Parent.Servers) != 5 || len(f.Child) != 5 || len(f.Servers) != 5 || f.Why != "" {
		t.Fatalf("%+v", f)
	}
	for i, s := range f.Servers {
		if s.Said != Values || fmt.Sprint(s.Values) != "["+dnsworld.Home+"]" || s.Addr.String() != fmt.Sprintf("11.0.2.%d:53", i+1) {
			t.Errorf("%+v", s)
		}
	}
	// root, org, root, net, net's other glue-less names, five servers, the NS set
	if n := w.Count(); n != f.Queries || n > 16 {
		t.Errorf("%d questions, %d counted:\n%s", n, f.Queries, strings.Join(w.Asked, "\n"))
	}
	if !strings.HasPrefix(w.Asked[0], "11.0.0.1 org NS") {
		t.Errorf("the root was asked for more than the top-level domain: %s", w.Asked[0])
	}
	// The next checks know the way.
	for _, c := range []struct {
		how        How
		turn, want int
		servers    int
	}{{Light, 6, 2, 1}, {Light, 7, 2, 1}, {All, 8, 5, 5}} {
		before := w.Count()
		g := Check{Name: "home.example.org", Type: dns.TypeA, Roots: dnsworld.Roots, How: c.how, Last: f, Turn: c.turn}.Run(t.Context(), w)
		if n := w.Count() - before; n != c.want || g.Queries != n || len(g.Servers) != c.servers || g.Servers[0].Said != Values || !g.Parent.Equal(f.Parent) {
			t.Errorf("%d questions %+v", n, g)
		}
	}
}

// TestLightChecksNoticeBoth: what the servers say, and who the parent says
// that they are, the old ones still answering right.
func TestLightChecksNoticeBoth(t *testing.T) {
	for name, change := range map[string]func(w *dnsworld.World){
		"an address": func(w *dnsworld.World) { w.Set("home.example.org A", []string{"192.0.2.66"}, dnsworld.Five...) },
		"silence":    func(w *dnsworld.World) { w.Mode("silent", dnsworld.Five...) },
		"delegation": func(w *dnsworld.World) {
			w.Zone("org", dnsworld.Records{"example.org NS": {"ns7.example.net"}}, "11.0.1.1")
		},
		"no delegation": func(w *dnsworld.World) { w.Zone("org", dnsworld.Records{}, "11.0.1.1") },
	} {
		w := dnsworld.Usual()
		f := look(t, w)
		change(w)
		doubts := 0
		for turn := range 2 {
			g := Check{Name: "home.example.org", Type: dns.TypeA, Roots: dnsworld.Roots, How: Light, Last: f, Turn: turn}.Run(t.Context(), w)
			if v, _ := Judge(g, Expected{Want: dnsworld.Home, Age: time.Hour}); v != OK {
				doubts++
			}
		}
		if doubts != 2 {
			t.Errorf("%s: %d doubts in two checks", name, doubts)
		}
	}
}

// TestWhatTheWalkFinds is one odd world after the other. want is "who: what"
// for each server, as others says it, or the reason.
func TestWhatTheWalkFinds(t *testing.T) {
	for name, c := range map[string]struct {
		change func(w *dnsworld.World)
		zone   string
		want   string // part of the sentence
		says   Verdict
	}{
		"as usual":   {func(w *dnsworld.World) {}, "example.org", "all 5 name servers give", OK},
		"one silent": {func(w *dnsworld.World) { w.Mode("silent", dnsworld.Five[3]) }, "example.org", "4 of 5 name servers give 203.0.113.7; ns4.example.net: no answer", OK},
		"all silent": {func(w *dnsworld.World) { w.Mode("silent", dnsworld.Five...) }, "example.org", "nobody answers for it: ns1.example.net, ns2.example.net: no answer; ns3", Dark},
		"SERVFAIL":   {func(w *dnsworld.World) { w.Mode("servfail", dnsworld.Five...) }, "example.org", "SERVFAIL", Dark},
		"REFUSED":    {func(w *dnsworld.World) { w.Mode("refused", dnsworld.Five...) }, "example.org", "REFUSED", Dark},
		"lame":       {func(w *dnsworld.World) { w.Mode("lame", dnsworld.Five...) }, "example.org", "lame", Dark},
		"a name taken away": {func(w *dnsworld.World) {
			w.Set("home.example.org A", nil, dnsworld.Five...)
			w.Set("home.example.org AAAA", nil, dnsworld.Five...)
		}, "example.org", "no such name", Dark},
		"only IPv6 left": {func(w *dnsworld.World) { w.Set("home.example.org A", nil, dnsworld.Five...) }, "example.org", "no such record", Dark},
		"a wildcard": {func(w *dnsworld.World) {
			w.Set("home.example.org A", nil, dnsworld.Five...)
			w.Set("home.example.org AAAA", nil, dnsworld.Five...)
			w.Set("*.example.org A", []string{dnsworld.Home}, dnsworld.Five...)
		}, "example.org", "all 5", OK},
		"one older": {func(w *dnsworld.World) { w.Set("home.example.org A", []string{"198.51.100.9"}, dnsworld.Five[2]) }, "example.org", "ns3.example.net: 198.51.100.9 (older)", Stale},
		"sinkhole":  {func(w *dnsworld.World) { w.Set("home.example.org A", []string{"192.0.2.66"}, dnsworld.Five...) }, "example.org", "192.0.2.66, which was never ours", Diverted},
		"CNAME within": {func(w *dnsworld.World) {
			w.Set("home.example.org A", nil, dnsworld.Five...)
			w.Set("home.example.org CNAME", []string{"x.example.org"}, dnsworld.Five...)
			w.Set("x.example.org A", []string{dnsworld.Home}, dnsworld.Five...)
		}, "example.org", "all 5", OK},
		"CNAME elsewhere": {func(w *dnsworld.World) {
			w.Set("home.example.org A", nil, dnsworld.Five...)
			w.Set("home.example.org CNAME", []string{"ns1.example.net"}, dnsworld.Five...)
			w.Zone("example.net", dnsworld.Records{"ns1.example.net A": {dnsworld.Home}}, "11.0.2.1", "11.0.2.2")
		}, "example.org", "all 2 name servers give", OK},
		"CNAME circle": {func(w *dnsworld.World) {
			w.Set("home.example.org A", nil, dnsworld.Five...)
			w.Set("home.example.org CNAME", []string{"b.example.org"}, dnsworld.Five...)
			w.Set("b.example.org CNAME", []string{"home.example.org"}, dnsworld.Five...)
		}, "example.org", "circle", Dark},
		"DNAME": {func(w *dnsworld.World) {
			w.Set("example.org DNAME", nil, dnsworld.Five...)
			w.Set("home.example.org A", nil, dnsworld.Five...)
			w.Set("home.example.org AAAA", nil, dnsworld.Five...)
			w.Zone("org", dnsworld.Records{"org DNAME": nil, "example.org DNAME": {"example.net"}}, "11.0.1.1")
			w.Zone("example.net", dnsworld.Records{"home.example.net A": {dnsworld.Home}}, "11.0.2.1", "11.0.2.2")
		}, "org", "all 2 name servers give", OK},
		"no such domain":    {func(w *dnsworld.World) { w.Zone("org", dnsworld.Records{}, "11.0.1.1") }, "org", "no such name", Dark},
		"no such top-level": {func(w *dnsworld.World) { w.Zone("", dnsworld.Records{"net NS": {"a.nic.net"}}, "11.0.0.1") }, "", "no such name", Dark},
		"no glue at all":    {func(w *dnsworld.World) { w.Mode("noglue", "11.0.1.2", "11.0.1.3") }, "example.org", "nobody answers", Dark},
		"referral in a circle": {func(w *dnsworld.World) {
			w.Zone("org", dnsworld.Records{"example.org NS": {"ns.example.com"}}, "11.0.1.1")
			w.Zone("", dnsworld.Records{"org NS": {"a.nic.org"}, "a.nic.org A": {"11.0.1.1"}, "com NS": {"a.nic.com"}, "a.nic.com A": {"11.0.1.9"}}, "11.0.0.1")
			w.Zone("com", dnsworld.Records{"example.com NS": {"ns.example.org"}}, "11.0.1.9")
		}, "example.org", "no address", Dark},
		"referral upwards":   {func(w *dnsworld.World) { w.Mode("up", dnsworld.Five...); w.Answer = upwards }, "example.org", "lame", Dark},
		"referral to itself": {func(w *dnsworld.World) { w.Answer = sideways }, "example.org", "lame", Dark},
		"glue out of bailiwick is not believed": {func(w *dnsworld.World) {
			w.Answer = func(server netip.Addr, q dnsmessage.Question, m *dnsmessage.Message) error {
				if server.String() == "11.0.1.1" { // org says where a server of net is
					for i := range 5 {
						s := fmt.Sprintf("ns%d.example.net", i+1)
						m.Authorities = append(m.Authorities, dnsworld.Resource("example.org", "NS", s))
						m.Additionals = append(m.Additionals, dnsworld.Resource(s, "A", "192.0.2.66"))
					}
				}
				return nil
			}
		}, "example.org", "all 5", OK},
		"glue that has moved": {func(w *dnsworld.World) {
			w.Zone("org", dnsworld.Records{"example.org NS": {"ns1.example.org", "ns2.example.org"}, "ns1.example.org A": {"11.0.9.9"}, "ns2.example.org A": {"11.0.2.2"}}, "11.0.1.1")
			w.Set("ns1.example.org A", []string{"11.0.2.1"}, dnsworld.Five...)
			w.Set("example.org NS", []string{"ns1.example.org", "ns2.example.org"}, dnsworld.Five...)
		}, "example.org", "all 2 name servers give", OK},
		"a server that only the zone names": {func(w *dnsworld.World) {
			w.Zone("org", dnsworld.Records{"example.org NS": {"ns1.example.net"}}, "11.0.1.1")
			w.Set("home.example.org A", []string{"198.51.100.9"}, dnsworld.Five[4])
		}, "example.org", "ns5.example.net: 198.51.100.9 (older)", Stale},
	} {
		t.Run(name, func(t *testing.T) {
			w := dnsworld.Usual()
			c.change(w)
			f := look(t, w)
			v, note := Judge(f, Expected{Want: dnsworld.Home, Older: []string{"198.51.100.9"}, Age: time.Hour, Delay: time.Minute})
			if f.Parent.Zone != c.zone || v != c.says || !strings.Contains(note, c.want) || w.Count() > maxQuestions {
				t.Errorf("zone %q, %s: %s\n%d questions:\n%s", f.Parent.Zone, v, note, w.Count(), strings.Join(w.Asked, "\n"))
			}
		})
	}
}

// upwards makes the servers of example.org lead to the root.
func upwards(server netip.Addr, q dnsmessage.Question, m *dnsmessage.Message) error {
	if strings.HasPrefix(server.String(), "11.0.2.") && q.Name.String() == "home.example.org." {
		r := dnsworld.Resource("org", "NS", "a.nic.org")
		m.Authorities = []dnsmessage.Resource{r}
	}
	return nil
}

// sideways makes them lead to themselves.
func sideways(server netip.Addr, q dnsmessage.Question, m *dnsmessage.Message) error {
	if strings.HasPrefix(server.String(), "11.0.2.") && q.Name.String() == "home.example.org." {
		m.Authorities = []dnsmessage.Resource{dnsworld.Resource("example.org", "NS", "ns1.example.net")}
	}
	return nil
}

func TestBlockedAndRedirected(t *testing.T) {
	answers := func(values ...string) func(string, uint16) ([]string, dnsmessage.RCode, error) {
		return func(name string, typ uint16) ([]string, dnsmessage.RCode, error) {
			if values == nil || name == nonsense && len(values) == 1 {
				return nil, dnsmessage.RCodeNameError, nil
			}
			return values[:1], 0, nil
		}
	}
	broken := func(which string) func(string, uint16) ([]string, dnsmessage.RCode, error) {
		return func(name string, typ uint16) ([]string, dnsmessage.RCode, error) {
			if which == "all" || name == which {
				return nil, dnsmessage.RCodeServerFailure, nil
			}
			return []string{"a.nic.org"}, 0, nil
		}
	}
	// proxy answers for everybody, by recursion.
	proxy := func(server netip.Addr, q dnsmessage.Question, m *dnsmessage.Message) error {
		m.RecursionAvailable = true
		m.Answers = []dnsmessage.Resource{dnsworld.Resource("org", "NS", "a.nic.org")}
		return nil
	}
	// late answers for everybody but the root.
	late := func(server netip.Addr, q dnsmessage.Question, m *dnsmessage.Message) error {
		if server.Is4() && server.As4()[1] == 0 && server.As4()[2] < 2 {
			return nil
		}
		m.RecursionAvailable = true
		m.Answers = []dnsmessage.Resource{dnsworld.Resource("home.example.org", "A", "192.0.2.66")}
		return nil
	}
	// posing answers for everybody, too, as a master of all zones.
	posing := func(addr string) func(netip.Addr, dnsmessage.Question, *dnsmessage.Message) error {
		return func(_ netip.Addr, q dnsmessage.Question, m *dnsmessage.Message) error {
			m.Authoritative = true
			switch q.Type {
			case dnsmessage.TypeNS:
				m.Answers = []dnsmessage.Resource{dnsworld.Resource(strings.TrimSuffix(q.Name.String(), "."), "NS", "a.nic.org")}
			case dnsmessage.TypeA:
				m.Answers = []dnsmessage.Resource{dnsworld.Resource(strings.TrimSuffix(q.Name.String(), "."), "A", addr)}
			}
			return nil
		}
	}
	// shy answers for everybody below the root as a cache does that tells nobody
	// what it is.
	shy := func(server netip.Addr, q dnsmessage.Question, m *dnsmessage.Message) error {
		if server != dnsworld.Roots[0].Addr() && q.Type == dnsmessage.TypeA {
			m.Answers = []dnsmessage.Resource{dnsworld.Resource(strings.TrimSuffix(q.Name.String(), "."), "A", "192.0.2.66")}
		}
		return nil
	}
	// forging answers questions for one name, wherever they go.
	forging := func(server netip.Addr, q dnsmessage.Question, m *dnsmessage.Message) error {
		if server.String()[:5] != "11.0." || server.As4()[2] == 2 { // those of the upper zones are nearer
			return posing("192.0.2.66")(server, q, m)
		}
		return nil
	}
	for name, c := range map[string]struct {
		resolver func(string, uint16) ([]string, dnsmessage.RCode, error)
		proxy    func(netip.Addr, dnsmessage.Question, *dnsmessage.Message) error
		says     Verdict
		want     string
	}{
		"blocked":                     {answers(dnsworld.Home), nil, OK, "the resolver 192.0.2.53 gives 203.0.113.7; weaker, as only the resolver 192.0.2.53 could be asked: outgoing DNS is blocked"},
		"blocked, resolver is silent": {nil, nil, Unverifiable, "outgoing DNS is blocked: no root server answers, and the resolver 192.0.2.53 does not answer"},
		"blocked, sinkhole":           {answers("192.0.2.66"), nil, Diverted, "weaker"},
		"blocked, no such name":       {answers(), nil, Dark, "no such name; weaker"},
		"blocked, any name":           {answers("192.0.2.66", "of anybody"), nil, Unverifiable, "gives an address to names that cannot exist"},
		"blocked, name is broken":     {broken("home.example.org"), nil, Dark, "SERVFAIL; weaker"},
		"blocked, resolver is broken": {broken("all"), nil, Unverifiable, "does not answer"},
		"redirected":                  {answers(dnsworld.Home), proxy, OK, "weaker, as only the resolver 192.0.2.53 could be asked: outgoing DNS is redirected"},
		"redirected below the root":   {answers(dnsworld.Home), late, OK, "outgoing DNS is redirected"},
		"redirected, with authority":  {answers(dnsworld.Home), posing(dnsworld.Home), OK, "weaker, as only the resolver 192.0.2.53 could be asked: outgoing DNS is redirected: something answers even"},
		"redirected to one address":   {answers("192.0.2.66", "of anybody"), posing("192.0.2.66"), Unverifiable, "gives an address to names that cannot exist"},
		"redirected, without a trace": {answers(dnsworld.Home), shy, OK, "outgoing DNS is redirected: what answers in place of the name servers has no authority"},
		"forged":                      {answers("192.0.2.66"), forging, Unverifiable, "answers about the name are forged on the way: they come even from where no name server is, and the resolver 192.0.2.53 may have been told the same"},
		"forged, resolver is not":     {answers(dnsworld.Home), forging, OK, "weaker, as only the resolver 192.0.2.53 could be asked: answers about the name are forged on the way"},
	} {
		t.Run(name, func(t *testing.T) {
			w := dnsworld.Usual()
			w.Resolver, w.Answer = c.resolver, c.proxy
			if c.proxy == nil {
				w.Mode("silent", "11.0.0.1")
			}
			v, note := Judge(look(t, w), Expected{Want: dnsworld.Home, Age: 3 * time.Hour, Delay: time.Minute})
			if v != c.says || !strings.Contains(note, c.want) {
				t.Errorf("%s: %s\n%s", v, note, strings.Join(w.Asked, "\n"))
			}
		})
	}
}

// TestServersOfTheInnerNetworkAreNotAsked because a stranger says so.
func TestServersOfTheInnerNetworkAreNotAsked(t *testing.T) {
	w := dnsworld.Usual()
	for _, root := range rootServers() {
		w.Zone("", dnsworld.Records{"org NS": {"a.nic.org"}, "a.nic.org A": {"192.168.1.1", "127.0.0.1", "10.0.0.1", "0.0.0.0"}}, root.Addr().String())
	}
	f := Check{Name: "home.example.org", Type: dns.TypeA}.Run(t.Context(), w)
	for _, asked := range w.Asked {
		if !strings.HasSuffix(asked, " org NS") {
			t.Error(asked)
		}
	}
	if v, note := Judge(f, Expected{Want: dnsworld.Home, Age: time.Hour}); v != Dark {
		t.Error(v, note)
	}
}
