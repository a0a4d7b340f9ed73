package importer

import (
	"strings"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

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
	w.both(family)
	w.sources[0], w.sources[1] = g.source, g.source
	c := &inadynCustom{response: []string{"good", "OK", "true", "success", "updated", "nochg"}}
	for _, item := range items {
		im.inadynOption(w, c, item, b.kind == "custom", family)
	}
	if b.kind == "custom" {
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
	if w.known = findService(inadynServices, title); w.known == nil && name != "" {
		w.known = findService(inadynServices, name)
	}
	if w.known != nil || name == "" || prefix != "" {
		return
	}
	// inadyn's own names begin with "default@".
	word := strings.ToLower(name)
	if w.known = first(services(inadynServices, 1, func(s string) bool { return strings.Contains(s, word) })); w.known == nil {
		w.known = findAlike(inadynServices, name)
	}
	if w.known != nil {
		im.note(w.line, "%s: this is taken to be %s, the first service of inadyn that has the word in its name", w.label, quote(w.known.name))
	}
}

// inadynOption is one option of a section.
func (im *importer) inadynOption(w *wish, c *inadynCustom, item inadynItem, custom bool, family config.Family) {
	o := item.one()
	for _, v := range item.values {
		if !readable(v) {
			im.unneeded(o, "its escapes make bytes that are no text")
			return
		}
	}
	switch {
	case o.key == "hostname", o.key == "alias":
		if !item.more && o.key == "hostname" {
			w.hosts = nil
		}
		for _, name := range item.values {
			w.hosts = append(w.hosts, option{"hostname", name, item.line})
		}
	case o.key == "username", o.key == "password", o.key == "proxied", o.key == "wildcard":
		w.options = append(w.options, o)
	case o.key == "ttl":
		if o.value != "-1" {
			w.ttl = o
		}
	case o.key == "iface":
		*w.source(family) = im.fromDevice(w, o)
	case o.key == "checkip-command":
		*w.source(family) = im.fromCommand(w, o)
	case o.key == "checkip-server":
		*w.source(family) = im.fromWeb(w, o)
	case o.key == "ssl" && confuseTrue(o.value): // as always
	case custom && o.key == "ssl":
		w.plain = !confuseTrue(o.value)
	case custom && o.key == "ddns-server":
		c.server = o
	case custom && o.key == "ddns-path":
		c.path = o
	case custom && o.key == "append-myip":
		c.append = confuseTrue(o.value)
	case custom && o.key == "ddns-response":
		c.response = item.values
	default:
		im.unneededOf(inadynUnneeded, o)
	}
}

// inadynCustom is the update URL of a section "custom".
type inadynCustom struct {
	server, path option
	append       bool // the address, instead of the hostname, at the end
	response     []string
}

// inadynURL makes the update URL: %u, %p, %h and %i in the path are user name,
// password, hostname and address; without any the hostname is put at the end.
func (im *importer) inadynURL(w *wish, c *inadynCustom) {
	if c.server.value == "" {
		w.refused = "it has no ddns-server"
		return
	}
	if strings.EqualFold(c.server.value, "dynamicdns.park-your-domain.com") {
		w.known = findService(inadynServices, "namecheap.com")
		return
	}
	u := &urlParts{}
	u.b.WriteString("http")
	if !w.plain {
		u.b.WriteByte('s')
	}
	u.b.WriteString("://")
	u.literal(c.server.value)
	if !strings.HasPrefix(c.path.value, "/") {
		u.b.WriteByte('/')
	}
	host := "{hostname}"
	if zone := im.inadynZone(w); zone != "" {
		host = "{name}"
		u.fields = append(u.fields, option{"zone", zone, w.line})
	}
	path, placeholders := c.path.value, 0
	for path != "" {
		i := strings.IndexByte(path, '%')
		if i < 0 || i+1 == len(path) {
			break
		}
		u.literal(path[:i])
		placeholders++
		switch path[i+1] {
		case 'u':
			u.b.WriteString("{username}")
		case 'p':
			u.b.WriteString("{password}")
		case 'h':
			u.b.WriteString(host)
		case 'i':
			u.b.WriteString("{address}")
		case '%':
			u.literal("%")
			placeholders--
		default:
			u.literal(path[i : i+2]) // an escape of the URL
			placeholders--
		}
		path = path[i+2:]
	}
	u.literal(path)
	switch {
	case c.append:
		u.b.WriteString("{address}")
	case placeholders == 0:
		u.b.WriteString(host)
	}
	var words []string
	for _, r := range c.response {
		if strings.Contains(r, " || ") || strings.Contains(r, " && ") || r == "" {
			im.note(w.line, "%s: a ddns-response cannot be carried over; see \"wanbeacon providers generic\"", w.label)
			continue
		}
		words = append(words, "*"+strings.NewReplacer(`\`, `\\`, "*", `\*`, "{", `\{`).Replace(r)+"*")
	}
	w.custom = &custom{url: u.b.String(), success: strings.Join(words, " || ")}
	w.options = append(w.options, u.fields...)
}

// inadynZone is the zone of hostnames that are relative: the user name, if it
// is a domain.
func (im *importer) inadynZone(w *wish) string {
	relative := false
	for _, h := range w.hosts {
		relative = relative || !strings.Contains(h.value, ".")
	}
	for _, o := range w.options {
		if o.key == "username" && relative && im.isHostname(o.value) {
			return o.value
		}
	}
	return ""
}
