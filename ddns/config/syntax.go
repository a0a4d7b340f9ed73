package config

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
)

// unreadable returns what keeps text from being TOML at all: its size, or
// bytes that are not text.
func unreadable(path string, text []byte) *Problem {
	if len(text) > maxFile {
		return &Problem{Path: path, Message: fmt.Sprintf("is larger than %d KiB", maxFile>>10)}
	}
	line, rest := 1, text
	for len(rest) > 0 {
		r, n := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && n == 1:
			return &Problem{Path: path, Line: line, Message: fmt.Sprintf("byte 0x%02x is not UTF-8; save the file as UTF-8", rest[0])}
		case r == '\r' && (len(rest) < 2 || rest[1] != '\n'):
			return &Problem{Path: path, Line: line, Message: "a carriage return without a line feed; save the file with Unix line ends"}
		case r == 0:
			return &Problem{Path: path, Line: line, Message: "a NUL byte; save the file as UTF-8 text"}
		case r < ' ' && r != '\t' && r != '\r' && r != '\n' || r == 0x7f:
			return &Problem{Path: path, Line: line, Message: fmt.Sprintf("control character 0x%02x; remove it", r)}
		case r == '\n':
			line++
		}
		rest = rest[n:]
	}
	return nil
}

const (
	listOpen = "a list is not closed, or a comma is missing between its elements"
	noValue  = "no value after the `=`; write one, or put a # before the line"
)

// The decoder's messages that a user can cause, by a part of them, and ours.
// The decoder's own may quote the text, which may be a password that lacks its
// quotes, so none of them is passed on.
var syntaxMessages = []struct{ part, message string }{
	{"expected '\"'", "a string is not closed; add the `\"` at its end"},
	{"expected '\"\"\"'", "a string is not closed; add the `\"\"\"` at its end"},
	{"expected \"'\"", "a string is not closed; add the `'` at its end"},
	{"expected \"'''\"", "a string is not closed; add the `'''` at its end"},
	{"strings cannot contain newlines", "a string is not closed on its line; add the quote at its end"},
	{"invalid escape", "a `\\` in a string between double quotes begins an escape; write `\\\\`, or put the string between single quotes"},
	{"scaped character", "a `\\` escape in a string is not a character; put the string between single quotes to have it as it is"},
	{"hexadecimal digits", "a `\\` escape in a string is not complete; put the string between single quotes to have it as it is"},
	{"a top-level item to end", "there is more after the end of the value; put text between quotes, one key on a line"},
	{"delimiter ']'", "the header is not closed; write [[record]]"},
	{"table name", "the header is not closed or its name has other characters than letters, digits, - and _; write [provider.name] or [[record]]"},
	{"unexpected table separator", "a part of the table's name is missing; write [provider.name]"},
	{"key name appears blank", "there is no key before the `=`"},
	{"cannot start with a '.'", "there is no key before the `.`"},
	{"expected '.' or '='", "no `=` after the key; write key = \"value\""},
	{"expected value but found '\\n'", noValue},
	{"expected value but found '\\r'", noValue},
	{"expected value but found '#'", noValue},
	{"expected value but found", "text must be between double quotes (\")"},
	{"expected value", noValue},
	{"unexpected comma", "a comma with no value before it"},
	{"array terminator", listOpen},
	{"inline table", "a table between { } is not closed, or a comma is missing between its keys"},
	{"datetime", "this is no date; put text between double quotes"},
	{"nteger", "this is no number; put text between double quotes"},
	{"out of range", "this number is too large; put text between double quotes"},
	{"float", "this is no number; put text between double quotes"},
	{"number", "this is no number; put text between double quotes"},
	{"digit", "this is no number; put text between double quotes"},
}

// syntaxProblem returns the decoder's error as a Problem, in our words.
func syntaxProblem(path string, doc *document, err error) *Problem {
	var parse toml.ParseError
	ok := errors.As(err, &parse)
	if !ok {
		return &Problem{Path: path, Line: doc.lineAt(doc.stopped), Message: "this cannot be read as TOML"}
	}
	offset := parse.Position.Start
	if strings.HasPrefix(doc.text, bom) {
		offset += len(bom)
	}
	p := &Problem{Path: path, Line: doc.lineAt(min(offset, len(doc.text))), Message: "this is not TOML"}
	if _, rest, ok := strings.Cut(parse.Message, "Key '"); ok {
		p.Message = doc.twice(rest[:max(0, strings.LastIndexByte(rest, '\''))], p.Line)
		return p
	}
	for _, m := range syntaxMessages {
		if strings.Contains(parse.Message, m.part) {
			p.Message = m.message
			break
		}
	}
	if open, ok := doc.openBefore(p.Line); ok {
		if doc.text[open.ValueStart] == '[' {
			p.Message = listOpen
		}
		p.Message += fmt.Sprintf(" (it begins on line %d)", open.Line)
	}
	return p
}

// openBefore returns the last key whose value the text breaks off in, if that
// value begins before line.
func (d *document) openBefore(line int) (entry, bool) {
	for i := len(d.entries) - 1; i >= 0; i-- {
		if e := d.entries[i]; e.Kind == keyEntry && e.ValueEnd < 0 {
			return e, e.Line < line && e.ValueStart < len(d.text)
		}
	}
	return entry{}, false
}

// twice says that key, as the decoder writes it, is defined again on line.
func (d *document) twice(key string, line int) string {
	message := quote(key) + " is there twice, or once as a table and once as a value"
	for _, e := range d.entries {
		first := d.entries[d.index[e.Path]]
		if e.Line != line || first.Start == e.Start || first.Kind == implicitEntry {
			continue
		}
		message = fmt.Sprintf("%s is there twice; the first is on line %d", quote(key), first.Line)
		if list, _, ok := strings.Cut(e.Path, "["); ok {
			message += fmt.Sprintf("; begin each %s with its own line [[%s]]", list, list)
		}
		break
	}
	return message
}
