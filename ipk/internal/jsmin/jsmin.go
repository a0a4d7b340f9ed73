// Package jsmin makes JavaScript smaller without changing what it says: it
// takes away comments, indentation, blanks between what does not run together
// without them, and line breaks where no statement can end. Names, literals and
// all other line breaks stay as they are.
//
// Start with [Strip].
package jsmin

import (
	"errors"
	"strings"
)

var (
	errString  = errors.New("a string that does not end in its line")
	errRegexp  = errors.New("a regular expression that does not end in its line")
	errLiteral = errors.New("a template that does not end")
	errComment = errors.New("a comment that does not end")
)

// Strip returns the script without comments and needless white space.
func Strip(script string) (string, error) {
	s := &scanner{in: strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(script)}
	if err := s.code(false); err != nil {
		return "", err
	}
	return s.out.String(), nil
}

type scanner struct {
	in      string
	at      int
	out     strings.Builder
	before  byte   // last byte written that is no space; 0: none
	word    string // the name or number that ends there
	spaces  string // white space that is written when something follows in its line
	newline bool   // so is a line break
}

// code reads up to the end, or with inside up to the brace that closes a
// template's expression.
func (s *scanner) code(inside bool) error {
	for depth := 0; s.at < len(s.in); {
		c := s.in[s.at]
		var err error
		switch {
		case c == '\n':
			s.at++
			s.newline, s.spaces = true, ""
		case c == ' ' || c == '\t':
			s.at++
			s.spaces += string(c)
		case strings.HasPrefix(s.in[s.at:], "//"):
			n := strings.IndexByte(s.in[s.at:], '\n')
			if n < 0 {
				n = len(s.in) - s.at
			}
			s.at += n
		case strings.HasPrefix(s.in[s.at:], "/*"):
			err = s.comment()
		case c == '\'' || c == '"':
			err = s.literal(c, errString)
		case c == '`':
			err = s.template()
		case c == '/' && s.regexpMayStand():
			err = s.literal('/', errRegexp)
		default:
			switch c {
			case '{':
				depth++
			case '}':
				if depth--; inside && depth < 0 {
					return nil
				}
			}
			s.at++
			s.write(s.in[s.at-1 : s.at])
		}
		if err != nil {
			return err
		}
	}
	if inside {
		return errLiteral
	}
	if s.newline {
		s.out.WriteByte('\n')
	}
	return nil
}

// write puts out text, after the space that was before it.
func (s *scanner) write(text string) {
	gap := s.newline || s.spaces != ""
	switch {
	case s.before == 0 || !gap:
	case s.newline && !goesOn(s.before, text[0]):
		s.out.WriteByte('\n')
	case runsTogether(s.before, text[0]):
		s.out.WriteByte(' ')
	}
	s.newline, s.spaces = false, ""
	s.out.WriteString(text)
	c := text[len(text)-1]
	switch {
	case !isWord(c):
		s.word = ""
	case gap || !isWord(s.before):
		s.word = text
	default:
		s.word += text
	}
	s.before = c
}

// goesOn tells whether the statement goes on over a line break between the two:
// no statement ends with the one or begins with the other, or it ends there in
// any case. A break behind a semicolon would be needless too; it stays, so that
// an error in a browser has a line number that says something.
func goesOn(before, after byte) bool {
	return strings.IndexByte("{([,=&|?:*<>", before) >= 0 || strings.IndexByte("})],?:&|", after) >= 0
}

// runsTogether tells whether two would be something else without a blank
// between: one name, "++", "//", "<!--", "1.5".
func runsTogether(before, after byte) bool {
	return isWord(before) && (isWord(after) || after == '.') || before == '/' || after == '/' ||
		before == after && (before == '+' || before == '-') || before == '<' && after == '!'
}

func (s *scanner) comment() error {
	n := strings.Index(s.in[s.at+2:], "*/")
	if n < 0 {
		return errComment
	}
	if strings.Contains(s.in[s.at:s.at+2+n], "\n") {
		s.newline, s.spaces = true, ""
	} else {
		s.spaces += " "
	}
	s.at += n + 4
	return nil
}

// literal copies a string or a regular expression; in the latter's classes its
// end may stand.
func (s *scanner) literal(end byte, broken error) error {
	class := false
	for i := s.at + 1; i < len(s.in) && s.in[i] != '\n'; i++ {
		switch c := s.in[i]; {
		case c == '\\':
			i++ // also over a line's end: a string goes on there
		case end == '/' && c == '[':
			class = true
		case end == '/' && c == ']':
			class = false
		case c == end && !class:
			s.write(s.in[s.at : i+1])
			s.at = i + 1
			return nil
		}
	}
	return broken
}

// template copies a template literal; the expressions in it are code.
func (s *scanner) template() error {
	start := s.at
	for i := s.at + 1; i < len(s.in); i++ {
		switch {
		case s.in[i] == '\\':
			i++
		case s.in[i] == '`':
			s.write(s.in[start : i+1])
			s.at = i + 1
			return nil
		case strings.HasPrefix(s.in[i:], "${"):
			s.write(s.in[start : i+2])
			s.at = i + 2
			if err := s.code(true); err != nil {
				return err
			}
			// What follows is text again, its first byte the brace.
			s.newline, s.spaces = false, ""
			start, i = s.at, s.at
		}
	}
	return errLiteral
}

// regexpMayStand tells whether a slash begins a regular expression: after an
// operator or a keyword it does, after a value it divides. After ")" and "}"
// it is taken to divide; a script in which it does not is refused by its test.
func (s *scanner) regexpMayStand() bool {
	switch s.word {
	case "return", "typeof", "case", "in", "of", "do", "else", "void", "delete", "instanceof", "new", "throw":
		return true
	}
	return s.before == 0 || strings.IndexByte("(,=:[!&|?{;+-*%~^<>", s.before) >= 0
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '$' || c >= 0x80
}
