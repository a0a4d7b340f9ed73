package config

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// A file whose every line is known: who owns it, and so what edits may do to it.
type commented struct {
	r      *rand.Rand
	lines  []string
	owner  []string // of each line: "" (must stay), "table", or "table.key"
	tables []string
	keys   map[string][]string // of each table
	lists  map[string]int
	taken  map[string]bool // lines so far; all are different
	eol    string
}

// line adds a line that no other one equals, unless it is blank.
func (f *commented) line(owner, text string) {
	if text != "" {
		for f.taken[text] {
			text += " #" + f.word()
		}
		f.taken[text] = true
	}
	f.lines, f.owner = append(f.lines, text), append(f.owner, owner)
}

func (f *commented) word() string {
	const letters = "abcdefghijklmnop"
	var b strings.Builder
	for range 1 + f.r.IntN(6) {
		b.WriteByte(letters[f.r.IntN(len(letters))])
	}
	return b.String()
}

func (f *commented) maybe(n int) bool { return f.r.IntN(n) == 0 }

// odd are texts that are hard to write and to read.
var odd = []string{"", `"`, `\`, `'`, `"'\`, "a\nb", "\t", "# no comment", "[x]", "ü – 😀", `"""`, "'''", "=", " ", "\x7f\u0085\x01", "a]", `x"]`, "{set = true}"}

func (f *commented) text() string {
	if f.maybe(2) {
		return odd[f.r.IntN(len(odd))]
	}
	return f.word()
}

// value returns a value as a user may write it.
func (f *commented) value() string {
	switch f.r.IntN(9) {
	case 0:
		return "'" + f.word() + " # ] \\'"
	case 1:
		return "'''" + f.word() + "''" + "'"
	case 2:
		return fmt.Sprint(f.r.IntN(1000))
	case 3:
		return "true"
	case 4:
		return "0x1F"
	case 5:
		return "[ \"" + f.word() + "\", '" + f.word() + "', ]"
	case 6:
		return "{ a = \"" + f.word() + "\", b = [1, 2] }"
	}
	return Text(f.text())
}

func (f *commented) table(path, header string) {
	for f.maybe(2) {
		f.line(path, "# above "+f.word())
	}
	f.line(path, header+[]string{"", "  # " + f.word()}[f.r.IntN(2)])
	f.tables = append(f.tables, path)
	for range f.r.IntN(5) {
		key := f.word()
		if f.maybe(6) {
			key = `"` + key + ` x"`
		}
		if f.taken[path+"."+key] {
			continue
		}
		f.taken[path+"."+key] = true
		for f.maybe(4) {
			f.line(path+".#", "# at a key "+f.word())
		}
		if f.maybe(8) {
			f.line(path+".#", "")
		}
		f.keys[path] = append(f.keys[path], key)
		at := path + "." + key
		indent := []string{"", "  ", "\t"}[f.r.IntN(3)]
		switch f.r.IntN(6) {
		case 0:
			f.line(at, indent+key+" = [")
			f.line(at, "\t'"+f.word()+"', # "+f.word())
			f.line(at, "] # "+f.word())
		case 1:
			f.line(at, key+` = """`+f.word())
			f.line(at, f.word()+" [[record]]")
			f.line(at, `"""`)
		default:
			f.line(at, indent+key+[]string{"=", " = ", "   =  "}[f.r.IntN(3)]+f.value()+[]string{"", " # " + f.word()}[f.r.IntN(2)])
		}
	}
	for f.maybe(4) {
		f.line(path, "# below "+f.word())
	}
	f.line("", "") // without it, whose comment it is depends on what follows
	for f.maybe(3) {
		f.line("", "# free "+f.word())
		f.line("", "")
	}
}

func newCommented(r *rand.Rand) *commented {
	f := &commented{r: r, keys: map[string][]string{}, lists: map[string]int{}, taken: map[string]bool{}, eol: "\n"}
	if f.maybe(5) {
		f.eol = "\r\n"
	}
	f.line("", "# the file")
	f.line("", "")
	for range f.r.IntN(9) {
		switch kind := []string{"daemon", "source", "provider", "record", "alias", "verify", "provider", "record"}[f.r.IntN(8)]; kind {
		case "source", "provider":
			name := kind + "." + f.word()
			if !f.taken[name] {
				f.taken[name] = true
				f.table(name, []string{"[" + name + "]", "[ " + strings.ReplaceAll(name, ".", " . ") + " ]"}[f.r.IntN(2)])
			}
		case "record", "alias":
			f.table(elementPath(kind, f.lists[kind]), "[["+kind+"]]")
			f.lists[kind]++
		default:
			if !f.taken[kind] {
				f.taken[kind] = true
				f.table(kind, "["+kind+"]")
			}
		}
	}
	return f
}

// edits returns random edits, and which owners' lines may go for them.
func (f *commented) edits() (edits []Edit, may map[string]bool) {
	may = map[string]bool{}
	for _, table := range f.tables {
		x := Edit{Table: table, Set: map[string]any{}}
		switch f.r.IntN(6) {
		case 0:
			x.Remove = true
			may[table] = true
			may[table+".#"] = true
			for _, key := range f.keys[table] {
				may[table+"."+key] = true
			}
		case 1, 2:
			for _, key := range f.keys[table] {
				if f.maybe(2) {
					x.Set[strings.Trim(key, `"`)] = f.newValue()
					may[table+"."+key] = true
				}
			}
			if f.maybe(2) {
				x.Set["new_"+f.word()] = f.newValue()
			}
			if name, _, ok := strings.Cut(table, "."); ok && f.maybe(4) {
				x.Rename = "renamed-" + strings.TrimPrefix(table, name+".")
				may[table] = true // the header; comments are looked at apart
			}
		default:
			continue
		}
		edits = append(edits, x)
	}
	for _, table := range []string{"record", "alias", "provider.new1", "source.new2", "notify"} {
		if f.maybe(4) {
			edits = append(edits, Edit{Table: table, Set: map[string]any{"hostname": f.text(), "k": f.newValue()}})
		}
	}
	f.r.Shuffle(len(edits), func(i, j int) { edits[i], edits[j] = edits[j], edits[i] })
	return edits, may
}

func (f *commented) newValue() any {
	switch f.r.IntN(6) {
	case 0:
		return nil
	case 1:
		return f.maybe(2)
	case 2:
		return Number(fmt.Sprint(f.r.IntN(100)))
	case 3:
		return []any{f.text(), f.text()}
	}
	return f.text()
}

// checkRewrite holds one rewriting of a random file against the rules.
func checkRewrite(t *testing.T, seed uint64) {
	t.Helper()
	f := newCommented(rand.New(rand.NewPCG(seed, 1)))
	text := strings.Join(f.lines, f.eol)
	edits, may := f.edits()
	before, err := Tree("c", []byte(text))
	if err != nil {
		t.Fatalf("seed %d: the test's file: %v\n%s", seed, err, text)
	}
	out, err := Rewrite("c", []byte(text), edits)
	if err != nil {
		t.Fatalf("seed %d: %v\n%s\n%+v", seed, err, text, edits)
	}
	after, err := Tree("c", out)
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}

	// Each line that nobody touched is there, as it was and in order.
	got := strings.Split(string(out), f.eol)
	at := 0
	for i, line := range f.lines {
		comment := strings.HasPrefix(line, "# ")
		if may[f.owner[i]] && !(comment && renamed(edits, f.owner[i])) || line == "" {
			continue
		}
		for at < len(got) && got[at] != line {
			at++
		}
		if at == len(got) {
			t.Fatalf("seed %d: line %q is not in the result, or not in its place\n%s\n---\n%s\n%+v", seed, line, text, out, edits)
		}
	}
	// What each table says is what it said and what its edit says.
	want := model(before, edits)
	if got := model(after, nil); !reflect.DeepEqual(got, want) {
		t.Fatalf("seed %d: the result says\n%v\nwant\n%v\n%s\n---\n%s\n%+v", seed, got, want, text, out, edits)
	}
	if strings.Contains(strings.ReplaceAll(string(out), f.eol, "\n"), "\n\n\n\n") && !strings.Contains(strings.ReplaceAll(text, f.eol, "\n"), "\n\n\n\n") {
		t.Errorf("seed %d: blank lines pile up:\n%q", seed, out)
	}
}

func renamed(edits []Edit, table string) bool {
	for _, x := range edits {
		if x.Table == table {
			return x.Rename != ""
		}
	}
	return false
}

// model is another, simple-minded reading of edits: a flat map of all values.
func model(tree map[string]any, edits []Edit) map[string]string {
	flat := map[string]string{}
	put := func(table string, values map[string]any, x Edit) {
		if x.Remove {
			return
		}
		if x.Rename != "" {
			table = table[:strings.IndexByte(table, '.')+1] + x.Rename
		}
		for k, v := range values {
			if _, set := x.Set[k]; !set {
				flat[table+"|"+k] = fmt.Sprint(v)
			}
		}
		for k, v := range x.Set {
			if v != nil {
				flat[table+"|"+k] = fmt.Sprint(v)
			}
		}
		flat[table] = ""
	}
	by := map[string]Edit{}
	for _, x := range edits {
		by[x.Table] = x
	}
	done := map[string]bool{}
	for kind, v := range tree {
		switch v := v.(type) {
		case []map[string]any:
			n := 0
			for i, m := range v {
				old := elementPath(kind, i)
				done[old] = true
				if !by[old].Remove {
					put(elementPath(kind, n), m, by[old])
					n++
				}
			}
			if x, ok := by[kind]; ok {
				done[kind] = true
				put(elementPath(kind, n), nil, x)
			}
		case map[string]any:
			if kind == "source" || kind == "provider" {
				for name, m := range v {
					done[kind+"."+name] = true
					put(kind+"."+name, m.(map[string]any), by[kind+"."+name])
				}
				continue
			}
			done[kind] = true
			put(kind, v, by[kind])
		}
	}
	for table, x := range by {
		if !done[table] {
			if table == "record" || table == "alias" {
				table = elementPath(table, 0)
			}
			put(table, nil, x)
		}
	}
	for _, single := range []string{"daemon", "verify", "notify"} {
		delete(flat, single) // empty or absent is the same
	}
	return flat
}

func TestRewriteRandomFiles(t *testing.T) {
	for seed := range uint64(1000) {
		checkRewrite(t, seed)
	}
}

func FuzzRewriteRandomFiles(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { checkRewrite(t, seed) })
}

// FuzzRewrite takes any text: the result is refused, or is what was asked for.
func FuzzRewrite(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s, "provider.x", "a", "b")
		f.Add(s, "record[0]", "hostname", "'\"\\\n")
	}
	f.Fuzz(func(t *testing.T, text []byte, table, key, value string) {
		if strings.ContainsRune(value, '\ufffd') || strings.ToValidUTF8(value, "")+strings.ToValidUTF8(key, "")+strings.ToValidUTF8(table, "") != value+key+table {
			return // JSON has no such text
		}
		if same, err := Rewrite("f", text, nil); err == nil && string(same) != string(text) {
			t.Fatalf("without an edit it changes: %q", same)
		}
		out, err := Rewrite("f", text, []Edit{{Table: table, Set: map[string]any{key: value}}})
		if err != nil {
			return
		}
		back, err := Rewrite("f", out, []Edit{{Table: table, Set: map[string]any{key: value}}})
		if table != "record" && table != "alias" && (err != nil || string(back) != string(out)) {
			t.Fatalf("the same again: %v\n%q\n%q", err, out, back)
		}
		if _, err := Rewrite("f", out, []Edit{{Table: table, Remove: true}}); err == nil && len(out) == 0 {
			t.Fatal("it was not there")
		}
	})
}
