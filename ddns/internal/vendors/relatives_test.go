package vendors

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// relative is a further vendor whose protocol a peer has. There is no server
// for it here: each request gets the answer of the catalogue's first example.
type relative struct {
	name string // in our catalogue; the sample there says account and hostname
	host string // or "HOST PEERS-HOST"
	peer peer
	conf string
	v6   bool // IPv6 is published, not IPv4
	why  reasons
}

// What several peers do alike.
var (
	ofDyn     = reasons{"system=dyndns": "ddclient has it for everybody; of Dyn's protocol of 2002, and ignored"}
	wildcard  = reasons{"wildcard=OFF": "switches the name's wildcard off: not for us to decide"}
	ofOldZone = reasons{
		"host dynamic.zoneedit.com, not api.cp.zoneedit.com": "ZoneEdit's old protocol; the new one has IPv6",
		"path /auth/dynamic.html, not /dyn/generic.php":      "as above",
		"dnsto=203.0.113.7":     "as above",
		"host=home.example.org": "as above",
		"no hostname":           "as above",
		"no myip":               "as above",
	}
	byConnection = reasons{"no myip": "it leaves the address to the connection; ours need not be that of the way to the vendor"}
	wwwHost      = reasons{"host www.sitelutions.com, not api2.sitelutions.com": "of before; Sitelutions names the new one"}
)

