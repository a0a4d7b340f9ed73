package provider

import (
	"net"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// deafSocket listens at an address but answers no more packets: its backlog is full.
func deafSocket(t *testing.T, addr netip.AddrPort) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: int(addr.Port()), Addr: addr.Addr().As4()}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	filler, err := net.Dial("tcp4", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { filler.Close() })
}

// TestDeafAddressDelaysLittle: the next address is tried beside it.
func TestDeafAddressDelaysLittle(t *testing.T) {
	s := newPeer(t, raw(answerOf("200 OK", "", "good")))
	good := netip.MustParseAddrPort(s.addr)
	deaf := netip.MustParseAddr("127.0.0.2")
	deafSocket(t, netip.AddrPortFrom(deaf, good.Port()))
	for name, known := range map[string][]netip.Addr{
		"both known":                         {deaf, loopback},
		"the good one by the fresh look-up":  {deaf},
		"nothing known, both by the look-up": nil,
	} {
		t.Run(name, func(t *testing.T) {
			dns := newNameServer(t, "127.0.0.1:0", gives("127.0.0.2", "127.0.0.1"))
			p, to := namedPeer(t, s.addr, dns)
			p.transport.resolver.last[to] = known
			checkOutcome(t, p.Send(t.Context(), Origin{}, update4("a.dyndns.org"))[0], Outcome{Class: Updated, Sent: true})
			if got := p.transport.resolver.known(to); len(got) == 0 || got[0] != loopback {
				t.Errorf("next time first: %v", got)
			}
		})
	}
}

// TestAllAddressesFail: the outcome names why, and does not take forever.
func TestAllAddressesFail(t *testing.T) {
	dns := newNameServer(t, "127.0.0.1:0", gives("127.0.0.2", "127.0.0.3", "127.0.0.4"))
	l, err := net.Listen("tcp4", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	p, _ := namedPeer(t, l.Addr().String(), dns)
	checkOutcome(t, p.Send(t.Context(), Origin{}, update4("a.dyndns.org"))[0], Outcome{Class: Network, Text: "connection refused"})
}

// TestByConnectionUsesTheFamily: the provider takes the connection's address.
func TestByConnectionUsesTheFamily(t *testing.T) {
	s := newPeer(t, raw(answerOf("200 OK", "", "good")))
	_, port, _ := net.SplitHostPort(s.addr)
	p := custom(t, minimal+"[request]\nby_connection = true\n", "http://127.0.0.1:"+port, nil)
	checkOutcome(t, p.Send(t.Context(), Origin{}, update4("a.dyndns.org"))[0], Outcome{Class: Updated, Sent: true})
	p = custom(t, minimal+"[request]\nby_connection = true\n", "http://[::1]:"+port, nil)
	checkOutcome(t, p.Send(t.Context(), Origin{}, update4("a.dyndns.org"))[0], Outcome{Class: Network, Text: "no address in that family"})
}
