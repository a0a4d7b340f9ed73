package importer

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// Why the options of ddclient that have no equivalent have none.
var ddclientUnneeded = map[string]string{
	"daemon":             notPolled,
	"jitter":             notPolled,
	"foreground":         "wanbeacon runs in the foreground, and the system starts it",
	"file":               "the configuration is named with -config",
	"cache":              "state_dir in [daemon] has what must be kept",
	"pid":                "none is needed",
	"proxy":              "proxies are not supported",
	"force":              "\"wanbeacon update -force\" does it",
	"syslog":             "the log goes to standard output, and from there to the system's",
	"facility":           "the log goes to standard output, and from there to the system's",
	"priority":           "the log goes to standard output, and from there to the system's",
	"verbose":            "the log has what matters",
	"mail":               "notifications are not supported yet",
	"mail-failure":       "notifications are not supported yet",
	"mail-from":          "notifications are not supported yet",
	"max-warn":           "a repeated error is logged once",
	"exec":               "\"wanbeacon run -dry-run\" does it",
	"test":               "\"wanbeacon run -dry-run\" does it",
	"retry":              ownPace,
	"redirect":           "an update is sent to the provider's own address",
	"min-interval":       ownPace,
	"min-error-interval": ownPace,
	"web-skip":           "it belongs to a web look-up",
	"webv4-skip":         "it belongs to a web look-up",
	"webv6-skip":         "it belongs to a web look-up",
	"web-ssl-validate":   "it belongs to a web look-up",
	"fw-ssl-validate":    "it belongs to a router's status page",
	"fw":                 "a router's status page is not read; the interface has the address",
	"fwv4":               "a router's status page is not read; the interface has the address",
	"fwv6":               "a router's status page is not read; the interface has the address",
	"fw-skip":            "it belongs to a router's status page",
	"fwv4-skip":          "it belongs to a router's status page",
	"fwv6-skip":          "it belongs to a router's status page",
	"fw-login":           "it belongs to a router's status page",
	"fw-password":        "it belongs to a router's status page",
	"fw-banlocal":        "ddclient does not use it",
	"if-skip":            "ddclient does not use it",
	"cmd-skip":           "ddclient does not use it",
	"static":             "services have no such addresses any more",
	"custom":             "services have no such addresses any more",
	"options":            "it belongs to the command line",
	"ssl_ca_dir":         "the certificates of the system are used; ca_file in [daemon] may name others",
}

// ddclient reads ddclient.conf.
func (im *importer) ddclient(text string) {
	var defaults []option
	for _, l := range im.ddclientLines(text) {
		var own []option
		for _, o := range l.options {
			if o, ok := im.ddclientOption(o); ok {
				own = append(own, o)
			}
		}
		var hosts []option
		for _, o := range own {
			if o.key == "host" {
				hosts = ddclientHosts(hosts, o)
			}
		}
		if len(l.words) > 0 {
			hosts = ddclientHosts(hosts, l.words[0])
		}
		for i, key := range [...]string{"login", "password"} {
			if len(l.words) > i+1 {
				o := l.words[i+1]
				if strings.Contains(o.value, "=") {
					im.note(o.line, "an option after the hostnames is left out: put it before them")
					break
				}
				own = replace(own, option{key, o.value, o.line})
			}
		}
		if len(l.words) > 3 {
			im.note(l.words[3].line, "what is after the hostnames, login and password is left out")
		}
		// Options without a hostname hold for the lines after them.
		all := defaults
		for _, o := range own {
			all = replace(all, o)
		}
		if len(hosts) == 0 {
			if len(all) <= maxOptions {
				defaults = all
			}
			continue
		}
		im.ddclientWish(l.line, all, hosts)
	}
	if len(im.wishes) == 0 {
		im.note(0, "there is no hostname in the file; options that are after the hostname of their line are not found")
	}
}

// replace returns the options with o in the place of that of the same key.
func replace(options []option, o option) []option {
	list := make([]option, 0, len(options)+1)
	for _, p := range options {
		if p.key != o.key {
			list = append(list, p)
		}
	}
	return append(list, o)
}

func ddclientHosts(hosts []option, list option) []option {
	for name := range strings.SplitSeq(list.value, ",") {
		if name = strings.TrimSpace(name); name != "" {
			hosts = append(hosts, option{"host", name, list.line})
		}
	}
	return hosts
}

