package provider

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// fromText makes a provider of a definition's text and an account's fields.
func fromText(t *testing.T, text string, fields map[string]string) *Provider {
	t.Helper()
	def, errs := parseDefinition("mine", "mine.toml", []byte(text))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	acct := config.Provider{Name: "example", Type: "mine", Fields: map[string]config.Secret{}}
	for key, value := range fields {
		acct.Fields[key] = config.NewSecret(value)
	}
	p, problems := New(def, acct, Options{Version: "1.2.3"})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return p
}

const formed = `title = "Mine"
family = "template"
[url]
ipv4 = "https://dyn.example.net/{token4}/{zone}?n={name}&root={apex}"
ipv6 = "https://dyn.example.net/{token6}/{zone}?n={name}&root={apex}"
both = "https://dyn.example.net/"
[request]
method = "POST"
content_type = "text/plain"
body = "{type} {address} {ttl} {ttl_minutes}"
body_both = "A {ipv4} AAAA {ipv6} {ttl}"
[hosts]
zone = "{zone}"
apex = ""
families = "may"
[record]
min_ttl = "5m"
[reply]
updated = ["good*"]
[[field]]
key = "zone"
label = "Zone"
[[field]]
key = "token4"
label = "Token of the A record"
[[field]]
key = "token6"
label = "Token of the AAAA record"
`

func TestForms(t *testing.T) {
	update := func(host, addr string, ttl time.Duration) Update {
		a := netip.MustParseAddr(addr)
		return Update{Hostname: host, Family: config.FamilyOf(a), Addr: a, TTL: ttl}
	}
	for _, c := range []struct {
		name    string
		updates []Update
		want    string
	}{
		{"a name in the zone", []Update{update("home.example.org", "203.0.113.7", 0)},
			`POST https://dyn.example.net/t4/example.org?n=home&root=false body "A 203.0.113.7 300 5"`},
		{"the zone itself has no name", []Update{update("example.org", "203.0.113.7", 0)},
			`POST https://dyn.example.net/t4/example.org?n=&root=true body "A 203.0.113.7 300 5"`},
		{"a short TTL is raised", []Update{update("home.example.org", "203.0.113.7", 30*time.Second)},
			`POST https://dyn.example.net/t4/example.org?n=home&root=false body "A 203.0.113.7 300 5"`},
		{"minutes are rounded up", []Update{update("home.example.org", "203.0.113.7", 301*time.Second)},
			`POST https://dyn.example.net/t4/example.org?n=home&root=false body "A 203.0.113.7 301 6"`},
		{"both families have a body of their own", []Update{update("home.example.org", "203.0.113.7", 0), update("home.example.org", "2001:db8::7", 0)},
			`POST https://dyn.example.net/ body "A 203.0.113.7 AAAA 2001:db8::7 300"`},
		{"a key that this family needs is not set", []Update{update("home.example.org", "2001:db8::7", 0)},
			`Mine needs the key token6 (Token of the AAAA record) for ipv6`},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := fromText(t, formed, map[string]string{"zone": "example.org", "token4": "t4"})
			if got := strings.Join(p.Preview(c.updates), "\n"); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
		})
	}
	if p := fromText(t, formed, nil); !p.HasTTL() {
		t.Error("the TTL does not arrive")
	}
}

// TestWebPages: where web pages are answers, words prove a success, and no
// other page is one.
func TestWebPages(t *testing.T) {
	const text = "title = \"Mine\"\nfamily = \"template\"\n[url]\nipv4 = \"https://dyn.example.net/\"\n[reply]\nweb_page = true\n"
	p := fromText(t, text+`updated = ["*update done*"]`, nil)
	for body, want := range map[string]Class{
		"<html><body>Update done.</body></html>":    Updated,
		"<html><body>Please log in</body></html>":   Unknown,
		"<html><body>Nothing is done</body></html>": Unknown,
	} {
		outcomes, _ := p.def.interpret(&response{status: 200, body: body}, []Update{{Hostname: "home.example.org", Family: config.IPv4}}, time.Now(), p.masker)
		if got := outcomes[0]; got.Class != want || strings.Contains(got.Text, "<") {
			t.Errorf("%s: %s (%s), want %s", body, got.Class, got.Text, want)
		}
	}
	for pattern, wrong := range map[string]bool{
		"status 200": true, "*done* || status 2xx": true, "status 200 && *done*": false, "*done*": false,
	} {
		_, errs := parseDefinition("mine", "mine.toml", []byte(text+`updated = ["`+pattern+`"]`))
		if (len(errs) > 0) != wrong {
			t.Errorf("%s: %v", pattern, errs)
		}
	}
}

func TestBrokenForms(t *testing.T) {
	for add, want := range map[string]string{
		"[request]\nbody = \"x\"\ncontent_type = \"text/plain\"\nbody_both = \"y\"": "request.body_both: there is no URL for both families",
		"[remove]\nbody = \"x\"":                               "request.content_type: missing",
		"ipv6 = \"https://dyn.example.net/?root={apex}\"":      "url.ipv6: {zone} and {name} need hosts.zone",
		"[[field]]\nkey = \"ttl_minutes\"\nlabel = \"x\"":      "field.key: \"ttl_minutes\" is taken",
		"[record]\nmin_tttl = \"5m\"":                          "did you mean \"min_ttl\"?",
		"[remove]\nmethod = \"DELETE\"\nbody_both = \"{typ}\"": "there is no placeholder {typ}",
	} {
		_, errs := parseDefinition("mine", "mine.toml", []byte(minimal+add+"\n"))
		found := false
		for _, err := range errs {
			found = found || strings.Contains(err.Error(), want)
		}
		if !found {
			t.Errorf("%s\n%v, want %q", add, errs, want)
		}
	}
}