var relatives = []relative{
	{name: "dynu", host: "api.dynu.com", peer: ddclient, conf: ddclientConf("use=ip, ip="+ip4, "dyndns2", "abc123", "secret", "home.freeddns.org", "server=api.dynu.com"), why: ofDyn},
	{name: "dynu", host: "api.dynu.com", peer: inadyn, conf: inadynConf("default@dynu.com", "abc123", "secret", "home.freeddns.org", ip4)},
	{name: "he", host: "dyn.dns.he.net", peer: ddclient, conf: ddclientConf("use=ip, ip="+ip4, "dyndns2", "home.example.org", "secret", "home.example.org", "server=dyn.dns.he.net"), why: ofDyn},
	{name: "he", host: "dyn.dns.he.net", peer: ddclient, v6: true, conf: ddclientConf("use=ip, ip="+ip6, "dyndns2", "home.example.org", "secret", "home.example.org", "server=dyn.dns.he.net"), why: ofDyn},
	{name: "he", host: "dyn.dns.he.net", peer: inadyn, conf: inadynConf("dyndns@he.net", "home.example.org", "secret", "home.example.org", ip4)},
	{name: "changeip", host: "nic.changeip.com", peer: ddclient, conf: ddclientConf("use=ip, ip="+ip4, "changeip", "abc123", "secret", "home.changeip.org")},
	{name: "changeip", host: "nic.changeip.com", peer: inadyn, conf: inadynConf("default@changeip.com", "abc123", "secret", "home.changeip.org", ip4), why: reasons{
		"system=dyndns":    "as Dyn's protocol had it; ignored",
		"myip=203.0.113.7": "Dyn's name of the parameter",
		"no ip":            "ChangeIP's name, which ddclient has too",
	}},
	{name: "dnsmadeeasy", host: "cp.dnsmadeeasy.com", peer: ddclient, conf: ddclientConf("use=ip, ip="+ip4, "dnsmadeeasy", "abc123", "secret", "1007")},
	{name: "easydns", host: "api.cp.easydns.com", peer: ddclient, conf: ddclientConf("use=ip, ip="+ip4, "easydns", "abc123", "secret", "home.example.org"), why: wildcard},
	{name: "easydns", host: "api.cp.easydns.com", peer: inadyn, conf: inadynConf("default@easydns.com", "abc123", "secret", "home.example.org", ip4), why: wildcard},
	{name: "zoneedit", host: "api.cp.zoneedit.com dynamic.zoneedit.com", peer: ddclient, conf: ddclientConf("use=ip, ip="+ip4, "zoneedit1", "abc123", "secret", "home.example.org"), why: ofOldZone},
	{name: "zoneedit", host: "api.cp.zoneedit.com dynamic.zoneedit.com", peer: inadyn, conf: inadynConf("default@zoneedit.com", "abc123", "secret", "home.example.org", ip4), why: ofOldZone},
	{name: "freemyip", host: "freemyip.com", peer: ddclient, conf: ddclientConf("use=ip, ip="+ip4, "freemyip", "", "0123456789abcdef01234567", "home.freemyip.com"), why: byConnection},
	{name: "freemyip", host: "freemyip.com", peer: inadyn, conf: inadynConf("default@freemyip.com", "unused", "0123456789abcdef01234567", "home.freemyip.com", ip4), why: byConnection},
	{name: "njalla", host: "njal.la", peer: ddclient, conf: ddclientConf("use=ip, ip="+ip4, "njalla", "", "secret", "home.example.org")},
	{name: "sitelutions", host: "api2.sitelutions.com www.sitelutions.com", peer: ddclient, conf: ddclientConf("use=ip, ip="+ip4, "sitelutions", "me@example.org", "secret", "12345678"), why: wwwHost},
	{name: "sitelutions", host: "api2.sitelutions.com www.sitelutions.com", peer: inadyn, conf: inadynConf("default@sitelutions.com", "me@example.org", "secret", "12345678", ip4), why: wwwHost},
	{name: "dondominio", host: "dondns.dondominio.com", peer: ddclient, conf: ddclientConf("use=ip, ip="+ip4, "dondominio", "abc123", "secret", "home.example.org"), why: reasons{
		"path /plain/, not /json/": "one word as the answer; JSON says what is wrong",
		"no lang":                  "of the message, which we show",
		"no apikey":                "DonDominio documents apikey",
		"password=secret":          "as above: an older name",
	}},
	{name: "dnsexit", host: "update.dnsexit.com", peer: ddclient, conf: ddclientConf("use=ip, ip="+ip4, "dnsexit", "abc123", "secret", "home.linkpc.net")},
	{name: "dnsexit", host: "update.dnsexit.com", peer: inadyn, conf: inadynConf("default@dnsexit.com", "abc123", "secret", "home.linkpc.net", ip4)},
	{name: "godaddy", host: "api.godaddy.com", peer: ddclient, conf: ddclientConf("use=ip, ip="+ip4, "godaddy", "dLDV3x_Key", "s3cr3t-value", "home.example.org", "zone=example.org"), why: reasons{
		"member name=home": "GoDaddy takes both from the path",
		"member type=A":    "as above",
	}},
	{name: "1984", host: "api.1984.is", peer: ddclient, conf: ddclientConf("use=ip, ip="+ip4, "1984", "", "secret", "home.example.org")},
	{name: "dnsomatic", host: "updates.dnsomatic.com", peer: inadyn, conf: inadynConf("default@dnsomatic.com", "abc123", "secret", "all.dnsomatic.com", ip4), why: reasons{
		"no backmx":   "DNS-O-Matic's example has it, so that nothing but the address changes",
		"no mx":       "DNS-O-Matic's example has it, so that nothing but the address changes",
		"no wildcard": "DNS-O-Matic's example has it, so that nothing but the address changes",
	}},
	{name: "spdyn", host: "update.spdyn.de", peer: inadyn, conf: inadynConf("default@spdyn.de", "home.spdns.de", "abcd-efgh-ijkl", "home.spdns.de", ip4)},
	{name: "strato", host: "dyndns.strato.com", peer: inadyn, conf: inadynConf("default@strato.com", "example.org", "secret", "home.example.org", ip4), why: reasons{
		"system=dyndns": "of Dyn's protocol of 2002; not in Strato's example",
	}},
	{name: "loopia", host: "dyndns.loopia.se dns.loopia.se", peer: inadyn, conf: inadynConf("default@loopia.com", "abc123", "secret", "home.example.org", ip4), why: reasons{
		"host dns.loopia.se, not dyndns.loopia.se": "Loopia has two addresses for it; this is the older one",
		"path /XDynDNSServer/XDynDNS.php, not /":   "as above",
	}},
	{name: "dhis", host: "is.dhis.org", peer: inadyn, conf: inadynConf("default@dhis.org", "unused", "secret", "home.dhis.org", ip4)},
	{name: "nsupdate-info", host: "ipv4.nsupdate.info", peer: inadyn, conf: inadynConf("ipv4@nsupdate.info", "home.nsupdate.info", "secret", "home.nsupdate.info", ip4)},
	{name: "selfhost", host: "carol.selfhost.de", peer: inadyn, conf: inadynConf("default@selfhost.de", "123456", "secret", "home.selfhost.eu", ip4)},
	{name: "pubyun-3322", host: "members.3322.net members.3322.org", peer: inadyn, conf: inadynConf("dyndns@3322.org", "abc123", "secret", "home.f3322.net", ip4), why: reasons{
		"host members.3322.org, not members.3322.net": "of before; PubYun documents the new one",
	}},
	{name: "duiadns", host: "ipv4.duiadns.net", peer: inadyn, conf: inadynConf("default@duiadns.net", "unused", "secret", "home.duia.ro", ip4)},
	{name: "giradns", host: "homeserver.gira.de", peer: inadyn, conf: inadynConf("default@gira.de", "abc123", "secret", "home.giradns.com", ip4)},
	{name: "tunnelbroker", host: "ipv4.tunnelbroker.net", peer: inadyn, conf: inadynConf("default@tunnelbroker.net", "abc123", "secret", "tunnel123456.tunnelbroker.net", ip4)},
	{name: "dynv6", host: "ipv4.dynv6.com", peer: inadyn, conf: inadynConf("default@ipv4.dynv6.com", "2bEsTt0k3n-xyzabc", "unused", "home.dynv6.net", ip4), why: reasons{
		"hostname=home.dynv6.net":    "an older name of the parameter",
		"no zone":                    "as above",
		"ipv4=auto, not 203.0.113.7": "it leaves the address to the connection",
	}},
	{name: "ddnss", host: "www.ddnss.de ddnss.de", peer: inadyn, conf: inadynConf("default@ddnss.de", "abc123", "secret", "home.ddnss.de", ip4), why: reasons{
		"host ddnss.de, not www.ddnss.de": "both answer",
		"no key":                          "the account's update key can do nothing else; user and password can",
		"user=abc123":                     "as above",
		"pwd=secret":                      "as above",
		"no ip":                           "it leaves the address to the connection",
	}},
}

