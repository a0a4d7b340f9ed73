package dns

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/wanbeacon/wanbeacon/ddns/socket"
)

// server answers on loopback as its functions say; nil: no answer.
type server struct {
	addr             netip.AddrPort
	packets, streams atomic.Int32
}

func newServer(t *testing.T, udp, tcp func(q *dnsmessage.Message) [][]byte) *server {
	t.Helper()
	s := &server{}
	var u net.PacketConn
	var l net.Listener
	var err error
	for range 20 { // a free TCP port may be taken for UDP
		if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		if u, err = net.ListenPacket("udp", l.Addr().String()); err == nil {
			break
		}
		l.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	s.addr = netip.MustParseAddrPort(l.Addr().String())
	t.Cleanup(func() { u.Close(); l.Close() })
	go func() {
		buf := make([]byte, 4096)
		for {
			n, from, err := u.ReadFrom(buf)
			if err != nil {
				return
			}
			s.packets.Add(1)
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) == nil && udp != nil {
				for _, p := range udp(&m) {
					u.WriteTo(p, from)
				}
			}
		}
	}()
	if tcp == nil {
		l.Close()
		return s
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.streams.Add(1)
			go func() {
				defer c.Close()
				for {
					packet, err := readFramed(c)
					if err != nil {
						return
					}
					var m dnsmessage.Message
					if m.Unpack(packet) != nil {
						return
					}
					for _, p := range tcp(&m) {
						c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(p))), p...))
					}
				}
			}()
		}
	}()
	return s
}

// answers makes a reply with an address, changed as change says.
func answers(change func(m *dnsmessage.Message)) func(q *dnsmessage.Message) [][]byte {
	return func(q *dnsmessage.Message) [][]byte {
		m := &dnsmessage.Message{Header: dnsmessage.Header{ID: q.ID, Response: true, Authoritative: true}, Questions: q.Questions}
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Questions[0].Name, Class: dnsmessage.ClassINET, TTL: 60},
			Body:   &dnsmessage.AResource{A: [4]byte{192, 0, 2, 7}},
		}}
		if change != nil {
			change(m)
		}
		packet, _ := m.Pack()
		return [][]byte{packet}
	}
}

// otherCase turns each letter's case: random case may be all small.
func otherCase(m *dnsmessage.Message) {
	q := m.Questions[0]
	for i, c := range q.Name.Data[:q.Name.Length] {
		if c |= 0x20; 'a' <= c && c <= 'z' {
			q.Name.Data[i] ^= 0x20
		}
	}
	m.Questions = []dnsmessage.Question{q}
}

func truncated(m *dnsmessage.Message) { m.Truncated, m.Answers = true, nil }

func dialLoopback(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	if network == "udp" {
		c, _, err := socket.UDP(to, "", netip.Addr{})
		if err != nil {
			return nil, err
		}
		return c, nil
	}
	c, _, err := socket.TCP(ctx, to, "", netip.Addr{}, nil, func() {})
	if err != nil {
		return nil, err
	}
	return c, nil
}

