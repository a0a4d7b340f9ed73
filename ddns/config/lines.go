package config

import (
	"sort"
	"strconv"
	"strings"
)

// maxDepth bounds nested values and the parts of a dotted key. The schema
// needs four; without a bound a small file makes the decoder's stack huge.
const maxDepth = 32

type entryKind uint8

const (
	keyEntry      entryKind = iota // key = value
	elementEntry                   // one element of a list
	tableEntry                     // [table] or one [[table]]
	implicitEntry                  // a table that is only mentioned in longer keys, or a list of [[tables]] as a whole
)

// entry says where a key, a list element or a table stands. All offsets are
// in bytes of the whole text, a byte order mark included.
type entry struct {
	Path  string // canonical: a.b, record[0].hostname, "quoted part".x
	Kind  entryKind
	Line  int // of Start, from 1
	Start int // first byte of the key, the element or the header's "["

	// ValueStart and ValueEnd enclose the value, quotes and brackets included,
	// without the white space around it; of a table, what lies between its
	// header and the next one. ValueEnd is -1 in a text that breaks off there.
	ValueStart, ValueEnd int
}

// document is a TOML text with the place of each of its keys.
type document struct {
	text    string
	entries []entry        // in the order of the text
	index   map[string]int // path to entry; the explicit one before an implicit one
	starts  []int          // offset of each line

	complete bool // the scanner reached the end
	tooDeep  bool // it stopped because of maxDepth, at entry stopped
	stopped  int  // offset where it stopped
}

// scanDocument finds every key of a TOML text that the decoder accepts. In any
// other text it stops somewhere: complete is false then.
func scanDocument(text string) *document {
	d := &document{text: text, index: make(map[string]int), starts: []int{0}}
	for i := range len(text) {
		if text[i] == '\n' && i+1 < len(text) {
			d.starts = append(d.starts, i+1)
		}
	}
	s := scanner{document: d, arrays: make(map[string]int), table: -1}
	if strings.HasPrefix(text, bom) {
		s.pos = len(bom)
	}
	d.complete = s.all()
	d.stopped = s.pos
	return d
}

// lineAt returns the number of the line with that offset, from 1.
func (d *document) lineAt(offset int) int {
	return max(1, sort.SearchInts(d.starts, offset+1))
}

// find returns the entry of a canonical path.
func (d *document) find(path string) (entry, bool) {
	if d == nil {
		return entry{}, false
	}
	i, ok := d.index[path]
	if !ok {
		return entry{}, false
	}
	return d.entries[i], true
}

