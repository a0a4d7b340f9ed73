package provider

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/dns"
)

// publish4and6 are updates of both families for each hostname.
func publish4and6(ipv4, ipv6 string, hosts ...string) (updates []Update) {
	for _, host := range hosts {
		for _, text := range []string{ipv4, ipv6} {
			if text != "" {
				addr := netip.MustParseAddr(text)
				updates = append(updates, Update{Hostname: host, Family: config.FamilyOf(addr), Addr: addr})
			}
		}
	}
	return updates
}

func checkAll(t *testing.T, got []Outcome, want Outcome) {
	t.Helper()
	for _, o := range got {
		if checkOutcome(t, o, want); t.Failed() {
			return
		}
	}
}

var stored = Outcome{Class: Updated, Sent: true, Text: "NOERROR"}

func (s *nameServerProcess) expect(t *testing.T, name string, typ dnsmessage.Type, want ...string) {
	t.Helper()
	if got := s.records(t, name, typ); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %s %v: %v, want %v", s.name, name, typ, got, want)
	}
}

// TestUpdatesAtRealServers is the life of records at each server.
func TestUpdatesAtRealServers(t *testing.T) {
	eachServer(t, func(t *testing.T, s *nameServerProcess) {
		const a, aaaa = dnsmessage.TypeA, dnsmessage.TypeAAAA
		p := s.account(t, nil)
		send := func(updates []Update) []Outcome { return p.Send(t.Context(), Origin{}, updates) }
		t.Run("create, change, remove", func(t *testing.T) {
			checkAll(t, send(publish4and6("203.0.113.7", "2001:db8::7", "home.example.org")), stored)
			s.expect(t, "home.example.org", a, "60 203.0.113.7")
			s.expect(t, "home.example.org", aaaa, "60 2001:db8::7")

			change := publish4and6("203.0.113.8", "", "home.example.org")
			change[0].TTL = 5 * time.Minute
			checkAll(t, send(change), stored)
			checkAll(t, send(change), stored) // the same again
			s.expect(t, "home.example.org", a, "300 203.0.113.8")
			s.expect(t, "home.example.org", aaaa, "60 2001:db8::7")

			checkAll(t, p.Remove(t.Context(), Origin{}, change), stored)
			checkAll(t, p.Remove(t.Context(), Origin{}, change), stored) // there is none any more
			s.expect(t, "home.example.org", a)
			s.expect(t, "home.example.org", aaaa, "60 2001:db8::7")
		})
		t.Run("other types stay", func(t *testing.T) {
			checkAll(t, send(publish4and6("203.0.113.7", "", "keep.example.org", "example.org")), stored)
			checkAll(t, p.Remove(t.Context(), Origin{}, publish4and6("203.0.113.7", "2001:db8::7", "keep.example.org", "example.org")), stored)
			s.expect(t, "keep.example.org", dnsmessage.TypeTXT, "300 untouched")
			s.expect(t, "keep.example.org", dnsmessage.TypeMX, "300 ns.example.org.")
			s.expect(t, "keep.example.org", a)
			s.expect(t, "ns.example.org", a, "300 127.0.0.1")
		})
		t.Run("a wildcard", func(t *testing.T) {
			checkAll(t, send(publish4and6("203.0.113.7", "", "*.wild.example.org")), stored)
			s.expect(t, "any.wild.example.org", a, "60 203.0.113.7")
		})
		t.Run("forty names", func(t *testing.T) {
			var hosts []string
			for i := range 40 {
				hosts = append(hosts, fmt.Sprintf("host%d.many.example.org", i))
			}
			updates := publish4and6("203.0.113.9", "2001:db8::9", hosts...)
			if groups := p.Group(updates); len(groups) != 1 || len(groups[0]) != 80 {
				t.Errorf("%d groups", len(groups))
			}
			if n := len(updateMessage("example.org", p.dns.changes(updates, false))); n <= dns.MaxPlain {
				t.Errorf("%d bytes go over UDP", n)
			}
			checkAll(t, send(updates), stored)
			s.expect(t, hosts[0], a, "60 203.0.113.9")
			s.expect(t, hosts[39], aaaa, "60 2001:db8::9")
		})
		t.Run("over IPv6", func(t *testing.T) {
			p := s.account(t, map[string]string{"server": "[::1]:" + itoa(int(s.port))})
			checkAll(t, p.Send(t.Context(), Origin{}, publish4and6("203.0.113.7", "", "six.example.org")), stored)
			s.expect(t, "six.example.org", a, "60 203.0.113.7")
		})
		t.Run("CNAME", func(t *testing.T) {
			const cname = dnsmessage.TypeCNAME
			set := func(name, target string) Outcome { return p.dns.setCNAME(t.Context(), Origin{}, name, target, 0) }
			checkOutcome(t, set("alias.example.org", "home.ddns.net"), stored)
			checkOutcome(t, set("alias.example.org", "home.dynu.net."), stored)
			s.expect(t, "alias.example.org", cname, "60 home.dynu.net.")
			checkOutcome(t, set("keep.example.org", "home.ddns.net"), Outcome{Class: BadRequest, Sent: true, Text: "YXRRSET: other records stand"})
			s.expect(t, "keep.example.org", cname)
			s.expect(t, "keep.example.org", dnsmessage.TypeTXT, "300 untouched")
			checkOutcome(t, set("alias.example.org", "not a name"), Outcome{Class: BadRequest, Text: "not a name"})
			checkOutcome(t, set("alias.example.com", "home.ddns.net"), Outcome{Class: BadRequest, Text: "not in the zone"})
			checkOutcome(t, set("example.org", "home.ddns.net"), Outcome{Class: BadRequest, Sent: true, Text: "YXRRSET: other records stand"})
			for host, ok := range map[string]bool{"alias.example.org": true, "example.org": false, "alias.example.com": false} {
				if err := p.CheckCNAME(host); ok != (err == nil) {
					t.Error(host, err)
				}
			}
		})
		t.Run("each algorithm", func(t *testing.T) {
			for i, alg := range tsigAlgorithms {
				fields := map[string]string{"key_name": keyName(alg.name) + ".", "key_algorithm": alg.name}
				if alg.weak {
					fields["allow_weak"] = "true"
				}
				addr := fmt.Sprintf("203.0.113.%d", 20+i)
				checkAll(t, s.account(t, fields).Send(t.Context(), Origin{}, publish4and6(addr, "", "alg.example.org")), stored)
				s.expect(t, "alg.example.org", a, "60 "+addr)
			}
		})
	})
}

