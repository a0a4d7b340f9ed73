package main

import (
	"slices"
	"strings"
	"testing"
)

func TestFlagsStandAnywhere(t *testing.T) {
	for _, c := range []struct {
		args   string
		rest   string
		force  bool
		config string
		status int // exitUsage: refused
	}{
		{args: "a.example -force b.example", rest: "a.example b.example", force: true, config: "std"},
		{args: "--force", force: true, config: "std"},
		{args: "-force=false a -force=true", rest: "a", force: true, config: "std"},
		{args: "a.example", rest: "a.example", config: "std"},
		{args: "-config x a --config=y=z -", rest: "a -", config: "y=z"},
		{args: "-config -force", config: "-force"},
		{args: "a -- -force", rest: "a -force", config: "std"},
		{args: "-config", status: exitUsage, config: "std"},
		{args: "-force=maybe", status: exitUsage, config: "std"},
		{args: "a -frce", status: exitUsage, config: "std"},
		{args: "---force", status: exitUsage, config: "std"},
	} {
		fs := &flagSet{command: "update"}
		force, config := fs.Bool("force", ""), fs.String("config", "FILE", "std", "")
		rest, status, done := fs.parse(strings.Fields(c.args))
		if done != (c.status != 0) || status != c.status || !slices.Equal(rest, strings.Fields(c.rest)) || *force != c.force || *config != c.config {
			t.Errorf("%s: rest %v, force %v, config %s, status %d", c.args, rest, *force, *config, status)
		}
	}
}

func TestHelpNamesTheFlags(t *testing.T) {
	fs := &flagSet{command: "update"}
	configFlag(fs)
	fs.Bool("force", "send unchanged addresses too")
	var b strings.Builder
	fs.printHelp(&b)
	want := "Usage: wanbeacon " + updateUsage + `
Flags:
  -config FILE  the configuration file (default /etc/wanbeacon/config.toml)
  -force        send unchanged addresses too
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}
