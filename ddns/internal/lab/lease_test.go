package lab_test

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

func TestDHCPLeaseAndChange(t *testing.T) {
	for name, order := range map[string]lab.DHCPOrder{
		"new address first": lab.AddFirst, "old address away first": lab.FlushFirst, "always flushed": lab.FlushAlways,
	} {
		t.Run(name, func(t *testing.T) {
			l := lab.New(t)
			l.ISPLink.Add("198.18.0.1/24")
			l.ISPLink.Add("198.18.1.1/24")
			s := l.ISPLink.DHCPServer(t.Context(), lab.Pool{First: "198.18.0.50", DNS: "198.18.0.1"})
			c := l.WAN.DHCPClient(order)
			if a := l.WAN.WaitAddr(t.Context(), "198.18.0.0/24"); a.Prefix.String() != "198.18.0.50/24" || a.Valid == 0 {
				t.Errorf("first lease: %+v", a)
			}
			l.WAN.WaitDefault(t.Context(), 4)
			c.Done(t.Context(), "bound")
			if got := l.Router.Run("cat", "/etc/resolv.conf"); got != "nameserver 198.18.0.1\n" {
				t.Errorf("resolv.conf: %q", got)
			}

			c.Renew()
			c.Done(t.Context(), "renew")
			l.WAN.WaitAddr(t.Context(), "198.18.0.50/32")

			s.Switch(t.Context(), lab.Pool{First: "198.18.1.60"})
			c.Rediscover(t.Context())
			l.WAN.WaitAddr(t.Context(), "198.18.1.60/32")
			l.WAN.WaitDefault(t.Context(), 4)
			if got := l.Router.IP("-4", "-o", "addr", "show", "dev", "wan"); strings.Count(got, "inet ") != 1 {
				t.Errorf("the old address stays:\n%s", got)
			}
			if got := l.Router.IP("route"); !strings.Contains(got, "default via 198.18.1.1") {
				t.Errorf("routes:\n%s", got)
			}
		})
	}
}

func TestDHCPNak(t *testing.T) {
	l := lab.New(t)
	l.ISPLink.Add("198.18.0.1/24")
	l.ISPLink.Add("198.18.1.1/24")
	s := l.ISPLink.DHCPServer(t.Context(), lab.Pool{First: "198.18.0.50"})
	c := l.WAN.DHCPClient(lab.AddFirst)
	c.Done(t.Context(), "bound")
	s.Switch(t.Context(), lab.Pool{First: "198.18.1.60"})
	c.Renew()
	s.WaitLine(t.Context(), "DHCPNAK")
	l.WAN.WaitAddr(t.Context(), "198.18.1.60/32")
	l.WAN.WaitDefault(t.Context(), 4)
}

func TestSLAACAddressAppearsAndIsRenumbered(t *testing.T) {
	l := lab.New(t)
	l.Router.Sysctl("net/ipv6/conf/wan/accept_dad", "0")
	r := l.ISPLink.Radvd(lab.RAPrefix{Prefix: "2001:db8:1::/64", Preferred: 40 * time.Second, Valid: 80 * time.Second})
	old := l.WAN.WaitAddr(t.Context(), "2001:db8:1::/64")
	l.WAN.WaitDefault(t.Context(), 6)
	r.Advertise(
		lab.RAPrefix{Prefix: "2001:db8:1::/64", Preferred: 0, Valid: 10 * time.Second},
		lab.RAPrefix{Prefix: "2001:db8:2::/64", Preferred: 40 * time.Second, Valid: 80 * time.Second})
	l.WAN.WaitAddr(t.Context(), "2001:db8:2::/64")
	l.Router.Wait(t.Context(), "the old address is deprecated", func() bool {
		for _, a := range l.WAN.Addrs() {
			if a.Prefix == old.Prefix {
				return a.Flags&unix.IFA_F_DEPRECATED != 0 && !a.Usable()
			}
		}
		return false
	})
}
