package provider

import (
	"fmt"
	"net/url"
	"slices"
	"sort"
	"strings"
)

// FieldProblem is what is wrong with one key of an account.
type FieldProblem struct {
	Key     string // relative to the provider's table, such as "username"
	Message string // one line, never a secret
}

// forms are a definition's templates and patterns, ready for use.
type forms struct {
	update, remove       urlForms
	username, password   template
	userAgent            template
	headers              []headerForm
	body, bodyBoth       template
	removeBody           template
	removeBodyBoth       template
	cname, cnameBody     template
	apex                 string
	zone                 template
	further              template
	reply                map[Class][]pattern
	message              path
	words                map[string]Class // dyndns2: all of them
	account              map[Class]bool
	serverless, userZone bool // URL begins with {server}; the zone is the user's

	// Of the family steps.
	texts    map[string]textForm
	steps    []template // their URLs
	forgetOn []pattern
	sign     *signer
	scopes   map[string]scope // of the values that are picked
}

type urlForms struct{ ipv4, ipv6, both template }

type headerForm struct {
	name  string
	value template
}

// defaultAgent is the form of User-Agent where a provider asks for no other.
const defaultAgent = "wanbeacon/{version} ({os} {arch}; " + homepage + ")"

const homepage = "https://github.com/wanbeacon/wanbeacon"

// compiler collects what is wrong while a definition is compiled.
type compiler struct {
	def      *Definition
	keys     map[string]bool // of the fields
	picks    map[string]bool // what steps pick, and the file's own texts
	at       string          // of the step being compiled: "step[1]."
	problems []FieldProblem
}

// compile checks the definition and makes d.forms. The keys of the problems
// are those of the file: "url.ipv4".
func (d *Definition) compile() []FieldProblem {
	c := &compiler{def: d, keys: map[string]bool{}, picks: map[string]bool{}}
	c.fields()
	switch d.Family {
	case "dyndns2", "template", "steps":
	case "generic":
		return c.problems // compiled with the account's fields
	case "rfc2136":
		return c.dnsUpdate()
	case "":
		c.problem("family", "missing: \"dyndns2\", \"template\" or \"steps\"")
	default:
		c.problem("family", "%q is none of \"dyndns2\", \"template\", \"steps\"", d.Family)
	}
	if d.Title == "" {
		c.problem("title", "missing")
	}
	d.forms = forms{}
	f := &d.forms
	if d.Family == "steps" {
		c.declare()
	}
	f.zone = c.template("hosts.zone", d.Hosts.Zone)
	f.userZone = len(f.zone.parts) > 0 && f.zone.uses(keysOf(c.keys)...)
	c.further(f)
	if d.Family == "steps" {
		c.request(f)
		c.hosts(f)
		c.replies(f)
		c.steps()
		return c.problems
	}
	f.update = c.urls("url", d.URL.IPv4, d.URL.IPv6, d.URL.Both)
	f.remove = c.urls("remove", d.Remove.IPv4, d.Remove.IPv6, d.Remove.Both)
	if f.update.ipv4.empty() && f.update.ipv6.empty() && f.update.both.empty() {
		c.problem("url", "at least one of ipv4, ipv6 and both is needed")
	}
	c.request(f)
	c.hosts(f)
	c.replies(f)
	c.cname(f)
	return c.problems
}

func (c *compiler) problem(key, format string, args ...any) {
	c.problems = append(c.problems, FieldProblem{c.at + key, fmt.Sprintf(format, args...)})
}

// reservedKeys are those of every provider table in the configuration.
var reservedKeys = []string{"type", "server", "insecure_http", "bind", "force_interval"}

func (c *compiler) fields() {
	seen := map[string]bool{}
	for _, f := range c.def.Fields {
		c.keys[f.Key] = true
		for _, key := range append([]string{f.Key}, f.Also...) {
			switch {
			case !isPlaceholder(key) || strings.Contains(key, "|"):
				c.problem("field.key", "%q is not a key: small letters, digits and \"_\"", key)
			case key == "server" && c.def.Family == "rfc2136": // a key of the account, and not a URL
			case slices.Contains(reservedKeys, key) || key != "zone" && builtinKeys.has(key):
				c.problem("field.key", "%q is taken", key)
			case strings.HasSuffix(key, "_file"):
				c.problem("field.key", "%q: the configuration gives every key a twin with _file", key)
			case seen[key]:
				c.problem("field.key", "%q is there twice", key)
			}
			seen[key] = true
		}
		if f.Label == "" {
			c.problem("field.label", "missing for %q", f.Key)
		}
	}
}

