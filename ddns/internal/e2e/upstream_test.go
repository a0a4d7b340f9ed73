package e2e

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// debug is a [daemon] table that logs more.
const debug = "[daemon]\nlog_level = \"debug\"\nstate_dir = \"$DIR/state\"\nsocket = \"$DIR/socket\"\n"

const (
	inside   = "192.168.1.50"
	gateway2 = "192.168.1.1" // of the NAT between us and the world
)

// behindNAT is a site whose WAN is the inside of another NAT. It runs beside
// the other tests.
func behindNAT(t *testing.T, outside string, more ...string) (*site, *lab.Gateway) {
	t.Helper()
	t.Parallel()
	return natted(t, bareSite(t), lab.ProviderOptions{}, outside, more...)
}

func natted(t *testing.T, s *site, o lab.ProviderOptions, outside string, more ...string) (*site, *lab.Gateway) {
	t.Helper()
	s.p = s.provider(o)
	s.Resolver(s.Router, "127.0.0.1", nil, s.p.Zone)
	s.World()
	s.ISPLink.Flush(4)
	s.ISPLink.Add(gateway2 + "/24")
	core := s.ISP.Link("core0")
	core.Add(outside)
	g := s.ISP.Gateway(s.ISPLink, core, more...)
	s.WAN.Add(inside + "/24")
	s.WAN.DefaultVia(gateway2)
	return s, g
}

// A change of the outside address of a second NAT reaches the provider because
// the upstream router announces it: no poll is needed.
func TestChangeBehindASecondNAT(t *testing.T) {
	for name, options := range map[string][]string{
		"all protocols": nil, "UPnP alone": {"enable_natpmp=no"}, "NAT-PMP alone": {"enable_upnp=no"},
	} {
		t.Run(name, func(t *testing.T) {
			s, g := behindNAT(t, "11.22.33.7/24", options...)
			s.start(s.plain() + debug)
			s.settled("11.22.33.7")
			by := "NAT-PMP at " + gateway2
			if name == "UPnP alone" {
				by = "UPnP at " + gateway2
			}
			s.logs("wan: ipv4 11.22.33.7, found by " + by)
			if name != "NAT-PMP alone" {
				s.d.WaitLog(t.Context(), gateway2+" announces changes")
			}
			changed := lab.Now()
			g.Readdress("11.22.33.7/24", "11.22.33.99/24")
			done := lab.Now()
			if name == "NAT-PMP alone" { // miniupnpd looks for changes only when it does UPnP as well
				g.Signal(unix.SIGUSR1)
			}
			r := s.settled("11.22.33.99")
			t.Logf("the request came %v after the change began, %v after it was complete", since(changed, r.FirstByte), since(done, r.FirstByte))
			s.logs("wan: ipv4 11.22.33.99, announced by " + by + " (was 11.22.33.7)")
			src := status(t, s.d).Sources[0]
			if src.Method != "upstream" || src.Interface != "wan" || !strings.Contains(src.Note, inside+" is private") || !strings.Contains(src.Note, "found by "+by) {
				t.Errorf("status: %+v", src)
			}
			if status, _ := s.d.Stop(); status != 0 {
				t.Errorf("exit status %d", status)
			}
		})
	}
}