// TestRefusalsOfRealServers is what each server says to what it does not want.
func TestRefusalsOfRealServers(t *testing.T) {
	eachServer(t, func(t *testing.T, s *nameServerProcess) {
		one := publish4and6("203.0.113.7", "", "home.example.org")
		unsigned := Outcome{Class: Unknown, Text: "REFUSED, unsigned: the key's name, algorithm or secret is not the server's, or the clock is wrong"}
		badKey := Outcome{Class: BadAuth, Account: true, Text: "BADKEY: the server does not know this key with this algorithm, or not for this name"}
		badSig := Outcome{Class: BadAuth, Account: true, Text: "BADSIG: the key's secret is not the server's"}
		refused := Outcome{Class: WrongOwner, Text: "REFUSED: the server does not let this key change this name"}
		notAuth := Outcome{Class: NoHost, Text: "NOTAUTH: the server is not authoritative for the zone"}
		for _, c := range []struct {
			name              string
			fields            map[string]string
			host              string
			bind, knot, power Outcome
		}{
			{"unknown key", map[string]string{"key_name": "stranger"}, "", badKey, badKey, unsigned},
			{"wrong algorithm", map[string]string{"key_algorithm": "hmac-sha512"}, "", badKey, badKey, unsigned},
			{"wrong secret", map[string]string{"key_secret": "d3Jvbmc="}, "", badSig, badSig, unsigned},
			{"no such zone", map[string]string{"zone": "example.com"}, "home.example.com", notAuth, notAuth, notAuth},
			{"not allowed", map[string]string{"key_name": "limited"}, "", refused, badKey, refused},
			{"no key", map[string]string{"key_name": "", "key_secret": ""}, "", refused, notAuth, refused},
			{"no key, no such zone", map[string]string{"key_name": "", "key_secret": "", "zone": "example.com"}, "home.example.com", notAuth, notAuth, notAuth},
			{"unknown key, no zone given", map[string]string{"key_name": "stranger", "zone": ""}, "", badKey, badKey, unsigned},
		} {
			want := map[string]Outcome{"BIND": c.bind, "Knot": c.knot, "PowerDNS": c.power}[s.name]
			t.Run(c.name, func(t *testing.T) {
				p := s.account(t, c.fields)
				p.dns.unit = 100 * time.Millisecond
				updates := one
				if c.host != "" {
					updates = publish4and6("203.0.113.7", "", c.host)
				}
				want.Sent = true
				got := p.Send(t.Context(), Origin{}, updates)
				checkAll(t, got, want)
				if key := p.fields["key_name"]; key != "" && !strings.Contains(got[0].Text, "(key "+key+", zone example.") || key == "" && !strings.Contains(got[0].Text, "(no key, zone example.") {
					t.Errorf("%q does not tell the key", got[0].Text)
				}
			})
		}
		t.Run("no zone found", func(t *testing.T) {
			p := s.account(t, map[string]string{"zone": ""})
			checkAll(t, p.Send(t.Context(), Origin{}, publish4and6("203.0.113.7", "", "home.example.com")),
				Outcome{Class: NoHost, Sent: true, Text: "no zone found for this name: set `zone` and `server`"})
		})
		s.expect(t, "home.example.org", dnsmessage.TypeA)
	})
}

