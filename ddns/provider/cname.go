package provider

import (
	"context"
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// SetCNAME makes hostname an alias of target, in place of the target it had.
// It fails where the protocol cannot write CNAME. ttl 0: the provider's default.
func (p *Provider) SetCNAME(ctx context.Context, from Origin, hostname, target string, ttl time.Duration) Outcome {
	if p.dns != nil {
		return p.dns.setCNAME(ctx, from, hostname, target, ttl)
	}
	if p.def.Family != "steps" || !p.def.Record.CNAME {
		return Outcome{Class: BadRequest, Text: p.masker.own(p.def.Title + " cannot write CNAME")}
	}
	u := Update{Hostname: hostname, Family: config.IPv4, TTL: ttl}
	return p.runSteps(ctx, from, u, "update", "CNAME", strings.ToLower(strings.TrimSuffix(target, ".")))
}
