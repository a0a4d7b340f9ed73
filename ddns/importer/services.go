package importer

import (
	_ "embed"
	"strings"
)

// The tables say which service of another client is which provider of ours.
// They are read only when a file is imported.
var (
	//go:embed services/ddns-scripts
	ddnsScriptsServices string
	//go:embed services/inadyn
	inadynServices string
	//go:embed services/ddclient
	ddclientServices string
)

// service is one line of a table: NAME PROVIDER [OPTION=KEY ...]
type service string

// name is the other client's name of it.
func (s service) name() string {
	name, _, _ := strings.Cut(string(s), " ")
	return name
}

// provider is our name of it; "-": it has closed; "!": refused.
func (s service) provider() string {
	_, rest, _ := strings.Cut(string(s), " ")
	name, _, _ := strings.Cut(rest, " ")
	return name
}

// target is what an option becomes; "" if it keeps its name.
func (s service) target(option string) string {
	_, rest, ok := strings.Cut(string(s)+" ", " "+option+"=")
	if !ok {
		return ""
	}
	target, _, _ := strings.Cut(rest, " ")
	return target
}

// How findService compares names.
const (
	exactly     = iota // whatever the case
	punctuation        // without their punctuation
	anyPart            // the word is a part of the name
)

// findService returns the first line of a table whose name is alike; "": none.
func findService(table, word string, how int) service {
	word = strings.ToLower(word)
	if how == punctuation {
		word = lettersAndDigits(word)
	}
	for word != "" && table != "" {
		var line string
		line, table, _ = strings.Cut(table, "\n")
		name, _, ok := strings.Cut(line, " ")
		if name = strings.ToLower(name); !ok || name == "#" {
			continue
		}
		if name == word || how == punctuation && lettersAndDigits(name) == word || how == anyPart && strings.Contains(name, word) {
			return service(line)
		}
	}
	return ""
}

func lettersAndDigits(s string) string {
	var b []byte
	for i := range len(s) {
		if c := s[i]; isWordByte(c) && c != '-' && c != '_' {
			b = append(b, c)
		}
	}
	return string(b)
}

// isWordByte reports whether c may be in a name of an option or a table.
func isWordByte(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

// isWord reports whether s looks like the name of an option, so that a message
// may have it: what is out of place can be a piece of a password.
func isWord(s string) bool {
	for i := range len(s) {
		if !isWordByte(s[i]) {
			return false
		}
	}
	return s != "" && len(s) <= 40
}
