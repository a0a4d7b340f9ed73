package vendors

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// r53Set is a resource record set as Route 53 has it.
type r53Set struct {
	Name   string   `xml:"Name"`
	Type   string   `xml:"Type"`
	TTL    int      `xml:"TTL"`
	Values []string `xml:"ResourceRecords>ResourceRecord>Value"`
}

type r53Change struct {
	Action string `xml:"Action"`
	Set    r53Set `xml:"ResourceRecordSet"`
}

// route53 is Route 53's REST API, after
// https://docs.aws.amazon.com/Route53/latest/APIReference/, and AWS Signature
// Version 4, after
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html.
// The account has two zones example.org, a private one and a public one, whose
// sets are by "NAME TYPE"; names are as Route 53 writes them.
type route53 struct {
	vendor
	sets map[string]r53Set
}

const (
	r53Key    = "AKIAIOSFODNN7EXAMPLE"
	r53Secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	r53Zone   = "Z1PA6795UKMFR9"
	r53Space  = "https://route53.amazonaws.com/doc/2013-04-01/"
)

func newRoute53(sets ...r53Set) *route53 {
	v := &route53{sets: map[string]r53Set{}}
	for _, s := range sets {
		v.sets[s.Name+" "+s.Type] = s
	}
	v.answer = v.serve
	return v
}

func (v *route53) serve(x *exchange) {
	if !r53Signed(x) {
		return
	}
	path, ok := strings.CutPrefix(x.path, "/2013-04-01/")
	switch parts := strings.Split(path, "/"); {
	case !ok:
	case path == "hostedzonesbyname" && x.method == "GET":
		v.zones(x)
	case parts[0] != "hostedzone" || len(parts) < 3 || parts[2] != "rrset":
	case parts[1] != r53Zone:
		r53Error(x, 404, "NoSuchHostedZone", "No hosted zone found with ID: "+parts[1])
	case len(parts) == 3 && x.method == "GET":
		v.list(x)
	case len(parts) == 4 && parts[3] == "" && x.method == "POST":
		x.only()
		v.change(x)
	}
}

// r53Signed verifies the signature.
func r53Signed(x *exchange) bool {
	form, ok := strings.CutPrefix(x.header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	if !ok {
		r53Error(x, 403, "MissingAuthenticationToken", "Missing Authentication Token")
		return false
	}
	part := map[string]string{}
	for text := range strings.SplitSeq(form, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(text), "=")
		part[key] = value
	}
	scope := strings.Split(part["Credential"], "/")
	date := x.header.Get("X-Amz-Date")
	when, err := time.Parse("20060102T150405Z", date)
	if err != nil || len(scope) != 5 || !slices.Equal(scope[1:], []string{date[:8], "us-east-1", "route53", "aws4_request"}) {
		x.note("credential %q, date %q", part["Credential"], date)
		r53Error(x, 403, "SignatureDoesNotMatch", "Credential should be scoped to a valid region and service.")
		return false
	}
	if scope[0] != r53Key {
		r53Error(x, 403, "InvalidClientTokenId", "The security token included in the request is invalid.")
		return false
	}
	if age := time.Since(when).Abs(); age > 5*time.Minute {
		r53Error(x, 403, "SignatureDoesNotMatch", "Signature expired")
		return false
	}
	names := strings.Split(part["SignedHeaders"], ";")
	if !slices.IsSorted(names) || !slices.Contains(names, "host") {
		x.note("signed headers %q", part["SignedHeaders"])
	}
	for name := range x.header {
		if low := strings.ToLower(name); strings.HasPrefix(low, "x-amz-") && !slices.Contains(names, low) {
			x.note("%s is not signed", name)
		}
	}
	encode := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	var query []string
	for name, values := range x.query {
		for _, value := range values {
			query = append(query, encode(name)+"="+encode(value))
		}
	}
	slices.Sort(query)
	hash := func(s string) string { sum := sha256.Sum256([]byte(s)); return hex.EncodeToString(sum[:]) }
	canonical := x.method + "\n" + strings.ReplaceAll(encode(x.path), "%2F", "/") + "\n" + strings.Join(query, "&") + "\n"
	for _, name := range names {
		value := x.header.Get(name)
		if name == "host" {
			value = x.host
		}
		canonical += name + ":" + strings.Join(strings.Fields(value), " ") + "\n"
	}
	canonical += "\n" + part["SignedHeaders"] + "\n" + hash(x.body)
	key := []byte("AWS4" + r53Secret)
	for _, step := range append(scope[1:], "AWS4-HMAC-SHA256\n"+date+"\n"+strings.Join(scope[1:], "/")+"\n"+hash(canonical)) {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(step))
		key = m.Sum(nil)
	}
	if hex.EncodeToString(key) != part["Signature"] {
		r53Error(x, 403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")
		return false
	}
	return true
}

