package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

const clatAddr6 = "2a00:db8:c::c1a7" // what the router's IPv4 is translated to

// tayga translates between IPv4 and IPv6 (RFC 7915) in a namespace, by a device
// of its own and the well-known prefix 64:ff9b::/96.
func (s *site) tayga(ns *lab.Namespace, device, addr, more string) *lab.Link {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), "tayga.conf")
	if err := os.WriteFile(path, []byte("tun-device "+device+"\nipv4-addr "+addr+"\nprefix 64:ff9b::/96\n"+more+"\n"), 0o644); err != nil {
		s.t.Fatal(err)
	}
	ns.Run("tayga", "-c", path, "--mktun")
	k := ns.Link(device)
	k.Up()
	ns.Spawn("tayga", "-d", "-c", path)
	return k
}

// xlat makes a site whose WAN carries IPv6 alone. IPv4 goes through 464XLAT
// (RFC 6877): one translator on the router, whose IPv4 address is 192.0.0.1
// then, and one at the ISP, which gives it the addresses of 11.44.0.0/24.
func (s *site) xlat() {
	s.t.Helper()
	s.ISPLink.Flush(4)
	s.WAN.Add("2a00:db8:1::7/64", "nodad")
	s.WAN.DefaultVia(gateway6)
	s.Router.Sysctl("net/ipv6/conf/all/forwarding", "1")
	s.ISP.Sysctl("net/ipv6/conf/all/forwarding", "1")
	plat := s.tayga(s.ISP, "plat", "11.44.0.1", "dynamic-pool 11.44.0.0/24")
	s.ISP.IP("route", "add", "11.44.0.0/24", "dev", plat.Name)
	s.ISP.IP("-6", "route", "add", "64:ff9b::/96", "dev", plat.Name)
	clat := s.tayga(s.Router, "clat", "192.0.0.2", "map 192.0.0.1 "+clatAddr6)
	s.Router.IP("-6", "route", "add", clatAddr6, "dev", clat.Name)
	clat.Add("192.0.0.1/32")
	clat.DefaultVia("", "mtu", "1260")
	s.behind("2a00:db8:1::7")
}

// behind makes the ISP route what the router translates to an address of its.
func (s *site) behind(addr string) {
	s.t.Helper()
	s.ISP.IP("-6", "route", "replace", clatAddr6, "via", addr, "dev", s.ISPLink.Name)
}

// Behind 464XLAT nothing comes in by IPv4: its address is not published, nor is
// the ISP's, which echo services would see; `addresses` says what it is. The
// IPv6 address is published, by requests through both translators where the
// provider has IPv4 alone.
func TestCLAT(t *testing.T) {
	for name, source := range map[string]string{"device found": "", "device named": onWAN} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, lab.ProviderOptions{})
			s.xlat()
			s.start(source + s.plain(both))
			r := s.settled("2a00:db8:1::7")
			if from := r.Remote.Addr().String(); !strings.HasPrefix(from, "11.44.0.") || strings.Contains(r.URL.RawQuery, "192.0.0.") || strings.Contains(r.URL.RawQuery, "11.44.") {
				t.Errorf("request %s from %s", r.URL, from)
			}
			why := map[bool]string{true: "192.0.0.1 is the router's end of 464XLAT", false: "no ipv4 address on wan"}[source == ""]
			s.source("wan", "ipv4", why)
			if r := s.state(home, "ipv4", "waiting"); r.Error != "" || r.Published != "" {
				t.Errorf("IPv4: %+v", r)
			}
			if out := s.d.Command("addresses").Stdout; !strings.Contains(out, "192.0.0.1") || !strings.Contains(out, "464XLAT") {
				t.Errorf("addresses:\n%s", out)
			}

			// The WAN has another address: by the same way.
			s.WAN.Del("2a00:db8:1::7/64")
			s.WAN.Add("2a00:db8:1::8/64", "nodad")
			s.WAN.DefaultVia(gateway6)
			s.behind("2a00:db8:1::8")
			if from := s.settled("2a00:db8:1::8").Remote.Addr().String(); !strings.HasPrefix(from, "11.44.0.") {
				t.Errorf("the request came from %s", from)
			}
			if got := s.p.Zone.Addrs(home); len(got) != 1 || got[0].String() != "2a00:db8:1::8" {
				t.Errorf("the DNS has %v", got)
			}
		})
	}
}

// source waits until the status says this of a source.
func (s *site) source(name, family, note string) {
	s.t.Helper()
	eventually(s.t, name+" "+family+": "+note, func() bool {
		for _, src := range status(s.t, s.d).Sources {
			if src.Name == name && src.Family == family && src.Address == "" && strings.HasPrefix(src.Note, note) {
				return true
			}
		}
		return false
	})
}

// The name servers have IPv4 addresses alone, and the record's source names a
// line that carries IPv6 alone: they are asked through the translators, too,
// and so is a resolver over HTTPS where they are hidden.
func TestVerifiedThroughCLAT(t *testing.T) {
	for name, source := range map[string]string{"device found": "", "device named": onWAN} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := bareSite(t)
			realDNS(s)
			s.ISP.Link("lo").Add(resolver + "/32")
			ca := s.CA()
			s.ISP.Recursor(resolver, rootServer, time.Minute, ca)
			s.Router.ResolvConf("nameserver 127.0.0.1\n") // where nobody is
			s.xlat()
			const url = "https://" + resolver + "/dns-query"
			s.start(fmt.Sprintf("[daemon]\nstate_dir = \"$DIR/state\"\nsocket = \"$DIR/socket\"\nca_file = %q\n", ca.File) + source +
				strings.Replace(verifyConfig, "[verify]\n", v6+"\n[verify]\nresolver = \""+url+"\"\n", 1))
			s.published("2a00:db8:1::7")
			s.d.WaitLog(t.Context(), home+": ipv6 seen by all 2 name servers after ")
			if r := s.d.Command("verify"); r.Status != 0 || !strings.Contains(r.Stdout, "ok: all 2 name servers give 2a00:db8:1::7") {
				t.Errorf("%d %s%s", r.Status, r.Stdout, r.Stderr)
			}
			hidden(s)
			if r := s.d.Command("verify"); r.Status != 0 || !strings.Contains(r.Stdout, "ok: the resolver "+url+" gives 2a00:db8:1::7") {
				t.Errorf("%d %s%s", r.Status, r.Stdout, r.Stderr)
			}
		})
	}
}