// ddclientOption deals with what holds for the whole program, and with the
// environment; ok is false if there is nothing more to do with it.
func (im *importer) ddclientOption(o option) (option, bool) {
	if key, env := strings.CutSuffix(o.key, "_env"); env {
		if im.opt.Getenv != nil {
			if value, ok := im.opt.Getenv(o.value); ok {
				return option{key, value, o.line}, true
			}
		}
		im.note(o.line, "%s: the environment variable %s is not set here, so that %s is missing", quote(o.key), quote(o.value), quote(key))
		return o, false
	}
	switch o.key {
	case "ssl_ca_file":
		im.certificates(o)
	case "timeout":
		if n, err := strconv.Atoi(strings.TrimSuffix(o.value, "s")); err == nil && n > 0 && n < 1e6 {
			im.timeout = option{o.key, tomlSpan(time.Duration(n) * time.Second), o.line}
		} else {
			im.unneeded(o, "this is no number of seconds")
		}
	case "debug", "quiet":
		if ddclientTrue(o.value) {
			im.level = map[string]string{"debug": "debug", "quiet": "warn"}[o.key]
		}
	default:
		if ddclientUnneeded[o.key] == "" {
			return o, true
		}
		im.unneeded(o, ddclientUnneeded[o.key])
	}
	return o, false
}

func ddclientTrue(s string) bool {
	switch strings.ToLower(s) {
	case "yes", "true", "1", "on", "y", "t":
		return true
	}
	return false
}

// ddclientWish makes a wish of a line with hostnames.
func (im *importer) ddclientWish(line int, options, hosts []option) {
	get := map[string]option{}
	for _, o := range options {
		get[o.key] = o
	}
	protocol := strings.ToLower(get["protocol"].value)
	if protocol == "" {
		protocol = "dyndns2"
	}
	w := &wish{line: line, label: "protocol " + quote(protocol), service: protocol, hosts: hosts}
	im.ddclientServer(w, protocol, get)
	im.ddclientSources(w, get)
	for _, o := range options {
		switch o.key {
		case "protocol", "server", "script", "host", "use", "usev4", "usev6", "if", "ifv4", "ifv6", "web", "webv4", "webv6",
			"cmd", "cmdv4", "cmdv6", "ip", "ipv4", "ipv6":
		case "ssl":
			if !ddclientTrue(o.value) && w.custom == nil {
				im.unneeded(o, "it is always https")
			}
		case "max-interval":
			w.force = im.ddclientInterval(o)
		case "postscript":
			im.ddclientScript(w, o)
		case "mx", "backupmx", "wildcard":
			if ddclientTrue(o.value) || o.key == "mx" {
				im.unneeded(o, "an update changes the addresses alone")
			}
		default:
			w.options = append(w.options, o)
		}
	}
	im.wish(w)
}

func (im *importer) ddclientInterval(o option) time.Duration {
	digits := 0
	for digits < len(o.value) && '0' <= o.value[digits] && o.value[digits] <= '9' {
		digits++
	}
	n, err := strconv.Atoi(o.value[:digits])
	unit := time.Second
	switch strings.ToLower(o.value[digits:]) {
	case "", "s", "seconds":
	case "m", "minutes":
		unit = time.Minute
	case "h", "hours":
		unit = time.Hour
	case "d", "days":
		unit = 24 * time.Hour
	default:
		if digits > 0 {
			err = strconv.ErrSyntax
		}
	}
	switch {
	case digits == 0 && isWord(o.value): // never, inf: our default
		return 0
	case err != nil || n <= 0 || n > 3650*24*3600 || time.Duration(n)*unit > 3650*24*time.Hour:
		im.unneeded(o, "this is no interval")
		return 0
	}
	return time.Duration(n) * unit
}

// ddclientScript is a program to run after an update.
func (im *importer) ddclientScript(w *wish, o option) {
	argv, why := argvOf(o.value)
	if why != "" {
		im.unneeded(o, why)
		return
	}
	w.onChange = argv
	im.note(o.line, "postscript: it gets the address no longer as an argument, but as WANBEACON_ADDRESS, beside WANBEACON_HOSTNAME and others")
}

