package vendors

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// meeting is one vendor, at whom a peer and we publish the same.
type meeting struct {
	name  string
	hosts []string              // of the vendor
	fresh func() (*vendor, any) // a server without records, and its records
	ours  string                // configuration
	addrs []string              // to publish
	peer  peer
	conf  string // the peer's configuration
	why   reasons
	other string // if the peer leaves other records than we do: why
}

// switchboard gives requests to the vendor that is there now.
type switchboard struct{ to **vendor }

func (s switchboard) ServeHTTP(w http.ResponseWriter, r *http.Request) { (*s.to).ServeHTTP(w, r) }

// hold lets us and the peer publish, each at a fresh server, and compares.
func (m meeting) hold(t *testing.T) {
	v, mine := m.fresh()
	current := v
	serve(t, switchboard{&current}, m.hosts...)
	c := configure(t, v, m.ours)
	for _, o := range c.publish(m.addrs...) {
		if !o.Class.Done() {
			t.Errorf("%s: %s", o.Class, o.Text)
		}
	}
	v.check(t)
	ours := v.take()

	current, theirs := m.fresh()
	output := m.peer.run(t, m.conf)
	calls := current.take()
	found := differences(ours, calls)
	for _, note := range current.notes {
		found = append(found, "vendor: "+note)
	}
	explain(t, found, common[m.peer.program], m.why)
	if same := fmt.Sprint(mine) == fmt.Sprint(theirs); same != (m.other == "") {
		t.Errorf("%s leaves %v, we %v: %s", m.peer.program, theirs, mine, m.other)
	}
	if t.Failed() {
		t.Logf("we: %v", ours)
		t.Logf("%s: %v", m.peer.program, calls)
		t.Logf("%s", output)
	}
}

// TestPeers is for the vendors that have a server here.
func TestPeers(t *testing.T) {
	for _, m := range meetings() {
		t.Run(m.peer.program+" "+m.name, m.hold)
	}
}

// toml is a configuration with one account and one record.
func toml(kind, hostname, families string, fields ...string) string {
	text := "[provider." + kind + "]\n"
	for _, field := range fields {
		key, value, _ := strings.Cut(field, "=")
		text += fmt.Sprintf("%s = %q\n", key, value)
	}
	return text + fmt.Sprintf("[[record]]\nhostname = %q\nprovider = %q\nfamilies = [%s]\n", hostname, kind, families)
}

const (
	v4   = `"ipv4"`
	v6   = `"ipv6"`
	both = `"ipv4", "ipv6"`
)

// ddclientConf is a configuration of ddclient: what it publishes, its
// protocol, login, password and host, and more lines.
func ddclientConf(source, protocol, login, password, host string, more ...string) string {
	text := source + ", \\\n"
	for _, line := range more {
		text += line + ", \\\n"
	}
	if login != "" {
		text += "login=" + login + ", \\\n"
	}
	return text + "protocol=" + protocol + ", \\\npassword=" + password + " \\\n" + host + "\n"
}

// inadynConf is a configuration of inadyn.
func inadynConf(provider, username, password, hostname, addr string, more ...string) string {
	return fmt.Sprintf("provider %s {\n username = %q\n password = %q\n hostname = %q\n checkip-command = \"/bin/echo %s\"\n %s\n}\n",
		provider, username, password, hostname, addr, strings.Join(more, "\n "))
}

const (
	ip4 = "203.0.113.7"
	ip6 = "2001:db8::7"
)

