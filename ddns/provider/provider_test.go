package provider

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// custom makes a provider of a definition in the test.
func custom(t testing.TB, text, server string, fields map[string]string) *Provider {
	t.Helper()
	def, errs := parseDefinition("custom", "custom.toml", []byte(text))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	acct := accountOf(fields)
	acct.Server = server
	p, problems := New(def, acct, Options{Version: "1.2.3", Timeout: 5 * time.Second})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return p
}

func TestProblemsOfAccounts(t *testing.T) {
	cat, _ := Open("")
	for _, c := range []struct {
		name   string
		fields map[string]string
		want   string
	}{
		{"noip", map[string]string{"usrname": "a", "password": "hunter22"}, "username missing; did you mean `username`?"},
		{"noip", map[string]string{"username": "a"}, "password missing: Password"},
		{"duckdns", map[string]string{"token": "x", "colour": "red"}, "colour unknown key for provider type \"duckdns\"; it has token"},
		{"duckdns", map[string]string{"token": "hunter22\r\nX: y"}, "token has a control character"},
		{"desec", map[string]string{"username": "a.dedyn.io", "password": "b"}, ""},
		{"generic", map[string]string{"url": "https://a.example/{hostnme}"}, "url there is no placeholder {hostnme}"},
		{"generic", map[string]string{"url": "http://a.example/{hostname}"}, "url plain http"},
		{"generic", map[string]string{"success": "good*"}, "url missing"},
		{"generic", map[string]string{"url": "https://a.example/", "success": "status 999"}, "success pattern"},
		{"generic", map[string]string{"url": "https://a.example/", "headers": "nonsense"}, "headers each line"},
		{"generic", map[string]string{"url": "https://a.example/", "method": "BREW"}, "method is none of"},
	} {
		def, err := cat.Lookup(c.name)
		if err != nil {
			t.Fatal(err)
		}
		p, problems := New(def, accountOf(c.fields), Options{})
		if (p == nil) != (len(problems) > 0) {
			t.Errorf("%v %v", p, problems)
		}
		var got []string
		for _, f := range problems {
			got = append(got, f.Key+" "+f.Message)
		}
		text := strings.Join(got, "; ")
		for part := range strings.SplitSeq(c.want, "; ") {
			if !strings.Contains(text, part) {
				t.Errorf("%s: %q, want %q", c.name, text, part)
			}
		}
		if c.want == "" && text != "" || strings.Contains(text, "hunter22") {
			t.Errorf("%s: %q", c.name, text)
		}
	}
}

func TestCheckHost(t *testing.T) {
	noip, duck := account(t, "noip", "", nil), account(t, "duckdns", "", nil)
	he, namecheap := account(t, "he", "", nil), account(t, "namecheap", "", nil)
	for _, c := range []struct {
		p    *Provider
		host string
		want string
	}{
		{noip, "home.ddns.net", ""}, {noip, "my_host.ddns.net", ""}, {noip, "xn--bcher-kva.ddns.net", ""},
		{noip, "home", "not a full hostname"}, {noip, "home..net", "empty part"}, {noip, "bücher.net", "xn--"},
		{noip, "a b.net", "cannot have"}, {noip, "-a.net", "begins or ends"}, {noip, "*.ddns.net", "wildcard"},
		{noip, strings.Repeat("a", 64) + ".net", "63"}, {noip, strings.Repeat("abc.", 80) + "net", "253"},
		{noip, "a.net&x=y", "cannot have"},
		{duck, "home.duckdns.org", ""}, {duck, "home", `did you mean "home.duckdns.org"?`},
		{he, "*.example.org", ""},
		{namecheap, "a.b.example.org", ""}, {namecheap, "example.org", ""},
		{namecheap, "home.example.net", "not in the zone"}, {namecheap, "homeexample.org", "not in the zone"},
	} {
		err := c.p.CheckHost(c.host)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: %v, want %q", c.p.def.Name, c.host, err, c.want)
		}
	}
}

