package provider

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

const dnsPort = 53

// dnsUpdater is an account of family rfc2136: DNS UPDATE (RFC 2136), signed by
// TSIG (RFC 8945). It replaces whole RRsets of the types A, AAAA and CNAME,
// and touches nothing else.
type dnsUpdater struct {
	p      *Provider
	server dnsPeer  // host "": the primary server that the SOA names
	zone   string   // "": found by the SOA
	key    *tsigKey // nil: updates are not signed
	unit   time.Duration
	now    func() time.Time

	mu     sync.Mutex
	places map[string]dnsPlace // by hostname, of what was asked for
	note   string              // of the transport, for the next outcome
}

// dnsFields are the keys of an account; in this family "server" is one like
// the others: it is no URL.
func dnsFields(def *Definition, acct config.Provider) map[string]config.Secret {
	if def.Family != "rfc2136" || acct.Server == "" {
		return acct.Fields
	}
	fields := map[string]config.Secret{"server": config.NewSecret(acct.Server)}
	for key, value := range acct.Fields {
		fields[key] = value
	}
	return fields
}

// dnsUpdate is compile for this family.
func (c *compiler) dnsUpdate() []FieldProblem {
	d := c.def
	if d.Title == "" {
		c.problem("title", "missing")
	}
	if d.URL != (URLs{}) {
		c.problem("url", "not in family \"rfc2136\", which has the account's key server")
	}
	if d.Hosts.Maximum == 0 {
		d.Hosts.Maximum = 100
	}
	d.Hosts.Families = "may"
	d.forms = forms{zone: c.template("hosts.zone", d.Hosts.Zone)}
	d.forms.userZone = d.forms.zone.uses(keysOf(c.keys)...)
	return c.problems
}

