package importer

import (
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// oldInadyn reports whether the tokens are of a file from before version 2,
// which has neither sections nor "=".
func oldInadyn(tokens []token) bool {
	for i := range tokens {
		if t := &tokens[i]; t.is("=") || t.is("+") || t.is("{") {
			return false
		}
	}
	return tokens[0].kind == tokenWord
}

// inadyn1 reads a file from before version 2: one option a line, as on the
// command line, with or without "--".
func (im *importer) inadyn1(text string) {
	var from source
	var force time.Duration
	page := none // that shows the address
	w := &wish{}
	all := []*wish{w}
	for i, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		o := &option{key: strings.ToLower(strings.TrimLeft(words[0], "-")), line: i + 1}
		if len(words) > 1 {
			o.value = words[1]
		}
		code := im.codeOf(inadynOptions, o)
		if code == 'w' && len(words) > 2 { // HOST PATH
			o.value += "/" + strings.TrimPrefix(words[2], "/")
			words = words[1:]
		}
		if len(words) > 2 && words[2][0] != '#' {
			im.note(o.line, "what is after the first value is left out")
		}
		if code == 'S' && w.service != "" || code == 'o' && find(w.options, o.key) != none {
			w = &wish{} // the next account
			all = append(all, w)
		}
		if w.line == 0 && (code == 'S' || code == 'o' || code == 'a' || code == 'h') {
			w.line, w.label = o.line, "the account in line "+decimal(o.line)
		}
		switch code {
		case 'S':
			w.service = o.value
		case 'o':
			w.options = append(w.options, o)
		case 'a', 'h':
			name, _, more := strings.Cut(o.value, ",")
			if more { // freedns had NAME,HASH
				im.note(o.line, o.key, ": what is after the comma is left out")
			}
			im.host(w, &option{key: "hostname", value: name, line: o.line})
		case 'i':
			from = im.fromDevice(nil, o)
		case 'w':
			page = o
		case 'f':
			force = im.seconds(o)
		case 'v':
			im.private = !isTrue(o.value)
		case 0: // said already
		default:
			im.unneeded(o, "there is no equivalent")
		}
	}
	switch {
	case page == none && from == "":
		im.noWay(w.line)
	case page == none:
	case from != "":
		im.unneeded(page, "the interface comes first")
	default:
		from = im.fromWeb(nil, page, inadynPage(&inadynLook{server: page, ssl: &option{value: "no"}}), none)
	}
	for _, w := range all {
		if w.line == 0 {
			continue
		}
		if w.service == "" {
			w.service = "dyndns.org" // inadyn's default
		}
		im.inadynKnown(w, w.service)
		prefix, _, _ := strings.Cut(w.service, "@")
		w.families = []config.Family{inadynFamily(prefix, nil, &inadynGlobal{})}
		w.sources, w.force = [2]source{from, from}, force
		im.hosts -= len(w.hosts) // wish counts them
		im.wish(w)
	}
}
