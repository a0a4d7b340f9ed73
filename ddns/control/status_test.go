package control

import (
	"strings"
	"testing"
	"time"
)

// What is said of a broken file is true: there is a configuration before it,
// or, after a start with it, there is none.
func TestPrintABrokenFile(t *testing.T) {
	broken := "config.toml:3: no\nconfig.toml:9: neither"
	for name, c := range map[string]struct {
		sources       []Source
		want, unheard string
	}{
		"at a reload": {[]Source{{Name: "wan", Family: "ipv4"}}, "errors; the one before is in force:\n  config.toml:3: no\n  config.toml:9: neither\n", "nothing is published"},
		"at a start":  {nil, "errors; nothing is published until it is put right and reloaded:\n  config.toml:3: no\n  config.toml:9: neither\n", "no records"},
	} {
		s := Status{Config: Config{Path: "config.toml", Error: &broken}, Sources: c.sources}
		var out strings.Builder
		s.Print(&out, time.Time{})
		if !strings.Contains(out.String(), c.want) || strings.Contains(out.String(), c.unheard) {
			t.Errorf("%s: %q", name, out.String())
		}
	}
}
