package seizure

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// Seize moves A's zone to servers that behave so.
func (w *World) Seize(f lab.Fault) {
	w.Helper()
	for _, s := range w.Seizers {
		s.Handle(nil)
		s.Break(f)
	}
	w.Delegate(Seized)
}

// Swallow moves A's zone to servers that answer every name with the Sinkhole.
func (w *World) Swallow() {
	w.Helper()
	for _, s := range w.Seizers {
		s.Handle(func(_ lab.Query, message []byte) []byte {
			return answer(message, dnsmessage.RCodeSuccess, netip.MustParseAddr(Sinkhole))
		})
	}
	w.Delegate(Seized)
}

// Overload moves A's zone to servers that know one name as it is and none of
// the others; they drop nine queries of ten and are slow with the rest.
func (w *World) Overload(known string) {
	w.Helper()
	for _, s := range w.Seizers {
		s.Handle(func(q lab.Query, message []byte) []byte {
			if rand.IntN(10) > 0 {
				return nil
			}
			time.Sleep(300 * time.Millisecond)
			if strings.TrimSuffix(q.Name, ".") != known {
				return answer(message, dnsmessage.RCodeServerFailure)
			}
			return answer(message, dnsmessage.RCodeSuccess, ipv4(w.A.Zone.Addrs(known))...)
		})
	}
	w.Delegate(Seized)
}

// pose answers as the ISP's resolver does, with authority for everything.
func (w *World) pose(_ lab.Query, message []byte) []byte {
	message[2] |= 1 // recursion desired
	reply, err := w.ISPs.Exchange(message)
	if err != nil {
		return nil
	}
	reply[2] |= 4       // authority
	reply[3] &^= 1 << 7 // no recursion offered
	return reply
}

// answer answers with authority, whatever was asked for.
func answer(message []byte, code dnsmessage.RCode, addrs ...netip.Addr) []byte {
	var m dnsmessage.Message
	if err := m.Unpack(message); err != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	reply := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, Authoritative: code == dnsmessage.RCodeSuccess, RCode: code},
		Questions: m.Questions}
	if q.Type == dnsmessage.TypeA {
		for _, a := range addrs {
			reply.Answers = append(reply.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 5},
				Body:   &dnsmessage.AResource{A: a.As4()},
			})
		}
	}
	packed, err := reply.Pack()
	if err != nil {
		return nil
	}
	return packed
}
