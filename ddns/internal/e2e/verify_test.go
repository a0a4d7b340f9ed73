package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// Addresses of the real DNS behind the ISP.
const (
	rootServer = "45.67.89.10"
	testServer = "45.67.89.11" // of the top-level domain test
	dynServer1 = "45.67.89.21" // primary of dyn.test
	dynServer2 = "45.67.89.22" // its secondary, of another make
	seized     = "45.67.89.30"
)

const soa = "$TTL 60\n@ IN SOA ns hostmaster %d 3600 600 86400 60\n"

// testZone is the top-level domain with its delegation of dyn.test.
func testZone(serial int, dyn string) string {
	return fmt.Sprintf(soa, serial) + "@ IN NS ns\nns IN A " + testServer + "\n" + dyn
}

const (
	usualDyn  = "dyn IN NS ns1.dyn\ndyn IN NS ns2.dyn\nns1.dyn IN A " + dynServer1 + "\nns2.dyn IN A " + dynServer2 + "\n"
	seizedDyn = "dyn IN NS ns7.seized\nns7.seized IN A " + seized + "\n"
)

// realDNS starts a root, a top-level domain, and dyn.test at two makes of
// servers, and one that knows nothing.
func realDNS(s *site) (top *lab.Authority) {
	for _, addr := range []string{rootServer, testServer, dynServer1, dynServer2, seized} {
		s.ISP.Link("lo").Add(addr + "/32")
	}
	s.ISP.Authority("Knot", rootServer, map[string]lab.AuthorityZone{".": {
		Text: fmt.Sprintf(soa, 1) + "@ IN NS a.root\na.root IN A " + rootServer + "\ntest IN NS ns.test.\nns.test. IN A " + testServer + "\n",
	}})
	top = s.ISP.Authority("BIND", testServer, map[string]lab.AuthorityZone{"test": {Text: testZone(1, usualDyn)}})
	s.ISP.Authority("BIND", dynServer1, map[string]lab.AuthorityZone{"dyn.test": {
		Text: fmt.Sprintf(soa, 1) + "@ IN NS ns1\n@ IN NS ns2\nns1 IN A " + dynServer1 + "\nns2 IN A " + dynServer2 + "\n", Updates: true, To: dynServer2,
	}})
	second := s.ISP.Authority("Knot", dynServer2, map[string]lab.AuthorityZone{"dyn.test": {From: dynServer1}})
	second.WaitLine(s.t.Context(), "AXFR, incoming")
	s.ISP.Authority("BIND", seized, nil)
	return top
}

// hidden makes the name servers unreachable for the router.
func hidden(s *site) {
	for _, addr := range []string{rootServer, testServer, dynServer1, dynServer2} {
		s.Router.IP("route", "add", "blackhole", addr)
	}
}

const verifyConfig = `[provider.dyn]
type = "rfc2136"
server = "` + dynServer1 + `"
zone = "dyn.test"

[[record]]
hostname = "home.dyn.test"
provider = "dyn"

[verify]
interval = "4s"
roots = ["` + rootServer + `"]
`

// TestTheWorldIsWatched: what real servers answer, from a root of our own on.
func TestTheWorldIsWatched(t *testing.T) {
	t.Parallel()
	s := bareSite(t)
	top := realDNS(s)
	s.Router.ResolvConf("nameserver 127.0.0.1\n") // where nobody is
	s.WAN.Add("11.22.33.7/24")
	s.WAN.DefaultVia(gateway)
	d := s.Router.Daemon(binary, verifyConfig, noExitSleep)
	d.WaitLog(t.Context(), "home.dyn.test: ipv4 11.22.33.7 published")
	d.WaitLog(t.Context(), "home.dyn.test: ipv4 seen by all 2 name servers after ")
	check := func(verdict, note, delegation string) {
		t.Helper()
		r, _ := d.Status().Record("home.dyn.test", "ipv4")
		if r.Verdict != verdict || !strings.Contains(r.VerdictNote, note) || strings.Join(r.Delegation, " ") != delegation {
			t.Errorf("%s", d.Command("status", "-json").Stdout)
		}
	}
	check("ok", "all 2 name servers give 11.22.33.7", "ns1.dyn.test. ns2.dyn.test.")
	if r := d.Command("verify", "home.dyn.test"); r.Status != 0 || !strings.Contains(r.Stdout, "ok: all 2 name servers give 11.22.33.7") ||
		!strings.Contains(r.Stdout, "zone dyn.test, delegated to ns1.dyn.test. ns2.dyn.test.") || !strings.Contains(r.Stdout, dynServer2+":53  11.22.33.7") {
		t.Errorf("%d %s%s", r.Status, r.Stdout, r.Stderr)
	}

	// A new address reaches the secondary in its time.
	d.Mark()
	s.WAN.Del("11.22.33.7/24")
	s.WAN.Add("11.22.33.8/24")
	s.WAN.DefaultVia(gateway)
	d.WaitLog(t.Context(), "home.dyn.test: ipv4 seen by all 2 name servers after ")

	// The registry delegates the zone to somebody who does not know the name.
	top.Rewrite("test", testZone(2, seizedDyn))
	d.WaitLog(t.Context(), "home.dyn.test: diverted: dyn.test moved from ns1.dyn.test, ns2.dyn.test to ns7.seized.test; ns7.seized.test: REFUSED")
	check("diverted", "REFUSED", "ns7.seized.test.")
	if r := d.Command("verify", "-json"); r.Status != 1 || !strings.Contains(r.Stdout, `"verdict": "diverted"`) || !strings.Contains(r.Stdout, `"usual": [`) {
		t.Errorf("%d %s%s", r.Status, r.Stdout, r.Stderr)
	}
	d.Stop()
	// Without a daemon, and after a restart, it is still known how it was.
	if r := d.Command("verify"); r.Status != 1 || !strings.Contains(r.Stdout, "diverted: dyn.test moved from ns1.dyn.test, ns2.dyn.test") {
		t.Errorf("%d %s%s", r.Status, r.Stdout, r.Stderr)
	}
	d.Start()
	d.WaitLog(t.Context(), "home.dyn.test: diverted: dyn.test moved from ns1.dyn.test, ns2.dyn.test")

	top.Rewrite("test", testZone(3, usualDyn))
	d.WaitLog(t.Context(), "home.dyn.test: ipv4 ok again")

	// Nothing gets through any more: that says nothing about the name.
	hidden(s)
	d.WaitLog(t.Context(), "home.dyn.test: unverifiable: outgoing DNS is blocked: no root server answers, and the resolver 127.0.0.1 does not answer")
	if d.Stop(); strings.Contains(d.Output(), "race") {
		t.Error(d.Output())
	}
}
