package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// S1, S2: what was published is known after kill -9; without the state there
// is one request.
func TestReboot(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(s *site) // between kill and start
		more int           // requests for the unchanged address
		says string        // in the log
	}{
		{"with state", func(*site) {}, 0, ""},
		{"without state", func(s *site) { os.RemoveAll(s.d.Dir + "/state") }, 1, ""},
		{"state cut short", func(s *site) { os.Truncate(s.statePath(), 40) }, 1, "warning: saved state is broken"}, // S3
		{"state empty", func(s *site) { s.writeState("") }, 1, "warning: saved state is broken"},
		{"state of another program", func(s *site) { s.writeState("\x00\xff{") }, 1, "warning: saved state is broken"},
		{"state of a later version", func(s *site) { s.writeState(`{"version": 99}`) }, 1, "warning: saved state is broken"},
		{"state not readable", func(s *site) { os.Remove(s.statePath()); os.Mkdir(s.statePath(), 0o700) }, 1, "warning: saved state: "},
		{"state from the future", func(s *site) { s.published2100() }, 0, ""},
		{"half a state beside it", func(s *site) { os.WriteFile(s.statePath()+".new", []byte(`{"vers`), 0o600) }, 0, ""}, // S7
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, lab.ProviderOptions{})
			s.online("11.22.33.7")
			s.start(strings.Replace(s.plain(), "type =", "force_interval = \"30d\"\ntype =", 1))
			s.settled("11.22.33.7")
			s.saved("11.22.33.7")
			if info, err := os.Stat(s.statePath()); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("state file: %v, %v", info.Mode(), err)
			}
			s.d.Kill()
			c.do(s)
			s.d.Start()
			s.started()
			s.state(home, "ipv4", "published")
			if c.says != "" {
				s.d.WaitLog(t.Context(), c.says)
			}
			if _, err := os.Stat(s.statePath() + ".broken"); (err == nil) != strings.Contains(c.says, "broken") {
				t.Errorf("set aside: %v", err)
			}
			for range c.more {
				s.expect("11.22.33.7")
			}
			s.online("11.22.33.8")
			s.settled("11.22.33.8")
		})
	}
}

