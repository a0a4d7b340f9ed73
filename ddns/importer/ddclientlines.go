package importer

import (
	"sort"
	"strings"
)

// ddclientLine is one logical line of ddclient.conf:
// [OPTION=VALUE, …] [HOST[,HOST…] [LOGIN [PASSWORD]]]
type ddclientLine struct {
	line    int // of the first word
	options []*option
	words   []*option // hosts, login, password: what is after the options
}

// ddclientLines takes ddclient.conf apart. As ddclient does, it first cuts the
// value of a password out of each physical line, then comments off, and then
// joins lines that end in a backslash.
func (im *importer) ddclientLines(text string) []*ddclientLine {
	var lines []*ddclientLine
	j := &joined{}
	physical := strings.Split(strings.ReplaceAll(text, "\r", ""), "\n")
	for i, line := range physical {
		number := i + 1
		head, password, tail, ok := cutPassword(line)
		if ok {
			j.add(head, number)
			j.addSecret(im.password(password, number), number)
			line = tail
		}
		line, _, _ = strings.Cut(line, "#")
		more := false
		if bare := strings.TrimRight(line, " \t\v\f"); strings.HasSuffix(bare, `\`) {
			line, more = bare[:len(bare)-1], true
		}
		j.add(line, number)
		if !more {
			lines = im.ddclientLine(lines, j)
			j = &joined{}
		}
	}
	if j.b.Len() > 0 {
		im.note(len(physical), "the file ends in a line that goes on")
	}
	return im.ddclientLine(lines, j)
}

// password is the value as ddclient takes it, but for a comma at the end: that
// was meant to end the option, and ddclient sends it. What is after blanks
// cannot belong to it.
func (im *importer) password(value string, line int) string {
	if inner, ok := strings.CutPrefix(value, "'"); ok && strings.HasSuffix(inner, "'") {
		return inner[:len(inner)-1]
	}
	if bare, ok := strings.CutSuffix(value, ","); ok {
		im.note(line, "the comma at the end of the password is left out; ddclient sends it as a part of it, so put it back if that worked")
		value = bare
	}
	switch {
	case strings.HasSuffix(value, `\`):
		im.note(line, "the password ends in a backslash, as there is no blank before it")
	case len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"':
		im.note(line, "the double quotation marks are a part of the password, as in ddclient")
	}
	return value
}

// cutPassword finds "password = VALUE" in a physical line. VALUE is 'literal'
// to the last "'" of the line, or all up to the next blank. Of several, the
// last one that is after a blank counts.
func cutPassword(line string) (head, value, tail string, ok bool) {
	comment := strings.IndexByte(line, '#')
	if comment < 0 {
		comment = len(line)
	}
	const key = "password"
	at := -1                // of the value
	wordAt, foundIn := 0, 0 // where the word with i begins, and that with the value found last
	for i := 0; ; {
		n := strings.Index(line[i:], key)
		if n < 0 || i+n+len(key) > comment {
			break
		}
		if blank := strings.LastIndexAny(line[i:i+n], " \t\v\f"); blank >= 0 {
			wordAt = i + blank + 1
		}
		i += n + len(key)
		if v := passwordValue(line, i); v >= 0 && (at < 0 || wordAt > foundIn) {
			at, foundIn = v, wordAt
		}
	}
	if at < 0 {
		return "", "", "", false
	}
	end := at
	if last := strings.LastIndexByte(line, '\''); line[at] == '\'' && last > at {
		end = last + 1
	} else {
		for end < len(line) && !isBlank(line[end]) {
			end++
		}
	}
	return line[:at], line[at:end], line[end:], true
}

// passwordValue returns where the value is whose "=" follows at i; -1: none.
func passwordValue(line string, i int) int {
	skip := func() {
		for i < len(line) && isBlank(line[i]) {
			i++
		}
	}
	skip()
	if i == len(line) || line[i] != '=' {
		return -1
	}
	i++
	skip()
	if i == len(line) {
		return -1
	}
	return i
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\v' || c == '\f' }

// joined is a logical line that remembers where its bytes are from, and has
// passwords beside it.
type joined struct {
	b       strings.Builder
	lines   []place         // by offset
	secrets map[int]*string // by the offset where the value would stand
}

type place struct{ offset, line int }

func (j *joined) add(text string, line int) {
	j.lines = append(j.lines, place{j.b.Len(), line})
	j.b.WriteString(text)
}

func (j *joined) addSecret(text string, line int) {
	if j.secrets == nil {
		j.secrets = map[int]*string{}
	}
	j.secrets[j.b.Len()] = &text
}

// line returns the line that an offset is from.
func (j *joined) line(offset int) int {
	i := sort.Search(len(j.lines), func(i int) bool { return j.lines[i].offset > offset })
	return j.lines[max(0, i-1)].line
}

// ddclientLine takes a logical line apart and appends it, if it has anything.
func (im *importer) ddclientLine(lines []*ddclientLine, j *joined) []*ddclientLine {
	text := j.b.String()
	l := &ddclientLine{}
	i := 0
	blanks := func() {
		for i < len(text) && (isBlank(text[i]) || text[i] == ',') {
			i++
		}
	}
	for {
		blanks()
		start := i
		for i < len(text) && isWordByte(text[i]) {
			i++
		}
		equals := i
		for equals < len(text) && isBlank(text[equals]) && strings.HasSuffix(text[start:i], "password") {
			equals++
		}
		if i == start || equals == len(text) || text[equals] != '=' {
			i = start
			break
		}
		o := &option{key: strings.ToLower(text[start:i]), line: j.line(start)}
		i = equals + 1
		o.value, i = im.ddclientValue(j, text, i)
		if l.line == 0 {
			l.line = o.line
		}
		l.options = append(l.options, o)
	}
	l.words = ddclientWords(j, text, i)
	if l.line == 0 && len(l.words) > 0 {
		l.line = l.words[0].line
	}
	if l.line == 0 {
		return lines
	}
	return append(lines, l)
}

// ddclientWords returns the words after the options. "a , b" is one list of
// hosts, and so one word.
func ddclientWords(j *joined, text string, i int) []*option {
	var words []*option
	var b strings.Builder
	start := i
	for i < len(text) {
		from := i
		for i < len(text) && !isBlank(text[i]) {
			i++
		}
		b.WriteString(text[from:i])
		for i < len(text) && isBlank(text[i]) {
			i++
		}
		if i == len(text) || text[i] != ',' && !strings.HasSuffix(strings.TrimRight(text[from:i], " \t\v\f"), ",") {
			words = append(words, &option{value: b.String(), line: j.line(start)})
			b.Reset()
			start = i
		}
	}
	return words
}

// ddclientValue reads a value up to a blank or a comma: 'literal' and "literal"
// parts, and a backslash before a character that is meant as it is. Blanks in a
// row are one, also between quotation marks.
func (im *importer) ddclientValue(j *joined, text string, i int) (string, int) {
	for at := i; ; at++ {
		if secret := j.secrets[at]; secret != nil {
			return *secret, at
		}
		if at == len(text) || !isBlank(text[at]) {
			break
		}
	}
	var b strings.Builder
	var mark byte
	start := i
	for ; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
		case c == '\\':
		case mark != 0 && c == mark:
			mark = 0
		case mark == 0 && (c == '\'' || c == '"'):
			mark = c
		case mark == 0 && (isBlank(c) || c == ','):
			return b.String(), i
		case isBlank(c) && i > start && isBlank(text[i-1]):
		case isBlank(c):
			b.WriteByte(' ')
		default:
			b.WriteByte(c)
		}
	}
	if mark != 0 {
		im.note(j.line(start), "a quotation mark has no end")
	}
	return b.String(), i
}
