package e2e

import (
	"strings"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

var orders = map[string]lab.DHCPOrder{"new address first": lab.AddFirst, "old address away first": lab.FlushFirst}

// leased is a site with a DHCP server for two networks, and its client.
func leased(t *testing.T, order lab.DHCPOrder) (*site, *lab.DHCPServer, *lab.DHCPClient) {
	t.Helper()
	s := newSite(t, lab.ProviderOptions{})
	s.ISPLink.Add("11.22.44.1/24")
	dhcp := s.ISPLink.DHCPServer(t.Context(), lab.Pool{First: "11.22.33.50"})
	s.start(s.plain())
	client := s.WAN.DHCPClient(order)
	s.settled("11.22.33.50")
	return s, dhcp, client
}

func TestLeaseChange(t *testing.T) {
	for name, order := range orders {
		t.Run(name, func(t *testing.T) {
			s, dhcp, client := leased(t, order)
			client.Done(t.Context(), "bound")
			dhcp.Switch(t.Context(), lab.Pool{First: "11.22.44.60"})
			client.Rediscover(t.Context())
			s.settled("11.22.44.60")
			if got := s.p.Zone.Addrs(home); len(got) != 1 || got[0].String() != "11.22.44.60" {
				t.Errorf("the DNS has %v", got)
			}
			if n := len(s.p.Connected()); n != 2 {
				t.Errorf("%d connections for two addresses", n)
			}
		})
	}
}

// OpenWrt's own client adds the new address before it takes the old one away,
// with no release between.
func TestLeaseChangeInPlace(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(s *site)
	}{
		{"new address first", func(s *site) {
			s.WAN.Add("11.22.44.60/24")
			s.WAN.DefaultVia("11.22.44.1")
			s.WAN.Del("11.22.33.50/24")
		}},
		{"old address away first", func(s *site) {
			s.WAN.Del("11.22.33.50/24")
			s.WAN.Add("11.22.44.60/24")
			s.WAN.DefaultVia("11.22.44.1")
		}},
	} {
		for _, source := range []string{"", onWAN} {
			t.Run(c.name+map[string]string{"": ", device found", onWAN: ", device named"}[source], func(t *testing.T) {
				s := newSite(t, lab.ProviderOptions{})
				s.ISPLink.Add("11.22.44.1/24")
				s.start(source + s.plain())
				s.online("11.22.33.50")
				s.settled("11.22.33.50")
				c.do(s)
				s.settled("11.22.44.60")
				s.state(home, "ipv4", "published")
			})
		}
	}
}

// A renewal that takes the address away and brings it back is nothing new.
func TestLeaseRenewalSendsNothing(t *testing.T) {
	s, dhcp, client := leased(t, lab.FlushAlways)
	client.Done(t.Context(), "bound")
	for range 2 {
		client.Renew()
		client.Done(t.Context(), "renew")
	}
	dhcp.Switch(t.Context(), lab.Pool{First: "11.22.44.60"})
	client.Rediscover(t.Context())
	s.settled("11.22.44.60")
	if log := s.d.Output(); strings.Count(log, "11.22.33.50 on wan") != 1 || strings.Contains(log, "no address now") {
		t.Errorf("the renewal is in the log:\n%s", log)
	}
}

func TestLeaseNak(t *testing.T) {
	s, dhcp, client := leased(t, lab.AddFirst)
	client.Done(t.Context(), "bound")
	dhcp.Switch(t.Context(), lab.Pool{First: "11.22.44.60"})
	client.Renew()
	dhcp.WaitLine(t.Context(), "DHCPNAK")
	s.settled("11.22.44.60")
	// Udhcpc waits three seconds after a NAK; that is long enough to be told.
	if log := s.d.Output(); !strings.Contains(log, "wan: ipv4 has no address now: ") {
		t.Errorf("the log does not tell of the loss:\n%s", log)
	}
}

// A lease that ends without another sends nothing, and is acted on at once
// when it is back with another address.
func TestLeaseLostAndBack(t *testing.T) {
	s, dhcp, client := leased(t, lab.AddFirst)
	client.Done(t.Context(), "bound")
	client.Release(t.Context())
	r := s.state(home, "ipv4", "waiting")
	if r.Published != "11.22.33.50" || r.Wanted != "" || r.Error != "" {
		t.Errorf("without an address: %+v", r)
	}
	dhcp.Switch(t.Context(), lab.Pool{First: "11.22.44.60"})
	client.Rediscover(t.Context())
	s.settled("11.22.44.60")
}
