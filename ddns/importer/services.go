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

// service is one line of a table.
type service struct {
	name     string
	provider string            // "-": it has closed; "!": refused
	targets  map[string]string // by option; "" of one that keeps its name
}

// services returns the lines of a table for which want is true, at most n.
func services(table string, n int, want func(name string) bool) []service {
	var list []service
	for line := range strings.Lines(table) {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] == "#" || !want(words[0]) {
			continue
		}
		s := service{name: words[0], provider: words[1], targets: map[string]string{}}
		for _, w := range words[2:] {
			option, target, _ := strings.Cut(w, "=")
			s.targets[option] = target
		}
		if list = append(list, s); len(list) == n {
			break
		}
	}
	return list
}

// findService returns the line of a name, whatever its case.
func findService(table, name string) *service {
	return first(services(table, 1, func(s string) bool { return strings.EqualFold(s, name) }))
}

// findAlike is findService for names without their punctuation.
func findAlike(table, name string) *service {
	bare := lettersAndDigits(name)
	return first(services(table, 1, func(s string) bool { return bare != "" && lettersAndDigits(s) == bare }))
}

func first(list []service) *service {
	if len(list) == 0 {
		return nil
	}
	return &list[0]
}

func lettersAndDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && isWordByte(byte(r)) && r != '-' && r != '_' {
			return r
		}
		return -1
	}, strings.ToLower(s))
}

// isWordByte reports whether c may be in a name of an option or a table.
func isWordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
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
