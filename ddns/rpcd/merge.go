package rpcd

import (
	"reflect"
	"sort"
	"strconv"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// merger puts another configuration beside ours.
type merger struct {
	*importReply
	edits        []config.Edit
	ours, theirs map[string]any
	names        map[string]string // table in theirs to its name in ours
	wanted       map[string]bool   // tables of theirs that a record refers to which is added
	refused      map[string]bool   // … which is there already
}

func (m *merger) merge(path string, ours, theirs []byte) (err error) {
	if m.ours, err = config.Tree(path, ours); err != nil {
		return err
	}
	if m.theirs, err = config.Tree("import", theirs); err != nil {
		return err
	}
	m.names, m.wanted, m.refused = map[string]string{}, map[string]bool{}, map[string]bool{}
	if set := m.daemon(); len(set) > 0 {
		m.add("daemon", "daemon", set)
	}
	records := m.records()
	for _, kind := range []string{"source", "provider"} {
		for _, name := range sorted(table(m.theirs[kind])) {
			m.named(kind, name)
		}
	}
	for _, rec := range records {
		for _, kind := range []string{"source", "provider"} {
			if name, ok := rec[kind].(string); ok && m.names[kind+"."+name] != "" {
				rec[kind] = m.names[kind+"."+name]
			}
		}
		host, _ := rec["hostname"].(string)
		m.add("record", "record "+host, rec)
		m.Records++
	}
	return nil
}

func (m *merger) add(table, what string, set map[string]any) {
	m.Adds = append(m.Adds, what)
	m.edits = append(m.edits, config.Edit{Table: table, Set: set})
}

// daemon returns what is to be added to [daemon]: ours has the last word.
func (m *merger) daemon() map[string]any {
	set, have := map[string]any{}, table(m.ours["daemon"])
	for key, v := range table(m.theirs["daemon"]) {
		if _, there := have[key]; !there {
			set[key] = v
		}
	}
	return set
}

// records returns the records that ours does not have.
func (m *merger) records() (added []map[string]any) {
	for _, rec := range elements(m.theirs["record"]) {
		host, _ := rec["hostname"].(string)
		uses := []string{"source." + text(rec, "source", "wan"), "provider." + text(rec, "provider", "")}
		there := false
		for _, own := range elements(m.ours["record"]) {
			there = there || own["hostname"] == host && m.sameType(own, rec) && overlap(own["families"], rec["families"])
		}
		if there {
			m.Skips = append(m.Skips, skipReply{"record " + host, "there is one already"})
		} else {
			added = append(added, rec)
		}
		for _, t := range uses {
			if there {
				m.refused[t] = true
			} else {
				m.wanted[t] = true
			}
		}
	}
	return added
}

// sameType reports whether both records are kept at the same kind of provider.
func (m *merger) sameType(own, rec map[string]any) bool {
	a, b := text(own, "provider", ""), text(rec, "provider", "")
	return text(table(table(m.ours["provider"])[a]), "type", a) == text(table(table(m.theirs["provider"])[b]), "type", b)
}

// named adds a source or a provider, under another name if ours has something
// else of that name.
func (m *merger) named(kind, name string) {
	at := kind + "." + name
	if m.refused[at] && !m.wanted[at] {
		m.Skips = append(m.Skips, skipReply{at, "its records are there already"})
		return
	}
	set, have := table(table(m.theirs[kind])[name]), table(m.ours[kind])
	if _, typed := set["type"]; kind == "provider" && !typed {
		set["type"] = name
	}
	to := name
	for n := 2; ; n++ {
		own, taken := have[to]
		if !taken {
			break
		}
		same := table(own)
		if _, typed := same["type"]; kind == "provider" && !typed {
			same["type"] = to
		}
		if reflect.DeepEqual(same, set) {
			m.names[at] = to
			m.Skips = append(m.Skips, skipReply{at, "it is there already"})
			return
		}
		to = name + "-" + strconv.Itoa(n)
	}
	if set["type"] == to {
		delete(set, "type")
	}
	m.names[at] = to
	m.add(kind+"."+to, kind+"."+to, set)
	if kind == "provider" {
		m.Providers++
	}
}

func text(t map[string]any, key, standard string) string {
	if s, ok := t[key].(string); ok {
		return s
	}
	return standard
}

// overlap reports whether two records' families, ["ipv4"] if not given, have one in common.
func overlap(a, b any) bool {
	list := func(v any) []any {
		if l, ok := v.([]any); ok {
			return l
		}
		return []any{"ipv4"}
	}
	for _, x := range list(a) {
		for _, y := range list(b) {
			if x == y {
				return true
			}
		}
	}
	return false
}

func elements(v any) (list []map[string]any) {
	switch v := v.(type) {
	case []map[string]any:
		return v
	case []any:
		for _, e := range v {
			list = append(list, table(e))
		}
	}
	return list
}

func sorted(t map[string]any) []string {
	keys := make([]string, 0, len(t))
	for k := range t {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
