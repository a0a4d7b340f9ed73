package importer

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/wanbeacon/wanbeacon/ddns/provider"
	"github.com/wanbeacon/wanbeacon/ddns/replace"
)

// usually is what the options of all clients become if the table of services
// does not say otherwise, and the provider does not have a key of that name.
const usually service = "* * login=username/user/email username=username/user/email password=password/token/api_key/key/secret " +
	"zone=:zone ttl=:ttl domain=:host param_enc=- param_opt=-"

// fieldOf returns the provider's key for one of several names with "/" between
// them; "" if it has none of them.
func fieldOf(def *provider.Definition, names string) string {
	for _, name := range strings.Split(names, "/") {
		for i := range def.Fields {
			if f := &def.Fields[i]; f.Key == name || contains(f.Also, name) {
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
			target := w.known.target(o.key)
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
	im.setServer(w, a)
	if a.label != "" && a.zone != "" {
		w.hosts = append(w.hosts, &option{value: whole(a.label, a.zone), line: w.line})
	}
	if len(w.hosts) == 0 && w.lookup != nil {
		w.hosts = append(w.hosts, w.lookup)
	}
	if user := find(w.options, "username"); len(w.hosts) == 0 && im.isHostname(user.value) {
		// Some services have an account for each name, and the name is its user.
		w.hosts = append(w.hosts, user)
		im.note(w.line, w.label, ": there is no hostname; the user name is one, and is taken for it")
	}
}

// usualTarget is where an option goes that the table of services does not name.
func usualTarget(def *provider.Definition, key string) string {
	target := usually.target(key)
	if target == "" || target[0] != ':' && fieldOf(def, key) != "" {
		return key
	}
	return target
}

// eachHost returns a wish for each hostname, where a service has something
// else in its place that belongs into the account; nil: it has hostnames.
func (im *importer) eachHost(w *wish) (each []*wish) {
	if len(w.hosts) == 0 {
		return nil
	}
	target := w.known.target(w.hosts[0].key)
	before, after, pattern := strings.Cut(target, "*")
	if target == "" {
		return nil
	}
	for _, h := range w.hosts {
		if !pattern {
			one := *w
			one.hosts, one.options = nil, append(w.options[:len(w.options):len(w.options)], h)
			each = append(each, &one)
		} else if strings.Trim(h.value, "0123456789") == "" {
			h.value = before + h.value + after
		}
	}
	return each
}

// place gives one option to where the table of services says.
func (im *importer) place(w *wish, def *provider.Definition, a *account, o *option, target string) {
	plain, special, ok := strings.Cut(target, ":")
	key := fieldOf(def, plain)
	switch {
	case key != "" && find(a.fields, key) == none:
		o.used = true
		a.set(fileOf(def, key, o.value), flagOf(def, key, o.value))
	case ok && key == "":
		o.used = true
		im.special(w, def, a, o, special)
	case key != "" || strings.HasSuffix(target, "-"):
		im.unneededHere(o, "it is not needed")
	default:
		im.noUseFor(a, o, "it")
	}
}

func (im *importer) noUseFor(a *account, o *option, what string) {
	im.unneededHere(o, "the provider "+quote(a.typ)+" has no use for "+what)
}

// flagOf is value as the provider's key has it, if that is true or false.
func flagOf(def *provider.Definition, key, value string) string {
	for i := range def.Fields {
		if f := &def.Fields[i]; f.Key == key && contains(f.Options, "true") {
			return strconv.FormatBool(isTrue(value))
		}
	}
	return value
}

// fileOf is key, or the one for a file where value is the path of a private key.
func fileOf(def *provider.Definition, key, value string) string {
	for i := range def.Fields {
		if f := &def.Fields[i]; f.Key == key && f.Lines && strings.HasPrefix(value, "/") {
			return key + keyFile
		}
	}
	return key
}

// keyFile ends the key of a file that has the value.
const keyFile = "_file"

// setZone sets the zone of the account's hostnames.
func (a *account) setZone(def *provider.Definition, zone string) {
	a.zone = strings.ToLower(strings.Trim(zone, "."))
	a.setField(def, "zone", a.zone)
}

// setField fills in a field, if the provider has it.
func (a *account) setField(def *provider.Definition, name, value string) bool {
	key := fieldOf(def, name)
	if key == "" || value == "" {
		return false
	}
	a.set(key, value)
	return true
}

// special gives one option to what is not simply a field.
func (im *importer) special(w *wish, def *provider.Definition, a *account, o *option, target string) {
	switch target {
	case "zone":
		a.setZone(def, o.value)
	case "name":
		a.label = o.value
	case "at":
		name, zone, ok := strings.Cut(o.value, "@")
		if !ok {
			im.host(w, o)
			return
		}
		a.setZone(def, zone)
		if a.label = strings.Trim(name, "."); a.label == "" {
			a.label = "@"
		}
	case "host":
		for _, name := range strings.Split(o.value, ",") {
			im.host(w, &option{key: o.key, value: strings.TrimSpace(name), line: o.line})
		}
	case "id": // the lookup has the hostname
	case "ttl":
		w.ttl = o
	case "server":
		w.server = o
	case "tail":
		im.tail(def, a, o)
	case "email":
		im.email(w, def, a, o)
	case "keyname": // nsupdate takes ALGORITHM:NAME
		algorithm, name, ok := strings.Cut(o.value, ":")
		if !ok {
			name = algorithm
		} else {
			a.setField(def, "key_algorithm", algorithm)
		}
		a.setField(def, "key_name", name)
	case "keyfile":
		im.keyFile(def, a, o)
	case "pairs":
		for _, pair := range strings.Fields(strings.ReplaceAll(o.value, "&", " ")) {
			key, value, named := strings.Cut(pair, "=")
			switch {
			case key == "ttl":
				w.ttl = &option{key: o.key, value: value, line: o.line}
			case key == "zone" && a.setField(def, "zone_name", value):
			case a.setField(def, key, value):
			case named && isWord(key):
				im.unneeded(o, "the provider "+quote(a.typ)+" has no use for "+quote(key))
			default:
				im.unneeded(o, "the provider "+quote(a.typ)+" has no use for it")
			}
		}
	}
}

// tail sets the token that a URL ends in.
func (im *importer) tail(def *provider.Definition, a *account, o *option) {
	_, token, query := strings.Cut(o.value, "?q=")
	if !query {
		token = strings.TrimRight(o.value, "/")
		token = token[strings.LastIndexByte(token, '/')+1:]
	}
	key := "token"
	if o.key == "urlv6" {
		key = "token_ipv6"
	}
	if !a.setField(def, key, token) {
		o.used = false
		im.noUseFor(a, o, "it")
	}
}

// email is the user name of an account whose password is a key for all of it,
// while a token has none, or a word in its place.
func (im *importer) email(w *wish, def *provider.Definition, a *account, o *option) {
	if !strings.Contains(o.value, "@") || a.setField(def, "email", o.value) {
		return
	}
	im.note(o.line, o.key, ": this is the account's own key, and the provider ", quote(a.typ), " takes API tokens; make one and put it there")
	w.remark("Replace the account's own key by an API token.")
}

// setServer sets another server than the provider's own.
func (im *importer) setServer(w *wish, a *account) {
	if w.server == nil {
		return
	}
	host := w.server.value
	switch {
	case host == "" || strings.Contains(host, "://"):
	case a.typ == "rfc2136":
		if addr, err := netip.ParseAddr(host); err == nil && addr.Is6() {
			host = "[" + host + "]:53"
		}
	case w.plain:
		host = "http://" + host
	default:
		host = "https://" + host
	}
	_, a.plain = cutFold(host, "http://")
	a.server = host
}

// keyFile reads a TSIG key as nsupdate has it in a file: of BIND's form
// key "NAME" { algorithm hmac-sha256; secret "BASE64"; };
func (im *importer) keyFile(def *provider.Definition, a *account, o *option) {
	var text []byte
	if im.opt.ReadFile != nil {
		text, _ = im.opt.ReadFile(o.value)
	}
	words := strings.Fields(replace.All(string(text), `"`, " ", "{", " ", "}", " ", ";", " "))
	found := false
	for i := 1; i < len(words); i++ {
		name := ""
		switch words[i-1] {
		case "key":
			name = "key_name"
		case "algorithm", "secret":
			name = "key_" + words[i-1]
		default:
			continue
		}
		found = a.setField(def, name, words[i]) || found
		i++
	}
	if !found {
		im.note(o.line, o.key, ": the key file ", quote(o.value), " cannot be read here; put its key into key_name, key_algorithm and key_secret")
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
