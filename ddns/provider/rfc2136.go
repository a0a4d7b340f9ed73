package provider

import (
	"context"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// dnsUpdater is the account's part of family rfc2136: DNS UPDATE (RFC 2136)
// signed by TSIG (RFC 8945).
type dnsUpdater struct{ p *Provider }

// dnsFields are the keys of the account; of this family "server" is one like
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

func (p *Provider) withDNS() (*Provider, []FieldProblem) {
	p.transport = newTransport(p.opt)
	p.dns = &dnsUpdater{p}
	return p, nil
}

func (c *compiler) dnsUpdate() []FieldProblem { return c.problems }

func (u *dnsUpdater) group(updates []Update) [][]int    { return nil }
func (u *dnsUpdater) preview(updates []Update) []string { return nil }
func (u *dnsUpdater) send(ctx context.Context, from Origin, updates []Update) []Outcome {
	return u.p.all(updates, Outcome{Class: BadRequest})
}
func (u *dnsUpdater) remove(ctx context.Context, from Origin, updates []Update) []Outcome {
	return u.p.all(updates, Outcome{Class: BadRequest})
}
