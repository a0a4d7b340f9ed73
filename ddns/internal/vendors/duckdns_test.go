package vendors

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

const duckToken = "a7c4d0ad-114e-40ef-ba1d-d217904a50f2"

// newDuckDNS is Duck DNS, after https://www.duckdns.org/spec.jsp. The domains
// are those of duckToken, without ".duckdns.org".
func newDuckDNS(domains ...string) (*vendor, zone) {
	z := zone{}
	v := &vendor{answer: func(x *exchange) {
		if x.method != "GET" || x.path != "/update" {
			return
		}
		x.only("domains", "token", "ip", "ipv6", "verbose", "clear", "txt")
		list := strings.Split(x.query.Get("domains"), ",")
		for _, domain := range list {
			if x.query.Get("token") != duckToken || !slices.Contains(domains, domain) {
				x.reply(200, "text/html;charset=ISO-8859-1", "KO")
				return
			}
		}
		state := "NOCHANGE"
		if x.query.Get("clear") == "true" {
			for _, domain := range list {
				delete(z, domain+" A")
				delete(z, domain+" AAAA")
			}
			state = "UPDATED"
		} else {
			for _, param := range []string{"ip", "ipv6"} {
				text := x.query.Get(param)
				addr, err := netip.ParseAddr(text)
				switch {
				case text == "" && param == "ip" && x.query.Get("ipv6") == "":
					x.note("no address: it would be that of the connection")
					continue
				case text == "":
					continue
				case err != nil || addr.Is6() != (param == "ipv6"):
					x.note("%s is %q", param, text)
					continue
				}
				for _, domain := range list {
					if z.set(domain, addr) {
						state = "UPDATED"
					}
				}
			}
		}
		body := "OK"
		if x.query.Get("verbose") == "true" {
			body = strings.Join([]string{"OK", z[list[0]+" A"], z[list[0]+" AAAA"], state}, "\n")
		}
		x.reply(200, "text/html;charset=ISO-8859-1", body)
	}}
	return v, z
}

func TestDuckDNS(t *testing.T) {
	v, z := newDuckDNS("home", "nas")
	serve(t, v, "www.duckdns.org")
	const account = `
[provider.duckdns]
token = "` + duckToken + `"
`
	const both = `
[[record]]
hostname = "home.duckdns.org"
provider = "duckdns"
families = ["ipv4", "ipv6"]
[[record]]
hostname = "nas.duckdns.org"
provider = "duckdns"
families = ["ipv4", "ipv6"]
`
	c := configure(t, v, account+both)
	c.wants(updated, "203.0.113.7")
	c.wants(unchanged, "203.0.113.7")
	c.wants(updated, "203.0.113.8")
	c.wants(updated, "2001:db8::7")
	c.wants(updated, "203.0.113.9", "2001:db8::9")
	c.calls(5)
	all := []string{"home A 203.0.113.9", "home AAAA 2001:db8::9", "nas A 203.0.113.9", "nas AAAA 2001:db8::9"}
	z.want(t, v, all...)

	configure(t, v, strings.Replace(account, "a7c4", "b7c4", 1)+both).wants(badAuth, "203.0.113.10")
	// Duck DNS says KO to this as well: the hostname may be wrong.
	other := configure(t, v, account+`
[[record]]
hostname = "other.duckdns.org"
provider = "duckdns"
`)
	if o := other.publish("203.0.113.10"); o[0].Class != provider.BadAuth || o[0].Account {
		t.Errorf("%+v", o[0])
	}
	z.want(t, v, all...)

	c.compare(c.remove("203.0.113.9", "2001:db8::9"), updated)
	z.want(t, v)
	v.check(t)
}
