package e2e

import (
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// promptly bounds what happens at an event. The shortest retry timer is at
// 900 ms; the rest is for a loaded machine.
const promptly = 400 * time.Millisecond

func sources(t *testing.T, f func(t *testing.T, source string)) {
	for name, source := range map[string]string{"device found": "", "device named": onWAN} {
		t.Run(name, func(t *testing.T) { f(t, source) })
	}
}

// D18: the interface goes and comes back with another index.
func TestInterfaceDeletedAndMadeAgain(t *testing.T) {
	sources(t, func(t *testing.T, source string) {
		s := newSite(t, lab.ProviderOptions{})
		s.online("11.22.33.7")
		s.start(source + s.plain())
		s.settled("11.22.33.7")
		was := s.WAN.Index()

		s.WAN.Delete()
		r := s.state(home, "ipv4", "waiting")
		if r.Published != "11.22.33.7" {
			t.Errorf("without an interface: %+v", r)
		}
		s.WAN.Recreate()
		if s.WAN.Index() == was {
			t.Fatal("the index is the same")
		}
		s.ISPLink.Add(gateway + "/24")
		s.online("11.22.33.7")
		s.state(home, "ipv4", "published") // the same address: nothing to say
		s.online("11.22.33.8")
		s.settled("11.22.33.8")
	})
}

// A PPP session sets its address in steps and has a new index each time. The
// address of the other end is never ours.
func TestDial(t *testing.T) {
	if err := unix.Access("/dev/net/tun", unix.R_OK|unix.W_OK); err != nil {
		t.Skipf("NOT RUN: /dev/net/tun: %v", err) // without root, on most machines
	}
	for name, source := range map[string]string{"device found": "", "device named": "[source.wan]\ninterface = \"pppoe-wan\"\n"} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, lab.ProviderOptions{})
			tun := s.Router.Tun("pppoe-wan")
			far := netip.MustParseAddr("11.99.0.1")
			s.start(source + s.plain())
			s.d.WaitLog(t.Context(), "wan: ipv4 has no address yet")
			index := -1
			for _, addr := range []string{"11.22.44.7", "11.22.55.8", "11.22.66.9"} {
				tun.Dial(netip.MustParseAddr(addr), far)
				s.settled(addr)
				if tun.Index() == index {
					t.Error("the index is the same")
				}
				index = tun.Index()
				tun.Hangup()
				s.state(home, "ipv4", "waiting")
			}
			// The session comes back with the same address: no request.
			tun.Dial(netip.MustParseAddr("11.22.66.9"), far)
			s.state(home, "ipv4", "published")
			tun.Hangup()
			tun.Dial(netip.MustParseAddr("11.22.44.7"), far)
			s.settled("11.22.44.7")
		})
	}
}

func TestRename(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.online("11.22.33.7")
	s.start("[source.wan]\ninterface = \"uplink\"\n" + s.plain())
	s.d.WaitLog(t.Context(), "wan: ipv4 has no address yet: there is no interface uplink")
	s.WAN.Rename("uplink")
	s.WAN.DefaultVia(gateway) // a kernel that wants the device down for it takes the route
	s.settled("11.22.33.7")

	// A device of another name is another device.
	s.WAN.Rename("other")
	s.state(home, "ipv4", "waiting")
	s.online("11.22.33.8")
	s.WAN.Rename("uplink")
	s.WAN.DefaultVia(gateway)
	s.settled("11.22.33.8")
}

// D15: what changes while the link is down waits for it.
func TestCarrierAndDown(t *testing.T) {
	for _, c := range []struct {
		name, note   string
		lose, regain func(s *site)
	}{
		{"carrier", "wan has no carrier", func(s *site) { s.WAN.Unplug() }, func(s *site) { s.WAN.Plug() }},
		{"down", "wan is down", func(s *site) { s.WAN.Down() }, func(s *site) { s.WAN.Up(); s.WAN.DefaultVia(gateway) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, lab.ProviderOptions{})
			s.online("11.22.33.7")
			s.start(onWAN + s.plain())
			s.settled("11.22.33.7")

			c.lose(s)
			s.state(home, "ipv4", "waiting")
			c.regain(s)
			s.state(home, "ipv4", "published")

			c.lose(s)
			s.state(home, "ipv4", "waiting")
			s.WAN.Flush(4)
			s.WAN.Add("11.22.33.8/24")
			s.explains("11.22.33.8/24", c.note)
			c.regain(s)
			if c.name == "carrier" {
				s.WAN.DefaultVia(gateway)
			}
			s.settled("11.22.33.8")
		})
	}
}

