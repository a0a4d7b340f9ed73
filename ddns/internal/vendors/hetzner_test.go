package vendors

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// hzRecord is a record of a set as Hetzner's API has it.
type hzRecord struct {
	Value   string  `json:"value"`
	Comment *string `json:"comment,omitempty"`
}

// hzSet is a set of records.
type hzSet struct {
	name, kind string
	ttl        *int // nil: the zone's
	records    []hzRecord
	protected  bool
}

// hetzner is the Hetzner Cloud API, after
// https://docs.hetzner.cloud/reference/cloud#tag/zone-rrsets. The zone is
// example.org, of id 42; the token is "token", and "reader" may only read. What
// is asked for is done when its action has been looked at once. Debian's
// ddclient (3.10) speaks the API of the old DNS Console, which is shut down.
type hetzner struct {
	vendor
	sets    []*hzSet
	actions int
	pending func() // what the running action will do
	fails   bool   // the next action
}

func newHetzner(sets ...*hzSet) *hetzner {
	v := &hetzner{sets: sets}
	v.answer = v.serve
	return v
}

func hzError(x *exchange, status int, code, message string) {
	x.replyJSON(status, map[string]any{"error": map[string]any{"code": code, "message": message, "details": nil}})
}

func (v *hetzner) serve(x *exchange) {
	path, ok := strings.CutPrefix(x.path, "/v1/")
	if !ok {
		return
	}
	x.only()
	switch token := x.bearer(); {
	case token == "reader" && x.method != "GET":
		hzError(x, 403, "token_readonly", "the token is only allowed to perform GET requests")
		return
	case token != "token" && token != "reader":
		hzError(x, 401, "unauthorized", "unable to authenticate")
		return
	}
	parts := strings.Split(path, "/")
	if parts[0] == "actions" && len(parts) == 2 && x.method == "GET" {
		v.finish(x, parts[1])
		return
	}
	if parts[0] != "zones" || len(parts) < 2 {
		return
	}
	if parts[1] != "example.org" && parts[1] != "42" {
		hzError(x, 404, "not_found", "zone not found")
		return
	}
	if v.pending != nil {
		hzError(x, 423, "locked", "the zone is being changed")
		return
	}
	switch {
	case len(parts) == 2 && x.method == "GET":
		x.replyJSON(200, map[string]any{"zone": map[string]any{"id": 42, "name": "example.org", "mode": "primary", "ttl": 3600}})
	case len(parts) == 3 && parts[2] == "rrsets" && x.method == "POST":
		v.create(x)
	case len(parts) >= 5 && parts[2] == "rrsets":
		i := slices.IndexFunc(v.sets, func(s *hzSet) bool { return s.name == parts[3] && s.kind == parts[4] })
		if i < 0 {
			hzError(x, 404, "not_found", "rrset not found")
			return
		}
		v.set(x, i, strings.Join(parts[5:], "/"))
	}
}

// shown is a set as the API shows it.
func (s *hzSet) shown() map[string]any {
	records := []map[string]string{}
	for _, r := range s.records {
		comment := ""
		set(&comment, r.Comment)
		records = append(records, map[string]string{"value": r.Value, "comment": comment})
	}
	return map[string]any{
		"id": s.name + "/" + s.kind, "name": s.name, "type": s.kind, "ttl": s.ttl, "labels": map[string]string{},
		"protection": map[string]bool{"change": s.protected}, "records": records, "zone": 42,
	}
}

// begin answers with an action that will do it.
func (v *hetzner) begin(x *exchange, also map[string]any, do func()) {
	v.actions++
	v.pending = do
	body := map[string]any{"action": map[string]any{"id": v.actions, "command": "change", "status": "running", "progress": 0, "finished": nil, "error": nil}}
	for key, value := range also {
		body[key] = value
	}
	x.replyJSON(201, body)
}

