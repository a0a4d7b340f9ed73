package netwatch

import (
	"net/netip"
	"testing"
	"time"
)

// These tests ask the real kernel. Its silences and habits are what the
// package is about, so nothing stands in for it.

func TestAddressComesAndGoes(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		ip(t, "link add wan type veth peer name isp")
		ip(t, "link set wan up")
		w := watch(t)
		first := <-w.Snapshots()
		if first.Seq != 1 {
			t.Errorf("first snapshot has Seq %d", first.Seq)
		}
		if l, ok := first.LinkByName("wan"); !ok || !l.Up || l.Carrier || l.Loopback || l.PointToPoint {
			t.Errorf("wan is %+v, %v", l, ok)
		}
		if l, ok := first.LinkByName("lo"); !ok || !l.Loopback {
			t.Errorf("lo is %+v, %v", l, ok)
		}
		ip(t, "addr add 203.0.113.5/24 dev wan")
		s := until(t, w, "the address", has("wan", "203.0.113.5"))
		a, _ := addrOn(s, "wan", "203.0.113.5")
		if a.Bits != 24 || a.Peer.IsValid() || a.Scope != 0 || a.Flags != Permanent || !a.PreferredUntil.IsZero() || !a.ValidUntil.IsZero() {
			t.Errorf("got %+v", a)
		}
		ip(t, "addr del 203.0.113.5/24 dev wan")
		until(t, w, "no address", hasNot("wan", "203.0.113.5"))
	})
}

func TestFarEndIsNotOurs(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		pointToPoint := addTunnel(t, "ppp0")
		ip(t, "link set ppp0 up")
		w := watch(t)
		ip(t, "addr add 203.0.113.7 peer 203.0.113.1 dev ppp0")
		s := until(t, w, "the address", has("ppp0", "203.0.113.7"))
		if l, _ := s.LinkByName("ppp0"); l.PointToPoint != pointToPoint {
			t.Errorf("ppp0 is %+v", l)
		}
		if _, ok := addrOn(s, "ppp0", "203.0.113.1"); ok {
			t.Error("the far end was taken for ours")
		}
		if a, _ := addrOn(s, "ppp0", "203.0.113.7"); a.Peer != netip.MustParseAddr("203.0.113.1") || a.Bits != 32 {
			t.Errorf("got %+v", a)
		}
		ip(t, "addr add 2001:db8::7 peer 2001:db8::1/128 dev ppp0 nodad")
		s = until(t, w, "the IPv6 address", has("ppp0", "2001:db8::7"))
		if a, _ := addrOn(s, "ppp0", "2001:db8::7"); a.Peer != netip.MustParseAddr("2001:db8::1") {
			t.Errorf("got %+v", a)
		}
	})
}

// pppd sets the address first without and then with the far end.
func TestSameAddressWithAnotherFarEnd(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		addTunnel(t, "ppp0")
		w := watch(t)
		ipBatch(t, []string{
			"addr add 203.0.113.7/32 dev ppp0",
			"addr del 203.0.113.7/32 dev ppp0",
			"addr add 203.0.113.7 peer 203.0.113.1/32 dev ppp0",
		})
		s := until(t, w, "the far end", func(s *Snapshot) bool {
			a, ok := addrOn(s, "ppp0", "203.0.113.7")
			return ok && a.Peer.IsValid()
		})
		if len(s.Addrs) != 1 {
			t.Errorf("got %+v", s.Addrs)
		}
	})
}

