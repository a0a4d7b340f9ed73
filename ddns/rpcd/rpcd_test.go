package rpcd

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/control"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// bench is an Object over a directory, without a daemon.
type bench struct {
	*Object
	t   *testing.T
	dir string
}

// newBench has the text as the configuration; in it $DIR is the directory.
func newBench(t *testing.T, text string) *bench {
	dir := t.TempDir()
	b := &bench{t: t, dir: dir, Object: &Object{
		Path: filepath.Join(dir, "config.toml"), Version: "1.2.3",
		Socket:    func() string { return filepath.Join(dir, "socket") },
		Catalogue: func() (*provider.Catalogue, []error) { return provider.Open("") },
		Check:     func(*config.Config) config.Problems { return nil },
		Addresses: func(context.Context) (*control.Addresses, error) { return &control.Addresses{}, nil },
	}}
	if text != "" {
		b.write(text)
	}
	return b
}

func (b *bench) write(text string) {
	b.t.Helper()
	if err := os.WriteFile(b.Path, []byte(strings.ReplaceAll(text, "$DIR", b.dir)), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) file() string {
	b.t.Helper()
	text, err := os.ReadFile(b.Path)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text)
}

// reply is one answer; every answer is an object.
type reply map[string]any

func (b *bench) call(method, args string) reply {
	b.t.Helper()
	text := b.Call(b.t.Context(), method, []byte(args))
	var r reply
	if err := json.Unmarshal(text, &r); err != nil || r == nil {
		b.t.Fatalf("%s: %v: %s", method, err, text)
	}
	return r
}

