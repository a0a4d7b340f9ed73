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
		o.used = o != none
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
	for _, o := range options {
		if !o.used && strings.Contains(ddclientWays, " "+o.key+" ") {
			im.unneededHere(o, "no address is found that way")
		}
	}
	if len(w.families) > 0 {
		return
	}
	w.families = []config.Family{config.IPv4}
	if some {
		w.disabled = true
		im.note(w.line, w.label, ": every use of an address is disabled, and so is the record")
	} else {
		im.noWay(w.line)
	}
}

// ddclientWays are the options that say where an address is from.
const ddclientWays = " use usev4 if ifv4 ifv6 web webv4 webv6 cmd cmdv4 cmdv6 ip ipv4 ipv6 web-skip webv4-skip webv6-skip "

// ddclientWeb are names of ddclient's web services that could be hosts.
const ddclientWeb = " he.net ip4only.me ip6only.me nsupdate.info-ipv4 nsupdate.info-ipv6 "

// ddclientURL is the page that "web" stands for; "": a service that ddclient
// knows by name. Without a scheme it is that of "ssl".
func ddclientURL(web string, options []*option) string {
	switch {
	case !strings.ContainsAny(web, "./") || strings.Contains(ddclientWeb, " "+strings.ToLower(web)+" "):
		return ""
	case strings.Contains(web, "://"):
		return web
	}
	if ssl := find(options, "ssl"); ssl != none && !isTrue(ssl.value) {
		return "http://" + web
	}
	return "https://" + web
}

// ddclientSource is the source for one family; suffix is "v4" or "v6".
func (im *importer) ddclientSource(w *wish, method, suffix string, use *option, options []*option) source {
	o := find(options, method+suffix)
	if o == none {
		o = find(options, method)
	}
	o.used = o != none
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
		skip := find(options, "web"+suffix+"-skip")
		if skip == none {
			skip = find(options, "web-skip")
		}
		skip.used = skip != none
		return im.fromWeb(w, o, ddclientURL(o.value, options), skip)
	}
	return im.usual(w, use, "a router's status page is not read")
}
