package provider

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/wanbeacon/wanbeacon/ddns/json"
)

// pattern matches a reply. In the catalogue it is written as one of
//
//	OK*UPDATED            the whole body, trimmed; * is any text, case does not count
//	word OK               the first word of the body
//	status 401            the HTTP status; status 4xx: all of 400 to 499
//	json a.b.0 = value    a field of a JSON body; value may have *
//	json a.b != value     the field is missing or has another value
//	json a.b              the field is there, and is not null
//	xml a.b = value       the same of an XML body
//	empty                 no body
//
// Several with " && " between them must all hold; of several with " || "
// between them one must hold. Values may have the placeholders {hostname},
// {ipv4}, {ipv6} and {address}, and "\" takes the meaning from "*", "{" and "\".
type pattern struct {
	any [][]condition
}

type conditionKind uint8

const (
	wholeBody conditionKind = iota
	firstWord
	httpStatus
	jsonField
	emptyBody
)

// condition is one element of a pattern.
type condition struct {
	kind     conditionKind
	glob     []globPart // wholeBody, firstWord, jsonField with a value
	low, top int        // httpStatus: the range
	path     []string   // jsonField
	op       string     // jsonField: "", "=", "!="
}

// globPart is a run of literal text, any text, or a placeholder.
type globPart struct {
	_    [0]func() // never compared: == would be code
	text string
	key  string
	star bool
}

// patternKeys are the placeholders that patterns may have.
const patternKeys words = " hostname ipv4 ipv6 address ttl "

// parsePattern reads a pattern as the catalogue has it.
func parsePattern(text string) (pattern, error) {
	var p pattern
	for _, alternative := range strings.Split(text, " || ") {
		var all []condition
		for _, one := range strings.Split(alternative, " && ") {
			c, err := parseCondition(strings.TrimSpace(one))
			if err != nil {
				return pattern{}, fmt.Errorf("pattern %q: %w", text, err)
			}
			all = append(all, c)
		}
		p.any = append(p.any, all)
	}
	return p, nil
}

func parseCondition(s string) (condition, error) {
	kind, rest, _ := strings.Cut(s, " ")
	rest = strings.TrimSpace(rest)
	switch {
	case s == "":
		return condition{}, errors.New("it is empty")
	case s == "empty":
		return condition{kind: emptyBody}, nil
	case kind == "status":
		low, top, ok := parseStatus(rest)
		if !ok {
			return condition{}, fmt.Errorf("%q is neither a status such as 401 nor a class such as 5xx", rest)
		}
		return condition{kind: httpStatus, low: low, top: top}, nil
	case kind == "word" && rest != "":
		glob, err := parseGlob(rest)
		return condition{kind: firstWord, glob: glob}, err
	case (kind == "json" || kind == "xml") && rest != "":
		return parseJSONCondition(rest)
	}
	glob, err := parseGlob(s)
	return condition{kind: wholeBody, glob: glob}, err
}

func parseStatus(s string) (low, top int, ok bool) {
	if len(s) != 3 || s[0] < '1' || s[0] > '5' {
		return 0, 0, false
	}
	if s[1:] == "xx" {
		low = int(s[0]-'0') * 100
		return low, low + 99, true
	}
	n, err := strconv.Atoi(s)
	return n, n, err == nil
}

func parseJSONCondition(s string) (condition, error) {
	c := condition{kind: jsonField}
	path, value := s, ""
	if i := strings.Index(s, "="); i >= 0 {
		path, value, c.op = s[:i], strings.TrimSpace(s[i+1:]), "="
		if strings.HasSuffix(path, "!") {
			path, c.op = path[:len(path)-1], "!="
		}
	}
	path = strings.TrimSpace(path)
	if path == "" || strings.ContainsAny(path, " \t") {
		return condition{}, errors.New("a JSON path has names and numbers with dots between them, such as result.0.id")
	}
	c.path = strings.Split(path, ".")
	var err error
	c.glob, err = parseGlob(value)
	return c, err
}

func parseGlob(s string) ([]globPart, error) {
	var parts []globPart
	var literal []byte
	flush := func() {
		if len(literal) > 0 {
			parts = append(parts, globPart{text: strings.ToLower(string(literal))})
			literal = nil
		}
	}
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			if i++; i == len(s) {
				return nil, errors.New(`it ends with a lone "\"`)
			}
			literal = append(literal, s[i])
		case '*':
			flush()
			if n := len(parts); n == 0 || !parts[n-1].star {
				parts = append(parts, globPart{star: true})
			}
		case '{':
			end := strings.IndexByte(s[i:], '}')
			if end < 0 || !isPlaceholder(s[i+1:i+end]) {
				literal = append(literal, '{')
				continue
			}
			key := s[i+1 : i+end]
			if !patternKeys.has(key) {
				return nil, fmt.Errorf("there is no placeholder {%s} in patterns", key)
			}
			flush()
			parts = append(parts, globPart{key: key})
			i += end
		default:
			literal = append(literal, s[i])
		}
	}
	flush()
	return parts, nil
}

