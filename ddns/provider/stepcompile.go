package provider

import (
	"fmt"
	"slices"
	"strings"
)

// stepForm is a step, ready for use.
type stepForm struct {
	when, unless   []condition
	url, body      template
	contentType    string
	headers        []headerForm
	sign           *signer // nil: none
	missing, again []pattern
	reply          map[Class][]pattern
	pick           []namedPath
	list           path
	address        path
	recordPick     []namedPath
	other, each    template
	next, items    path
	scope          scope
}

// namedPath is one value that is picked.
type namedPath struct {
	name string
	path path
}

// textForm is a Text, ready for use.
type textForm struct {
	when     []condition
	yes, not template
}

// scope says for what a value that was picked holds.
type scope uint8

const (
	forAccount scope = iota // such as a token
	forHost                 // such as the id of a zone
	forRecord               // such as the id of a record
)

// stepKeys are the placeholders of steps, besides those of every template.
const stepKeys words = " content action page offset own_ttl current others several rest mine other item unix nonce "

// maxSteps bounds a file.
const maxSteps = 20

// steps compiles the family "steps".
func (c *compiler) steps() {
	d := c.def
	if len(d.Steps) == 0 {
		c.problem("step", "at least one is needed")
	}
	if len(d.Steps) > maxSteps {
		c.problem("step", "at most %d", maxSteps)
		return
	}
	for _, name := range d.Cache {
		if !c.picks[name] && !stepKeys.has(name) && name != "zone" {
			c.problem("cache", "no step picks %q", name)
		}
	}
	d.forms.forgetOn = c.patterns("forget_on", d.ForgetOn)
	d.forms.sign = c.signer("sign", d.Sign)
	for i := range d.Texts {
		t := &d.Texts[i]
		d.forms.texts[t.Name] = textForm{c.conditions("text.when", t.When), c.template("text.text", t.Text), c.template("text.else", t.Else)}
	}
	updates, walks := false, false
	for i := range d.Steps {
		walks = walks || d.Steps[i].Walk
		c.at = fmt.Sprintf("step[%d].", i)
		c.step(&d.Steps[i])
		updates = updates || d.Steps[i].Action == "update"
	}
	c.at = ""
	if walks && len(d.Cache) > 0 && !slices.Contains(d.Cache, "zone") { // {name} depends on it
		d.Cache = append(d.Cache, "zone")
	}
	if !updates {
		c.problem("step", "none has action = \"update\"")
	}
	c.scopes()
}

// declare makes all values that steps pick known. What can be picked anywhere
// can be used anywhere: some may have been kept from an earlier update.
func (c *compiler) declare() {
	d := c.def
	if d.URL != (URLs{}) || d.Remove != (RemoveForm{}) || d.Request.Body+d.Request.BodyBoth+d.Request.Method != "" {
		c.problem("family", "\"steps\" has url, method and body in each step, and removes with steps of action = \"remove\"")
	}
	c.texts()
	for i := range d.Steps {
		s := &d.Steps[i]
		c.at = fmt.Sprintf("step[%d].", i)
		for name := range s.Pick {
			c.picked("pick", name)
		}
		for name := range s.Records.Pick {
			c.picked("records.pick", name)
		}
	}
	c.at = ""
}

// texts makes the names of the file's own placeholders known. Each may use
// those before it alone, so that none leads back to itself.
func (c *compiler) texts() {
	c.def.forms.texts = map[string]textForm{}
	for i, t := range c.def.Texts {
		if !isKey(t.Name) || builtinKeys.has(t.Name) || stepKeys.has(t.Name) || c.keys[t.Name] || c.picks[t.Name] {
			c.problem("text.name", "%q is no free name of small letters, digits and \"_\"", t.Name)
			continue
		}
		for _, later := range c.def.Texts[i:] {
			if strings.Contains(t.Text+t.Else, "{"+later.Name) {
				c.problem("text.text", "{%s} must be defined before {%s}", later.Name, t.Name)
			}
		}
		c.picks[t.Name] = true
	}
}

// isKey reports whether s can be the name of a value.
func isKey(s string) bool { return isPlaceholder(s) && !strings.Contains(s, "|") }

func (c *compiler) picked(key, name string) {
	if !isKey(name) || name != "zone" && name != "ttl" && (builtinKeys.has(name) || stepKeys.has(name)) {
		c.problem(key, "%q is no free name of small letters, digits and \"_\"", name)
	}
	for _, t := range c.def.Texts {
		if t.Name == name {
			c.problem(key, "%q is a [[text]] too", name)
		}
	}
	c.picks[name] = true
}

