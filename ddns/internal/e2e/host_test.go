package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// lanOf gives the router a bridge, br-lan, and a host behind it.
func (s *site) lanOf() (bridge *lab.Link, host *lab.Link) {
	s.t.Helper()
	s.Router.IP("link", "add", "br-lan", "type", "bridge")
	port, host := s.Wire(s.Router, "lan0", s.Namespace("host"), "eth0")
	s.Router.IP("link", "set", port.Name, "master", "br-lan")
	bridge = s.Router.Link("br-lan")
	bridge.Up()
	return bridge, host
}

// named is a real BIND at the provider's address, with one dynamic zone.
func (s *site) named(zone string) *lab.Process {
	s.t.Helper()
	s.ISP.Link("lo").Add(server + "/32")
	dir := s.t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			s.t.Fatal(err)
		}
		return path
	}
	zoneFile := file("zone", "$TTL 60\n@ SOA ns1 hostmaster 1 3600 600 86400 60\n@ NS ns1\nns1 A "+server+"\n")
	conf := file("named.conf", fmt.Sprintf(`options { directory %q; pid-file none; session-keyfile none; lock-file none; notify no; recursion no; dnssec-validation no;
 listen-on { %s; }; listen-on-v6 { none; }; };
controls {};
key "router" { algorithm hmac-sha256; secret "bWFueSBob3N0cywgb25lIG1lc3NhZ2U="; };
zone %q { type primary; file %q; update-policy { grant router zonesub A AAAA; }; };
`, dir, server, zone, zoneFile))
	p := s.ISP.Spawn("named", "-g", "-n", "1", "-c", conf)
	p.WaitLine(s.t.Context(), " running")
	return p
}

// nsupdate is the account for named.
const nsupdate = "[provider.zone]\ntype = \"rfc2136\"\nserver = \"" + server + "\"\nzone = \"lan.test\"\n" +
	"key_name = \"router\"\nkey_secret = \"bWFueSBob3N0cywgb25lIG1lc3NhZ2U=\"\n[verify]\nenabled = false\n"

// A new delegated prefix: fifty hosts' records follow in one signed message.
// How long that takes is printed.
func TestFiftyHostsFollowANewPrefix(t *testing.T) {
	t.Parallel()
	s := bareSite(t)
	named := s.named("lan.test")
	s.online("11.22.33.7")
	bridge, _ := s.lanOf()
	bridge.Add("2a00:db8:10:1::1/60", "nodad")
	const hosts = 50
	config := nsupdate
	for i := 1; i <= hosts; i++ {
		config += fmt.Sprintf("[source.h%d]\nmethod = \"host\"\ninterface = \"br-lan\"\nsuffix = \"::a:%x\"\n", i, i) +
			record(fmt.Sprintf("h%d.lan.test", i), "zone", fmt.Sprintf("source = \"h%d\"", i), v6)
	}
	s.start(config)
	for i := 1; i <= hosts; i++ {
		s.published(fmt.Sprintf("2a00:db8:10:1::a:%x", i))
	}
	before := messages(named)
	if before == 0 || before > 2 {
		t.Errorf("%d messages at the start:\n%s", before, named.Output())
	}

	s.d.Mark()
	// What netifd does: the new prefix's address, then the old one's end.
	at := bridge.Injector().Add("2a00:db8:20:1::1/60", 0, &lab.Lifetimes{Preferred: lab.Forever, Valid: lab.Forever})
	bridge.Replace("2a00:db8:10:1::1/60", "preferred_lft", "0", "valid_lft", "3600")
	var last lab.Line
	for i := 1; i <= hosts; i++ {
		if l := s.published(fmt.Sprintf("2a00:db8:20:1::a:%x", i)); l.At > last.At {
			last = l
		}
	}
	if n := messages(named) - before; n != 1 {
		t.Errorf("%d messages for the new prefix", n)
	}
	t.Logf("%d records, %d message, %v from the kernel's event to the last answer", hosts, messages(named)-before, since(at, last.At))
	world := net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (c net.Conn, err error) {
		err = s.ISP.Do(func() (err error) { c, err = net.Dial("udp", server+":53"); return err })
		return c, err
	}}
	seen, err := world.LookupNetIP(t.Context(), "ip6", "h50.lan.test.")
	if err != nil || fmt.Sprint(seen) != "[2a00:db8:20:1::a:32]" {
		t.Errorf("the world sees %v, %v", seen, err)
	}
}

