package importer

import (
	"strconv"
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// Why the options of ddns-scripts that have no equivalent have none.
var ddnsScriptsUnneeded = map[string]string{
	"interface":          "changes are seen on every interface as they happen",
	"check_interval":     notPolled,
	"check_unit":         notPolled,
	"check_interval_min": notPolled,
	"retry_interval":     ownPace,
	"retry_unit":         ownPace,
	"retry_count":        ownPace,
	"retry_max_count":    ownPace,
	"use_syslog":         "the log goes to standard output, and from there to the system's",
	"use_logfile":        "the log goes to standard output, and from there to the system's",
	"use_https":          "it is always https, unless the URL is your own",
	"force_ipversion":    "each request is made over what works",
	"force_dnstcp":       "names are looked up as the system does it",
	"is_glue":            "the name servers of the zone are asked",
	"use_api_check":      "what was published last is remembered",
	"proxy":              "proxies are not supported",
	"user_agent":         "wanbeacon says its own name, as providers ask",
	"use_curl":           "no other program is needed",
	"ddns_dateformat":    "the log has the system's times",
	"ddns_rundir":        "state_dir in [daemon] has what must be kept",
	"ddns_logdir":        "the log goes to standard output, and from there to the system's",
	"ddns_loglines":      "the log goes to standard output, and from there to the system's",
	"url":                "providers are part of the program",
	"services_url":       "providers are part of the program",
}

const (
	notPolled = "changes are seen as they happen"
	ownPace   = "the waits after errors are the providers' own"
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
			im.note(c.line, "a section of the kind %s is left out", quote(c.kind))
		}
	}
}

func (im *importer) ddnsGlobal(c *uciSection) {
	for _, u := range c.options {
		o := u.one()
		switch {
		case o.key == "upd_privateip":
			im.private = uciTrue(o.value)
		case o.key == "cacert":
			im.certificates(o)
		default:
			im.unneededOf(ddnsScriptsUnneeded, o)
		}
	}
}

// one is the option as the scripts see it: of a list, all with blanks between.
func (u uciOption) one() option {
	return option{u.name, strings.Join(u.values, " "), u.line}
}

// unneededOf records an option that has no equivalent, with the reason of the
// list, or as one that nobody knows.
func (im *importer) unneededOf(reasons map[string]string, o option) {
	switch why := reasons[o.key]; {
	case why != "":
		im.unneeded(o, why)
	case isWord(o.key):
		im.unneeded(o, "there is no equivalent")
	default:
		im.note(o.line, "an option is left out: there is no equivalent")
	}
}

// certificates is a file or directory of certificates, or a word that means
// that they are not looked at.
func (im *importer) certificates(o option) {
	switch {
	case o.value == "":
	case o.value == "IGNORE":
		im.unneeded(o, "certificates are always verified")
	case im.caFile.value != "" && im.caFile.value != o.value:
		im.unneeded(o, "there is one file for all requests, and another was named before")
	default:
		im.caFile = o
	}
}

func uciTrue(s string) bool {
	switch strings.ToLower(s) {
	case "1", "yes", "on", "true", "enabled":
		return true
	}
	return false
}