// line returns the line of a path, of its _file twin, or of the nearest table
// around it; 0 if there is none.
func (d *document) line(path string) int {
	for path != "" {
		if e, ok := d.find(path); ok {
			return e.Line
		}
		if e, ok := d.find(path + "_file"); ok {
			return e.Line
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return 0
}

// raw returns the value of a path as it is written, quotes included.
func (d *document) raw(path string) string {
	e, ok := d.find(path)
	if !ok || e.ValueEnd < e.ValueStart {
		return ""
	}
	return d.text[e.ValueStart:e.ValueEnd]
}

// joinPath returns the path of the key name in the table path.
func joinPath(path, name string) string {
	bare := name != ""
	for i := range len(name) {
		bare = bare && isBare(name[i])
	}
	if !bare {
		name = strconv.Quote(name)
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

// elementPath returns the path of element i of the list path.
func elementPath(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func isBare(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

// scanner reads a document from pos on. Its methods return false where the
// text is not TOML, and leave pos there.
type scanner struct {
	*document
	pos    int
	depth  int
	prefix string         // path of the current table
	table  int            // entry of the current table; -1 before the first
	arrays map[string]int // number of [[tables]] so far
}

func (s *scanner) all() bool {
	for {
		s.blank()
		switch {
		case s.pos >= len(s.text):
			s.closeTable(len(s.text))
			return true
		case s.text[s.pos] == '[':
			if !s.header() {
				return false
			}
		case !s.keyValue(s.prefix):
			return false
		}
	}
}

// add appends an entry that begins here and has no value yet.
func (s *scanner) add(path string, kind entryKind, start int) int {
	i, known := s.index[path]
	if !known || s.entries[i].Kind == implicitEntry && kind != implicitEntry {
		s.index[path] = len(s.entries)
	}
	s.entries = append(s.entries, entry{path, kind, s.lineAt(start), start, start, -1})
	return len(s.entries) - 1
}

// descend returns the path of the table that name leads to from path; of
// [[tables]] it is the last one.
func (s *scanner) descend(path, name string, start int) string {
	path = joinPath(path, name)
	if _, known := s.index[path]; !known {
		s.add(path, implicitEntry, start)
	}
	if n := s.arrays[path]; n > 0 {
		path = elementPath(path, n-1)
	}
	return path
}

// closeTable ends the current table before end.
func (s *scanner) closeTable(end int) {
	if s.table >= 0 {
		s.entries[s.table].ValueEnd = end
	}
}

func (s *scanner) header() bool {
	start := s.pos
	s.pos++
	brackets := 1
	if s.at("[") {
		s.pos++
		brackets = 2
	}
	parts, ok := s.key()
	if !ok || !s.at("]]"[:brackets]) {
		return false
	}
	s.pos += brackets
	s.closeTable(start)

	path := ""
	for _, part := range parts[:len(parts)-1] {
		path = s.descend(path, part, start)
	}
	last := parts[len(parts)-1]
	if brackets == 2 {
		list := joinPath(path, last)
		s.arrays[list]++
		path = s.descend(path, last, start)
	} else {
		path = joinPath(path, last)
	}
	s.prefix = path
	s.table = s.add(path, tableEntry, start)
	s.entries[s.table].ValueStart = s.pos
	return true
}

func (s *scanner) keyValue(prefix string) bool {
	start := s.pos
	parts, ok := s.key()
	if !ok || !s.at("=") {
		return false
	}
	s.pos++
	s.space()
	for _, part := range parts[:len(parts)-1] {
		prefix = s.descend(prefix, part, start)
	}
	return s.value(joinPath(prefix, parts[len(parts)-1]), keyEntry, start)
}

// key reads the parts of a dotted key and the space after them.
func (s *scanner) key() ([]string, bool) {
	var parts []string
	for {
		s.space()
		part, ok := s.keyPart()
		if !ok {
			return nil, false
		}
		if parts = append(parts, part); len(parts) > maxDepth {
			s.tooDeep = true
			return nil, false
		}
		s.space()
		if !s.at(".") {
			return parts, true
		}
		s.pos++
	}
}

func (s *scanner) keyPart() (string, bool) {
	start := s.pos
	switch {
	case s.at(`"`), s.at(`'`):
		quote := s.text[start : start+1]
		if !s.quoted(quote) {
			return "", false
		}
		inner := s.text[start+1 : s.pos-1]
		if quote == `'` {
			return inner, true
		}
		return unescape(inner), true
	}
	for s.pos < len(s.text) && isBare(s.text[s.pos]) {
		s.pos++
	}
	return s.text[start:s.pos], s.pos > start
}

// value reads one value and adds its entry, which begins at start.
func (s *scanner) value(path string, kind entryKind, start int) bool {
	i := s.add(path, kind, start)
	s.entries[i].ValueStart = s.pos
	if s.depth++; s.depth > maxDepth {
		s.tooDeep = true
		return false
	}
	ok := false
	switch {
	case s.at(`"""`), s.at(`'''`):
		ok = s.quoted(s.text[s.pos : s.pos+3])
	case s.at(`"`), s.at(`'`):
		ok = s.quoted(s.text[s.pos : s.pos+1])
	case s.at("["):
		n := -1
		ok = s.list(']', func() bool { n++; return s.value(elementPath(path, n), elementEntry, s.pos) })
	case s.at("{"):
		ok = s.list('}', func() bool { return s.keyValue(path) })
	default:
		ok = s.bareValue()
	}
	s.depth--
	if ok {
		s.entries[i].ValueEnd = s.pos
	}
	return ok
}

// list reads from an opening bracket to the closing one.
func (s *scanner) list(end byte, item func() bool) bool {
	s.pos++
	for {
		s.blank()
		if s.pos < len(s.text) && s.text[s.pos] == end {
			s.pos++
			return true
		}
		if s.pos >= len(s.text) || !item() {
			return false
		}
		if s.blank(); s.at(",") {
			s.pos++
		} else if s.pos >= len(s.text) || s.text[s.pos] != end {
			return false
		}
	}
}

// quoted reads a string from its opening quotes to its closing ones.
func (s *scanner) quoted(quotes string) bool {
	s.pos += len(quotes)
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; {
		case s.at(quotes):
			s.pos += len(quotes)
			// Up to two quotes directly before the closing three are content.
			for n := 0; len(quotes) == 3 && n < 2 && s.at(quotes[:1]); n++ {
				s.pos++
			}
			return true
		case c == '\\' && quotes[0] == '"':
			s.pos++
		case c == '\n' && len(quotes) == 1:
			return false
		}
		s.pos++
	}
	s.pos = len(s.text)
	return false
}

// bareValue reads a number, a boolean or a date. A date may hold a space.
func (s *scanner) bareValue() bool {
	start := s.pos
	for s.pos < len(s.text) && !strings.ContainsRune(",]}#\r\n", rune(s.text[s.pos])) {
		s.pos++
	}
	s.pos = start + len(strings.TrimRight(s.text[start:s.pos], " \t"))
	return s.pos > start
}

func (s *scanner) at(prefix string) bool { return strings.HasPrefix(s.text[s.pos:], prefix) }

func (s *scanner) space() {
	for s.at(" ") || s.at("\t") {
		s.pos++
	}
}

// blank skips white space, line ends and comments.
func (s *scanner) blank() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\r', '\n':
			s.pos++
		case '#':
			n := strings.IndexByte(s.text[s.pos:], '\n')
			if n < 0 {
				n = len(s.text) - s.pos
			}
			s.pos += n
		default:
			return
		}
	}
}