// known reports whether there is such a placeholder.
func (c *compiler) known(name string) bool {
	return builtinKeys.has(name) || c.keys[name] || c.picks[name] || c.def.Family == "steps" && stepKeys.has(name)
}

// template compiles one of the definition's templates.
func (c *compiler) template(key, text string) template {
	t, err := parseTemplate(text, c.known)
	if err != nil {
		c.problem(key, "%v", err)
	}
	if key != "hosts.zone" && t.uses("zone", "name", "names", "apex") && c.def.Hosts.Zone == "" {
		c.problem(key, "{zone} and {name} need hosts.zone")
	}
	return t
}

func (c *compiler) urls(key, ipv4, ipv6, both string) urlForms {
	return urlForms{c.url(key+".ipv4", ipv4), c.url(key+".ipv6", ipv6), c.url(key+".both", both)}
}

// url compiles the template of a URL: scheme and host are literal, or all is
// behind {server}; so nothing that a value holds can lead elsewhere.
func (c *compiler) url(key, text string) template {
	t := c.template(key, text)
	if len(t.parts) == 0 {
		return t
	}
	head := t.parts[0]
	if head.key == "server" {
		c.def.forms.serverless = true
		for _, p := range t.parts[1:] {
			if p.key == "server" {
				c.problem(key, "{server} can only be at the beginning")
			}
		}
		if len(t.parts) > 1 && (t.parts[1].key != "" || t.parts[1].text[0] != '/') {
			c.problem(key, "a \"/\" must follow {server}")
		}
		return t
	}
	if t.uses("server") {
		c.problem(key, "{server} can only be at the beginning")
	}
	scheme, rest, ok := strings.Cut(head.text, "://")
	end := strings.IndexAny(rest, "/?#")
	switch {
	case !ok || scheme != "https" && scheme != "http":
		c.problem(key, "a URL begins with https://, http:// or {server}")
	case end < 0 && len(t.parts) > 1:
		c.problem(key, "the host cannot have placeholders, and a \"/\" must follow it")
	case strings.Contains(head.text, "#"):
		c.problem(key, "\"#\" is never sent")
	default:
		u, err := url.Parse(strings.TrimRight(head.text, "%"))
		if err != nil || u.Hostname() == "" {
			c.problem(key, "not a URL")
		} else if u.User != nil {
			c.problem(key, "user and password do not belong into the URL, but into username and password")
		}
	}
	return t
}

