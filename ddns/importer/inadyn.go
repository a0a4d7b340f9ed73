package importer

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// inadynItem is a "key = value" with all its values.
type inadynItem struct {
	option // the value is all of them, with blanks between
	values []string
	more   bool // "+="
}

// inadynBlock is a section "provider" or "custom", or the file around them.
type inadynBlock struct {
	kind, title string
	line        int
	items       []*inadynItem
}

// inadynGlobal is what holds for all sections.
type inadynGlobal struct {
	_      [0]func() // never compared: == would be code
	source source
	force  time.Duration
	ipv6   int  // line of allow-ipv6, if it is true
	guess  bool // a section's family is a guess
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
	if g.ipv6 > 0 && g.guess {
		im.note(g.ipv6, "allow-ipv6: a service without ipv6@ before its name became a record of IPv4; change families where IPv6 is meant")
	}
}

// inadynBlocks reads the whole file; what is in no section goes to file.
func (im *importer) inadynBlocks(tokens []token, file *inadynBlock) []*inadynBlock {
	var blocks []*inadynBlock
	for {
		t := &tokens[0]
		if t.kind == tokenEnd {
			return blocks
		}
		if !t.section() {
			before := len(tokens)
			if tokens = im.inadynItems(tokens, file, false); len(tokens) == before { // a sign that begins nothing
				im.note(t.line, "this cannot be read")
				tokens = tokens[1:]
			}
			continue
		}
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
	}
}

// section reports whether t begins one.
func (t *token) section() bool {
	return t.kind == tokenWord && (t.text == "provider" || t.text == "custom")
}

// inadynItems reads items up to the end of the section, or outside of one, up
// to what may begin a section.
func (im *importer) inadynItems(tokens []token, b *inadynBlock, inside bool) []token {
	bad := 0 // line of the last complaint
	for {
		t := &tokens[0]
		if t.kind == tokenEnd {
			if inside {
				im.note(b.line, "this section has no }")
			}
			return tokens
		}
		if inside && t.is("}") {
			return tokens[1:]
		}
		if !inside && (t.kind == tokenSign || t.section()) {
			return tokens
		}
		sign := &tokens[1] // tokenEnd at least, as t is not
		word := t.kind == tokenWord
		switch {
		case word && (sign.is("=") || sign.is("+")):
			item := &inadynItem{option: option{key: t.text, line: t.line}, more: sign.is("+")}
			if bad == t.line && !strings.HasPrefix(reasonOf(inadynOptions, t.text), "!") {
				item.key = "?" // the rest of something that needs quotation marks
			}
			item.values, tokens = inadynValues(tokens[2:])
			item.value = strings.Join(item.values, " ")
			b.items = append(b.items, item)
		case word && t.text == "include" && sign.is("(") && tokens[2].kind == tokenWord:
			b.items = append(b.items, &inadynItem{option: option{key: "include()", value: tokens[2].text, line: t.line}})
			if tokens = tokens[3:]; tokens[0].is(")") {
				tokens = tokens[1:]
			}
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

func (im *importer) inadynGlobals(file *inadynBlock) *inadynGlobal {
	g := &inadynGlobal{}
	for _, item := range file.items {
		o := &item.option
		switch im.codeOf(inadynOptions, o) {
		case 'i':
			g.source = im.fromDevice(nil, o)
		case 'f':
			g.force = im.seconds(o)
		case '6':
			if isTrue(o.value) {
				g.ipv6 = o.line
			}
		case 'v':
			im.private = !isTrue(o.value)
		case 'c':
			im.certificates(o)
		case 'y':
			if !isTrue(o.value) {
				im.unneeded(o, "certificates are always verified")
			}
		case 0: // said already
		default:
			im.unneeded(o, "it belongs into a section")
		}
	}
	return g
}

// seconds reads an interval after which the address is sent again.
func (im *importer) seconds(o *option) time.Duration {
	n, err := strconv.Atoi(o.value)
	if err != nil || n <= 0 || n > maxSeconds {
		im.unneeded(o, "this is no number of seconds")
		return 0
	}
	return time.Duration(n) * time.Second
}

// What a file may include: files in one another, and all in all.
const (
	includeDepth = 4
	maxIncludes  = 64
)

// included returns the items of a block with those of its includes.
func (im *importer) included(items []*inadynItem, depth int) (all []*inadynItem) {
	for _, item := range items {
		if item.key != "include()" {
			all = append(all, item)
			continue
		}
		text, why := "", "there are too many includes"
		if im.includes++; depth > 0 && im.includes <= maxIncludes {
			text, why = im.include(item.value)
		}
		if why != "" {
			im.note(item.line, "include: ", why)
			continue
		}
		// Lines of another file would mislead: messages get that of the include.
		inner := newImporter(im.opt)
		block := &inadynBlock{line: item.line}
		inner.inadynItems(newConfuseScanner(inner, text).tokens(), block, false)
		if len(inner.notes) > 0 {
			n := &inner.notes[0]
			im.note(item.line, "include: line ", decimal(n.Line), " of the file: ", n.Message)
		}
		for _, i := range block.items {
			i.line = item.line
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
func inadynFamily(prefix string, items []*inadynItem, g *inadynGlobal) config.Family {
	switch prefix {
	case "ipv6", "ipv6tb":
		return config.IPv6
	case "ipv4":
		return config.IPv4
	}
	for _, item := range items {
		value := " " + strings.ToLower(item.value)
		hints := ""
		switch item.key {
		case "checkip-server":
			hints = "ipv6 ip6 dns64"
		case "checkip-command":
			hints = "inet6 ipv6 -6"
		}
		for _, hint := range strings.Fields(hints) {
			if strings.Contains(value, hint) {
				return config.IPv6
			}
		}
	}
	g.guess = g.guess || prefix != "default"
	return config.IPv4
}
