package witness

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/wanbeacon/wanbeacon/ddns/dns"
	"github.com/wanbeacon/wanbeacon/ddns/internal/dnsworld"
)

// hostile is a name server that answers as it is told, over UDP and TCP.
type hostile struct {
	mu     sync.Mutex
	answer func(q *dnsmessage.Message, packet []byte) [][]byte
	asked  atomic.Int64
}

// listen serves at any loopback address and port.
func (h *hostile) listen(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u, err := net.ListenPacket("udp", l.Addr().String())
	if err != nil {
		l.Close()
		return h.listen(t) // the port is taken for UDP
	}
	t.Cleanup(func() { l.Close(); u.Close() })
	go func() {
		buf := make([]byte, 4096)
		for {
			n, from, err := u.ReadFrom(buf)
			if err != nil {
				return
			}
			for _, p := range h.reply(buf[:n]) {
				u.WriteTo(p, from)
			}
		}
	}()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				c.SetDeadline(time.Now().Add(time.Minute))
				var size [2]byte
				for {
					if _, err := io.ReadFull(c, size[:]); err != nil {
						return
					}
					packet := make([]byte, binary.BigEndian.Uint16(size[:]))
					if _, err := io.ReadFull(c, packet); err != nil {
						return
					}
					for _, p := range h.reply(packet) {
						c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(p))), p...))
					}
				}
			}()
		}
	}()
	return netip.MustParseAddrPort(l.Addr().String())
}

func (h *hostile) reply(packet []byte) [][]byte {
	h.asked.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	var m dnsmessage.Message
	if m.Unpack(packet) != nil {
		return nil
	}
	return h.answer(&m, packet)
}

// delegates makes every name a zone of its own, at ever more servers, of which
// every second one has an address.
func delegates(width int) func(q *dnsmessage.Message, packet []byte) [][]byte {
	n := 0
	return func(q *dnsmessage.Message, packet []byte) [][]byte {
		m := dnsmessage.Message{Header: dnsmessage.Header{ID: q.ID, Response: true}, Questions: q.Questions}
		name := q.Questions[0].Name
		for range width {
			n++
			m.Authorities = append(m.Authorities, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET, TTL: 1},
				Body:   &dnsmessage.NSResource{NS: dnsmessage.MustNewName(fmt.Sprintf("s%d.d%d.example.", n, n))},
			})
			if n%2 == 0 {
				m.Additionals = append(m.Additionals, dnsmessage.Resource{
					Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(fmt.Sprintf("s%d.d%d.example.", n, n)), Class: dnsmessage.ClassINET},
					Body:   &dnsmessage.AResource{A: [4]byte{11, 9, byte(n >> 8), byte(n)}},
				})
			}
		}
		p, err := m.Pack()
		if err != nil {
			return nil
		}
		return [][]byte{p}
	}
}

// TestHostileServersCannotAmplify: whatever a server says, a check ends, and
// asks a bounded number of questions.
func TestHostileServersCannotAmplify(t *testing.T) {
	seed := rand.New(&locked{src: rand.NewPCG(1, 2)})
	for name, answer := range map[string]func(q *dnsmessage.Message, packet []byte) [][]byte{
		"delegates for ever":     delegates(13),
		"delegates to thousands": delegates(500),
		"repeats the question":   func(q *dnsmessage.Message, packet []byte) [][]byte { return [][]byte{packet} },
		"answers with a bare header": func(q *dnsmessage.Message, packet []byte) [][]byte {
			return [][]byte{{packet[0], packet[1], 0x84, 0, 0, 0, 0, 0, 0, 0, 0, 0}}
		},
		"garbage behind a right header": func(q *dnsmessage.Message, packet []byte) [][]byte {
			p := append([]byte(nil), packet...)
			p[2] |= 0x84
			p[7], p[9], p[11] = byte(seed.IntN(256)), byte(seed.IntN(256)), byte(seed.IntN(256))
			for range 400 {
				p = append(p, byte(seed.IntN(256)))
			}
			return [][]byte{p, p, p}
		},
		"truncates for ever": func(q *dnsmessage.Message, packet []byte) [][]byte {
			p := append([]byte(nil), packet...)
			p[2] |= 0x82
			return [][]byte{p}
		},
		"CNAMEs for ever": func(q *dnsmessage.Message, packet []byte) [][]byte {
			m := dnsmessage.Message{Header: dnsmessage.Header{ID: q.ID, Response: true, Authoritative: true}, Questions: q.Questions}
			m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Questions[0].Name, Class: dnsmessage.ClassINET},
				Body: &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName(fmt.Sprintf("x%d.example.", seed.IntN(1e9)))}}}
			p, _ := m.Pack()
			return [][]byte{p}
		},
		"a flood": func(q *dnsmessage.Message, packet []byte) [][]byte {
			var list [][]byte
			for range 200 {
				p := append([]byte(nil), packet...)
				p[0]++
				p[2] |= 0x84
				list = append(list, p)
			}
			return list
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &hostile{answer: answer}
			w := dnsworld.New()
			w.Zone("", dnsworld.Records{
				"org NS": {"a.nic.org", "b.nic.org"}, "a.nic.org A": {"11.9.9.9"}, "b.nic.org A": {"11.9.9.8"},
				"example NS": {"a.nic.example"}, "a.nic.example A": {"11.9.9.7"},
			}, "11.0.0.1")
			n := &Net{}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // the daemon gives a check 15 s
			defer cancel()
			f := Check{Name: "home.example.org", Type: dns.TypeA, Roots: dnsworld.Roots}.Run(ctx, &at{n.Via("", netip.Addr{}), h.listen(t), w})
			if f.Queries > maxQuestions || h.asked.Load() > 5*maxQuestions || n.Sent() > 5*maxQuestions {
				t.Errorf("%d questions, %d messages, %d sent", f.Queries, h.asked.Load(), n.Sent())
			}
			if v, note := Judge(f, Expected{Want: "203.0.113.7", Age: time.Hour}); v == OK {
				t.Error(note)
			} else {
				t.Logf("%d questions, %d messages: %s: %.200q", f.Queries, n.Sent(), v, note)
			}
		})
	}
}

// at has every server but the root at one place.
type at struct {
	Asker
	place netip.AddrPort
	root  Asker
}

func (a *at) Ask(ctx context.Context, server netip.AddrPort, name string, typ uint16) (*dns.Message, error) {
	if server == dnsworld.Roots[0] {
		return a.root.Ask(ctx, server, name, typ)
	}
	return a.Asker.Ask(ctx, a.place, name, typ)
}

// locked is a source for several goroutines.
type locked struct {
	mu  sync.Mutex
	src rand.Source
}

func (l *locked) Uint64() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.src.Uint64()
}