// ddnsService makes a wish of a section "service".
func (im *importer) ddnsService(c *uciSection) {
	w := &wish{line: c.line, label: "section " + quote(c.name), name: c.name, disabled: true}
	if c.name == "" {
		w.label = "the section in line " + decimal(c.line)
	}
	get := map[string]option{}
	for _, u := range c.options {
		if u.list && len(u.values) > 1 && u.name == "domain" {
			u.values = []string{strings.Join(u.values, ",")}
		}
		get[u.name] = u.one()
	}
	family := config.IPv4
	if uciTrue(get["use_ipv6"].value) {
		family = config.IPv6
	}
	w.both(family)
	w.lookup = get["lookup_host"]
	w.known, w.service = im.ddnsKnown(w, get)
	for _, u := range c.options {
		o := get[u.name]
		switch o.key {
		case "enabled":
			w.disabled = !uciTrue(o.value)
		case "use_ipv6", "service_name", "update_url", "update_script", "lookup_host", "force_unit",
			"ip_network", "ip_interface", "ip_script", "ip_url":
			// with others, or done
		case "domain", "username", "password", "param_enc", "param_opt":
			w.options = append(w.options, o)
		case "ip_source":
		case "cacert":
			im.certificates(o)
		case "force_interval":
			im.forceInterval(w, o, get["force_unit"].value)
		case "bind_network":
			im.note(o.line, "bind_network: a network's name cannot be carried over; write bind = \"DEVICE\" into the provider's table")
			w.remark("bind_network was %s: write bind = \"DEVICE\" into the table of the provider.", quote(o.value))
		case "dns_server":
			if w.known != nil && w.known.targets[o.key] != "" {
				w.options = append(w.options, o)
			} else {
				im.unneeded(o, "choosing the name server is not supported yet")
			}
		default:
			im.unneededOf(ddnsScriptsUnneeded, o)
		}
	}
	*w.source(family) = im.ddnsSource(w, get, family)
	if w.known == nil {
		im.ddnsCustom(w, get)
	}
	im.wish(w)
}

// ddnsKnown finds the service that a section names, by itself or by the script
// that the service has.
func (im *importer) ddnsKnown(w *wish, get map[string]option) (*service, string) {
	if name := get["service_name"].value; name != "" {
		return findService(ddnsScriptsServices, name), name
	}
	script := get["update_script"].value
	name := script[strings.LastIndexByte(script, '/')+1:]
	if inner, ok := strings.CutPrefix(strings.TrimSuffix(name, ".sh"), "update_"); ok {
		return findAlike(ddnsScriptsServices, inner), name
	}
	return nil, name
}

func (im *importer) forceInterval(w *wish, o option, unit string) {
	n, err := strconv.Atoi(o.value)
	span := map[string]time.Duration{"": time.Hour, "seconds": time.Second, "minutes": time.Minute, "hours": time.Hour, "days": 24 * time.Hour}[unit]
	switch {
	case err == nil && n == 0:
		im.unneeded(o, "0 means to run once, which is \"wanbeacon run -once\"")
	case err != nil || n < 0 || n > 3650*24*3600 || span == 0 || time.Duration(n)*span > 3650*24*time.Hour:
		im.unneeded(o, "this is no interval")
	default:
		w.force = time.Duration(n) * span
		if w.force < time.Hour {
			im.note(o.line, "force_interval of less than an hour: providers block clients that send an unchanged address this often; is force_unit as meant?")
		}
	}
}

// ddnsSource is where a section takes its address from.
func (im *importer) ddnsSource(w *wish, get map[string]option, family config.Family) source {
	given := func(key, other string) option {
		if o, ok := get[key]; ok && o.value != "" {
			return o
		}
		return option{key, other, get["ip_source"].line}
	}
	used := "ip_network"
	s := source{}
	switch get["ip_source"].value {
	case "interface":
		used = "ip_interface"
		s = im.fromDevice(w, given(used, "eth1"))
	case "script":
		used = "ip_script"
		s = im.fromCommand(w, given(used, ""))
	case "web":
		used = "ip_url"
		im.fromWeb(w, given(used, ""))
	case "network", "":
		usual := "wan"
		if family == config.IPv6 {
			usual = "wan6"
		}
		if o := given(used, usual); o.value != "wan" && o.value != "wan6" {
			s = im.usual(w, o, "naming a network of OpenWrt is not supported yet; make a [source.NAME] with interface = \"DEVICE\"")
		}
	default:
		used = ""
		s = im.usual(w, get["ip_source"], "there is no such source")
	}
	for _, key := range []string{"ip_network", "ip_interface", "ip_script", "ip_url"} {
		if o, ok := get[key]; ok && key != used {
			im.unneeded(o, "ip_source does not use it")
		}
	}
	return s
}
