package lab

import (
	"net/netip"
	"strings"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// Zone is the content of a DNS zone: addresses by name. It changes while
// servers serve it; each change raises its serial.
type Zone struct {
	Origin string   // "dyn.test"
	NS     []string // names of its servers; default "ns1." + Origin

	mu     sync.Mutex
	serial uint32
	hosts  map[string]*host // by canonical name
}

type host struct {
	v4, v6 []netip.Addr
	ttl    uint32 // seconds
}

// canonical is the lower-case name with the dot at its end.
func canonical(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) + "." }

// within says that a canonical name is the origin or below it.
func within(name, origin string) bool {
	return origin == "." || name == origin || strings.HasSuffix(name, "."+origin)
}

func (z *Zone) host(name string) *host {
	if z.hosts == nil {
		z.hosts = map[string]*host{}
	}
	h := z.hosts[canonical(name)]
	if h == nil {
		h = &host{ttl: 60}
		z.hosts[canonical(name)] = h
	}
	return h
}

// Set gives a name its address of one family, and says whether it is new. The
// name exists from then on.
func (z *Zone) Set(name string, addr netip.Addr) (changed bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	h := z.host(name)
	list := &h.v4
	if addr.Is6() {
		list = &h.v6
	}
	if len(*list) == 1 && (*list)[0] == addr {
		return false
	}
	*list = []netip.Addr{addr}
	z.serial++
	return true
}

// Clear takes a name's addresses of a family (4 or 6) away; the name stays.
func (z *Zone) Clear(name string, family int) {
	z.mu.Lock()
	defer z.mu.Unlock()
	h := z.host(name)
	if family == 4 {
		h.v4 = nil
	} else {
		h.v6 = nil
	}
	z.serial++
}

// Delete takes a name away.
func (z *Zone) Delete(name string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	delete(z.hosts, canonical(name))
	z.serial++
}

// Addrs returns a name's addresses of both families.
func (z *Zone) Addrs(name string) []netip.Addr {
	z.mu.Lock()
	defer z.mu.Unlock()
	h := z.hosts[canonical(name)]
	if h == nil {
		return nil
	}
	return append(append([]netip.Addr{}, h.v4...), h.v6...)
}

func canonicalOrigin(origin string) string {
	if origin == "." {
		return origin
	}
	return canonical(origin)
}

func (z *Zone) fill(reply *dnsmessage.Message, name string, question dnsmessage.Question) {
	origin := canonicalOrigin(z.Origin)
	servers := z.NS
	if len(servers) == 0 && origin != "." {
		servers = []string{"ns1." + origin}
	}
	add := func(list *[]dnsmessage.Resource, name string, ttl uint32, body dnsmessage.ResourceBody) {
		*list = append(*list, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(name), Class: dnsmessage.ClassINET, TTL: ttl},
			Body:   body,
		})
	}
	addresses := func(list *[]dnsmessage.Resource, name string, kind dnsmessage.Type) {
		h := z.hosts[canonical(name)]
		if h == nil {
			return
		}
		if kind == dnsmessage.TypeA || kind == dnsmessage.TypeALL {
			for _, a := range h.v4 {
				add(list, name, h.ttl, &dnsmessage.AResource{A: a.As4()})
			}
		}
		if kind == dnsmessage.TypeAAAA || kind == dnsmessage.TypeALL {
			for _, a := range h.v6 {
				add(list, name, h.ttl, &dnsmessage.AAAAResource{AAAA: a.As16()})
			}
		}
	}
	soa := func(list *[]dnsmessage.Resource) {
		first := origin
		if len(servers) > 0 {
			first = canonical(servers[0])
		}
		contact := "hostmaster." + strings.TrimPrefix(origin, ".")
		add(list, origin, 60, &dnsmessage.SOAResource{NS: dnsmessage.MustNewName(first), MBox: dnsmessage.MustNewName(contact),
			Serial: z.serial, Refresh: 3600, Retry: 600, Expire: 86400, MinTTL: 60})
	}
	asked := question.Name.String() // as it was written, case included
	addresses(&reply.Answers, asked, question.Type)
	if name == origin && (question.Type == dnsmessage.TypeNS || question.Type == dnsmessage.TypeALL) {
		for _, n := range servers {
			add(&reply.Answers, asked, 3600, &dnsmessage.NSResource{NS: dnsmessage.MustNewName(canonical(n))})
			addresses(&reply.Additionals, canonical(n), dnsmessage.TypeALL)
		}
	}
	if name == origin && (question.Type == dnsmessage.TypeSOA || question.Type == dnsmessage.TypeALL) {
		soa(&reply.Answers)
	}
	if len(reply.Answers) > 0 {
		return
	}
	soa(&reply.Authorities)
	if name == origin {
		return
	}
	for known := range z.hosts { // a name above an existing one exists too
		if within(known, name) {
			return
		}
	}
	reply.RCode = dnsmessage.RCodeNameError
}
