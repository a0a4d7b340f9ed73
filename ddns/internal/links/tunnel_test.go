package links

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// wireguard joins the router and the ISP by a tunnel that carries everything:
// wg0 in both, 10.9.0.1 there and 10.9.0.2 here. Routes are the caller's.
func (s *site) wireguard() *lab.Link {
	s.t.Helper()
	key := func(ns *lab.Namespace) (file, public string) {
		file = filepath.Join(s.t.TempDir(), "key")
		private := ns.Run("wg", "genkey")
		if err := os.WriteFile(file, []byte(private), 0o600); err != nil {
			s.t.Fatal(err)
		}
		return file, strings.TrimSpace(ns.Run("sh", "-c", "wg pubkey <"+file))
	}
	ours, pubOurs := key(s.Router)
	theirs, pubTheirs := key(s.ISP)
	near, far := s.Router.Link("wg0"), s.ISP.Link("wg0")
	for _, k := range []*lab.Link{near, far} {
		k.NS.IP("link", "add", "wg0", "type", "wireguard")
	}
	s.Router.Run("wg", "set", "wg0", "private-key", ours, "peer", pubTheirs, "allowed-ips", "0.0.0.0/0", "endpoint", gateway+":51820")
	s.ISP.Run("wg", "set", "wg0", "private-key", theirs, "listen-port", "51820", "peer", pubOurs, "allowed-ips", "10.9.0.2/32")
	near.Add("10.9.0.2/24")
	far.Add("10.9.0.1/24")
	near.Up()
	far.Up()
	return near
}

// A VPN takes the default route. A source that names the WAN publishes the
// WAN's own address, by requests that leave through the WAN and not through
// the tunnel; a source that does not is told that it looks at a tunnel.
func TestWireGuard(t *testing.T) {
	for name, route := range map[string]func(s *site, wg *lab.Link){
		// OpenWrt's route_allowed_ips: a route in the main table that is preferred.
		"by metric": func(s *site, wg *lab.Link) {
			wg.DefaultVia("", "metric", "1")
		},
		// wg-quick: all but the tunnel's own packets look into a table of its own.
		"by rule": func(s *site, wg *lab.Link) {
			s.Router.Run("wg", "set", "wg0", "fwmark", "51820")
			wg.DefaultVia("", "table", "51820")
			s.Router.IP("-4", "rule", "add", "not", "fwmark", "51820", "table", "51820")
			s.Router.IP("-4", "rule", "add", "table", "main", "suppress_prefixlength", "0")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.online(s.WAN, "11.22.33.7", "metric", "100")
			s.start(onWAN)
			s.settled("11.22.33.7")
			wg := s.wireguard()
			route(s, wg)
			s.online(s.WAN, "11.22.33.8", "metric", "100")
			r := s.settled("11.22.33.8")
			if from := r.Remote.Addr().String(); from != "11.22.33.8" {
				t.Errorf("the request came from %s", from)
			}
			if c := s.candidates("wan")["10.9.0.2/24"]; c.Tunnel != "WireGuard tunnel" || c.Reason != "not on wan" {
				t.Errorf("addresses: %+v", c)
			}
		})
	}
}

// With the default route in a tunnel and no device named, nothing is published
// of the tunnel's private address, and `addresses` says why.
func TestWireGuardFound(t *testing.T) {
	s := newSite(t)
	wg := s.wireguard()
	s.online(s.WAN, "11.22.33.7", "metric", "100")
	wg.DefaultVia("", "metric", "1")
	s.start("[source.wan]\nmethod = \"interface\"\n")
	all := s.candidates("wan")
	if c := all["10.9.0.2/24"]; c.Taken || c.Tunnel != "WireGuard tunnel" || !strings.Contains(c.Reason, "private") {
		t.Errorf("the tunnel: %+v", c)
	}
	if c := all["11.22.33.7/24"]; c.Taken || c.Reason != "not on wg0" {
		t.Errorf("the WAN: %+v", c)
	}
	// The VPN ends: the WAN is found again.
	wg.Delete()
	s.settled("11.22.33.7")
}

// 6in4, as tunnel brokers have it: the IPv6 address is the tunnel's, whether
// the source names it or finds it, and `addresses` says what it is.
func TestSixInFour(t *testing.T) {
	for name, source := range map[string]string{"device found": "", "device named": "[source.wan]\ninterface = \"6in4-he\"\n"} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.online(s.WAN, "11.22.33.7")
			s.ISP.IP("tunnel", "add", "6in4", "mode", "sit", "local", gateway, "remote", "11.22.33.7")
			far := s.ISP.Link("6in4")
			far.Up()
			far.Add("2a00:db8:6::1/64", "nodad")
			s.start(source, `families = ["ipv6"]`)
			dial := func(addr string) {
				s.Router.IP("tunnel", "add", "6in4-he", "mode", "sit", "local", "11.22.33.7", "remote", gateway, "ttl", "64")
				k := s.Router.Link("6in4-he")
				k.Up()
				k.Add(addr+"/64", "nodad")
				k.DefaultVia("2a00:db8:6::1")
			}
			dial("2a00:db8:6::2")
			s.settled("2a00:db8:6::2")
			if c := s.candidates("wan")["2a00:db8:6::2/64"]; !c.Taken || c.Tunnel != "6in4 tunnel" {
				t.Errorf("addresses: %+v", c)
			}
			s.Router.IP("tunnel", "del", "6in4-he")
			dial("2a00:db8:6::3")
			s.settled("2a00:db8:6::3")
		})
	}
}

// DS-Lite: IPv4 goes through a tunnel in IPv6 and has an address that nobody
// can reach. It is not published; the IPv6 address is.
func TestDSLite(t *testing.T) {
	s := newSite(t)
	s.ISPLink.Add("2a00:db8:1::1/64", "nodad")
	s.WAN.Add("2a00:db8:1::7/64", "nodad")
	s.WAN.DefaultVia("2a00:db8:1::1")
	for ns, ends := range map[*lab.Namespace][2]string{s.Router: {"2a00:db8:1::7", "2a00:db8:1::1"}, s.ISP: {"2a00:db8:1::1", "2a00:db8:1::7"}} {
		ns.IP("-6", "tunnel", "add", "ds-wan", "mode", "ipip6", "local", ends[0], "remote", ends[1], "encaplimit", "none")
		ns.Link("ds-wan").Up()
	}
	near := s.Router.Link("ds-wan")
	near.Add("192.0.0.2", "peer", "192.0.0.1")
	s.ISP.Link("ds-wan").Add("192.0.0.1", "peer", "192.0.0.2")
	near.DefaultVia("")
	s.start("[source.wan]\nmethod = \"interface\"\n", `families = ["ipv4", "ipv6"]`)
	r := s.settled("2a00:db8:1::7")
	if strings.Contains(r.URL.String(), "192.0.0") {
		t.Errorf("request %s", r.URL)
	}
	c := s.candidates("wan")["192.0.0.2/32"]
	if c.Taken || !strings.Contains(c.Tunnel, "DS-Lite") || !strings.Contains(c.Reason, "DS-Lite") {
		t.Errorf("addresses: %+v", c)
	}
}