func TestFlagsAndLifetimes(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		ip(t, "link add wan type veth peer name isp")
		ip(t, "link set isp up")
		ip(t, "link set wan up")
		w := watch(t)

		ip(t, "addr add 2001:db8::a/64 dev wan")
		until(t, w, "a tentative address", func(s *Snapshot) bool {
			a, ok := addrOn(s, "wan", "2001:db8::a")
			return ok && a.Flags&Tentative != 0
		})
		until(t, w, "the same one after detection", func(s *Snapshot) bool {
			a, ok := addrOn(s, "wan", "2001:db8::a")
			return ok && a.Flags == Permanent
		})

		before := time.Now()
		ip(t, "addr add 2001:db8::b/64 dev wan nodad valid_lft 1000 preferred_lft 500")
		s := until(t, w, "an address with lifetimes", has("wan", "2001:db8::b"))
		a, _ := addrOn(s, "wan", "2001:db8::b")
		if a.Flags != NoDAD {
			t.Errorf("flags %v", a.Flags)
		}
		for _, d := range []struct {
			got  time.Time
			want time.Duration
		}{{a.PreferredUntil, 500 * time.Second}, {a.ValidUntil, 1000 * time.Second}} {
			if got := d.got.Add(-d.want); got.Before(before.Add(-slack)) || got.After(time.Now().Add(slack)) {
				t.Errorf("lifetime of %v ends %v after the address was added", d.want, d.got.Sub(before))
			}
		}

		ip(t, "addr change 2001:db8::b/64 dev wan nodad valid_lft 1000 preferred_lft 0")
		s = until(t, w, "a deprecated address", func(s *Snapshot) bool {
			a, ok := addrOn(s, "wan", "2001:db8::b")
			return ok && a.Flags&Deprecated != 0
		})
		if a, _ := addrOn(s, "wan", "2001:db8::b"); a.PreferredUntil.IsZero() || a.PreferredUntil.After(s.At) {
			t.Errorf("preferred until %v in a snapshot of %v", a.PreferredUntil, s.At)
		}

		// Renewal to the same lifetimes later is news, repetition at once is not.
		first := time.Now()
		ip(t, "addr add 203.0.113.9/24 dev wan valid_lft 3600 preferred_lft 3600")
		until(t, w, "a lease", has("wan", "203.0.113.9"))
		ip(t, "addr change 203.0.113.9/24 dev wan valid_lft 3600 preferred_lft 3600")
		ip(t, "addr change 203.0.113.9/24 dev wan valid_lft 7200 preferred_lft 7200")
		s = <-w.Snapshots()
		atOnce := time.Since(first) < slack // on a slow machine the repetition is news
		if a, _ := addrOn(s, "wan", "203.0.113.9"); atOnce && time.Until(a.ValidUntil) < 7000*time.Second {
			t.Errorf("a repetition was published: %+v", a)
		}
	})
}

func TestLinkDeletedAndMadeAgain(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		w := watch(t)
		make := func() Addr {
			addTunnel(t, "pppoe-wan")
			ip(t, "link set pppoe-wan up")
			ip(t, "addr add 203.0.113.7 peer 203.0.113.1 dev pppoe-wan")
			ip(t, "route add default dev pppoe-wan")
			s := until(t, w, "address and route", func(s *Snapshot) bool {
				_, ok := addrOn(s, "pppoe-wan", "203.0.113.7")
				return ok && len(s.Routes) == 1
			})
			a, _ := addrOn(s, "pppoe-wan", "203.0.113.7")
			if s.Routes[0].Link != a.Link {
				t.Errorf("route %+v for address %+v", s.Routes[0], a)
			}
			return a
		}
		first := make()
		ip(t, "link del pppoe-wan")
		s := until(t, w, "no link", func(s *Snapshot) bool { _, ok := s.LinkByName("pppoe-wan"); return !ok })
		if len(s.Routes) != 0 || len(s.Addrs) != 0 {
			t.Errorf("left over: %+v %+v", s.Routes, s.Addrs)
		}
		if second := make(); second.Link == first.Link {
			t.Errorf("index %d again", second.Link)
		}
	})
}

func TestRename(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		ip(t, "link add eth0 type veth peer name isp")
		ip(t, "addr add 203.0.113.5/24 dev eth0")
		w := watch(t)
		until(t, w, "the old name", has("eth0", "203.0.113.5"))
		ip(t, "link set eth0 name wan")
		s := until(t, w, "the new name", has("wan", "203.0.113.5"))
		if _, ok := s.LinkByName("eth0"); ok {
			t.Error("the old name is still there")
		}
	})
}

