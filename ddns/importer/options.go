package importer

import (
	_ "embed"
	"strings"
)

// The lists say what becomes of each option of another client: a line
// "OPTION ...: REASON" of those that have no equivalent, and "OPTION ...:!CODE"
// of those that have, with the code that the parser knows them by.
var (
	//go:embed options/ddns-scripts
	ddnsScriptsOptions string
	//go:embed options/inadyn
	inadynOptions string
	//go:embed options/ddclient
	ddclientOptions string
)

// codeOf returns the code of an option. Of those that have none, it records
// that they are left out, and returns 0.
func (im *importer) codeOf(list string, o *option) byte {
	why := reasonOf(list, o.key)
	switch {
	case strings.HasPrefix(why, "!"):
		return why[1]
	case why != "":
		im.unneeded(o, why)
	case isWord(o.key):
		im.unneeded(o, "there is no equivalent")
	default:
		im.note(o.line, "an option is left out: there is no equivalent")
	}
	return 0
}

// reasonOf returns what the list says of an option; "": nothing.
func reasonOf(list, key string) string {
	if !isWord(key) {
		return ""
	}
	for list != "" {
		var line string
		line, list, _ = strings.Cut(list, "\n")
		keys, reason, _ := strings.Cut(line, ":")
		if strings.Contains(" "+keys+" ", " "+key+" ") {
			return strings.TrimSpace(reason)
		}
	}
	return ""
}

// isTrue reads the words that any of the clients has for yes.
func isTrue(s string) bool {
	return isWord(s) && strings.Contains(" 1 yes true on enabled y t ", " "+strings.ToLower(s)+" ")
}
