package rpcd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const otherClient = `
config service 'first'
	option enabled '1'
	option service_name 'no-ip.com'
	option lookup_host 'home.ddns.net'
	option domain 'home.ddns.net'
	option username 'abc123'
	option password 'SECRET-1'
	option interface 'wan'

config service 'second'
	option enabled '1'
	option service_name 'duckdns.org'
	option domain 'home.duckdns.org'
	option password 'SECRET-2'
	option use_frobnicator '1'
`

func importBench(t *testing.T, ours, theirs string) *bench {
	b := newBench(t, ours)
	old := ddnsScripts
	ddnsScripts = filepath.Join(b.dir, "ddns")
	t.Cleanup(func() { ddnsScripts = old })
	if theirs != "" {
		if err := os.WriteFile(ddnsScripts, []byte(theirs), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func strs(v any) string {
	list, _ := v.([]any)
	words := make([]string, len(list))
	for i, e := range list {
		words[i], _ = e.(string)
	}
	return strings.Join(words, ", ")
}

func TestImportShowsThenApplies(t *testing.T) {
	ours := "# mine\n[daemon]\nlog_level = \"warn\"\n"
	b := importBench(t, ours, otherClient)
	r := b.call("import_ddns_scripts", "{}")
	config, _ := r.at("config").(string)
	if r.at("found") != true || r.at("records") != 2.0 || r.at("providers") != 2.0 || r.at("saved") != false ||
		strs(r.at("adds")) != "provider.duckdns, provider.noip, record home.ddns.net, record home.duckdns.org" {
		t.Errorf("%v", r)
	}
	if strings.Contains(config, "SECRET") || !strings.Contains(config, `password = "[secret]"`) || !strings.Contains(config, `username = "abc123"`) {
		t.Errorf("config is %s", config)
	}
	if !strings.Contains(config, "\n\n[[record]]\n") {
		t.Errorf("tables without a line between them:\n%s", config)
	}
	if len(r.at("notes").([]any)) == 0 || r.at("notes", 0, "line") == 0.0 {
		t.Errorf("notes: %v", r.at("notes"))
	}
	if b.file() != ours {
		t.Fatal("the file has changed")
	}
	if r := b.call("import_ddns_scripts", `{"apply": true, "revision": "x"}`); r.at("stale") != true || r.at("saved") != false {
		t.Errorf("stale: %v", r)
	}
	r = b.call("import_ddns_scripts", `{"apply": true, "revision": "`+b.revision()+`"}`)
	if r.at("saved") != true || r.at("revision") != b.revision() {
		t.Errorf("apply: %v", r)
	}
	want := ours + `
[provider.duckdns]
token = "SECRET-2"

[provider.noip]
password = "SECRET-1"
username = "abc123"

[[record]]
hostname = "home.ddns.net"
provider = "noip"

[[record]]
hostname = "home.duckdns.org"
provider = "duckdns"
`
	if b.file() != want {
		t.Errorf("got:\n%s\nwant:\n%s", b.file(), want)
	}
	if text, _ := os.ReadFile(ddnsScripts); string(text) != otherClient {
		t.Error("the other program's file has changed")
	}

	r = b.call("import_ddns_scripts", "{}") // once more: all is there
	if strs(r.at("adds")) != "" || len(r.at("skips").([]any)) != 4 || r.at("config") != "" {
		t.Errorf("again: %v", r)
	}
}

// What has the same name and is something else keeps it; the imported one
// gets another, and its records follow.
func TestImportBesideOthers(t *testing.T) {
	b := importBench(t, `[provider.noip]
username = "somebody"
password = "x"

[[record]]
hostname = "other.ddns.net"
provider = "noip"

[[record]]
hostname = "home.duckdns.org"
provider = "duck"

[provider.duck]
type = "duckdns"
token = "own"
`, otherClient)
	r := b.call("import_ddns_scripts", `{"apply": true, "revision": "`+b.revision()+`"}`)
	if strs(r.at("adds")) != "provider.noip-2, record home.ddns.net" || r.at("saved") != true {
		t.Fatalf("%v", r)
	}
	for _, want := range []string{"[provider.noip-2]\ntype = \"noip\"\npassword = \"SECRET-1\"\nusername = \"abc123\"\n", "hostname = \"home.ddns.net\"\nprovider = \"noip-2\"\n"} {
		if !strings.Contains(b.file(), want) {
			t.Errorf("no %q in\n%s", want, b.file())
		}
	}
}

func TestImportOfNothing(t *testing.T) {
	b := importBench(t, "", "")
	if r := b.call("import_ddns_scripts", ""); r.at("found") != false || r.at("error") != nil {
		t.Errorf("%v", r)
	}
	b = importBench(t, "", "\x00")
	if r := b.call("import_ddns_scripts", ""); !strings.Contains(r.at("error").(string), "NUL") {
		t.Errorf("%v", r)
	}
	b = importBench(t, "[[record\n", otherClient)
	if r := b.call("import_ddns_scripts", ""); r.at("error") == nil {
		t.Errorf("%v", r)
	}
}
