package importer

import (
	"slices"
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
	bind   string
	force  time.Duration
	fields []option // in order; the value may be a secret

	zone  string // that its hostnames are in; "": not known
	label string // relative name in the zone
	ready *provider.Provider
}

// has reports whether a field is filled in.
func (a *account) has(key string) bool {
	return slices.ContainsFunc(a.fields, func(f option) bool { return f.key == key })
}

// set fills in a field; the first value stays.
func (a *account) set(key, value string, line int) {
	if !a.has(key) {
		a.fields = append(a.fields, option{key, value, line})
	}
}

// config is the account as the provider gets it.
func (a *account) config() config.Provider {
	p := config.Provider{Name: "x", Type: a.typ, Server: a.server, InsecureHTTP: a.plain, Bind: a.bind, ForceInterval: a.force,
		Fields: map[string]config.Secret{}}
	for _, f := range a.fields {
		p.Fields[f.key] = config.NewSecret(f.value)
	}
	return p
}

// body is the table without its header and its type.
func (a *account) body() string {
	var b strings.Builder
	line := func(key, value string) { b.WriteString(key + " = " + value + "\n") }
	for _, f := range a.fields {
		line(f.key, tomlText(f.value))
	}
	if a.server != "" {
		line("server", tomlText(a.server))
	}
	if a.plain {
		b.WriteString("insecure_http = true # as it was; https is better, if the server has it\n")
	}
	if a.bind != "" {
		line("bind", tomlText(a.bind))
	}
	if a.force > 0 {
		line("force_interval", tomlSpan(a.force))
	}
	return b.String()
}

// text is the whole table.
func (a *account) text() string {
	t := "[provider." + a.name + "]\n"
	if a.typ != a.name {
		t += "type = " + tomlText(a.typ) + "\n"
	}
	return t + a.body()
}

// carry turns a wish into an account and its records.
func (im *importer) carry(w *wish) {
	a := &account{bind: w.bind, force: w.force, plain: w.plain}
	if w.refused != "" {
		im.refuse(w, a, w.refused)
		return
	}
	switch k := w.known; {
	case w.custom != nil:
		im.customType(w, a)
	case k == nil:
		im.refuse(w, a, "wanbeacon does not know the service "+quote(w.service)+
			`; "wanbeacon providers" lists those it does, and type = "generic" takes any update URL`)
		return
	case k.provider == "-":
		im.refuse(w, nil, "the service "+quote(w.service)+" has closed; move the name to another one")
		return
	case k.provider == "!":
		im.refuse(w, nil, "the service "+quote(w.service)+" has no interface that a program may use; use another one")
		return
	default:
		a.typ = k.provider
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

// selfHosted are the types for a server of one's own that speaks dyndns2, best
// first. They know more answers than a URL does.
var selfHosted = [...]string{"dyndns2", "powerdns-admin"}

// customType chooses the type for the user's own URL.
func (im *importer) customType(w *wish, a *account) {
	a.base = tableName(w.name)
	c := w.custom
	has := func(key string) bool {
		return slices.ContainsFunc(w.options, func(o option) bool { return o.key == key && o.value != "" })
	}
	if c.server != "" && has("login") && has("password") {
		for _, typ := range selfHosted {
			if im.lookup(typ) != nil {
				a.typ, w.server = typ, option{"server", c.server, w.line}
				return
			}
		}
	}
	a.typ = "generic"
	a.set("url", c.url, w.line)
	if c.success != "" {
		a.set("success", c.success, w.line)
	}
	if c.same != "" {
		a.set("unchanged", c.same, w.line)
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
	if zone := fieldOf(def, "zone"); a.zone == "" && zone != "" && len(w.hosts) > 0 && strings.Contains(w.hosts[0].value, ".") &&
		slices.ContainsFunc(problems, func(f provider.FieldProblem) bool { return f.Key == zone }) {
		// The other client finds the zone by itself.
		labels := strings.Split(strings.Trim(w.hosts[0].value, "."), ".")
		a.zone = strings.Join(labels[max(0, len(labels)-2):], ".")
		a.set(zone, a.zone, w.line)
		w.remark("%s = %s is a guess from the hostname: please check it.", zone, quote(a.zone))
		im.note(w.line, "%s: the zone %s is a guess from the hostname; please check it", w.label, quote(a.zone))
		p, problems = provider.New(def, a.config(), provider.Options{})
	}
	var list []string
	for _, f := range problems {
		message := f.Message
		if strings.HasPrefix(f.Key, "url") {
			message = "it cannot be used as it is" // the message may have a piece of it
		}
		list = append(list, f.Key+": "+message)
	}
	if len(list) > 0 {
		return strings.Join(list, "; ")
	}
	a.ready = p
	if why, ok := im.accepts("[provider.x]\n" + a.body()); !ok {
		return why
	}
	return ""
}

// add returns the account that has the same content, if there is one.
func (im *importer) add(a *account) *account {
	body := a.body()
	for _, other := range im.accounts {
		if other.typ == a.typ && other.body() == body {
			return other
		}
	}
	a.name = im.unusedName(a.base)
	im.accounts = append(im.accounts, a)
	im.size += len(body)
	return a
}

// refuse makes a comment of a wish that cannot be carried over; without an
// account, of its label alone.
func (im *importer) refuse(w *wish, a *account, why string) {
	im.note(w.line, "%s is not carried over: %s", w.label, why)
	text := comment(w.label + ": " + why)
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
		a.name = im.unusedName(a.base)
		if len(a.fields) == 0 {
			a.fields = w.options
		}
		for _, o := range w.options {
			im.used[o] = true
		}
		text += commentOut(a.text())
		for _, h := range w.hosts {
			text += "#\n" + commentOut("[[record]]\nhostname = "+tomlText(h.value)+"\nprovider = "+tomlText(a.name)+"\n")
		}
	}
	im.aside(text)
}

// aside adds a block that is a comment.
func (im *importer) aside(text string) {
	if im.asideSize += len(text); im.asideSize <= maxResult/2 {
		im.refused = append(im.refused, text)
	}
}

// unusedName returns a name that no account has.
func (im *importer) unusedName(base string) string {
	return unused(base, func(name string) bool {
		return slices.ContainsFunc(im.accounts, func(o *account) bool { return o.name == name })
	})
}

// unused returns base, or base with the first number that makes it new.
func unused(base string, used func(string) bool) string {
	name := base
	for n := 2; used(name); n++ {
		name = base + "-" + decimal(n)
	}
	return name
}
