package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// rpc calls a method as rpcd does. Whatever happens the answer is an object.
func rpc(t *testing.T, d *lab.Daemon, method string, args any) map[string]any {
	t.Helper()
	text, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	r := d.CommandWith(string(text), "rpc", "call", method)
	var reply map[string]any
	if err := json.Unmarshal([]byte(r.Stdout), &reply); err != nil || r.Status != 0 || r.Stderr != "" || reply == nil {
		t.Fatalf("%s: exit %d, %v\n%s%s", method, r.Status, err, r.Stdout, r.Stderr)
	}
	return reply
}

type object = map[string]any

// The page's way with a running daemon: look, change, see the change at work.
func TestRPC(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.online("11.22.33.7")
	s.start("# by hand\n" + account("dyn", s.p) + "\n" + record(home, "dyn") + record("nas.dyn.test", "dyn", "enabled = false"))
	s.settled("11.22.33.7")

	if r := s.d.Command("rpc", "list"); r.Status != 0 || !strings.HasPrefix(r.Stdout, `{"status":{},`) {
		t.Errorf("list: %+v", r)
	}
	status := rpc(t, s.d, "status", nil)
	if status["running"] != true || status["error"] != nil || len(status["records"].([]any)) != 2 {
		t.Errorf("status: %v", status)
	}
	log := fmt.Sprint(rpc(t, s.d, "log", object{"ubus_rpc_session": "00"}))
	for _, want := range []string{"started with", home + ": ipv4 11.22.33.7 published", "level:info", "running:true"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log has no %q:\n%s", want, log)
		}
	}
	if a := fmt.Sprint(rpc(t, s.d, "addresses", object{})); !strings.Contains(a, "11.22.33.7/24") {
		t.Errorf("addresses: %s", a)
	}

	config := rpc(t, s.d, "get_config", object{})
	if text := fmt.Sprint(config); strings.Contains(text, "s3cret-word") {
		t.Errorf("the password is in %s", text)
	}
	change := func(revision any, tables ...object) object {
		return rpc(t, s.d, "set_config", object{"revision": revision, "tables": tables})
	}
	s.d.Mark()
	saved := change(config["revision"], object{"table": "record[1]", "set": object{"enabled": nil}})
	if saved["saved"] != true || saved["reloaded"] != true || saved["running"] != true {
		t.Fatalf("set_config: %v", saved)
	}
	s.asks("nas.dyn.test")
	text, _ := os.ReadFile(s.d.Config)
	ours, _, _ := strings.Cut(string(text), "[daemon]") // the rest is the laboratory's
	if !strings.HasPrefix(ours, "# by hand\n") || strings.Contains(ours, "enabled") {
		t.Errorf("the file is\n%s", text)
	}
	if got := s.d.Status().Config.Revision; got != saved["revision"] {
		t.Errorf("in force is %s, saved was %v", got, saved["revision"])
	}

	// What only the provider knows is told by line and key, before anything is touched.
	bad := change(saved["revision"], object{"table": "provider.dyn", "set": object{"usrname": "x", "username": nil}})
	if bad["saved"] != false || !strings.Contains(fmt.Sprint(bad["errors"]), "key:provider.dyn.usrname line:") {
		t.Errorf("a field that is none: %v", bad)
	}
	if old := change(config["revision"], object{"table": "daemon", "set": object{"log_level": "debug"}}); old["stale"] != true {
		t.Errorf("an old revision: %v", old)
	}
	if now, _ := os.ReadFile(s.d.Config); string(now) != string(text) {
		t.Errorf("a refused change is in the file:\n%s", now)
	}

	if u := rpc(t, s.d, "update", object{"hostnames": []string{home}, "force": true}); u["running"] != true || u["error"] != nil {
		t.Errorf("update: %v", u)
	}
	s.asks(home)
	if u := rpc(t, s.d, "update", object{"hostnames": []string{"none.dyn.test"}}); !strings.Contains(fmt.Sprint(u["error"]), "no record") {
		t.Errorf("update of no record: %v", u)
	}

	s.d.Stop()
	if down := rpc(t, s.d, "status", object{}); down["running"] != false || down["config"].(object)["revision"] != saved["revision"] {
		t.Errorf("status without the daemon: %v", down)
	}
	if down := change(saved["revision"], object{"table": "provider.dyn", "rename": "home"}, object{"table": "record[0]", "set": object{"provider": "home"}},
		object{"table": "record[1]", "remove": true}); down["saved"] != true || down["running"] != false || down["reloaded"] != false {
		t.Errorf("set_config without the daemon: %v", down)
	}
	if r := s.d.Command("check"); r.Status != 0 {
		t.Errorf("check: %+v", r)
	}
}
