package vendors

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// newNoIP is No-IP's update server, after
// https://developer.noip.com/reference/nic_update and
// https://www.noip.com/integrate/{request,response}.
func newNoIP(hosts ...string) (*vendor, zone) {
	z := zone{}
	// Company NameOfProgram/OSVersion-ReleaseVersion contact
	wellFormed := regexp.MustCompile(`^\S+ \S+/\S+-\S+ \S*[@/]\S+$`)
	v := &vendor{answer: func(x *exchange) {
		if x.method != "GET" || x.path != "/nic/update" {
			return
		}
		x.only("hostname", "myip", "myipv6", "offline")
		if !wellFormed.MatchString(x.header.Get("User-Agent")) {
			x.note("User-Agent is not company, program/version and contact")
		}
		if x.user != "abc123" || x.password != "key" {
			x.reply(401, "text/plain", "badauth\r\n")
			return
		}
		var addrs []netip.Addr
		var texts []string
		for _, param := range []string{"myip", "myipv6"} {
			if text, ok := x.query[param]; ok {
				addr, err := netip.ParseAddr(text[0])
				if err != nil || addr.Is6() != (param == "myipv6") {
					x.note("%s is %q", param, text[0])
					continue
				}
				addrs, texts = append(addrs, addr), append(texts, text[0])
			}
		}
		if len(addrs) == 0 {
			x.note("no address: it would be that of the connection")
		}
		lines := dynLines(z, x.query.Get("hostname"), strings.Join(texts, ","), addrs, hosts)
		x.reply(200, "text/plain", strings.ReplaceAll(lines, "\n", "\r\n"))
	}}
	return v, z
}

func TestNoIP(t *testing.T) {
	v, z := newNoIP("home.ddns.net", "nas.ddns.net")
	serve(t, v, "dynupdate.no-ip.com")
	const account = `
[provider.noip]
username = "abc123"
password = "key"
`
	const both = `
[[record]]
hostname = "home.ddns.net"
provider = "noip"
families = ["ipv4", "ipv6"]
[[record]]
hostname = "nas.ddns.net"
provider = "noip"
families = ["ipv4", "ipv6"]
`
	c := configure(t, v, account+both)
	c.wants(updated, "203.0.113.7")
	c.wants(unchanged, "203.0.113.7")
	c.wants(updated, "203.0.113.8")
	c.wants(updated, "2001:db8::7")
	c.wants(updated, "203.0.113.9", "2001:db8::9")
	c.calls(5)
	z.want(t, v,
		"home.ddns.net A 203.0.113.9", "home.ddns.net AAAA 2001:db8::9",
		"nas.ddns.net A 203.0.113.9", "nas.ddns.net AAAA 2001:db8::9")

	c = configure(t, v, account+`
[[record]]
hostname = "other.ddns.net"
provider = "noip"
[[record]]
hostname = "nas.ddns.net"
provider = "noip"
`)
	c.wants([]provider.Class{provider.NoHost, provider.Updated}, "203.0.113.10")
	c = configure(t, v, strings.Replace(account, `"key"`, `"wrong"`, 1)+both)
	c.wants(badAuth, "203.0.113.11")
	z.want(t, v,
		"home.ddns.net A 203.0.113.9", "home.ddns.net AAAA 2001:db8::9",
		"nas.ddns.net A 203.0.113.10", "nas.ddns.net AAAA 2001:db8::9")
	v.check(t)
}
