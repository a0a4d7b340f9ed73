package importer

import (
	"strings"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// ddclientSources finds out which families there are, and where each one's
// address is from.
func (im *importer) ddclientSources(w *wish, options []*option) {
	use := find(options, "use")
	some := use != none
	for _, f := range [...]config.Family{config.IPv4, config.IPv6} {
		suffix := "v4"
		if f == config.IPv6 {
			suffix = "v6"
		}
		o := find(options, "use"+suffix)
		some = some || o != none
		if o == none && f == config.IPv4 {
			o = use
		}
		method := strings.TrimSuffix(strings.ToLower(o.value), suffix)
		if method == "disabled" || method == "no" || method == "" {
			continue
		}
		s := im.ddclientSource(w, method, suffix, o, options)
		if strings.Contains(string(s), "\nipv6 = ") {
			f = config.IPv6 // use=ip takes either
		}
		if len(w.families) > 0 && w.families[0] == f {
			continue
		}
		w.families = append(w.families, f)
		*w.source(f) = s
	}
	if len(w.families) > 0 {
		return
	}
	w.families = []config.Family{config.IPv4}
	if some {
		w.disabled = true
		im.note(w.line, w.label, ": every use of an address is disabled, and so is the record")
	} else if !im.noUse {
		im.noUse = true
		im.note(w.line, "no way to find the address is set; it is taken from the interface with the default route")
	}
}

// ddclientSource is the source for one family; suffix is "v4" or "v6".
func (im *importer) ddclientSource(w *wish, method, suffix string, use *option, options []*option) source {
	o := find(options, method+suffix)
	if o == none {
		o = find(options, method)
	}
	if o == none {
		o = &option{key: use.key, line: use.line}
	}
	switch method {
	case "ip":
		key := "ipv4"
		if suffix == "v6" || strings.Contains(o.value, ":") {
			key = "ipv6"
		}
		return im.checked(w, o, staticSource+key+" = "+config.Text(o.value)+"\n")
	case "if":
		if o.value == "default" || o.value == "" {
			return ""
		}
		return im.fromDevice(w, o)
	case "cmd":
		return im.fromCommand(w, o)
	case "web":
		return im.fromWeb(w, o)
	}
	return im.usual(w, use, "a router's status page is not read")
}
