package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// keys of status -json, as the documentation promises them.
var (
	topKeys    = []string{"aliases", "config", "records", "sources", "time", "uptime_seconds", "version"}
	configKeys = []string{"error", "path", "revision"}
	sourceKeys = []string{"address", "family", "interface", "method", "name", "note"}
	recordKeys = []string{"all_published", "all_wanted", "attempts", "delegation", "error", "error_class", "family", "hostname", "last_change",
		"next_attempt", "provider", "published", "source", "source_note", "state", "verdict", "verdict_note", "wanted"}
)

func TestStatus(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.online("11.22.33.7")
	s.start(s.plain(both) + record("nas.dyn.test", "dyn", "enabled = false"))
	s.settled("11.22.33.7")
	s.state(home, "ipv4", "published")

	r := s.d.Command("status", "-json")
	var raw struct {
		Config           map[string]any
		Sources, Records []map[string]any
		Aliases          []any
	}
	var top map[string]any
	for _, v := range []any{&raw, &top} {
		if err := json.Unmarshal([]byte(r.Stdout), v); err != nil {
			t.Fatalf("%v\n%s", err, r.Stdout)
		}
	}
	has := func(what string, m map[string]any, want []string, nulls ...string) {
		t.Helper()
		if got := slices.Sorted(maps.Keys(m)); !slices.Equal(got, want) {
			t.Errorf("%s has the keys %v, want %v", what, got, want)
		}
		for k, v := range m {
			if (v == nil) != slices.Contains(nulls, k) {
				t.Errorf("%s: %s is %v", what, k, v)
			}
		}
	}
	has("status", top, topKeys)
	has("config", raw.Config, configKeys, "error")
	if len(raw.Sources) != 2 || len(raw.Records) != 3 || raw.Aliases == nil {
		t.Fatalf("%d sources, %d records, aliases %v\n%s", len(raw.Sources), len(raw.Records), raw.Aliases, r.Stdout)
	}
	has("source wan ipv4", raw.Sources[0], sourceKeys, "note")
	has("source wan ipv6", raw.Sources[1], sourceKeys, "address", "interface")
	unverified := []string{"all_published", "all_wanted", "source_note", "verdict", "verdict_note", "delegation"}
	has("record ipv4", raw.Records[0], recordKeys, append(unverified, "error", "error_class", "next_attempt")...)
	has("record ipv6", raw.Records[1], recordKeys, append(unverified, "error", "error_class", "next_attempt", "last_change", "wanted", "published")...)
	if got := raw.Records[2]["state"]; got != "disabled" {
		t.Errorf("a record that is not enabled is %v", got)
	}
	at, err := time.Parse(time.RFC3339, fmt.Sprint(raw.Records[0]["last_change"]))
	if err != nil || time.Since(at) > time.Minute {
		t.Errorf("last_change: %v, %v", at, err)
	}

	table := s.d.Command("status")
	for _, want := range []string{"wanbeacon ", s.d.Config, "SOURCE", "RECORD", "11.22.33.7", "published", "waiting", "disabled", home} {
		if !strings.Contains(table.Stdout, want) || table.Status != 0 {
			t.Errorf("the table (exit %d) has no %q:\n%s", table.Status, want, table.Stdout)
		}
	}
	s.d.Stop()
	if r := s.d.Command("status"); r.Status != 1 || !strings.Contains(r.Stderr, "not running") {
		t.Errorf("without a daemon: %+v", r)
	}
}

