// Package dnsworld is a DNS of values for tests: servers by address, their zones
// and faults, asked through calls in place of sockets, in virtual time if need
// be. Its answers are packed by another library than ours and go through our
// parser. It reaches no binary.
package dnsworld

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/wanbeacon/wanbeacon/ddns/dns"
)

// World is a DNS of values: what is at which address. Answers are packed by
// another library and go through the real parser.
type World struct {
	mu       sync.Mutex
	hosts    map[string]*host // by address
	Asked    []string         // "address name TYPE"
	Resolver func(name string, typ uint16) ([]string, dnsmessage.RCode, error)
	Answer   func(server netip.Addr, q dnsmessage.Question, m *dnsmessage.Message) error // changes an answer, if it is not nil
}

// host is a name server: its zones, by name, each with its records by "name
// TYPE", and its faults.
type host struct {
	zones map[string]Records
	mode  string // "silent", "servfail", "refused", "lame", "noglue", "forward"
}

type Records map[string][]string

func New() *World { return &World{hosts: map[string]*host{}} }

// zone puts a zone on servers, given by address.
func (w *World) Zone(origin string, r Records, servers ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range servers {
		if w.hosts[s] == nil {
			w.hosts[s] = &host{zones: map[string]Records{}}
		}
		w.hosts[s].zones[origin] = r
	}
}

func (w *World) Mode(mode string, servers ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range servers {
		if w.hosts[s] == nil {
			w.hosts[s] = &host{}
		}
		w.hosts[s].mode = mode
	}
}

func (w *World) Count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.Asked)
}

var ErrSilent = errors.New("no answer")

func full(name string) dnsmessage.Name {
	n, err := dnsmessage.NewName(name + ".")
	if err != nil {
		panic(err)
	}
	return n
}

func Resource(name, typ, value string) dnsmessage.Resource {
	r := dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: full(name), Class: dnsmessage.ClassINET, TTL: 60}}
	switch typ {
	case "A":
		r.Body = &dnsmessage.AResource{A: netip.MustParseAddr(value).As4()}
	case "AAAA":
		r.Body = &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr(value).As16()}
	case "NS":
		r.Body = &dnsmessage.NSResource{NS: full(value)}
	case "CNAME":
		r.Body = &dnsmessage.CNAMEResource{CNAME: full(value)}
	case "DNAME":
		w := dns.Writer{}
		w.Name(value)
		r.Body = &dnsmessage.UnknownResource{Type: dnsmessage.Type(dns.TypeDNAME), Data: w.Buf}
	}
	return r
}

var typeNames = map[uint16]string{dns.TypeA: "A", dns.TypeAAAA: "AAAA", dns.TypeNS: "NS", dns.TypeCNAME: "CNAME"}

func (w *World) Ask(_ context.Context, server netip.AddrPort, name string, typ uint16) (*dns.Message, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Asked = append(w.Asked, server.Addr().String()+" "+name+" "+typeNames[typ])
	h := w.hosts[server.Addr().String()]
	m := &dnsmessage.Message{Header: dnsmessage.Header{Response: true}}
	q := dnsmessage.Question{Name: full(name), Type: dnsmessage.Type(typ), Class: dnsmessage.ClassINET}
	if name == "" {
		q.Name = dnsmessage.MustNewName(".")
	}
	m.Questions = []dnsmessage.Question{q}
	if w.Answer != nil {
		if err := w.Answer(server.Addr(), q, m); err != nil {
			return nil, err
		}
		if m.RCode != 0 || m.Authoritative || len(m.Answers)+len(m.Authorities) > 0 {
			return packed(m)
		}
	}
	switch {
	case h == nil || h.mode == "silent":
		return nil, ErrSilent
	case h.mode == "servfail":
		m.RCode = dnsmessage.RCodeServerFailure
	case h.mode == "refused":
		m.RCode = dnsmessage.RCodeRefused
	case h.mode == "lame":
	default:
		h.fill(m, name, typeNames[typ])
	}
	return packed(m)
}

func packed(m *dnsmessage.Message) (*dns.Message, error) {
	packet, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return dns.Parse(packet)
}