// TestOneRefusedNameDoesNotHoldUpTheOthers in the same message.
func TestOneRefusedNameDoesNotHoldUpTheOthers(t *testing.T) {
	s := startServer(t, "BIND")
	p := s.account(t, map[string]string{"key_name": "limited"})
	got := p.Send(t.Context(), Origin{}, publish4and6("203.0.113.7", "2001:db8::7", "other.example.org", "allowed.example.org"))
	checkAll(t, got[:2], Outcome{Class: WrongOwner, Sent: true, Text: "REFUSED"})
	checkAll(t, got[2:], stored)
	s.expect(t, "allowed.example.org", dnsmessage.TypeA, "60 203.0.113.7")
}

// TestWrongClock: the server's own time helps, where it tells and signs it.
// PowerDNS does neither: the outcome must not block the record for good, as a
// router's clock is often wrong until the WAN has been up for some seconds.
func TestWrongClock(t *testing.T) {
	eachServer(t, func(t *testing.T, s *nameServerProcess) {
		for _, off := range []time.Duration{-20 * 365 * 24 * time.Hour, -time.Hour, time.Hour} {
			p := s.account(t, nil)
			p.dns.unit = 100 * time.Millisecond
			p.dns.now = func() time.Time { return time.Now().Add(off) }
			got := p.Send(t.Context(), Origin{}, publish4and6("203.0.113.7", "", "clock.example.org"))[0]
			year := time.Now().Add(off).UTC().Format("2006-01-")
			if s.name == "PowerDNS" {
				checkOutcome(t, got, Outcome{Class: Unknown, Sent: true, Text: "or the clock is wrong: here it is " + year})
				if got.Class.Permanent() {
					t.Error("blocks the record")
				}
				continue
			}
			checkOutcome(t, got, Outcome{Class: Updated, Sent: true, Text: "NOERROR", Warning: "check the router's clock: it says " + year})
			if !strings.Contains(got.Warning, ", the server's "+time.Now().UTC().Format("2006-01-")) {
				t.Errorf("warning %q", got.Warning)
			}
		}
	})
}

// TestZoneAndServerAreFound where the account names neither or one.
func TestZoneAndServerAreFound(t *testing.T) {
	eachServer(t, func(t *testing.T, s *nameServerProcess) {
		for name, fields := range map[string]map[string]string{
			"zone":   {"zone": ""},
			"server": {"server": ""},
			"both":   {"zone": "", "server": ""},
		} {
			t.Run(name, func(t *testing.T) {
				p := s.account(t, fields)
				p.dns.primaryPort = s.port // the servers of tests have no port 53
				p.transport.resolver.port = s.port
				p.transport.resolver.path = resolvConf(t, "", "127.0.0.1")
				for _, host := range []string{"a.b." + name + ".example.org", name + ".example.org", "a.b." + name + ".example.org"} {
					checkAll(t, p.Send(t.Context(), Origin{}, publish4and6("203.0.113.7", "", host)), stored)
					s.expect(t, host, dnsmessage.TypeA, "60 203.0.113.7")
				}
			})
		}
	})
}
