package provider

import (
	"errors"
	"fmt"
	"strings"

	"github.com/wanbeacon/wanbeacon/ddns/dns"
)

// CheckHost says what is wrong with a hostname for this provider; nil: nothing.
func (p *Provider) CheckHost(hostname string) error {
	host := strings.TrimSuffix(hostname, ".")
	rest := host
	if after, ok := strings.CutPrefix(host, "*."); ok {
		if !p.def.Hosts.Wildcard {
			return fmt.Errorf("%s has no wildcard names", p.def.Title)
		}
		rest = after
	}
	if err := checkName(rest); err != nil {
		return err
	}
	zone, strict := p.zone()
	if !strings.Contains(rest, ".") {
		if zone != "" && !strict {
			return fmt.Errorf("%q is not a full hostname; did you mean %q?", hostname, hostname+"."+zone)
		}
		return fmt.Errorf("%q is not a full hostname", hostname)
	}
	if strict && zone != "" && !dns.InZone(host, zone) {
		return fmt.Errorf("%q is not in the zone %q of this provider", hostname, zone)
	}
	return nil
}

// checkName checks the form of a hostname (RFC 1123 section 2.1, with "_").
func checkName(name string) error {
	if len(name) > 253 {
		return errors.New("a hostname has at most 253 characters")
	}
	for _, label := range strings.Split(name, ".") {
		if label == "" {
			return fmt.Errorf("%q has an empty part between dots", name)
		}
		if len(label) > 63 {
			return fmt.Errorf("%q has a part of more than 63 characters", name)
		}
		for _, c := range []byte(label) {
			if c >= 0x80 {
				return fmt.Errorf("%q: write international names in their ASCII form, xn--…", name)
			}
			if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
				return fmt.Errorf("%q has the character %q, which hostnames cannot have", name, c)
			}
		}
		if label[0] == '-' || label[len(label)-1] == '-' {
			return fmt.Errorf("%q has a part that begins or ends with \"-\"", name)
		}
	}
	return nil
}

// zone returns the zone that {zone} stands for; strict: hostnames must be in
// it, since the user named it.
func (p *Provider) zone() (zone string, strict bool) {
	f := &p.def.forms
	zone = f.zone.expand(func(key string) string { return p.fields[key] }, escapeNone)
	return strings.ToLower(strings.Trim(zone, ".")), f.userZone
}

// relative is host without the zone: apex for the zone itself, and host as it
// is when it is elsewhere.
func relative(host, zone, apex string) string {
	switch {
	case zone == "" || !dns.InZone(host, zone):
		return host
	case len(host) == len(zone):
		return apex
	}
	return host[:len(host)-len(zone)-1]
}
