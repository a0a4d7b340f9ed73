package vendors

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// podRecord is a record as DNSPod lists it.
type podRecord struct {
	ID     string `json:"id"`
	TTL    string `json:"ttl"`
	Value  string `json:"value"`
	Name   string `json:"name"`
	Line   string `json:"line"`
	LineID string `json:"line_id"`
	Type   string `json:"type"`
	Remark string `json:"remark"`
}

// dnspod is DNSPod's interface of tokens, after https://docs.dnspod.cn/api/. The
// token 123 is "secret" and has the domain example.org.
type dnspod struct {
	vendor
	records []podRecord
	made    int
}

func newDNSPod(records ...podRecord) *dnspod {
	v := &dnspod{records: records, made: 306419640}
	v.answer = v.serve
	return v
}

func (v *dnspod) serve(x *exchange) {
	x.only()
	form, err := url.ParseQuery(x.body)
	if err != nil || x.method != "POST" || x.header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		x.note("%s with Content-Type %q: %v", x.method, x.header.Get("Content-Type"), err)
	}
	if form.Get("format") != "json" {
		x.note("format %q: the default is XML", form.Get("format"))
	}
	i := slices.IndexFunc(v.records, func(r podRecord) bool { return r.ID == form.Get("record_id") })
	switch {
	case form.Get("login_token") != "123,secret":
		podStatus(x, "-1", "Login fail, please check login info", nil)
	case form.Get("domain") != "example.org":
		podStatus(x, map[bool]string{true: "13", false: "6"}[x.path == "/Domain.Info"], "Domain does not exist", nil)
	case x.path == "/Domain.Info":
		podStatus(x, "1", "Action completed successful", map[string]any{"domain": map[string]string{"id": "59753949", "name": "example.org", "status": "enable"}})
	case x.path == "/Record.List":
		found := []podRecord{}
		for _, r := range v.records {
			if (form["sub_domain"] == nil || form.Get("sub_domain") == r.Name) && (form["record_type"] == nil || form.Get("record_type") == r.Type) {
				found = append(found, r)
			}
		}
		if len(found) == 0 {
			podStatus(x, "10", "No records", nil)
			return
		}
		podStatus(x, "1", "Action completed successful", map[string]any{"records": found})
	case x.path == "/Record.Create":
		v.made++
		v.records = append(v.records, podRecord{ID: strconv.Itoa(v.made)})
		v.write(x, form, &v.records[len(v.records)-1], true)
	case i < 0:
		podStatus(x, "8", "Record id invalid", nil)
	case x.path == "/Record.Modify":
		v.write(x, form, &v.records[i], true)
	case x.path == "/Record.Ddns":
		if form.Get("sub_domain") == "" {
			x.note("no sub_domain, for which \"@\" is taken")
			form.Set("sub_domain", "@")
		}
		v.write(x, form, &v.records[i], false)
	case x.path == "/Record.Remove":
		v.records = slices.Delete(v.records, i, i+1)
		podStatus(x, "1", "Action completed successful", nil)
	}
}

// write changes a record; without a TTL it gets the domain's, if it is to get one.
func (v *dnspod) write(x *exchange, form url.Values, r *podRecord, typed bool) {
	fresh := podRecord{ID: r.ID, TTL: r.TTL, Value: form.Get("value"), Name: form.Get("sub_domain"), LineID: form.Get("record_line_id"), Type: r.Type, Remark: r.Remark}
	if form.Get("record_line") == "默认" {
		fresh.LineID = "0"
	}
	if typed {
		fresh.Type, fresh.TTL = form.Get("record_type"), "600"
	}
	if form.Get("ttl") != "" {
		fresh.TTL = form.Get("ttl")
	}
	if fresh.LineID == "" || fresh.Type == "" || fresh.Value == "" {
		podStatus(x, "26", "Record line invalid", nil)
		return
	}
	*r = fresh
	podStatus(x, "1", "Action completed successful", map[string]any{"record": map[string]any{"id": r.ID, "name": r.Name, "value": r.Value}})
}

func podStatus(x *exchange, code, message string, more map[string]any) {
	body := map[string]any{"status": map[string]string{"code": code, "message": message, "created_at": "2026-01-02 11:04:05"}}
	for key, value := range more {
		body[key] = value
	}
	x.replyJSON(200, body)
}

// String is the records, "NAME TYPE TTL LINE VALUE REMARK" each.
func (v *dnspod) String() string {
	var lines []string
	for _, r := range v.records {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s %s", r.Name, r.Type, r.TTL, r.LineID, r.Value, r.Remark)))
	}
	return strings.Join(lines, "\n")
}

func podPreset() []podRecord {
	return []podRecord{{"1", "120", "198.51.100.1", "home", "电信", "10=0", "A", "mine"}, {"2", "600", "198.51.100.2", "@", "默认", "0", "A", ""}}
}

const (
	podAccount = "\n[provider.dnspod]\nid = \"123\"\ntoken = \"secret\"\n"
	podHome    = "\n[[record]]\nhostname = \"home.example.org\"\nprovider = \"dnspod\"\nfamilies = [\"ipv4\", \"ipv6\"]\n"
)

func TestDNSPod(t *testing.T) {
	v := newDNSPod(podPreset()...)
	serve(t, v, "dnsapi.cn")
	c := configure(t, &v.vendor, podAccount+podHome)
	c.wants(updated, "203.0.113.7")
	c.calls(4) // two domains tried
	c.wants(updated, "203.0.113.8")
	c.calls(1)
	c.wants(updated, "203.0.113.9", "2001:db8::9")
	c.calls(3)
	wantLines(t, v, "home A 120 10=0 203.0.113.9 mine", "@ A 600 0 198.51.100.2", "home AAAA 600 0 2001:db8::9")
	configure(t, &v.vendor, podAccount+podHome).wants(unchanged, "203.0.113.9")
	v.records = v.records[1:] // somebody deletes it
	c.wants(updated, "203.0.113.10")
	wantLines(t, v, "@ A 600 0 198.51.100.2", "home AAAA 600 0 2001:db8::9", "home A 600 0 203.0.113.10")
	c.compare(c.remove("203.0.113.10", "2001:db8::9"), updated)
	wantLines(t, v, "@ A 600 0 198.51.100.2")
	if o := configure(t, &v.vendor, strings.Replace(podAccount, `"secret"`, `"other"`, 1)+podHome).publish("203.0.113.11"); o[0].Class != provider.BadAuth || !o[0].Account {
		t.Errorf("%+v", o[0])
	}
	configure(t, &v.vendor, podAccount+strings.ReplaceAll(podHome, "example.org", "example.net")).wants(noHost, "203.0.113.11")
	v.check(t)
}