func r53Error(x *exchange, status int, code, message string) {
	x.reply(status, "text/xml", `<?xml version="1.0"?>`+"\n"+`<ErrorResponse xmlns="`+r53Space+`"><Error><Type>Sender</Type><Code>`+code+
		`</Code><Message>`+r53Text(message)+`</Message></Error><RequestId>b25f48e8-84fd-11e6-80d9-574e0c4664cb</RequestId></ErrorResponse>`)
}

func r53Text(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s))
	return b.String()
}

// zones answers ListHostedZonesByName: from dnsname on, in the order of the
// names with their labels reversed; the private zone of a name comes first here.
func (v *route53) zones(x *exchange) {
	x.only("dnsname", "hostedzoneid", "maxitems")
	reversed := func(name string) string {
		labels := strings.Split(strings.TrimSuffix(name, "."), ".")
		slices.Reverse(labels)
		return strings.Join(labels, ".")
	}
	text := ""
	for _, z := range [][3]string{{"Z0", "example.org.", "true"}, {r53Zone, "example.org.", "false"}, {"Z3", "more.example.org.", "false"}, {"Z4", "zoo.org.", "false"}} {
		if reversed(z[1]) >= reversed(x.query.Get("dnsname")) {
			text += "<HostedZone><Id>/hostedzone/" + z[0] + "</Id><Name>" + z[1] + "</Name><CallerReference>r</CallerReference><Config><PrivateZone>" + z[2] +
				"</PrivateZone></Config><ResourceRecordSetCount>4</ResourceRecordSetCount></HostedZone>"
		}
	}
	x.reply(200, "text/xml", `<?xml version="1.0"?>`+"\n"+`<ListHostedZonesByNameResponse xmlns="`+r53Space+`"><HostedZones>`+text+
		`</HostedZones><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems></ListHostedZonesByNameResponse>`)
}

// r53Name is a name as Route 53 writes it.
func r53Name(name string) string {
	return strings.Replace(strings.TrimSuffix(strings.ToLower(name), ".")+".", "*", `\052`, 1)
}

// list answers ListResourceRecordSets: from name and type on.
func (v *route53) list(x *exchange) {
	x.only("name", "type", "identifier", "maxitems")
	if x.query.Get("type") != "" && x.query.Get("name") == "" {
		x.note("type without name")
	}
	most := 300
	if text := x.query.Get("maxitems"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			x.note("maxitems %q", text)
		}
		most = n
	}
	from := r53Name(x.query.Get("name")) + " " + x.query.Get("type")
	text, n := "", 0
	for _, key := range slices.Sorted(maps.Keys(v.sets)) {
		if key < from || n == most {
			continue
		}
		n++
		s := v.sets[key]
		text += fmt.Sprintf("<ResourceRecordSet><Name>%s</Name><Type>%s</Type><TTL>%d</TTL><ResourceRecords>", s.Name, s.Type, s.TTL)
		for _, value := range s.Values {
			text += "<ResourceRecord><Value>" + r53Text(value) + "</Value></ResourceRecord>"
		}
		text += "</ResourceRecords></ResourceRecordSet>"
	}
	x.reply(200, "text/xml", `<?xml version="1.0"?>`+"\n"+`<ListResourceRecordSetsResponse xmlns="`+r53Space+`"><ResourceRecordSets>`+text+
		`</ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>`+itoa(most)+`</MaxItems></ListResourceRecordSetsResponse>`)
}