// The kernel drops the routes of a link that goes down without a word.
func TestDownTakesRoutes(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		wanWithRoutes(t)
		w := watch(t)
		if s := <-w.Snapshots(); len(s.Routes) != 2 {
			t.Fatalf("routes %+v", s.Routes)
		}
		ip(t, "link set wan down")
		s := until(t, w, "wan down", func(s *Snapshot) bool { l, _ := s.LinkByName("wan"); return !l.Up })
		for _, r := range s.Routes {
			if r.Dst.Addr().Is4() {
				t.Errorf("still there: %+v", r)
			}
		}
		if _, ok := addrOn(s, "wan", "203.0.113.5"); !ok {
			t.Error("IPv4 addresses stay through down, but this one is gone")
		}
		if len(s.Routes) != 0 { // a slow reader has the end of it already
			until(t, w, "no routes", func(s *Snapshot) bool { return len(s.Routes) == 0 })
		}
		ip(t, "link set wan up")
		ip(t, "route add default via 203.0.113.1")
		until(t, w, "up and routed", func(s *Snapshot) bool {
			l, _ := s.LinkByName("wan")
			return l.Up && len(s.Routes) == 1
		})
	})
}

// Nor is there a word when the link's last IPv4 address goes, or the one that
// a route names as its source.
func TestLastAddressTakesRoutes(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		wanWithRoutes(t)
		ip(t, "addr add 198.51.100.8/32 dev lo")
		ip(t, "route add default dev wan metric 7 src 198.51.100.8")
		w := watch(t)
		if s := <-w.Snapshots(); len(s.Routes) != 3 {
			t.Fatalf("routes %+v", s.Routes)
		}
		ip(t, "addr del 198.51.100.8/32 dev lo")
		s := until(t, w, "no source address", hasNot("lo", "198.51.100.8"))
		if len(s.Routes) != 2 {
			t.Errorf("routes %+v", s.Routes)
		}
		ip(t, "addr del 203.0.113.5/24 dev wan")
		s = until(t, w, "no address", hasNot("wan", "203.0.113.5"))
		if len(s.Routes) != 1 || !s.Routes[0].Dst.Addr().Is6() {
			t.Errorf("routes %+v", s.Routes)
		}
	})
}

func TestCarrierLoss(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		wanWithRoutes(t)
		w := watch(t)
		carrier := func(want bool) func(*Snapshot) bool {
			return func(s *Snapshot) bool { l, _ := s.LinkByName("wan"); return l.Up && l.Carrier == want }
		}
		until(t, w, "carrier", carrier(true))
		ip(t, "link set isp down")
		s := until(t, w, "no carrier", carrier(false))
		if _, ok := addrOn(s, "wan", "203.0.113.5"); !ok || len(s.Routes) != 2 {
			t.Errorf("carrier loss took something away: %+v", s)
		}
		ip(t, "link set isp up")
		until(t, w, "carrier again", carrier(true))
	})
}

func TestMasterChange(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		ip(t, "link add wan type veth peer name isp")
		ip(t, "link add br0 type bridge")
		w := watch(t)
		ip(t, "link set wan master br0")
		s := until(t, w, "a master", func(s *Snapshot) bool { l, _ := s.LinkByName("wan"); return l.Master != 0 })
		br, _ := s.LinkByName("br0")
		if l, _ := s.LinkByName("wan"); l.Master != br.Index {
			t.Errorf("master %d, br0 is %d", l.Master, br.Index)
		}
		// The bridge tells of the port's going with an RTM_DELLINK of its own.
		ip(t, "link set wan nomaster")
		ip(t, "addr add 203.0.113.5/24 dev wan")
		s = until(t, w, "no master", func(s *Snapshot) bool {
			l, ok := s.LinkByName("wan")
			if !ok {
				t.Error("leaving the bridge was taken for deletion")
			}
			_, addressed := addrOn(s, "wan", "203.0.113.5")
			return l.Master == 0 && addressed
		})
		sameAsTaken(t, w, s)
	})
}
