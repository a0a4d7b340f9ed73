package vendors

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

// rrset is one set of records of a zone, in the vendors' words.
type rrset struct {
	values []string
	ttl    int
}

// newGandi is Gandi's LiveDNS, after https://api.gandi.net/docs/livedns/ and
// https://api.gandi.net/docs/authentication/. The domain is example.org, the
// token "pat". The sets are by "NAME TYPE".
func newGandi() (*vendor, map[string]rrset) {
	sets := map[string]rrset{}
	v := &vendor{answer: func(x *exchange) {
		x.only()
		auth := x.header.Get("Authorization")
		if key, ok := strings.CutPrefix(auth, "Apikey "); ok {
			x.note("Authorization: Apikey is deprecated")
			auth = "Bearer " + key
		}
		if auth != "Bearer pat" {
			gandiError(x, 401, "HTTPUnauthorized", "Unauthorized", "The server could not verify that you authorized to access the document you requested.")
			return
		}
		parts := strings.Split(strings.TrimPrefix(x.path, "/v5/livedns/domains/"), "/")
		if !strings.HasPrefix(x.path, "/v5/livedns/domains/") || len(parts) != 4 || parts[1] != "records" {
			return
		}
		name, err := url.PathUnescape(parts[2])
		if err != nil || strings.Contains(name, "example.org") {
			x.note("name %q", parts[2])
		}
		key := name + " " + parts[3]
		if parts[0] != "example.org" {
			gandiError(x, 404, "HTTPNotFound", "Not Found", "The resource could not be found.")
			return
		}
		switch x.method {
		case "DELETE":
			delete(sets, key)
			x.reply(204, "", "")
		case "PUT":
			var body struct {
				Values []string `json:"rrset_values"`
				TTL    *int     `json:"rrset_ttl"`
			}
			switch {
			case !x.object(&body) || len(body.Values) == 0:
				gandiError(x, 400, "HTTPBadRequest", "Bad Request", "rrset_values: Required")
			case body.TTL != nil && (*body.TTL < 300 || *body.TTL > 2592000):
				gandiError(x, 400, "HTTPBadRequest", "Bad Request", "rrset_ttl: out of range")
			case !gandiValues(parts[3], body.Values):
				gandiError(x, 400, "HTTPBadRequest", "Bad Request", "rrset_values: not addresses of the type")
			default:
				set := rrset{values: body.Values, ttl: 10800}
				if body.TTL != nil {
					set.ttl = *body.TTL
				}
				sets[key] = set
				x.replyJSON(201, map[string]string{"message": "DNS Record Created"})
			}
		}
	}}
	return v, sets
}

func gandiValues(kind string, values []string) bool {
	for _, text := range values {
		addr, err := netip.ParseAddr(text)
		if err != nil || kind != map[bool]string{true: "A", false: "AAAA"}[addr.Is4()] {
			return false
		}
	}
	return true
}

func gandiError(x *exchange, code int, object, cause, message string) {
	x.replyJSON(code, map[string]any{"object": object, "cause": cause, "code": code, "message": message})
}

// wantSets compares sets of one value each with "NAME TYPE TTL VALUE" lines.
func wantSets(t *testing.T, v *vendor, sets map[string]rrset, lines ...string) {
	t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(sets) != len(lines) {
		t.Errorf("the vendor has %v, want %q", sets, lines)
	}
	for _, line := range lines {
		words := strings.Fields(line)
		set := sets[words[0]+" "+words[1]]
		if itoa(set.ttl) != words[2] || strings.Join(set.values, ",") != words[3] {
			t.Errorf("the vendor has %v, want %q", sets, lines)
			return
		}
	}
}

func TestGandi(t *testing.T) {
	v, sets := newGandi()
	serve(t, v, "api.gandi.net")
	const account = `
[provider.gandi]
zone = "example.org"
token = "pat"
`
	const home = `
[[record]]
hostname = "home.example.org"
provider = "gandi"
families = ["ipv4", "ipv6"]
`
	c := configure(t, v, account+home+`
[[record]]
hostname = "example.org"
provider = "gandi"
ttl = "1h"
[[record]]
hostname = "*.example.org"
provider = "gandi"
ttl = "60s"
`)
	c.wants(updated, "203.0.113.7")
	c.wants(updated, "203.0.113.7") // Gandi says the same to this
	c.wants(updated, "203.0.113.8")
	c.wants(updated, "203.0.113.9", "2001:db8::9")
	c.calls(13)
	// 60 s are less than Gandi's minimum, which is taken instead.
	wantSets(t, v, sets, "home A 300 203.0.113.9", "home AAAA 300 2001:db8::9", "@ A 3600 203.0.113.9", "* A 300 203.0.113.9")

	configure(t, v, strings.Replace(account, "pat", "bad", 1)+home).wants(badAuth, "203.0.113.10")
	configure(t, v, strings.ReplaceAll(account+home, "example.org", "example.net")).wants(noHost, "203.0.113.10")

	one := configure(t, v, account+home)
	one.compare(one.remove("203.0.113.9"), updated)
	wantSets(t, v, sets, "home AAAA 300 2001:db8::9", "@ A 3600 203.0.113.9", "* A 300 203.0.113.9")
	v.check(t)
}