// change answers ChangeResourceRecordSets: all changes of a batch, or none.
func (v *route53) change(x *exchange) {
	var body struct {
		XMLName xml.Name    `xml:"https://route53.amazonaws.com/doc/2013-04-01/ ChangeResourceRecordSetsRequest"`
		Changes []r53Change `xml:"ChangeBatch>Changes>Change"`
	}
	if err := xml.Unmarshal([]byte(x.body), &body); err != nil || len(body.Changes) == 0 {
		x.note("body: %v", err)
		r53Error(x, 400, "InvalidInput", "Invalid XML")
		return
	}
	fresh := maps.Clone(v.sets)
	var wrong []string
	for _, c := range body.Changes {
		c.Set.Name = r53Name(c.Set.Name)
		key := c.Set.Name + " " + c.Set.Type
		old, there := fresh[key]
		slices.Sort(c.Set.Values)
		same := there && old.TTL == c.Set.TTL && slices.Equal(slices.Sorted(slices.Values(old.Values)), c.Set.Values)
		switch c.Action {
		case "DELETE":
			if !there {
				wrong = append(wrong, fmt.Sprintf("Tried to delete resource record set [name='%s', type='%s'] but it was not found", c.Set.Name, c.Set.Type))
			} else if !same {
				wrong = append(wrong, fmt.Sprintf("Tried to delete resource record set [name='%s', type='%s'] but the values provided do not match the current values", c.Set.Name, c.Set.Type))
			}
			delete(fresh, key)
			continue
		case "CREATE":
			if there {
				wrong = append(wrong, fmt.Sprintf("Tried to create resource record set [name='%s', type='%s'] but it already exists", c.Set.Name, c.Set.Type))
			}
		case "UPSERT":
		default:
			x.note("action %q", c.Action)
		}
		wrong = append(wrong, r53Invalid(c.Set)...)
		fresh[key] = c.Set
	}
	if len(wrong) > 0 {
		r53Error(x, 400, "InvalidChangeBatch", "["+strings.Join(wrong, ", ")+"]")
		return
	}
	v.sets = fresh
	x.reply(200, "text/xml", `<?xml version="1.0"?>`+"\n"+`<ChangeResourceRecordSetsResponse xmlns="`+r53Space+
		`"><ChangeInfo><Id>/change/C2682N5HXP0BZ4</Id><Status>PENDING</Status><SubmittedAt>2026-01-02T03:04:05.000Z</SubmittedAt></ChangeInfo></ChangeResourceRecordSetsResponse>`)
}

func r53Invalid(s r53Set) (wrong []string) {
	if s.Name != "example.org." && !strings.HasSuffix(s.Name, ".example.org.") {
		wrong = append(wrong, "RRSet with DNS name "+s.Name+" is not permitted in zone example.org.")
	}
	if s.TTL < 0 || len(s.Values) == 0 {
		wrong = append(wrong, "TTL and values are needed")
	}
	for i, value := range s.Values {
		a, err := netip.ParseAddr(value)
		if s.Type == "A" && (err != nil || !a.Is4()) || s.Type == "AAAA" && (err != nil || !a.Is6()) || i > 0 && value == s.Values[i-1] {
			wrong = append(wrong, "Invalid Resource Record: "+value)
		}
	}
	return wrong
}

// String is the sets, "NAME TYPE TTL VALUES" each.
func (v *route53) String() string {
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(v.sets)) {
		lines = append(lines, fmt.Sprintf("%s %d %s", key, v.sets[key].TTL, strings.Join(v.sets[key].Values, " ")))
	}
	return strings.Join(lines, "\n")
}

const (
	r53Account = "\n[provider.route53]\naccess_key = \"" + r53Key + "\"\nsecret_key = \"" + r53Secret + "\"\n"
	r53Home    = `
[[record]]
hostname = "home.example.org"
provider = "route53"
families = ["ipv4", "ipv6"]
`
)

