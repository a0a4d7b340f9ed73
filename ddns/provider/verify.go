package provider

import "net/netip"

// Unverifiable says why the DNS cannot confirm what this account publishes;
// "": it can.
func (p *Provider) Unverifiable() string {
	if p.def.DNS.Unverifiable != "" {
		return p.def.DNS.Unverifiable
	}
	if p.fields[proxiedKey] == "true" {
		return "proxied: the DNS gives the addresses of the provider's proxy in place of yours"
	}
	return ""
}

// proxiedKey is the field of accounts whose records stand for a proxy.
const proxiedKey = "proxied"

// NameServers are the system's, as resolv.conf has them now.
func NameServers() []netip.AddrPort { return nameservers("/etc/resolv.conf", 53) }