// finish tells of an action; it is still running at the first look.
func (v *hetzner) finish(x *exchange, id string) {
	if id != itoa(v.actions) {
		hzError(x, 404, "not_found", "action not found")
		return
	}
	state := "success"
	var problem any
	if v.pending != nil && v.fails {
		state, problem = "error", map[string]string{"code": "action_failed", "message": "Action failed"}
	} else if v.pending != nil {
		v.pending()
	}
	v.pending, v.fails = nil, false
	x.replyJSON(200, map[string]any{"action": map[string]any{"id": v.actions, "command": "change", "status": state, "progress": 100, "error": problem}})
}

func (v *hetzner) create(x *exchange) {
	var body struct {
		Name    string     `json:"name"`
		Type    string     `json:"type"`
		TTL     *int       `json:"ttl"`
		Records []hzRecord `json:"records"`
	}
	if !x.object(&body) || !hzRecords(x, body.Type, body.Records) {
		return
	}
	if strings.Contains(body.Name, "example.org") || body.Name == "" {
		x.note("name %q is not relative", body.Name)
	}
	for _, s := range v.sets {
		if s.name == body.Name && s.kind == body.Type {
			hzError(x, 409, "uniqueness_error", "RRSet already exists")
			return
		}
	}
	s := &hzSet{name: body.Name, kind: body.Type, ttl: body.TTL, records: body.Records}
	v.begin(x, map[string]any{"rrset": s.shown()}, func() { v.sets = append(v.sets, s) })
}

// hzRecords checks what is to be in a set.
func hzRecords(x *exchange, kind string, records []hzRecord) bool {
	bad := len(records) == 0
	for i, r := range records {
		addr, err := netip.ParseAddr(r.Value)
		bad = bad || kind == "A" && (err != nil || !addr.Is4()) || kind == "AAAA" && (err != nil || !addr.Is6())
		if kind == "CNAME" && !strings.HasSuffix(r.Value, ".") {
			x.note("CNAME %q is relative", r.Value)
		}
		bad = bad || slices.ContainsFunc(records[:i], func(o hzRecord) bool { return o.Value == r.Value })
	}
	if bad {
		hzError(x, 422, "invalid_input", "invalid input in field 'records'")
	}
	return !bad
}

// set does what is asked of a set that there is.
func (v *hetzner) set(x *exchange, i int, action string) {
	s := v.sets[i]
	if s.protected && x.method != "GET" {
		hzError(x, 422, "protected", "the rrset is protected")
		return
	}
	var body struct {
		TTL     *int       `json:"ttl"`
		Records []hzRecord `json:"records"`
	}
	if x.method == "POST" && !x.object(&body) {
		hzError(x, 400, "json_error", "invalid JSON")
		return
	}
	switch x.method + " " + action {
	case "GET ":
		x.replyJSON(200, map[string]any{"rrset": s.shown()})
	case "DELETE ":
		v.begin(x, nil, func() { v.sets = slices.Delete(v.sets, i, i+1) })
	case "POST actions/change_ttl":
		if body.TTL != nil && *body.TTL < 60 {
			hzError(x, 422, "invalid_input", "invalid input in field 'ttl'")
			return
		}
		v.begin(x, nil, func() { s.ttl = body.TTL })
	case "POST actions/set_records":
		if hzRecords(x, s.kind, body.Records) {
			v.begin(x, nil, func() { s.records = body.Records })
		}
	case "POST actions/remove_records":
		v.begin(x, nil, func() {
			s.records = slices.DeleteFunc(s.records, func(r hzRecord) bool {
				return slices.ContainsFunc(body.Records, func(o hzRecord) bool { return o.Value == r.Value })
			})
			if len(s.records) == 0 {
				v.sets = slices.Delete(v.sets, i, i+1)
			}
		})
	}
}

