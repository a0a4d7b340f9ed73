package links

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// advertise makes the provider's end of the session that has come up, ppp0
// there, advertise a prefix for the router to make itself an address of, and
// waits for that address.
func (s *site) advertise(prefix string) (addr string, ra *lab.Radvd) {
	s.t.Helper()
	far := s.ISP.Link("ppp0")
	s.linkLocal(far)
	far.Add(strings.Replace(prefix, "::/", "::1/", 1), "nodad")
	ra = far.Radvd(lab.RAPrefix{Prefix: prefix, Preferred: time.Hour, Valid: 2 * time.Hour})
	return s.Router.Link("pppoe-wan").WaitAddr(s.ctx, prefix).Prefix.Addr().String(), ra
}

// linkLocal waits for a device's link-local address, which IPV6CP brings.
func (s *site) linkLocal(k *lab.Link) netip.Addr {
	s.t.Helper()
	return k.WaitAddr(s.ctx, "fe80::/10").Prefix.Addr()
}

// ours checks that `addresses` has this address taken, our link-local one
// passed over for what it is, and no address of the far end's.
func (s *site) ours(addr string) {
	s.t.Helper()
	near, far := s.linkLocal(s.Router.Link("pppoe-wan")), s.ISP.Link("ppp0").Addrs()
	all := s.candidates("wan")
	for cidr, c := range all {
		a := netip.MustParsePrefix(cidr).Addr()
		if a.Is4() {
			continue
		}
		if c.Taken != (a.String() == addr) || a == near && !strings.Contains(c.Reason, "link-local") {
			s.t.Errorf("%+v", c)
		}
		for _, f := range far {
			if a == f.Prefix.Addr() {
				s.t.Errorf("the far end's address: %+v", c)
			}
		}
	}
	if len(all) == 0 {
		s.t.Error("no addresses")
	}
}

// IPv6 over PPPoE: IPV6CP brings link-local addresses, the far end's beside
// ours, and advertisements a prefix. The address in it is published, after
// each dial that of the new prefix, and never another.
func TestPPPoEIPv6(t *testing.T) {
	for name, source := range map[string]string{"device found": "", "device named": "[source.wan]\ninterface = \"pppoe-wan\"\n"} {
		t.Run(name, func(t *testing.T) {
			s := newSiteAt(t, server6)
			s.Router.Sysctl("net/ipv6/conf/all/forwarding", "1") // as routers do
			s.Router.Sysctl("net/ipv6/conf/default/accept_ra", "2")
			s.start(source, `families = ["ipv6"]`)
			server := s.concentrator("11.22.44.7", "+ipv6")
			s.dial("+ipv6")
			published := func(prefix string) *lab.Radvd {
				t.Helper()
				addr, ra := s.advertise(prefix)
				r := s.settled(addr)
				if from := r.Remote.Addr().String(); from != addr {
					t.Errorf("the request came from %s", from)
				}
				s.ours(addr)
				return ra
			}
			ra := published("2a00:db8:a::/64")

			// The provider ends the session, as once a day; another prefix.
			ra.Kill()
			server.Kill()
			s.hangup()
			server = s.concentrator("11.22.55.8", "+ipv6")
			ra = published("2a00:db8:b::/64")

			// Another prefix within the session, the old one deprecated.
			s.ISP.Link("ppp0").Add("2a00:db8:c::1/64", "nodad")
			ra.Advertise(lab.RAPrefix{Prefix: "2a00:db8:b::/64", Valid: 2 * time.Hour},
				lab.RAPrefix{Prefix: "2a00:db8:c::/64", Preferred: time.Hour, Valid: 2 * time.Hour})
			ppp := s.Router.Link("pppoe-wan")
			addr := ppp.WaitAddr(s.ctx, "2a00:db8:c::/64").Prefix.Addr().String()
			s.settled(addr)
			s.ours(addr)

			// The line is dead, which LCP finds after five seconds.
			s.WAN.Unplug()
			ra.Kill()
			server.Kill()
			s.hangup()
			s.gone(ppp)
			s.concentrator("11.22.66.9", "+ipv6")
			s.WAN.Plug()
			published("2a00:db8:d::/64")
		})
	}
}

// An address that is assigned singly, as by DHCPv6, may come with the far
// end's: ours is published.
func TestPPPoEIPv6Peer(t *testing.T) {
	s := newSiteAt(t, server6)
	s.start("", `families = ["ipv6"]`)
	s.concentrator("11.22.44.7", "+ipv6")
	s.dial("+ipv6")
	ppp, far := s.Router.Link("pppoe-wan"), s.ISP.Link("ppp0")
	s.linkLocal(ppp)
	s.linkLocal(far)
	far.Add("2a00:db8:e::1", "peer", "2a00:db8:e::7")
	ppp.Add("2a00:db8:e::7", "peer", "2a00:db8:e::1")
	s.Router.IP("-6", "route", "add", "default", "dev", "pppoe-wan")
	s.settled("2a00:db8:e::7")
	s.ours("2a00:db8:e::7")
}
