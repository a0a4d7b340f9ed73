package provider

import (
	"errors"
	"strings"

	"github.com/wanbeacon/wanbeacon/ddns/json"
	"github.com/wanbeacon/wanbeacon/ddns/replace"
)

// maxDepth bounds how deeply a peer may nest elements.
const maxDepth = json.MaxDepth

var (
	errDeep    = errors.New("the answer is nested too deeply")
	errNotJSON = errors.New("the answer is not JSON")
	errNotXML  = errors.New("the answer is not XML")
)

// readTree reads an answer into maps, lists and scalars: "json" (the default),
// "xml", where each element is a list of its namesakes, or "lines", a list of
// lines, each with members "0", "1" … for what stands between "|" and tabs.
func readTree(form, body string) (any, error) {
	switch form {
	case "xml":
		return readXML(body)
	case "lines":
		var lines []any
		for _, line := range nonEmptyLines(body) {
			cells := map[string]any{}
			for i, cell := range strings.Split(strings.ReplaceAll(line, "\t", "|"), "|") {
				cells[itoa(i)] = strings.TrimSpace(cell)
			}
			lines = append(lines, cells)
		}
		return lines, nil
	}
	return readJSON(body)
}

// readJSON reads one JSON value. Numbers keep their digits.
func readJSON(body string) (any, error) {
	v, _, err := json.Read(body)
	if errors.Is(err, json.ErrDeep) {
		return nil, errDeep
	}
	if err != nil {
		return nil, errNotJSON
	}
	return v, nil
}

// jsonOf writes a value that readJSON has read.
func jsonOf(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

// readXML reads elements and their text; attributes, comments, declarations
// and name space prefixes are passed over. An element with children is a map,
// in which each name leads to a list; one without is its text.
func readXML(body string) (any, error) {
	x := xmlScan{rest: body}
	children, _, err := x.content("", 0)
	if err == nil && len(children) == 0 {
		err = errNotXML
	}
	return children, err
}

type xmlScan struct{ rest string }

// content reads up to the end tag of name.
func (x *xmlScan) content(name string, depth int) (children map[string]any, text string, err error) {
	if depth > maxDepth {
		return nil, "", errDeep
	}
	children = map[string]any{}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(x.rest, "<")
		b.WriteString(before)
		if !found {
			if name != "" {
				return nil, "", errNotXML
			}
			return children, "", nil
		}
		if cdata, ok := strings.CutPrefix(after, "![CDATA["); ok {
			inside, rest, ok := strings.Cut(cdata, "]]>")
			if !ok {
				return nil, "", errNotXML
			}
			b.WriteString(strings.ReplaceAll(inside, "&", "&amp;"))
			x.rest = rest
			continue
		}
		end := ">"
		if strings.HasPrefix(after, "!--") {
			end = "-->"
		}
		tag, rest, found := strings.Cut(after, end)
		if !found {
			return nil, "", errNotXML
		}
		x.rest = rest
		switch {
		case tag == "" || tag[0] == '!' || tag[0] == '?':
			continue
		case tag[0] == '/':
			if name == "" || localName(tag[1:]) != name {
				return nil, "", errNotXML
			}
			return children, unescapeXML(strings.TrimSpace(b.String())), nil
		}
		tag, alone := strings.CutSuffix(tag, "/")
		child := localName(tag)
		var value any = ""
		if !alone {
			inner, words, err := x.content(child, depth+1)
			if err != nil {
				return nil, "", err
			}
			if value = words; len(inner) > 0 {
				value = inner
			}
		}
		list, _ := children[child].([]any)
		children[child] = append(list, value)
	}
}

// localName is a tag's name without attributes and prefix.
func localName(tag string) string {
	name := firstField(tag)
	return name[strings.LastIndexByte(name, ':')+1:]
}

func unescapeXML(s string) string {
	if !strings.Contains(s, "&") {
		return s
	}
	return replace.All(s, "&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'", "&amp;", "&")
}
