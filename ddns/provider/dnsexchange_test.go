package provider

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/wanbeacon/wanbeacon/ddns/dns"
)

// dnsRelay is a way to a server that mistreats what passes, over UDP and TCP.
type dnsRelay struct {
	port     uint16
	packets  atomic.Int32 // that came over UDP
	streams  atomic.Int32 // connections over TCP
	asked    chan struct{}
	askOnce  sync.Once
	askedTCP chan struct{}
	tcpOnce  sync.Once
}

// newDNSRelay relays to a port on loopback. mistreat gets the number of a
// packet, from 1, the answer of the server, and returns what is sent instead,
// in this order. tcp: connections are relayed too, else they are refused.
func newDNSRelay(t *testing.T, port uint16, tcp bool, mistreat func(n int, answer []byte) [][]byte) *dnsRelay {
	t.Helper()
	server := "127.0.0.1:" + itoa(int(port))
	r := &dnsRelay{port: freePort(t), asked: make(chan struct{}), askedTCP: make(chan struct{})}
	udp, err := net.ListenPacket("udp", "127.0.0.1:"+itoa(int(r.port)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { udp.Close() })
	go func() {
		buf := make([]byte, 4096)
		for {
			n, from, err := udp.ReadFrom(buf)
			if err != nil {
				return
			}
			number := int(r.packets.Add(1))
			var answer []byte
			if port != 0 {
				answer = ask(server, buf[:n])
			}
			for _, packet := range mistreat(number, answer) {
				udp.WriteTo(packet, from)
			}
			r.askOnce.Do(func() { close(r.asked) })
		}
	}()
	if !tcp {
		return r
	}
	l, err := net.Listen("tcp", "127.0.0.1:"+itoa(int(r.port)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			r.streams.Add(1)
			r.tcpOnce.Do(func() { close(r.askedTCP) })
			if port == 0 {
				t.Cleanup(func() { in.Close() })
				continue // and silent
			}
			go func() {
				defer in.Close()
				out, err := net.Dial("tcp", server)
				if err != nil {
					return
				}
				defer out.Close()
				go io.Copy(out, in)
				io.Copy(in, out)
			}()
		}
	}()
	return r
}

// ask passes one packet on.
func ask(server string, packet []byte) []byte {
	conn, err := net.Dial("udp", server)
	if err != nil {
		return nil
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	conn.Write(packet)
	buf := make([]byte, 4096)
	n, _ := conn.Read(buf)
	return buf[:n]
}

func (r *dnsRelay) server() string { return "127.0.0.1:" + itoa(int(r.port)) }

func pass(n int, answer []byte) [][]byte { return [][]byte{answer} }

func drop(int, []byte) [][]byte { return nil }

// changed returns a copy with one byte flipped.
func changed(packet []byte, at int) []byte {
	packet = append([]byte(nil), packet...)
	packet[(at+len(packet))%len(packet)] ^= 1
	return packet
}

// withoutTSIG is the packet without its last record, which is the signature.
func withoutTSIG(t *testing.T, packet []byte, rcode byte) []byte {
	m, err := dns.Parse(packet)
	if err != nil || len(m.Records) == 0 {
		t.Error("no signed answer", err)
		return nil
	}
	packet = append([]byte(nil), packet[:m.Records[len(m.Records)-1].Start]...)
	dns.Count(packet, dns.SectionAdditional, -1)
	packet[3] = packet[3]&0xf0 | rcode
	return packet
}

// TestMistreatedPackets: what is lost is sent again, what is forged is not
// believed, and in the end there is TCP.
func TestMistreatedPackets(t *testing.T) {
	s := startServer(t, "BIND")
	refusedTCP := "no answer over UDP; over TCP: connecting: "
	for name, c := range map[string]struct {
		mistreat        func(n int, answer []byte) [][]byte
		tcp             bool
		want            Outcome
		packets, stream int32
	}{
		"none":                  {pass, false, stored, 1, 0},
		"the first is lost":     {func(n int, a []byte) [][]byte { return pass(n, a)[:min(n-1, 1)] }, false, stored, 2, 0},
		"the first two are":     {func(n int, a []byte) [][]byte { return pass(n, a)[:n/3] }, false, stored, 3, 0},
		"all are":               {drop, true, stored, 3, 1},
		"all are, without TCP":  {drop, false, Outcome{Class: Network, Sent: true, Text: refusedTCP}, 3, 0},
		"empty and short ones":  {func(n int, a []byte) [][]byte { return [][]byte{{}, a[:3], a[:11], a[:len(a)-1], a} }, false, stored, 1, 0},
		"another id before":     {func(n int, a []byte) [][]byte { return [][]byte{changed(a, 1), a} }, false, stored, 1, 0},
		"a query before":        {func(n int, a []byte) [][]byte { return [][]byte{append([]byte{a[0], a[1], a[2] ^ 0x80}, a[3:]...), a} }, false, stored, 1, 0},
		"a wrong MAC before":    {func(n int, a []byte) [][]byte { return [][]byte{changed(a, -10), a} }, false, stored, 1, 0},
		"an unsigned refusal":   {func(n int, a []byte) [][]byte { return [][]byte{withoutTSIG(t, a, 5), a} }, false, stored, 1, 0},
		"an unsigned success":   {func(n int, a []byte) [][]byte { return [][]byte{withoutTSIG(t, a, 0)} }, true, stored, 1, 1},
		"that, without TCP":     {func(n int, a []byte) [][]byte { return [][]byte{withoutTSIG(t, a, 0)} }, false, Outcome{Class: Network, Sent: true, Text: "not to be trusted: it is not signed"}, 1, 0},
		"a wrong MAC, no TCP":   {func(n int, a []byte) [][]byte { return [][]byte{changed(a, -10)} }, false, Outcome{Class: Network, Sent: true, Text: "not to be trusted: its signature is wrong"}, 1, 0},
		"cut, with the TC bit":  {func(n int, a []byte) [][]byte { return [][]byte{{a[0], a[1], a[2] | 2, a[3], 0, 0, 0, 0, 0, 0, 0, 0}} }, true, stored, 1, 1},
		"answers for elsewhere": {func(n int, a []byte) [][]byte { return [][]byte{changed(a, 14)} }, true, stored, 3, 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := newDNSRelay(t, s.port, c.tcp, c.mistreat)
			p := s.account(t, map[string]string{"server": r.server()})
			p.dns.unit = 50 * time.Millisecond
			checkAll(t, p.Send(t.Context(), Origin{}, publish4and6("203.0.113.7", "", "relayed.example.org")), c.want)
			if packets, streams := r.packets.Load(), r.streams.Load(); packets != c.packets || streams != c.stream {
				t.Errorf("%d packets and %d connections, want %d and %d", packets, streams, c.packets, c.stream)
			}
		})
	}
}

// TestUpdateOfSeveralNamesIsOneMessage, over TCP alone when it is large.
func TestUpdateOfSeveralNamesIsOneMessage(t *testing.T) {
	s := startServer(t, "Knot")
	r := newDNSRelay(t, s.port, true, pass)
	p := s.account(t, map[string]string{"server": r.server()})
	send := func(hosts ...string) {
		checkAll(t, p.Send(t.Context(), Origin{}, publish4and6("203.0.113.7", "2001:db8::7", hosts...)), stored)
	}
	if send("a.example.org", "b.example.org"); r.packets.Load() != 1 || r.streams.Load() != 0 {
		t.Errorf("%d packets, %d connections", r.packets.Load(), r.streams.Load())
	}
	if send("a1.example.org", "a2.example.org", "a3.example.org", "a4.example.org", "a5.example.org", "a6.example.org"); r.packets.Load() != 1 || r.streams.Load() != 1 {
		t.Errorf("%d packets, %d connections", r.packets.Load(), r.streams.Load())
	}
	s.expect(t, "b.example.org", dnsmessage.TypeAAAA, "60 2001:db8::7")
	s.expect(t, "a6.example.org", dnsmessage.TypeAAAA, "60 2001:db8::7")
}

// TestCancelEndsAnUpdateAtOnce, over UDP and TCP.
func TestCancelEndsAnUpdateAtOnce(t *testing.T) {
	for _, c := range []struct {
		name string
		unit time.Duration
	}{{"UDP", time.Minute}, {"TCP", time.Millisecond}} {
		r := newDNSRelay(t, 0, true, drop)
		p := rfc2136Account(t, map[string]string{"server": r.server(), "zone": "example.org"})
		p.dns.unit = c.unit
		asked := r.asked
		if c.name == "TCP" {
			asked = r.askedTCP
		}
		ctx, cancel := context.WithCancel(t.Context())
		canceled := make(chan time.Time, 1)
		go func() {
			<-asked
			canceled <- time.Now()
			cancel()
		}()
		checkAll(t, p.Send(ctx, Origin{}, publish4and6("203.0.113.7", "", "a.example.org")), Outcome{Class: Network, Sent: true, Text: "interrupted"})
		if took := time.Since(<-canceled); took > 50*time.Millisecond {
			t.Errorf("%s: %v", c.name, took)
		}
	}
}

// TestSilentServer: the time-out holds, over UDP and TCP together.
func TestSilentServer(t *testing.T) {
	r := newDNSRelay(t, 0, true, drop)
	p := rfc2136Account(t, map[string]string{"server": r.server(), "zone": "example.org"})
	p.opt.Timeout = 300 * time.Millisecond
	start := time.Now()
	checkAll(t, p.Send(t.Context(), Origin{}, publish4and6("203.0.113.7", "", "a.example.org")),
		Outcome{Class: Network, Sent: true, Text: "no answer within 300ms (no answer over UDP; over TCP: waiting for the answer)"})
	if took := time.Since(start); took < 250*time.Millisecond || took > 2*time.Second {
		t.Error(took)
	}
	if n := r.packets.Load(); n != 3 {
		t.Errorf("%d packets", n)
	}
}

// TestServerOfSeveralAddresses: one that does not answer delays little.
func TestServerOfSeveralAddresses(t *testing.T) {
	s := startServer(t, "Knot")
	r := newDNSRelay(t, s.port, false, pass)
	deaf, err := net.ListenPacket("udp", "127.0.0.2:"+itoa(int(r.port)))
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	dns := newNameServer(t, "127.0.0.1:0", gives("127.0.0.2", "127.0.0.1"))
	p := s.account(t, map[string]string{"server": "ns.example.org:" + itoa(int(r.port))})
	p.dns.unit = 50 * time.Millisecond
	p.transport.resolver.path, p.transport.resolver.port = resolvConf(t, "", "127.0.0.1"), dns.port()
	for range 2 {
		checkAll(t, p.Send(t.Context(), Origin{}, publish4and6("203.0.113.7", "", "several.example.org")), stored)
	}
	if got := p.transport.resolver.known("ns.example.org"); len(got) == 0 || got[0] != loopback {
		t.Errorf("next time first: %v", got)
	}
}

// TestStalePlaceIsFoundAnew: zone and server that were found once may move.
func TestStalePlaceIsFoundAnew(t *testing.T) {
	s := startServer(t, "BIND")
	p := s.account(t, map[string]string{"zone": ""})
	p.dns.places["a.example.org"] = &dnsPlace{"example.com", "127.0.0.1", s.port}
	p.dns.places["b.example.org"] = &dnsPlace{"example.net", "127.0.0.1", s.port}
	checkAll(t, p.Send(t.Context(), Origin{}, publish4and6("203.0.113.7", "2001:db8::7", "a.example.org", "b.example.org")), stored)
	s.expect(t, "a.example.org", dnsmessage.TypeA, "60 203.0.113.7")
	s.expect(t, "b.example.org", dnsmessage.TypeA, "60 203.0.113.7")
}
