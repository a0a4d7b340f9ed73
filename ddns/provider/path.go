package provider

import (
	"errors"
	"net/netip"
	"sort"
	"strconv"
	"strings"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// path leads into an answer. It is written as names with dots between them:
//
//	result.0.id                      members, and elements by number
//	result[name={hostname}][type=A].id   of the elements that are so
//	zones[config.private=false].id  a member of a member
//	properties.{type}Records        names may have placeholders
//	zones[name={zone}|{zone}.].id    one of several values
//	[1~{type}].2                     the value is an address of that type
//	records.*.id                     of every element or member
//	records.#                        how many there are
//	Id after /                       what follows the last "/"
//	meta as json                     an object or a list, as JSON
//
// A name asked of a list is asked of each element. Names must be exact, values
// are compared without regard to case. "." is the answer, or record, as a whole.
type path struct {
	hops  []hop
	after string // what is wanted follows the last one of these
	whole bool   // what is wanted is the JSON of it
}

// hop is one way down: a name (also "*", "#" and numbers), or a filter.
type hop struct {
	name   string
	filter bool
	like   bool       // the filter asks for an address of a type
	values []template // one of them; of a name: the name
}

var errPath = errors.New("a path has names, numbers, \"*\" and filters [name=value] with dots between them, such as result[name={hostname}].id")

// parsePath reads a path; known says which placeholders its filters may have.
func parsePath(text string, known func(string) bool) (path, error) {
	var p path
	text, p.whole = strings.CutSuffix(text, " as json")
	text, p.after, _ = strings.Cut(text, " after ")
	if text == "." {
		return p, nil
	}
	for text != "" {
		switch {
		case text[0] == '[':
			inside, rest, ok := strings.Cut(text[1:], "]")
			i := strings.IndexAny(inside, "=~")
			if !ok || i <= 0 {
				return path{}, errPath
			}
			h := hop{name: inside[:i], filter: true, like: inside[i] == '~'}
			for _, value := range splitValues(inside[i+1:]) {
				t, err := parseTemplate(value, known)
				if err != nil {
					return path{}, err
				}
				h.values = append(h.values, t)
			}
			p.hops = append(p.hops, h)
			if text = rest; text != "" && text[0] == '.' && len(text) > 1 && text[1] != '[' {
				text = text[1:]
			} else if text != "" && text[0] != '[' {
				return path{}, errPath
			}
		default:
			end := strings.IndexAny(text, ".[")
			if end < 0 {
				end = len(text)
			}
			name := text[:end]
			if name == "" || strings.ContainsAny(name, " ]=") {
				return path{}, errPath
			}
			h := hop{name: name}
			if strings.Contains(name, "{") {
				t, err := parseTemplate(name, known)
				if err != nil {
					return path{}, err
				}
				h.values = []template{t}
			}
			p.hops = append(p.hops, h)
			text = text[end:]
			if text != "" && text[0] == '.' {
				if text = text[1:]; text == "" {
					return path{}, errPath
				}
			}
		}
	}
	return p, nil
}

// splitValues cuts at "|", but not within placeholders, which may have one.
func splitValues(s string) []string {
	var list []string
	start, depth := 0, 0
	for i, c := range []byte(s) {
		switch {
		case c == '{':
			depth++
		case c == '}':
			depth = max(0, depth-1)
		case c == '|' && depth == 0:
			list = append(list, s[start:i])
			start = i + 1
		}
	}
	return append(list, s[start:])
}

// maxNodes bounds what a path can select.
const maxNodes = 10000

// find returns all that the path leads to.
func (p path) find(root any, value func(string) string) []any {
	nodes := []any{root}
	for _, h := range p.hops {
		var next []any
		add := func(v any) {
			if v != nil && len(next) < maxNodes {
				next = append(next, v)
			}
		}
		var wanted []string
		for _, t := range h.values {
			wanted = append(wanted, t.expand(value, escapeNone))
		}
		if !h.filter && len(wanted) > 0 {
			h.name = wanted[0]
		}
		switch {
		case h.filter:
			for _, n := range flat(nodes) {
				if h.holds(n, wanted) {
					add(n)
				}
			}
		case h.name == "#":
			add(strconv.Itoa(len(flat(nodes))))
		case h.name == "*":
			for _, n := range nodes {
				each(n, add)
			}
		default:
			for _, n := range nodes {
				member(n, h.name, add)
			}
		}
		nodes = next
	}
	return nodes
}

// text returns the first of what the path leads to that is not empty.
func (p path) text(root any, value func(string) string) string {
	if p.whole {
		if nodes := p.find(root, value); len(nodes) > 0 {
			return jsonOf(nodes[0])
		}
		return ""
	}
	for _, n := range flat(p.find(root, value)) {
		s, _ := jsonText(n)
		if i := strings.LastIndex(s, p.after); i >= 0 && p.after != "" {
			s = s[i+len(p.after):]
		}
		if s != "" {
			return s
		}
	}
	return ""
}

// flat puts the elements of lists in the place of the lists.
func flat(nodes []any) []any {
	var all []any
	for _, n := range nodes {
		if list, ok := n.([]any); ok {
			all = append(all, list[:min(len(list), maxNodes-min(len(all), maxNodes))]...)
		} else {
			all = append(all, n)
		}
	}
	return all
}

// each visits elements, or members in the order of their names.
func each(n any, visit func(any)) {
	switch x := n.(type) {
	case []any:
		for _, v := range x {
			visit(v)
		}
	case map[string]any:
		names := make([]string, 0, len(x))
		for name := range x {
			names = append(names, name)
		}
		sort.Sort(sort.StringSlice(names))
		for _, name := range names {
			visit(x[name])
		}
	}
}

// member visits what name leads to: a member, an element by its number, or
// that member of each element.
func member(n any, name string, visit func(any)) {
	switch x := n.(type) {
	case map[string]any:
		visit(x[name])
	case []any:
		if i, err := strconv.Atoi(name); err == nil {
			if 0 <= i && i < len(x) {
				visit(x[i])
			}
			return
		}
		for _, v := range x {
			if m, ok := v.(map[string]any); ok {
				visit(m[name])
			}
		}
	}
}

// holds reports whether an element is as the filter wants it.
func (h hop) holds(n any, wanted []string) bool {
	ok := false
	first, rest, deep := strings.Cut(h.name, ".")
	member(n, first, func(v any) {
		if deep {
			inner := h
			inner.name = rest
			for _, n := range flat([]any{v}) {
				ok = ok || inner.holds(n, wanted)
			}
			return
		}
		list, _ := v.([]any) // of XML
		if list == nil {
			list = []any{v}
		}
		for _, v := range list {
			text, there := jsonText(v)
			for _, w := range wanted {
				switch {
				case !there:
				case h.like:
					a, err := netip.ParseAddr(text)
					ok = ok || err == nil && (w == "AAAA") == (config.FamilyOf(a) == config.IPv6)
				default: // Route 53 writes "*" so
					ok = ok || strings.EqualFold(strings.ReplaceAll(text, `\052`, "*"), w)
				}
			}
		}
	})
	return ok
}