// D16: addresses of another interface are not ours.
func TestOtherInterface(t *testing.T) {
	sources(t, func(t *testing.T, source string) {
		s := newSite(t, lab.ProviderOptions{})
		other, _ := s.AddWAN("other", "isp1")
		s.online("11.22.33.7")
		s.start(source + s.plain())
		s.settled("11.22.33.7")
		other.Add("44.55.66.7/24")
		other.Add("2a00:db8:44::7/64", "nodad")
		s.explains("44.55.66.7/24", "not on wan")
		other.Flush(0)
		other.Add("44.55.66.8/24")
		other.DefaultVia("44.55.66.1", "metric", "500")
		s.online("11.22.33.8")
		s.settled("11.22.33.8")
	})
}

// DHCP and PPP bring the route after the address: the request goes out when
// it comes, not at a timer.
func TestAddressBeforeRoute(t *testing.T) {
	for name, c := range map[string]struct {
		source string
		until  func(s *site) // what happens between address and route
	}{
		"device found":                      {"", func(s *site) { s.explains("11.22.33.7/24", "default route") }},
		"device named":                      {onWAN, func(s *site) { s.d.WaitLog(s.t.Context(), "wan: ipv4 11.22.33.7 on wan") }},
		"device named, after it has failed": {onWAN, func(s *site) { s.d.WaitLog(s.t.Context(), "failed: ") }},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, lab.ProviderOptions{})
			s.start(c.source + s.plain())
			s.d.WaitLog(t.Context(), "wan: ipv4 has no address yet")
			s.WAN.Add("11.22.33.7/24")
			c.until(s)
			added := lab.Now()
			s.WAN.DefaultVia(gateway)
			r := s.settled("11.22.33.7")
			if late := since(added, r.FirstByte); late > promptly {
				t.Errorf("request %v after the route", late)
			}
		})
	}
}

// A router with several WANs has the default route of each in a table of its
// own; only a socket that is bound as the source says gets there.
func TestPolicyRouting(t *testing.T) {
	for name, rule := range map[string][]string{
		"by device":  {"oif", "wan", "lookup", "100"},
		"by address": {"from", "11.22.33.0/24", "lookup", "100"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, lab.ProviderOptions{})
			s.Router.IP(append([]string{"rule", "add"}, rule...)...)
			s.start(onWAN + s.plain())
			s.d.WaitLog(t.Context(), "wan: ipv4 has no address yet")
			s.WAN.Add("11.22.33.7/24")
			s.d.WaitLog(t.Context(), "wan: ipv4 11.22.33.7 on wan")
			added := lab.Now()
			s.WAN.DefaultVia(gateway, "table", "100")
			r := s.settled("11.22.33.7")
			if late := since(added, r.FirstByte); late > promptly {
				t.Errorf("request %v after the route", late)
			}
			s.WAN.Flush(4)
			s.WAN.Add("11.22.33.8/24")
			s.WAN.DefaultVia(gateway, "table", "100")
			s.settled("11.22.33.8")
		})
	}
}

// Without a default route the provider may be reached all the same, by a
// route of its own: that is tried when no default route comes with the address.
func TestRouteToTheProviderAlone(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.start(onWAN + s.plain())
	s.WAN.Add("11.22.33.7/24")
	s.Router.IP("route", "add", server, "via", gateway, "dev", "wan")
	s.settled("11.22.33.7")
	if n := len(s.p.Connected()); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// The link moves under a bridge, and the address to the bridge.
func TestBridged(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.online("11.22.33.7")
	s.start(s.plain())
	s.settled("11.22.33.7")
	bridge := s.Router.Bridge("br-wan")
	s.WAN.Master("br-wan")
	s.WAN.Flush(4)
	bridge.Add("11.22.33.8/24")
	bridge.DefaultVia(gateway)
	s.settled("11.22.33.8")
	if got := status(t, s.d).Sources[0]; got.Interface != "br-wan" {
		t.Errorf("source: %+v", got)
	}
}

// explains waits until `addresses` passes an address over with the reason.
func (s *site) explains(cidr, reason string) {
	s.t.Helper()
	eventually(s.t, cidr+" is passed over: "+reason, func() bool {
		return reasons(s.t, s.d)[cidr].contains(reason)
	})
}
