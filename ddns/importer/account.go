package importer

import (
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// account is one table [provider.NAME].
type account struct {
	name   string // set when it is added
	base   string // of the name
	typ    string
	server string
	plain  bool
	force  time.Duration
	fields []*option // in order; the value may be a secret

	body  string // the table without its header and type, once it is complete
	zone  string // that its hostnames are in; "": not known
	label string // relative name in the zone
	ready *provider.Provider
}

// set fills in a field; the first value stays.
func (a *account) set(key, value string) {
	if find(a.fields, key) == none {
		a.fields = append(a.fields, &option{key: key, value: value})
	}
}

// config is the account as the provider gets it.
func (a *account) config() config.Provider {
	p := config.Provider{Name: "x", Type: a.typ, Server: a.server, InsecureHTTP: a.plain, Fields: map[string]config.Secret{}}
	for _, f := range a.fields {
		p.Fields[strings.TrimSuffix(f.key, keyFile)] = config.NewSecret(f.value)
	}
	return p
}

// text is the table without its header and its type.
func (a *account) text() string {
	var b strings.Builder
	for _, f := range a.fields {
		line(&b, f.key, config.Text(f.value))
	}
	if a.server != "" {
		line(&b, "server", config.Text(a.server))
	}
	if a.plain {
		line(&b, "insecure_http", "true # as it was; https is better, if the server has it")
	}
	if a.force > 0 {
		line(&b, "force_interval", tomlSpan(a.force))
	}
	return b.String()
}

// header is what stands above the text.
func (a *account) header() string {
	h := "[provider." + a.name + "]\n"
	if a.typ != a.name {
		h += "type = " + config.Text(a.typ) + "\n"
	}
	return h
}

// carry turns a wish into an account and its records.
func (im *importer) carry(w *wish) {
	a := &account{force: w.force, plain: w.plain}
	if w.refused != "" {
		im.refuse(w, a, w.refused)
		return
	}
	a.typ = w.known.provider()
	switch {
	case w.custom != nil:
		im.customType(w, a)
	case a.typ == "":
		im.refuse(w, a, "wanbeacon does not know the service "+quote(w.service)+
			`; "wanbeacon providers" lists those it does, and type = "generic" takes any update URL`)
		return
	case a.typ == "-":
		im.refuse(w, nil, "the service "+quote(w.service)+" has closed; move the name to another one")
		return
	case a.typ == "!":
		im.refuse(w, nil, "the service "+quote(w.service)+" has no interface that a program may use; use another one")
		return
	}
	if a.base == "" {
		a.base = a.typ
	}
	def := im.lookup(a.typ)
	if def == nil {
		im.refuse(w, a, "this version of wanbeacon has no provider "+quote(a.typ))
		return
	}
	if each := im.eachHost(w); each != nil {
		for _, w := range each {
			im.carry(w)
		}
		return
	}
	im.fill(w, def, a)
	why := im.complete(w, def, a)
	if why == "" && im.size > maxResult {
		why = "there are too many accounts"
	}
	if why != "" {
		im.refuse(w, a, why)
		return
	}
	im.publish(w, def, im.add(a))
}

// customType chooses the type for the user's own URL. For a server of one's
// own that speaks dyndns2, there are types that know more answers than a URL.
func (im *importer) customType(w *wish, a *account) {
	a.base = tableName(w.name)
	c := w.custom
	if c.server != "" && find(w.options, "login").value != "" && find(w.options, "password").value != "" {
		for _, typ := range [...]string{"dyndns2", "powerdns-admin"} {
			if im.lookup(typ) != nil {
				a.typ, w.server = typ, &option{value: c.server}
				return
			}
		}
	}
	a.typ = "generic"
	a.set("url", c.url)
	if c.success != "" {
		a.set("success", c.success)
	}
	if c.same != "" {
		a.set("unchanged", c.same)
	}
}

// lookup returns a definition; nil: there is none that works.
func (im *importer) lookup(typ string) *provider.Definition {
	def, known := im.defs[typ]
	if !known {
		def, _ = im.opt.Catalogue.Lookup(typ)
		im.defs[typ] = def
	}
	return def
}

// complete makes the account's provider; why says what is missing or wrong.
func (im *importer) complete(w *wish, def *provider.Definition, a *account) (why string) {
	p, problems := provider.New(def, a.config(), provider.Options{})
	zone := fieldOf(def, "zone")
	for i := range problems {
		if f := &problems[i]; f.Key == zone && a.zone == "" && len(w.hosts) > 0 && strings.Contains(w.hosts[0].value, ".") {
			// The other client finds the zone by itself.
			labels := strings.Split(strings.Trim(w.hosts[0].value, "."), ".")
			a.zone = strings.Join(labels[max(0, len(labels)-2):], ".")
			a.set(zone, a.zone)
			w.remark(zone, " = ", quote(a.zone), " is a guess from the hostname: please check it.")
			im.note(w.line, w.label, ": the zone ", quote(a.zone), " is a guess from the hostname; please check it")
			return im.complete(w, def, a)
		}
	}
	for i := range problems {
		f := &problems[i]
		if strings.HasPrefix(f.Key, "url") {
			f.Message = "it cannot be used as it is" // the message may have a piece of it
		}
		if why != "" {
			why += "; "
		}
		why += f.Key + ": " + f.Message
	}
	if why != "" {
		return why
	}
	a.ready, a.body = p, a.text()
	return im.accepts("[provider.x]\n" + a.body)
}

// add returns the account that has the same content, if there is one.
func (im *importer) add(a *account) *account {
	content := a.typ + "\n" + a.body
	if other := im.byContent[content]; other != nil {
		return other
	}
	im.byContent[content] = a
	a.name = im.names.unused(a.base)
	im.names.take(a.base, a.name)
	im.accounts = append(im.accounts, a)
	im.size += len(a.body)
	return a
}

// refuse makes a comment of a wish that cannot be carried over; without an
// account, of its label alone.
func (im *importer) refuse(w *wish, a *account, why string) {
	im.note(w.line, w.label, " is not carried over: ", why)
	text := []string{comment(w.label + ": " + why)}
	if a != nil && len(w.options)+len(w.hosts) > 0 {
		if a.base == "" {
			a.base = tableName(w.service)
		}
		if a.base == "" {
			a.base = "provider"
		}
		if a.typ == "" {
			a.typ = "?"
		}
		a.name = im.names.unused(a.base)
		if len(a.fields) == 0 {
			a.fields = w.options
		}
		for _, o := range w.options {
			o.used = true
		}
		text = append(text, commentOut(a.header()+a.text()))
		for _, h := range w.hosts {
			text = append(text, "#\n", refusedRecord(h.value, a))
		}
	}
	im.aside(strings.Join(text, ""))
}

// refusedRecord is a record that is a comment.
func refusedRecord(host string, a *account) string {
	return commentOut("[[record]]\nhostname = " + config.Text(host) + "\nprovider = " + config.Text(a.name) + "\n")
}

// aside adds a block that is a comment.
func (im *importer) aside(text string) {
	if im.asideSize += len(text); im.asideSize <= maxResult/2 {
		im.refused = append(im.refused, text)
	}
}

// names are those that tables have. By a name that is taken stands how many
// tables were to have it, so that the next one need not try all the numbers.
type names map[string]int

// unused returns base, or base with the first number that makes it new.
func (n names) unused(base string) string {
	name := base
	for i := n[base]; n[name] > 0; {
		i++
		name = base + "-" + decimal(i)
	}
	return name
}

// take notes a name that unused made of base.
func (n names) take(base, name string) {
	n[name]++
	if name != base {
		n[base]++
	}
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}