func TestUpdate(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.online("11.22.33.7")
	s.start(account("dyn", s.p) + record(home, "dyn") + record("nas.dyn.test", "dyn"))
	s.settled("11.22.33.7")
	s.quiet()
	if r := s.d.Command("update"); r.Status != 0 || !strings.Contains(r.Stdout, home) {
		t.Errorf("update: %+v", r)
	}
	if n := len(s.p.Requests()); n != 1 {
		t.Errorf("%d requests, update of what is published sent some", n)
	}
	if r := s.d.Command("update", "-force", "NAS.dyn.test."); r.Status != 0 {
		t.Errorf("update -force: %+v", r)
	}
	if got := s.p.NextRequest(t.Context()).URL.Query().Get("hostname"); got != "nas.dyn.test" {
		t.Errorf("forced %s", got)
	}
	if r := s.d.Command("update", "nobody.dyn.test"); r.Status != 1 || !strings.Contains(r.Stderr, "nobody.dyn.test") {
		t.Errorf("update of a name that is not there: %+v", r)
	}
	// Nothing happened but the request: its time is what counts.
	if line := s.d.WaitLog(t.Context(), "(nochg").Text; strings.Contains(line, " s (") {
		t.Errorf("log: %s", line)
	}
}

// The provider's own wait stands, whatever the user asks.
func TestUpdateInTheProvidersWait(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.p.Queue(lab.Reply{Body: "911"})
	s.online("11.22.33.7")
	s.start(s.plain())
	s.expect("11.22.33.7")
	s.state(home, "ipv4", "retrying")
	for _, args := range [][]string{nil, {"-force"}} {
		if r := s.d.Command("update", args...); !strings.Contains(r.Stdout, "retrying") || !strings.Contains(r.Stdout, "next attempt in ") {
			t.Errorf("update %v: %+v", args, r)
		}
	}
	if n := len(s.p.Requests()); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestAddresses(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.prepare(s.plain())
	s.online("11.22.33.7")
	s.WAN.Add("192.168.7.5/24")
	s.WAN.Add("fd12:3456::7/64", "nodad")
	check := func(how string) {
		t.Helper()
		r := s.d.Command("addresses")
		for _, want := range []string{"source wan", "11.22.33.7/24", "taken", "192.168.7.5/24", "passed over: private",
			"127.0.0.1/8", "fd12:3456::7/64", "no ipv6 address: "} {
			if r.Status != 0 || !strings.Contains(r.Stdout, want) {
				t.Errorf("%s: exit %d, no %q in\n%s%s", how, r.Status, want, r.Stdout, r.Stderr)
			}
		}
		for cidr, v := range reasons(t, s.d) {
			if v.Taken != (cidr == "11.22.33.7/24") || !v.Taken && v.Reason == "" || v.Interface == "" {
				t.Errorf("%s: %s: %+v", how, cidr, v)
			}
		}
	}
	check("without a daemon")
	s.d.Start()
	s.started()
	s.settled("11.22.33.7")
	check("from the daemon")
}

// Errors are PATH:LINE: message, all of them at once; nothing is sent.
func TestCheck(t *testing.T) {
	t.Parallel()
	s := bareSite(t)
	s.prepare("[provider.dyn]\nusername = \"user\"\npassword = \"s3cret-word\"\n" + record("home.dyndns.org", "dyn"))
	if r := s.d.Command("check"); r.Status != 0 || !strings.Contains(r.Stdout, "no errors; 1 address record, 1 provider") || r.Stderr != "" {
		t.Errorf("a good file: %+v", r)
	}
	os.Chmod(s.d.Config, 0o644)
	if r := s.d.Command("check"); r.Status != 0 || !strings.Contains(r.Stderr, s.d.Config+":") || !strings.Contains(r.Stderr, "warning") {
		t.Errorf("a file that others can read: %+v", r) // L8
	}
	if info, _ := os.Stat(s.d.Config); info.Mode().Perm() != 0o644 {
		t.Errorf("the mode was changed to %v", info.Mode())
	}
	for _, c := range []struct {
		name, text string
		lines      []int
		says       string
	}{ // L7
		{"unknown key", "[provider.dyn]\nusername = \"u\"\npassword = \"p\"\nretries = 3\n", []int{4}, "unknown key"},
		{"near miss", "[[record]]\nhostnam = \"a.dyndns.org\"\nprovider = \"dyn\"\n", []int{2}, "did you mean `hostname`?"},
		{"no password", "[provider.dyn]\nusername = \"u\"\n[[record]]\nhostname = \"a.dyndns.org\"\nprovider = \"dyn\"\n", []int{1}, "assword"},
		{"two errors", "[daemon]\nlog_level = \"loud\"\ntimeout = 20\n", []int{2, 3}, ""},
		{"no TOML", "hello\n", []int{1}, ""},
	} {
		s.d.Write(c.text)
		r := s.d.Command("check")
		if r.Status != 1 || !strings.Contains(r.Stderr, c.says) {
			t.Errorf("%s: %+v", c.name, r)
		}
		for _, n := range c.lines {
			if !strings.Contains(r.Stderr, fmt.Sprintf("%s:%d: ", s.d.Config, n)) {
				t.Errorf("%s: no line %d in %s", c.name, n, r.Stderr)
			}
		}
		if r := s.d.Command("run"); r.Status != 1 || !strings.Contains(r.Stderr, s.d.Config+":") {
			t.Errorf("run with %s: %+v", c.name, r)
		}
	}
	if r := s.d.Command("check", "-nonsense"); r.Status != 2 {
		t.Errorf("wrong usage: %+v", r)
	}
}

// L6: run -once for cron and hotplug.
func TestOnce(t *testing.T) {
	for _, c := range []struct {
		name   string
		do     func(s *site)
		status int
		sent   int
	}{
		{"published", func(s *site) { s.online("11.22.33.7") }, 0, 1},
		{"no address", func(*site) {}, 0, 0},
		{"refused", func(s *site) { s.online("11.22.33.7"); s.p.Queue(lab.Reply{Body: "nohost"}) }, 1, 1},
		{"outage", func(s *site) { s.online("11.22.33.7"); s.p.Queue(lab.Reply{Body: "911"}) }, 1, 1},
		{"hung up", func(s *site) { s.online("11.22.33.7"); s.p.Connections(lab.HangUpR) }, 1, 0},
		{"connection refused", func(s *site) { s.online("11.22.33.7"); s.port(81) }, 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, lab.ProviderOptions{})
			s.prepare(s.plain())
			c.do(s)
			r := s.d.Command("run", "-once")
			if r.Status != c.status || len(s.p.Requests()) != c.sent {
				t.Errorf("exit status %d, %d requests:\n%s%s", r.Status, len(s.p.Requests()), r.Stdout, r.Stderr)
			}
			if c.name == "published" {
				if r := s.d.Command("run", "-once"); r.Status != 0 || len(s.p.Connected()) != 1 {
					t.Errorf("the second time: exit status %d, %d connections", r.Status, len(s.p.Connected()))
				}
			}
		})
	}
}

