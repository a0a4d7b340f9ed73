package config

import (
	"sort"
	"strings"
)

// result is the text with all splices. One that begins inside another goes
// directly after it.
func (e *editor) result() string {
	sort.SliceStable(e.splices, func(i, j int) bool {
		a, b := e.splices[i], e.splices[j]
		return a.start < b.start || a.start == b.start && a.rank() < b.rank()
	})
	var b strings.Builder
	at := 0
	for _, s := range e.splices {
		if s.start > at {
			b.WriteString(e.doc.text[at:s.start])
		}
		if n := b.Len(); s.start == len(e.doc.text) && n > e.begin() && b.String()[n-1] != '\n' {
			b.WriteString(e.newline) // the last line had no end
		}
		if s.table && strings.TrimSpace(b.String()) != "" && !strings.HasSuffix(b.String(), e.newline+e.newline) {
			b.WriteString(e.newline)
		}
		b.WriteString(s.text)
		at = max(at, s.end)
	}
	b.WriteString(e.doc.text[at:])
	return b.String()
}

// rank orders splices of one place: new keys belong to what is before it, then
// come new tables, then what becomes of the text that is there.
func (s splice) rank() int {
	switch {
	case s.end > s.start:
		return 2
	case s.table:
		return 1
	}
	return 0
}

// addKeys puts lines after a table's last key, indented as that is.
func (e *editor) addKeys(t entry, lines []string) {
	if len(lines) == 0 {
		return
	}
	k := e.lastKey(t)
	start := e.lineStart(k.Start)
	indent := e.doc.text[start:k.Start]
	if strings.Trim(indent, " \t") != "" {
		indent = ""
	}
	end := e.keysEnd(t)
	e.splices = append(e.splices, splice{end, end, indent + strings.Join(lines, e.newline+indent) + e.newline, false})
}

// newTable writes a table after the last one of its kind, else at the end.
func (e *editor) newTable(kind, name string, index int, lines []string) {
	header := "[" + kind + "]"
	switch {
	case index == appended:
		header = "[" + header + "]"
	case name != "":
		header = "[" + kind + "." + name + "]"
	}
	at := len(e.doc.text)
	for _, t := range e.doc.entries {
		if t.Kind == tableEntry && (strings.HasPrefix(t.Path, kind+".") || strings.HasPrefix(t.Path, kind+"[")) {
			at = e.blanks(e.comments(e.keysEnd(t)))
		}
	}
	text := strings.Join(append([]string{header}, lines...), e.newline) + e.newline
	if at < len(e.doc.text) {
		text += e.newline
	}
	e.splices = append(e.splices, splice{at, at, text, true})
}

// lastKey returns the last key of a table, or its header.
func (e *editor) lastKey(t entry) entry {
	last := t
	last.ValueEnd = t.ValueStart
	for _, k := range e.doc.entries {
		if k.Kind == keyEntry && k.Start >= t.ValueStart && k.Start < t.ValueEnd && k.ValueEnd > last.ValueEnd {
			last = k
		}
	}
	return last
}

// keysEnd is where the line after a table's last key begins.
func (e *editor) keysEnd(t entry) int { return e.lineEnd(e.lastKey(t).ValueEnd) }

// above is where a table begins, with the comments directly above its header.
// What the file begins with is about the file.
func (e *editor) above(t entry) int {
	header := e.lineStart(t.Start)
	start := header
	for start > e.begin() && e.isComment(e.lineStart(start-1)) {
		start = e.lineStart(start - 1)
	}
	if start == e.begin() {
		return header
	}
	return start
}

// below is where a table ends that is taken out: with the comments directly
// below it, unless they are directly above the next, and with the blank lines
// that would follow others then.
func (e *editor) below(t entry) int {
	end := e.comments(e.keysEnd(t))
	start := e.above(t)
	if start > e.begin() && !e.isBlank(e.lineStart(start-1)) {
		return end
	}
	return e.blanks(end)
}

// blanks passes over the blank lines that begin at a line.
func (e *editor) blanks(at int) int {
	for at < len(e.doc.text) && e.isBlank(at) {
		at = e.lineEnd(at)
	}
	return at
}

// comments passes over the comments that begin at a line, if nothing but a
// blank line or the end of the text follows them.
func (e *editor) comments(at int) int {
	end := at
	for end < len(e.doc.text) && e.isComment(end) {
		end = e.lineEnd(end)
	}
	if end < len(e.doc.text) && !e.isBlank(end) {
		return at
	}
	return end
}

// begin is where the text begins, after a byte order mark.
func (e *editor) begin() int {
	if strings.HasPrefix(e.doc.text, bom) {
		return len(bom)
	}
	return 0
}

// lineStart is where the line begins that has the byte before, at or around offset at.
func (e *editor) lineStart(at int) int {
	return max(e.begin(), strings.LastIndexByte(e.doc.text[:at], '\n')+1)
}

// lineEnd is where the next line begins.
func (e *editor) lineEnd(at int) int {
	n := strings.IndexByte(e.doc.text[at:], '\n')
	if n < 0 {
		return len(e.doc.text)
	}
	return at + n + 1
}

func (e *editor) isBlank(line int) bool { return e.content(line) == "" }

func (e *editor) isComment(line int) bool { return strings.HasPrefix(e.content(line), "#") }

func (e *editor) content(line int) string {
	return strings.TrimSpace(e.doc.text[line:e.lineEnd(line)])
}
