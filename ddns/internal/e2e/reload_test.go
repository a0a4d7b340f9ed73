package e2e

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// reload changes the configuration and waits until it is in force.
func (s *site) reload(config string) {
	s.t.Helper()
	s.d.Mark()
	s.d.Reload(config)
	s.d.WaitLog(s.t.Context(), "configuration reloaded")
}

// A reload of the same file, or of one that differs only in what concerns no
// record, sends nothing.
func TestReloadOfTheSame(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.online("11.22.33.7")
	config := account("dyn", s.p) + record(home, "dyn") + record("nas.dyn.test", "dyn")
	s.start(config)
	s.settled("11.22.33.7")
	for _, text := range []string{
		config, "# a remark\n" + config, config + "[verify]\nenabled = false\n", onWAN + config,
		account("dyn", s.p) + record("nas.dyn.test", "dyn") + record(home, "dyn"), // another order
		config + record("third.dyn.test", "dyn", "enabled = false"),
		config,
	} {
		s.reload(text)
		s.quietBut("third.dyn.test")
	}
	s.online("11.22.33.8")
	s.settled("11.22.33.8")
}

// quietBut is quiet, whatever the state of one record.
func (s *site) quietBut(host string) {
	s.t.Helper()
	eventually(s.t, "all is published", func() bool {
		for _, r := range status(s.t, s.d).Records {
			if r.Hostname != host && r.State != "published" {
				return false
			}
		}
		return true
	})
}

// S4: what changes in the configuration is sent, and only that.
func TestReloadOfAChange(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	other := s.provider(lab.ProviderOptions{Addr: "45.67.89.2", Zone: "other.test"})
	s.Resolver(s.Router, "127.0.0.2", nil, s.p.Zone, other.Zone)
	other.Account("user", "s3cret-word", home)
	s.p.Account("other", "words", home, "nas.dyn.test")
	s.online("11.22.33.7")
	accounts := account("dyn", s.p) + account("second", other)
	first, second := record(home, "dyn"), record("nas.dyn.test", "dyn")
	s.start(accounts + first + second)
	s.expect("11.22.33.7")
	s.quiet()

	s.reload(accounts + first + second + record("third.dyn.test", "dyn"))
	s.asks("third.dyn.test")
	s.reload(accounts + first + record("third.dyn.test", "dyn")) // one less
	s.quiet()
	s.reload(accounts + first + second + record("third.dyn.test", "dyn")) // and back: it was forgotten
	s.asks("nas.dyn.test")

	s.reload(accounts + record(home, "second") + second)
	if r := other.NextRequest(t.Context()); r.URL.Query().Get("hostname") != home {
		t.Errorf("request at the other provider: %s", r.URL)
	}
	s.quiet()

	s.reload(strings.Replace(accounts, `"user"`, `"other"`, 1) + second + record(home, "second"))
	if r := s.asks("nas.dyn.test"); r.User != "other" {
		t.Errorf("user %s", r.User)
	}
	if n := len(other.Requests()); n != 1 {
		t.Errorf("%d requests at the other provider", n)
	}
}

// asks expects the next request to be for a hostname, and no other.
func (s *site) asks(hostname string) *lab.Request {
	s.t.Helper()
	r := s.p.NextRequest(s.t.Context())
	if got := r.URL.Query().Get("hostname"); got != hostname {
		s.t.Errorf("request for %s, want %s", got, hostname)
	}
	s.quiet()
	return r
}

// L2: a broken file changes nothing, and is told with its line.
func TestReloadOfABrokenFile(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.online("11.22.33.7")
	s.start(s.plain())
	s.settled("11.22.33.7")
	good := status(t, s.d).Config
	if good.Error != "" || len(good.Revision) != 64 || good.Path != s.d.Config {
		t.Errorf("config: %+v", good)
	}
	for _, c := range []struct{ text, says string }{
		{"[provider.dyn\n", ":1: "},
		{strings.Replace(s.plain(), "username", "usrname", 1), ":3: unknown key"},
		{strings.Replace(s.plain(), "hostname", "hostnam", 1), "did you mean `hostname`?"},
		{s.plain() + record("x.dyn.test", "nobody"), "nobody"},
	} {
		s.d.Mark()
		s.d.Reload(c.text)
		s.d.WaitLog(t.Context(), "error: configuration not reloaded, the one before stays in force")
		line := s.d.WaitLog(t.Context(), "error: "+s.d.Config+":").Text
		got := s.statusBeside().Config
		if !strings.HasPrefix(got.Error, s.d.Config+":") || !strings.Contains(got.Error, c.says) || got.Revision != good.Revision {
			t.Errorf("status after %q: %+v", c.text, got)
		}
		if !strings.Contains(line, strings.SplitN(got.Error, "\n", 2)[0]) {
			t.Errorf("log %q, status %q", line, got.Error)
		}
	}
	s.online("11.22.33.8")
	s.settled("11.22.33.8")
	s.reload(s.plain())
	if got := status(t, s.d).Config; got.Error != "" || got.Revision != good.Revision {
		t.Errorf("config after it was mended: %+v", got)
	}
}

// statusBeside asks the daemon with a good file of its own, as the socket's
// path in a broken one is not to be trusted.
func (s *site) statusBeside() lab.Status {
	s.t.Helper()
	broken := *s.d
	text := fmt.Sprintf("[daemon]\nstate_dir = %q\nsocket = %q\n", s.d.Dir+"/state", s.d.Dir+"/socket") + s.plain()
	asker := s.Router.Prepare(binary, text, noExitSleep)
	asker.Process = broken.Process
	return status(s.t, asker)
}

// L3: SIGUSR1 is `update`: it ends a wait after an error of the network, and
// sends nothing that is published.
func TestSIGUSR1(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.online("11.22.33.7")
	s.start(s.plain())
	s.settled("11.22.33.7")
	s.d.Signal(unix.SIGUSR1)
	s.d.WaitLog(t.Context(), "asked for an update of every record")
	s.state(home, "ipv4", "published")
	s.p.Handle(func(*lab.Request) lab.Reply { return lab.Reply{Body: "no word of the protocol"} })
	s.online("11.22.33.8")
	s.expect("11.22.33.8")
	s.state(home, "ipv4", "retrying") // for half a minute
	s.p.Handle(nil)
	s.d.Signal(unix.SIGUSR1)
	s.settled("11.22.33.8")
}

// S5: the same name at two providers is two records.
func TestSameNameAtTwoProviders(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	other := s.provider(lab.ProviderOptions{Addr: "45.67.89.2", Zone: "other.test"})
	s.Resolver(s.Router, "127.0.0.2", nil, s.p.Zone, other.Zone)
	other.Account("user", "s3cret-word", home)
	s.p.Handle(func(*lab.Request) lab.Reply { return lab.Reply{Body: "nohost"} })
	s.online("11.22.33.7")
	s.start(account("dyn", s.p) + account("second", other) + record(home, "dyn") + record(home, "second"))
	s.expect("11.22.33.7")
	other.NextRequest(t.Context())
	eventually(t, "both are dealt with", func() bool {
		list := status(t, s.d).Records
		return list[0].Provider == "dyn" && list[0].State == "blocked" && list[1].Provider == "second" && list[1].State == "published"
	})
}
