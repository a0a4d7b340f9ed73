package vendors

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// ovhRecord is domain.zone.Record of OVHcloud's API.
type ovhRecord struct {
	ID     int    `json:"id"`
	Zone   string `json:"zone"`
	Type   string `json:"fieldType"`
	Sub    string `json:"subDomain"`
	Target string `json:"target"`
	TTL    int    `json:"ttl"` // 0: the zone's
}

func (r ovhRecord) String() string { return fmt.Sprintf("%q %s %d %s", r.Sub, r.Type, r.TTL, r.Target) }

// ovhAPI is OVHcloud's API of zones, after https://eu.api.ovh.com/console/ and
// "First steps with the OVHcloud APIs". Records that are written are in draft
// until the zone is refreshed: live is what the name servers have. The account
// has example.org, the application "app" with the secret "app-secret", and the
// consumer key "consumer" for /domain/zone/*.
type ovhAPI struct {
	vendor
	draft, live []ovhRecord
	made        int
	broken      bool // refresh fails
}

func newOVHAPI(records ...ovhRecord) *ovhAPI {
	v := &ovhAPI{made: 5000}
	for _, r := range records {
		v.made++
		r.ID, r.Zone = v.made, "example.org"
		v.draft = append(v.draft, r)
	}
	v.live = slices.Clone(v.draft)
	v.answer = v.serve
	return v
}

func (v *ovhAPI) serve(x *exchange) {
	path, ok := strings.CutPrefix(x.path, "/1.0/")
	if !ok || !ovhSigned(x) {
		return
	}
	parts := strings.Split(path, "/")
	switch {
	case len(parts) < 3 || parts[0] != "domain" || parts[1] != "zone":
		ovhError(x, 403, "NOT_GRANTED_CALL", "This call has not been granted")
	case parts[2] != "example.org":
		ovhError(x, 404, "", "This service does not exist")
	case len(parts) == 3 && x.method == "GET":
		x.only()
		x.replyJSON(200, map[string]any{"name": "example.org", "dnssecSupported": true, "hasDnsAnycast": false, "nameServers": []string{"dns1.ovh.net", "ns1.ovh.net"}})
	case len(parts) == 4 && parts[3] == "record" && x.method == "GET":
		x.only("fieldType", "subDomain")
		ids := []int{}
		for _, r := range v.draft {
			kind, sub := x.query["fieldType"], x.query["subDomain"]
			if (kind == nil || kind[0] == r.Type) && (sub == nil || sub[0] == r.Sub) {
				ids = append(ids, r.ID)
			}
		}
		x.replyJSON(200, ids)
	case len(parts) == 4 && parts[3] == "record" && x.method == "POST":
		x.only()
		v.write(x, &ovhRecord{Zone: "example.org"})
	case len(parts) == 4 && parts[3] == "refresh" && x.method == "POST":
		x.only()
		if x.body != "" {
			x.note("refresh with a body")
		}
		if v.broken {
			ovhError(x, 500, "", "Internal server error")
			return
		}
		v.live = slices.Clone(v.draft)
		x.reply(200, "application/json", "null")
	case len(parts) == 5 && parts[3] == "record":
		x.only()
		id, err := strconv.Atoi(parts[4])
		i := slices.IndexFunc(v.draft, func(r ovhRecord) bool { return r.ID == id })
		switch {
		case err != nil || i < 0:
			ovhError(x, 404, "", "The requested object (id = "+parts[4]+") does not exist")
		case x.method == "GET":
			x.replyJSON(200, v.draft[i])
		case x.method == "PUT":
			v.write(x, &v.draft[i])
		case x.method == "DELETE":
			v.draft = slices.Delete(v.draft, i, i+1)
			x.reply(200, "application/json", "null")
		}
	}
}