// messages counts the updates that named has taken: each comes from a port of
// its own.
func messages(named *lab.Process) int {
	ports := map[string]bool{}
	for _, l := range named.Lines() {
		if before, _, is := strings.Cut(l.Text, "/key router: updating zone"); is {
			ports[before[strings.LastIndex(before, " "):]] = true
		}
	}
	return len(ports)
}

// The provider of internet access delegates another prefix by DHCPv6: the
// router's client renews its lease, gives the LAN an address of the new prefix
// and ends the old one, and every host's record follows.
func TestHostsFollowADelegatedPrefix(t *testing.T) {
	t.Parallel()
	s := bareSite(t)
	named := s.named("lan.test")
	s.online("11.22.33.7")
	bridge, _ := s.lanOf()
	const hosts = 10
	config := nsupdate
	for i := 1; i <= hosts; i++ {
		config += fmt.Sprintf("[source.h%d]\nmethod = \"host\"\ninterface = \"br-lan\"\nsuffix = \"::a:%x\"\n", i, i) +
			record(fmt.Sprintf("h%d.lan.test", i), "zone", fmt.Sprintf("source = \"h%d\"", i), v6)
	}
	s.start(config)
	s.d.WaitLog(t.Context(), "h1: ipv6 has no address yet")

	kea := s.ISPLink.PrefixServer(t.Context(), "2a00:db8:1::/64", "2a00:db8:a::/56")
	client := s.WAN.PrefixClient(t.Context(), bridge)
	follow := func(prefix string) {
		t.Helper()
		client.WaitLine(t.Context(), prefix+"::/56 done")
		for i := 1; i <= hosts; i++ {
			s.published(fmt.Sprintf("%s:1::a:%x", prefix, i))
		}
	}
	follow("2a00:db8:a")
	before := messages(named)
	kea.Switch("2a00:db8:b::/56")
	follow("2a00:db8:b")
	if n := messages(named) - before; n != 1 {
		t.Errorf("%d messages for the new prefix", n)
	}
	client.WaitLine(t.Context(), "script: EXPIRE6") // the old one's end sends nothing
	kea.Switch("2a00:db8:c::/56")
	follow("2a00:db8:c")
	if n := messages(named) - before; n != 2 {
		t.Errorf("%d messages for two new prefixes", n)
	}
}

// Prefixes of every length that providers delegate and netifd assigns: the host
// is in the router's own /64 of it, or in the one that the suffix says.
func TestHostsInPrefixesOfAnyLength(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.online("11.22.33.7")
	bridge, _ := s.lanOf()
	const source = "[source.%s]\nmethod = \"host\"\ninterface = \"br-lan\"\nsuffix = %q\n"
	s.start(fmt.Sprintf(source, "nas", "::a:1") + s.plain(`source = "nas"`, v6) +
		fmt.Sprintf(source, "far", "::1:0:0:a:2") + record("nas.dyn.test", "dyn", `source = "far"`, v6))
	before := ""
	for _, bits := range []int{48, 52, 56, 60, 62, 63, 64} {
		on := fmt.Sprintf("2a00:db8:%d:ff00::1/%d", bits, bits)
		bridge.Add(on, "nodad")
		if before != "" {
			bridge.Replace(before, "preferred_lft", "0", "valid_lft", "3600", "nodad")
		}
		before = on
		s.published(fmt.Sprintf("2a00:db8:%d:ff00::a:1", bits))
		if bits == 64 { // it has no other /64
			s.d.WaitLog(t.Context(), "prefix 2a00:db8:64:ff00::/64: the suffix is longer than the prefix leaves room for")
			continue
		}
		far := netip.MustParsePrefix(on).Masked().Addr().As16()
		far[7] |= 1
		far[13], far[15] = 0xa, 2
		s.published(netip.AddrFrom16(far).String())
	}
	if got := s.p.Zone.Addrs(home); len(got) != 1 || got[0].String() != "2a00:db8:64:ff00::a:1" {
		t.Errorf("the DNS has %v", got)
	}
}

