package vendors

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// nfsnRecord is a resource record as NearlyFreeSpeech.NET lists it.
type nfsnRecord struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Data  string `json:"data"`
	TTL   string `json:"ttl"`
	Scope string `json:"scope"`
}

// nfsn is the API of NearlyFreeSpeech.NET, after
// https://members.nearlyfreespeech.net/wiki/API/Introduction and API/DNS*. The
// member "me" has the key "key" and the domain example.org.
type nfsn struct {
	vendor
	records []nfsnRecord
}

func newNFSN(records ...nfsnRecord) *nfsn {
	v := &nfsn{records: records}
	v.answer = v.serve
	return v
}

func (v *nfsn) serve(x *exchange) {
	if !nfsnSigned(x) {
		return
	}
	x.only()
	form, err := url.ParseQuery(x.body)
	if err != nil || x.method != "POST" || x.header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		x.note("%s with Content-Type %q: %v", x.method, x.header.Get("Content-Type"), err)
	}
	parts := strings.Split(x.path, "/")
	if len(parts) != 4 || parts[1] != "dns" {
		return
	}
	if parts[2] != "example.org" {
		x.replyJSON(404, map[string]string{"error": "The specified domain was not found.", "debug": parts[2]})
		return
	}
	one := func(r nfsnRecord) bool {
		return r.Name == form.Get("name") && r.Type == form.Get("type") && r.Data == form.Get("data")
	}
	set := func(r nfsnRecord) bool { return r.Name == form.Get("name") && r.Type == form.Get("type") }
	switch parts[3] {
	case "listRRs":
		list := []nfsnRecord{}
		for _, r := range v.records {
			if (form["name"] == nil || form.Get("name") == r.Name) && (form["type"] == nil || form.Get("type") == r.Type) {
				list = append(list, r)
			}
		}
		x.replyJSON(200, list)
	case "removeRR":
		if i := slices.IndexFunc(v.records, one); i >= 0 {
			v.records = slices.Delete(v.records, i, i+1)
			x.reply(200, "application/json", "")
			return
		}
		x.replyJSON(404, map[string]string{"error": "The specified resource record was not found."})
	case "replaceRR", "addRR":
		if parts[3] == "replaceRR" {
			v.records = slices.DeleteFunc(v.records, set)
		}
		ttl := form.Get("ttl")
		if n, err := strconv.Atoi(ttl); ttl != "" && (err != nil || n < 60) || slices.ContainsFunc(v.records, one) {
			x.note("ttl %q of %s", ttl, form.Get("data"))
		}
		v.records = append(v.records, nfsnRecord{form.Get("name"), form.Get("type"), form.Get("data"), ttl, "member"})
		x.reply(200, "application/json", "")
	}
}

// nfsnSigned verifies login;timestamp;salt;hash, where hash is the SHA-1 of
// login;timestamp;salt;key;URI;SHA-1 of the body.
func nfsnSigned(x *exchange) bool {
	digest := func(s string) string { sum := sha1.Sum([]byte(s)); return hex.EncodeToString(sum[:]) }
	part := strings.Split(x.header.Get("X-NFSN-Authentication"), ";")
	if len(part) == 4 && len(part[2]) == 16 && part[0] == "me" {
		unix, err := strconv.ParseInt(part[1], 10, 64)
		want := digest(strings.Join([]string{part[0], part[1], part[2], "key", x.path, digest(x.body)}, ";"))
		if err == nil && time.Since(time.Unix(unix, 0)).Abs() < time.Minute && part[3] == want {
			return true
		}
	}
	x.replyJSON(401, map[string]string{"error": "API authentication failed.", "debug": "hash"})
	return false
}

// String is the records, "NAME TYPE TTL DATA" each.
func (v *nfsn) String() string {
	var lines []string
	for _, r := range v.records {
		lines = append(lines, fmt.Sprintf("%q %s %s %s", r.Name, r.Type, r.TTL, r.Data))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func nfsnPreset() []nfsnRecord {
	return []nfsnRecord{{"home", "A", "198.51.100.1", "300", "member"}, {"home", "TXT", "text", "3600", "member"}, {"", "A", "198.51.100.2", "3600", "system"}}
}

const (
	nfsnAccount = "\n[provider.nfsn]\nusername = \"me\"\napi_key = \"key\"\n"
	nfsnHome    = "\n[[record]]\nhostname = \"home.example.org\"\nprovider = \"nfsn\"\nfamilies = [\"ipv4\", \"ipv6\"]\n"
)

func TestNFSN(t *testing.T) {
	v := newNFSN(nfsnPreset()...)
	serve(t, v, "api.nearlyfreespeech.net")
	rest := []string{`"" A 3600 198.51.100.2`, `"home" TXT 3600 text`}
	with := func(lines ...string) []string { all := append(lines, rest...); slices.Sort(all); return all }
	c := configure(t, &v.vendor, nfsnAccount+nfsnHome)
	c.wants(updated, "203.0.113.7")
	c.calls(3) // two domains tried
	c.wants(updated, "203.0.113.8")
	c.calls(2)
	c.wants(updated, "203.0.113.9", "2001:db8::9")
	wantLines(t, v, with(`"home" A 300 203.0.113.9`, `"home" AAAA 300 2001:db8::9`)...)
	configure(t, &v.vendor, nfsnAccount+nfsnHome).wants(unchanged, "203.0.113.9")

	// Somebody adds another router's address: it stays.
	v.records = append(v.records, nfsnRecord{"home", "A", "192.0.2.1", "300", "member"})
	if o := c.publish("203.0.113.10"); o[0].Class != provider.Updated || o[0].Warning == "" {
		t.Errorf("%+v", o[0])
	}
	wantLines(t, v, with(`"home" A 300 192.0.2.1`, `"home" A 300 203.0.113.10`, `"home" AAAA 300 2001:db8::9`)...)
	c.compare(c.remove("203.0.113.10", "2001:db8::9"), updated)
	wantLines(t, v, with(`"home" A 300 192.0.2.1`)...)

	if o := configure(t, &v.vendor, strings.Replace(nfsnAccount, `"key"`, `"other"`, 1)+nfsnHome).publish("203.0.113.11"); o[0].Class != provider.BadAuth || !o[0].Account {
		t.Errorf("%+v", o[0])
	}
	configure(t, &v.vendor, nfsnAccount+strings.ReplaceAll(nfsnHome, "example.org", "example.net")).wants(noHost, "203.0.113.11")
	v.check(t)
}
