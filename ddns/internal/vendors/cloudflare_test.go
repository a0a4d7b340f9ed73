package vendors

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// cfRecord is a DNS record as Cloudflare's API has it.
type cfRecord struct {
	ID      string   `json:"id"`
	Type    string   `json:"type"`
	Name    string   `json:"name"`
	Content string   `json:"content"`
	TTL     int      `json:"ttl"` // 1: automatic
	Proxied bool     `json:"proxied"`
	Comment *string  `json:"comment"`
	Tags    []string `json:"tags"`
}

// cloudflare is Cloudflare's API, after
// https://developers.cloudflare.com/api/resources/{zones,dns}/. The account has
// the zone example.org and among others more.example.org; its token is "token",
// its global key "key" of me@example.org.
type cloudflare struct {
	vendor
	records []*cfRecord
	made    int
}

const cfZone = "023e105f4ecef8ad9ca31a8372d0c353"

func newCloudflare(records ...*cfRecord) *cloudflare {
	v := &cloudflare{records: records}
	v.answer = v.serve
	return v
}

func (v *cloudflare) serve(x *exchange) {
	path, ok := strings.CutPrefix(x.path, "/client/v4")
	if !ok {
		return
	}
	email, key := x.header.Get("X-Auth-Email"), x.header.Get("X-Auth-Key")
	switch token := x.bearer(); {
	case token != "" && key != "":
		x.note("both a token and a key")
		return
	case token == "token", email == "me@example.org" && key == "key":
	case token == "" && key == "":
		cfError(x, 400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")
		return
	case key != "":
		cfError(x, 403, 9103, "Unknown X-Auth-Key or X-Auth-Email")
		return
	default:
		cfError(x, 403, 9109, "Invalid access token")
		return
	}
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case len(parts) == 1 && parts[0] == "zones" && x.method == "GET":
		v.zones(x)
	case len(parts) < 3 || parts[0] != "zones" || parts[2] != "dns_records":
	case parts[1] != cfZone:
		cfError(x, 404, 7003, "Could not route to "+path+", perhaps your object identifier is invalid?")
	case len(parts) == 3 && x.method == "GET":
		v.list(x)
	case len(parts) == 3 && x.method == "POST":
		x.only()
		v.write(x, &cfRecord{TTL: 1}, false)
	case len(parts) == 4:
		x.only()
		i := slices.IndexFunc(v.records, func(r *cfRecord) bool { return r.ID == parts[3] })
		switch {
		case i < 0:
			cfError(x, 404, 81044, "Record does not exist.")
		case x.method == "PATCH":
			v.write(x, v.records[i], true)
		case x.method == "PUT":
			*v.records[i] = cfRecord{ID: parts[3], TTL: 1}
			v.write(x, v.records[i], false)
		case x.method == "DELETE":
			v.records = slices.Delete(v.records, i, i+1)
			cfResult(x, map[string]string{"id": parts[3]}, nil)
		}
	}
}

func cfError(x *exchange, status, code int, message string) {
	x.replyJSON(status, map[string]any{
		"success": false, "errors": []any{map[string]any{"code": code, "message": message}},
		"messages": []any{}, "result": nil,
	})
}

func cfResult(x *exchange, result, info any) {
	body := map[string]any{"success": true, "errors": []any{}, "messages": []any{}, "result": result}
	if info != nil {
		body["result_info"] = info
	}
	x.replyJSON(200, body)
}

// cfPage cuts a page out of a list.
func cfPage[T any](x *exchange, all []T, usual, most int) {
	number := func(param string, usual, least, most int) int {
		text := x.query.Get(param)
		if text == "" {
			return usual
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			x.note("%s is %q", param, text)
			return usual
		}
		return n
	}
	page, size := number("page", 1, 1, 1<<20), number("per_page", usual, 5, most)
	from := min((page-1)*size, len(all))
	list := all[from:min(from+size, len(all))]
	if list == nil {
		list = []T{}
	}
	cfResult(x, list, map[string]int{
		"page": page, "per_page": size, "count": len(list), "total_count": len(all), "total_pages": (len(all) + size - 1) / size,
	})
}