func TestRoute53(t *testing.T) {
	v := newRoute53(r53Set{"home.example.org.", "A", 300, []string{"198.51.100.1"}}, r53Set{"home.example.org.", "TXT", 60, []string{`"text"`}},
		r53Set{"www.example.org.", "A", 300, []string{"198.51.100.9"}})
	serve(t, v, "route53.amazonaws.com")
	rest := []string{`home.example.org. TXT 60 "text"`, "www.example.org. A 300 198.51.100.9"}
	c := configure(t, &v.vendor, r53Account+r53Home)

	c.wants(updated, "203.0.113.7")
	c.calls(4) // two names tried, the set looked up, changed
	c.wants(updated, "203.0.113.8")
	c.calls(1)
	wantLines(t, v, append([]string{"home.example.org. A 300 203.0.113.8"}, rest...)...)
	configure(t, &v.vendor, r53Account+r53Home).wants(unchanged, "203.0.113.8")

	v.take()
	c.wants(updated, "203.0.113.9", "2001:db8::9")
	c.calls(3) // A changed; AAAA looked up, made
	wantLines(t, v, append([]string{"home.example.org. A 300 203.0.113.9", "home.example.org. AAAA 60 2001:db8::9"}, rest...)...)

	// Somebody adds an address of another router's: it stays.
	v.sets["home.example.org. A"] = r53Set{"home.example.org.", "A", 120, []string{"192.0.2.1", "203.0.113.9"}}
	if o := c.publish("203.0.113.10"); o[0].Class != provider.Updated || o[0].Warning == "" {
		t.Errorf("%+v", o[0])
	}
	c.calls(5) // refused; zone and set looked up again, changed
	c.wants(updated, "203.0.113.11")
	c.calls(1)
	wantLines(t, v, append([]string{"home.example.org. A 120 192.0.2.1 203.0.113.11", "home.example.org. AAAA 60 2001:db8::9"}, rest...)...)

	c.compare(c.remove("203.0.113.11", "2001:db8::9"), updated)
	wantLines(t, v, append([]string{"home.example.org. A 120 192.0.2.1"}, rest...)...)
	v.check(t)
}

// The domain itself, a wildcard with a TTL of the user's own, and an alias.
func TestRoute53Names(t *testing.T) {
	v := newRoute53(r53Set{"example.org.", "NS", 172800, []string{"ns-2048.awsdns-64.com."}})
	serve(t, v, "route53.amazonaws.com")
	c := configure(t, &v.vendor, r53Account+"zone_id = \""+r53Zone+`"
[[record]]
hostname = "example.org"
provider = "route53"
[[record]]
hostname = "*.example.org"
provider = "route53"
ttl = "2m"
`)
	c.wants(updated, "203.0.113.7")
	c.wants(updated, "203.0.113.8")
	for _, target := range []string{"home.ddns.net", "home.dynu.net"} {
		if o := c.SetCNAME(t.Context(), provider.Origin{}, "alias.example.org", target, 0); o.Class != provider.Updated {
			t.Errorf("%+v", o)
		}
	}
	wantLines(t, v, `\052.example.org. A 120 203.0.113.8`, "alias.example.org. CNAME 60 home.dynu.net", "example.org. A 60 203.0.113.8", "example.org. NS 172800 ns-2048.awsdns-64.com.")
	v.check(t)
}

func TestRoute53Refusals(t *testing.T) {
	v := newRoute53()
	serve(t, v, "route53.amazonaws.com")
	for _, wrong := range []string{strings.Replace(r53Account, r53Key, "AKIAOTHER", 1), strings.Replace(r53Account, r53Secret, "other", 1)} {
		if o := configure(t, &v.vendor, wrong+r53Home).publish("203.0.113.7"); o[0].Class != provider.BadAuth || !o[0].Account {
			t.Errorf("%+v", o[0])
		}
	}
	configure(t, &v.vendor, r53Account+strings.ReplaceAll(r53Home, "example.org", "example.net")).wants(noHost, "203.0.113.7")
	configure(t, &v.vendor, r53Account+"zone_id = \"ZOTHER\"\n"+r53Home).wants(noHost, "203.0.113.7")
	wantLines(t, v)
	v.check(t)
}
