package json

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// SyntaxError tells where a text stops being JSON. It has no words of the text.
type SyntaxError struct {
	At   int    // bytes before it
	Want string // what should be there
}

func (e *SyntaxError) Error() string {
	return "not JSON: byte " + strconv.Itoa(e.At) + " should be " + e.Want
}

func syntaxError(at int, want string) error { return &SyntaxError{at, want} }

// Read reads the value that text begins with, as a tree. rest is what follows
// it, without white space. Of members with one name the last counts; what is
// not UTF-8 becomes U+FFFD.
func Read(text string) (v any, rest string, err error) {
	r := reader{text: text}
	if v, err = r.value(0); err != nil {
		return nil, "", err
	}
	r.peek()
	return v, text[r.at:], nil
}

// reader is a text and how far it has been read.
type reader struct {
	text string
	at   int
}

// peek passes over white space and returns the byte after it; 0: the end.
func (r *reader) peek() byte {
	for ; r.at < len(r.text); r.at++ {
		if c := r.text[r.at]; c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
	}
	return 0
}

func (r *reader) want(what string) error { return syntaxError(r.at, what) }

func (r *reader) value(depth int) (any, error) {
	c := r.peek()
	switch {
	case depth == MaxDepth && (c == '{' || c == '['):
		return nil, ErrDeep
	case c == '"':
		return r.quoted()
	case c == '{':
		members := map[string]any{}
		return members, r.elements('}', func() error {
			if r.peek() != '"' {
				return r.want("a name in quotes")
			}
			name, err := r.quoted()
			if err != nil {
				return err
			}
			if r.peek() != ':' {
				return r.want("a colon")
			}
			r.at++
			members[name], err = r.value(depth + 1)
			return err
		})
	case c == '[':
		list := []any{}
		err := r.elements(']', func() error {
			v, err := r.value(depth + 1)
			list = append(list, v)
			return err
		})
		return list, err
	case c == '-' || '0' <= c && c <= '9':
		return r.number()
	}
	rest := r.text[r.at:]
	for i, word := range words {
		if strings.HasPrefix(rest, word) {
			r.at += len(word)
			return wordValues[i], nil
		}
	}
	return nil, r.want("a value")
}

var (
	words      = [...]string{"null", "false", "true"}
	wordValues = [...]any{nil, false, true}
)

// elements reads what stands between brackets, with commas between.
func (r *reader) elements(end byte, element func() error) error {
	r.at++
	if r.peek() == end {
		r.at++
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		c := r.peek()
		if c != ',' && c != end {
			return r.want("a comma or the end of the list")
		}
		r.at++
		if c == end {
			return nil
		}
	}
}

// number reads a number (RFC 8259 section 6).
func (r *reader) number() (any, error) {
	start := r.at
	next := func(set string) bool {
		if r.at < len(r.text) && strings.IndexByte(set, r.text[r.at]) >= 0 {
			r.at++
			return true
		}
		return false
	}
	const digits = "0123456789"
	run := func() bool {
		n := r.at
		for next(digits) {
		}
		return r.at > n
	}
	next("-")
	ok := next("0") || run()
	if ok && next(".") {
		ok = run()
	}
	if ok && next("eE") {
		next("+-")
		ok = run()
	}
	if !ok {
		return nil, r.want("a digit")
	}
	return Number(r.text[start:r.at]), nil
}

// quoted reads a string (RFC 8259 section 7).
func (r *reader) quoted() (string, error) {
	r.at++
	var b []byte
	for r.at < len(r.text) {
		c := r.text[r.at]
		switch {
		case c == '"':
			r.at++
			return string(b), nil
		case c == '\\':
			var err error
			if b, err = r.escape(b); err != nil {
				return "", err
			}
		case c < ' ':
			return "", r.want("no control character")
		default:
			char, n := utf8.DecodeRuneInString(r.text[r.at:])
			b = utf8.AppendRune(b, char)
			r.at += n
		}
	}
	return "", r.want("a quote")
}

// escape appends what the escape at r.at stands for.
func (r *reader) escape(b []byte) ([]byte, error) {
	if r.at++; r.at < len(r.text) {
		c := r.text[r.at]
		if i := strings.IndexByte(escapes, c); i >= 0 {
			r.at++
			return append(b, escaped[i]), nil
		}
		if c == 'u' {
			char, ok := r.unit()
			if !ok {
				return nil, r.want("four hexadecimal digits")
			}
			if char&^0x3ff == 0xd800 { // the first half of a pair
				at := r.at
				second, ok := r.unit()
				if ok = ok && second&^0x3ff == 0xdc00; ok {
					char = char&0x3ff<<10 + second&0x3ff + 0x10000
				} else {
					r.at = at
				}
			}
			return utf8.AppendRune(b, char), nil // a lone half: U+FFFD
		}
	}
	return nil, r.want("an escape")
}

// escapes are the letters after a backslash, escaped what they stand for.
const (
	escapes = `"\/bfnrt`
	escaped = "\"\\/\b\f\n\r\t"
)

// unit reads uXXXX, with or without the backslash before it.
func (r *reader) unit() (rune, bool) {
	s := strings.TrimPrefix(r.text[r.at:], `\`)
	if len(s) < 5 || s[0] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(s[1:5], 16, 16)
	if err != nil {
		return 0, false
	}
	r.at = len(r.text) - len(s) + 5
	return rune(n), true
}
