package e2e

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// refused are the addresses that are never published, and what is said of them.
var refused = []struct {
	name, cidr string
	more       []string // for `ip address add`
	reason     string
}{
	{"private", "192.168.7.5/24", nil, "private"}, // D4
	{"private, ten", "10.1.2.3/8", nil, "private"},
	{"carrier-grade NAT", "100.64.3.4/10", nil, "CGNAT"}, // D5
	{"link-local", "169.254.9.9/16", nil, "link-local"},
	{"documentation", "203.0.113.9/24", nil, "documentation"},
	{"benchmarking", "198.18.0.9/24", nil, "benchmarking"},
	{"DS-Lite", "192.0.0.2/29", nil, "end of DS-Lite"},
	{"narrow scope", "11.22.77.7/24", []string{"scope", "link"}, "scope"},
	{"deprecated IPv4", "11.22.77.8/24", []string{"preferred_lft", "0", "valid_lft", "1000"}, "deprecated"},
	{"unique local", "fd12:3456::7/64", []string{"nodad"}, "unique local"}, // D7
	{"IPv6 link-local", "fe80::1234/64", []string{"nodad"}, "link-local"},
	{"IPv6 documentation", "2001:db8::7/64", []string{"nodad"}, "documentation"},
	{"Teredo", "2001:0:1:2::7/64", []string{"nodad"}, "Teredo"},
	{"deprecated", "2a00:db8:1::99/64", []string{"nodad", "preferred_lft", "0", "valid_lft", "1000"}, "deprecated"}, // D9
}

// Each is there when the daemon starts, and is taken away and added again
// while it runs; then a public one comes, which alone is asked for.
func TestNeverPublished(t *testing.T) {
	sources(t, func(t *testing.T, source string) {
		s := newSite(t, lab.ProviderOptions{})
		s.bare()
		s.WAN.DefaultVia(gateway6, "onlink")
		s.prepare(source + s.plain(both))
		for _, c := range refused {
			s.never(c.name, c.reason, c.cidr, func() { s.WAN.Add(c.cidr, c.more...) })
		}
	})
}

// never checks an address that add brings, at the start and later, with a
// sentinel of its family.
func (s *site) never(name, reason, cidr string, add func()) {
	s.t.Helper()
	s.t.Log(name)
	sentinel, more := "11.22.33.7/24", []string(nil)
	if strings.Contains(cidr, ":") {
		sentinel, more = "2a00:db8:1::7/64", []string{"nodad"}
	}
	add()
	os.RemoveAll(s.d.Dir + "/state")
	s.d.Start()
	s.started()
	s.explains(cidr, reason)
	s.WAN.Del(cidr)
	s.gone(cidr)
	add()
	s.explains(cidr, reason)
	s.WAN.Add(sentinel, more...)
	s.settled(strings.Split(sentinel, "/")[0])
	s.d.Stop()
	s.noRace()
	s.WAN.Del(sentinel)
	if _, _, err := s.Router.Output(lab.Tool(s.t, "ip"), "address", "del", cidr, "dev", "wan"); err != nil {
		s.t.Logf("%s left with the sentinel", cidr)
	}
}

// gone waits until `addresses` no more knows the address.
func (s *site) gone(cidr string) {
	s.t.Helper()
	eventually(s.t, cidr+" is gone", func() bool { _, there := reasons(s.t, s.d)[cidr]; return !there })
}

// D11: an address is waited for while the kernel looks whether it is taken,
// and never published when it is.
func TestTentativeAndDuplicate(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.online("11.22.33.7")
	s.Router.Sysctl("net/ipv6/conf/wan/dad_transmits", "2")
	s.ISPLink.Add("2a00:db8:1::99/64", "nodad")
	s.WAN.DefaultVia(gateway6, "onlink")
	s.start(s.plain(both))
	s.settled("11.22.33.7")

	s.WAN.Add("2a00:db8:1::99/64")
	s.Router.Wait(t.Context(), "duplicate found", func() bool {
		for _, a := range s.WAN.Addrs() {
			if a.Prefix.String() == "2a00:db8:1::99/64" {
				return a.Flags&unix.IFA_F_DADFAILED != 0
			}
		}
		return false
	})
	s.explains("2a00:db8:1::99/64", "duplicate")

	added := lab.Now()
	s.WAN.Add("2a00:db8:1::55/64")
	s.explains("2a00:db8:1::55/64", "tentative")
	if r := s.settled("2a00:db8:1::55"); since(added, r.FirstByte).Seconds() < 0.9 {
		t.Errorf("published %v after it was added, still tentative", since(added, r.FirstByte))
	}
}