// withDNS completes a provider of this family.
func (p *Provider) withDNS() (*Provider, []FieldProblem) {
	u := &dnsUpdater{p: p, unit: time.Second, now: time.Now, places: map[string]dnsPlace{}}
	var problems []FieldProblem
	bad := func(key, message string) { problems = append(problems, FieldProblem{key, message}) }
	u.zone, _ = p.zone()
	if u.zone != "" && checkDNSName(u.zone) != nil {
		bad("zone", "is not the name of a zone, such as \"example.org\"")
	}
	var ok bool
	if u.server, ok = parseDNSPeer(p.fields["server"]); !ok {
		bad("server", "a name server is given as \"HOST\", \"HOST:PORT\" or \"[IPv6 address]:PORT\", with no https://")
	}
	name, secret := strings.TrimSuffix(p.fields["key_name"], "."), p.fields["key_secret"]
	switch {
	case name == "" && secret == "":
	case name == "":
		bad("key_name", "missing: key_secret is there")
	case secret == "":
		bad("key_secret", "missing: key_name is there")
	default:
		u.key = &tsigKey{name: strings.ToLower(name)}
		if checkDNSName(name) != nil {
			bad("key_name", "is not a name that a key can have")
		}
		var err error
		if u.key.secret, err = tsigSecret(secret); err != nil || len(u.key.secret) == 0 {
			bad("key_secret", "is not in base64")
		}
		for i := range tsigAlgorithms {
			if a := &tsigAlgorithms[i]; a.name == p.fields["key_algorithm"] {
				u.key.alg = a
			}
		}
		if u.key.alg == nil {
			u.key.alg = &tsigAlgorithms[0]
		}
		if u.key.alg.weak && p.fields["allow_weak"] != "true" {
			bad("key_algorithm", u.key.alg.name+" is weak: make a key of hmac-sha256, or allow it with allow_weak = true")
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	p.transport = newTransport(p.opt)
	p.dns = u
	return p, nil
}

// parseDNSPeer reads HOST[:PORT]; "" is the zero peer.
func parseDNSPeer(text string) (dnsPeer, bool) {
	if text == "" {
		return dnsPeer{}, true
	}
	host, port := text, ""
	if a, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return dnsPeer{a.String(), dnsPort}, true
	}
	if i := strings.LastIndexByte(text, ':'); i >= 0 {
		host, port = text[:i], text[i+1:]
		if parsePort(port) == 0 {
			return dnsPeer{}, false
		}
	}
	if bare, ok := strings.CutPrefix(host, "["); ok {
		a, err := netip.ParseAddr(strings.TrimSuffix(bare, "]"))
		return dnsPeer{a.String(), parsePort(port)}, err == nil && a.Is6() && strings.HasSuffix(host, "]")
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	peer := dnsPeer{host, dnsPort}
	if port != "" {
		peer.port = parsePort(port)
	}
	return peer, checkName(host) == nil
}

// parsePort reads a port's number; 0: it is none.
func parsePort(s string) uint16 {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return 0
	}
	return uint16(n)
}

// dnsChange replaces one RRset, or takes it away.
type dnsChange struct {
	name    string
	typ     uint16
	data    []byte // of the new record; nil: none
	ttl     uint32
	without []uint16 // only if there are no records of these types
	err     error    // why it cannot be sent
}

// group: one message takes both families and all hostnames, up to the maximum.
func (u *dnsUpdater) group(updates []Update) [][]int {
	var groups [][]int
	hosts := map[string]bool{}
	for i, update := range updates {
		if len(groups) == 0 || len(hosts) == u.p.def.Hosts.Maximum && !hosts[update.Hostname] {
			groups, hosts = append(groups, nil), map[string]bool{}
		}
		hosts[update.Hostname] = true
		groups[len(groups)-1] = append(groups[len(groups)-1], i)
	}
	return groups
}

func (u *dnsUpdater) send(ctx context.Context, from Origin, updates []Update) []Outcome {
	return u.apply(ctx, from, u.changes(updates))
}

func (u *dnsUpdater) remove(ctx context.Context, from Origin, updates []Update) []Outcome {
	changes := u.changes(updates)
	for i := range changes {
		changes[i].data, changes[i].err = nil, nil
	}
	return u.apply(ctx, from, changes)
}

// changes are those that publish updates.
func (u *dnsUpdater) changes(updates []Update) []dnsChange {
	changes := make([]dnsChange, len(updates))
	for i, update := range updates {
		c := &changes[i]
		c.name, c.typ, c.ttl = strings.ToLower(update.Hostname), typeA, u.ttl(update.TTL)
		if update.Family == config.IPv6 {
			c.typ = typeAAAA
		}
		if !update.Addr.IsValid() || config.FamilyOf(update.Addr) != update.Family {
			c.err = errEmptyAddress
			continue
		}
		c.data = update.Addr.Unmap().AsSlice()
	}
	return changes
}

// ttl is what records get, in seconds.
func (u *dnsUpdater) ttl(d time.Duration) uint32 {
	form := u.p.def.Record
	if d <= 0 {
		d = time.Duration(form.TTL)
	}
	if d <= 0 {
		d = time.Minute
	}
	return uint32(min(max(d, time.Duration(form.MinTTL)), 1<<31*time.Second-1) / time.Second)
}

// preview has one line for each RRset.
func (u *dnsUpdater) preview(updates []Update) []string {
	lines := make([]string, len(updates))
	for i, c := range u.changes(updates) {
		server, zone, typ := "the zone's primary server", u.zone, "A"
		if u.server.host != "" {
			server = u.server.String()
		}
		if zone == "" {
			zone = "of its SOA"
		}
		if c.typ == typeAAAA {
			typ = "AAAA"
		}
		if c.err != nil {
			lines[i] = u.p.masker.own(c.err.Error())
			continue
		}
		lines[i] = u.p.masker.mask(fmt.Sprintf("DNS UPDATE to %s, zone %s: %s %d IN %s %v", server, zone, c.name, c.ttl, typ, updates[i].Addr))
	}
	return lines
}
