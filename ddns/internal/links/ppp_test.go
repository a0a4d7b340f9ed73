package links

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// concentrator is the provider's end of PPP over Ethernet, which gives this
// address to whoever dials. What of IPv6 is pppd's: "+ipv6" or "noipv6".
func (s *site) concentrator(addr, ipv6 string) *lab.Process {
	s.t.Helper()
	options := filepath.Join(s.t.TempDir(), "options")
	if err := os.WriteFile(options, []byte("noauth\nnodetach\n"+ipv6+"\n"), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return s.ISP.Spawn("pppoe-server", "-F", "-I", s.ISPLink.Name, "-L", "11.99.0.1", "-R", addr, "-N", "3", "-O", options)
}

// dial is pppd as OpenWrt runs it; it dials again by itself.
func (s *site) dial(ipv6 string) *lab.Process {
	s.t.Helper()
	return s.Router.Spawn("pppd", "plugin", "rp-pppoe.so", "nic-"+s.WAN.Name, "ifname", "pppoe-wan", "user", "user", "noauth", ipv6,
		"nodetach", "defaultroute", "usepeerdns", "persist", "holdoff", "1", "maxfail", "0", "lcp-echo-interval", "1", "lcp-echo-failure", "5")
}

// hangup ends the session from the provider's side, and waits until there is
// none there.
func (s *site) hangup() {
	s.t.Helper()
	s.ISP.Run("sh", "-c", `for p in $(ip netns pids "$1"); do read -r name </proc/$p/comm; [ "$name" != pppd ] || kill $p; done`, "sh", s.ISP.Name)
	s.ISP.Wait(s.ctx, "the session has ended", func() bool { return !strings.Contains(s.ISP.IP("-o", "link"), ": ppp") })
}

// A PPPoE session: its address arrives after each dial, whether the provider
// or the line ended the one before; the far end's address is never ours.
func TestPPPoE(t *testing.T) {
	for name, source := range map[string]string{"device found": "", "device named": "[source.wan]\ninterface = \"pppoe-wan\"\n"} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.start(source)
			server := s.concentrator("11.22.44.7", "noipv6")
			pppd := s.dial("noipv6")
			ppp := s.Router.Link("pppoe-wan")
			r := s.settled("11.22.44.7")
			if from := r.Remote.Addr().String(); from != "11.22.44.7" {
				t.Errorf("the request came from %s", from)
			}
			index := ppp.Index()

			// The provider ends the session, as once a day; another address.
			server.Kill()
			s.hangup()
			server = s.concentrator("11.22.55.8", "noipv6")
			s.settled("11.22.55.8")
			if ppp.Index() == index {
				t.Error("the index is the same")
			}
			index = ppp.Index()

			// The line is dead, which LCP finds after five seconds.
			s.WAN.Unplug()
			server.Kill()
			s.hangup()
			s.gone(ppp)
			server = s.concentrator("11.22.66.9", "noipv6")
			s.WAN.Plug()
			s.settled("11.22.66.9")
			if ppp.Index() == index {
				t.Error("the index is the same")
			}

			// A restart of pppd, as netifd does it, with another address.
			pppd.Stop()
			server.Kill()
			s.hangup()
			s.concentrator("11.22.77.7", "noipv6")
			s.dial("noipv6")
			s.settled("11.22.77.7")
			for _, c := range s.candidates("wan") {
				if c.Taken != (c.Address == "11.22.77.7/32") {
					t.Errorf("%+v", c)
				}
			}
		})
	}
}

// gone waits until a device has no IPv4 address any more.
func (s *site) gone(k *lab.Link) {
	s.t.Helper()
	s.Router.Wait(s.ctx, k.Name+" has no address", func() bool {
		for _, a := range k.Addrs() {
			if a.Prefix.Addr().Is4() {
				return false
			}
		}
		return true
	})
}
