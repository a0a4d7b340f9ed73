package importer

import "strings"

// uciSection is a section of a UCI file. A list is one option, with blanks
// between its values, or commas if they are hostnames.
type uciSection struct {
	kind, name string // name is "" of an anonymous one
	line       int
	options    []*option
}

// parseUCI reads the sections of the package ddns. The form is that of
// libuci's file format: commands "package", "config", "option" and "list", one
// a line or with ";" between them; words with 'literal', "escaped" and bare
// parts directly after one another; "#" begins a comment.
func (im *importer) parseUCI(text string) []*uciSection {
	s := &uciScanner{text: text, line: 1}
	var sections []*uciSection
	var current *uciSection
	named := map[string]*uciSection{}
	ours := true
	for {
		words, line := s.command()
		if len(words) == 0 {
			return sections
		}
		if s.open > 0 {
			im.note(s.open, "a quotation mark has no end; what follows cannot be read")
			return sections
		}
		n := len(words)
		switch command := words[0]; {
		case command == "package" && n == 2:
			ours, current = words[1] == "ddns", nil
		case command == "config" && (n == 2 || n == 3):
			if !ours {
				continue
			}
			current = &uciSection{kind: words[1], line: line}
			if n == 3 && words[2] != "" {
				if before := named[words[2]]; before != nil {
					current = before // a second one adds to the first
					continue
				}
				current.name = words[2]
				named[words[2]] = current
			}
			sections = append(sections, current)
		case n == 3 && (command == "option" || command == "list"):
			if current != nil {
				current.set(words[1], words[2], line, command == "list")
			} else if ours {
				im.note(line, "this line is in no section")
			}
		default:
			im.note(line, "this line is not of the form of UCI files")
		}
	}
}

// set adds an option, or a value to a list. The last of several options holds.
func (c *uciSection) set(name, value string, line int, list bool) {
	o := find(c.options, name)
	if o == none {
		if len(c.options) == maxOptions {
			return
		}
		o = &option{key: name}
		c.options = append(c.options, o)
	}
	if list && o.value != "" && len(o.value) <= maxValue {
		mark := " "
		if name == "domain" {
			mark = ","
		}
		value = o.value + mark + value
	}
	o.value, o.line = value, line
}

// uciScanner takes a UCI file apart.
type uciScanner struct {
	text string
	line int
	open int // line of a quotation mark that has no end
}

// command returns the words of the next line that has any, and its number.
func (s *uciScanner) command() (words []string, line int) {
	line = s.line
	for s.text != "" {
		switch c := s.text[0]; c {
		case '\n', ';':
			s.next()
			if len(words) > 0 {
				return words, line
			}
			line = s.line
		case ' ', '\t', '\r', '\v', '\f':
			s.next()
		case '#':
			s.skipComment()
		default:
			words = append(words, s.word())
		}
	}
	return words, line
}

func (s *uciScanner) next() byte {
	c := s.text[0]
	s.text = s.text[1:]
	if c == '\n' {
		s.line++
	}
	return c
}

func (s *uciScanner) skipComment() {
	i := strings.IndexByte(s.text, '\n')
	if i < 0 {
		i = len(s.text)
	}
	s.text = s.text[i:]
}

// word reads one word: parts up to a blank, a ";" or a comment.
func (s *uciScanner) word() string {
	var b strings.Builder
	for s.text != "" {
		switch c := s.text[0]; c {
		case ' ', '\t', '\r', '\v', '\f', '\n', ';', '#':
			return b.String()
		case '\'', '"':
			s.quoted(&b)
		case '\\':
			s.next()
			s.escaped(&b)
		default:
			b.WriteByte(s.next())
		}
	}
	return b.String()
}

// quoted reads a 'literal' part or an "escaped" one; both may have line ends.
func (s *uciScanner) quoted(b *strings.Builder) {
	start, mark := s.line, s.next()
	for s.text != "" {
		switch c := s.next(); {
		case c == mark:
			return
		case c == '\\' && mark == '"':
			s.escaped(b)
		default:
			b.WriteByte(c)
		}
	}
	s.open = start
}

// escaped reads what is after a backslash: itself, and nothing for a line end.
func (s *uciScanner) escaped(b *strings.Builder) {
	if s.text == "" {
		return
	}
	if c := s.next(); c != '\n' {
		b.WriteByte(c)
	}
}