// port configures another port of the provider, which nobody listens on.
func (s *site) port(n int) {
	s.t.Helper()
	s.d.Write(strings.Replace(s.plain(), s.p.URL, fmt.Sprintf("%s:%d", s.p.URL, n), 1))
}

// run -dry-run says what it would send, and touches nothing.
func TestDryRun(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{Zone: "duckdns.org", Host: "www.duckdns.org"})
	s.online("11.22.33.7")
	s.prepare(duck(s.p))
	cmd := s.Router.Spawn(binary, "run", "-dry-run", "-config", s.d.Config)
	line := cmd.WaitLine(t.Context(), "would send: ").Text
	if !strings.Contains(line, "/update?domains=home&token=") || !strings.Contains(line, "ip=11.22.33.7") || strings.Contains(line, "s3cret") {
		t.Errorf("dry run: %s", line)
	}
	s.online("11.22.33.8")
	cmd.WaitLine(t.Context(), "ip=11.22.33.8")
	if status, _ := cmd.Stop(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	if n := len(s.p.Connected()); n != 0 {
		t.Errorf("%d connections", n)
	}
	if left, _ := filepath.Glob(s.d.Dir + "/state/*"); len(left) != 0 {
		t.Errorf("files: %v", left)
	}
}

// duck is a DuckDNS account with a record.
func duck(p *lab.Provider, more ...string) string {
	return fmt.Sprintf("[provider.duckdns]\ntoken = \"s3cret-word\"\nserver = %q\ninsecure_http = true\n", p.URL) + record("home.duckdns.org", "duckdns", more...)
}