// ovhSigned verifies the signature: "$1$" and the SHA-1 of secret, consumer
// key, method, URL, body and time with "+" between them.
func ovhSigned(x *exchange) bool {
	at := x.header.Get("X-Ovh-Timestamp")
	unix, err := strconv.ParseInt(at, 10, 64)
	full := "https://" + x.host + x.path
	if x.rawQuery != "" {
		full += "?" + x.rawQuery
	}
	sum := sha1.Sum([]byte("app-secret+consumer+" + x.method + "+" + full + "+" + x.body + "+" + at))
	switch {
	case x.header.Get("X-Ovh-Application") != "app":
		ovhError(x, 403, "INVALID_KEY", "This application key is invalid")
	case x.header.Get("X-Ovh-Consumer") != "consumer":
		ovhError(x, 403, "INVALID_CREDENTIAL", "This credential does not exist")
	case err != nil || time.Since(time.Unix(unix, 0)).Abs() > 5*time.Minute:
		ovhError(x, 400, "QUERY_TIME_OUT", "Query out of time")
	case x.header.Get("X-Ovh-Signature") != "$1$"+hex.EncodeToString(sum[:]):
		ovhError(x, 400, "INVALID_SIGNATURE", "Invalid signature")
	default:
		return true
	}
	return false
}

func ovhError(x *exchange, status int, code, message string) {
	body := map[string]any{"message": message, "class": "Client::Error"}
	if code != "" {
		body["errorCode"] = code
	}
	x.replyJSON(status, body)
}

// write changes a record, or makes it; what is not in the body stays.
func (v *ovhAPI) write(x *exchange, r *ovhRecord) {
	var body struct {
		Type   *string `json:"fieldType"`
		Sub    *string `json:"subDomain"`
		Target *string `json:"target"`
		TTL    *int    `json:"ttl"`
	}
	if !x.object(&body) {
		ovhError(x, 400, "", "Invalid body")
		return
	}
	if r.ID != 0 && body.Type != nil {
		x.note("fieldType of a record cannot be changed")
	}
	fresh := *r
	set(&fresh.Type, body.Type)
	set(&fresh.Sub, body.Sub)
	set(&fresh.Target, body.Target)
	set(&fresh.TTL, body.TTL)
	a, err := netip.ParseAddr(fresh.Target)
	switch {
	case fresh.Type == "A" && (err != nil || !a.Is4()), fresh.Type == "AAAA" && (err != nil || !a.Is6()):
		ovhError(x, 400, "", "Invalid target")
	case fresh.Type == "CNAME" && !strings.HasSuffix(fresh.Target, "."):
		ovhError(x, 400, "", "The target is relative to the zone, and does not exist")
	case fresh.TTL != 0 && fresh.TTL < 60:
		ovhError(x, 400, "", "TTL must be at least 60")
	case r.ID == 0:
		v.made++
		fresh.ID = v.made
		v.draft = append(v.draft, fresh)
		x.replyJSON(200, fresh)
	default:
		*r = fresh
		x.reply(200, "application/json", "null")
	}
}

// String is what the name servers have, sorted, and whether there is more in draft.
func (v *ovhAPI) String() string {
	lines := map[string]bool{}
	for _, r := range v.live {
		lines[r.String()] = true
	}
	if !slices.Equal(v.live, v.draft) {
		lines["not refreshed"] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(lines)), "\n")
}

const (
	ovhAccount = "\n[provider.ovh-api]\napplication_key = \"app\"\napplication_secret = \"app-secret\"\nconsumer_key = \"consumer\"\n"
	ovhHome    = `
[[record]]
hostname = "home.example.org"
provider = "ovh-api"
families = ["ipv4", "ipv6"]
`
)

