package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// A password may be in a file of its own. It is in the request, and nowhere
// else: log, status, process list, state.
func TestSecrets(t *testing.T) {
	for name, tls := range map[string]bool{"http": false, "https": true} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, lab.ProviderOptions{TLS: tls})
			s.online("11.22.33.7")
			secret := filepath.Join(t.TempDir(), "secret")
			os.WriteFile(secret, []byte("s3cret-word\n"), 0o600)
			config := strings.Replace(s.plain(), `password = "s3cret-word"`, fmt.Sprintf("password_file = %q", secret), 1)
			daemon := "[daemon]\nstate_dir = \"$DIR/state\"\nsocket = \"$DIR/socket\"\nlog_level = \"debug\"\n"
			if tls {
				daemon = trusting(s.p) + "log_level = \"debug\"\n"
			}
			// What the peer says may repeat the secret.
			s.p.Queue(lab.Reply{Body: "what is s3cret-word or dXNlcjpzM2NyZXQtd29yZA== ?"})
			s.start(config + daemon)
			if r := s.expect("11.22.33.7"); r.Pass != "s3cret-word" || r.User != "user" {
				t.Errorf("account %q %q", r.User, r.Pass)
			}
			shown := s.d.WaitLog(t.Context(), "failed: ").Text
			s.d.Command("update")
			s.published("11.22.33.7")
			s.saved("11.22.33.7")
			cmdline, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", s.d.PID))
			environ, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", s.d.PID))
			state, _ := os.ReadFile(s.statePath())
			for where, text := range map[string]string{
				"log": s.d.Output(), "status": s.d.Command("status", "-json").Stdout, "table": s.d.Command("status").Stdout,
				"addresses": s.d.Command("addresses", "-json").Stdout, "command line": string(cmdline), "environment": string(environ),
				"state": string(state), "error": shown, "check": fmt.Sprint(s.d.Command("check")),
			} {
				if strings.Contains(text, "s3cret") || strings.Contains(text, "dXNlcjpzM2NyZXQtd29yZA") {
					t.Errorf("%s: the secret is in %s", where, text)
				}
			}
			for path, mode := range map[string]os.FileMode{s.d.Dir + "/socket": 0o600, s.d.Dir + "/state": 0o700} {
				if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
					t.Errorf("%s: %v, %v", path, info.Mode(), err)
				}
			}
		})
	}
}

// The log is what the documentation shows: a line an event, no time stamps,
// nothing else.
func TestLog(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.online("11.22.33.7")
	s.start(s.plain())
	s.settled("11.22.33.7")
	s.online("11.22.33.8")
	s.settled("11.22.33.8")
	s.d.Stop()
	want := []string{
		`wanbeacon [0-9.]+ started with .*/config\.toml`,
		`wan: ipv4 11\.22\.33\.7 on wan`,
		`home\.dyn\.test: ipv4 11\.22\.33\.7 published at dyn in [0-9.]+ (µs|ms|s) \("?good( 11\.22\.33\.7)?"?\)`,
		`wan: ipv4 11\.22\.33\.8 on wan \(was 11\.22\.33\.7\)`,
		`home\.dyn\.test: ipv4 11\.22\.33\.8 published at dyn in [0-9.]+ (µs|ms|s) \("?good( 11\.22\.33\.8)?"?\)`,
		`stopped`,
	}
	got := s.d.Lines()
	if len(got) != len(want) {
		t.Fatalf("%d lines, want %d:\n%s", len(got), len(want), s.d.Output())
	}
	for i, w := range want {
		if !regexp.MustCompile("^" + w + "$").MatchString(got[i].Text) {
			t.Errorf("line %d: %q, want %s", i+1, got[i].Text, w)
		}
	}
}

// The program of on_change gets the facts in its environment, by argv and
// without a shell, and once for each change.
func TestOnChange(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	dir := t.TempDir()
	out, program := filepath.Join(dir, "out"), filepath.Join(dir, "a program; with $blanks")
	script := "#!/bin/sh\nenv | grep -E '^WANBEACON_(HOSTNAME|FAMILY|ADDRESS|OLD_ADDRESS|PROVIDER)=' | sort | tr '\\n' ' ' >>" + out + "\necho \"arg=$1\" >>" + out + "\n"
	if err := os.WriteFile(program, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	s.online("11.22.33.7")
	s.start(s.plain(fmt.Sprintf("on_change = [%q, \"$(id) * &\"]", program)))
	for i, c := range []struct{ addr, old string }{{"11.22.33.7", ""}, {"11.22.33.8", "11.22.33.7"}} {
		s.online(c.addr)
		s.settled(c.addr)
		want := "WANBEACON_ADDRESS=" + c.addr + " WANBEACON_FAMILY=ipv4 WANBEACON_HOSTNAME=" + home +
			" WANBEACON_OLD_ADDRESS=" + c.old + " WANBEACON_PROVIDER=dyn arg=$(id) * &"
		var got []string
		eventually(t, "the program has run", func() bool {
			text, _ := os.ReadFile(out)
			got = strings.Split(strings.TrimSpace(string(text)), "\n")
			return strings.Count(string(text), "arg=") == i+1
		})
		if !slices.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	s.d.Command("update", "-force") // nothing changes by that
	s.d.Stop()
	if text, _ := os.ReadFile(out); strings.Count(string(text), "arg=") != 2 {
		t.Errorf("the program ran for no change:\n%s", text)
	}
}

// A program that hangs delays neither updates nor the end.
func TestOnChangeHangs(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.online("11.22.33.7")
	s.start(s.plain(`on_change = ["/bin/sleep", "1000"]`))
	s.settled("11.22.33.7")
	s.online("11.22.33.8")
	s.settled("11.22.33.8")
	if status, took := s.d.Stop(); status != 0 || took.Seconds() > 1 {
		t.Errorf("exit status %d after %v", status, took)
	}
}

// remove_on_exit takes the record away at SIGTERM, and it is published again
// at the next start.
func TestRemoveOnExit(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{Zone: "duckdns.org", Host: "www.duckdns.org"})
	s.online("11.22.33.7")
	s.start(duck(s.p, "remove_on_exit = true"))
	s.settled("11.22.33.7")
	if status, took := s.d.Stop(); status != 0 || took.Seconds() > 5 {
		t.Errorf("exit status %d after %v", status, took)
	}
	if r := s.p.NextRequest(t.Context()); r.URL.Query().Get("clear") != "true" {
		t.Errorf("at the end: %s", r.URL)
	}
	if got := s.p.Zone.Addrs("home.duckdns.org"); len(got) != 0 {
		t.Errorf("the DNS has %v", got)
	}
	s.d.Start()
	s.started()
	s.settled("11.22.33.7")
}
