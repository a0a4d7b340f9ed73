package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// TestNeverLinked holds the line on what a router's flash and memory pay for.
func TestNeverLinked(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", `{{.ImportPath}}{{if .Module}}{{if .Module.Main}} {{join .Imports " "}}{{end}}{{end}}`, ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	var deps, ours []string // ours: what our own packages import
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		deps, ours = append(deps, words[0]), append(ours, words[1:]...)
	}
	for _, never := range []string{"net/http", "regexp", "text/template", "html/template", "net/http/pprof", "log/slog", "encoding/xml",
		"text/scanner", "flag", "text/tabwriter", "golang.org/x/net/publicsuffix", "time/tzdata", "testing"} {
		if slices.Contains(deps, never) {
			t.Errorf("the binary links %s", never)
		}
	}
	// BurntSushi/toml names a type of encoding/json, which costs nothing.
	for _, instead := range [][2]string{{"encoding/json", "ddns/json"}, {"os/exec", "ddns/program"}} {
		if slices.Contains(ours, instead[0]) {
			t.Errorf("the binary uses %s; %s is for that", instead[0], instead[1])
		}
	}
	if !slices.Contains(deps, "github.com/wanbeacon/wanbeacon/netwatch") {
		t.Error("the list of dependencies is not the binary's")
	}
}

func TestLogLinesStayOneLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	l := newLogger(f, "info")
	l.Debugf("not written")
	l.Infof("a\x1b[31mred\nsecond\u202eline\x00")
	l.Errorf("wan: no")
	f.Close()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := "a\\x1b[31mred\\nsecond\\u202eline\\x00\nerror: wan: no\n"; !bytes.Equal(got, []byte(want)) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEveryProvidersExamplePassesCheck(t *testing.T) {
	c, broken := provider.Open("")
	if len(broken) > 0 {
		t.Fatal(broken)
	}
	for _, name := range c.Names() {
		def, err := c.Lookup(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		path := filepath.Join(t.TempDir(), "config.toml")
		if err := os.WriteFile(path, []byte(paste(def)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := loadPlan(path, ""); err != nil {
			t.Errorf("%s: %v\n%s", name, err, paste(def))
		}
	}
}

func TestSocketIsFoundInABrokenFile(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"[daemon]\nsocket = \"/tmp/x.sock\"\n", "/tmp/x.sock"},
		{"[daemon]\nsocket = '/tmp/x.sock' # here\n[[record]]\nhostnam = 1\n", "/tmp/x.sock"},
		{"[provider.noip\nsocket=\"/tmp/x.sock\"", "/tmp/x.sock"},
		{"[provider.noip\n", defaultSocket},
	} {
		path := filepath.Join(t.TempDir(), "config.toml")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := socketOf(path); got != c.want {
			t.Errorf("%q: %s, want %s", c.text, got, c.want)
		}
	}
}
