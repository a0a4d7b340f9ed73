package config

import (
	"sort"
	"strconv"
	"strings"
)

// Edit is what becomes of one table of the file.
type Edit struct {
	// Table is its key: "daemon", "source.lte", "provider.noip", "record[0]".
	// Indices are those of the text before any edit. "record" and "alias" alone
	// append one. A table that is not there yet is made, but for elements.
	Table string

	// Set has the values that change, each a string, a bool, a [Number] or a
	// list ([]any) of them; nil takes the key out. In a provider's table KEY
	// takes KEY_file out, and the other way round.
	Set map[string]any

	Rename string // the new name of a source or provider; "": it keeps its own
	Remove bool   // takes the table out, with the comments directly at it
}

// Number is a number as it is to be written.
type Number string

// Rewrite returns text with the edits made. Every byte that they do not
// concern stays: comments, order, the spelling of values. The error is
// Problems: text is not TOML, an edit makes no sense, or a table is written so
// that it cannot be edited here. The result says what text said, changed as
// the edits say, and nothing else; that is made sure of. Whether it is a valid
// configuration is for [Parse] to judge. path is for the messages.
func Rewrite(path string, text []byte, edits []Edit) ([]byte, error) {
	doc, tree, err := readText(path, text)
	if err != nil {
		return nil, err
	}
	e := &editor{reader: &reader{path: path, doc: doc}, newline: "\n", wanted: shape(tree), touched: map[string]bool{}}
	if strings.Contains(doc.text, "\r\n") {
		e.newline = "\r\n"
	}
	for _, edit := range edits {
		e.edit(edit)
	}
	if len(e.problems) > 0 {
		return nil, Problems(e.problems)
	}
	result := []byte(e.result())
	_, got, err := readText(path, result)
	if err != nil || !Same(shape(got).compact(), e.wanted.compact()) {
		return nil, Problems{{Path: path, Message: "the file is written in a way that cannot be changed here; give each table a header of its own, such as [provider.noip] or [[record]]"}}
	}
	return result, nil
}

// Tree returns what text says as the TOML decoder gives it: map[string]any,
// []map[string]any, []any, string, int64, float64, bool, time.Time. Nothing is
// judged but that it is TOML; the error is Problems.
func Tree(path string, text []byte) (map[string]any, error) {
	_, tree, err := readText(path, text)
	return tree, err
}

// editor collects what is to be replaced in the text, and what the text is to
// say then.
type editor struct {
	*reader
	newline string
	splices []splice
	wanted  tables
	touched map[string]bool // tables that had their edit
}

// splice replaces a piece of the text.
type splice struct {
	start, end int
	text       string
	table      bool // is a new table
}

// edit makes one edit.
func (e *editor) edit(x Edit) {
	kind, name, index := splitTable(x.Table)
	values, there := e.wanted.find(kind, name, index)
	switch {
	case kind == "":
		e.fail(x.Table, "there is no table %s", quote(x.Table))
	case e.touched[x.Table] && index != appended:
		e.fail(x.Table, "%s is to be changed twice", quote(x.Table))
	case index >= 0 && !there:
		e.fail(x.Table, "there is no %s; count from 0", quote(x.Table))
	case x.Remove && index == appended, x.Rename != "" && (name == "" || !isName(x.Rename)):
		e.fail(x.Table, "%s cannot be renamed or removed so", quote(x.Table))
	case x.Rename != "" && e.wanted.has(kind, x.Rename):
		e.fail(x.Table, "there is a table [%s.%s] already", kind, x.Rename)
	case x.Remove && !there:
	case x.Remove:
		if t, ok := e.header(x.Table); ok {
			e.splices = append(e.splices, splice{e.above(t), e.below(t), "", false})
			e.wanted.drop(kind, name, index)
		}
	default:
		e.set(x, kind, name, index, values, there)
	}
	e.touched[x.Table] = true
}