// newAnything answers everything alike, and has no documentation.
func newAnything(def *provider.Definition) *vendor {
	ex := def.Examples[0].Exchange
	if len(def.Examples[0].Exchanges) > 0 {
		ex = def.Examples[0].Exchanges[0]
	}
	return &vendor{answer: func(x *exchange) { x.reply(max(ex.Status, http.StatusOK), "text/plain", ex.Reply) }}
}

// TestRelatives compares our requests with the peers' for more vendors.
func TestRelatives(t *testing.T) {
	cat, _ := provider.Open("")
	for _, r := range relatives {
		t.Run(r.peer.program+" "+r.name, func(t *testing.T) {
			def, err := cat.Lookup(r.name)
			if err != nil {
				t.Fatal(err)
			}
			var fields []string
			for key, value := range def.Sample.Config {
				fields = append(fields, key+"="+value)
			}
			addr := ip4
			if r.v6 {
				addr = ip6
			}
			meeting{
				name: r.name, hosts: strings.Fields(r.host), peer: r.peer, conf: r.conf, why: r.why,
				fresh: func() (*vendor, any) { return newAnything(def), nil },
				ours:  toml(r.name, def.Sample.Hostname, map[bool]string{true: v4, false: v6}[netip.MustParseAddr(addr).Is4()], fields...),
				addrs: []string{addr},
			}.hold(t)
		})
	}
}

// relativesHosts are their hosts, each once.
func relativesHosts() []string {
	var hosts []string
	for _, r := range relatives {
		for _, host := range strings.Fields(r.host) {
			if !slices.Contains(names, host) && !slices.Contains(hosts, host) {
				hosts = append(hosts, host)
			}
		}
	}
	return hosts
}
