// Package lmo makes LuCI's translation files: .po in, .lmo out.
//
// It does what LuCI's own po2lmo does, byte for byte, but for two things: it
// leaves fuzzy translations out, and refuses what po2lmo guesses at. It never
// touches the file system.
//
// Start with [Convert].
package lmo

import (
	"fmt"
	"strings"
)

const maxPlurals = 10 // po2lmo's own limit

// message is one entry of a .po file. The strings have only \" and \\ resolved:
// LuCI looks strings up in the form that they have in the source, where other
// escapes stand too.
type message struct {
	line                int // of its first keyword
	context, id, plural string
	hasContext          bool
	hasPlural           bool
	texts               [maxPlurals]string
	forms               int // texts that were named; 0: none yet
	fuzzy               bool
}

// parse reads a .po file. Comments and obsolete entries are passed over;
// anything else that is not PO is an error with its line.
func parse(text string) ([]message, error) {
	var all []message
	var m *message   // under way
	var into *string // what a continued string is added to
	fuzzy := false   // of the comments before the next message
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(strings.TrimSuffix(line, "\r"))
		if strings.HasPrefix(line, "#,") && strings.Contains(line, "fuzzy") {
			fuzzy = true
		}
		if line == "" || line[0] == '#' {
			continue
		}
		keyword, rest := "", line
		if line[0] != '"' {
			keyword, rest, _ = strings.Cut(line, " ")
		}
		s, err := unquote(strings.TrimSpace(rest))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		if begins := keyword == "msgctxt" || keyword == "msgid"; begins && (m == nil || m.forms > 0) {
			all = append(all, message{line: i + 1, fuzzy: fuzzy})
			m, fuzzy = &all[len(all)-1], false
		}
		if keyword != "" {
			if into, err = m.slot(keyword); err != nil {
				return nil, fmt.Errorf("line %d: %w", i+1, err)
			}
		}
		if into == nil {
			return nil, fmt.Errorf("line %d: a string that belongs to nothing", i+1)
		}
		*into += s
	}
	if m != nil && m.forms == 0 {
		return nil, fmt.Errorf("line %d: a message without msgstr", m.line)
	}
	return all, nil
}

// slot returns where a keyword's string goes.
func (m *message) slot(keyword string) (*string, error) {
	if m == nil {
		return nil, fmt.Errorf("%s before msgid", keyword)
	}
	switch keyword {
	case "msgctxt":
		m.hasContext = true
		return &m.context, nil
	case "msgid":
		return &m.id, nil
	case "msgid_plural":
		m.hasPlural = true
		return &m.plural, nil
	case "msgstr":
		m.forms = 1
		return &m.texts[0], nil
	}
	var n int
	if _, err := fmt.Sscanf(keyword, "msgstr[%d]", &n); err != nil || n < 0 || n >= maxPlurals || !m.hasPlural {
		return nil, fmt.Errorf("%q is not known here", keyword)
	}
	m.forms = max(m.forms, n+1)
	return &m.texts[n], nil
}

// unquote returns what is between the quotes, with \" and \\ resolved.
func unquote(s string) (string, error) {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return "", fmt.Errorf("not a quoted string: %.40s", s)
	}
	s = s[1 : len(s)-1]
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return "", fmt.Errorf("a quote inside a string: %.40s", s)
		case s[i] == '\\' && i+1 == len(s):
			return "", fmt.Errorf("a string that does not end: %.40s", s)
		case s[i] == '\\' && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
		case s[i] == '\\':
			out.WriteByte(s[i])
			i++
		}
		out.WriteByte(s[i])
	}
	return out.String(), nil
}
