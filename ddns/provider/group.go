package provider

import (
	"net/netip"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// Group says which updates go into one request, by their indexes; each is in
// exactly one group. Together go hostnames that get the same addresses, up to
// the provider's maximum, and both families of a hostname where the provider
// takes them together. Groups, and updates in them, keep their order, but that
// a hostname's two families are next to each other.
func (p *Provider) Group(updates []Update) [][]int {
	if p.dns != nil {
		return p.dns.group(updates)
	}
	if len(updates) == 1 {
		return [][]int{{0}}
	}
	type content struct {
		ipv4, ipv6 netip.Addr
		other      netip.Addr
		ttl        time.Duration
		several    int
	}
	type bundle struct {
		content
		members []int
		hosts   int
	}
	together := p.def.Hosts.Families != "never"
	partner := map[[2]string]int{} // hostname and family, to the update not yet taken
	if together {
		for i, u := range updates {
			partner[[2]string{u.Hostname, u.Family.String()}] = i
		}
	}
	var bundles []*bundle
	open := map[content]*bundle{}
	taken := make([]bool, len(updates))
	for i, u := range updates {
		if taken[i] {
			continue
		}
		taken[i] = true
		members := []int{i}
		c := content{ttl: u.TTL}
		set(&c.ipv4, &c.ipv6, u)
		if j, ok := partner[[2]string{u.Hostname, otherFamily(u.Family).String()}]; together && ok && !taken[j] && updates[j].TTL == u.TTL {
			taken[j] = true
			set(&c.ipv4, &c.ipv6, updates[j])
			if members = []int{i, j}; u.Family == config.IPv6 {
				members = []int{j, i}
			}
		} else if p.def.Hosts.Families == "must" {
			c.other = u.Other
		}
		if len(u.More) > 0 {
			c.several = i + 1 // its set is nobody else's
		}
		b := open[c]
		if b == nil || b.hosts >= p.def.Hosts.Maximum {
			b = &bundle{content: c}
			bundles = append(bundles, b)
			open[c] = b
		}
		b.members = append(b.members, members...)
		b.hosts++
	}
	groups := make([][]int, len(bundles))
	for i, b := range bundles {
		groups[i] = b.members
	}
	return groups
}

// set puts an update's address to its family.
func set(ipv4, ipv6 *netip.Addr, u Update) {
	if u.Family == config.IPv6 {
		*ipv6 = u.Addr
	} else {
		*ipv4 = u.Addr
	}
}

func otherFamily(f config.Family) config.Family {
	if f == config.IPv4 {
		return config.IPv6
	}
	return config.IPv4
}