func (h *host) fill(m *dnsmessage.Message, name, typ string) {
	origin, found := "", false
	for z := range h.zones {
		if dns.InZone(name, z) && (!found || len(z) > len(origin)) {
			origin, found = z, true
		}
	}
	if !found {
		m.RCode = dnsmessage.RCodeRefused
		return
	}
	zone := h.zones[origin]
	for cut := name; len(cut) > len(origin); cut = parent(cut) {
		if servers := zone[cut+" NS"]; servers != nil {
			for _, s := range servers {
				m.Authorities = append(m.Authorities, Resource(cut, "NS", s))
				if h.mode == "noglue" {
					continue
				}
				for _, t := range []string{"A", "AAAA"} {
					for _, a := range zone[s+" "+t] {
						m.Additionals = append(m.Additionals, Resource(s, t, a))
					}
				}
			}
			return
		}
	}
	m.Authoritative = true
	exists := name == origin
	for key := range zone {
		owner, _, _ := strings.Cut(key, " ")
		exists = exists || dns.InZone(owner, name)
	}
	owner := name
	if wild := "*." + parent(name); !exists && zone[wild+" A"] != nil {
		owner, exists = wild, true
	}
	for _, v := range zone[owner+" "+typ] {
		m.Answers = append(m.Answers, Resource(name, typ, v))
	}
	for _, v := range zone[owner+" CNAME"] {
		if typ != "CNAME" {
			m.Answers = append(m.Answers, Resource(name, "CNAME", v))
			for _, a := range zone[v+" "+typ] {
				m.Answers = append(m.Answers, Resource(v, typ, a))
			}
			exists = true
		}
	}
	for up := parent(name); len(up) > len(origin); up = parent(up) {
		for _, v := range zone[up+" DNAME"] {
			m.Answers = append(m.Answers, Resource(up, "DNAME", v))
			exists = true
		}
	}
	if len(m.Answers) == 0 {
		soa := dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: full(origin), Class: dnsmessage.ClassINET, TTL: 60},
			Body: &dnsmessage.SOAResource{NS: full("ns." + origin), MBox: full("hostmaster." + origin)}}
		if origin == "" {
			soa.Header.Name = dnsmessage.MustNewName(".")
			soa.Body = &dnsmessage.SOAResource{NS: full("a.root"), MBox: full("h.root")}
		}
		m.Authorities = append(m.Authorities, soa)
		if !exists {
			m.RCode = dnsmessage.RCodeNameError
		}
	}
}

func (w *World) Resolve(_ context.Context, name string, typ uint16) (*dns.Message, string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Asked = append(w.Asked, "resolver "+name+" "+typeNames[typ])
	if w.Resolver == nil {
		return nil, "192.0.2.53", ErrSilent
	}
	values, rcode, err := w.Resolver(name, typ)
	if err != nil {
		return nil, "192.0.2.53", err
	}
	m := &dnsmessage.Message{Header: dnsmessage.Header{Response: true, RecursionAvailable: true, RCode: rcode}}
	m.Questions = []dnsmessage.Question{{Name: full(name), Type: dnsmessage.Type(typ), Class: dnsmessage.ClassINET}}
	for _, v := range values {
		m.Answers = append(m.Answers, Resource(name, typeNames[typ], v))
	}
	p, err := packed(m)
	return p, "192.0.2.53", err
}

// roots of the test world.
var Roots = []netip.AddrPort{netip.MustParseAddrPort("11.0.0.1:53")}

const Home = "203.0.113.7"

// Usual is a root, two top-level domains, and example.org at five servers
// of example.net, whose glue is at net's servers alone.
func Usual() *World {
	w := New()
	w.Zone("", Records{
		"org NS": {"a.nic.org"}, "a.nic.org A": {"11.0.1.1"}, "net NS": {"a.nic.net", "b.nic.net"}, "a.nic.net A": {"11.0.1.2"}, "b.nic.net A": {"11.0.1.3"},
	}, "11.0.0.1")
	five := []string{"ns1.example.net", "ns2.example.net", "ns3.example.net", "ns4.example.net", "ns5.example.net"}
	w.Zone("org", Records{"example.org NS": five, "a.nic.org A": {"11.0.1.1"}}, "11.0.1.1")
	addrs := Records{
		"ns1.example.net A": {"11.0.2.1"}, "ns2.example.net A": {"11.0.2.2"}, "ns3.example.net A": {"11.0.2.3"},
		"ns4.example.net A": {"11.0.2.4"}, "ns5.example.net A": {"11.0.2.5"}, "ns5.example.net AAAA": {"2a00:db8::5"},
	}
	net := Records{"example.net NS": five[:2]}
	own := Records{"example.net NS": five[:2]}
	for k, v := range addrs {
		net[k], own[k] = v, v
	}
	w.Zone("net", net, "11.0.1.2", "11.0.1.3")
	w.Zone("example.net", own, "11.0.2.1", "11.0.2.2")
	w.Zone("example.org", Records{
		"example.org NS": five, "home.example.org A": {Home}, "home.example.org AAAA": {"2a00:db8::7"},
	}, "11.0.2.1", "11.0.2.2", "11.0.2.3", "11.0.2.4", "11.0.2.5")
	return w
}

// set changes a record on servers of example.org.
func (w *World) Set(key string, values []string, servers ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range servers {
		fresh := Records{}
		for k, v := range w.hosts[s].zones["example.org"] {
			fresh[k] = v
		}
		fresh[key] = values
		if values == nil {
			delete(fresh, key)
		}
		w.hosts[s].zones["example.org"] = fresh
	}
}

// Five are the addresses of the servers of example.org.
var Five = []string{"11.0.2.1", "11.0.2.2", "11.0.2.3", "11.0.2.4", "11.0.2.5"}

// parent is the name without its first label.
func parent(name string) string {
	_, rest, _ := strings.Cut(name, ".")
	return rest
}