// String is the records, "NAME TYPE TTL VALUE[ COMMENT]" each.
func (v *hetzner) String() string {
	var lines []string
	for _, s := range v.sets {
		ttl, _ := json.Marshal(s.ttl)
		for _, r := range s.records {
			comment := ""
			set(&comment, r.Comment)
			lines = append(lines, strings.TrimSuffix(fmt.Sprintf("%s %s %s %s %s", s.name, s.kind, ttl, r.Value, comment), " "))
		}
	}
	return strings.Join(lines, "\n")
}

const hzAccount = `
[provider.hetzner-cloud]
token = "token"
`

const hzHome = `
[[record]]
hostname = "home.example.org"
provider = "hetzner-cloud"
families = ["ipv4", "ipv6"]
`

func TestHetzner(t *testing.T) {
	router, office := "the router", "the office"
	v := newHetzner(
		&hzSet{name: "home", kind: "A", records: []hzRecord{{"198.51.100.1", &router}}},
		&hzSet{name: "@", kind: "A", records: []hzRecord{{"198.51.100.2", nil}}},
	)
	serve(t, v, "api.hetzner.cloud")
	c := configure(t, &v.vendor, hzAccount+hzHome)
	c.wants(updated, "203.0.113.7")
	c.calls(5) // two zones tried, the set looked up, changed, waited for
	c.wants(updated, "203.0.113.8")
	c.calls(3)
	wantLines(t, v, "home A null 203.0.113.8 the router", "@ A null 198.51.100.2")
	configure(t, &v.vendor, hzAccount+hzHome).wants(unchanged, "203.0.113.8")

	c.wants([]provider.Class{provider.Unchanged, provider.Updated}, "203.0.113.8", "2001:db8::9")
	wantLines(t, v, "home A null 203.0.113.8 the router", "@ A null 198.51.100.2", "home AAAA 60 2001:db8::9")

	// Somebody adds an address: it stays, with its comment, and ours is found.
	v.sets[0].records = append([]hzRecord{{"198.51.100.9", &office}}, v.sets[0].records...)
	if o := c.publish("203.0.113.10"); o[0].Class != provider.Updated || !strings.Contains(o[0].Warning, "has 2 A records") {
		t.Errorf("%+v", o)
	}
	wantLines(t, v, "home A null 203.0.113.10 the router", "home A null 198.51.100.9 the office", "@ A null 198.51.100.2", "home AAAA 60 2001:db8::9")
	c.compare(c.remove("203.0.113.10", "2001:db8::9"), updated)
	wantLines(t, v, "home A null 198.51.100.9 the office", "@ A null 198.51.100.2")

	one := configure(t, &v.vendor, hzAccount+strings.ReplaceAll(hzHome, "home.", "")+"ttl = \"2m\"")
	one.wants(updated, "203.0.113.11")
	wantLines(t, v, "home A null 198.51.100.9 the office", "@ A 120 203.0.113.11")
	v.fails = true
	one.wants([]provider.Class{provider.ServerError}, "203.0.113.12")
	wantLines(t, v, "home A null 198.51.100.9 the office", "@ A 120 203.0.113.11")

	for _, target := range []string{"home.ddns.net", "home.dynu.net"} {
		if o := c.SetCNAME(t.Context(), provider.Origin{}, "alias.example.org", target, 0); o.Class != provider.Updated {
			t.Errorf("%+v", o)
		}
	}
	wantLines(t, v, "home A null 198.51.100.9 the office", "@ A 120 203.0.113.11", "alias CNAME 60 home.dynu.net.")

	configure(t, &v.vendor, strings.Replace(hzAccount, `"token"`, `"other"`, 1)+hzHome).wants(badAuth, "203.0.113.12")
	configure(t, &v.vendor, strings.Replace(hzAccount, `"token"`, `"reader"`, 1)+hzHome).wants(badAuth, "203.0.113.12")
	configure(t, &v.vendor, hzAccount+strings.ReplaceAll(hzHome, "example.org", "example.net")).wants(noHost, "203.0.113.12")
	v.sets[1].protected = true
	one.wants([]provider.Class{provider.WrongOwner}, "203.0.113.13")
	v.check(t)
}