// ddclientServer finds the service by protocol and server. The protocol
// dyndns2 at a server that is not known becomes an update URL.
func (im *importer) ddclientServer(w *wish, protocol string, get map[string]option) {
	o := get["server"]
	server := strings.TrimSuffix(strings.ToLower(o.value), "/")
	scheme, host, ok := strings.Cut(server, "://")
	if !ok {
		scheme, host = "https", server
		if ssl, there := get["ssl"]; there && !ddclientTrue(ssl.value) {
			scheme = "http"
		}
	}
	if protocol != "dyndns2" {
		w.known = findService(ddclientServices, protocol)
		if w.known != nil && host != "" {
			own := "," + w.known.targets["server"] + ","
			if !strings.Contains(own, ","+server+",") && !strings.Contains(own, ","+host+",") {
				w.server, w.plain = o, scheme == "http"
			}
		}
		if s, there := get["script"]; there {
			im.unneeded(s, "it belongs to the protocol dyndns2")
		}
		return
	}
	if host == "" {
		host = "members.dyndns.org"
	}
	if w.known = findService(ddclientServices, "dyndns2/"+host); w.known != nil {
		w.label += " at " + host
		return
	}
	w.label += " at " + quote(host)
	w.name = host
	w.plain = scheme == "http"
	u := &urlParts{}
	u.literal(scheme + "://" + host)
	script := get["script"].value
	if script == "" {
		script = "/nic/update"
	}
	if !strings.HasPrefix(script, "/") {
		u.literal("/")
	}
	u.literal(script)
	u.b.WriteString("?hostname={hostname}&myip={address}")
	w.custom = &custom{url: u.b.String(), success: "word good", same: "word nochg"}
	if script == "/nic/update" {
		w.custom.server = scheme + "://" + host
	}
}

// ddclientSources finds out which families there are, and where each one's
// address is from.
func (im *importer) ddclientSources(w *wish, get map[string]option) {
	v4, have4 := get["usev4"]
	v6, have6 := get["usev6"]
	use, haveUse := get["use"]
	if !have4 && haveUse {
		v4, have4 = use, true
	}
	var families []config.Family
	for _, f := range [...]struct {
		family config.Family
		use    option
		have   bool
	}{{config.IPv4, v4, have4}, {config.IPv6, v6, have6}} {
		suffix := "v" + strconv.Itoa(int(f.family))
		method := strings.TrimSuffix(strings.ToLower(f.use.value), suffix)
		if !f.have || method == "disabled" || method == "no" || method == "" {
			continue
		}
		s, family := im.ddclientSource(w, method, suffix, f.use, get), f.family
		if s.ipv6 != "" {
			family = config.IPv6 // use=ip takes either
		}
		if !slices.Contains(families, family) {
			families = append(families, family)
			*w.source(family) = s
		}
	}
	if len(families) == 0 {
		families = append(families, config.IPv4)
		if haveUse || have4 || have6 {
			w.disabled = true
			im.note(w.line, "%s: every use of an address is disabled, and so is the record", w.label)
		} else {
			if !im.noUse {
				im.note(w.line, "no way to find the address is set; it is taken from the interface with the default route")
			}
			im.noUse = true
		}
	}
	w.both(families...)
}

// ddclientSource is the source for one family; suffix is "v4" or "v6".
func (im *importer) ddclientSource(w *wish, method, suffix string, use option, get map[string]option) source {
	given := func(key, other string) option {
		if o, ok := get[key+suffix]; ok {
			return o
		}
		if o, ok := get[key]; ok {
			return o
		}
		return option{use.key, other, use.line}
	}
	switch method {
	case "ip":
		o := given("ip", "")
		s := source{method: "static", ipv4: o.value}
		if suffix == "v6" || strings.Contains(o.value, ":") {
			s = source{method: "static", ipv6: o.value}
		}
		if why, ok := im.accepts("[source.x]\n" + s.text()); !ok {
			return im.usual(w, o, why)
		}
		return s
	case "if":
		o := given("if", "default")
		if o.value == "default" {
			return source{}
		}
		return im.fromDevice(w, o)
	case "cmd":
		return im.fromCommand(w, given("cmd", ""))
	case "web":
		return im.fromWeb(w, given("web", ""))
	}
	return im.usual(w, use, "a router's status page is not read")
}
