package netwatch

import (
	"fmt"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

func TestDefaultRoutes(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		ip(t, "link add wan type veth peer name isp")
		ip(t, "link set isp up")
		ip(t, "link set wan up")
		ip(t, "addr add 203.0.113.5/24 dev wan")
		ip(t, "addr add 2001:db8::5/64 dev wan nodad")
		w := watch(t)
		link, _ := (<-w.Snapshots()).LinkByName("wan")
		addr := netip.MustParseAddr
		steps := []struct {
			name, command string
			want          []Route
		}{
			{"added", "route add default via 203.0.113.1 metric 10",
				[]Route{{Dst: default4, Table: 254, Metric: 10, Gateway: addr("203.0.113.1")}}},
			{"replaced", "route replace default via 203.0.113.2 metric 10",
				[]Route{{Dst: default4, Table: 254, Metric: 10, Gateway: addr("203.0.113.2")}}},
			{"another metric", "route add default via 203.0.113.3 metric 5 src 203.0.113.5",
				[]Route{
					{Dst: default4, Table: 254, Metric: 5, Gateway: addr("203.0.113.3"), Src: addr("203.0.113.5")},
					{Dst: default4, Table: 254, Metric: 10, Gateway: addr("203.0.113.2")}}},
			{"deleted", "route del default metric 5",
				[]Route{{Dst: default4, Table: 254, Metric: 10, Gateway: addr("203.0.113.2")}}},
			{"unreachable in its place", "route replace unreachable default metric 10", nil},
			{"another table, far beyond 255", "route add default via 203.0.113.1 table 1001",
				[]Route{{Dst: default4, Table: 1001, Gateway: addr("203.0.113.1")}}},
			{"several next hops", "route replace default table 1001 nexthop via 203.0.113.1 nexthop via 203.0.113.4",
				[]Route{
					{Dst: default4, Table: 1001, Gateway: addr("203.0.113.1")},
					{Dst: default4, Table: 1001, Gateway: addr("203.0.113.4")}}},
			{"gateway of the other family", "-4 route replace default via inet6 2001:db8::1 dev wan table 1001",
				[]Route{{Dst: default4, Table: 1001, Gateway: addr("2001:db8::1")}}},
			{"table emptied", "route flush table 1001", nil},
			{"IPv6 added", "-6 route add default via 2001:db8::1",
				[]Route{{Dst: default6, Table: 254, Metric: 1024, Gateway: addr("2001:db8::1")}}},
			{"IPv6 sibling", "-6 route append default via 2001:db8::2",
				[]Route{
					{Dst: default6, Table: 254, Metric: 1024, Gateway: addr("2001:db8::1")},
					{Dst: default6, Table: 254, Metric: 1024, Gateway: addr("2001:db8::2")}}},
			{"IPv6 replaces both", "-6 route replace default via 2001:db8::3",
				[]Route{{Dst: default6, Table: 254, Metric: 1024, Gateway: addr("2001:db8::3")}}},
			{"IPv6 gone", "-6 route del default", nil},
		}
		for _, step := range steps {
			for i := range step.want {
				step.want[i].Link = link.Index
			}
			ip(t, step.command)
			s := until(t, w, step.name, func(s *Snapshot) bool { return equalRoutes(s.Routes, step.want) })
			sameAsTaken(t, w, s)
		}
	})
}

// A next hop whose link went down is kept by the kernel but dead, and revived
// without a word when the link comes up.
func TestDeadNextHop(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		for i, link := range []string{"wan", "lte"} {
			ip(t, "link add "+link+" type veth peer name "+link+"x")
			ip(t, "link set "+link+"x up")
			ip(t, "link set "+link+" up")
			ip(t, fmt.Sprintf("addr add 203.0.%d.5/24 dev %s", 113+i, link))
		}
		w := watch(t)
		hops := func(n int) func(*Snapshot) bool { return func(s *Snapshot) bool { return len(s.Routes) == n } }
		ip(t, "route add default nexthop via 203.0.113.1 nexthop via 203.0.114.1")
		until(t, w, "two next hops", hops(2))
		ip(t, "link set wan down")
		s := until(t, w, "one next hop", hops(1))
		if l, _ := s.LinkByName("lte"); s.Routes[0].Link != l.Index {
			t.Errorf("the wrong one: %+v", s.Routes)
		}
		ip(t, "link set wan up")
		until(t, w, "two again", hops(2))
	})
}

