package config

import (
	"strconv"
	"time"
)

// tables is a file's tree by table: "daemon", "source.lte", "record", the last
// a list. What is none of these is under "" as it was.
type tables struct {
	tree map[string]any
	gone map[string]bool // elements that are to leave their lists
}

// shape makes lists of tables the same, however they are written.
func shape(tree map[string]any) tables {
	for _, kind := range []string{"record", "alias"} {
		if maps, ok := tree[kind].([]map[string]any); ok {
			list := make([]any, len(maps))
			for i, m := range maps {
				list[i] = m
			}
			tree[kind] = list
		}
	}
	if tree == nil {
		tree = map[string]any{}
	}
	return tables{tree, map[string]bool{}}
}

// Same reports whether two values of a [Tree] are the same. It stands for
// reflect.DeepEqual, which is 6 kB of code.
func Same(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k, v := range a {
			if w, there := b[k]; !there || !Same(v, w) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		return ok && len(a) == len(b) && sameEach(len(a), func(i int) bool { return Same(a[i], b[i]) })
	case []map[string]any:
		b, ok := b.([]map[string]any)
		return ok && len(a) == len(b) && sameEach(len(a), func(i int) bool { return Same(a[i], b[i]) })
	case time.Time:
		b, ok := b.(time.Time)
		return ok && a.Equal(b)
	}
	return a == b
}

func sameEach(n int, same func(i int) bool) bool {
	for i := range n {
		if !same(i) {
			return false
		}
	}
	return true
}

// find returns a table's values.
func (t tables) find(kind, name string, index int) (values map[string]any, there bool) {
	switch {
	case index >= 0:
		list, _ := t.tree[kind].([]any)
		if index < len(list) {
			values, there = list[index].(map[string]any)
		}
		return values, there
	case index == appended:
		return nil, false
	}
	values, there = t.tree[kind].(map[string]any)
	if name != "" {
		values, there = values[name].(map[string]any)
	}
	return values, there
}

// has reports whether a kind has the name.
func (t tables) has(kind, name string) bool {
	_, there := t.find(kind, name, single)
	return there
}

// put adds a table: a named one, a single one, or an element.
func (t tables) put(kind, name string, values map[string]any) {
	switch {
	case name != "":
		named, ok := t.tree[kind].(map[string]any)
		if !ok {
			named = map[string]any{}
			t.tree[kind] = named
		}
		named[name] = values
	case kind == "record" || kind == "alias":
		list, _ := t.tree[kind].([]any)
		t.tree[kind] = append(list, values)
	default:
		t.tree[kind] = values
	}
}

// drop takes a table out. Elements leave in compact, as others keep their
// indices until then.
func (t tables) drop(kind, name string, index int) {
	switch named, _ := t.tree[kind].(map[string]any); {
	case index >= 0:
		t.gone[kind+strconv.Itoa(index)] = true
	case name != "":
		delete(named, name)
	default:
		delete(t.tree, kind)
	}
}

// compact returns the tree without what is gone, and without tables and lists
// at its top that are empty: they say nothing.
func (t tables) compact() map[string]any {
	for kind, v := range t.tree {
		switch v := v.(type) {
		case []any:
			kept := []any{}
			for i, e := range v {
				if !t.gone[kind+strconv.Itoa(i)] {
					kept = append(kept, e)
				}
			}
			if t.tree[kind] = kept; len(kept) == 0 {
				delete(t.tree, kind)
			}
		case map[string]any:
			if len(v) == 0 {
				delete(t.tree, kind)
			}
		}
	}
	return t.tree
}
