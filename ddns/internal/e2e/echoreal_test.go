package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// whoami is a real Knot that answers with the asker's address, at the address
// of OpenDNS's resolver, and real STUN servers at the names of two operators,
// all behind a NAT from the router: they see what the world sees.
func (s *site) whoami(outside string, stun ...string) {
	s.t.Helper()
	world := s.World()
	s.ISPLink.Flush(4)
	s.ISPLink.Add(gateway2 + "/24")
	s.ISP.Link("core0").Add(outside)
	world.Link("net0").Add("11.22.33.1/24")
	s.ISP.Link("core0").DefaultVia("11.22.33.1")
	s.ISP.Run("nft", "table ip out { chain out { type nat hook postrouting priority 100; oifname core0 masquerade; }; }")

	const resolver = "208.67.222.222"
	lo := world.Link("lo")
	lo.Add(resolver + "/32")
	dir := s.t.TempDir()
	conf := filepath.Join(dir, "knot.conf")
	if err := os.WriteFile(conf, []byte(fmt.Sprintf(`server:
  rundir: %q
  listen: %s@53
database:
  storage: %q
log:
- target: stdout
  any: info
zone:
- domain: myip.opendns.com
  module: mod-whoami
  storage: %q
  file: zone
`, dir, resolver, dir, dir)), 0o644); err != nil {
		s.t.Fatal(err)
	}
	zone := "$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A " + resolver + "\n"
	if err := os.WriteFile(filepath.Join(dir, "zone"), []byte(zone), 0o644); err != nil {
		s.t.Fatal(err)
	}
	world.Spawn("knotd", "-c", conf).WaitLine(s.t.Context(), "server started in the foreground")

	hosts := map[string]string{}
	for i, at := range stun {
		name, port, _ := strings.Cut(at, ":")
		hosts[name] = fmt.Sprintf("45.67.90.%d", 1+i)
		lo.Add(hosts[name] + "/32")
		p := world.Spawn("turnserver", "-n", "--stun-only", "--no-cli", "--no-tls", "--no-dtls", "--no-tcp", "-L", hosts[name], "-p", port,
			"--log-file", "stdout", "--pidfile", filepath.Join(dir, port+".pid"))
		p.WaitLine(s.t.Context(), "IO method (admin thread)")
		eventually(s.t, "STUN is answered at "+name, func() bool { return answersSTUN(world, hosts[name]+":"+port) })
	}
	s.Resolver(s.Router, "127.0.0.1", hosts, s.p.Zone)
	s.WAN.Add(inside + "/24")
	s.WAN.DefaultVia(gateway2)
}

// answersSTUN asks with a request of no attributes (RFC 8489 section 5).
func answersSTUN(ns *lab.Namespace, at string) bool {
	return ns.Do(func() error {
		c, err := net.Dial("udp4", at)
		if err != nil {
			return err
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(time.Second))
		if _, err = c.Write([]byte("\x00\x01\x00\x00\x21\x12\xa4\x42twelve bytes")); err == nil {
			_, err = c.Read(make([]byte, 576))
		}
		return err
	}) == nil
}

// What real servers see of a router behind a NAT is believed when two
// operators say so: two by STUN, or one by STUN and one by DNS.
func TestEchoByRealServers(t *testing.T) {
	const cloudflare, nextcloud = "stun.cloudflare.com:3478", "stun.nextcloud.com:443"
	for name, stun := range map[string][]string{"two by STUN": {cloudflare, nextcloud}, "one by STUN, one by DNS": {cloudflare}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := bareSite(t)
			s.p = s.provider(lab.ProviderOptions{})
			s.whoami("11.22.33.7/24", stun...)
			s.start("[source.wan]\nmethod = \"echo\"\ninterface = \"wan\"\n" + s.plain())
			s.settled("11.22.33.7")
			note := status(t, s.d).Sources[0].Note
			if strings.Count(note, " by ") != 3 || !strings.Contains(note, "by STUN") { // "found by A by STUN and B by DNS"
				t.Errorf("note: %s", note)
			}
		})
	}
}