// D6: a private address first, a public one beside it.
func TestPublicBesidePrivate(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.WAN.Add("192.168.7.9/24")
	s.WAN.Add("11.22.33.7/24")
	s.WAN.DefaultVia("192.168.7.1", "onlink", "src", "11.22.33.7")
	s.ISPLink.Add("192.168.7.1/24")
	s.start(s.plain())
	s.settled("11.22.33.7")
	if got := reasons(t, s.d)["11.22.33.7/24"]; !got.Taken || got.Interface != "wan" {
		t.Errorf("addresses: %+v", got)
	}
}

// allow_private admits what is refused otherwise, after all public addresses.
func TestAllowPrivate(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.ISPLink.Add("192.168.7.1/24")
	s.WAN.Add("192.168.7.9/24")
	s.WAN.DefaultVia("192.168.7.1")
	s.start("[source.wan]\nallow_private = true\n" + s.plain())
	s.settled("192.168.7.9")
	s.WAN.Add("11.22.33.7/24")
	s.settled("11.22.33.7")
}

// D1: no address and no state send nothing, not an empty address either.
func TestNoAddress(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.start(s.plain(both))
	for _, family := range []string{"ipv4", "ipv6"} {
		if r := s.state(home, family, "waiting"); r.Error != "" || r.Wanted != "" || r.NextAttempt != "" {
			t.Errorf("without an address: %+v", r)
		}
	}
	for _, src := range status(t, s.d).Sources {
		if src.Address != "" || src.Note != "no interface has an "+src.Family+" default route" {
			t.Errorf("source without an address: %+v", src)
		}
	}
	s.d.Command("update", "-force")
	s.online("11.22.33.7")
	s.settled("11.22.33.7")
	if n := len(s.p.Connected()); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// D2: a provider that takes an empty address as the order to delete, as deSEC
// does, is told nothing while there is none: what the name has stays.
func TestNothingIsDeletedWithoutAnAddress(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.p.Handle(func(r *lab.Request) lab.Reply {
		q := r.URL.Query()
		for family, key := range map[int]string{4: "myipv4", 6: "myipv6"} {
			switch value := q.Get(key); value {
			case "preserve":
			case "":
				s.p.Zone.Clear(home, family)
			default:
				s.p.Zone.Set(home, netip.MustParseAddr(value))
			}
		}
		return lab.Reply{Body: "good"}
	})
	s.p.Zone.Set(home, netip.MustParseAddr("11.22.33.5"))
	s.p.Zone.Set(home, netip.MustParseAddr("2a00:db8:1::5"))
	has := func(want string) {
		t.Helper()
		if got := fmt.Sprint(s.p.Zone.Addrs(home)); got != want {
			t.Errorf("the DNS has %s, want %s", got, want)
		}
	}
	s.start(fmt.Sprintf("[provider.desec]\ntoken = \"s3cret-word\"\nzone = \"dyn.test\"\nserver = %q\ninsecure_http = true\n", s.p.URL) +
		record(home, "desec", both))
	for _, family := range []string{"ipv4", "ipv6"} {
		s.state(home, family, "waiting")
	}
	s.d.Command("update", "-force")
	s.online("11.22.33.7")
	r := s.p.NextRequest(t.Context())
	if q := r.URL.Query(); q.Get("myipv4") != "11.22.33.7" || q.Get("myipv6") != "preserve" {
		t.Errorf("request: %s", r.URL)
	}
	s.published("11.22.33.7")
	has("[11.22.33.7 2a00:db8:1::5]")
	s.WAN.Flush(4)
	s.state(home, "ipv4", "waiting")
	s.d.Command("update", "-force")
	has("[11.22.33.7 2a00:db8:1::5]")
	s.online("11.22.33.8") // for which it is too soon
	s.state(home, "ipv4", "pending")
	has("[11.22.33.7 2a00:db8:1::5]")
	if n := len(s.p.Connected()); n != 1 {
		t.Errorf("%d connections", n)
	}
}
