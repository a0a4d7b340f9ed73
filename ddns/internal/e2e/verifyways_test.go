package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

const resolver = "45.67.89.53"

// TestVerifiedOverHTTPS: where no name server can be reached, Unbound is asked,
// which speaks HTTP/2 alone.
func TestVerifiedOverHTTPS(t *testing.T) {
	t.Parallel()
	s := bareSite(t)
	realDNS(s)
	s.ISP.Link("lo").Add(resolver + "/32")
	ca := s.CA()
	s.ISP.Recursor(resolver, rootServer, time.Minute, ca)
	s.Router.ResolvConf("nameserver 127.0.0.1\n") // where nobody is
	s.WAN.Add("11.22.33.7/24")
	s.WAN.DefaultVia(gateway)
	const url = "https://" + resolver + "/dns-query"
	d := s.Router.Daemon(binary, fmt.Sprintf("[daemon]\nstate_dir = \"$DIR/state\"\nsocket = \"$DIR/socket\"\nca_file = %q\n", ca.File)+
		strings.Replace(verifyConfig, "[verify]\n", "[verify]\nresolver = \""+url+"\"\n", 1), noExitSleep)
	d.WaitLog(t.Context(), "home.dyn.test: ipv4 seen by all 2 name servers after ")
	hidden(s)
	const want = "ok: the resolver " + url + " gives 11.22.33.7; weaker, as only the resolver " + url + " could be asked: outgoing DNS is blocked"
	if r := d.Command("verify"); r.Status != 0 || !strings.Contains(r.Stdout, want) {
		t.Errorf("%d %s%s", r.Status, r.Stdout, r.Stderr)
	}
	d.Stop()
}

// TestVerifiedOverIPv6 alone: no name server has another address.
func TestVerifiedOverIPv6(t *testing.T) {
	t.Parallel()
	s := bareSite(t)
	const root, top, dyn, address = "2a00:db8:99::10", "2a00:db8:99::11", "2a00:db8:99::21", "2a00:db8:1::7"
	for _, addr := range []string{root, top, dyn} {
		s.ISP.Link("lo").Add(addr+"/128", "nodad")
	}
	s.ISP.Authority("Knot", root, map[string]lab.AuthorityZone{".": {
		Text: fmt.Sprintf(soa, 1) + "@ IN NS a.root\na.root IN AAAA " + root + "\ntest IN NS ns.test.\nns.test. IN AAAA " + top + "\n",
	}})
	s.ISP.Authority("NSD", top, map[string]lab.AuthorityZone{"test": {
		Text: fmt.Sprintf(soa, 1) + "@ IN NS ns\nns IN AAAA " + top + "\ndyn IN NS ns1.dyn\nns1.dyn IN AAAA " + dyn + "\n"}})
	s.ISP.Authority("BIND", dyn, map[string]lab.AuthorityZone{"dyn.test": {
		Text: fmt.Sprintf(soa, 1) + "@ IN NS ns1\nns1 IN AAAA " + dyn + "\n", Updates: true}})
	s.WAN.Add(address+"/64", "nodad")
	s.WAN.DefaultVia(gateway6)
	d := s.Router.Daemon(binary, fmt.Sprintf(`[provider.dyn]
type = "rfc2136"
server = "[%s]:53"
zone = "dyn.test"

[[record]]
hostname = "home.dyn.test"
provider = "dyn"
families = ["ipv6"]

[verify]
roots = [%q]
`, dyn, root), noExitSleep)
	d.WaitLog(t.Context(), "home.dyn.test: ipv6 seen by the one name server after ")
	if r := d.Command("verify"); r.Status != 0 || !strings.Contains(r.Stdout, "ok: the one name server gives "+address) || !strings.Contains(r.Stdout, "["+dyn+"]:53  "+address) {
		t.Errorf("%d %s%s", r.Status, r.Stdout, r.Stderr)
	}
	d.Stop()
}

// TestVerifiedFromTheSourcesAddress: only what leaves from the address of the
// record's own source finds its way.
func TestVerifiedFromTheSourcesAddress(t *testing.T) {
	t.Parallel()
	s := bareSite(t)
	realDNS(s)
	s.Router.ResolvConf("nameserver 127.0.0.1\n") // where nobody is
	s.WAN.Add("11.22.33.7/24")
	s.Router.IP("route", "add", "default", "via", gateway, "dev", "wan", "table", "100")
	s.Router.IP("rule", "add", "from", "11.22.33.7", "lookup", "100")
	s.Router.IP("route", "add", "unreachable", "45.67.89.0/24")
	d := s.Router.Daemon(binary, "[source.wan]\nmethod = \"interface\"\ninterface = \"wan\"\n"+verifyConfig, noExitSleep)
	d.WaitLog(t.Context(), "home.dyn.test: ipv4 11.22.33.7 published")
	d.WaitLog(t.Context(), "home.dyn.test: ipv4 seen by all 2 name servers after ")
	d.Stop()
}