// subject is a reply as patterns see it.
type subject struct {
	status int
	body   string // trimmed
	lower  string // body in lower case
	value  func(key string) string

	form     string // "xml", "lines" or "json", as which fields are looked for
	decoded  bool
	document any // the body so read; nil if it is none
}

func newSubject(status int, body string, value func(string) string) *subject {
	body = strings.TrimSpace(body)
	return &subject{status: status, body: body, lower: strings.ToLower(body), value: value}
}

// match reports whether the pattern holds.
func (p pattern) match(s *subject) bool {
	for _, all := range p.any {
		holds := true
		for _, c := range all {
			if !c.match(s) {
				holds = false
				break
			}
		}
		if holds {
			return true
		}
	}
	return false
}

// onStatus reports whether every alternative of the pattern names a status.
func (p pattern) onStatus() bool {
	for _, all := range p.any {
		named := false
		for _, c := range all {
			named = named || c.kind == httpStatus
		}
		if !named {
			return false
		}
	}
	return true
}

// statusAlone reports whether the status can be all that the pattern asks for.
func (p pattern) statusAlone() bool {
	for _, all := range p.any {
		alone := true
		for i := range all {
			alone = alone && all[i].kind == httpStatus
		}
		if alone {
			return true
		}
	}
	return false
}

func (c condition) match(s *subject) bool {
	switch c.kind {
	case httpStatus:
		return c.low <= s.status && s.status <= c.top
	case emptyBody:
		return s.body == ""
	case firstWord:
		return globMatch(c.glob, firstField(s.lower), s.value)
	case jsonField:
		return c.matchJSON(s)
	}
	return globMatch(c.glob, s.lower, s.value)
}

func (c condition) matchJSON(s *subject) bool {
	if !s.decoded {
		s.decoded = true
		s.document, _ = readTree(s.form, s.body)
	}
	if s.document == nil {
		return false
	}
	text, ok := jsonText(jsonAt(s.document, c.path))
	return c.holds(text, ok, s.value)
}

// holds compares a text, if it is there at all.
func (c condition) holds(text string, there bool, value func(string) string) bool {
	switch c.op {
	case "=":
		return there && globMatch(c.glob, strings.ToLower(text), value)
	case "!=":
		return !there || !globMatch(c.glob, strings.ToLower(text), value)
	}
	return there
}

// jsonAt walks down v by member names and element numbers; nil: nothing there.
func jsonAt(v any, path []string) any {
	for _, step := range path {
		switch x := v.(type) {
		case map[string]any:
			v = x[step]
		case []any:
			i, err := strconv.Atoi(step)
			switch {
			case err == nil && 0 <= i && i < len(x):
				v = x[i]
			case err != nil && len(x) > 0: // of XML: the first of its name
				v = jsonAt(x[0], []string{step})
			default:
				return nil
			}
		default:
			return nil
		}
	}
	return v
}

// jsonText gives scalars as text. Objects and lists are there, but empty.
func jsonText(v any) (string, bool) {
	switch x := v.(type) {
	case nil:
		return "", false
	case string:
		return x, true
	case bool:
		return strconv.FormatBool(x), true
	case json.Number:
		return string(x), true
	case []any:
		if len(x) == 1 { // of XML
			if s, ok := x[0].(string); ok {
				return s, true
			}
		}
	}
	return "", true
}

// globMatch matches all of s, which is in lower case. After a star the first
// place where the next literal fits is always good enough, so that no text
// makes it go back.
func globMatch(parts []globPart, s string, value func(string) string) bool {
	literals := []string{""} // with a star between each two
	for _, p := range parts {
		text := p.text
		switch {
		case p.star:
			literals = append(literals, "")
			continue
		case p.key != "":
			if text = strings.ToLower(value(p.key)); text == "" {
				return false // nothing was sent that the reply could repeat
			}
		}
		literals[len(literals)-1] += text
	}
	last := len(literals) - 1
	if last == 0 {
		return s == literals[0]
	}
	s, ok := strings.CutPrefix(s, literals[0])
	if !ok {
		return false
	}
	for _, text := range literals[1:last] {
		_, after, found := strings.Cut(s, text)
		if !found {
			return false
		}
		s = after
	}
	return strings.HasSuffix(s, literals[last])
}