func TestGroup(t *testing.T) {
	v4, v6 := netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("2001:db8::7")
	four := func(h string) Update { return Update{Hostname: h, Family: config.IPv4, Addr: v4} }
	six := func(h string) Update { return Update{Hostname: h, Family: config.IPv6, Addr: v6} }
	a, b := "a.example.org", "b.example.org"
	longTTL := four(b)
	longTTL.TTL = time.Hour
	for _, c := range []struct {
		provider string
		updates  []Update
		want     string
	}{
		{"noip", []Update{four(a), six(a)}, "[[0 1]]"},
		{"noip", []Update{six(a), four(a)}, "[[1 0]]"},
		{"noip", []Update{four(a), four(b), six(b), six(a)}, "[[0 3 1 2]]"},
		{"noip", []Update{four(a), four(b), six(b)}, "[[0] [1 2]]"},
		{"noip", []Update{four(a), longTTL}, "[[0] [1]]"},
		{"dynv6", []Update{four(a), four(b), six(b)}, "[[0] [1 2]]"},
		{"he", []Update{four(a), six(a), four(b)}, "[[0] [1] [2]]"},
		{"noip", nil, "[]"},
	} {
		if got := fmt.Sprint(account(t, c.provider, "", nil).Group(c.updates)); got != c.want {
			t.Errorf("%s: %s, want %s", c.provider, got, c.want)
		}
	}
}

const must = `title = "Must"
family = "dyndns2"
[url]
ipv4 = "https://dyn.example.net/?ip={ipv4}"
ipv6 = "https://dyn.example.net/?ip6={ipv6}"
both = "https://dyn.example.net/?ip={ipv4}&ip6={ipv6}"
[hosts]
list = true
families = "must"
`

// TestMustSendsTheOtherFamilyToo: such providers delete what is not sent.
func TestMustSendsTheOtherFamilyToo(t *testing.T) {
	p := custom(t, must, "", nil)
	u := Update{Hostname: "a.example.org", Family: config.IPv6, Addr: netip.MustParseAddr("2001:db8::7"), Other: netip.MustParseAddr("203.0.113.7")}
	if got := fmt.Sprint(p.Preview([]Update{u})); got != "[GET https://dyn.example.net/?ip=203.0.113.7&ip6=2001:db8::7]" {
		t.Error(got)
	}
	u.Other = netip.Addr{}
	if got := fmt.Sprint(p.Preview([]Update{u})); got != "[GET https://dyn.example.net/?ip6=2001:db8::7]" {
		t.Error(got)
	}
}

