package vendors

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// pbRecord is a DNS record as Porkbun's API has it: all texts.
type pbRecord struct {
	ID      string `json:"id"`
	Name    string `json:"name"` // full
	Type    string `json:"type"`
	Content string `json:"content"`
	TTL     string `json:"ttl"`
	Prio    string `json:"prio"`
	Notes   string `json:"notes"`
}

// porkbun is Porkbun's API v3, after
// https://porkbun.com/api/json/v3/documentation. The domain is example.org, the
// keys "pk1_a" and "sk1_b". Debian's ddclient (3.10) and inadyn (2.10) do not
// speak it.
type porkbun struct {
	vendor
	records []*pbRecord
	made    int
	closed  bool // API access of the domain is switched off
}

func newPorkbun(records ...*pbRecord) *porkbun {
	v := &porkbun{records: records, made: 1000}
	v.answer = v.serve
	return v
}

func pbError(x *exchange, message string) {
	x.replyJSON(400, map[string]string{"status": "ERROR", "message": message})
}

// pbBody is all that a body may have.
type pbBody struct {
	Key     string  `json:"apikey"`
	Secret  string  `json:"secretapikey"`
	Name    *string `json:"name"`
	Type    *string `json:"type"`
	Content *string `json:"content"`
	TTL     *string `json:"ttl"`
	Prio    *string `json:"prio"`
	Notes   *string `json:"notes"`
}

func (v *porkbun) serve(x *exchange) {
	path, ok := strings.CutPrefix(x.path, "/api/json/v3/dns/")
	if !ok || x.method != "POST" {
		return
	}
	x.only()
	var body pbBody
	if !x.object(&body) {
		pbError(x, "Invalid JSON.")
		return
	}
	if body.Key != "pk1_a" || body.Secret != "sk1_b" {
		pbError(x, "Invalid API key. (002)")
		return
	}
	parts := strings.Split(path, "/")
	switch {
	case len(parts) < 2:
		return
	case parts[1] != "example.org":
		pbError(x, "Invalid domain.")
		return
	case v.closed:
		pbError(x, "Domain is not opted in to API access.")
		return
	}
	named := func(r *pbRecord) bool { // by type and subdomain
		name := "example.org"
		if len(parts) == 4 && parts[3] != "" {
			name = parts[3] + "." + name
		}
		return len(parts) > 2 && r.Type == parts[2] && r.Name == name
	}
	byID := func(r *pbRecord) bool { return len(parts) == 3 && r.ID == parts[2] }
	switch parts[0] {
	case "retrieve", "retrieveByNameType":
		found := []*pbRecord{}
		for _, r := range v.records {
			if parts[0] == "retrieveByNameType" && named(r) || parts[0] == "retrieve" && (len(parts) == 2 || byID(r)) {
				found = append(found, r)
			}
		}
		x.replyJSON(200, map[string]any{"status": "SUCCESS", "cloudflare": "enabled", "records": found})
	case "create":
		v.write(x, &pbRecord{TTL: "600", Prio: "0"}, body)
	case "edit":
		if i := slices.IndexFunc(v.records, byID); i >= 0 {
			v.write(x, v.records[i], body)
			return
		}
		pbError(x, "Invalid record ID.")
	case "editByNameType":
		x.note("editByNameType changes every record of the name and type")
		for _, r := range v.records {
			if named(r) {
				v.write(x, r, body)
				return
			}
		}
		pbError(x, "Edit error: We were unable to edit the DNS record.")
	case "delete":
		if i := slices.IndexFunc(v.records, byID); i >= 0 {
			v.records = slices.Delete(v.records, i, i+1)
			x.replyJSON(200, map[string]string{"status": "SUCCESS"})
			return
		}
		pbError(x, "Invalid record ID.")
	}
}

// write changes a record, or makes it. A TTL that is not named is 600 then;
// notes that are not named stay.
func (v *porkbun) write(x *exchange, r *pbRecord, body pbBody) {
	if body.Content == nil || body.Type == nil {
		pbError(x, "All required fields are not present.")
		return
	}
	fresh := *r
	fresh.Type, fresh.Content, fresh.TTL = *body.Type, *body.Content, "600"
	set(&fresh.TTL, body.TTL)
	set(&fresh.Notes, body.Notes)
	fresh.Name = "example.org"
	if body.Name != nil && *body.Name != "" {
		if strings.Contains(*body.Name, "example.org") {
			x.note("name %q is not relative", *body.Name)
		}
		fresh.Name = *body.Name + ".example.org"
	}
	addr, err := netip.ParseAddr(fresh.Content)
	switch {
	case fresh.Type == "A" && (err != nil || !addr.Is4()), fresh.Type == "AAAA" && (err != nil || !addr.Is6()):
		pbError(x, "Record content is not a valid IP address.")
	case len(fresh.TTL) < 3 || len(fresh.TTL) == 3 && fresh.TTL < "600":
		x.note("TTL %s is less than the least, 600", fresh.TTL)
		pbError(x, "Invalid TTL.")
	case r.ID != "" && fresh == *r:
		pbError(x, "Edit error: We were unable to edit the DNS record.")
	case r.ID != "":
		*r = fresh
		x.replyJSON(200, map[string]string{"status": "SUCCESS"})
	default:
		*r = fresh
		v.made++
		r.ID = itoa(v.made)
		v.records = append(v.records, r)
		x.replyJSON(200, map[string]any{"status": "SUCCESS", "id": v.made})
	}
}