// A router that speaks PCP alone is asked by a mapping of our own port, which is
// gone afterwards: miniupnpd, with a filter before it that drops NAT-PMP.
func TestChangeBehindARouterOfPCPAlone(t *testing.T) {
	t.Parallel()
	s := bareSite(t)
	// The chains that miniupnpd puts its mappings into, as Debian's script makes
	// them; and the filter, of packets whose first byte is NAT-PMP's version, 0.
	s.ISP.Run("nft", `table inet filter { chain miniupnpd { }; chain prerouting_miniupnpd { }; chain postrouting_miniupnpd { };
		chain forward { type filter hook forward priority 0; jump miniupnpd; };
		chain prerouting { type nat hook prerouting priority -100; jump prerouting_miniupnpd; };
		chain postrouting { type nat hook postrouting priority 100; jump postrouting_miniupnpd; }; };
		table inet natpmp { chain in { type filter hook input priority 0; udp dport 5351 @th,64,8 0 drop; }; }`)
	s, g := natted(t, s, lab.ProviderOptions{}, "11.22.33.7/24", "enable_upnp=no")
	s.start(s.plain() + debug)
	s.settled("11.22.33.7")
	s.logs("wan: ipv4 11.22.33.7, found by PCP at " + gateway2)
	g.Readdress("11.22.33.7/24", "11.22.33.99/24")
	g.Signal(unix.SIGUSR1)
	s.settled("11.22.33.99")
	s.logs("wan: ipv4 11.22.33.99, announced by PCP at " + gateway2 + " (was 11.22.33.7)")
	if rules := s.ISP.Run("nft", "list chain inet filter prerouting_miniupnpd"); strings.Contains(rules, "dnat") {
		t.Errorf("a mapping is left behind:\n%s", rules)
	}
}

// The router above starts anew, and has forgotten who had asked for its
// notices: its announcement, or its epoch, tells, and they are asked for again.
func TestTheRouterAboveStartsAnew(t *testing.T) {
	s, g := behindNAT(t, "11.22.33.7/24")
	s.start(s.plain() + debug)
	s.settled("11.22.33.7")
	s.d.WaitLog(t.Context(), gateway2+" announces changes")
	// Epochs are whole seconds, with a slack of some: it must have run for a while.
	eventually(t, "the router above has run for ten seconds", func() bool { return s.epoch() >= 10 })
	g.Stop()
	core := s.ISP.Link("core0")
	core.Add("11.22.33.99/24")
	core.Del("11.22.33.7/24")
	g = s.ISP.Gateway(s.ISPLink, core)
	s.settled("11.22.33.99")
	// By UPnP alone now, so that only the subscription can tell.
	s.ISP.Run("nft", "table inet portpmp { chain in { type filter hook input priority 0; udp dport 5351 drop; }; chain out { type filter hook output priority 0; udp dport 5350 drop; }; }")
	g.WaitLine(t.Context(), "SUBSCRIBE")
	g.Readdress("11.22.33.99/24", "11.22.33.100/24")
	s.settled("11.22.33.100")
	s.logs("wan: ipv4 11.22.33.100, announced by UPnP at " + gateway2 + " (was 11.22.33.99)")
}

// epoch asks the router above by NAT-PMP for how long it has run, in seconds.
func (s *site) epoch() int {
	s.t.Helper()
	var answer [12]byte
	if err := s.Router.Do(func() error {
		c, err := net.Dial("udp4", gateway2+":5351")
		if err != nil {
			return err
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(time.Second))
		if _, err = c.Write([]byte{0, 0}); err == nil {
			_, err = c.Read(answer[:])
		}
		return err
	}); err != nil {
		s.t.Logf("no epoch: %v", err)
	}
	return int(answer[6])<<8 | int(answer[7])
}