// A route for one source prefix only is what IPv6 has where the prefix is delegated.
func TestSourceSpecificDefaultRoutes(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		ip(t, "link add wan type veth peer name isp")
		ip(t, "link set isp up")
		ip(t, "link set wan up")
		ip(t, "addr add 2001:db8::5/64 dev wan nodad")
		w := watch(t)
		ip(t, "-6 route add default from 2001:db8:1::/56 via 2001:db8::1 dev wan")
		until(t, w, "one route", func(s *Snapshot) bool { return len(s.Routes) == 1 })
		ip(t, "-6 route add default from 2001:db8:2::/56 via 2001:db8::1 dev wan")
		s := until(t, w, "two routes", func(s *Snapshot) bool { return len(s.Routes) == 2 })
		if s.Routes[1].From != netip.MustParsePrefix("2001:db8:2::/56") {
			t.Errorf("routes %+v", s.Routes)
		}
		sameAsTaken(t, w, s)
	})
}

func TestRouteTo(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		dst, src := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("203.0.113.5")
		_, err := RouteTo(dst, netip.Addr{}, "")
		wantErrno(t, "without any route", err, unix.ENETUNREACH)
		_, err = RouteTo(dst, netip.Addr{}, "wan")
		wantErrno(t, "without such a device", err, unix.ENODEV)
		_, err = RouteTo(dst, netip.MustParseAddr("2001:db8::1"), "")
		wantErrno(t, "families mixed", err, unix.EINVAL)

		ip(t, "link add wan type veth peer name isp")
		ip(t, "link set isp up")
		ip(t, "link set wan up")
		ip(t, "addr add 203.0.113.5/24 dev wan")
		_, err = RouteTo(dst, netip.Addr{}, "wan")
		wantErrno(t, "through a device without route", err, unix.ENETUNREACH)
		_, err = RouteTo(dst, src, "")
		wantErrno(t, "from an address without route", err, unix.ENETUNREACH)
		_, err = RouteTo(netip.MustParseAddr("2001:db8:9::1"), netip.Addr{}, "wan")
		wantErrno(t, "IPv6 without route", err, unix.ENETUNREACH)

		// As a policy-routed router has it: no default route in the main table.
		ip(t, "route add default via 203.0.113.1 table 100")
		ip(t, "rule add from 203.0.113.5 lookup 100")
		_, err = RouteTo(dst, netip.Addr{}, "")
		wantErrno(t, "unless from the right address", err, unix.ENETUNREACH)
		r, err := RouteTo(dst, src, "wan")
		want := Route{Dst: netip.PrefixFrom(dst, 32), Table: 100, Gateway: netip.MustParseAddr("203.0.113.1"), Link: r.Link, Src: src}
		if err != nil || r != want || r.Link == 0 {
			t.Errorf("got %+v, %v", r, err)
		}

		ip(t, "route add default via 203.0.113.2")
		r, err = RouteTo(dst, netip.Addr{}, "")
		if err != nil || r.Table != 254 || r.Gateway != netip.MustParseAddr("203.0.113.2") || r.Src != src {
			t.Errorf("got %+v, %v", r, err)
		}
		if !Leads("wan", dst) || Leads("lo", dst) || Leads("wan", netip.MustParseAddr("2001:db8:9::1")) {
			t.Error("only the IPv4 route leads through wan")
		}
		ip(t, "route add prohibit 192.0.2.1")
		_, err = RouteTo(dst, netip.Addr{}, "")
		wantErrno(t, "forbidden", err, unix.EACCES)

		ip(t, "addr add 2001:db8::5/64 dev wan nodad")
		r, err = RouteTo(netip.MustParseAddr("fe80::1%wan"), netip.Addr{}, "")
		if err != nil || r.Gateway.IsValid() || r.Link != want.Link {
			t.Errorf("got %+v, %v", r, err)
		}
		ip(t, "-6 route add unreachable 2001:db8:9::/48")
		_, err = RouteTo(netip.MustParseAddr("2001:db8:9::1"), netip.Addr{}, "")
		wantErrno(t, "IPv6 unreachable", err, unix.EHOSTUNREACH)
	})
}