// String is the records, "NAME TYPE TTL CONTENT[ NOTES]" each.
func (v *porkbun) String() string {
	var lines []string
	for _, r := range v.records {
		lines = append(lines, strings.TrimSuffix(fmt.Sprintf("%s %s %s %s %s", r.Name, r.Type, r.TTL, r.Content, r.Notes), " "))
	}
	return strings.Join(lines, "\n")
}

const pbAccount = `
[provider.porkbun]
api_key = "pk1_a"
secret_key = "sk1_b"
`

const pbHome = `
[[record]]
hostname = "home.example.org"
provider = "porkbun"
families = ["ipv4", "ipv6"]
`

func TestPorkbun(t *testing.T) {
	v := newPorkbun(
		&pbRecord{ID: "1", Type: "A", Name: "home.example.org", Content: "198.51.100.1", TTL: "900", Prio: "0", Notes: "the router"},
		&pbRecord{ID: "2", Type: "A", Name: "example.org", Content: "198.51.100.2", TTL: "600", Prio: "0"},
		&pbRecord{ID: "3", Type: "A", Name: "*.example.org", Content: "198.51.100.3", TTL: "600", Prio: "0"},
	)
	serve(t, v, "api.porkbun.com")
	rest := []string{"example.org A 600 198.51.100.2", "*.example.org A 600 198.51.100.3"}
	c := configure(t, &v.vendor, pbAccount+pbHome)
	c.wants(updated, "203.0.113.7")
	c.calls(3) // two domains tried, with the record; changed
	c.wants(updated, "203.0.113.8")
	c.calls(1)
	wantLines(t, v, append([]string{"home.example.org A 900 203.0.113.8 the router"}, rest...)...)
	configure(t, &v.vendor, pbAccount+pbHome).wants(unchanged, "203.0.113.8")

	// Sent again, and set by another hand: what changes nothing is an error there.
	c.wants(unchanged, "203.0.113.8")
	v.records[0].Content = "203.0.113.9"
	c.wants(unchanged, "203.0.113.9")

	v.take()
	c.wants(updated, "203.0.113.10", "2001:db8::9")
	v.records = v.records[1:] // somebody deletes the record
	c.wants(updated, "203.0.113.11")
	wantLines(t, v, append(slices.Clone(rest), "home.example.org AAAA 600 2001:db8::9", "home.example.org A 600 203.0.113.11")...)
	c.compare(c.remove("203.0.113.11", "2001:db8::9"), updated)
	wantLines(t, v, rest...)

	configure(t, &v.vendor, pbAccount+strings.ReplaceAll(pbHome, "home.", "")).wants(updated, "203.0.113.12")
	configure(t, &v.vendor, pbAccount+strings.ReplaceAll(pbHome, "home.", "*.")+"ttl = \"1h\"").wants(updated, "203.0.113.12")
	rest = []string{"example.org A 600 203.0.113.12", "*.example.org A 3600 203.0.113.12"}
	for _, target := range []string{"home.ddns.net", "home.dynu.net"} {
		if o := c.SetCNAME(t.Context(), provider.Origin{}, "alias.example.org", target, 0); o.Class != provider.Updated {
			t.Errorf("%+v", o)
		}
	}
	wantLines(t, v, append(slices.Clone(rest), "alias.example.org CNAME 600 home.dynu.net")...)

	configure(t, &v.vendor, strings.Replace(pbAccount, "sk1_b", "sk1_c", 1)+pbHome).wants(badAuth, "203.0.113.12")
	configure(t, &v.vendor, pbAccount+strings.ReplaceAll(pbHome, "example.org", "example.net")).wants(noHost, "203.0.113.12")
	v.closed = true
	configure(t, &v.vendor, pbAccount+`zone = "example.org"`+pbHome).wants([]provider.Class{provider.PaidFeature}, "203.0.113.12")
	v.check(t)
}

// Of several records of one name and type, only ours is changed.
func TestPorkbunSeveralRecords(t *testing.T) {
	v := newPorkbun(
		&pbRecord{ID: "1", Type: "A", Name: "home.example.org", Content: "198.51.100.1", TTL: "600"},
		&pbRecord{ID: "2", Type: "A", Name: "home.example.org", Content: "203.0.113.7", TTL: "600"},
	)
	serve(t, v, "api.porkbun.com")
	c := configure(t, &v.vendor, pbAccount+pbHome)
	c.current["home.example.orgipv4"] = netip.MustParseAddr("203.0.113.7")
	if o := c.publish("203.0.113.8"); o[0].Class != provider.Updated || o[0].Warning == "" {
		t.Errorf("%+v", o[0])
	}
	wantLines(t, v, "home.example.org A 600 198.51.100.1", "home.example.org A 600 203.0.113.8")
	v.check(t)
}
