package importer

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// usually is what the options of all clients become if the table of services
// does not say otherwise, and the provider does not have a key of that name.
var usually = map[string]string{
	"login":     "username/user/email",
	"username":  "username/user/email",
	"password":  "password/token/api_key/key/secret",
	"zone":      ":zone",
	"ttl":       ":ttl",
	"domain":    ":host",
	"param_enc": "-",
	"param_opt": "-",
}

// fieldOf returns the provider's key for one of several names with "/" between
// them; "" if it has none of them.
func fieldOf(def *provider.Definition, names string) string {
	for name := range strings.SplitSeq(names, "/") {
		for _, f := range def.Fields {
			if f.Key == name || slices.Contains(f.Also, name) {
				return f.Key
			}
		}
	}
	return ""
}

// fill gives the options of a wish to its account, first those that the table
// of services names: what is left may take what they leave.
func (im *importer) fill(w *wish, def *provider.Definition, a *account) {
	for _, named := range [...]bool{true, false} {
		for _, o := range w.options {
			target := ""
			if w.known != nil {
				target = w.known.targets[o.key]
			}
			switch {
			case o.value == "" || named != (target != ""):
			case len(o.value) > maxValue:
				im.unneeded(o, "its value is too long")
			case named:
				im.place(w, def, a, o, target)
			default:
				im.place(w, def, a, o, usualTarget(def, o.key))
			}
		}
	}
	im.server(w, a)
	if a.label != "" && a.zone != "" {
		w.hosts = append(w.hosts, option{"", whole(a.label, a.zone), w.line})
	}
	if len(w.hosts) == 0 && w.lookup.value != "" {
		w.hosts = append(w.hosts, w.lookup)
	}
	for _, o := range w.options {
		// Some services have an account for each name, and the name is its user.
		if o.key == "username" && len(w.hosts) == 0 && im.isHostname(o.value) {
			w.hosts = append(w.hosts, o)
			im.note(w.line, "%s: there is no hostname; the user name is one, and is taken for it", w.label)
		}
	}
}

// usualTarget is where an option goes that the table of services does not name.
func usualTarget(def *provider.Definition, option string) string {
	target := usually[option]
	if key := fieldOf(def, option); target == "" || key != "" && target[0] != ':' {
		return option
	}
	return target
}

// eachHost returns a wish for each hostname, where a service has something
// else in its place that belongs into the account; nil: it has hostnames.
func (im *importer) eachHost(w *wish) []*wish {
	if w.known == nil || len(w.hosts) == 0 {
		return nil
	}
	target := w.known.targets[w.hosts[0].key]
	before, after, pattern := strings.Cut(target, "*")
	if target == "" {
		return nil
	}
	var each []*wish
	for i, h := range w.hosts {
		if !pattern {
			one := *w
			one.hosts, one.options = nil, append(slices.Clip(w.options), h)
			each = append(each, &one)
		} else if strings.Trim(h.value, "0123456789") == "" {
			w.hosts[i].value = before + h.value + after
		}
	}
	return each
}

// place gives one option to where the table of services says.
func (im *importer) place(w *wish, def *provider.Definition, a *account, o option, target string) {
	key := ""
	for part := range strings.SplitSeq(target, "/") {
		if strings.HasPrefix(part, ":") {
			im.special(w, def, a, o, part)
			return
		}
		if key = fieldOf(def, part); key != "" {
			break
		}
	}
	if key == "" && strings.HasSuffix(target, "-") {
		im.unneededHere(o, "it is not needed")
		return
	}
	if key == "" {
		im.unneededHere(o, "the provider "+quote(a.typ)+" has no use for it")
		return
	}
	if a.has(key) {
		im.unneededHere(o, "it is not needed")
		return
	}
	im.used[o] = true
	a.set(key, flagOf(def, key, o.value), o.line)
}

// flagOf is value as the provider's key has it, if that is true or false.
func flagOf(def *provider.Definition, key, value string) string {
	for _, f := range def.Fields {
		if f.Key == key && slices.Contains(f.Options, "true") {
			return strconv.FormatBool(uciTrue(value) || ddclientTrue(value))
		}
	}
	return value
}

