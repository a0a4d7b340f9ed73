package lab

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// account is one customer of the provider.
type account struct {
	user, pass string // DuckDNS: pass is the token
	hosts      []string
}

// Account makes the provider know a customer and his hostnames. The password
// is the token where the protocol has one. Nobody else's request is accepted.
func (p *Provider) Account(user, password string, hostnames ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.accounts = append(p.accounts, account{user, password, hostnames})
}

// Answer does what the provider does with a request: it changes its DNS and
// says so. It is for functions given to Handle.
func (p *Provider) Answer(r *Request) Reply {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.answer(r)
}

func (p *Provider) answer(r *Request) Reply {
	switch r.URL.Path {
	case "/nic/update", "/v3/update":
		return p.dyndns2(r)
	case "/update":
		return p.duckdns(r)
	}
	return Reply{Status: http.StatusNotFound, Body: "no such page\n"}
}

// dyndns2 is the protocol of members.dyndns.org: one line for each hostname.
// Without myip the client's own address counts.
func (p *Provider) dyndns2(r *Request) Reply {
	customer := slices.IndexFunc(p.accounts, func(a account) bool { return a.user == r.User && a.pass == r.Pass })
	if customer < 0 {
		return Reply{Status: http.StatusUnauthorized, Header: http.Header{"Www-Authenticate": {`Basic realm="DynDNS"`}}, Body: "badauth\n"}
	}
	query := r.URL.Query()
	var addrs []netip.Addr
	for _, text := range strings.FieldsFunc(query.Get("myip")+","+query.Get("myipv6"), func(c rune) bool { return c == ',' }) {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return Reply{Body: "badip\n"}
		}
		addrs = append(addrs, addr.Unmap())
	}
	if len(addrs) == 0 {
		addrs = []netip.Addr{r.Remote.Addr()}
	}
	var words []string
	for _, a := range addrs {
		words = append(words, a.String())
	}
	var lines strings.Builder
	for _, name := range strings.Split(query.Get("hostname"), ",") {
		switch {
		case !strings.Contains(name, "."):
			lines.WriteString("notfqdn\n")
		case !p.owns(customer, name):
			lines.WriteString("nohost\n")
		case p.set(name, addrs):
			lines.WriteString("good " + strings.Join(words, ",") + "\n")
		default:
			lines.WriteString("nochg " + strings.Join(words, ",") + "\n")
		}
	}
	return Reply{Body: lines.String()}
}

// duckdns is the protocol of www.duckdns.org: OK or KO for all, and what was
// done if verbose. Names are below the zone.
func (p *Provider) duckdns(r *Request) Reply {
	query := r.URL.Query()
	customer := slices.IndexFunc(p.accounts, func(a account) bool { return a.pass == query.Get("token") })
	if customer < 0 {
		return Reply{Body: "KO"}
	}
	var addrs []netip.Addr
	for _, key := range []string{"ip", "ipv6"} {
		if text := query.Get(key); text != "" {
			addr, err := netip.ParseAddr(text)
			if err != nil {
				return Reply{Body: "KO"}
			}
			addrs = append(addrs, addr)
		}
	}
	if len(addrs) == 0 {
		addrs = []netip.Addr{r.Remote.Addr()}
	}
	changed := false
	for _, name := range strings.Split(query.Get("domains"), ",") {
		if !within(canonical(name), canonical(p.Zone.Origin)) {
			name += "." + p.Zone.Origin
		}
		if !p.owns(customer, name) {
			return Reply{Body: "KO"}
		}
		if query.Get("clear") == "true" {
			p.Zone.Clear(name, 4)
			p.Zone.Clear(name, 6)
			continue
		}
		changed = p.set(name, addrs) || changed
	}
	if query.Get("verbose") != "true" {
		return Reply{Body: "OK"}
	}
	v4, v6, did := "", "", "NOCHANGE"
	for _, a := range addrs {
		if a.Is4() {
			v4 = a.String()
		} else {
			v6 = a.String()
		}
	}
	if changed {
		did = "UPDATED"
	}
	return Reply{Body: "OK\n" + v4 + "\n" + v6 + "\n" + did}
}

func (p *Provider) owns(customer int, name string) bool {
	return slices.ContainsFunc(p.accounts[customer].hosts, func(h string) bool { return canonical(h) == canonical(name) })
}

func (p *Provider) set(name string, addrs []netip.Addr) (changed bool) {
	for _, a := range addrs {
		changed = p.Zone.Set(name, a) || changed
	}
	return changed
}
