package vendors

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// newDeSEC is deSEC's dynDNS interface, after
// https://desec.readthedocs.io/en/latest/dyndns/update-api.html and
// /rate-limits.html. The domain is home.dedyn.io. While *throttled, nothing is
// done.
func newDeSEC(throttled *bool) (*vendor, zone) {
	z := zone{}
	v := &vendor{answer: func(x *exchange) {
		if x.method != "GET" {
			return
		}
		if x.path != "/" {
			x.note("path %s: allowed, but not what clients use", x.path)
		}
		x.only("hostname", "host_id", "myip", "myipv4", "ip", "myipv6", "ipv6")
		switch {
		case x.user != "home.dedyn.io" || x.password != "i-T3b1h_OI-H9ab8tRS98stGtURe":
			x.w.Header().Set("WWW-Authenticate", `Basic realm="api"`)
			x.reply(401, "text/plain", "badauth")
			return
		case *throttled:
			x.w.Header().Set("Retry-After", "54")
			x.reply(429, "text/plain", "Request was throttled. Expected available in 54 seconds.")
			return
		}
		hosts := strings.Split(x.query.Get("hostname"), ",")
		for _, host := range hosts {
			if host != "home.dedyn.io" && !strings.HasSuffix(host, ".home.dedyn.io") {
				x.reply(404, "text/plain", "nohost")
				return
			}
		}
		for _, host := range hosts {
			deSECAddress(x, z, host+" A", netip.Addr.Is4, "myip", "myipv4", "ip")
			deSECAddress(x, z, host+" AAAA", netip.Addr.Is6, "myipv6", "ipv6", "myip", "ip")
		}
		x.reply(200, "text/plain", "good")
	}}
	return v, z
}

// deSECAddress changes one record: the first parameter with an address of the
// family says it. An empty one deletes the record, "preserve" keeps it, and if
// there is none, the connection's address would be taken; as that is never of
// both families, the record of the other family is deleted then.
func deSECAddress(x *exchange, z zone, key string, ours func(netip.Addr) bool, params ...string) {
	for _, param := range params {
		values, ok := x.query[param]
		if !ok {
			continue
		}
		for _, text := range strings.Split(values[0], ",") {
			switch addr, err := netip.ParseAddr(text); {
			case text == "":
				delete(z, key)
				return
			case text == "preserve":
				return
			case err != nil:
				x.note("%s is %q", param, text)
			case ours(addr):
				z[key] = addr.String()
				return
			}
		}
	}
	x.note("%s is deleted", key[strings.LastIndexByte(key, ' ')+1:])
	delete(z, key)
}

func TestDeSEC(t *testing.T) {
	throttled := false
	v, z := newDeSEC(&throttled)
	serve(t, v, "update.dedyn.io")
	const account = `
[provider.desec]
zone = "home.dedyn.io"
token = "i-T3b1h_OI-H9ab8tRS98stGtURe"
`
	const home = `
[[record]]
hostname = "home.dedyn.io"
provider = "desec"
families = ["ipv4", "ipv6"]
`
	c := configure(t, v, account+home)
	c.wants(updated, "203.0.113.7")
	c.wants(updated, "203.0.113.7") // deSEC says good to this too
	c.wants(updated, "203.0.113.8")
	z.want(t, v, "home.dedyn.io A 203.0.113.8")
	c.wants(updated, "2001:db8::7")
	z.want(t, v, "home.dedyn.io A 203.0.113.8", "home.dedyn.io AAAA 2001:db8::7")
	c.wants(updated, "203.0.113.9")
	z.want(t, v, "home.dedyn.io A 203.0.113.9", "home.dedyn.io AAAA 2001:db8::7")
	c.wants(updated, "203.0.113.10", "2001:db8::10")
	c.calls(6)

	throttled = true
	if o := c.publish("203.0.113.11"); o[0].Class != provider.TooMany || o[0].Wait != 54*time.Second {
		t.Errorf("%+v", o[0])
	}
	throttled = false
	configure(t, v, strings.Replace(account, "i-T3", "j-T3", 1)+home).wants(badAuth, "203.0.113.11")
	configure(t, v, strings.ReplaceAll(account, "home.", "other.")+strings.ReplaceAll(home, "home.", "other.")).wants(badAuth, "203.0.113.11")
	z.want(t, v, "home.dedyn.io A 203.0.113.10", "home.dedyn.io AAAA 2001:db8::10")

	// Two names of the domain change in one request, one by its wildcard.
	c2 := configure(t, v, account+home+`
[[record]]
hostname = "*.home.dedyn.io"
provider = "desec"
families = ["ipv4", "ipv6"]
`)
	c2.vendor.take()
	c2.wants(updated, "203.0.113.12", "2001:db8::12")
	c2.calls(1)
	c.compare(c.remove("203.0.113.12"), updated)
	z.want(t, v, "home.dedyn.io AAAA 2001:db8::12", "*.home.dedyn.io A 203.0.113.12", "*.home.dedyn.io AAAA 2001:db8::12")
	v.check(t)
}
