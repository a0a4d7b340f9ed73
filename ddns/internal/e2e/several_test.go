package e2e

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// lookup asks a server behind the ISP for the addresses of a name, in order.
func (s *site) lookup(at, network, name string) string {
	s.t.Helper()
	world := net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (c net.Conn, err error) {
		err = s.ISP.Do(func() (err error) { c, err = net.Dial("udp", at+":53"); return err })
		return c, err
	}}
	addrs, err := world.LookupNetIP(s.t.Context(), network, name+".")
	if err != nil {
		return err.Error()
	}
	var list []string
	for _, a := range addrs {
		list = append(list, a.Unmap().String())
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// One name has the addresses of two WANs, at real servers that are asked
// whether they show it. When a WAN has been without a carrier for the time of
// a failover its address goes, by a message that leaves through the other; one
// that comes is there at once, and a restart sends nothing.
func TestANameHasTheAddressesOfBothWANs(t *testing.T) {
	t.Parallel()
	s := bareSite(t)
	realDNS(s)
	s.Router.ResolvConf("nameserver 127.0.0.1\n") // where nobody is
	lte, isp2 := s.AddWAN("lte", "isp2")
	isp2.Add("11.22.44.1/24")
	s.online("11.22.33.7")
	lte.Add("11.22.44.8/24")
	lte.DefaultVia("11.22.44.1", "metric", "700")
	const sources = "[source.wan]\nmethod = \"interface\"\ninterface = \"wan\"\n[source.lte]\nmethod = \"interface\"\ninterface = \"lte\"\n"
	config := sources + strings.Replace(verifyConfig, "[verify]", "source = [\"wan\", \"lte\"]\nall_sources = true\n\n[verify]", 1)
	s.start(config)
	steady := func(want string) {
		t.Helper()
		s.published(want)
		s.d.WaitLog(t.Context(), home+": ipv4 seen by all 2 name servers after ")
		for _, at := range []string{dynServer1, dynServer2} {
			if got := s.lookup(at, "ip4", home); got != want {
				t.Errorf("%s has %s, want %s", at, got, want)
			}
		}
		r, _ := status(t, s.d).Record(home, "ipv4")
		if strings.Join(r.AllPublished, " ") != want || r.State != "published" || r.Verdict != "ok" {
			t.Errorf("status: %+v", r)
		}
	}
	steady("11.22.33.7 11.22.44.8")
	if out := s.d.Command("status").Stdout; !strings.Contains(out, "11.22.33.7 11.22.44.8  published") {
		t.Errorf("status:\n%s", out)
	}

	s.d.Mark()
	s.WAN.Unplug()
	steady("11.22.44.8")

	s.d.Mark()
	lte.Flush(4)
	lte.Add("11.22.44.9/24")
	lte.DefaultVia("11.22.44.1", "metric", "700")
	steady("11.22.44.9")

	// After a restart the WAN is new, not one that was lost.
	s.d.Stop()
	s.WAN.Plug()
	s.online("11.22.33.7")
	s.d.Start()
	steady("11.22.33.7 11.22.44.9")

	// And a restart with nothing new sends nothing.
	s.saved("11.22.44.9")
	s.d.Stop()
	s.d.Start()
	s.started()
	s.d.WaitLog(t.Context(), "lte: ipv4 11.22.44.9 on lte")
	if r, _ := status(t, s.d).Record(home, "ipv4"); r.State != "published" || strings.Join(r.AllPublished, " ") != "11.22.33.7 11.22.44.9" {
		t.Errorf("after the restart: %+v", r)
	}
	if out := s.d.Output(); strings.Contains(out, "published at") {
		t.Errorf("sent although nothing is new:\n%s", out)
	}
}

// powerDNS is a real PowerDNS at the provider's address, with its HTTP API.
func (s *site) powerDNS(zone string) {
	s.t.Helper()
	s.ISP.Link("lo").Add(server + "/32")
	dir := s.t.TempDir()
	schema, err := os.ReadFile("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
	if err != nil {
		s.t.Fatalf("install pdns-backend-sqlite3, or run `make tools`: %v", err)
	}
	sql := string(schema) + fmt.Sprintf("INSERT INTO domains (id, name, type) VALUES (1, '%s', 'NATIVE');\n"+
		"INSERT INTO records (domain_id, name, type, content, ttl, auth) VALUES (1, '%s', 'SOA', 'ns.%s host.%s 1 3600 600 86400 60', 60, 1);\n", zone, zone, zone, zone)
	db := filepath.Join(dir, "db")
	s.ISP.Run("sqlite3", "-bail", db, sql)
	conf := fmt.Sprintf("launch=gsqlite3\ngsqlite3-database=%s\nlocal-address=%s\nsocket-dir=%s\ndaemon=no\nguardian=no\nwrite-pid=no\n"+
		"receiver-threads=1\ndistributor-threads=1\ncache-ttl=0\nquery-cache-ttl=0\nnegquery-cache-ttl=0\nsecurity-poll-suffix=\n"+
		"api=yes\napi-key=s3cret-word\nwebserver=yes\nwebserver-address=%s\nwebserver-port=8081\nwebserver-allow-from=0.0.0.0/0\nloglevel=5\n", db, server, dir, server)
	if err := os.WriteFile(filepath.Join(dir, "pdns.conf"), []byte(conf), 0o644); err != nil {
		s.t.Fatal(err)
	}
	p := s.ISP.Spawn("pdns_server", "--config-dir="+dir)
	p.WaitLine(s.t.Context(), "Listening for HTTP requests")
	p.WaitLine(s.t.Context(), "operating unthreaded")
}

// Two addresses of each family go to PowerDNS's API in one step; a reload that
// takes one source away takes its addresses away.
func TestPowerDNSGetsWholeSets(t *testing.T) {
	t.Parallel()
	s := bareSite(t)
	s.powerDNS("lan.test")
	s.online("11.22.33.7")
	config := func(sources string) string {
		return "[provider.pdns]\nserver = \"http://" + server + ":8081\"\ninsecure_http = true\nzone = \"lan.test\"\ntoken = \"s3cret-word\"\n" +
			"[verify]\nenabled = false\n[source.a]\nmethod = \"static\"\nipv4 = \"11.22.33.7\"\nipv6 = \"2a00:db8:7::7\"\n" +
			"[source.b]\nmethod = \"static\"\nipv4 = \"11.22.33.8\"\nipv6 = \"2a00:db8:7::8\"\n" +
			record("home.lan.test", "pdns", both, sources)
	}
	s.start(config("source = [\"a\", \"b\"]\nall_sources = true"))
	s.published("11.22.33.7 11.22.33.8")
	s.published("2a00:db8:7::7 2a00:db8:7::8")
	check := func(v4, v6 string) {
		t.Helper()
		if got := s.lookup(server, "ip4", "home.lan.test"); got != v4 {
			t.Errorf("A: %s, want %s", got, v4)
		}
		if got := s.lookup(server, "ip6", "home.lan.test"); got != v6 {
			t.Errorf("AAAA: %s, want %s", got, v6)
		}
	}
	check("11.22.33.7 11.22.33.8", "2a00:db8:7::7 2a00:db8:7::8")
	s.d.Mark()
	s.d.Reload(config("source = \"b\""))
	s.published("ipv4 11.22.33.8")
	s.published("ipv6 2a00:db8:7::8")
	check("11.22.33.8", "2a00:db8:7::8")
}

// Where the protocol has one address at a name, check says so.
func TestAllSourcesAreRefusedWhereTheyCannotBe(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.prepare("[source.lte]\ninterface = \"lte\"\n" + s.plain("source = [\"wan\", \"lte\"]", "all_sources = true"))
	r := s.d.Command("check")
	if r.Status != 1 || !strings.Contains(r.Stderr+r.Stdout, `provider "dyn" has one address of each family at a name`) {
		t.Errorf("%+v", r)
	}
}
