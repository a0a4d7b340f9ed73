package rpcd

import (
	"sort"
	"strconv"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// kinds of tables that a record refers to.
var kinds = []string{"source", "provider"}

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
	for _, kind := range kinds {
		for _, name := range sorted(table(m.theirs[kind])) {
			m.named(kind, name)
		}
	}
	for _, rec := range records {
		for _, kind := range kinds {
			if to := m.names[kind+"."+text(rec, kind)]; to != "" {
				rec[kind] = to
			}
		}
		m.add("record", "record "+text(rec, "hostname"), rec)
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

// records returns the records whose name ours does not have.
func (m *merger) records() (added []map[string]any) {
	own := map[any]bool{}
	for _, rec := range elements(m.ours["record"]) {
		own[rec["hostname"]] = true
	}
	for _, rec := range elements(m.theirs["record"]) {
		uses := m.wanted
		if host := text(rec, "hostname"); own[host] {
			uses = m.refused
			m.Skips = append(m.Skips, skipReply{"record " + host, "there is one already"})
		} else {
			added = append(added, rec)
		}
		for _, kind := range kinds {
			uses[kind+"."+text(rec, kind)] = true
		}
	}
	return added
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
		if config.Same(same, set) {
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

func text(t map[string]any, key string) string {
	s, _ := t[key].(string)
	return s
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
	sort.Sort(sort.StringSlice(keys))
	return keys
}
