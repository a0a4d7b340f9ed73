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

// doRecord is a DNS record as DigitalOcean's API has it.
type doRecord struct {
	ID       int     `json:"id"`
	Type     string  `json:"type"`
	Name     string  `json:"name"` // "@": the domain itself
	Data     string  `json:"data"`
	Priority *int    `json:"priority"`
	Port     *int    `json:"port"`
	TTL      int     `json:"ttl"`
	Weight   *int    `json:"weight"`
	Flags    *int    `json:"flags"`
	Tag      *string `json:"tag"`
}

// digitalOcean is DigitalOcean's API, after
// https://docs.digitalocean.com/reference/api/digitalocean/#tag/Domain-Records.
// The domain is example.org, the token "token". Debian's ddclient (3.10) and
// inadyn (2.10) do not speak it.
type digitalOcean struct {
	vendor
	records []*doRecord
	made    int
}

func newDigitalOcean(records ...*doRecord) *digitalOcean {
	v := &digitalOcean{records: records, made: 1000}
	v.answer = v.serve
	return v
}

func doError(x *exchange, status int, id, message string) {
	x.replyJSON(status, map[string]string{"id": id, "message": message, "request_id": "4d9d8375-3c56-4925-a3e7-eb137fed17e9"})
}

func (v *digitalOcean) serve(x *exchange) {
	path, ok := strings.CutPrefix(x.path, "/v2/domains/")
	if !ok {
		return
	}
	if x.bearer() != "token" {
		doError(x, 401, "Unauthorized", "Unable to authenticate you")
		return
	}
	domain, rest, _ := strings.Cut(path, "/")
	id, isRecord := strings.CutPrefix(rest, "records/")
	switch {
	case domain != "example.org":
		doError(x, 404, "not_found", "The resource you were accessing could not be found.")
	case rest == "records" && x.method == "GET":
		v.list(x)
	case rest == "records" && x.method == "POST":
		x.only()
		v.write(x, &doRecord{TTL: 1800}, 201)
	case isRecord:
		x.only()
		i := slices.IndexFunc(v.records, func(r *doRecord) bool { return itoa(r.ID) == id })
		switch {
		case i < 0:
			doError(x, 404, "not_found", "The resource you were accessing could not be found.")
		case x.method == "PATCH", x.method == "PUT":
			v.write(x, v.records[i], 200)
		case x.method == "DELETE":
			v.records = slices.Delete(v.records, i, i+1)
			x.reply(204, "", "")
		}
	}
}

// list has pages; name is a full name.
func (v *digitalOcean) list(x *exchange) {
	x.only("name", "type", "page", "per_page")
	number := func(param string, usual, most int) int {
		n, err := strconv.Atoi(x.query.Get(param))
		if err != nil || n < 1 || n > most {
			if x.query.Has(param) {
				x.note("%s is %q", param, x.query.Get(param))
			}
			return usual
		}
		return n
	}
	if name := x.query.Get("name"); name != "" && name != "example.org" && !strings.HasSuffix(name, ".example.org") {
		x.note("name %q is not a full name of the domain", name)
	}
	var found []*doRecord
	for _, r := range v.records {
		full := strings.TrimPrefix(r.Name+".example.org", "@.")
		if name, kind := x.query.Get("name"), x.query.Get("type"); (name == "" || name == full) && (kind == "" || kind == r.Type) {
			found = append(found, r)
		}
	}
	page, size := number("page", 1, 1<<20), number("per_page", 20, 200)
	from := min((page-1)*size, len(found))
	list := append([]*doRecord{}, found[from:min(from+size, len(found))]...)
	links := map[string]any{}
	if from+size < len(found) {
		links["pages"] = map[string]string{"next": fmt.Sprintf("https://api.digitalocean.com/v2/domains/example.org/records?page=%d", page+1)}
	}
	x.replyJSON(200, map[string]any{"domain_records": list, "links": links, "meta": map[string]int{"total": len(found)}})
}

// write changes a record, or makes it; PATCH and PUT change what is named.
func (v *digitalOcean) write(x *exchange, r *doRecord, status int) {
	var body struct {
		Type *string `json:"type"`
		Name *string `json:"name"`
		Data *string `json:"data"`
		TTL  *int    `json:"ttl"`
	}
	if !x.object(&body) {
		doError(x, 400, "bad_request", "Invalid JSON")
		return
	}
	if body.Type == nil || r.ID == 0 && (body.Name == nil || body.Data == nil) {
		doError(x, 422, "unprocessable_entity", "type, name and data are required")
		return
	}
	fresh := *r
	set(&fresh.Type, body.Type)
	set(&fresh.Name, body.Name)
	set(&fresh.Data, body.Data)
	set(&fresh.TTL, body.TTL)
	addr, err := netip.ParseAddr(fresh.Data)
	switch {
	case fresh.Name != "@" && strings.Contains(fresh.Name, "example.org"):
		x.note("name %q is not relative", fresh.Name)
	case fresh.TTL < 30:
		doError(x, 422, "unprocessable_entity", "TTL must be at least 30")
		return
	case fresh.Type == "A" && (err != nil || !addr.Is4()), fresh.Type == "AAAA" && (err != nil || !addr.Is6()):
		doError(x, 422, "unprocessable_entity", "IP address did not match "+fresh.Type+" format")
		return
	case fresh.Type == "CNAME" && !strings.HasSuffix(fresh.Data, "."):
		doError(x, 422, "unprocessable_entity", "Data needs to end with a dot (.)")
		return
	}
	*r = fresh
	if r.ID == 0 {
		v.made++
		r.ID = v.made
		v.records = append(v.records, r)
	}
	shown := *r
	shown.Data = strings.TrimSuffix(shown.Data, ".") // as it answers
	x.replyJSON(status, map[string]any{"domain_record": shown})
}

