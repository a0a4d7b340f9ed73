package importer

import (
	"strings"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/replace"
)

// inadynCustom is the update URL of a section "custom".
type inadynCustom struct {
	server, path string
	append       bool // the address, instead of the hostname, at the end
	response     []string
}

// inadynLook is how a section finds the address.
type inadynLook struct {
	_                                  [0]func() // never compared: == would be code
	command, device, server, path, ssl *option   // nil: none
}

// inadynBlock makes a wish of a section.
func (im *importer) inadynBlock(b *inadynBlock, g *inadynGlobal) {
	title, _, _ := strings.Cut(b.title, ":") // provider NAME:NUMBER
	w := &wish{line: b.line, label: b.kind + " " + quote(b.title), service: title, force: g.force}
	items := im.included(b.items, includeDepth)
	prefix, _, at := strings.Cut(title, "@")
	if !at {
		prefix = ""
	}
	family := inadynFamily(prefix, items, g)
	w.families = []config.Family{family}
	w.sources = [2]source{g.source, g.source}
	custom := b.kind == "custom"
	c := &inadynCustom{response: strings.Fields("good OK true success updated nochg")}
	look := &inadynLook{}
	for _, item := range items {
		im.inadynOption(w, c, item, custom, look)
	}
	im.inadynSource(w, look, w.source(family))
	if custom {
		w.name = title
		im.inadynURL(w, c)
	} else {
		im.inadynKnown(w, title)
	}
	im.wish(w)
}

// inadynKnown finds the service as inadyn does: by its whole name, else as the
// first one that has the word in its name.
func (im *importer) inadynKnown(w *wish, title string) {
	prefix, name, ok := strings.Cut(title, "@")
	if !ok {
		prefix, name = "", title
	}
	if w.known = findService(inadynServices, title, exactly); w.known == "" {
		w.known = findService(inadynServices, name, exactly)
	}
	if w.known != "" || prefix != "" {
		return
	}
	if w.known = findService(inadynServices, name, anyPart); w.known == "" {
		w.known = findService(inadynServices, name, punctuation)
	}
	if w.known != "" {
		im.note(w.line, w.label, ": this is taken to be ", quote(w.known.name()), ", the first service of inadyn that has the word in its name")
	}
}

// inadynOption is one option of a section.
func (im *importer) inadynOption(w *wish, c *inadynCustom, item *inadynItem, custom bool, look *inadynLook) {
	o := &item.option
	if !readable(o.value) {
		im.unneeded(o, "its escapes make bytes that are no text")
		return
	}
	code := im.codeOf(inadynOptions, o)
	if !custom && strings.IndexByte("spmr", code) >= 0 {
		code = '?'
	}
	switch code {
	case 'o':
		w.options = append(w.options, o)
	case 'h', 'a':
		if code == 'h' && !item.more {
			w.hosts = nil
		}
		for _, name := range item.values {
			w.hosts = append(w.hosts, &option{key: "hostname", value: name, line: item.line})
		}
	case 't':
		if o.value != "-1" {
			w.ttl = o
		}
	case 'i':
		look.device = o
	case 'x':
		look.command = o
	case 'w':
		look.server = o
	case 'W':
		look.path = o
	case 'L':
		look.ssl = o
	case 'l':
		if custom {
			w.plain = !isTrue(o.value)
		} else if !isTrue(o.value) {
			im.unneeded(o, "it is always https")
		}
	case 's':
		c.server = o.value
	case 'p':
		c.path = o.value
	case 'm':
		c.append = isTrue(o.value)
	case 'r':
		c.response = item.values
	case 0: // said already
	default:
		im.unneeded(o, "it does not belong into a section")
	}
}

// inadynSource is where a section takes the address from: the first of
// checkip-command, iface, the iface of the file and checkip-server, as inadyn
// has it.
func (im *importer) inadynSource(w *wish, look *inadynLook, from *source) {
	first := ""
	for _, o := range [...]*option{look.command, look.device, look.server} {
		switch {
		case o == nil:
		case first != "":
			im.unneeded(o, first+" comes first")
		case o == look.command:
			*from = im.fromCommand(w, o)
		case o == look.device:
			*from = im.fromDevice(w, o)
		case *from != "":
			first = "iface"
			im.unneeded(o, "the iface of the file comes first")
		default:
			*from = im.fromWeb(w, o, inadynPage(look), none)
			return
		}
		if first == "" && o != nil {
			first = o.key
		}
	}
	if first == "" && *from == "" {
		im.noWay(w.line)
	}
	for _, o := range [...]*option{look.path, look.ssl} {
		if o != nil {
			im.unneeded(o, "no checkip-server is asked")
		}
	}
}

// inadynPage is the page that shows the address; "": inadyn's own choice.
func inadynPage(look *inadynLook) string {
	host := look.server.value
	if _, after, is := strings.Cut(host, "://"); is {
		host = after
	}
	if host == "" || host == "default" {
		return ""
	}
	scheme, path := "https://", "/"
	if look.ssl != nil && !isTrue(look.ssl.value) {
		scheme = "http://"
	}
	if look.path != nil {
		path = "/" + strings.TrimPrefix(look.path.value, "/")
	} else if strings.Contains(host, "/") {
		path = ""
	}
	return scheme + host + path
}

// inadynURL makes the update URL: %u, %p, %h and %i in the path are user name,
// password, hostname and address; without any the hostname is put at the end.
func (im *importer) inadynURL(w *wish, c *inadynCustom) {
	if c.server == "" {
		w.refused = "it has no ddns-server"
		return
	}
	if strings.EqualFold(c.server, "dynamicdns.park-your-domain.com") {
		w.known = findService(inadynServices, "namecheap.com", exactly)
		return
	}
	url := "https://" + literal(c.server)
	if w.plain {
		url = "http://" + literal(c.server)
	}
	if !strings.HasPrefix(c.path, "/") {
		url += "/"
	}
	host := "{hostname}"
	if zone := im.inadynZone(w); zone != "" {
		host = "{name}"
		w.options = append(w.options, &option{key: "zone", value: zone, line: w.line})
	}
	path := replace.All(c.path, "{", "%7B", "}", "%7D", "%%", "%", "%u", "{username}", "%p", "{password}", "%h", host, "%i", "{address}")
	switch {
	case c.append:
		path += "{address}"
	case !strings.Contains(path, "{"):
		path += host
	}
	var words []string
	for _, r := range c.response {
		if strings.Contains(r, " || ") || strings.Contains(r, " && ") || r == "" {
			im.note(w.line, w.label, ": a ddns-response cannot be carried over; see \"wanbeacon providers generic\"")
			continue
		}
		words = append(words, "*"+replace.All(r, `\`, `\\`, "*", `\*`, "{", `\{`)+"*")
	}
	w.custom = &custom{url: url + path, success: strings.Join(words, " || ")}
}

// inadynZone is the zone of hostnames that are relative: the user name, if it
// is a domain.
func (im *importer) inadynZone(w *wish) string {
	for _, h := range w.hosts {
		if !strings.Contains(h.value, ".") {
			if zone := find(w.options, "username").value; im.isHostname(zone) {
				return zone
			}
			break
		}
	}
	return ""
}
