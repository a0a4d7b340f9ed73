package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// seeds returns the texts of testdata and some that broke parsers before.
func seeds(f *testing.F) [][]byte {
	files, err := filepath.Glob("testdata/*.toml")
	if err != nil || len(files) == 0 {
		f.Fatal("no testdata", err)
	}
	var list [][]byte
	for _, name := range append(files, "../../config.toml") {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		list = append(list, text)
	}
	for _, s := range []string{
		"", "\n", "=", "[", "[[", "[]", "[[]]", "[a", "a", "a=", "a=[", "a={", "a=\"", "a='''", "a=\"\\", "\"", "'",
		"\ufeffa=1", "\ufeff", "a=1\r\n[b]\r\n", "a=1979-05-27 07:32:00\n", "a=1979-05-27 # x\n", "a=[1,]\n", "a={b=1,}\n",
		"a={\n b=1,\n # c\n}\n", "''=1\n[\"\"]\n", "a.b=1\na.c=2\n", "[a.b]\n[a]\nb.c=1\n", "[[a]]\n[a.b]\n[[a]]\n[a.b]\n",
		"[[x.a]]\n[x]\na.b=1\n", "a=[{b=1},{b=2}]\n", "a=[[{b={c=[{}]}}]]\n", "a=\"\"\"\"\"\"\nb=1\n", "a='''''''\n", "a=\"\"\"x\"\"\"\"\"\n",
		"a=\"\"\"\\\n  x\"\"\"\n", "\"a\\u00e9\\U0001F600\\x41\\e\\\"\"=1\n", "a=+inf\nb=-nan\nc=0x1F\nd=1_000\ne=1e5\n",
		strings.Repeat("[", 100), "a=" + strings.Repeat("[", 100), "a=" + strings.Repeat("{a=", 100), strings.Repeat("a.", 100) + "a=1",
		"[provider]\nx=1\n", "[[provider]]\n", "record=1\n", "[record]\n", "record=[{hostname=\"a.example\"},1]\n", "provider.x.y=1\n",
		"[source.wan]\nmethod=\"static\"\nipv4=\"203.0.113.5\"\n", "[[alias]]\ntargets=[\"a\"]\n", "[verify]\nroots=[\"::1\"]\n",
		"[provider.x]\na_file=\"/dev/null\"\n", "[[record]]\nhostname=\"*.a.b\"\nfamilies=[\"ipv4\",\"ipv4\"]\nttl=\"1d12h\"\n",
	} {
		list = append(list, []byte(s))
	}
	return list
}

func FuzzParse(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if strings.Contains(string(text), "_file") {
			return // files outside the test are not its business
		}
		c, err := Parse("f", text)
		lines := 1 + strings.Count(string(text), "\n")
		check := func(problems []Problem) {
			last := 0
			for _, p := range problems {
				if p.Line < 0 || p.Line > lines {
					t.Fatalf("line %d of %d: %s in %q", p.Line, lines, p.Message, text)
				}
				if p.Line < last {
					t.Fatalf("not by line: %v", problems)
				}
				last = p.Line
				if p.Path != "f" || p.Message == "" || strings.ContainsAny(p.Message, "\n\r\x00\x1b") || strings.Contains(p.Message, "%!") {
					t.Fatalf("message %q", p.Message)
				}
			}
		}
		if err != nil {
			problems, ok := err.(Problems)
			if !ok || len(problems) == 0 || c != nil {
				t.Fatalf("%T %v, %v", err, err, c)
			}
			check(problems)
			return
		}
		check(c.Warnings)
		for i, rec := range c.Records {
			if again, err := normalHostname(rec.Hostname); err != nil || again != rec.Hostname {
				t.Fatalf("hostname %q: %q, %v", rec.Hostname, again, err)
			}
			_, haveProvider := c.Provider(rec.Provider)
			_, haveSource := c.Source(rec.Source)
			if !haveProvider || !haveSource || rec.Index != i || len(rec.Families) == 0 {
				t.Fatalf("record %+v", rec)
			}
		}
	})
}

func FuzzDuration(f *testing.F) {
	for _, s := range []string{"", "off", "90s", "1h30m", "1d12h", "-1s", "99999999999999999999d", "1.5h", "1h1h", "s", "1", "3650d23h59m59s", "3650d2000m"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := parseDuration(s)
		if err != nil {
			return
		}
		if d < 0 || d > maxDuration {
			t.Fatalf("%q: %v", s, d)
		}
		if again, err := parseDuration(formatDuration(d)); err != nil || again != d {
			t.Fatalf("%q: %v, then %v, %v", s, d, again, err)
		}
	})
}
