package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// CanCNAME reports whether SetCNAME can work.
func (p *Provider) CanCNAME() bool { return p.def.Record.CNAME }

// CheckCNAME is CheckHost for what is to be an alias.
func (p *Provider) CheckCNAME(hostname string) error {
	if zone, _ := p.zone(); zone != "" && strings.TrimSuffix(hostname, ".") == zone {
		return fmt.Errorf("%q is the zone itself, whose other records a CNAME cannot be beside (RFC 1034 section 3.6.2); take a name in it", hostname)
	}
	return p.CheckHost(hostname)
}

// SetCNAME makes hostname an alias of target, in place of the target it had.
// It fails where the protocol cannot write CNAME. ttl 0: the provider's default.
func (p *Provider) SetCNAME(ctx context.Context, from Origin, hostname, target string, ttl time.Duration) Outcome {
	if p.dns != nil {
		return p.dns.setCNAME(ctx, from, hostname, target, ttl)
	}
	if !p.CanCNAME() {
		return Outcome{Class: BadRequest, Text: p.masker.own(p.def.Title + " cannot write CNAME")}
	}
	u := Update{Hostname: hostname, Family: config.IPv4, TTL: ttl}
	target = strings.ToLower(strings.TrimSuffix(target, "."))
	if p.def.Family == "steps" {
		return p.runSteps(ctx, from, u, "update", "CNAME", target)
	}
	return p.send(ctx, from, []Update{u}, func(updates []Update, show bool) (*request, error) {
		value := p.values(updates, config.IPv4, show)
		form := &p.def.forms
		return p.assemble(requestParts{
			method: p.def.CNAME.Method, url: form.cname, body: form.cnameBody, contentType: p.def.Request.ContentType, headers: form.headers,
		}, func(t template, escape func(key, value string) string) string {
			return t.expand(func(key string) string {
				switch key {
				case targetKey:
					return target
				case "type":
					return "CNAME"
				}
				return value(key)
			}, escape)
		}, show)
	})[0]
}

// targetKey is the placeholder that templates of [cname] alone have.
const targetKey = "target"

// cname compiles the table [cname].
func (c *compiler) cname(f *forms) {
	form := &c.def.CNAME
	if !c.def.Record.CNAME {
		if *form != (CNAMEForm{}) {
			c.problem("cname", "without record.cname = true it is never used")
		}
		return
	}
	if form.Method == "" {
		form.Method = c.def.Request.Method
	}
	if form.URL == "" {
		form.URL = c.def.URL.IPv4
	}
	if !slices.Contains(methods, form.Method) {
		c.problem("cname.method", "%q is none of %s", form.Method, strings.Join(methods, ", "))
	}
	c.picks[targetKey] = true
	f.cname, f.cnameBody = c.url("cname.url", form.URL), c.template("cname.body", form.Body)
	delete(c.picks, targetKey)
	if !f.cname.uses(targetKey) && !f.cnameBody.uses(targetKey) {
		c.problem("cname", "{target} is missing in url and body")
	}
}