// A host is found by its hardware address in the neighbour table when a reload
// asks for it; it makes its address itself from an advertised prefix, and
// follows the next one. A privacy address beside is passed over.
func TestHostByItsHardwareAddress(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.online("11.22.33.7")
	bridge, host := s.lanOf()
	host.NS.IP("link", "set", host.Name, "down")
	host.NS.IP("link", "set", host.Name, "address", "02:11:22:33:44:55", "addrgenmode", "eui64")
	host.NS.Sysctl("net/ipv6/conf/eth0/use_tempaddr", "2")
	host.NS.Sysctl("net/ipv6/conf/eth0/accept_ra", "2")
	host.Up()
	bridge.Add("2a00:db8:30:1::1/64", "nodad")
	radvd := bridge.Radvd(alive("2a00:db8:30:1::/64"))
	const made, next = "2a00:db8:30:1:11:22ff:fe33:4455", "2a00:db8:31:1:11:22ff:fe33:4455"
	host.NS.Wait(t.Context(), "a stable and a privacy address", func() bool {
		usable := 0
		for _, a := range host.Addrs() {
			if a.Usable() && a.Prefix.Addr().IsGlobalUnicast() {
				usable++
			}
		}
		return usable == 2
	})

	s.start(s.plain(`enabled = false`))
	s.d.Reload("[source.nas]\nmethod = \"host\"\ninterface = \"br-lan\"\nmac = \"02:11:22:33:44:55\"\n" + s.plain(`source = "nas"`, v6))
	// The host speaks to the router: the kernel learns where it is.
	speak := func(from string) error {
		return host.NS.Do(func() error {
			local := &net.UDPAddr{IP: net.ParseIP(from)}
			c, err := net.DialUDP("udp6", local, &net.UDPAddr{IP: net.ParseIP("2a00:db8:30:1::1"), Port: 9})
			if err == nil {
				defer c.Close()
				_, err = c.Write([]byte("here"))
			}
			return err
		})
	}
	if err := errors.Join(speak("::"), speak(made)); err != nil { // first from the privacy address
		t.Error(err)
	}
	s.settled(made)
	out := s.d.Command("addresses").Stdout
	if !strings.Contains(out, made) || !strings.Contains(out, "taken") {
		t.Errorf("addresses:\n%s", out)
	}

	bridge.Add("2a00:db8:31:1::1/64", "nodad")
	bridge.Replace("2a00:db8:30:1::1/64", "preferred_lft", "0", "valid_lft", "3600", "nodad")
	radvd.Advertise(dead("2a00:db8:30:1::/64", 7200e9), alive("2a00:db8:31:1::/64"))
	s.settled(next)

	// The host is away, and the kernel finds that nobody answers: what was
	// published stays, and follows the next prefix, as it is known how this host
	// makes its addresses.
	host.Down()
	s.Router.IP("-6", "neigh", "replace", next, "dev", "br-lan", "lladdr", "02:11:22:33:44:55", "nud", "failed")
	s.Router.IP("-6", "neigh", "flush", "dev", "br-lan")
	if r := s.state(home, "ipv6", "published"); r.Published != next || r.Wanted != next {
		t.Errorf("while the host is away: %+v", r)
	}
	bridge.Add("2a00:db8:32:1::1/64", "nodad")
	bridge.Replace("2a00:db8:31:1::1/64", "preferred_lft", "0", "valid_lft", "3600", "nodad")
	s.settled("2a00:db8:32:1:11:22ff:fe33:4455")
}