func (c *compiler) step(s *Step) {
	f := stepForm{}
	if s.Name == "" {
		c.problem("name", "missing")
	}
	switch s.Action {
	case "", "update", "remove":
	default:
		c.problem("action", "%q is neither \"update\" nor \"remove\"", s.Action)
	}
	switch s.Reads {
	case "", "json", "xml", "lines":
	default:
		c.problem("reads", "%q is none of \"json\", \"xml\", \"lines\"", s.Reads)
	}
	if s.Method == "" {
		s.Method = "GET"
	}
	if !slices.Contains(methods, s.Method) {
		c.problem("method", "%q is none of %s", s.Method, strings.Join(methods, ", "))
	}
	f.when, f.unless = c.conditions("when", s.When), c.conditions("unless", s.Unless)
	if s.URL == "" {
		c.problem("url", "missing")
	}
	f.url, f.body = c.url("url", s.URL), c.template("body", s.Body)
	f.contentType = s.ContentType
	if f.contentType == "" {
		f.contentType = c.def.Request.ContentType
	}
	if s.Body != "" && f.contentType == "" {
		c.problem("content_type", "missing: it decides how values in the body are escaped")
	}
	if !s.Plain {
		f.headers, f.sign = slices.Clip(c.def.forms.headers), c.def.forms.sign
	}
	f.headers = append(f.headers, c.headers("headers", s.Headers)...)
	if s.Sign.With != "" {
		f.sign = c.signer("sign", s.Sign)
	}
	f.missing, f.again = c.patterns("missing", s.Missing), c.patterns("again", s.Again)
	f.reply = c.replyPatterns(&s.Reply)
	f.pick = c.paths("pick", s.Pick)
	f.list, f.address = c.path("records.list", s.Records.List), c.path("records.address", s.Records.Address)
	f.recordPick = c.paths("records.pick", s.Records.Pick)
	f.other = c.template("records.other", s.Records.Other)
	f.each = c.url("records.each", s.Records.Each)
	f.next, f.items = c.path("pages.next", s.Pages.Next), c.path("pages.items", s.Pages.Items)
	if (s.Pages.Items != "") != (s.Pages.Size > 0) || s.Pages.Items != "" && s.Pages.Next != "" {
		c.problem("pages", "either next, or items and size")
	}
	if s.Walk && !c.keys["zone"] && c.def.Hosts.Zone == "" {
		c.problem("walk", "hosts.zone is missing: \"{zone}\"")
	}
	s.form = f
	c.def.forms.steps = append(c.def.forms.steps, f.url)
}

var methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}

// conditions reads what when and unless have.
func (c *compiler) conditions(key, text string) []condition {
	if text == "" {
		return nil
	}
	var all []condition
	for _, one := range strings.Split(text, " && ") {
		cond, err := parseJSONCondition(strings.TrimSpace(one))
		if err == nil && (len(cond.path) != 1 || !c.known(cond.path[0])) {
			err = fmt.Errorf("there is no value %q", strings.Join(cond.path, "."))
		}
		if err != nil {
			c.problem(key, "%v", err)
			continue
		}
		all = append(all, cond)
	}
	return all
}

func (c *compiler) path(key, text string) path {
	p, err := parsePath(text, c.known)
	if err != nil {
		c.problem(key, "%q: %v", text, err)
	}
	return p
}

func (c *compiler) paths(key string, texts map[string]string) []namedPath {
	var list []namedPath
	for _, name := range sortedKeys(texts) {
		list = append(list, namedPath{name, c.path(key+"."+name, texts[name])})
	}
	return list
}

func (c *compiler) patterns(key string, texts []string) []pattern {
	var list []pattern
	for _, text := range texts {
		p, err := parsePattern(text)
		if err != nil {
			c.problem(key, "%v", err)
		}
		list = append(list, p)
	}
	return list
}

// scopes finds out for what each value that is picked holds, from what its
// step was asked with.
func (c *compiler) scopes() {
	d := c.def
	d.forms.scopes = map[string]scope{}
	for range d.Steps { // until nothing changes, at the latest
		for i := range d.Steps {
			s := &d.Steps[i]
			s.form.scope = max(s.form.scope, c.scopeOf(s))
			for _, list := range [][]namedPath{s.form.pick, s.form.recordPick} {
				for _, p := range list {
					d.forms.scopes[p.name] = max(d.forms.scopes[p.name], s.form.scope)
				}
			}
		}
	}
	d.forms.scopes["zone"] = forHost
	for _, name := range []string{"current", "others", "several", "rest", "mine", "ttl"} {
		d.forms.scopes[name] = forRecord
	}
}

func (c *compiler) scopeOf(s *Step) scope {
	if s.Records.List != "" || s.Records.Address != "" || len(s.Records.Pick) > 0 {
		return forRecord
	}
	var found scope
	if s.Walk {
		found = forHost
	}
	look := func(t template) {
		for _, p := range t.parts {
			switch p.key {
			case "hostname", "name", "zone", "apex":
				found = max(found, forHost)
			case "type", "content", "address", "current", "others", "rest", "mine", "further", "ttl":
				found = forRecord
			}
			found = max(found, c.def.forms.scopes[p.key])
			if t, ok := c.def.forms.texts[p.key]; ok && (len(t.yes.parts) > 0 || len(t.not.parts) > 0) {
				found = max(found, c.textScope(t))
			}
		}
	}
	look(s.form.url)
	look(s.form.body)
	for _, h := range s.form.headers {
		look(h.value)
	}
	for _, p := range s.form.pick {
		for _, h := range p.path.hops {
			for _, t := range h.values {
				look(t)
			}
		}
	}
	return found
}

// textScope: what a text says nearly always depends on the record's type.
func (c *compiler) textScope(t textForm) scope {
	for _, cond := range t.when {
		if c.keys[cond.path[0]] {
			return forAccount
		}
	}
	return forRecord
}