// special gives one option to what is not simply a field.
func (im *importer) special(w *wish, def *provider.Definition, a *account, o option, target string) {
	im.used[o] = true
	switch target {
	case ":zone":
		a.zone = strings.ToLower(strings.Trim(o.value, "."))
		if key := fieldOf(def, "zone"); key != "" {
			a.set(key, a.zone, o.line)
		}
	case ":name":
		a.label = o.value
	case ":at":
		name, zone, ok := strings.Cut(o.value, "@")
		if !ok {
			w.hosts = append(w.hosts, o)
			return
		}
		im.special(w, def, a, option{o.key, zone, o.line}, ":zone")
		if a.label = strings.Trim(name, "."); a.label == "" {
			a.label = "@"
		}
	case ":host":
		for name := range strings.SplitSeq(o.value, ",") {
			im.host(w, option{o.key, strings.TrimSpace(name), o.line})
		}
	case ":id": // the lookup has the hostname
	case ":ttl":
		w.ttl = o
	case ":server":
		w.server = o
	case ":tail":
		_, token, query := strings.Cut(o.value, "?q=")
		if !query {
			token = strings.TrimRight(o.value, "/")
			token = token[strings.LastIndexByte(token, '/')+1:]
		}
		key := "token"
		if o.key == "urlv6" {
			key = "token_ipv6"
		}
		if token == "" || fieldOf(def, key) == "" {
			im.unneeded(o, "the provider "+quote(a.typ)+" has no use for it")
			return
		}
		a.set(key, token, o.line)
	case ":email":
		im.email(w, def, a, o)
	case ":keyname": // nsupdate takes ALGORITHM:NAME
		algorithm, name, ok := strings.Cut(o.value, ":")
		if !ok {
			name = algorithm
		} else if key := fieldOf(def, "key_algorithm"); key != "" {
			a.set(key, algorithm, o.line)
		}
		if key := fieldOf(def, "key_name"); key != "" {
			a.set(key, name, o.line)
		}
	case ":keyfile":
		im.keyFile(w, def, a, o)
	case ":pairs":
		for _, pair := range strings.FieldsFunc(o.value, func(r rune) bool { return r == ' ' || r == '&' || r == '\t' }) {
			key, value, _ := strings.Cut(pair, "=")
			switch field := fieldOf(def, key); {
			case key == "ttl":
				w.ttl = option{o.key, value, o.line}
			case field != "":
				a.set(field, value, o.line)
			case isWord(key):
				im.unneeded(o, "the provider "+quote(a.typ)+" has no use for "+quote(key))
			default:
				im.unneeded(o, "the provider "+quote(a.typ)+" has no use for it")
			}
		}
	}
}

// email is the user name of an account whose password is a key for all of it,
// while a token has none, or a word in its place.
func (im *importer) email(w *wish, def *provider.Definition, a *account, o option) {
	if !strings.Contains(o.value, "@") {
		return
	}
	if key := fieldOf(def, "email"); key != "" {
		a.set(key, o.value, o.line)
		return
	}
	im.note(o.line, "%s: this is the account's own key, and the provider %s takes API tokens; make one and put it there", o.key, quote(a.typ))
	w.remark("Replace the account's own key by an API token.")
}

// server sets another server than the provider's own.
func (im *importer) server(w *wish, a *account) {
	host := w.server.value
	if host == "" {
		return
	}
	if !strings.Contains(host, "://") {
		switch {
		case a.typ == "rfc2136":
			if addr, err := netip.ParseAddr(host); err == nil && addr.Is6() {
				host = "[" + host + "]:53"
			}
		case w.plain:
			host = "http://" + host
		default:
			host = "https://" + host
		}
	}
	a.plain = strings.HasPrefix(strings.ToLower(host), "http://")
	a.server = host
}

// keyFile reads a TSIG key as nsupdate has it in a file: of BIND's form
// key "NAME" { algorithm hmac-sha256; secret "BASE64"; };
func (im *importer) keyFile(w *wish, def *provider.Definition, a *account, o option) {
	var text []byte
	if im.opt.ReadFile != nil {
		text, _ = im.opt.ReadFile(o.value)
	}
	words := strings.FieldsFunc(string(text), func(r rune) bool { return strings.ContainsRune(" \t\r\n\"{};", r) })
	found := false
	for i := 0; i+1 < len(words); i++ {
		name := map[string]string{"key": "key_name", "algorithm": "key_algorithm", "secret": "key_secret"}[words[i]]
		if key := fieldOf(def, name); key != "" {
			a.set(key, words[i+1], o.line)
			found = true
			i++
		}
	}
	if !found {
		im.note(o.line, "%s: the key file %s cannot be read here; put its key into key_name, key_algorithm and key_secret", o.key, quote(o.value))
	}
}

// whole returns the whole hostname for a name that may be relative to zone,
// or "@" for the zone itself.
func whole(name, zone string) string {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if rest, ok := strings.CutPrefix(name, "@."); ok {
		return rest
	}
	switch {
	case zone == "":
		return name
	case name == "@" || name == "":
		return zone
	case name == zone || strings.HasSuffix(name, "."+zone):
		return name
	}
	return name + "." + zone
}

func decimal(n int) string { return strconv.Itoa(n) }
