package vendors

import (
	"net/netip"
	"strings"
	"testing"
)

// newDynHost is OVHcloud's DynHost, after its guide "Configuring a dynamic DNS
// (DynHost) for a domain name": each entry has a name and a type, and must be
// there. The login example.org-home may change home.example.org.
func newDynHost(entries ...string) (*vendor, zone) {
	z := zone{}
	for _, entry := range entries {
		z[entry] = "0.0.0.0"
	}
	v := &vendor{answer: func(x *exchange) {
		if x.method != "GET" || x.path != "/nic/update" {
			return
		}
		x.only("system", "hostname", "myip")
		addr, err := netip.ParseAddr(x.query.Get("myip"))
		host := x.query.Get("hostname")
		key := host + " A"
		if addr.Is6() {
			key += "AAA"
		}
		_, known := z[key]
		switch {
		case x.user != "example.org-home" || x.password != "secret":
			x.w.Header().Set("WWW-Authenticate", `Basic realm="dynhost"`)
			x.reply(401, "text/plain", "badauth")
		case x.query.Get("system") != "dyndns":
			x.note("system is %q", x.query.Get("system"))
			x.reply(200, "text/plain", "badsys")
		case !strings.Contains(host, "."):
			x.reply(200, "text/plain", "notfqdn")
		case err != nil:
			x.note("myip is %q", x.query.Get("myip"))
			x.reply(200, "text/plain", "good 192.0.2.1")
		case !known:
			x.reply(200, "text/plain", "nohost")
		case z.set(host, addr):
			x.reply(200, "text/plain", "good "+addr.String())
		default:
			x.reply(200, "text/plain", "nochg "+addr.String())
		}
	}}
	return v, z
}

func TestOVHDynHost(t *testing.T) {
	v, z := newDynHost("home.example.org A", "home.example.org AAAA")
	serve(t, v, "dns.eu.ovhapis.com")
	const account = `
[provider.ovh-dynhost]
username = "example.org-home"
password = "secret"
`
	const home = `
[[record]]
hostname = "home.example.org"
provider = "ovh-dynhost"
families = ["ipv4", "ipv6"]
`
	c := configure(t, v, account+home)
	c.wants(updated, "203.0.113.7")
	c.wants(unchanged, "203.0.113.7")
	c.wants(updated, "203.0.113.8")
	c.wants(updated, "2001:db8::7")
	c.calls(4)
	c.wants(updated, "203.0.113.9", "2001:db8::9")
	c.calls(2) // an entry has one family
	z.want(t, v, "home.example.org A 203.0.113.9", "home.example.org AAAA 2001:db8::9")

	configure(t, v, strings.Replace(account, "secret", "wrong", 1)+home).wants(badAuth, "203.0.113.10")
	configure(t, v, account+strings.ReplaceAll(home, "home.", "other.")).wants(noHost, "203.0.113.10")
	z.want(t, v, "home.example.org A 203.0.113.9", "home.example.org AAAA 2001:db8::9")
	v.check(t)
}
