package vendors

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

const namecheapPassword = "0123456789abcdef0123456789abcdef"

// newNamecheap is Namecheap's dynamic DNS, after its knowledge base, articles
// 29 ("How do I use a browser to dynamically update the host's IP?") and 595.
// The domain is example.org; hosts are those with a record "A + Dynamic DNS".
func newNamecheap(hosts ...string) (*vendor, zone) {
	z := zone{}
	v := &vendor{answer: func(x *exchange) {
		if x.method != "GET" || x.path != "/update" {
			return
		}
		x.only("host", "domain", "password", "ip")
		addr, err := netip.ParseAddr(x.query.Get("ip"))
		host := x.query.Get("host")
		switch {
		case x.query.Get("password") != namecheapPassword:
			namecheapError(x, 304156, "Passwords do not match")
		case x.query.Get("domain") != "example.org":
			namecheapError(x, 316153, "Domain name not found")
		case err != nil || !addr.Is4():
			x.note("ip is %q", x.query.Get("ip"))
			namecheapError(x, 304152, "Invalid IP")
		case !slices.Contains(hosts, host):
			namecheapError(x, 380091, "No Records updated. A record not Found;")
		default:
			z.set(host, addr)
			x.reply(200, "text/html", fmt.Sprintf(`<?xml version="1.0" encoding="utf-16"?><interface-response><Command>SETDNSHOST</Command><Language>eng</Language><IP>%v</IP><ErrCount>0</ErrCount><errors /><ResponseCount>0</ResponseCount><responses /><Done>true</Done><debug><![CDATA[]]></debug></interface-response>`, addr))
		}
	}}
	return v, z
}

func namecheapError(x *exchange, number int, text string) {
	x.reply(200, "text/html", fmt.Sprintf(`<?xml version="1.0" encoding="utf-16"?><interface-response><Command>SETDNSHOST</Command><Language>eng</Language><ErrCount>1</ErrCount><errors><Err1>%[2]s</Err1></errors><ResponseCount>1</ResponseCount><responses><response><Description>%[2]s</Description><ResponseNumber>%[1]d</ResponseNumber><ResponseString>Validation error; %[2]s</ResponseString></response></responses><Done>true</Done><debug><![CDATA[]]></debug></interface-response>`, number, text))
}

func TestNamecheap(t *testing.T) {
	v, z := newNamecheap("home", "@", "*")
	serve(t, v, "dynamicdns.park-your-domain.com")
	const account = `
[provider.namecheap]
zone = "example.org"
password = "` + namecheapPassword + `"
`
	const home = `
[[record]]
hostname = "home.example.org"
provider = "namecheap"
`
	c := configure(t, v, account+home+`
[[record]]
hostname = "example.org"
provider = "namecheap"
[[record]]
hostname = "*.example.org"
provider = "namecheap"
`)
	c.wants(updated, "203.0.113.7")
	c.wants(updated, "203.0.113.7") // the vendor says the same to this
	c.wants(updated, "203.0.113.8")
	c.calls(9)
	all := []string{"home A 203.0.113.8", "@ A 203.0.113.8", "* A 203.0.113.8"}
	z.want(t, v, all...)
	if c.Supports(6) {
		t.Error("Namecheap has no IPv6")
	}

	configure(t, v, strings.Replace(account, "0123", "1123", 1)+home).wants(badAuth, "203.0.113.9")
	configure(t, v, account+`
[[record]]
hostname = "other.example.org"
provider = "namecheap"
`).wants(noHost, "203.0.113.9")
	configure(t, v, strings.Replace(account, "example.org", "example.net", 1)+`
[[record]]
hostname = "home.example.net"
provider = "namecheap"
`).wants(noHost, "203.0.113.9")
	z.want(t, v, all...)
	v.check(t)
}