// ownHeaders are written by the transport itself.
var ownHeaders = []string{"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "user-agent", "content-type", "te", "upgrade", "expect"}

func (c *compiler) request(f *forms) {
	r := &c.def.Request
	if r.Method == "" {
		r.Method = "GET"
	}
	if c.def.Remove.Method == "" {
		c.def.Remove.Method = r.Method
	}
	for key, m := range map[string]string{"request.method": r.Method, "remove.method": c.def.Remove.Method} {
		if !slices.Contains(methods, m) {
			c.problem(key, "%q is none of %s", m, strings.Join(methods, ", "))
		}
	}
	switch r.Auth {
	case "", "none":
		r.Auth = "none"
	case "basic":
		if r.Username == "" && r.Password == "" {
			r.Username, r.Password = "{username}", "{password}"
		}
	default:
		c.problem("request.auth", "%q is neither \"none\" nor \"basic\"", r.Auth)
	}
	if r.UserAgent == "" {
		r.UserAgent = defaultAgent
	}
	f.username = c.template("request.username", r.Username)
	f.password = c.template("request.password", r.Password)
	f.userAgent = c.template("request.user_agent", r.UserAgent)
	f.body = c.template("request.body", r.Body)
	f.bodyBoth = c.bodyBoth("request.body_both", r.BodyBoth, c.def.URL.Both, f.body)
	f.removeBody = c.template("remove.body", c.def.Remove.Body)
	f.removeBodyBoth = c.bodyBoth("remove.body_both", c.def.Remove.BodyBoth, c.def.Remove.Both, f.removeBody)
	f.headers = c.headers("request.headers", r.Headers)
	if r.ContentType == "" && r.Body+r.BodyBoth+c.def.Remove.Body+c.def.Remove.BodyBoth != "" {
		c.problem("request.content_type", "missing: it decides how values in the body are escaped")
	}
	if hasControl(r.UserAgent) || hasControl(r.ContentType) {
		c.problem("request", "control characters")
	}
}

func (c *compiler) headers(key string, texts map[string]string) []headerForm {
	var list []headerForm
	for _, name := range sortedKeys(texts) {
		if !validHeaderName(name) || slices.Contains(ownHeaders, strings.ToLower(name)) {
			c.problem(key, "%q cannot be set", name)
			continue
		}
		if hasControl(texts[name]) {
			c.problem(key, "%s: control characters", name)
		}
		list = append(list, headerForm{name, c.template(key, texts[name])})
	}
	return list
}

func (c *compiler) hosts(f *forms) {
	h := &c.def.Hosts
	if h.Maximum == 0 {
		h.Maximum = 20
	}
	if !h.List {
		h.Maximum = 1
	}
	if h.Maximum < 1 || h.Maximum > 100 {
		c.problem("hosts.maximum", "1 to 100")
	}
	switch h.Families {
	case "", "never":
		h.Families = "never"
		if !f.update.both.empty() {
			c.problem("hosts.families", "there is url.both: \"may\" or \"must\"")
		}
	case "may", "must":
		if f.update.both.empty() {
			c.problem("url.both", "missing, with hosts.families = %q", h.Families)
		}
	default:
		c.problem("hosts.families", "%q is none of \"never\", \"may\", \"must\"", h.Families)
	}
	if f.apex = "@"; h.Apex != nil {
		f.apex = *h.Apex
	}
}

// bodyBoth compiles the body of requests for both families, which is that of
// the others unless there is a special one.
func (c *compiler) bodyBoth(key, text, url string, body template) template {
	if text == "" {
		return body
	}
	if url == "" {
		c.problem(key, "there is no URL for both families")
	}
	return c.template(key, text)
}

func (c *compiler) replies(f *forms) {
	r := &c.def.Reply
	f.reply = c.replyPatterns(r)
	f.account = map[Class]bool{}
	if r.Account == nil {
		r.Account = []string{string(BadAuth), string(BadAgent)}
	}
	for _, name := range r.Account {
		if c.class("reply.account", name) {
			f.account[Class(name)] = true
		}
	}
	for _, name := range sortedKeys(r.Say) {
		c.class("reply.say", name)
	}
	f.message = c.path("reply.message", r.Message)
	if c.def.Family != "dyndns2" {
		if len(c.def.Words) > 0 {
			c.problem("words", "only for family dyndns2; else patterns such as \"word good\" under [reply]")
		}
		if len(f.reply[Updated]) == 0 && c.def.Family != "steps" {
			c.problem("reply.updated", "missing")
		}
		return
	}
	f.words = map[string]Class{}
	for _, w := range dyndns2Words {
		f.words[w.word] = w.class
	}
	for word, name := range c.def.Words {
		if c.class("words."+word, name) {
			f.words[strings.ToLower(word)] = Class(name)
		}
	}
}

// replyPatterns compiles the patterns of each class.
func (c *compiler) replyPatterns(r *ReplyForm) map[Class][]pattern {
	reply := map[Class][]pattern{}
	for _, class := range append([]Class{Updated, Unchanged}, errorClasses...) {
		for _, text := range r.of(class) {
			p, err := parsePattern(text)
			if err != nil {
				c.problem("reply."+string(class), "%v", err)
				continue
			}
			if r.WebPage && class.Done() && p.statusAlone() {
				c.problem("reply."+string(class), "with web_page no status proves a success: any page has one")
			}
			reply[class] = append(reply[class], p)
		}
	}
	return reply
}

// class checks the name of a class.
func (c *compiler) class(key, name string) bool {
	ok := Class(name).Done() || slices.Contains(errorClasses, Class(name))
	if !ok {
		c.problem(key, "%q is no class", name)
	}
	return ok
}

func sortedKeys(m map[string]string) []string {
	keys := keysOf(m)
	sort.Sort(sort.StringSlice(keys))
	return keys
}

func keysOf[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}

func validHeaderName(s string) bool {
	for _, c := range []byte(s) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return s != ""
}

// hasControl reports whether s has a control character, a line break included.
func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}