func TestOVHAPI(t *testing.T) {
	v := newOVHAPI(ovhRecord{Type: "A", Sub: "home", Target: "198.51.100.1", TTL: 300}, ovhRecord{Type: "TXT", Sub: "home", Target: "text"}, ovhRecord{Type: "A", Target: "198.51.100.2"})
	serve(t, v, "eu.api.ovh.com")
	rest := []string{`"" A 0 198.51.100.2`, `"home" TXT 0 text`}
	with := func(lines ...string) []string { all := append(lines, rest...); slices.Sort(all); return all }
	c := configure(t, &v.vendor, ovhAccount+ovhHome)

	c.wants(updated, "203.0.113.7")
	c.calls(6) // two zones tried, the record's id and the record looked up, changed, refreshed
	c.wants(updated, "203.0.113.8")
	c.calls(2)
	wantLines(t, v, with(`"home" A 300 203.0.113.8`)...)
	c.wants(updated, "203.0.113.9", "2001:db8::9")
	c.calls(5) // A changed; AAAA looked up, made; refreshed twice
	wantLines(t, v, with(`"home" A 300 203.0.113.9`, `"home" AAAA 60 2001:db8::9`)...)

	// Somebody deletes the record, so that its id is of no use any more.
	v.draft = v.draft[1:]
	c.wants(updated, "203.0.113.10")
	wantLines(t, v, with(`"home" A 60 203.0.113.10`, `"home" AAAA 60 2001:db8::9`)...)

	// A change that was not refreshed is refreshed the next time, though the
	// record has the address already.
	v.broken = true
	fresh := configure(t, &v.vendor, ovhAccount+ovhHome)
	fresh.wants([]provider.Class{provider.ServerError}, "203.0.113.11")
	v.broken = false
	fresh.wants(updated, "203.0.113.11")
	wantLines(t, v, with(`"home" A 60 203.0.113.11`, `"home" AAAA 60 2001:db8::9`)...)

	c.compare(c.remove("203.0.113.11", "2001:db8::9"), updated)
	wantLines(t, v, rest...)
	v.check(t)
}

// The domain itself, a wildcard, several records of a name, and an alias.
func TestOVHAPINames(t *testing.T) {
	v := newOVHAPI(ovhRecord{Type: "A", Sub: "*", Target: "192.0.2.1"}, ovhRecord{Type: "A", Sub: "*", Target: "203.0.113.6"})
	serve(t, v, "eu.api.ovh.com")
	c := configure(t, &v.vendor, ovhAccount+`zone = "example.org"
[[record]]
hostname = "example.org"
provider = "ovh-api"
ttl = "2m"
[[record]]
hostname = "*.example.org"
provider = "ovh-api"
`)
	c.current["*.example.orgipv4"] = netip.MustParseAddr("203.0.113.6")
	if o := c.publish("203.0.113.7"); o[0].Class != provider.Updated || o[1].Class != provider.Updated || o[1].Warning == "" {
		t.Errorf("%+v", o)
	}
	c.wants(updated, "203.0.113.8")
	for _, target := range []string{"home.ddns.net", "home.dynu.net"} {
		if o := c.SetCNAME(t.Context(), provider.Origin{}, "alias.example.org", target, 0); o.Class != provider.Updated {
			t.Errorf("%+v", o)
		}
	}
	wantLines(t, v, `"" A 120 203.0.113.8`, `"*" A 0 192.0.2.1`, `"*" A 0 203.0.113.8`, `"alias" CNAME 60 home.dynu.net.`)
	v.check(t)
}

func TestOVHAPIRefusals(t *testing.T) {
	v := newOVHAPI()
	serve(t, v, "eu.api.ovh.com")
	for _, field := range []string{`"app"`, `"app-secret"`, `"consumer"`} {
		wrong := strings.Replace(ovhAccount, field, `"other"`, 1)
		if o := configure(t, &v.vendor, wrong+ovhHome).publish("203.0.113.7"); o[0].Class != provider.BadAuth || !o[0].Account {
			t.Errorf("%s: %+v", field, o[0])
		}
	}
	configure(t, &v.vendor, ovhAccount+strings.ReplaceAll(ovhHome, "example.org", "example.net")).wants(noHost, "203.0.113.7")
	wantLines(t, v)
	v.check(t)
}
