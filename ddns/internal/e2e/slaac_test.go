package e2e

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

const (
	prefixA = "2a00:db8:a::/64"
	prefixB = "2a00:db8:b::/64"
	prefixC = "2a00:db8:c::/64"
)

// slaac is a site whose router makes itself addresses of prefixA, a stable
// and a temporary one, and reaches the provider by IPv6 if it says so.
func slaac(t *testing.T, o lab.ProviderOptions) (*site, *lab.Radvd) {
	t.Helper()
	s := newSite(t, o)
	for _, p := range []string{prefixA, prefixB, prefixC} {
		s.ISPLink.Add(strings.Replace(p, "::/", "::1/", 1), "nodad") // the way back
	}
	s.Router.Sysctl("net/ipv6/conf/wan/use_tempaddr", "2")
	return s, s.ISPLink.Radvd(alive(prefixA))
}

func alive(prefix string) lab.RAPrefix {
	return lab.RAPrefix{Prefix: prefix, Preferred: time.Hour, Valid: 2 * time.Hour}
}

// dead is what a provider advertises of a prefix that it has given up.
func dead(prefix string, valid time.Duration) lab.RAPrefix {
	return lab.RAPrefix{Prefix: prefix, Valid: valid}
}

// stable is the address in the prefix that is usable and not temporary.
func (s *site) stable(prefix string) string {
	s.t.Helper()
	return s.usable(prefix, 0)
}

// temporary is the one of the privacy extensions.
func (s *site) temporary(prefix string) string {
	s.t.Helper()
	return s.usable(prefix, unix.IFA_F_TEMPORARY)
}

func (s *site) usable(prefix string, temporary uint32) string {
	s.t.Helper()
	found := ""
	s.Router.Wait(s.t.Context(), "usable address in "+prefix, func() bool {
		for _, a := range s.WAN.Addrs() {
			if a.Usable() && a.Flags&unix.IFA_F_TEMPORARY == temporary && netip.MustParsePrefix(prefix).Contains(a.Prefix.Addr()) {
				found = a.Prefix.Addr().String()
				return true
			}
		}
		return false
	})
	return found
}

// The old prefix is deprecated and the new one published, its stable address;
// each later advertisement repeats the dead prefix, which makes the kernel
// announce the old address for a moment as if it were good.
func TestSLAACRenumbering(t *testing.T) {
	for _, source := range []string{"", onWAN} {
		t.Run(map[string]string{"": "device found", onWAN: "device named"}[source], func(t *testing.T) {
			s, ra := slaac(t, lab.ProviderOptions{Addr: server6})
			s.start(source + s.plain(v6))
			first := s.stable(prefixA)
			r := s.settled(first)
			if source != "" && r.Remote.Addr().String() != first {
				t.Errorf("the request came from %v, not from %s", r.Remote, first)
			}
			s.explains(s.temporary(prefixA)+"/64", "temporary") // D10

			ra.Advertise(dead(prefixA, 2*time.Hour), alive(prefixB))
			second := s.stable(prefixB)
			s.settled(second)
			s.temporary(prefixB)

			for n := range 3 {
				bound := 3*time.Hour + time.Duration(n)*time.Hour
				ra.Advertise(dead(prefixA, bound), alive(prefixB))
				s.Router.Wait(t.Context(), "advertisement taken", func() bool {
					for _, a := range s.WAN.Addrs() {
						if a.Prefix.Addr().String() == first {
							return a.Valid > bound-time.Minute
						}
					}
					return false
				})
			}
			s.WAN.Del(first + "/64") // that it leaves at last causes nothing either

			ra.Advertise(dead(prefixB, 2*time.Hour), alive(prefixC))
			third := s.stable(prefixC)
			s.settled(third)
			if got := s.p.Zone.Addrs(home); len(got) != 1 || got[0].String() != third {
				t.Errorf("the DNS has %v, want %s", got, third)
			}
		})
	}
}

// D10: the stable address is published by default, the temporary one where that
// is wanted, in the next prefix too.
func TestTemporaryAddressIsSelectable(t *testing.T) {
	s, ra := slaac(t, lab.ProviderOptions{Addr: server6})
	stable, temporary := s.stable(prefixA), s.temporary(prefixA)
	s.start("[source.wan]\ninterface = \"wan\"\n" + s.plain(v6))
	s.settled(stable)
	s.d.Reload("[source.wan]\ninterface = \"wan\"\nprefer_temporary = true\n" + s.plain(v6))
	s.settled(temporary)
	s.explains(stable+"/64", temporary+" is preferred (temporary)")
	ra.Advertise(dead(prefixA, 2*time.Hour), alive(prefixB))
	next := s.temporary(prefixB)
	s.published(next) // after the stable one, if the kernel has that first
	if got := s.p.Zone.Addrs(home); len(got) != 1 || got[0].String() != next {
		t.Errorf("the DNS has %v, want %s", got, next)
	}
}

// With both families, each is published as soon as it is there: IPv4 does not
// wait for the second or two that IPv6 needs.
func TestIPv4DoesNotWaitForIPv6(t *testing.T) {
	s, ra := slaac(t, lab.ProviderOptions{})
	s.start(s.plain(both))
	s.online("11.22.33.7")
	r := s.expect("11.22.33.7")
	if strings.Contains(r.URL.RawQuery, ":") {
		t.Errorf("IPv6 in the first request: %s", r.URL)
	}
	first := s.stable(prefixA)
	r = s.settled(first)
	if strings.Contains(r.URL.RawQuery, "11.22.33.7") {
		t.Errorf("IPv4 sent again: %s", r.URL)
	}
	// Each family changes by itself.
	ra.Advertise(dead(prefixA, 2*time.Hour), alive(prefixB))
	second := s.stable(prefixB)
	s.settled(second)
	s.online("11.22.33.8")
	s.settled("11.22.33.8")
	if got := fmt.Sprint(s.p.Zone.Addrs(home)); got != "[11.22.33.8 "+second+"]" {
		t.Errorf("the DNS has %s", got)
	}
	if n := len(s.p.Requests()); n != 4 {
		t.Errorf("%d requests for four addresses", n)
	}
}

// D8: both families there at the start are published, in one request where
// the protocol can; a family without an address waits without an error (D3).
func TestBothFamilies(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.Router.Sysctl("net/ipv6/conf/wan/accept_dad", "0")
	s.online("11.22.33.7")
	s.WAN.Add("fd12:3456::7/64", "nodad") // D7
	s.start(s.plain(both))
	s.settled("11.22.33.7")
	if r := s.state(home, "ipv6", "waiting"); r.Error != "" || r.ErrorClass != "" || r.Attempts != 0 {
		t.Errorf("IPv6 without an address: %+v", r)
	}
	s.d.Stop()

	s.online("11.22.33.8")
	s.WAN.Add("2a00:db8:1::7/64", "nodad")
	s.WAN.DefaultVia(gateway6)
	s.d.Start()
	r := s.expect("11.22.33.8")
	if got := r.URL.Query().Get("myip"); got != "11.22.33.8,2a00:db8:1::7" {
		t.Errorf("both families: myip=%s", got)
	}
	s.state(home, "ipv6", "published")
	s.state(home, "ipv4", "published")
}