// The chain of NATs is shown where the router above tells its own address, as
// others than miniupnpd do: by `addresses`, and in the status of the record's
// source, whose address echo services tell then.
func TestTheChainIsShown(t *testing.T) {
	for name, c := range map[string]struct{ source, above, chain, why string }{
		"CGNAT, the record waits":   {"[source.wan]\nmethod = \"upstream\"\n", "100.64.1.7", "the router above is behind CGNAT: 100.64.1.7", "shared by the provider's NAT (CGNAT"},
		"another NAT, echo tells":   {"", "10.1.2.3", "the router above is behind another NAT: 10.1.2.3", "private"},
		"another CGNAT, echo tells": {"", "100.127.0.9", "the router above is behind CGNAT: 100.127.0.9", "shared by the provider's NAT (CGNAT"},
	} {
		t.Run(name, func(t *testing.T) {
			s, e := echoed(t, "11.22.33.7")
			conn, err := s.ISP.ListenPacket("udp4", gateway2+":5351")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			go func() { // RFC 6886 section 3.2
				var buf [64]byte
				for {
					n, from, err := conn.ReadFrom(buf[:])
					if err != nil {
						return
					}
					if n == 2 && buf[0] == 0 {
						conn.WriteTo(append([]byte{0, 0x80, 0, 0, 0, 0, 3, 232}, netip.MustParseAddr(c.above).AsSlice()...), from)
					}
				}
			}()
			s.start(c.source + s.trustingEcho(e))
			chain := inside + " is private (RFC 1918); " + c.chain
			if c.source == "" {
				s.settled("11.22.33.7")
			} else {
				s.d.WaitLog(t.Context(), "wan: "+c.chain)
				s.state(home, "ipv4", "waiting")
			}
			if note := status(t, s.d).Sources[0].Note; !strings.HasPrefix(note, chain) || strings.Contains(note, "found by") != (c.source == "") {
				t.Errorf("note: %s", note)
			}
			out := s.d.Command("addresses").Stdout
			for _, want := range []string{chain, inside + "/24", "passed over: private (RFC 1918)", c.above + "/32", "passed over: the router above has it outside, and it is " + c.why} {
				if !strings.Contains(out, want) {
					t.Errorf("no %q in\n%s", want, out)
				}
			}
		})
	}
}

// Where the upstream router announces nothing, a poll finds the change.
func TestChangeBehindASilentNAT(t *testing.T) {
	s, g := behindNAT(t, "11.22.33.7/24", "enable_upnp=no")
	s.start("[source.wan]\nmethod = \"upstream\"\n" + s.plain())
	s.settled("11.22.33.7")
	g.Readdress("11.22.33.7/24", "11.22.33.99/24")
	s.settled("11.22.33.99")
	s.logs("wan: ipv4 11.22.33.99, found by NAT-PMP at " + gateway2 + " (was 11.22.33.7)")
}

// A NAT that is behind the carrier's own has nothing to tell that the world
// could reach: the record waits, and says why.
func TestBehindCarrierGradeNAT(t *testing.T) {
	s, g := behindNAT(t, "100.64.1.7/10")
	s.start("[source.wan]\nmethod = \"upstream\"\n" + s.plain(both))
	s.d.WaitLog(t.Context(), gateway2+": it has no public address outside")
	s.state(home, "ipv4", "waiting")
	g.Readdress("100.64.1.7/10", "11.22.33.7/24")
	r := s.settled("11.22.33.7")
	if r.Number != 1 {
		t.Errorf("request %d", r.Number)
	}
}

// logs waits for a line that ends so.
func (s *site) logs(end string) {
	s.t.Helper()
	if line := s.d.WaitLog(s.t.Context(), end).Text; !strings.HasSuffix(line, end) {
		s.t.Errorf("log: %q, want %q", line, end)
	}
}

// PCP servers announce to the IPv6 group too, from their link-local address:
// that of the IPv6 default route's gateway is heard.
func TestAnnouncementByIPv6(t *testing.T) {
	s, g := behindNAT(t, "11.22.33.7/24", "enable_upnp=no")
	above := s.ISPLink.WaitAddr(t.Context(), "fe80::/10").Prefix.Addr().String()
	s.WAN.WaitAddr(t.Context(), "fe80::/10")
	s.WAN.DefaultVia(above)
	s.start(s.plain())
	s.settled("11.22.33.7")
	g.Readdress("11.22.33.7/24", "11.22.33.99/24")
	conn, err := s.ISP.ListenPacket("udp6", "["+above+"%isp0]:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	announce := append([]byte{2, 0x80}, make([]byte, 22)...) // RFC 6887 section 14.1.2
	group := net.UDPAddrFromAddrPort(netip.MustParseAddrPort("[ff02::1%" + strconv.Itoa(s.ISPLink.Index()) + "]:5350"))
	if _, err := conn.WriteTo(announce, group); err != nil {
		t.Fatal(err)
	}
	s.settled("11.22.33.99")
	s.logs("wan: ipv4 11.22.33.99, announced by NAT-PMP at " + gateway2 + " (was 11.22.33.7)")
}
