package config

import (
	"fmt"
	"sort"
	"strings"
	"time"
	"unicode"
)

// reader collects what is wrong while the tree becomes a Config.
type reader struct {
	path     string
	doc      *document
	problems []Problem
	warnings []Problem
}

// fail reports an error at a key or the nearest table around it.
func (r *reader) fail(key, format string, args ...any) {
	r.problems = append(r.problems, Problem{r.path, r.doc.line(key), fmt.Sprintf(format, args...), key})
}

// warn reports what is allowed but probably not meant.
func (r *reader) warn(key, format string, args ...any) {
	r.warnings = append(r.warnings, Problem{r.path, r.doc.line(key), fmt.Sprintf(format, args...), key})
}

// table is one table of the file on its way into a struct. Its getters report
// values of the wrong type and leave what they were to fill as it is.
type table struct {
	*reader
	path   string // "" is the file
	values map[string]any
	known  []string // every key that a getter was asked for
}

// at returns the path of a key.
func (t *table) at(key string) string { return joinPath(t.path, key) }

// has reports whether the table has the key, and makes it known.
func (t *table) has(key string) bool {
	t.known = append(t.known, key)
	return t.there(key)
}

// there reports whether the table has the key, right or wrong.
func (t *table) there(key string) bool {
	_, ok := t.values[key]
	return ok
}

// missing reports a key that must be there and is not. If one of a similar
// name is there, unknown says enough.
func (t *table) missing(key, example string) {
	if t.there(key) {
		return
	}
	for _, other := range t.keys() {
		if !contains(t.known, other) && Nearest(other, []string{key}) != "" {
			return
		}
	}
	t.fail(t.path, "%s is missing; add %s", quote(key), example)
}

// unknown reports every key that no getter was asked for.
func (t *table) unknown() {
	for _, key := range t.keys() {
		if !contains(t.known, key) {
			hint := didYouMean(key, t.known)
			if hint == "" && t.path == "" {
				hint = "; the keys are below headers such as [daemon] or [[record]]"
			}
			t.fail(t.at(key), "unknown key %s%s", quote(key), hint)
		}
	}
}

// keys returns the table's keys in the order of the file.
func (t *table) keys() []string {
	keys := make([]string, 0, len(t.values))
	for key := range t.values {
		keys = append(keys, key)
	}
	place := func(key string) int {
		e, _ := t.doc.find(t.at(key))
		return e.Start
	}
	sort.Slice(keys, func(i, j int) bool {
		if a, b := place(keys[i]), place(keys[j]); a != b {
			return a < b
		}
		return keys[i] < keys[j]
	})
	return keys
}

// text reads a string that has no control characters. It returns false if the
// key is absent or wrong.
func (t *table) text(key string, to *string) bool {
	if !t.has(key) {
		return false
	}
	s, ok := t.values[key].(string)
	switch {
	case !ok:
		t.fail(t.at(key), "%s must be text between double quotes, not %s", quote(key), kindOf(t.values[key]))
		return false
	case strings.ContainsFunc(s, unicode.IsControl):
		t.fail(t.at(key), "%s has a control character or a line break in it", quote(key))
		return false
	}
	*to = s
	return true
}

// flag reads a boolean.
func (t *table) flag(key string, to *bool) {
	if !t.has(key) {
		return
	}
	b, ok := t.values[key].(bool)
	if !ok {
		t.fail(t.at(key), "%s must be true or false, without quotes", quote(key))
		return
	}
	*to = b
}

// duration reads a duration between least and most.
func (t *table) duration(key string, to *time.Duration, least, most time.Duration) {
	if !t.has(key) {
		return
	}
	s, ok := t.values[key].(string)
	if !ok {
		t.fail(t.at(key), "%s must be a duration between double quotes, such as \"90s\" or \"10m\"", quote(key))
		return
	}
	d, err := parseDuration(s)
	switch {
	case err != nil:
		t.fail(t.at(key), "%s: %v", quote(key), err)
	case d < least:
		t.fail(t.at(key), "%s must be at least \"%s\"", quote(key), formatDuration(least))
	case d > most:
		t.fail(t.at(key), "%s must be at most \"%s\"", quote(key), formatDuration(most))
	default:
		*to = d
	}
}