// String is the records, "NAME TYPE TTL DATA" each.
func (v *digitalOcean) String() string {
	var lines []string
	for _, r := range v.records {
		lines = append(lines, fmt.Sprintf("%s %s %d %s", r.Name, r.Type, r.TTL, r.Data))
	}
	return strings.Join(lines, "\n")
}

const doAccount = `
[provider.digitalocean]
token = "token"
`

const doHome = `
[[record]]
hostname = "home.example.org"
provider = "digitalocean"
families = ["ipv4", "ipv6"]
`

func TestDigitalOcean(t *testing.T) {
	v := newDigitalOcean(
		&doRecord{ID: 1, Type: "A", Name: "home", Data: "198.51.100.1", TTL: 300},
		&doRecord{ID: 2, Type: "A", Name: "@", Data: "198.51.100.2", TTL: 1800},
		&doRecord{ID: 3, Type: "TXT", Name: "home", Data: "text", TTL: 1800},
	)
	serve(t, v, "api.digitalocean.com")
	rest := []string{"@ A 1800 198.51.100.2", "home TXT 1800 text"}
	c := configure(t, &v.vendor, doAccount+doHome)
	c.wants(updated, "203.0.113.7")
	c.calls(3) // two domains tried, with the record; changed
	c.wants(updated, "203.0.113.8")
	c.calls(1)
	wantLines(t, v, append([]string{"home A 300 203.0.113.8"}, rest...)...)
	configure(t, &v.vendor, doAccount+doHome).wants(unchanged, "203.0.113.8")

	v.take()
	c.wants(updated, "203.0.113.9", "2001:db8::9")
	wantLines(t, v, append(append([]string{"home A 300 203.0.113.9"}, rest...), "home AAAA 60 2001:db8::9")...)

	// Somebody deletes the record, so that its id is of no use any more.
	v.records = v.records[1:]
	c.wants(updated, "203.0.113.10")
	wantLines(t, v, append(slices.Clone(rest), "home AAAA 60 2001:db8::9", "home A 60 203.0.113.10")...)
	c.compare(c.remove("203.0.113.10", "2001:db8::9"), updated)
	wantLines(t, v, rest...)

	if o := c.SetCNAME(t.Context(), provider.Origin{}, "alias.example.org", "home.ddns.net", 0); o.Class != provider.Updated {
		t.Errorf("%+v", o)
	}
	if o := c.SetCNAME(t.Context(), provider.Origin{}, "alias.example.org", "home.dynu.net.", 0); o.Class != provider.Updated {
		t.Errorf("%+v", o)
	}
	wantLines(t, v, append(slices.Clone(rest), "alias CNAME 60 home.dynu.net.")...)

	configure(t, &v.vendor, strings.Replace(doAccount, `"token"`, `"other"`, 1)+doHome).wants(badAuth, "203.0.113.12")
	configure(t, &v.vendor, doAccount+strings.ReplaceAll(doHome, "example.org", "example.net")).wants(noHost, "203.0.113.12")
	v.check(t)
}

// Of 250 records of one name and type, on two pages, only ours is changed.
func TestDigitalOceanPages(t *testing.T) {
	v := newDigitalOcean()
	for i := range 250 {
		v.records = append(v.records, &doRecord{ID: i + 1, Type: "A", Name: "home", Data: fmt.Sprintf("198.51.100.%d", i), TTL: 300})
	}
	serve(t, v, "api.digitalocean.com")
	c := configure(t, &v.vendor, doAccount+`zone = "example.org"`+doHome)
	c.current["home.example.orgipv4"] = netip.MustParseAddr("198.51.100.240")
	if o := c.publish("203.0.113.8"); o[0].Class != provider.Updated || !strings.Contains(o[0].Warning, "has 250 A records") {
		t.Errorf("%+v", o[0])
	}
	c.calls(3)
	if v.records[240].Data != "203.0.113.8" || v.records[0].Data != "198.51.100.0" {
		t.Errorf("%v", v)
	}
	v.check(t)
}
