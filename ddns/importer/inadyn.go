package importer

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// Why the options of inadyn that have no equivalent have none.
var inadynUnneeded = map[string]string{
	"period":             notPolled,
	"iterations":         "wanbeacon runs until it is ended; \"wanbeacon run -once\" does not",
	"fake-address":       "an address that is not yours is never published",
	"broken-rtc":         "certificates are verified with the clock as it is",
	"cache-dir":          "state_dir in [daemon] has what must be kept",
	"user-agent":         "wanbeacon says its own name, as providers ask",
	"ssl":                "it is always https",
	"checkip-path":       "it belongs to a web look-up",
	"checkip-ssl":        "it belongs to a web look-up",
	"update_period_sec":  notPolled,
	"update_period":      notPolled,
	"background":         "wanbeacon runs in the foreground, and the system starts it",
	"syslog":             "the log goes to standard output, and from there to the system's",
	"verbose":            "the log has what matters",
	"logfile":            "the log goes to standard output, and from there to the system's",
	"pidfile":            "none is needed",
	"startup-delay":      "wanbeacon waits for the network by itself",
	"drop-privs":         "the system starts it as a user of its own",
	"proxy-server":       "proxies are not supported",
	"dyndns_server_name": "services are part of the program",
	"dyndns_server_url":  "services are part of the program",
}

// What a file may include: files in one another, and all in all.
const (
	includeDepth = 4
	maxIncludes  = 64
)

// inadynItem is a "key = value" or a call.
type inadynItem struct {
	key    string
	values []string
	line   int
	more   bool // "+="
}

func (i inadynItem) one() option {
	return option{i.key, strings.Join(i.values, " "), i.line}
}

// inadynBlock is a section "provider" or "custom", or the file around them.
type inadynBlock struct {
	kind, title string
	line        int
	items       []inadynItem
}

// inadyn reads inadyn.conf.
func (im *importer) inadyn(text string) {
	tokens := newConfuseScanner(im, text).tokens()
	if oldInadyn(tokens) {
		im.notes = nil
		im.inadyn1(text)
		return
	}
	file := &inadynBlock{}
	blocks := im.inadynBlocks(tokens, file)
	g := im.inadynGlobals(file)
	for _, b := range blocks {
		im.inadynBlock(b, g)
	}
	if g.ipv6.value != "" && g.guess {
		im.note(g.ipv6.line, "allow-ipv6: a service without ipv6@ before its name became a record of IPv4; change families where IPv6 is meant")
	}
}

// inadynBlocks reads the whole file; what is in no section goes to file.
func (im *importer) inadynBlocks(tokens []token, file *inadynBlock) []*inadynBlock {
	var blocks []*inadynBlock
	for {
		switch t := tokens[0]; {
		case t.kind == tokenEnd:
			return blocks
		case t.kind == tokenWord && (t.text == "provider" || t.text == "custom"):
			b := &inadynBlock{kind: t.text, line: t.line}
			tokens = tokens[1:]
			if tokens[0].kind == tokenWord {
				b.title = tokens[0].text
				tokens = tokens[1:]
			}
			if !tokens[0].is("{") {
				im.note(t.line, "a section has no { here")
				continue
			}
			tokens = im.inadynItems(tokens[1:], b, true)
			blocks = append(blocks, b)
		default:
			before := len(tokens)
			tokens = im.inadynItems(tokens, file, false)
			if len(tokens) == before { // a sign that begins nothing
				im.note(t.line, "this cannot be read")
				tokens = tokens[1:]
			}
		}
	}
}

// inadynItems reads items up to the end of the section, or outside of one, up
// to what may begin a section.
func (im *importer) inadynItems(tokens []token, b *inadynBlock, inside bool) []token {
	bad := 0 // line of the last complaint
	for {
		t := tokens[0]
		switch {
		case t.kind == tokenEnd:
			if inside {
				im.note(b.line, "this section has no }")
			}
			return tokens
		case inside && t.is("}"):
			return tokens[1:]
		case !inside && t.kind == tokenWord && (t.text == "provider" || t.text == "custom"):
			return tokens
		case t.kind == tokenWord && (tokens[1].is("=") || tokens[1].is("+")):
			item := inadynItem{key: t.text, line: t.line, more: tokens[1].is("+")}
			if bad == t.line && !inadynKeys[t.text] && inadynUnneeded[t.text] == "" {
				item.key = "?" // the rest of something that needs quotation marks
			}
			item.values, tokens = inadynValues(tokens[2:])
			b.items = append(b.items, item)
		case t.kind == tokenWord && tokens[1].is("(") && tokens[2].kind == tokenWord:
			b.items = append(b.items, inadynItem{key: t.text + "()", values: []string{tokens[2].text}, line: t.line})
			tokens = tokens[3:]
			if tokens[0].is(")") {
				tokens = tokens[1:]
			}
		case !inside && t.kind == tokenSign:
			return tokens
		default:
			// Its text is not shown: it may be a piece of a password.
			if bad != t.line {
				im.note(t.line, "something here is neither an option nor its value; does the value need quotation marks?")
			}
			bad = t.line
			tokens = tokens[1:]
		}
	}
}

