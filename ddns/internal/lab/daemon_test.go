package lab_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// standIn is called as wanbeacon is; its daemon tells what it sees.
const standIn = `#!/bin/sh
case $1 in
run)
	trap 'echo stopping; exit 0' TERM
	trap 'echo "reloaded $(head -n 1 "$3")"' HUP
	echo "started with $2 $3 in $(stat -c %a "$3")"
	ip -4 -o address show dev wan
	while :; do sleep 1000 >/dev/null 2>&1 & wait $!; done
	;;
status)
	echo '{"version": "1", "uptime_seconds": 1, "config": {"path": "p", "revision": "r", "error": null},
	"sources": [], "aliases": [], "records": [{"hostname": "home.dyn.test", "family": "ipv4",
	"state": "published", "error": null, "error_class": null, "attempts": 2}]}'
	;;
check) echo "$3:1: no" >&2; exit 1 ;;
esac
`

func TestDaemon(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "wanbeacon")
	if err := os.WriteFile(binary, []byte(standIn), 0o755); err != nil {
		t.Fatal(err)
	}
	l := lab.New(t)
	l.WAN.Add("198.18.0.7/24")
	d := l.Router.Daemon(binary, "# first\n")
	if got := d.WaitLog(t.Context(), "started").Text; got != "started with -config "+d.Config+" in 600" {
		t.Error(got)
	}
	d.WaitLog(t.Context(), "198.18.0.7")
	d.Mark()
	d.Reload("# second\n")
	if got := d.WaitLog(t.Context(), "reloaded").Text; got != "reloaded # second" {
		t.Error(got)
	}
	text, _ := os.ReadFile(d.Config)
	if !strings.Contains(string(text), `state_dir = "`+d.Dir+`/state"`) {
		t.Errorf("configuration:\n%s", text)
	}
	if r, ok := d.Status().Record("home.dyn.test", "ipv4"); !ok || r.State != "published" || r.Attempts != 2 {
		t.Errorf("status: %+v", r)
	}
	if r := d.Command("check"); r.Status != 1 || r.Stderr != d.Config+":1: no\n" {
		t.Errorf("check: %+v", r)
	}
	if a := d.Activity(); a.Voluntary == 0 {
		t.Errorf("activity: %+v", a)
	}
	if status, took := d.Stop(); status != 0 || took <= 0 {
		t.Errorf("exit %d after %v", status, took)
	}
	d.Start()
	d.WaitLog(t.Context(), "started")
	d.Kill()
	if status := d.Wait(t.Context()); status != -1 {
		t.Errorf("killed: %d", status)
	}
}

func TestRunCleansUpWhateverHappens(t *testing.T) {
	for name, end := range map[string]func(tb lab.TB){
		"end":   func(lab.TB) {},
		"fatal": func(tb lab.TB) { tb.Fatalf("as asked") },
		"panic": func(lab.TB) { panic("as asked") },
	} {
		t.Run(name, func(t *testing.T) {
			var router string
			status := lab.Run(func(tb lab.TB) {
				router = lab.New(tb).Router.Name
				end(tb)
			})
			if (status == 0) != (name == "end") {
				t.Errorf("status %d", status)
			}
			if _, err := os.Stat("/run/netns/" + router); err == nil || router == "" {
				t.Errorf("%q is left", router)
			}
		})
	}
}
