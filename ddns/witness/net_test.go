package witness

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/wanbeacon/wanbeacon/ddns/dns"
)

// gives answers each question with an address; change makes it another answer.
func gives(addr string, change func(m *dnsmessage.Message)) func(q *dnsmessage.Message, packet []byte) [][]byte {
	return func(q *dnsmessage.Message, _ []byte) [][]byte {
		m := dnsmessage.Message{Header: dnsmessage.Header{ID: q.ID, Response: true, Authoritative: true}, Questions: q.Questions}
		m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Questions[0].Name, Class: dnsmessage.ClassINET, TTL: 60},
			Body: &dnsmessage.AResource{A: netip.MustParseAddr(addr).As4()}}}
		if change != nil {
			change(&m)
		}
		p, _ := m.Pack()
		return [][]byte{p}
	}
}

// TestServersThatDoNotKeepTheCase are asked over TCP once, then without.
func TestServersThatDoNotKeepTheCase(t *testing.T) {
	h := &hostile{answer: gives("192.0.2.7", func(m *dnsmessage.Message) {
		m.Questions = []dnsmessage.Question{{Name: dnsmessage.MustNewName(strings.ToLower(m.Questions[0].Name.String())), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}}
	})}
	server := h.listen(t)
	n := &Net{}
	const name = "a-name-with-many-letters.example.org"
	for range 3 {
		m, err := n.Via("", netip.Addr{}).Ask(t.Context(), server, name, dns.TypeA)
		if err != nil || len(m.Records) != 1 {
			t.Fatal(m, err)
		}
	}
	if n.Sent() != 4 {
		t.Errorf("%d messages", n.Sent())
	}
}

func TestResolvers(t *testing.T) {
	deaf := netip.MustParseAddrPort("127.0.0.1:9")
	refusing := (&hostile{answer: gives("192.0.2.1", func(m *dnsmessage.Message) { m.RCode, m.Answers = dnsmessage.RCodeRefused, nil })}).listen(t)
	good := (&hostile{answer: gives("192.0.2.7", nil)}).listen(t)
	n := &Net{Resolvers: func() []netip.AddrPort { return []netip.AddrPort{deaf, refusing, good} }}
	m, who, err := n.Via("", netip.Addr{}).Resolve(t.Context(), "home.example.org", dns.TypeA)
	if err != nil || who != good.String() || m.Addr(&m.Records[0]) != netip.MustParseAddr("192.0.2.7") {
		t.Error(m, who, err)
	}
	n.Resolvers = func() []netip.AddrPort { return []netip.AddrPort{refusing} }
	if m, _, err := n.Via("", netip.Addr{}).Resolve(t.Context(), "home.example.org", dns.TypeA); err != nil || m.RCode() != dns.Refused {
		t.Error(m, err)
	}
	n.Resolvers = nil
	if _, _, err := n.Via("", netip.Addr{}).Resolve(t.Context(), "home.example.org", dns.TypeA); err != errNoResolver {
		t.Error(err)
	}
}

// TestResolverOverHTTPS: messages have the id 0, which caches can share.
func TestResolverOverHTTPS(t *testing.T) {
	n := &Net{URL: "https://dns.example.net/dns-query"}
	n.HTTPS = func(_ context.Context, _ string, _ netip.Addr, message []byte) ([]byte, error) {
		var q dnsmessage.Message
		if err := q.Unpack(message); err != nil || q.ID != 0 || !q.RecursionDesired {
			t.Error(q, err)
		}
		return gives("203.0.113.7", func(m *dnsmessage.Message) {
			if m.Authoritative = false; q.Questions[0].Name.String() == nonsense+"." {
				m.RCode, m.Answers = dnsmessage.RCodeNameError, nil
			}
		})(&q, message)[0], nil
	}
	blocked := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9")}
	f := Check{Name: "home.example.org", Type: dns.TypeA, Roots: blocked}.Run(t.Context(), n.Via("", netip.Addr{}))
	v, note := Judge(f, Expected{Want: "203.0.113.7", Age: time.Hour})
	if v != OK || !strings.Contains(note, "weaker, as only the resolver https://dns.example.net/dns-query could be asked: outgoing DNS is blocked") {
		t.Error(v, note)
	}
	for name, answer := range map[string]func(context.Context, string, netip.Addr, []byte) ([]byte, error){
		"error": func(context.Context, string, netip.Addr, []byte) ([]byte, error) {
			return nil, errors.New("HTTP status 500")
		},
		"garbage": func(context.Context, string, netip.Addr, []byte) ([]byte, error) { return []byte("<html>"), nil },
	} {
		n.HTTPS = answer
		f := Check{Name: "home.example.org", Type: dns.TypeA, Roots: blocked}.Run(t.Context(), n.Via("", netip.Addr{}))
		if v, note := Judge(f, Expected{Want: "203.0.113.7", Age: time.Hour}); v != Unverifiable {
			t.Error(name, v, note)
		}
	}
}

// TestSentencesAreBounded whatever names servers have.
func TestSentencesAreBounded(t *testing.T) {
	f := facts("198.51.100.9", "192.0.2.1", "192.0.2.2", "192.0.2.3", "SERVFAIL")
	for i := range f.Servers {
		f.Servers[i].Name = strings.Repeat("a", 240)
	}
	if _, note := Judge(f, Expected{Want: "203.0.113.7", Age: time.Hour}); len(note) > maxNote {
		t.Error(len(note))
	}
}