// set changes the values of a table, and its name, or makes it.
func (e *editor) set(x Edit, kind, name string, index int, values map[string]any, there bool) {
	if !there {
		values = map[string]any{}
	}
	var added []string
	for _, key := range inOrder(twins(x.Set, values, kind)) {
		value, at := x.Set[key], joinPath(x.Table, key)
		text, parsed, ok := encode(value)
		if !ok {
			e.fail(at, "%s must be text, a number, true, false, or a list of text", quote(key))
			continue
		}
		old, was := values[key]
		k, _ := e.doc.find(at)
		switch {
		case value == nil && was:
			delete(values, key)
			e.splices = append(e.splices, splice{e.lineStart(k.Start), e.lineEnd(k.ValueEnd), "", false})
		case value == nil || was && Same(old, parsed):
		case was:
			values[key] = parsed
			e.splices = append(e.splices, splice{k.ValueStart, k.ValueEnd, text, false})
		default:
			values[key] = parsed
			added = append(added, joinPath("", key)+" = "+text)
		}
	}
	to := name
	if x.Rename != "" {
		to = x.Rename
	}
	if !there {
		e.wanted.put(kind, to, values)
		e.newTable(kind, to, index, added)
		return
	}
	if len(added) == 0 && to == name {
		return
	}
	t, ok := e.header(x.Table)
	if !ok {
		return
	}
	e.addKeys(t, added)
	if to != name {
		e.splices = append(e.splices, splice{t.Start, t.ValueStart, "[" + kind + "." + to + "]", false})
		e.wanted.drop(kind, name, index)
		e.wanted.put(kind, to, values)
	}
}

// header returns the table's own header; a table that has none cannot be
// removed, renamed or added to.
func (e *editor) header(table string) (entry, bool) {
	t, _ := e.doc.find(table)
	if t.Kind != tableEntry || t.Path != table {
		e.fail(table, "%s has no header of its own in the file, so it cannot be changed here; give it one", quote(table))
		return t, false
	}
	return t, true
}

// twins adds to set what must go because its twin comes: KEY and KEY_file are
// two ways to say one thing.
func twins(set map[string]any, values map[string]any, kind string) map[string]any {
	if kind != "provider" {
		return set
	}
	for _, key := range inOrder(set) {
		twin, isFile := strings.CutSuffix(key, "_file")
		if !isFile {
			twin = key + "_file"
		}
		_, asked := set[twin]
		if _, there := values[twin]; there && !asked && set[key] != nil {
			set[twin] = nil
		}
	}
	return set
}

// first are the keys that a new table begins with.
var first = []string{"type", "method", "hostname", "provider", "targets", "source", "families"}

// inOrder returns the keys in the order in which they are written.
func inOrder(set map[string]any) []string {
	rank := func(key string) int {
		for i, k := range first {
			if k == key {
				return i
			}
		}
		return len(first)
	}
	keys := make([]string, 0, len(set))
	for key := range set {
		keys = append(keys, key)
	}
	sort.Slice(keys, func(i, j int) bool {
		a, b := rank(keys[i]), rank(keys[j])
		return a < b || a == b && keys[i] < keys[j]
	})
	return keys
}

const (
	single   = -1 // a table that is no element of a list
	appended = -2 // an element that is not there yet
)

// splitTable returns the parts of an Edit's table; kind is "" if it is none.
func splitTable(s string) (kind, name string, index int) {
	kind, name, named := strings.Cut(s, ".")
	list, n, isElement := strings.Cut(s, "[")
	switch {
	case named && (kind == "source" || kind == "provider") && isName(name):
		return kind, name, single
	case s == "daemon" || s == "verify" || s == "notify":
		return s, "", single
	case s == "record" || s == "alias":
		return s, "", appended
	case isElement && (list == "record" || list == "alias"):
		i, err := strconv.Atoi(strings.TrimSuffix(n, "]"))
		if err == nil && i >= 0 && s == elementPath(list, i) {
			return list, "", i
		}
	}
	return "", "", single
}

func isName(s string) bool { return s != "" && joinPath("", s) == s }

// encode returns a value as TOML, and as the decoder would give it back.
func encode(v any) (text string, parsed any, ok bool) {
	switch v := v.(type) {
	case nil:
		return "", nil, true
	case string:
		return Text(v), v, true
	case bool:
		return strconv.FormatBool(v), v, true
	case Number:
		if i, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return strconv.FormatInt(i, 10), i, true
		}
		f, err := strconv.ParseFloat(string(v), 64)
		return string(v), f, err == nil
	case []any:
		list := make([]any, len(v))
		words := make([]string, len(v))
		for i, e := range v {
			if words[i], list[i], ok = encode(e); !ok || e == nil {
				return "", nil, false
			}
		}
		return "[" + strings.Join(words, ", ") + "]", list, true
	}
	return "", nil, false
}
