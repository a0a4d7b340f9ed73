package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

func TestScanFindsEveryFormOfKey(t *testing.T) {
	const text = "\ufeff# comment [not.a.table]\r\n" +
		`top = 1
a.b."c d" = "x # no comment" # comment
'quo.ted' = 'raw\'
"\u00e9\n\x41" = 2
text = """
[not] = "this" \""" ""more""" # """
raw = '''
[nor] = this''''
list = [ # first
  "one", [2, { three = 3, four.five = 4 }],
  1979-05-27 07:32:00, # date
]

[t] # header
x = { y = [] , z = true }

  [ t . "u v" ]
k = -1.5

[[r]]
n = 0
[r.sub]
m = 1
[[r.inner]]
[[r]]
n = 1
[[r.inner]]
[[r.inner]]
deep = 'end'`
	want := []string{
		`top 2 "1"`,
		`a 3 implicit`,
		`a.b 3 implicit`,
		`a.b."c d" 3 "\"x # no comment\""`,
		`"quo.ted" 4 "'raw\\'"`,
		`"é\nA" 5 "2"`,
		`text 6 "\"\"\"\n[not] = \"this\" \\\"\"\" \"\"more\"\"\""`,
		`raw 8 "'''\n[nor] = this''''"`,
		`list 10 "[ # first\n  \"one\", [2, { three = 3, four.five = 4 }],\n  1979-05-27 07:32:00, # date\n]"`,
		`list[0] 11 "\"one\""`,
		`list[1] 11 "[2, { three = 3, four.five = 4 }]"`,
		`list[1][0] 11 "2"`,
		`list[1][1] 11 "{ three = 3, four.five = 4 }"`,
		`list[1][1].three 11 "3"`,
		`list[1][1].four 11 implicit`,
		`list[1][1].four.five 11 "4"`,
		`list[2] 12 "1979-05-27 07:32:00"`,
		`t 15 " # header\nx = { y = [] , z = true }\n\n  "`,
		`t.x 16 "{ y = [] , z = true }"`,
		`t.x.y 16 "[]"`,
		`t.x.z 16 "true"`,
		`t."u v" 18 "\nk = -1.5\n\n"`,
		`t."u v".k 19 "-1.5"`,
		`r 21 implicit`,
		`r[0] 21 "\nn = 0\n"`,
		`r[0].n 22 "0"`,
		`r[0].sub 23 "\nm = 1\n"`,
		`r[0].sub.m 24 "1"`,
		`r[0].inner 25 implicit`,
		`r[0].inner[0] 25 "\n"`,
		`r[1] 26 "\nn = 1\n"`,
		`r[1].n 27 "1"`,
		`r[1].inner 28 implicit`,
		`r[1].inner[0] 28 "\n"`,
		`r[1].inner[1] 29 "\ndeep = 'end'"`,
		`r[1].inner[1].deep 30 "'end'"`,
	}
	d := scanDocument(text)
	if !d.complete {
		t.Fatalf("the scanner stopped on line %d", d.lineAt(d.stopped))
	}
	var got []string
	for _, e := range d.entries {
		value := "implicit"
		if e.Kind != implicitEntry {
			value = fmt.Sprintf("%q", text[e.ValueStart:e.ValueEnd])
		}
		got = append(got, fmt.Sprintf("%s %d %s", strings.ReplaceAll(e.Path, "\n", `\n`), e.Line, value))
	}
	for i := range max(len(got), len(want)) {
		g, w := "nothing", "nothing"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Errorf("entry %d\n got %s\nwant %s", i, g, w)
		}
	}
	var tree map[string]any
	if err := toml.Unmarshal([]byte(text), &tree); err != nil {
		t.Fatal(err)
	}
	everyPathHasALine(t, d, "", tree)
}

func TestLineOfWhatIsAbsentIsThatOfTheTableAround(t *testing.T) {
	c := &Config{Path: "c.toml", doc: scanDocument("\n[daemon]\n[provider.noip]\npassword_file = ''\n\n[[record]]\nhostname = ''\n[[record]]\non_change = [\n'/bin/a',\n'b']\n")}
	for key, line := range map[string]int{
		"":                       0,
		"verify.interval":        0,
		"daemon":                 2,
		"daemon.timeout":         2,
		"provider":               3,
		"provider.noip":          3,
		"provider.noip.usrname":  3,
		"provider.noip.password": 4,
		"provider.dyn.password":  3,
		"record":                 6,
		"record[0].source":       6,
		"record[0].hostname":     7,
		"record[1].hostname":     8,
		"record[1].on_change[1]": 11,
		"record[1].on_change[7]": 9,
	} {
		if p := c.Problem(key, "%d%%", 5); p != (Problem{"c.toml", line, "5%", key}) {
			t.Errorf("%s: %+v, want line %d", key, p, line)
		}
	}
	if p := (&Config{Path: "p"}).Problem("a.b", "m"); p.Error() != "p: m" {
		t.Errorf("a configuration made by hand: %q", p.Error())
	}
}

// everyPathHasALine fails unless the scanner has an entry for everything in
// the tree that the decoder made.
func everyPathHasALine(t *testing.T, d *document, path string, v any) {
	t.Helper()
	if path != "" {
		e, ok := d.find(path)
		switch {
		case !ok:
			t.Fatalf("no line for %s in %q", path, d.text)
		case e.Line < 1 || e.Line > len(d.starts):
			t.Fatalf("%s: line %d of %d in %q", path, e.Line, len(d.starts), d.text)
		case e.Kind == implicitEntry:
		case e.Start > e.ValueStart || e.ValueStart > e.ValueEnd || e.ValueEnd > len(d.text):
			t.Fatalf("%s: span %+v in %q", path, e, d.text)
		}
	}
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			everyPathHasALine(t, d, joinPath(path, key), value)
		}
	case []map[string]any:
		for i, value := range v {
			everyPathHasALine(t, d, elementPath(path, i), value)
		}
	case []any:
		for i, value := range v {
			everyPathHasALine(t, d, elementPath(path, i), value)
		}
	}
}

func FuzzLines(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if unreadable("f", text) != nil {
			return
		}
		d := scanDocument(string(text))
		if d.tooDeep {
			return
		}
		tree, problem := decode("f", d)
		if problem != nil {
			if problem.Line < 1 || problem.Line > len(d.starts) {
				t.Fatalf("line %d of %d: %q", problem.Line, len(d.starts), text)
			}
			return
		}
		if !d.complete {
			t.Fatalf("the scanner stopped at %d of %q", d.stopped, text)
		}
		everyPathHasALine(t, d, "", tree)
		// What the span of a value has is the value.
		for _, e := range d.entries {
			if e.Kind != keyEntry && e.Kind != elementEntry {
				continue
			}
			var one map[string]any
			if err := toml.Unmarshal([]byte("v = "+d.text[e.ValueStart:e.ValueEnd]), &one); err != nil {
				t.Fatalf("%s: span %q: %v", e.Path, d.text[e.ValueStart:e.ValueEnd], err)
			}
		}
	})
}
