package importer

import (
	"strconv"
	"strings"
	"time"
)

// ddclient reads ddclient.conf.
func (im *importer) ddclient(text string) {
	var defaults []*option
	for _, l := range im.ddclientLines(text) {
		var own, hosts []*option
		for _, o := range l.options {
			if !im.ddclientOption(o) {
				continue
			}
			own = append(own, o)
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
				o.key = key
				own = append(own, o)
			}
		}
		if len(l.words) > 3 {
			im.note(l.words[3].line, "what is after the hostnames, login and password is left out")
		}
		// Options without a hostname hold for the lines after them.
		all := replaced(defaults, own)
		if len(hosts) > 0 {
			im.ddclientWish(l.line, all, hosts)
		} else if len(all) <= maxOptions {
			defaults = all
		}
	}
	if len(im.wishes) == 0 {
		im.note(0, "there is no hostname in the file; options that are after the hostname of their line are not found")
	}
}

// replaced returns the options, with those of more in the place of earlier
// ones of the same key.
func replaced(options, more []*option) []*option {
	var list []*option
	if len(more) > maxOptions {
		more = more[:maxOptions]
	}
	for _, o := range options {
		if find(more, o.key) == none {
			list = append(list, o)
		}
	}
	for i, o := range more {
		if find(more[i+1:], o.key) == none {
			list = append(list, o)
		}
	}
	return list
}

func ddclientHosts(hosts []*option, list *option) []*option {
	for _, name := range strings.Split(list.value, ",") {
		if name = strings.TrimSpace(name); name != "" {
			hosts = append(hosts, &option{key: "host", value: name, line: list.line})
		}
	}
	return hosts
}

// ddclientOption deals with what holds for the whole program, and with the
// environment. It returns false if there is nothing more to do with o.
func (im *importer) ddclientOption(o *option) bool {
	key, env := strings.CutSuffix(o.key, "_env")
	if reasonOf(ddclientOptions, key) == "" {
		// Its name is not shown: it may be a piece of a password.
		im.note(o.line, "an option that ddclient does not have is left out")
		return false
	}
	if env {
		value, ok := "", false
		if im.opt.Getenv != nil {
			value, ok = im.opt.Getenv(o.value)
		}
		if !ok {
			im.note(o.line, o.key, ": this environment variable is not set here, so that ", key, " is missing")
			return false
		}
		o.key, o.value = key, value
	}
	switch im.codeOf(ddclientOptions, o) {
	case 0: // said already
		return false
	case 'c':
		im.certificates(o)
	case 'y':
		if !isTrue(o.value) {
			im.unneeded(o, "certificates are always verified")
		}
	case 't':
		if n, err := strconv.Atoi(strings.TrimSuffix(o.value, "s")); err == nil && n > 0 && n < maxSeconds {
			o.value = tomlSpan(time.Duration(n) * time.Second)
			im.timeout = o
		} else {
			im.unneeded(o, "this is no number of seconds")
		}
	case 'q':
		if isTrue(o.value) {
			im.level = "warn"
			if o.key == "debug" {
				im.level = o.key
			}
		}
	default:
		return true
	}
	return false
}

// ddclientWish makes a wish of a line with hostnames.
func (im *importer) ddclientWish(line int, options, hosts []*option) {
	w := &wish{line: line, service: strings.ToLower(find(options, "protocol").value), hosts: hosts}
	if w.service == "" {
		w.service = "dyndns2"
	}
	w.label = "protocol " + quote(w.service)
	im.ddclientServer(w, options)
	im.ddclientSources(w, options)
	for _, o := range options {
		switch reasonOf(ddclientOptions, o.key)[1] {
		case 'o':
			w.options = append(w.options, o)
		case 'l':
			if !isTrue(o.value) && w.custom == nil {
				im.unneeded(o, "it is always https")
			}
		case 'f':
			w.force = im.ddclientInterval(o)
		case 'x':
			im.ddclientScript(w, o)
		case 'm':
			if isTrue(o.value) || o.key == "mx" {
				im.unneeded(o, "an update changes the addresses alone")
			}
		}
	}
	im.wish(w)
}

func (im *importer) ddclientInterval(o *option) time.Duration {
	number := strings.TrimRight(strings.ToLower(o.value), "abcdefghijklmnopqrstuvwxyz")
	unit := time.Second
	n, err := strconv.Atoi(number)
	switch strings.ToLower(o.value[len(number):]) {
	case "", "s", "seconds":
	case "m", "minutes":
		unit = time.Minute
	case "h", "hours":
		unit = time.Hour
	case "d", "days":
		unit = 24 * time.Hour
	default:
		if number == "" {
			return 0 // never, inf: our default
		}
		n = 0
	}
	if err != nil || n <= 0 || n > maxSeconds || time.Duration(n)*unit > maxSeconds*time.Second {
		im.unneeded(o, "this is no interval")
		return 0
	}
	return time.Duration(n) * unit
}

// ddclientScript is a program to run after an update.
func (im *importer) ddclientScript(w *wish, o *option) {
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
func (im *importer) ddclientServer(w *wish, options []*option) {
	o, script := find(options, "server"), find(options, "script")
	server := strings.TrimSuffix(strings.ToLower(o.value), "/")
	scheme, host, ok := strings.Cut(server, "://")
	if !ok {
		scheme, host = "https", server
		if ssl := find(options, "ssl"); ssl != none && !isTrue(ssl.value) {
			scheme = "http"
		}
	}
	if w.service != "dyndns2" {
		w.known = findService(ddclientServices, w.service, exactly)
		own := "," + w.known.target("server") + ","
		if w.known != "" && host != "" && !strings.Contains(own, ","+server+",") && !strings.Contains(own, ","+host+",") {
			w.server, w.plain = o, scheme == "http"
		}
		if script != none {
			im.unneeded(script, "it belongs to the protocol dyndns2")
		}
		return
	}
	if host == "" {
		host = "members.dyndns.org"
	}
	// A message must not have what somebody may have put around the host.
	shown, _, _ := strings.Cut(host[strings.LastIndexByte(host, '@')+1:], "/")
	w.label += " at " + quote(shown)
	if w.known = findService(ddclientServices, "dyndns2/"+host, exactly); w.known != "" {
		return
	}
	w.name = host
	w.plain = scheme == "http"
	path := script.value
	if path == "" {
		path = "/nic/update"
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	w.custom = &custom{url: literal(scheme+"://"+host+path) + "?hostname={hostname}&myip={address}", success: "word good", same: "word nochg"}
	if path == "/nic/update" {
		w.custom.server = scheme + "://" + host
	}
}