func (v *cloudflare) zones(x *exchange) {
	x.only("name", "status", "account.id", "account.name", "page", "per_page", "order", "direction", "match")
	type zone struct {
		ID     string `json:"id"`
		Name   string `json:"name"`
		Status string `json:"status"`
	}
	var found []zone
	for _, z := range []zone{{strings.Repeat("1", 32), "another.org", "active"}, {cfZone, "example.org", "active"}, {strings.Repeat("2", 32), "moved.org", "moved"}} {
		if name := x.query.Get("name"); name != "" && name != z.Name {
			continue
		}
		if status := x.query.Get("status"); status != "" && status != z.Status {
			continue
		}
		found = append(found, z)
	}
	cfPage(x, found, 20, 50)
}

func (v *cloudflare) list(x *exchange) {
	x.only("name", "name.exact", "type", "content", "proxied", "page", "per_page", "order", "direction", "match")
	var found []*cfRecord
	for _, r := range v.records {
		name := x.query.Get("name") + x.query.Get("name.exact")
		if kind := x.query.Get("type"); (kind == "" || kind == r.Type) && (name == "" || name == r.Name) {
			found = append(found, r)
		}
	}
	cfPage(x, found, 100, 5000000)
}

// write changes a record, or makes it.
func (v *cloudflare) write(x *exchange, r *cfRecord, partly bool) {
	var body struct {
		Type     *string         `json:"type"`
		Name     *string         `json:"name"`
		Content  *string         `json:"content"`
		TTL      *int            `json:"ttl"`
		Proxied  *bool           `json:"proxied"`
		Comment  *string         `json:"comment"`
		Tags     *[]string       `json:"tags"`
		Settings *map[string]any `json:"settings"`
	}
	switch {
	case !x.object(&body):
		cfError(x, 400, 9207, "Request body is invalid.")
		return
	case !partly && (body.Type == nil || body.Name == nil || body.Content == nil || body.TTL == nil):
		cfError(x, 400, 9000, "DNS name, type, content and TTL are required.")
		return
	case body.TTL != nil && *body.TTL != 1 && (*body.TTL < 60 || *body.TTL > 86400):
		cfError(x, 400, 9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.")
		return
	}
	fresh := *r
	set(&fresh.Type, body.Type)
	set(&fresh.Name, body.Name)
	set(&fresh.Content, body.Content)
	set(&fresh.TTL, body.TTL)
	set(&fresh.Proxied, body.Proxied)
	set(&fresh.Tags, body.Tags)
	if body.Comment != nil {
		fresh.Comment = body.Comment
	}
	addr, err := netip.ParseAddr(fresh.Content)
	same := func(o *cfRecord) bool {
		return o.ID != fresh.ID && o.Type == fresh.Type && o.Name == fresh.Name && o.Content == fresh.Content
	}
	switch {
	case fresh.Type == "A" && (err != nil || !addr.Is4()):
		cfError(x, 400, 9005, "Content for A record must be a valid IPv4 address.")
	case fresh.Type == "AAAA" && (err != nil || !addr.Is6()):
		cfError(x, 400, 9006, "Content for AAAA record must be a valid IPv6 address.")
	case fresh.Name != "example.org" && !strings.HasSuffix(fresh.Name, ".example.org"):
		x.note("name %s in the zone example.org", fresh.Name)
	case slices.ContainsFunc(v.records, same):
		cfError(x, 400, 81058, "An identical record already exists.")
	default:
		*r = fresh
		if r.ID == "" {
			v.made++
			r.ID = fmt.Sprintf("%032x", v.made)
			v.records = append(v.records, r)
		}
		cfResult(x, r, nil)
	}
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// String is the records, "NAME TYPE TTL CONTENT[ proxied][ COMMENT]" each.
func (v *cloudflare) String() string {
	var lines []string
	for _, r := range v.records {
		line := fmt.Sprintf("%s %s %d %s", r.Name, r.Type, r.TTL, r.Content)
		if r.Proxied {
			line += " proxied"
		}
		if r.Comment != nil {
			line += " " + *r.Comment
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

const cfAccount = `
[provider.cloudflare]
token = "token"
`

const cfHome = `
[[record]]
hostname = "home.example.org"
provider = "cloudflare"
families = ["ipv4", "ipv6"]
`

func cfPreset() []*cfRecord {
	comment := "the router"
	return []*cfRecord{
		{ID: strings.Repeat("a", 32), Type: "A", Name: "home.example.org", Content: "198.51.100.1", TTL: 300, Proxied: true, Comment: &comment, Tags: []string{"owner:me"}},
		{ID: strings.Repeat("b", 32), Type: "A", Name: "example.org", Content: "198.51.100.2", TTL: 1},
		{ID: strings.Repeat("c", 32), Type: "TXT", Name: "home.example.org", Content: "\"text\"", TTL: 1},
	}
}

func TestCloudflare(t *testing.T) {
	v := newCloudflare(cfPreset()...)
	serve(t, v, "api.cloudflare.com")
	rest := []string{"example.org A 1 198.51.100.2", `home.example.org TXT 1 "text"`}
	c := configure(t, &v.vendor, cfAccount+cfHome)

	c.wants(updated, "203.0.113.7")
	c.calls(4) // two zones tried, the record looked up, changed
	c.wants(updated, "203.0.113.8")
	c.calls(1)
	wantLines(t, v, append([]string{"home.example.org A 300 203.0.113.8 proxied the router"}, rest...)...)
	if got := v.records[0].Tags; !slices.Equal(got, []string{"owner:me"}) {
		t.Errorf("tags %q", got)
	}
	// What we know of is kept: only somebody who does not looks first.
	configure(t, &v.vendor, cfAccount+cfHome).wants(unchanged, "203.0.113.8")

	v.take()
	c.wants(updated, "203.0.113.9", "2001:db8::9")
	c.calls(3) // A changed; AAAA looked up, made
	wantLines(t, v, append(append([]string{"home.example.org A 300 203.0.113.9 proxied the router"}, rest...), "home.example.org AAAA 1 2001:db8::9")...)

	// Somebody deletes the record, so that its id is of no use any more.
	v.records = v.records[1:]
	c.wants(updated, "203.0.113.10")
	wantLines(t, v, append(slices.Clone(rest), "home.example.org AAAA 1 2001:db8::9", "home.example.org A 1 203.0.113.10")...)
	c.compare(c.remove("203.0.113.10", "2001:db8::9"), updated)
	wantLines(t, v, rest...)

	key := "[provider.cloudflare]\ntoken = \"key\"\nemail = \"me@example.org\"\n"
	configure(t, &v.vendor, key+cfHome).wants(updated, "203.0.113.11")
	v.take()
	for _, wrong := range []string{strings.Replace(cfAccount, `"token"`, `"other"`, 1), strings.Replace(key, `"key"`, `"other"`, 1)} {
		if o := configure(t, &v.vendor, wrong+cfHome).publish("203.0.113.12"); o[0].Class != provider.BadAuth || !o[0].Account {
			t.Errorf("%+v", o[0])
		}
	}
	configure(t, &v.vendor, cfAccount+strings.ReplaceAll(cfHome, "example.org", "example.net")).wants(noHost, "203.0.113.12")
	wantLines(t, v, append(slices.Clone(rest), "home.example.org A 1 203.0.113.11")...)
	v.check(t)
}

// Of several records of one name and type, only ours is changed.
func TestCloudflareSeveralRecords(t *testing.T) {
	v := newCloudflare(append(cfPreset(), &cfRecord{ID: strings.Repeat("d", 32), Type: "A", Name: "home.example.org", Content: "203.0.113.7", TTL: 1})...)
	serve(t, v, "api.cloudflare.com")
	c := configure(t, &v.vendor, cfAccount+cfHome)
	c.current["home.example.orgipv4"] = netip.MustParseAddr("203.0.113.7")
	if o := c.publish("203.0.113.8"); o[0].Class != provider.Updated || o[0].Warning == "" {
		t.Errorf("%+v", o[0])
	}
	wantLines(t, v, "home.example.org A 300 198.51.100.1 proxied the router", "example.org A 1 198.51.100.2",
		`home.example.org TXT 1 "text"`, "home.example.org A 1 203.0.113.8")
	v.check(t)
}