// list reads a list of strings without control characters. It returns false
// if the key is absent or wrong; example is what a right one looks like.
func (t *table) list(key string, to *[]string, example string) bool {
	if !t.has(key) {
		return false
	}
	elements, ok := t.values[key].([]any)
	if !ok {
		t.fail(t.at(key), "%s must be a list, such as %s", quote(key), example)
		return false
	}
	list := make([]string, 0, len(elements))
	for i, e := range elements {
		at := elementPath(t.at(key), i)
		s, isText := e.(string)
		switch {
		case !isText:
			t.fail(at, "%s must be a list of text between double quotes, such as %s", quote(key), example)
			ok = false
		case strings.ContainsFunc(s, unicode.IsControl):
			t.fail(at, "%s has a control character or a line break in it", quote(key))
			ok = false
		}
		list = append(list, s)
	}
	if ok {
		*to = list
	}
	return ok
}

// argv reads a command: a list whose first element is an absolute path.
func (t *table) argv(key string, to *[]string) {
	example := `["/path/to/program", "argument"]`
	if !t.has(key) {
		return
	}
	if _, isText := t.values[key].(string); isText {
		t.fail(t.at(key), "%s must be a list, as no shell takes it apart: %s", quote(key), example)
		return
	}
	var list []string
	switch {
	case !t.list(key, &list, example):
	case len(list) == 0:
		t.fail(t.at(key), "%s is empty; write %s", quote(key), example)
	case !strings.HasPrefix(list[0], "/"):
		t.fail(t.at(key), "%s must begin with an absolute path, such as %s", quote(key), example)
	default:
		*to = list
	}
}

// file reads an absolute path.
func (t *table) file(key string, to *string) bool {
	var path string
	if !t.text(key, &path) {
		return false
	}
	if !strings.HasPrefix(path, "/") {
		t.fail(t.at(key), "%s must be an absolute path, beginning with /", quote(key))
		return false
	}
	*to = path
	return true
}

// device reads the name of a network device.
func (t *table) device(key string, to *string) bool {
	var name string
	if !t.text(key, &name) {
		return false
	}
	switch {
	case len(name) > 15 || strings.ContainsAny(name, "/: ") || name == "." || name == "..":
		t.fail(t.at(key), "%s: %s cannot be a device's name, such as eth1 or pppoe-wan", quote(key), quote(name))
		return false
	}
	*to = name
	return true
}

// choice reads one of several words.
func (t *table) choice(key string, to *string, words ...string) bool {
	var word string
	if !t.text(key, &word) {
		return false
	}
	if !contains(words, word) {
		t.fail(t.at(key), "%s: there is no %s%s; it is one of %s",
			quote(key), quote(word), didYouMean(word, words), strings.Join(words, ", "))
		return false
	}
	*to = word
	return true
}

// subtable returns the table under key; nil if there is none.
func (t *table) subtable(key string) *table {
	if !t.has(key) {
		return nil
	}
	values, ok := t.values[key].(map[string]any)
	if !ok {
		t.fail(t.at(key), "%s must be a table; begin it with a line [%s]", quote(key), key)
		return nil
	}
	return &table{reader: t.reader, path: t.at(key), values: values}
}

// tables returns the [[tables]] under key.
func (t *table) tables(key string) []*table {
	if !t.has(key) {
		return nil
	}
	var maps []map[string]any
	switch v := t.values[key].(type) {
	case []map[string]any:
		maps = v
	case []any:
		for i, e := range v {
			m, ok := e.(map[string]any)
			if !ok {
				t.fail(elementPath(t.at(key), i), "%s must be tables; begin each with a line [[%s]]", quote(key), key)
				return nil
			}
			maps = append(maps, m)
		}
	default:
		t.fail(t.at(key), "there can be several of %s; write its header with double brackets: [[%s]]", quote(key), key)
	}
	tables := make([]*table, len(maps))
	for i, m := range maps {
		tables[i] = &table{reader: t.reader, path: elementPath(t.at(key), i), values: m}
	}
	return tables
}

// kindOf says what a value is.
func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "text"
	case bool:
		return "true or false"
	case int64, float64:
		return "a number"
	case time.Time:
		return "a date"
	case []any, []map[string]any:
		return "a list"
	}
	return "a table"
}

// quote returns text from the file as a message shows it: between backquotes,
// cut, on one line.
func quote(s string) string { return "`" + printable(s) + "`" }

// printable returns s with whatever is not a printable character escaped, and
// at most 80 characters of it.
func printable(s string) string {
	var b strings.Builder
	n := 0
	for _, c := range s {
		if n++; n > 80 {
			b.WriteString("…")
			break
		}
		if unicode.IsPrint(c) {
			b.WriteRune(c)
		} else {
			fmt.Fprintf(&b, "\\u%04x", c)
		}
	}
	return b.String()
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}