// TestNeverAnEmptyAddress: it would delete.
func TestNeverAnEmptyAddress(t *testing.T) {
	s := newPeer(t, raw(answerOf("200 OK", "", "good")))
	p := account(t, "desec", "http://"+s.addr, nil)
	for _, u := range []Update{
		{Hostname: "home.dedyn.io", Family: config.IPv4},
		{Hostname: "home.dedyn.io", Family: config.IPv4, Addr: netip.MustParseAddr("2001:db8::7")},
	} {
		checkOutcome(t, p.Send(t.Context(), Origin{}, []Update{u})[0], Outcome{Class: BadRequest, Text: "no address"})
	}
	if n := len(s.requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestDuckDNSDoesNotRemoveTheOtherFamily(t *testing.T) {
	p := account(t, "duckdns", "", nil)
	u := Update{Hostname: "home.duckdns.org", Family: config.IPv4, Addr: wanted, Other: netip.MustParseAddr("2001:db8::7")}
	checkOutcome(t, p.Remove(t.Context(), Origin{}, []Update{u})[0], Outcome{Class: BadRequest, Text: "keep the other"})
}

func TestPreviewHasNoSecrets(t *testing.T) {
	for name, want := range map[string]string{
		"noip":      "GET https://dynupdate.no-ip.com/nic/update?hostname=a.example.org&myip=203.0.113.250",
		"duckdns":   "GET https://www.duckdns.org/update?domains=a.example.org&token=***&ip=203.0.113.250&verbose=true",
		"afraid-v2": "GET https://sync.afraid.org/u/***/?address=203.0.113.250",
		"namecheap": "GET https://dynamicdns.park-your-domain.com/update?host=a&domain=example.org&password=***&ip=203.0.113.250",
	} {
		if got := account(t, name, "", nil).Preview(update4("a.example.org")); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	p := account(t, "generic", "", map[string]string{
		"url": "https://a.example/{password|md5}/{token}?key=literal-secret&ip={ipv4}", "password": "hunter22", "token": "to ken",
	})
	if got := p.Preview(update4("a.example.org"))[0]; got != "GET https://a.example/***/***?key=***&ip=203.0.113.250" {
		t.Error(got)
	}
}

// TestSecretsAreMaskedInEveryForm that an answer may repeat.
func TestSecretsAreMaskedInEveryForm(t *testing.T) {
	m := newMasker([]string{`p"a/ss wörd&`}, `user:p"a/ss wörd&`)
	for _, text := range []string{
		`p"a/ss wörd&`, "p%22a%2Fss+w%C3%B6rd%26", "p%22a%2fss%20w%c3%b6rd%26", `p\"a/ss wörd&`,
		transform("base64", `user:p"a/ss wörd&`), transform("md5", `p"a/ss wörd&`), transform("sha1", `p"a/ss wörd&`),
	} {
		if got := m.peer("a " + text + " b"); got != `"a *** b"` {
			t.Errorf("%s: %s", text, got)
		}
	}
	long := strings.Repeat("x", 195) + `p"a/ss wörd&`
	if got := m.peer(long); strings.Contains(got, "p") {
		t.Error(got)
	}
}

func TestSupports(t *testing.T) {
	for name, want := range map[string][4]bool{ // IPv4, IPv6, TTL, remove
		"noip": {true, true, false, false}, "namecheap": {true, false, false, false}, "dynv6": {true, true, false, true},
	} {
		p := account(t, name, "", nil)
		if got := [4]bool{p.Supports(config.IPv4), p.Supports(config.IPv6), p.HasTTL(), p.CanRemove()}; got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// FuzzReply: whatever bytes come back, each update has an outcome with a
// harmless text, and success needs a word of success.
func FuzzReply(f *testing.F) {
	for _, seed := range []string{"good 203.0.113.250", "nochg", "good 127.0.0.1", "w5m", "badauth\n<html>", "good\nnohost", "\r\r\n", "good 1,2,3,::1"} {
		f.Add(answerOf("200 OK", "Retry-After: 5\r\n", seed))
	}
	f.Add("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n")
	dyn, duck := account(f, "dyn", "", nil), account(f, "duckdns", "", nil)
	f.Fuzz(func(t *testing.T, answer string) {
		client, server := net.Pipe()
		go func() {
			server.Write([]byte(answer))
			server.Close()
		}()
		r, err := readResponse(newReader(client), maxBody)
		client.Close()
		if err != nil {
			return
		}
		if len(r.body) > maxBody {
			t.Fatalf("body of %d bytes", len(r.body))
		}
		for _, p := range []*Provider{dyn, duck} {
			updates := update4("a.duckdns.org", "b.duckdns.org")
			outcomes, _ := p.def.interpret(r, updates, time.Unix(1e9, 0), p.masker)
			if len(outcomes) != len(updates) {
				t.Fatalf("%d outcomes", len(outcomes))
			}
			for _, o := range outcomes {
				if hasControl(o.Text) || len([]rune(o.Text)) > maxText || o.Class == "" || o.Wait < 0 || o.Wait > maxWait {
					t.Errorf("%+v", o)
				}
				low := strings.ToLower(r.body)
				if o.Class.Done() && !strings.Contains(low, "good") && !strings.Contains(low, "nochg") && !strings.HasPrefix(strings.TrimSpace(low), "ok") {
					t.Errorf("%q is a success", r.body)
				}
			}
		}
	})
}