// inadynValues reads a value or a list of values.
func inadynValues(tokens []token) ([]string, []token) {
	if tokens[0].kind == tokenWord {
		return []string{tokens[0].text}, tokens[1:]
	}
	var values []string
	if !tokens[0].is("{") {
		return nil, tokens
	}
	for tokens = tokens[1:]; tokens[0].kind == tokenWord || tokens[0].is(","); tokens = tokens[1:] {
		if tokens[0].kind == tokenWord {
			values = append(values, tokens[0].text)
		}
	}
	if tokens[0].is("}") {
		tokens = tokens[1:]
	}
	return values, tokens
}

// inadynGlobal is what holds for all sections.
type inadynGlobal struct {
	source source
	force  time.Duration
	ipv6   option // allow-ipv6, if it is true
	guess  bool   // a section's family is a guess
}

func (im *importer) inadynGlobals(file *inadynBlock) *inadynGlobal {
	g := &inadynGlobal{}
	for _, item := range file.items {
		o := item.one()
		switch o.key {
		case "iface":
			g.source = im.fromDevice(nil, o)
		case "forced-update":
			g.force = im.seconds(o)
		case "allow-ipv6":
			if g.ipv6 = o; !confuseTrue(o.value) {
				g.ipv6 = option{}
			}
		case "verify-address":
			im.private = !confuseTrue(o.value)
		case "ca-trust-file":
			im.certificates(o)
		case "secure-ssl":
			if !confuseTrue(o.value) {
				im.unneeded(o, "certificates are always verified")
			}
		default:
			im.unneededOf(inadynUnneeded, o)
		}
	}
	return g
}

// seconds reads an interval after which the address is sent again.
func (im *importer) seconds(o option) time.Duration {
	n, err := strconv.Atoi(o.value)
	if err != nil || n <= 0 || n > 3650*24*3600 {
		im.unneeded(o, "this is no number of seconds")
		return 0
	}
	return time.Duration(n) * time.Second
}

func confuseTrue(s string) bool {
	switch strings.ToLower(s) {
	case "true", "yes", "on":
		return true
	}
	return false
}

// included returns the items of a block with those of its includes.
func (im *importer) included(items []inadynItem, depth int) []inadynItem {
	var all []inadynItem
	for _, item := range items {
		if item.key != "include()" {
			all = append(all, item)
			continue
		}
		text, why := "", "there are too many includes"
		if im.includes++; depth > 0 && im.includes <= maxIncludes {
			text, why = im.include(item.values[0])
		}
		if why != "" {
			im.note(item.line, "include: %s", why)
			continue
		}
		// Lines of another file would mislead: messages get that of the include.
		inner := newImporter(im.opt)
		block := &inadynBlock{line: item.line}
		inner.inadynItems(newConfuseScanner(inner, text).tokens(), block, false)
		if len(inner.notes) > 0 {
			im.note(item.line, "include: line %d of the file: %s", inner.notes[0].Line, inner.notes[0].Message)
		}
		for i := range block.items {
			block.items[i].line = item.line
		}
		all = append(all, im.included(block.items, depth-1)...)
	}
	return all
}

// include reads a file that is named in the imported one.
func (im *importer) include(path string) (text, why string) {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if im.opt.Home == "" {
			return "", "~ is no directory here"
		}
		path = im.opt.Home + "/" + rest
	} else if !strings.HasPrefix(path, "/") && im.opt.Dir != "" {
		path = im.opt.Dir + "/" + path
	}
	if im.opt.ReadFile == nil {
		return "", "files cannot be read here"
	}
	bytes, err := im.opt.ReadFile(path)
	if err == nil {
		bytes, err = plainText(bytes)
	}
	if err != nil {
		return "", "the file " + quote(path) + ": " + err.Error()
	}
	return string(bytes), ""
}

// readable reports whether escapes have not made something of s that no
// configuration can have.
func readable(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// inadynFamily is the family that the name of a service says, or that the way
// to find the address does.
func inadynFamily(prefix string, items []inadynItem, g *inadynGlobal) config.Family {
	switch prefix {
	case "ipv6", "ipv6tb":
		return config.IPv6
	case "ipv4":
		return config.IPv4
	}
	for _, item := range items {
		value := strings.ToLower(item.one().value)
		switch {
		case item.key == "checkip-server" && (strings.Contains(value, "ipv6") || strings.Contains(value, "ip6") || strings.HasPrefix(value, "dns64.") || strings.HasPrefix(value, "v6.")),
			item.key == "checkip-command" && (strings.Contains(value, "inet6") || strings.Contains(value, " -6") || strings.Contains(value, "ipv6")):
			return config.IPv6
		}
	}
	g.guess = g.guess || prefix != "default"
	return config.IPv4
}

// inadynKeys are the options that become something.
var inadynKeys = map[string]bool{
	"iface": true, "forced-update": true, "allow-ipv6": true, "verify-address": true, "ca-trust-file": true, "secure-ssl": true,
	"username": true, "password": true, "hostname": true, "alias": true, "wildcard": true, "ttl": true, "proxied": true,
	"checkip-server": true, "checkip-command": true,
	"ddns-server": true, "ddns-path": true, "ddns-response": true, "append-myip": true,
}
