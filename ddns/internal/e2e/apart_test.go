package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// keeper is as much of Cloudflare's API as keeps the A records of home.dyn.test.
type keeper struct {
	mu      sync.Mutex
	records []kept
	made    int
	asked   []string // METHOD ID ADDRESS of each request that writes
	busy    string   // the next request with this method is refused for a second
}

type kept struct {
	ID      string `json:"id"`
	Content string `json:"content"`
	TTL     int    `json:"ttl"`
}

func (o *keeper) answer(r *lab.Request) lab.Reply {
	o.mu.Lock()
	defer o.mu.Unlock()
	reply := func(result any) lab.Reply {
		text, _ := json.Marshal(map[string]any{"success": true, "errors": []any{}, "result": result})
		return lab.Reply{Body: string(text)}
	}
	if r.URL.Path == "/client/v4/zones" {
		if r.URL.Query().Get("name") == "dyn.test" {
			return reply([]kept{{ID: "z1"}})
		}
		return reply([]kept{})
	}
	if r.Method == "GET" {
		return reply(o.records)
	}
	var body kept
	json.Unmarshal([]byte(r.Text), &body)
	id := filepath.Base(r.URL.Path)
	o.asked = append(o.asked, strings.TrimSpace(strings.Replace(r.Method+" "+id, " dns_records", "", 1)+" "+body.Content))
	if r.Method == o.busy {
		o.busy = ""
		return lab.Reply{Status: 503, Header: http.Header{"Retry-After": {"1"}}}
	}
	i := slices.IndexFunc(o.records, func(one kept) bool { return one.ID == id })
	switch {
	case r.Method == "POST":
		o.made++
		body.ID = fmt.Sprint("r", o.made)
		o.records = append(o.records, body)
	case i < 0:
		return lab.Reply{Status: 404, Body: `{"success":false,"errors":[{"code":81044,"message":"Record does not exist."}]}`}
	case r.Method == "PATCH":
		o.records[i].Content = body.Content
	case r.Method == "DELETE":
		o.records = slices.Delete(o.records, i, i+1)
	}
	return reply(body)
}

// take returns what was written since the last take, and the records as they are.
func (o *keeper) take() (asked, records string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	asked, o.asked = strings.Join(o.asked, ", "), nil
	var list []string
	for _, one := range o.records {
		list = append(list, one.ID+" "+one.Content)
	}
	return asked, strings.Join(list, ", ")
}

// Where each address is a record of its own, a name has those of two WANs beside
// those of somebody else: a new one goes in place of the old one, what has gone
// is deleted, also if that failed at first, and on exit ours alone are removed.
func TestEachAddressIsARecordOfItsOwn(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	o := &keeper{records: []kept{{"a", "192.0.2.1", 3600}, {"b", "192.0.2.2", 3600}}}
	s.p.Handle(o.answer)
	lte, isp2 := s.AddWAN("lte", "isp2")
	isp2.Add("11.22.44.1/24")
	s.online("11.22.33.7")
	lte.Add("11.22.44.8/24")
	lte.DefaultVia("11.22.44.1", "metric", "700")

	// The built-in file, but for the pause that it keeps between two updates.
	file, err := os.ReadFile("../../provider/catalogue/cloudflare.toml")
	if err != nil {
		t.Fatal(err)
	}
	s.prepare("[daemon]\nstate_dir = \"$DIR/state\"\nsocket = \"$DIR/socket\"\nproviders_dir = \"$DIR/providers.d\"\n" +
		"[source.wan]\nmethod = \"interface\"\ninterface = \"wan\"\n[source.lte]\nmethod = \"interface\"\ninterface = \"lte\"\n[verify]\nenabled = false\n" +
		fmt.Sprintf("[provider.cloudflare]\ntoken = \"s3cret-word\"\nserver = %q\ninsecure_http = true\n", s.p.URL) +
		record(home, "cloudflare", `source = ["wan", "lte"]`, "all_sources = true", "remove_on_exit = true"))
	dir := filepath.Join(s.d.Dir, "providers.d")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	quicker := strings.Replace(string(file), `min_interval = "1m"`, `min_interval = "0s"`, 1)
	if err := os.WriteFile(filepath.Join(dir, "cloudflare.toml"), []byte(quicker), 0o644); err != nil {
		t.Fatal(err)
	}
	wants := func(asked, records string) {
		t.Helper()
		if a, r := o.take(); a != asked || r != records {
			t.Errorf("asked for %s\n want     %s\nthere is  %s\n want     %s", a, asked, r, records)
		}
	}
	s.d.Start()
	t.Cleanup(s.noRace)
	s.started()
	s.published("11.22.33.7 11.22.44.8")
	wants("POST 11.22.33.7, POST 11.22.44.8", "a 192.0.2.1, b 192.0.2.2, r1 11.22.33.7, r2 11.22.44.8")
	s.d.WaitLog(t.Context(), "has 4 A records: the others were left alone")

	s.d.Mark()
	lte.Flush(4)
	lte.Add("11.22.44.9/24")
	lte.DefaultVia("11.22.44.1", "metric", "700")
	s.published("11.22.33.7 11.22.44.9")
	wants("PATCH r2 11.22.44.9", "a 192.0.2.1, b 192.0.2.2, r1 11.22.33.7, r2 11.22.44.9")

	s.d.Mark()
	o.mu.Lock()
	o.busy = "DELETE"
	o.mu.Unlock()
	lte.Unplug()
	s.d.WaitLog(t.Context(), "update at cloudflare failed: delete: HTTP status 503")
	s.published("ipv4 11.22.33.7")
	wants("DELETE r2, DELETE r2", "a 192.0.2.1, b 192.0.2.2, r1 11.22.33.7")
	eventually(t, "nothing is left to be mended", func() bool { return s.savedText(`"11.22.33.7"`) && !s.savedText(`"tried"`) })

	s.d.Stop()
	wants("DELETE r1", "a 192.0.2.1, b 192.0.2.2")
}
