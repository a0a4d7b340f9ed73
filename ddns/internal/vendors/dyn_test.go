package vendors

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// newDyn is Dyn's update server, after https://help.dyn.com/perform-update/,
// https://help.dyn.com/return-codes/ and https://help.dyn.com/guidelines/:
// /v3/update with the updater client key, /nic/update as of old. The hosts are
// those of the account abc123.
func newDyn(hosts ...string) (*vendor, zone) {
	z := zone{}
	wellFormed := regexp.MustCompile(`^[^-]+ - [^-]+.* - [0-9.]+$`) // company, device, version
	v := &vendor{answer: func(x *exchange) {
		switch {
		case x.method != "GET":
			return
		case x.path == "/v3/update":
			x.only("hostname", "myip", "offline")
		case x.path == "/nic/update":
			x.only("hostname", "myip", "offline", "wildcard", "mx", "backmx")
		default:
			return
		}
		if !wellFormed.MatchString(x.header.Get("User-Agent")) {
			x.note("User-Agent is not company, device and version")
		}
		if x.user != "abc123" || x.password != "client-key" {
			x.reply(401, "text/plain", "badauth")
			return
		}
		var addrs []netip.Addr
		for _, text := range strings.Split(x.query.Get("myip"), ",") {
			addr, err := netip.ParseAddr(text)
			if err != nil {
				x.note("myip %q: the address would be that of the connection", text)
				x.reply(200, "text/plain", "good 192.0.2.1")
				return
			}
			addrs = append(addrs, addr)
		}
		x.reply(200, "text/plain", dynLines(z, x.query.Get("hostname"), x.query.Get("myip"), addrs, hosts))
	}}
	return v, z
}

// dynLines changes the zone and says so, one line for each hostname.
func dynLines(z zone, list, myip string, addrs []netip.Addr, known []string) string {
	var lines []string
	names := strings.Split(list, ",")
	for _, host := range names {
		line := "nochg " + myip
		switch {
		case len(names) > 20:
			return "numhost"
		case !strings.Contains(host, "."):
			line = "notfqdn"
		case !slices.Contains(known, host):
			line = "nohost"
		default:
			for _, addr := range addrs {
				if z.set(host, addr) {
					line = "good " + myip
				}
			}
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n") + "\n"
}

func TestDyn(t *testing.T) {
	v, z := newDyn("home.dyndns.org", "nas.dyndns.org")
	serve(t, v, "members.dyndns.org")
	const account = `
[provider.dyn]
username = "abc123"
password = "client-key"
`
	c := configure(t, v, account+`
[[record]]
hostname = "home.dyndns.org"
provider = "dyn"
families = ["ipv4", "ipv6"]
`)
	c.wants(updated, "203.0.113.7")
	c.wants(unchanged, "203.0.113.7")
	c.wants(updated, "203.0.113.8")
	c.wants(updated, "2001:db8::7")
	c.calls(4)
	c.wants(updated, "203.0.113.9", "2001:db8::9")
	c.wants(unchanged, "203.0.113.9", "2001:db8::9")
	c.calls(2)
	z.want(t, v, "home.dyndns.org A 203.0.113.9", "home.dyndns.org AAAA 2001:db8::9")

	c = configure(t, v, account+`
[[record]]
hostname = "home.dyndns.org"
provider = "dyn"
[[record]]
hostname = "nas.dyndns.org"
provider = "dyn"
[[record]]
hostname = "other.dyndns.org"
provider = "dyn"
`)
	c.wants([]provider.Class{provider.Unchanged, provider.Updated, provider.NoHost}, "203.0.113.9")
	c.calls(1)

	c = configure(t, v, strings.Replace(account, "client-key", "wrong", 1)+`
[[record]]
hostname = "home.dyndns.org"
provider = "dyn"
`)
	if o := c.publish("203.0.113.10"); o[0].Class != provider.BadAuth || !o[0].Account {
		t.Errorf("%+v", o[0])
	}
	z.want(t, v, "home.dyndns.org A 203.0.113.9", "home.dyndns.org AAAA 2001:db8::9", "nas.dyndns.org A 203.0.113.9")
	v.check(t)
}

// Twenty hostnames are the most that Dyn takes at a time.
func TestDynManyHostnames(t *testing.T) {
	var hosts []string
	text := "[provider.dyn]\nusername = \"abc123\"\npassword = \"client-key\"\n"
	for i := range 21 {
		host := "h" + string(rune('a'+i)) + ".dyndns.org"
		hosts = append(hosts, host)
		text += "[[record]]\nhostname = \"" + host + "\"\nprovider = \"dyn\"\n"
	}
	v, z := newDyn(hosts...)
	serve(t, v, "members.dyndns.org")
	c := configure(t, v, text)
	c.wants(updated, "203.0.113.7")
	c.calls(2)
	if len(z) != 21 {
		t.Errorf("%d records", len(z))
	}
	v.check(t)
}
