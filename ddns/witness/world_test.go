package witness

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/wanbeacon/wanbeacon/ddns/dns"
)

// world is a DNS of values: what is at which address. Answers are packed by
// another library and go through the real parser.
type world struct {
	mu       sync.Mutex
	hosts    map[string]*host // by address
	asked    []string         // "address name TYPE"
	resolver func(name string, typ uint16) ([]string, dnsmessage.RCode, error)
	answer   func(server netip.Addr, q dnsmessage.Question, m *dnsmessage.Message) error // changes an answer, if it is not nil
}

// host is a name server: its zones, by name, each with its records by "name
// TYPE", and its faults.
type host struct {
	zones map[string]records
	mode  string // "silent", "servfail", "refused", "lame", "noglue", "forward"
}

type records map[string][]string

func newWorld() *world { return &world{hosts: map[string]*host{}} }

// zone puts a zone on servers, given by address.
func (w *world) zone(origin string, r records, servers ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range servers {
		if w.hosts[s] == nil {
			w.hosts[s] = &host{zones: map[string]records{}}
		}
		w.hosts[s].zones[origin] = r
	}
}

func (w *world) mode(mode string, servers ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range servers {
		if w.hosts[s] == nil {
			w.hosts[s] = &host{}
		}
		w.hosts[s].mode = mode
	}
}

func (w *world) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.asked)
}

var errSilent = errors.New("no answer")

func full(name string) dnsmessage.Name {
	n, err := dnsmessage.NewName(name + ".")
	if err != nil {
		panic(err)
	}
	return n
}

func resource(name, typ, value string) dnsmessage.Resource {
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

func (w *world) Ask(_ context.Context, server netip.AddrPort, name string, typ uint16) (*dns.Message, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, server.Addr().String()+" "+name+" "+typeNames[typ])
	h := w.hosts[server.Addr().String()]
	m := &dnsmessage.Message{Header: dnsmessage.Header{Response: true}}
	q := dnsmessage.Question{Name: full(name), Type: dnsmessage.Type(typ), Class: dnsmessage.ClassINET}
	if name == "" {
		q.Name = dnsmessage.MustNewName(".")
	}
	m.Questions = []dnsmessage.Question{q}
	if w.answer != nil {
		if err := w.answer(server.Addr(), q, m); err != nil {
			return nil, err
		}
		if m.RCode != 0 || m.Authoritative || len(m.Answers)+len(m.Authorities) > 0 {
			return packed(m)
		}
	}
	switch {
	case h == nil || h.mode == "silent":
		return nil, errSilent
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
	for cut := name; len(cut) > len(origin); cut = parentOf(cut) {
		if servers := zone[cut+" NS"]; servers != nil {
			for _, s := range servers {
				m.Authorities = append(m.Authorities, resource(cut, "NS", s))
				if h.mode == "noglue" {
					continue
				}
				for _, t := range []string{"A", "AAAA"} {
					for _, a := range zone[s+" "+t] {
						m.Additionals = append(m.Additionals, resource(s, t, a))
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
	if wild := "*." + parentOf(name); !exists && zone[wild+" A"] != nil {
		owner, exists = wild, true
	}
	for _, v := range zone[owner+" "+typ] {
		m.Answers = append(m.Answers, resource(name, typ, v))
	}
	for _, v := range zone[owner+" CNAME"] {
		if typ != "CNAME" {
			m.Answers = append(m.Answers, resource(name, "CNAME", v))
			for _, a := range zone[v+" "+typ] {
				m.Answers = append(m.Answers, resource(v, typ, a))
			}
			exists = true
		}
	}
	for up := parentOf(name); len(up) > len(origin); up = parentOf(up) {
		for _, v := range zone[up+" DNAME"] {
			m.Answers = append(m.Answers, resource(up, "DNAME", v))
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

func (w *world) Resolve(_ context.Context, name string, typ uint16) (*dns.Message, string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, "resolver "+name+" "+typeNames[typ])
	if w.resolver == nil {
		return nil, "192.0.2.53", errSilent
	}
	values, rcode, err := w.resolver(name, typ)
	if err != nil {
		return nil, "192.0.2.53", err
	}
	m := &dnsmessage.Message{Header: dnsmessage.Header{Response: true, RecursionAvailable: true, RCode: rcode}}
	m.Questions = []dnsmessage.Question{{Name: full(name), Type: dnsmessage.Type(typ), Class: dnsmessage.ClassINET}}
	for _, v := range values {
		m.Answers = append(m.Answers, resource(name, typeNames[typ], v))
	}
	p, err := packed(m)
	return p, "192.0.2.53", err
}

// roots of the test world.
var testRoots = []netip.AddrPort{netip.MustParseAddrPort("11.0.0.1:53")}

const home = "203.0.113.7"

// usualWorld is a root, two top-level domains, and example.org at five servers
// of example.net, whose glue is at net's servers alone.
func usualWorld() *world {
	w := newWorld()
	w.zone("", records{
		"org NS": {"a.nic.org"}, "a.nic.org A": {"11.0.1.1"}, "net NS": {"a.nic.net", "b.nic.net"}, "a.nic.net A": {"11.0.1.2"}, "b.nic.net A": {"11.0.1.3"},
	}, "11.0.0.1")
	five := []string{"ns1.example.net", "ns2.example.net", "ns3.example.net", "ns4.example.net", "ns5.example.net"}
	w.zone("org", records{"example.org NS": five, "a.nic.org A": {"11.0.1.1"}}, "11.0.1.1")
	addrs := records{
		"ns1.example.net A": {"11.0.2.1"}, "ns2.example.net A": {"11.0.2.2"}, "ns3.example.net A": {"11.0.2.3"},
		"ns4.example.net A": {"11.0.2.4"}, "ns5.example.net A": {"11.0.2.5"}, "ns5.example.net AAAA": {"2a00:db8::5"},
	}
	net := records{"example.net NS": five[:2]}
	own := records{"example.net NS": five[:2]}
	for k, v := range addrs {
		net[k], own[k] = v, v
	}
	w.zone("net", net, "11.0.1.2", "11.0.1.3")
	w.zone("example.net", own, "11.0.2.1", "11.0.2.2")
	w.zone("example.org", records{
		"example.org NS": five, "home.example.org A": {home}, "home.example.org AAAA": {"2a00:db8::7"},
	}, "11.0.2.1", "11.0.2.2", "11.0.2.3", "11.0.2.4", "11.0.2.5")
	return w
}

// set changes a record on servers of example.org.
func (w *world) set(key string, values []string, servers ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range servers {
		fresh := records{}
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