// at follows names and indices through a reply.
func (r reply) at(path ...any) any {
	var v any = map[string]any(r)
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

func (b *bench) revision() string {
	b.t.Helper()
	return b.call("get_config", "").at("revision").(string)
}

// set changes tables, with the revision that the file has.
func (b *bench) set(tables string, more ...string) reply {
	b.t.Helper()
	args := `{"revision": "` + b.revision() + `", "tables": ` + tables
	for _, m := range more {
		args += ", " + m
	}
	return b.call("set_config", args+"}")
}

const someText = `# by hand
[provider.noip]
username = "abc123" # the key
password = "SECRET-1"

[provider.odd]
type = "none-such"
token = "SECRET-2"
token_file2 = "SECRET-3"

[provider.duckdns]
token_file = "$DIR/token"

[provider.own]
type = "generic"
url = "https://dyn.example.org/?token=SECRET-4&ip={ipv4}"
headers = "Authorization: SECRET-5"

[[record]]
hostname = "home.ddns.net"
provider = "noip" # main

[notify]
url = "https://hook.example/SECRET-6"
`

// Lists are there though they are empty, and secrets never are.
func TestGetConfig(t *testing.T) {
	b := newBench(t, someText)
	os.WriteFile(filepath.Join(b.dir, "token"), []byte("SECRET-7\n"), 0o600)
	text := string(b.Call(t.Context(), "get_config", nil))
	if strings.Contains(text, "SECRET") {
		t.Errorf("a secret in %s", text)
	}
	r := b.call("get_config", "{}")
	set := map[string]any{"set": true}
	for _, c := range []struct {
		want any
		at   []any
	}{
		{"abc123", []any{"provider", "noip", "username"}},
		{set, []any{"provider", "noip", "password"}},
		{set, []any{"provider", "odd", "token"}},
		{"none-such", []any{"provider", "odd", "type"}},
		{set, []any{"provider", "odd", "token_file2"}},
		{b.dir + "/token", []any{"provider", "duckdns", "token_file"}},
		{set, []any{"provider", "own", "url"}},
		{set, []any{"provider", "own", "headers"}},
		{"home.ddns.net", []any{"record", 0, "hostname"}},
		{[]any{}, []any{"alias"}},
		{map[string]any{}, []any{"daemon"}},
		{map[string]any{}, []any{"source"}},
		{map[string]any{}, []any{"verify"}},
		{set, []any{"notify", "url"}},
	} {
		got, _ := json.Marshal(r.at(append([]any{"config"}, c.at...)...))
		want, _ := json.Marshal(c.want)
		if string(got) != string(want) {
			t.Errorf("%v is %s, want %s", c.at, got, want)
		}
	}
	if len(r.at("revision").(string)) != 64 || r.at("path") != b.Path || r.at("warnings") == nil {
		t.Errorf("revision %v, path %v, warnings %v", r.at("revision"), r.at("path"), r.at("warnings"))
	}
}

func TestGetConfigOfABadFile(t *testing.T) {
	b := newBench(t, "")
	r := b.call("get_config", "")
	if r.at("revision") != "" || r.at("config", "record") == nil || len(r.at("errors").([]any)) != 0 {
		t.Errorf("without a file: %v", r)
	}
	b.write("[daemon]\nlog_level = \"debug\n")
	r = b.call("get_config", "")
	if r.at("config") != nil || r.at("errors", 0, "line") != 2.0 || r.at("errors", 0, "path") != b.Path {
		t.Errorf("not TOML: %v", r)
	}
	b.write("daemon = 5\nsource = []\nprovider.x = 1\nprovider.y.a.b = \"SECRET\"\nrecord = {a = 1}\nalias = [1, 2]\nverify = [[verify]]")
	b.call("get_config", "")
	b.write("daemon = 5\nsource = []\nprovider.x = 1\nprovider.y.a.b = \"SECRET\"\nrecord = {a = 1}\nalias = [1, 2]\n")
	r = b.call("get_config", "")
	if text, _ := json.Marshal(r); strings.Contains(string(text), "SECRET") || len(r.at("errors").([]any)) == 0 {
		t.Errorf("nothing in its place: %s", text)
	}
	b.write("[[record]]\nhostname = 7\n")
	r = b.call("get_config", "")
	if r.at("config", "record", 0, "hostname") != 7.0 || r.at("errors", 0, "key") != "record[0]" || r.at("errors", 1, "key") != "record[0].hostname" || r.at("errors", 1, "line") != 2.0 {
		t.Errorf("a mistake: %v", r)
	}
}

// What the page takes for the defaults are the defaults.
func TestDefaults(t *testing.T) {
	var d map[string]map[string]any
	if err := json.Unmarshal([]byte(defaults), &d); err != nil {
		t.Fatal(err)
	}
	needed := "[provider.p]\nfoo = \"x\"\n[[record]]\nhostname = \"a.example\"\nprovider = \"p\"\n"
	alias := "[[alias]]\nhostname = \"b.example\"\nprovider = \"p\"\ntargets = [\"a.example\"]\n"
	plain, err := config.Parse("c", []byte(needed+alias))
	for kind, header := range map[string]string{"daemon": "[daemon]", "verify": "[verify]", "notify": "[notify]", "source": "[source.wan]",
		"provider": "[provider.p]", "record": "[[record]]", "alias": "[[alias]]"} {
		for key, v := range d[kind] {
			value, _ := json.Marshal(v)
			text := strings.Replace(needed+alias, header+"\n", header+"\n"+key+" = "+string(value)+"\n", 1)
			if !strings.Contains(needed+alias, header) {
				text += header + "\n" + key + " = " + string(value) + "\n"
			}
			got, gotErr := config.Parse("c", []byte(text))
			if err != nil { // something of this schema is not built yet
				if gotErr == nil {
					t.Errorf("%s.%s: no error", kind, key)
				}
				continue
			}
			if gotErr != nil {
				t.Errorf("%s.%s = %s: %v", kind, key, value, gotErr)
			} else if !sameConfig(got, plain) {
				t.Errorf("%s.%s = %s is not the default", kind, key, value)
			}
		}
	}
}

func sameConfig(a, b *config.Config) bool {
	x, _ := json.Marshal([]any{a.Daemon, a.Sources, a.Providers, a.Records, a.Aliases, a.Verify, a.Notify})
	y, _ := json.Marshal([]any{b.Daemon, b.Sources, b.Providers, b.Records, b.Aliases, b.Verify, b.Notify})
	return string(x) == string(y)
}

func TestSetConfig(t *testing.T) {
	b := newBench(t, strings.Split(someText, "[provider.odd]")[0]+"[[record]]\nhostname = \"home.ddns.net\"\nprovider = \"noip\" # main\n")
	before := b.file()
	r := b.set(`[{"table": "record[0]", "set": {"enabled": false}}, {"table": "provider.noip", "set": {"password": {"set": true}, "username": "new"}}]`)
	if r.at("saved") != true || r.at("running") != false || r.at("reloaded") != false || r.at("reload_error") != nil || len(r.at("errors").([]any)) != 0 {
		t.Fatalf("%v", r)
	}
	want := strings.Replace(strings.Replace(before, "abc123", "new", 1), "# main\n", "# main\nenabled = false\n", 1)
	if b.file() != want {
		t.Errorf("got:\n%s\nwant:\n%s", b.file(), want)
	}
	if r.at("revision") != b.revision() {
		t.Errorf("revision %v, the file's is %s", r.at("revision"), b.revision())
	}
	if info, _ := os.Stat(b.Path); info.Mode() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	left, _ := os.ReadDir(b.dir)
	if len(left) != 1 {
		t.Errorf("something is left: %v", left)
	}

	b.set(`[{"table": "provider.noip", "set": {"password": "other"}}]`)
	if !strings.Contains(b.file(), `password = "other"`) {
		t.Errorf("a new password is not there:\n%s", b.file())
	}
	now := b.file()
	r = b.set(`[{"table": "record[0]", "remove": true}]`, `"check": true`)
	if r.at("saved") != false || len(r.at("errors").([]any)) != 0 || len(r.at("warnings").([]any)) != 1 || b.file() != now {
		t.Errorf("check: %v", r)
	}
}

func TestSetConfigRefuses(t *testing.T) {
	text := "[provider.noip]\nusername = \"abc\"\n\n[[record]]\nhostname = \"home.ddns.net\"\nprovider = \"noip\"\n"
	b := newBench(t, text)
	for _, c := range []struct {
		tables, key, message string
		line                 float64
	}{
		{`[{"table": "record[0]", "set": {"ttl": "5 min"}}]`, "record[0].ttl", "duration", 7},
		{`[{"table": "record", "set": {"hostname": "x", "provider": "noip"}}]`, "record[1].hostname", "whole name", 9},
		{`[{"table": "record", "set": {"hostname": "x.example"}}]`, "record[1]", "provider", 8},
		{`[{"table": "provider.noip", "remove": true}]`, "record[0].provider", "no table [provider.noip]", 3},
		{`[{"table": "record[1]", "set": {}}]`, "record[1]", "no `record[1]`", 4},
		{`[{"table": "nonsense", "set": {}}]`, "nonsense", "no table", 0},
		{`[{"table": "provider.noip", "set": {"x": {"set": false}}}]`, "provider.noip.x", "must be text", 1},
	} {
		r := b.set(c.tables)
		message, _ := r.at("errors", 0, "message").(string)
		if r.at("saved") != false || r.at("errors", 0, "key") != c.key || r.at("errors", 0, "line") != c.line || !strings.Contains(message, c.message) || r.at("errors", 0, "path") != b.Path {
			t.Errorf("%s: %v", c.tables, r)
		}
		if b.file() != text {
			t.Fatalf("%s: the file is %q", c.tables, b.file())
		}
	}
	b.Check = func(cfg *config.Config) config.Problems {
		return config.Problems{cfg.Problem("provider.noip.password", "missing")}
	}
	if r := b.set("[]"); r.at("saved") != false || r.at("errors", 0, "key") != "provider.noip.password" || r.at("errors", 0, "line") != 1.0 {
		t.Errorf("the provider's objection: %v", r)
	}
	b.Check = func(*config.Config) config.Problems { return nil }

	r := b.call("set_config", `{"revision": "0000", "tables": []}`)
	if r.at("saved") != false || r.at("stale") != true || r.at("revision") != b.revision() || len(r.at("errors").([]any)) != 1 {
		t.Errorf("stale: %v", r)
	}
	for _, args := range []string{`[]`, `{"tables": 5}`, `{"tables": [5]}`, `{"check": "yes"}`, `{`, `nonsense`, `{"revision": 5}`} {
		if r := b.call("set_config", args); r.at("error") == nil {
			t.Errorf("%s: %v", args, r)
		}
	}
	unlock, err := lock(b.Path)
	if err != nil {
		t.Fatal(err)
	}
	if r := b.set("[]"); !strings.Contains(r.at("error").(string), "another change") {
		t.Errorf("two at once: %v", r)
	}
	unlock()

	b.write("[[record]\n")
	if r := b.set(`[{"table": "daemon", "set": {}}]`); r.at("errors", 0, "line") != 1.0 || b.file() != "[[record]\n" {
		t.Errorf("not TOML: %v", r)
	}
}

// A new file gets the directory's owner, an old one keeps its own, whatever
// mode it had; links stay.
func TestReplace(t *testing.T) {
	b := newBench(t, "")
	if os.Geteuid() == 0 {
		if err := os.Chown(b.dir, 4242, 4243); err != nil {
			t.Fatal(err)
		}
	}
	owner := func(path string, uid, gid int) {
		t.Helper()
		if os.Geteuid() != 0 {
			return
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if s := info.Sys().(*syscall.Stat_t); int(s.Uid) != uid || int(s.Gid) != gid || info.Mode() != 0o600 {
			t.Errorf("%s: owner %d:%d, mode %v", path, s.Uid, s.Gid, info.Mode())
		}
	}
	if r := b.set(`[{"table": "daemon", "set": {"log_level": "warn"}}]`); r.at("saved") != true {
		t.Fatalf("%v", r)
	}
	owner(b.Path, 4242, 4243)
	real := filepath.Join(b.dir, "real.toml")
	if err := os.Rename(b.Path, real); err != nil {
		t.Fatal(err)
	}
	os.Chmod(real, 0o644)
	os.Symlink(real, b.Path)
	if os.Geteuid() == 0 {
		os.Chown(real, 4244, 4245)
	}
	if r := b.set(`[{"table": "daemon", "set": {"log_level": "info"}}]`); r.at("saved") != true {
		t.Fatalf("%v", r)
	}
	owner(real, 4244, 4245)
	if info, _ := os.Lstat(b.Path); info.Mode()&os.ModeSymlink == 0 {
		t.Error("the link is gone")
	}
	if text, _ := os.ReadFile(real); string(text) != "[daemon]\nlog_level = \"info\"\n" {
		t.Errorf("got %q", text)
	}
}

// The daemon being down, or hanging, is said, and takes no longer than the
// caller's patience.
func TestWithoutADaemon(t *testing.T) {
	b := newBench(t, "[[record]]\n")
	r := b.call("status", "{}")
	if r.at("running") != false || !strings.Contains(r.at("error").(string), "not running") || r.at("version") != "1.2.3" ||
		len(r.at("config", "revision").(string)) != 64 || !strings.Contains(r.at("config", "error").(string), "hostname") || r.at("records") == nil || r.at("time") == nil {
		t.Errorf("status: %v", r)
	}
	if r := b.call("log", ""); r.at("running") != false || r.at("lines") == nil {
		t.Errorf("log: %v", r)
	}
	for _, method := range []string{"update", "verify"} {
		if r := b.call(method, ""); !strings.Contains(r.at("error").(string), "not running") {
			t.Errorf("%s: %v", method, r)
		}
	}
	if r := b.call("nonsense", ""); r.at("error") == nil {
		t.Errorf("no such method: %v", r)
	}

	l, err := net.Listen("unix", b.Socket())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // nobody accepts
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if text := b.Call(ctx, "status", nil); !strings.Contains(string(text), `"running":true,"error":"`) {
		t.Errorf("a daemon that hangs: %s", text)
	}
}

func TestProviders(t *testing.T) {
	b := newBench(t, "")
	text := b.Call(t.Context(), "providers", nil)
	if len(text) > 200<<10 {
		t.Errorf("%d bytes: rpcd takes no more than 256 KiB", len(text))
	}
	r := b.call("providers", "")
	all := r.at("providers").([]any)
	if len(all) < 100 {
		t.Errorf("%d providers", len(all))
	}
	for i := range all {
		name := r.at("providers", i, "name")
		for _, key := range []string{"title", "documentation", "notes", "families", "zones", "server", "fields", "sample", "can_create"} {
			if r.at("providers", i, key) == nil {
				t.Errorf("%v has no %s", name, key)
			}
		}
		for j := range r.at("providers", i, "fields").([]any) {
			if r.at("providers", i, "fields", j, "label") == "" || r.at("providers", i, "fields", j, "choices") == nil {
				t.Errorf("%v: field %v", name, r.at("providers", i, "fields", j))
			}
		}
	}
	one := b.call("providers", `{"name": "rfc2136"}`)
	if one.at("providers", 0, "server") != "none" || one.at("providers", 0, "can_cname") != true || one.at("providers", 0, "ttl") != true || one.at("providers", 0, "own") != false {
		t.Errorf("%v", one)
	}
	if r := b.call("providers", `{"name": "noopip"}`); !strings.Contains(r.at("error").(string), "did you mean") {
		t.Errorf("%v", r)
	}
}

// The list is what rpcd understands, and names every method.
func TestList(t *testing.T) {
	var list map[string]map[string]any
	if err := json.Unmarshal([]byte(List), &list); err != nil {
		t.Fatal(err)
	}
	for _, m := range methods {
		if list[m.name] == nil {
			t.Errorf("%s is not in the list", m.name)
		}
	}
	if len(list) != len(methods) {
		t.Errorf("%d methods listed, %d there", len(list), len(methods))
	}
}
