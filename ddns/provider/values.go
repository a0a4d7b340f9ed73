package provider

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// values are what the placeholders of a request stand for.
type values struct {
	p          *Provider
	updates    []Update
	family     config.Family
	ipv4, ipv6 netip.Addr
	hosts      []string
	ttl        Duration
	show       bool // secrets masked
}

// values gives what the placeholders stand for. show: secrets masked.
func (p *Provider) values(updates []Update, family config.Family, show bool) func(key string) string {
	v := &values{p: p, updates: updates, family: family, ttl: p.def.Record.TTL, show: show}
	for i := range updates {
		u := &updates[i]
		set(&v.ipv4, &v.ipv6, *u)
		if i == 0 || u.Hostname != updates[i-1].Hostname {
			v.hosts = append(v.hosts, u.Hostname)
		}
		if u.TTL > 0 {
			v.ttl = Duration(u.TTL)
		}
	}
	if p.def.Hosts.Families == "must" && len(updates) > 0 {
		if other := updates[0].Other; other.IsValid() {
			if !v.ipv4.IsValid() {
				v.ipv4 = other
			} else if !v.ipv6.IsValid() {
				v.ipv6 = other
			}
		}
	}
	if v.ttl == 0 {
		v.ttl = Duration(time.Minute)
	}
	v.ttl = max(v.ttl, p.def.Record.MinTTL)
	return v.of
}

// of is what one placeholder stands for.
func (v *values) of(key string) string {
	switch key {
	case "hostname":
		return firstString(v.hosts)
	case "hostnames":
		return strings.Join(v.hosts, ",")
	case "name":
		return firstString(v.names())
	case "names":
		return strings.Join(v.names(), ",")
	case "zone":
		zone, _ := v.p.zone()
		return zone
	case "apex":
		zone, _ := v.p.zone()
		return strconv.FormatBool(zone != "" && strings.EqualFold(firstString(v.hosts), zone))
	case "ipv4":
		return addrText(v.ipv4)
	case "ipv6":
		return addrText(v.ipv6)
	case "address":
		if v.family == config.IPv6 {
			return addrText(v.ipv6)
		}
		return addrText(v.ipv4)
	case "further":
		return v.p.def.further(furtherOf(v.updates, v.family), v.of)
	case "further_ipv4":
		return v.p.def.further(furtherOf(v.updates, config.IPv4), v.of)
	case "further_ipv6":
		return v.p.def.further(furtherOf(v.updates, config.IPv6), v.of)
	case "type":
		if v.family == config.IPv6 {
			return "AAAA"
		}
		return "A"
	case "ttl":
		return strconv.Itoa(int(time.Duration(v.ttl) / time.Second))
	case "ttl_minutes":
		return strconv.Itoa(int((time.Duration(v.ttl) + time.Minute - 1) / time.Minute))
	case "version":
		return v.p.opt.Version
	case "os":
		return agentOS
	case "arch":
		return agentArch
	case "server":
		return v.p.server
	}
	if v.show && v.p.secretField(key) && v.p.fields[key] != "" {
		return hidden
	}
	return v.p.fields[key]
}

// names are the hosts as the zone has them.
func (v *values) names() []string {
	zone, _ := v.p.zone()
	list := make([]string, len(v.hosts))
	for i, h := range v.hosts {
		list[i] = relative(h, zone, v.p.def.forms.apex)
	}
	return list
}

func (p *Provider) secretField(key string) bool {
	for _, f := range p.def.Fields {
		if f.Key == key {
			return f.Secret
		}
	}
	return true
}

func firstString(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

func addrText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.Unmap().WithZone("").String()
}