func TestAsk(t *testing.T) {
	hasEDNS := func(q *dnsmessage.Message) bool { return len(q.Additionals) > 0 }
	good := answers(nil)
	for name, c := range map[string]struct {
		udp, tcp         func(q *dnsmessage.Message) [][]byte
		packets, streams int32
		fault            error
		fails            bool
	}{
		"answers": {udp: good, packets: 1},
		"drops EDNS": {udp: func(q *dnsmessage.Message) [][]byte {
			if hasEDNS(q) {
				return nil
			}
			return good(q)
		}, packets: 2},
		"FORMERR to EDNS": {udp: func(q *dnsmessage.Message) [][]byte {
			if hasEDNS(q) {
				return answers(func(m *dnsmessage.Message) { m.RCode, m.Answers = dnsmessage.RCodeFormatError, nil })(q)
			}
			return good(q)
		}, packets: 2},
		"truncates":                             {udp: answers(truncated), tcp: good, packets: 1, streams: 1},
		"truncates, and has no TCP":             {udp: answers(truncated), packets: 1},
		"changes the case, and TCP confirms it": {udp: answers(otherCase), tcp: good, packets: 1, streams: 1},
		"changes the case everywhere":           {udp: answers(otherCase), tcp: answers(otherCase), packets: 1, streams: 1, fault: ErrCase},
		"forged answers first": {udp: func(q *dnsmessage.Message) [][]byte {
			forged := func(m *dnsmessage.Message) { m.ID++ }
			other := func(m *dnsmessage.Message) { m.Questions[0].Type = dnsmessage.TypeTXT }
			var list [][]byte
			for _, change := range []func(m *dnsmessage.Message){forged, func(m *dnsmessage.Message) { m.Response = false }, otherName, other} {
				list = append(list, answers(change)(&dnsmessage.Message{Header: q.Header, Questions: append([]dnsmessage.Question(nil), q.Questions...)})...)
			}
			return append(append(list, []byte("garbage"), nil), good(q)...)
		}, packets: 1},
		"silent over UDP": {tcp: good, packets: 3, streams: 1},
		"silent":          {packets: 3, fails: true},
		"foreign answers for ever": {udp: answers(truncated), tcp: func(q *dnsmessage.Message) [][]byte {
			var list [][]byte
			for range 100 {
				list = append(list, answers(func(m *dnsmessage.Message) { m.ID++ })(q)...)
			}
			return list
		}, packets: 1, streams: 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, c.udp, c.tcp)
			var sent atomic.Int32
			x := Exchange{Dial: dialLoopback, Wait: 100 * time.Millisecond, Sent: func() { sent.Add(1) }}
			if c.packets < 2 {
				x.Wait = 10 * time.Second
			}
			a, err := x.Ask(t.Context(), s.addr, NewQuestion("home.example.org", TypeA, EDNS|MixedCase))
			if (err != nil) != c.fails {
				t.Fatal(err)
			}
			if err == nil && a.Fault != c.fault {
				t.Error(a.Fault)
			}
			if err == nil && !a.Truncated() && (len(a.Records) != 1 || a.Addr(&a.Records[0]) != netip.MustParseAddr("192.0.2.7")) {
				t.Errorf("%+v", a.Message)
			}
			if s.packets.Load() != c.packets || s.streams.Load() != c.streams {
				t.Errorf("%d packets, %d connections", s.packets.Load(), s.streams.Load())
			}
			if n := sent.Load(); n != c.packets+c.streams {
				t.Errorf("counted %d", n)
			}
		})
	}
}

func otherName(m *dnsmessage.Message) {
	m.Questions = []dnsmessage.Question{{Name: dnsmessage.MustNewName("other.example.org."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}}
}

func TestCancelEndsAsking(t *testing.T) {
	for _, tcp := range []bool{false, true} {
		started := make(chan struct{}, 10)
		silent := func(q *dnsmessage.Message) [][]byte { started <- struct{}{}; return nil }
		s := newServer(t, silent, silent)
		if tcp {
			s = newServer(t, answers(truncated), silent)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-started; cancel() }()
		x := Exchange{Dial: dialLoopback, Wait: time.Hour}
		a, err := x.Ask(ctx, s.addr, NewQuestion("home.example.org", TypeA, 0))
		if tcp && (err != nil || !a.Truncated()) || !tcp && err != context.Canceled {
			t.Errorf("tcp %v: %v %v", tcp, a, err)
		}
	}
}

// FuzzRead: an answer is taken only if it answers the question.
func FuzzRead(f *testing.F) {
	q := NewQuestion("home.example.org", TypeA, EDNS)
	copy(q.Msg, "\x00\x07")
	f.Add(referral(f))
	f.Add(q.Msg)
	f.Fuzz(func(t *testing.T, packet []byte) {
		if a := q.Read(packet); a != nil && (a.ID != 7 || a.Flags&FlagResponse == 0) {
			t.Error("took what answers something else")
		}
		r, w := net.Pipe()
		go func() { w.Write(packet); w.Close() }()
		readFramed(r)
		io.Copy(io.Discard, r)
		r.Close()
	})
}
