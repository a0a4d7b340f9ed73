package importer

import (
	"strconv"
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// ddnsScripts reads /etc/config/ddns.
func (im *importer) ddnsScripts(text string) {
	for _, c := range im.parseUCI(text) {
		switch c.kind {
		case "service":
			im.ddnsService(c)
		case "ddns":
			im.ddnsGlobal(c)
		default:
			im.note(c.line, "a section of the kind ", quote(c.kind), " is left out")
		}
	}
}

func (im *importer) ddnsGlobal(c *uciSection) {
	for _, o := range c.options {
		switch im.codeOf(ddnsScriptsOptions, o) {
		case 'p':
			im.private = isTrue(o.value)
		case 'c':
			im.certificates(o)
		case 0: // said already
		default:
			im.unneeded(o, "it belongs into a section for a service")
		}
	}
}

// ddnsService makes a wish of a section "service".
func (im *importer) ddnsService(c *uciSection) {
	w := &wish{line: c.line, label: "section " + quote(c.name), name: c.name, disabled: true}
	if c.name == "" {
		w.label = "the section in line " + decimal(c.line)
	}
	family := config.IPv4
	if isTrue(find(c.options, "use_ipv6").value) {
		family = config.IPv6
	}
	w.families = []config.Family{family}
	if o := find(c.options, "lookup_host"); o != none {
		w.lookup = o
	}
	im.ddnsKnown(w, c)
	for _, o := range c.options {
		switch im.codeOf(ddnsScriptsOptions, o) {
		case 'o':
			w.options = append(w.options, o)
		case 'e':
			w.disabled = !isTrue(o.value)
		case 'c':
			im.certificates(o)
		case 'f':
			im.forceInterval(w, o, find(c.options, "force_unit").value)
		case 'b':
			im.note(o.line, "bind_network: a network's name cannot be carried over; write bind = \"DEVICE\" into the provider's table")
			w.remark("bind_network was ", quote(o.value), ": write bind = \"DEVICE\" into the table of the provider.")
		case 'd':
			if w.known.target(o.key) != "" {
				w.options = append(w.options, o)
			} else {
				im.unneeded(o, "choosing the name server is not supported yet")
			}
		case 'p':
			im.unneeded(o, "it belongs into the section \"global\"")
		}
	}
	*w.source(family) = im.ddnsSource(w, c, family)
	if w.known == "" {
		im.ddnsCustom(w, c)
	}
	im.wish(w)
}

// ddnsKnown finds the service that a section names, by itself or by the script
// that the service has.
func (im *importer) ddnsKnown(w *wish, c *uciSection) {
	if w.service = find(c.options, "service_name").value; w.service != "" {
		w.known = findService(ddnsScriptsServices, w.service, exactly)
		return
	}
	script := find(c.options, "update_script").value
	w.service = script[strings.LastIndexByte(script, '/')+1:]
	if inner, ok := strings.CutPrefix(strings.TrimSuffix(w.service, ".sh"), "update_"); ok {
		w.known = findService(ddnsScriptsServices, inner, punctuation)
	}
}

func (im *importer) forceInterval(w *wish, o *option, unit string) {
	n, err := strconv.Atoi(o.value)
	span := time.Duration(0)
	switch unit {
	case "seconds":
		span = time.Second
	case "minutes":
		span = time.Minute
	case "", "hours":
		span = time.Hour
	case "days":
		span = 24 * time.Hour
	}
	switch {
	case err == nil && n == 0:
		im.unneeded(o, "0 means to run once, which is \"wanbeacon run -once\"")
	case err != nil || n < 0 || n > maxSeconds || span == 0 || time.Duration(n)*span > maxSeconds*time.Second:
		im.unneeded(o, "this is no interval")
	default:
		w.force = time.Duration(n) * span
		if w.force < time.Hour {
			im.note(o.line, "force_interval of less than an hour: providers block clients that send an unchanged address this often; is force_unit as meant?")
		}
	}
}

// maxSeconds is the longest interval that our configuration may have.
const maxSeconds = 3650 * 24 * 3600

// ddnsSource is where a section takes its address from.
func (im *importer) ddnsSource(w *wish, c *uciSection, family config.Family) (s source) {
	by := find(c.options, "ip_source")
	used := "ip_network"
	switch by.value {
	case "interface":
		used = "ip_interface"
	case "script":
		used = "ip_script"
	case "web":
		used = "ip_url"
	}
	o := find(c.options, used)
	if o == none {
		o = &option{key: used, line: by.line}
	}
	switch by.value {
	case "interface":
		if o.value == "" {
			o.value = "eth1"
		}
		s = im.fromDevice(w, o)
	case "script":
		s = im.fromCommand(w, o)
	case "web":
		s = im.fromWeb(w, o, o.value, none)
	case "network", "":
		if o.value != "" && o.value != "wan" && o.value != "wan6" {
			s = im.checked(w, o, "network = "+config.Text(o.value)+"\n")
		}
	default:
		used = ""
		s = im.usual(w, by, "there is no such source")
	}
	for _, o := range c.options {
		if strings.HasPrefix(o.key, "ip_") && o.key != used && o != by {
			im.unneeded(o, "ip_source does not use it")
		}
	}
	return s
}
