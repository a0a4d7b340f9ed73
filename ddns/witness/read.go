package witness

import (
	"sort"
	"strings"

	"net/netip"

	"github.com/wanbeacon/wanbeacon/ddns/dns"
)

const (
	maxServers = 13 // names of one delegation that are used
	maxGlue    = 4  // addresses of one of them
	maxValues  = 32 // of an answer
	maxInside  = 8  // CNAMEs that one answer is followed along
)

// reading is what an answer of an authoritative server says.
type reading struct {
	said   Reply
	values []string
	next   string // where CNAME or DNAME leads, when the answer has not the end
	chain  []string

	zone      *zone // of a referral; nil: it is none
	recursive bool  // the server offers recursion
	noPath    bool  // there is no way to the server: Silent
}

// zone is a delegation with the addresses that came with it.
type zone struct {
	name    string
	servers []string                // sorted
	glue    map[string][]netip.Addr // by server
	above   *zone                   // its parent; nil: the root
	claimed bool                    // a root server said so with authority, which is not its own to claim
}

// read reads the answer of a server of a zone to a question. What lies outside
// of the zone is not the server's to say and is ignored.
func read(m *dns.Message, from, name string, typ uint16) reading {
	switch m.RCode() {
	case 0, dns.NXDomain:
	case dns.ServFail:
		return reading{said: ServFail}
	case dns.Refused, dns.NotAuth:
		return reading{said: Refused}
	default:
		return reading{said: Garbage}
	}
	r := reading{}
	answers, negative := false, false
	for i := range m.Records {
		answers = answers || m.Records[i].Section == dns.SectionAnswer
		if rr := &m.Records[i]; rr.Type == dns.TypeSOA && rr.Section == dns.SectionAuthority && dns.InZone(name, rr.Name) {
			negative = true
		}
	}
	if m.RCode() == 0 && !negative && (!answers || typ == dns.TypeNS && m.Flags&dns.FlagAuthoritative != 0) {
		// Some servers set AA on referrals.
		if r.zone = referral(m, from, name, answers); r.zone != nil {
			r.zone.claimed = from == "" && m.Flags&dns.FlagAuthoritative != 0
			return r
		}
	}
	if m.Flags&dns.FlagAuthoritative == 0 {
		r.said = Lame
		return r
	}
	r.follow(m, from, name, typ)
	switch {
	case r.next != "":
		r.said = Values
	case len(r.values) > 0:
		r.said = Values
	case m.RCode() == dns.NXDomain:
		r.said = NoName
	default:
		r.said = NoData
	}
	return r
}

// follow collects the values of a name, along the CNAMEs within the answer and
// the zone.
func (r *reading) follow(m *dns.Message, from, name string, typ uint16) {
	for range maxInside {
		var leads string
		for i := range m.Records {
			rr := &m.Records[i]
			if rr.Section != dns.SectionAnswer || rr.Class != dns.ClassIN {
				continue
			}
			switch {
			case rr.Name == name && rr.Type == typ:
				if v := value(m, rr); v != "" && len(r.values) < maxValues {
					r.values = append(r.values, v)
				}
			case rr.Name == name && rr.Type == dns.TypeCNAME:
				leads, _ = m.Target(rr)
			case rr.Type == dns.TypeDNAME && leads == "" && rr.Name != name && rr.Name != "" && dns.InZone(name, rr.Name):
				if to, ok := m.Target(rr); ok && to != "" { // RFC 6672 section 2.2
					leads = name[:len(name)-len(rr.Name)] + to
				}
			}
		}
		if len(r.values) > 0 || leads == "" {
			sort.Sort(sort.StringSlice(r.values))
			if len(r.values) > 0 {
				r.next = ""
			}
			return
		}
		r.chain = append(r.chain, leads)
		r.next = leads
		if !dns.InZone(leads, from) {
			return
		}
		name = leads
	}
}

// value is a record's data as text; "": it has none that makes sense.
func value(m *dns.Message, rr *dns.Record) string {
	switch rr.Type {
	case dns.TypeA, dns.TypeAAAA:
		if a := m.Addr(rr); a.IsValid() {
			return a.String()
		}
	case dns.TypeCNAME, dns.TypeNS:
		if name, ok := m.Target(rr); ok {
			return name
		}
	}
	return ""
}

// referral reads the delegation of a zone below from, and on the way to name.
// Of an answer to a question for NS the records may be in the answer.
func referral(m *dns.Message, from, name string, answers bool) *zone {
	section := dns.SectionAuthority
	if answers {
		section = dns.SectionAnswer
	}
	var z *zone
	for i := range m.Records {
		rr := &m.Records[i]
		if rr.Section != section || rr.Type != dns.TypeNS || rr.Class != dns.ClassIN ||
			len(rr.Name) <= len(from) || !dns.InZone(rr.Name, from) || !dns.InZone(name, rr.Name) {
			continue
		}
		server, ok := m.Target(rr)
		if z == nil {
			z = &zone{name: rr.Name, glue: map[string][]netip.Addr{}}
		}
		if _, twice := z.glue[server]; !ok || twice || z.name != rr.Name || dns.CheckName(server) != nil || len(z.servers) == maxServers {
			continue
		}
		z.servers = append(z.servers, server)
		z.glue[server] = nil
	}
	if z == nil || len(z.servers) == 0 {
		return nil
	}
	sort.Sort(sort.StringSlice(z.servers))
	for i := range m.Records {
		rr := &m.Records[i]
		list, known := z.glue[rr.Name]
		if rr.Section != dns.SectionAdditional || !known || !dns.InZone(rr.Name, from) || len(list) == maxGlue {
			continue
		}
		if a := m.Addr(rr); a.IsValid() {
			z.glue[rr.Name] = append(list, a)
		}
	}
	return z
}

// parentOf is the name without its first label.
func parentOf(name string) string {
	_, rest, _ := strings.Cut(name, ".")
	return rest
}

// lastLabel is the name's top-level domain.
func lastLabel(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }
