package e2e

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"

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