func meetings() []meeting {
	dyn := func() (*vendor, any) { v, z := newDyn("home.dyndns.org", "nas.dyndns.org"); return v, z }
	noip := func() (*vendor, any) { v, z := newNoIP("home.ddns.net"); return v, z }
	duck := func() (*vendor, any) { v, z := newDuckDNS("home"); return v, z }
	namecheap := func() (*vendor, any) { v, z := newNamecheap("home"); return v, z }
	desec := func() (*vendor, any) {
		v, z := newDeSEC(new(bool))
		z["home.dedyn.io AAAA"] = ip6
		return v, z
	}
	gandi := func() (*vendor, any) { v, sets := newGandi(); return v, sets }
	dynHost := func() (*vendor, any) { v, z := newDynHost("home.example.org A", "home.example.org AAAA"); return v, z }
	cloudflare := func() (*vendor, any) { v := newCloudflare(cfPreset()...); return &v.vendor, v }
	nfsn := func() (*vendor, any) { v := newNFSN(nfsnPreset()...); return &v.vendor, v }
	dnspod := func() (*vendor, any) { v := newDNSPod(podPreset()...); return &v.vendor, v }
	return []meeting{
		{
			name: "nfsn", hosts: []string{"api.nearlyfreespeech.net"}, fresh: nfsn, addrs: []string{ip4},
			ours: toml("nfsn", "home.example.org", v4, "username=me", "api_key=key", "zone=example.org"),
			peer: ddclient, conf: ddclientConf("use=ip, ip="+ip4, "nfsn", "me", "key", "home.example.org", "zone=example.org"),
			why: reasons{
				"path /dns/example.org/removeRR, not /dns/example.org/replaceRR": "it takes the old record away, then adds a new one; while there is one alone, we replace it in one request, so that the name is never without",
				"member data=198.51.100.1, not 203.0.113.7":                      "of the first of its two requests: the old record",
				"no member ttl":                         "as above",
				"one more: POST /dns/example.org/addRR": "as above",
			},
		},
		{
			name: "dnspod", hosts: []string{"dnsapi.cn"}, fresh: dnspod, addrs: []string{ip4},
			ours: toml("dnspod", "home.example.org", v4, "id=123", "token=secret", "zone=example.org"),
			peer: inadyn, conf: inadynConf("default@dnspod.cn", "123", "secret", "home.example.org", ip4),
			why: reasons{
				"no member lang":                        "we ask for messages in English",
				"member length=1":                       "it takes the first record, we look at all of them",
				"no member record_type":                 "so that the first may be of another type; it cannot do AAAA",
				"path /Record.Ddns, not /Record.Modify": "Record.Ddns is for A records alone, and puts a record on the line that it is told",
				"member record_line=默认":                 "the default line",
				"no member record_line_id":              "the line that the record has",
				"no member ttl":                         "Record.Modify would take the domain's",
			},
			other: "it moves the record to the default line",
		},
		{
			name: "dyn", hosts: []string{"members.dyndns.org"}, fresh: dyn, addrs: []string{ip4},
			ours: toml("dyn", "home.dyndns.org", v4, "username=abc123", "password=client-key"),
			peer: ddclient, conf: ddclientConf("use=ip, ip="+ip4, "dyndns2", "abc123", "client-key", "home.dyndns.org"),
			why: reasons{
				"system=dyndns":                                         "a parameter of 2002, when Dyn had static and custom hosts too; ignored now",
				"vendor: undocumented parameter system":                 "as above",
				"path /nic/update, not /v3/update":                      "the old path takes the account's password too; Dyn documents both, the new one for updater client keys",
				"vendor: User-Agent is not company, device and version": "Dyn asks for this form; it has blocked programs before",
			},
		},
		{
			name: "dyn", hosts: []string{"members.dyndns.org"}, fresh: dyn, addrs: []string{ip4},
			ours: toml("dyn", "home.dyndns.org", v4, "username=abc123", "password=client-key"),
			peer: inadyn, conf: inadynConf("default@dyndns.org", "abc123", "client-key", "home.dyndns.org", ip4),
			why: reasons{
				"path /nic/update, not /v3/update":                      "the old path takes the account's password too; Dyn documents both, the new one for updater client keys",
				"vendor: User-Agent is not company, device and version": "as ddclient",
			},
		},
		{
			name: "noip", hosts: []string{"dynupdate.no-ip.com"}, fresh: noip, addrs: []string{ip4},
			ours: toml("noip", "home.ddns.net", v4, "username=abc123", "password=key"),
			peer: ddclient, conf: ddclientConf("use=ip, ip="+ip4, "noip", "abc123", "key", "home.ddns.net"),
			why: reasons{
				"system=noip":                           "not in No-IP's documentation; ignored",
				"vendor: undocumented parameter system": "as above",
				"vendor: User-Agent is not company, program/version and contact": "No-IP asks for this form, and may limit or block others",
			},
		},
		{
			name: "noip", hosts: []string{"dynupdate.no-ip.com"}, fresh: noip, addrs: []string{ip4},
			ours: toml("noip", "home.ddns.net", v4, "username=abc123", "password=key"),
			peer: inadyn, conf: inadynConf("default@no-ip.com", "abc123", "key", "home.ddns.net", ip4),
			why: reasons{
				"vendor: User-Agent is not company, program/version and contact": "as ddclient",
			},
		},
		{
			name: "duckdns", hosts: []string{"www.duckdns.org"}, fresh: duck, addrs: []string{ip4},
			ours: toml("duckdns", "home.duckdns.org", v4, "token="+duckToken),
			peer: ddclient, conf: ddclientConf("use=ip, ip="+ip4, "duckdns", "", duckToken, "home"),
			why: reasons{
				"no verbose": "without it Duck DNS does not say whether anything changed, and we want to know",
			},
		},
		{
			name: "duckdns", hosts: []string{"www.duckdns.org"}, fresh: duck, addrs: []string{ip4},
			ours: toml("duckdns", "home.duckdns.org", v4, "token="+duckToken),
			peer: inadyn, conf: inadynConf("default@duckdns.org", duckToken, "unused", "home", ip4),
			why: reasons{
				"no verbose": "without it Duck DNS does not say whether anything changed, and we want to know",
			},
		},
		{
			name: "namecheap", hosts: []string{"dynamicdns.park-your-domain.com"}, fresh: namecheap, addrs: []string{ip4},
			ours: toml("namecheap", "home.example.org", v4, "zone=example.org", "password="+namecheapPassword),
			peer: ddclient, conf: ddclientConf("use=ip, ip="+ip4, "namecheap", "example.org", namecheapPassword, "home.example.org"),
		},
		{
			name: "desec", hosts: []string{"update.dedyn.io"}, fresh: desec, addrs: []string{ip4},
			ours: toml("desec", "home.dedyn.io", v4, "zone=home.dedyn.io", "token=i-T3b1h_OI-H9ab8tRS98stGtURe"),
			peer: ddclient, conf: ddclientConf("use=ip, ip="+ip4, "dyndns2", "home.dedyn.io", "i-T3b1h_OI-H9ab8tRS98stGtURe", "home.dedyn.io", "server=update.dedyn.io"),
			why: reasons{
				"system=dyndns":                                               "as Dyn's protocol had it; ignored",
				"vendor: undocumented parameter system":                       "as Dyn's protocol had it; ignored",
				"path /nic/update, not /":                                     "deSEC takes any path",
				"vendor: path /nic/update: allowed, but not what clients use": "as above",
				"myip=203.0.113.7":                                            "the dyndns2 name of the parameter, which deSEC takes for either family",
				"no myipv4":                                                   "as above",
				"no myipv6":                                                   "it does not know preserve",
				"vendor: AAAA is deleted":                                     "what follows from that",
			},
			other: "ddclient deletes the AAAA record, as deSEC does with a family that is not named",
		},
		{
			name: "gandi", hosts: []string{"api.gandi.net"}, fresh: gandi, addrs: []string{ip4},
			ours: toml("gandi", "home.example.org", v4, "zone=example.org", "token=pat"),
			peer: ddclient, conf: ddclientConf("use=ip, ip="+ip4, "gandi", "", "pat", "home.example.org", "zone=example.org"),
			why: reasons{
				"Authorization Apikey pat":                    "of before personal access tokens; deprecated",
				"vendor: Authorization: Apikey is deprecated": "as above",
				"no member rrset_ttl":                         "ttl is not in its configuration: Gandi takes 3 hours, too long for an address that changes",
			},
			other: "ddclient leaves Gandi's default TTL",
		},
		{
			name: "ovh-dynhost", hosts: []string{"dns.eu.ovhapis.com", "www.ovh.com"}, fresh: dynHost, addrs: []string{ip4},
			ours: toml("ovh-dynhost", "home.example.org", v4, "username=example.org-home", "password=secret"),
			peer: ddclient, conf: ddclientConf("use=ip, ip="+ip4, "ovh", "example.org-home", "secret", "home.example.org"),
			why: reasons{
				"host www.ovh.com, not dns.eu.ovhapis.com": "the host of before; the guide names the new one, the old one still answers",
			},
		},
		{
			name: "ovh-dynhost", hosts: []string{"dns.eu.ovhapis.com", "www.ovh.com"}, fresh: dynHost, addrs: []string{ip4},
			ours: toml("ovh-dynhost", "home.example.org", v4, "username=example.org-home", "password=secret"),
			peer: inadyn, conf: inadynConf("default@ovh.com", "example.org-home", "secret", "home.example.org", ip4),
			why: reasons{
				"host www.ovh.com, not dns.eu.ovhapis.com": "the host of before; the guide names the new one, the old one still answers",
			},
		},
		{
			name: "cloudflare", hosts: []string{"api.cloudflare.com"}, fresh: cloudflare, addrs: []string{ip4},
			ours: toml("cloudflare", "home.example.org", v4, "token=token", "zone=example.org"),
			peer: ddclient, conf: ddclientConf("use=ip, ip="+ip4, "cloudflare", "token", "token", "home.example.org", "zone=example.org"),
			why: reasons{
				"path /client/v4/zones/, not /client/v4/zones": "a slash more, which Cloudflare takes",
				"no status":                     "a zone that was moved away is not for us",
				"no per_page":                   "the page has 100 records anyway",
				"Content-Type application/json": "with a GET too, where there is no content",
			},
		},
		{
			name: "cloudflare", hosts: []string{"api.cloudflare.com"}, fresh: cloudflare, addrs: []string{ip4},
			ours: toml("cloudflare", "home.example.org", v4, "token=token", "zone=example.org"),
			peer: inadyn, conf: inadynConf("default@cloudflare.com", "example.org", "token", "home.example.org", ip4, "ttl = 1"),
			why: reasons{
				"no status":                     "a zone that was moved away is not for us",
				"no per_page":                   "the page has 100 records anyway",
				"Content-Type application/json": "with a GET too, where there is no content",
				"method PUT, not PATCH":         "inadyn writes the whole record anew, and later versions do as we",
				"member name=home.example.org":  "as above",
				"member type=A":                 "as above",
				"member ttl=1":                  "as above, in place of the record's own",
				"member proxied=false":          "as above",
			},
			other: "a proxied record with a comment and a TTL is one without after inadyn",
		},
	}
}