func (s *site) writeState(text string) {
	s.t.Helper()
	if err := os.WriteFile(s.statePath(), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// published2100 moves the time of publication into the future, as a clock
// does that was wrong then, or is now.
func (s *site) published2100() {
	s.t.Helper()
	text, _ := os.ReadFile(s.statePath())
	year := fmt.Sprintf(`"published": "%d`, time.Now().UTC().Year())
	if !strings.Contains(string(text), year) {
		s.t.Fatalf("no %s in the state:\n%s", year, text)
	}
	s.writeState(strings.Replace(string(text), year, `"published": "2100`, 1))
}

// The address changed while the router was off.
func TestRebootWithAnotherAddress(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.online("11.22.33.7")
	s.start(s.plain())
	s.settled("11.22.33.7")
	s.saved("11.22.33.7")
	s.d.Kill()
	s.WAN.Flush(4)
	s.d.Start() // before the WAN
	s.started()
	s.online("11.22.33.8")
	s.settled("11.22.33.8")
}

// file is what changes when a file is written, or replaced.
func (s *site) file() string {
	s.t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(s.statePath(), &st); err != nil {
		s.t.Fatal(err)
	}
	return fmt.Sprint(st.Ino, st.Mtim, st.Ctim, st.Size)
}

// S7: flash is written when what is published changes, and at no other time.
func TestStateWrittenOnChangeOnly(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.online("11.22.33.7")
	s.start(s.plain())
	s.settled("11.22.33.7")
	s.saved("11.22.33.7")
	was := s.file()
	same := func(what string) {
		t.Helper()
		if s.file() != was {
			t.Errorf("the state was written at %s", what)
		}
	}
	s.online("11.22.33.7")
	s.d.Command("update", "-force") // the provider is asked; it has it already
	s.state(home, "ipv4", "published")
	same("update -force")
	s.d.Mark()
	s.d.Reload(s.plain())
	s.d.WaitLog(t.Context(), "configuration reloaded")
	same("a reload")
	s.d.Stop()
	same("SIGTERM")
	s.d.Start()
	s.started()
	s.state(home, "ipv4", "published")
	same("a start")
	s.p.Queue(lab.Reply{Body: "911"})
	s.online("11.22.33.8")
	s.state(home, "ipv4", "retrying")
	same("an outage of the provider")
	s.d.Kill()
	s.d.Start()
	s.started()
	s.published("11.22.33.8")
	s.saved("11.22.33.8")
	if s.file() == was {
		t.Error("the state was not written for a new address")
	}
}

// S6: a refresh that is due while there is no address is put off.
func TestForcedRefreshWaitsForAnAddress(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.online("11.22.33.7")
	s.start(strings.Replace(s.plain(), "type =", "force_interval = \"2s\"\ntype =", 1))
	s.settled("11.22.33.7")
	second := s.expect("11.22.33.7") // two seconds later
	if since(s.p.Requests()[0].FirstByte, second.FirstByte) < 1500*time.Millisecond {
		t.Error("sent again before its time")
	}
	s.WAN.Flush(4)
	s.state(home, "ipv4", "waiting")
	s.p.NoRequestWithin(t.Context(), 2500*time.Millisecond)
	s.online("11.22.33.8")
	s.settled("11.22.33.8")
}

// hangs are the ways in which a provider can keep a client waiting.
var hangs = []struct {
	name string
	tls  bool
	hang func(s *site) // before the request
	wait func(s *site) // until it hangs
}{
	{"TLS handshake", true, func(s *site) { s.p.Connections(lab.Mute) }, func(s *site) { s.p.WaitConnected(s.t.Context(), 1) }},
	{"reply", true, func(s *site) { s.p.Queue(lab.Reply{Hang: true}) }, func(s *site) { s.p.NextRequest(s.t.Context()) }},
	{"half a reply", false, func(s *site) { s.p.Queue(lab.Reply{Body: "good 11.22.33.7", Drip: time.Second}) },
		func(s *site) { s.p.NextRequest(s.t.Context()) }},
	{"connect", false, func(s *site) { s.WAN.Deafen(gateway) }, func(s *site) { s.state(home, "ipv4", "updating") }},
}

// L1: SIGTERM ends within a second whatever hangs, and L4: nobody else waits.
func TestHangingProvider(t *testing.T) {
	for _, c := range hangs {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, lab.ProviderOptions{TLS: c.tls})
			s.online("11.22.33.7")
			config := s.plain()
			if c.tls {
				config += trusting(s.p)
			}
			var other *lab.Provider
			if c.name != "connect" { // there, the way to all is blocked
				other = s.provider(lab.ProviderOptions{Addr: "45.67.89.2", Zone: "other.test"})
				s.Resolver(s.Router, "127.0.0.2", nil, s.p.Zone, other.Zone)
				config = account("other", other) + record("home.other.test", "other") + config
			}
			c.hang(s)
			s.start(config)
			c.wait(s)
			if other != nil {
				other.NextRequest(t.Context())
				s.d.WaitLog(t.Context(), "published at other")
				changed := lab.Now()
				s.online("11.22.33.8")
				r := other.NextRequest(t.Context())
				if late := since(changed, r.FirstByte); late > 3*time.Second || !lab.Says("11.22.33.8")(r) {
					t.Errorf("the other provider was told after %v: %s", late, r.URL)
				}
			}
			status, took := s.d.Stop()
			if status != 0 || took > time.Second {
				t.Errorf("SIGTERM: exit status %d after %v", status, took)
			}
			if last := s.d.Lines(); last[len(last)-1].Text != "stopped" {
				t.Errorf("last line: %s", last[len(last)-1].Text)
			}
		})
	}
}

// A second daemon with the same state is refused and does the first no harm.
func TestSecondInstance(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.online("11.22.33.7")
	s.start(s.plain())
	s.settled("11.22.33.7")
	for _, args := range [][]string{nil, {"-once"}} {
		if r := s.d.Command("run", args...); r.Status != 1 || !strings.Contains(r.Stderr, "another wanbeacon is running") {
			t.Errorf("run %v: %+v", args, r)
		}
	}
	s.online("11.22.33.8")
	s.settled("11.22.33.8")
	s.d.Status()
}
