package importer

import "strings"

// tokenKind is what a token of libConfuse's format is.
type tokenKind uint8

const (
	tokenEnd  tokenKind = iota
	tokenWord           // bare or quoted
	tokenSign           // one of { } ( ) = , and += as "+"
)

// token is one token and its line.
type token struct {
	_    [0]func() // never compared: == would be code
	kind tokenKind
	text string
	line int
}

func (t *token) is(sign string) bool { return t.kind == tokenSign && t.text == sign }

// confuseScanner takes a file of libConfuse's format apart: words that are
// bare, "escaped" or 'literal', "#" and "//" comments, /* */ comments, and
// ${NAME} or ${NAME:-default} in what is not literal.
type confuseScanner struct {
	im    *importer
	text  string
	line  int
	brace int // length of the text from its last "}" on
}

func newConfuseScanner(im *importer, text string) *confuseScanner {
	return &confuseScanner{im, text, 1, len(text) - strings.LastIndexByte(text, '}')}
}

// atVariable reports whether a ${NAME} follows.
func (s *confuseScanner) atVariable() bool {
	return strings.HasPrefix(s.text, "${") && len(s.text) >= s.brace
}

// tokens returns all tokens, and one of the kind tokenEnd.
func (s *confuseScanner) tokens() []token {
	var list []token
	for {
		t := s.token()
		list = append(list, t)
		if t.kind == tokenEnd {
			return list
		}
	}
}

func (s *confuseScanner) token() token {
	s.skip()
	t := token{line: s.line}
	if s.text == "" {
		return t
	}
	t.kind = tokenWord
	switch c := s.text[0]; {
	case c == '"':
		s.take(1)
		t.text = s.escaped(t.line)
	case c == '\'':
		s.take(1)
		t.text = s.literal(t.line)
	case strings.IndexByte("{}()=,", c) >= 0:
		t.kind, t.text = tokenSign, s.take(1)
	case strings.HasPrefix(s.text, "+="):
		s.take(2)
		t.kind, t.text = tokenSign, "+"
	case s.atVariable():
		t.text = s.variable()
	default:
		t.text = s.bare()
	}
	return t
}

// take cuts n bytes off.
func (s *confuseScanner) take(n int) string {
	cut := s.text[:n]
	s.text = s.text[n:]
	s.line += strings.Count(cut, "\n")
	return cut
}

// skip passes over blanks and comments.
func (s *confuseScanner) skip() {
	for s.text != "" {
		switch {
		case strings.IndexByte(" \t\r\n\v\f", s.text[0]) >= 0:
			s.take(1)
		case s.text[0] == '#', strings.HasPrefix(s.text, "//"):
			s.takeTo("\n", 0)
		case strings.HasPrefix(s.text, "/*"):
			s.takeTo("*/", 2)
		default:
			return
		}
	}
}

// takeTo cuts off up to mark, and more bytes, or all if there is none.
func (s *confuseScanner) takeTo(mark string, more int) {
	i := strings.Index(s.text, mark)
	if i < 0 {
		i, more = len(s.text), 0
	}
	s.take(i + more)
}

// bare reads a word without quotation marks. A "/" belongs to it unless it
// begins a /* comment; "+" does unless it is "+=".
func (s *confuseScanner) bare() string {
	n := 0
	for n < len(s.text) && strings.IndexByte(" \t\r\n\v\f#\"'={}(),", s.text[n]) < 0 &&
		!strings.HasPrefix(s.text[n:], "/*") && !strings.HasPrefix(s.text[n:], "+=") {
		n++
	}
	if n == 0 { // a byte that begins nothing
		n = 1
	}
	return s.take(n)
}

// literal reads to the next "'". Only \' and \\ are escapes, and a backslash
// at the end of a line takes the line end with it.
func (s *confuseScanner) literal(start int) string {
	var b strings.Builder
	for s.text != "" {
		switch {
		case s.text[0] == '\'':
			s.take(1)
			return b.String()
		case strings.HasPrefix(s.text, `\'`), strings.HasPrefix(s.text, `\\`):
			s.take(1)
			b.WriteString(s.take(1))
		case strings.HasPrefix(s.text, "\\\n"):
			s.take(2)
		default:
			b.WriteString(s.take(1))
		}
	}
	s.im.note(start, "a quotation mark has no end")
	return b.String()
}

// escaped reads to the next `"`, with the escapes of C.
func (s *confuseScanner) escaped(start int) string {
	const names, values = "nrbfaetv", "\n\r\b\f\a\x1b\t\v"
	var b strings.Builder
	for s.text != "" {
		switch {
		case s.text[0] == '"':
			s.take(1)
			return b.String()
		case s.atVariable():
			b.WriteString(s.variable())
		case s.text[0] != '\\' || len(s.text) == 1:
			b.WriteString(s.take(1))
		case s.text[1] == '\n':
			s.take(2)
		case s.text[1] >= '0' && s.text[1] <= '7':
			s.take(1)
			s.number(&b, 8, 3)
		case s.text[1] == 'x' && len(s.text) > 2 && digit(s.text[2]) < 16:
			s.take(2)
			s.number(&b, 16, 2)
		default:
			s.take(1)
			c := s.take(1)
			if i := strings.Index(names, c); i >= 0 {
				c = values[i : i+1]
			}
			b.WriteString(c)
		}
	}
	s.im.note(start, "a quotation mark has no end")
	return b.String()
}

// number reads the digits of an escape, which stand for a byte.
func (s *confuseScanner) number(b *strings.Builder, base, most int) {
	n := 0
	for ; most > 0 && s.text != "" && digit(s.text[0]) < base; most-- {
		n = n*base + digit(s.take(1)[0])
	}
	b.WriteByte(byte(n))
}

// digit is the value of a hexadecimal digit, 99 of anything else.
func digit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return 99
}

// variable reads ${NAME} or ${NAME:-default}.
func (s *confuseScanner) variable() string {
	line := s.line
	inside := s.take(strings.IndexByte(s.text, '}') + 1)
	name, other, hasDefault := strings.Cut(inside[2:len(inside)-1], ":-")
	if s.im.opt.Getenv != nil {
		if value, ok := s.im.opt.Getenv(name); ok {
			return value
		}
	}
	if !hasDefault {
		s.im.note(line, "the environment variable ", quote(name), " is not set here, so that its value is missing")
	}
	return other
}
