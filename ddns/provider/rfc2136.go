package provider

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/dns"
)

// dnsUpdater is an account of family rfc2136: DNS UPDATE (RFC 2136), signed by
// TSIG (RFC 8945). It replaces whole RRsets of the types A, AAAA and CNAME,
// and touches nothing else.
type dnsUpdater struct {
	p           *Provider
	dnsPlace             // as the account says; zone, host "": found by the SOA
	key         *tsigKey // nil: updates are not signed
	primaryPort uint16   // of servers that an SOA names
	unit        time.Duration
	now         func() time.Time

	mu     sync.Mutex
	places map[string]*dnsPlace // by hostname, of what was asked for
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
	u := &dnsUpdater{p: p, primaryPort: 53, unit: time.Second, now: time.Now, places: map[string]*dnsPlace{}}
	var problems []FieldProblem
	bad := func(key, message string) { problems = append(problems, FieldProblem{key, message}) }
	u.zone, _ = p.zone()
	if u.zone != "" && dns.CheckName(u.zone) != nil {
		bad("zone", "is not the name of a zone, such as \"example.org\"")
	}
	if !u.setServer(p.fields["server"]) {
		bad("server", "a name server is given as \"HOST\", \"HOST:PORT\" or \"[IPv6 address]:PORT\", without https://")
	}
	name, secret := strings.TrimSuffix(p.fields["key_name"], "."), p.fields["key_secret"]
	if name != "" || secret != "" {
		u.key = &tsigKey{name: strings.ToLower(name), alg: &tsigAlgorithms[0]}
		if dns.CheckName(name) != nil {
			bad("key_name", "is missing, or not a name that a key can have")
		}
		var err error
		if u.key.secret, err = tsigSecret(secret); err != nil || secret == "" {
			bad("key_secret", "is missing, or not in base64")
		}
		for i := range tsigAlgorithms {
			if tsigAlgorithms[i].name == p.fields["key_algorithm"] {
				u.key.alg = &tsigAlgorithms[i]
			}
		}
		if u.key.alg.weak && p.fields["allow_weak"] != "true" {
			bad("key_algorithm", "is weak: make a key of hmac-sha256, or allow it with allow_weak = true")
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	p.transport = newTransport(p.opt)
	p.dns = u
	return p, nil
}

// setServer reads HOST[:PORT], or nothing.
func (u *dnsUpdater) setServer(text string) bool {
	u.port = 53
	if a, err := netip.ParseAddrPort(text); err == nil {
		u.host, u.port = a.Addr().String(), a.Port()
		return u.port != 0
	}
	if a, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		u.host = a.String()
		return true
	}
	host, port, found := strings.Cut(strings.ToLower(text), ":")
	if found {
		u.port = parsePort(port)
	}
	u.host = strings.TrimSuffix(host, ".")
	return text == "" || u.port != 0 && checkName(u.host) == nil
}

// parsePort reads a port's number; 0: it is none.
func parsePort(s string) uint16 {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return 0
	}
	return uint16(n)
}

// group: one message takes both families and all hostnames, up to the maximum.
func (u *dnsUpdater) group(updates []Update) [][]int {
	var groups [][]int
	for i := range updates {
		if i%(2*u.p.def.Hosts.Maximum) == 0 {
			groups = append(groups, nil)
		}
		last := &groups[len(groups)-1]
		*last = append(*last, i)
	}
	return groups
}

func (u *dnsUpdater) send(ctx context.Context, from Origin, updates []Update) []Outcome {
	return u.apply(ctx, from, u.changes(updates, false))
}

func (u *dnsUpdater) remove(ctx context.Context, from Origin, updates []Update) []Outcome {
	return u.apply(ctx, from, u.changes(updates, true))
}

// changes are those that publish updates, or take them away.
func (u *dnsUpdater) changes(updates []Update, remove bool) []*dnsChange {
	changes := make([]*dnsChange, len(updates))
	for i := range updates {
		from := &updates[i]
		c := &dnsChange{name: strings.ToLower(from.Hostname), typ: dns.TypeA, ttl: u.ttl(from.TTL)}
		if from.Family == config.IPv6 {
			c.typ = dns.TypeAAAA
		}
		switch {
		case remove:
		default:
			if c.err = u.p.def.fits(from); c.err != nil {
				break
			}
			for _, a := range from.all() {
				c.data = append(c.data, a.Unmap().AsSlice())
			}
		}
		changes[i] = c
	}
	return changes
}

// ttl is what records get, in seconds.
func (u *dnsUpdater) ttl(d time.Duration) uint32 {
	form := &u.p.def.Record
	if d <= 0 {
		d = time.Duration(form.TTL)
	}
	if d <= 0 {
		d = time.Minute
	}
	return uint32(min(max(d, time.Duration(form.MinTTL))/time.Second, 1<<31-1))
}

// preview has one line for each RRset.
func (u *dnsUpdater) preview(updates []Update) []string {
	lines := make([]string, len(updates))
	for i, c := range u.changes(updates, false) {
		typ := "A"
		if c.typ == dns.TypeAAAA {
			typ = "AAAA"
		}
		lines[i] = u.p.masker.own(fmt.Sprintf("DNS UPDATE to %s, zone %s: %s %d IN %s %s",
			cmp.Or(u.host, "the primary server"), cmp.Or(u.zone, "by its SOA"), c.name, c.ttl, typ, listed(updates[i].all())))
	}
	return lines
}
