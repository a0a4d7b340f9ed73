package importer_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/importer"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

var update = flag.Bool("update", false, "rewrite the expected results in testdata")

type importFunc func([]byte, importer.Options) (importer.Result, error)

var formats = map[string]importFunc{
	"ddns-scripts": importer.DDNSScripts,
	"inadyn":       importer.Inadyn,
	"ddclient":     importer.DDClient,
}

// catalogue is the built-in one, with those in testdata instead of some.
func catalogue(tb testing.TB) *provider.Catalogue {
	tb.Helper()
	c, broken := provider.Open("testdata/providers.d")
	if len(broken) > 0 {
		tb.Fatal(broken)
	}
	return c
}

// options are those of a router where one secret is in the environment.
func options(tb testing.TB, dir string) importer.Options {
	return importer.Options{
		Catalogue: catalogue(tb),
		ReadFile: func(path string) ([]byte, error) {
			if !strings.HasPrefix(path, dir+"/") {
				if filepath.IsAbs(path) {
					return nil, errors.New("no such file")
				}
				path = dir + "/" + path
			}
			return os.ReadFile(path + ".inc")
		},
		Getenv: func(name string) (string, bool) { return "S3CR3T-env", name == "SECRET" },
		Dir:    dir, Home: "/home/me",
	}
}

// mustCheck holds a result against everything that `wanbeacon check` looks at.
func mustCheck(tb testing.TB, c *provider.Catalogue, result importer.Result) *config.Config {
	tb.Helper()
	cfg, err := config.Parse("config.toml", result.Config)
	if err != nil {
		tb.Fatalf("%v in\n%s", err, result.Config)
	}
	accounts := map[string]*provider.Provider{}
	for _, p := range cfg.Providers {
		def, err := c.Lookup(p.Type)
		if err != nil {
			tb.Fatal(err)
		}
		ready, problems := provider.New(def, p, provider.Options{})
		if len(problems) > 0 {
			tb.Fatalf("%s: %v in\n%s", p.Name, problems, result.Config)
		}
		accounts[p.Name] = ready
	}
	for _, r := range cfg.Records {
		p := accounts[r.Provider]
		if err := p.CheckHost(r.Hostname); err != nil {
			tb.Fatalf("%v in\n%s", err, result.Config)
		}
		if r.TTL > 0 && !p.HasTTL() {
			tb.Fatalf("%s has no TTL", r.Provider)
		}
		for _, f := range r.Families {
			if !p.Supports(f) {
				tb.Fatalf("%s has no %s", r.Provider, f)
			}
		}
	}
	if len(cfg.Records) != result.Records || len(cfg.Providers) != result.Providers {
		tb.Fatalf("%d records and %d providers, of which it says %d and %d", len(cfg.Records), len(cfg.Providers), result.Records, result.Providers)
	}
	return cfg
}

// mustBeNotes holds notes against what the program prints them for.
func mustBeNotes(tb testing.TB, notes []importer.Note, lines int) {
	tb.Helper()
	last := 0
	for _, n := range notes {
		if n.Line < last || n.Line > lines {
			tb.Fatalf("line %d after %d, of %d", n.Line, last, lines)
		}
		last = n.Line
		if n.Message == "" || strings.ContainsFunc(n.Message, func(r rune) bool { return !unicode.IsPrint(r) }) || strings.Contains(n.Message, "%!") {
			tb.Fatalf("message %q", n.Message)
		}
	}
}

func TestExamplesBecomeWhatIsExpected(t *testing.T) {
	for format, run := range formats {
		files, err := filepath.Glob("testdata/" + format + "/*.conf")
		if err != nil || len(files) == 0 {
			t.Fatal("no examples of", format)
		}
		for _, file := range files {
			t.Run(strings.TrimPrefix(file, "testdata/"), func(t *testing.T) {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				result, err := run(text, options(t, filepath.Dir(file)))
				if err != nil {
					t.Fatal(err)
				}
				mustCheck(t, catalogue(t), result)
				mustBeNotes(t, result.Notes, 1+strings.Count(string(text), "\n"))
				var notes strings.Builder
				for _, n := range result.Notes {
					fmt.Fprintf(&notes, "%d: %s\n", n.Line, n.Message)
				}
				if strings.Contains(notes.String(), "S3CR3T") {
					t.Errorf("a secret in\n%s", notes.String())
				}
				same(t, strings.TrimSuffix(file, ".conf")+".toml", string(result.Config))
				same(t, strings.TrimSuffix(file, ".conf")+".notes", notes.String())
			})
		}
	}
}

func same(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update writes it):\n%s", path, got)
	}
}
