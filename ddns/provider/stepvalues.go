package provider

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// value is what a placeholder stands for.
func (r *run) value(key string) string {
	switch key {
	case "type":
		return r.kind
	case "content", "address":
		return r.want
	case "further":
		return r.d.further(r.update.More, r.value)
	case "mine":
		return r.d.further(addrsOf(r.vars["mine"]), r.value)
	case "action":
		return r.action
	case "page":
		return r.page
	case "offset":
		return strconv.Itoa(r.offset)
	case "own_ttl":
		if r.update.TTL > 0 {
			return "yes"
		}
		return ""
	case "unix":
		return strconv.FormatInt(r.p.now().Unix(), 10)
	case "nonce":
		return r.p.nonce()
	case "zone", "name", "apex":
		zone, _ := r.p.zone()
		if walked := r.vars["zone"]; walked != "" {
			zone = walked
		}
		switch key {
		case "zone":
			return zone
		case "apex":
			return strconv.FormatBool(zone != "" && strings.EqualFold(r.update.Hostname, zone))
		}
		return relative(r.update.Hostname, zone, r.d.forms.apex)
	case "ttl":
		if kept := r.vars["ttl"]; kept != "" && r.update.TTL == 0 {
			return kept
		}
		return r.base(key)
	}
	if text, ok := r.vars[key]; ok {
		return text
	}
	if t, ok := r.d.forms.texts[key]; ok {
		return r.expand(r.chosen(t), escapeNone)
	}
	if r.show && r.p.secretField(key) && r.p.fields[key] != "" {
		return hidden
	}
	return r.base(key)
}

// chosen is the template that a text of the file's own now stands for.
func (r *run) chosen(t textForm) template {
	if r.hold(t.when) {
		return t.yes
	}
	return t.not
}

// expand fills in a template. The file's own texts are part of the place in
// which they stand: what is in them is escaped, they themselves are not.
func (r *run) expand(t template, escape func(key, value string) string) string {
	var b strings.Builder
	for i, p := range t.parts {
		text, ok := r.d.forms.texts[p.key]
		switch {
		case ok && p.key != "" && len(p.apply) == 0:
			b.WriteString(r.expand(r.chosen(text), escape))
		case p.key == "others":
			form, between := r.otherForm()
			for n, one := range strings.Fields(r.vars["others"]) {
				if n > 0 {
					b.WriteString(between)
				}
				b.WriteString(form.expand(func(key string) string {
					if key == "other" {
						return one
					}
					return r.value(key)
				}, escape))
			}
		default:
			b.WriteString(template{t.parts[i : i+1]}.expand(r.value, escape))
		}
	}
	return b.String()
}

// otherForm is the template of the step that finds records.
func (r *run) otherForm() (form template, between string) {
	for i := range r.d.Steps {
		if s := &r.d.Steps[i]; !s.form.other.empty() {
			return s.form.other, s.Records.Between
		}
	}
	return template{}, ""
}

// pick remembers a value for the steps that follow. Values that hold for the
// account are tokens, and never shown.
func (r *run) pick(name, text string) {
	if hasControl(text) || len(text) > 8<<10 {
		return
	}
	r.vars[name] = text
	if len(text) >= 8 && r.d.forms.scopes[name] == forAccount {
		r.masker = masker{append(newMasker([]string{text}).forms, r.masker.forms...)}
	}
}

var errNoURL = errors.New("not all that belongs into the URL is known")

// request makes the request of a step, unsigned.
func (r *run) request(s *Step) (*request, error) {
	f := &s.form
	for _, p := range f.url.parts {
		_, picked := r.d.forms.scopes[p.key]
		if p.key != "" && picked && r.value(p.key) == "" {
			return nil, fmt.Errorf("%w: {%s}", errNoURL, p.key)
		}
		for _, field := range r.d.Fields {
			if field.Key == p.key && r.value(p.key) == "" {
				return nil, fmt.Errorf("%s needs the key %s (%s) for this", r.d.Title, field.Key, field.Label)
			}
		}
	}
	return r.p.assemble(requestParts{
		method: s.Method, url: f.url, body: f.body, contentType: f.contentType, headers: f.headers, plain: s.Plain,
	}, r.expand, r.show)
}

// kept are values that are good for more than one update.
type kept struct {
	mu     sync.Mutex
	values map[string]keptValue
}

type keptValue struct {
	text  string
	until time.Time // zero: until the provider says that it is gone
}

// keptKey is where a value is kept, according to what it holds for.
func (r *run) keptKey(name string) string {
	switch r.d.forms.scopes[name] {
	case forAccount:
		return name
	case forHost:
		return name + " " + r.update.Hostname
	}
	return name + " " + r.update.Hostname + " " + r.kind
}

// keepable are the names of all values that are kept, tokens included.
func (d *Definition) keepable() []string {
	names := append([]string{}, d.Cache...)
	for i := range d.Steps {
		if d.Steps[i].Lasts > 0 {
			for name := range d.Steps[i].Pick {
				names = append(names, name)
			}
		}
	}
	return names
}

// publishedKey is under which the content written last is kept.
const publishedKey = "published"

// load gives a run what is kept for it.
func (k *kept) load(r *run) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := r.p.now()
	for _, name := range r.d.keepable() {
		v, ok := k.values[r.keptKey(name)]
		if r.apart() && r.d.forms.scopes[name] == forRecord {
			continue // one of several
		}
		if ok && (v.until.IsZero() || now.Before(v.until)) {
			r.pick(name, v.text)
			r.kept = true
		}
	}
	if v, ok := k.values[publishedKey+" "+r.update.Hostname+" "+r.kind]; ok {
		r.vars[publishedKey] = v.text
	}
}

// keep remembers what a run that succeeded has found.
func (k *kept) keep(r *run) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.values == nil {
		k.values = map[string]keptValue{}
	}
	none := r.action == "remove" || r.apart() // or one of several
	if none {
		k.drop(r, forRecord)
	}
	for _, name := range r.d.Cache {
		if none && r.d.forms.scopes[name] == forRecord {
			continue
		}
		text := r.vars[name]
		ours := name == "current" || name == "mine"
		if name == "current" {
			text = r.want
		} else if ours {
			text = listed(r.update.More)
		}
		if _, there := r.vars[name]; there || ours {
			k.values[r.keptKey(name)] = keptValue{text: text}
		}
	}
	if r.action == "update" {
		k.values[publishedKey+" "+r.update.Hostname+" "+r.kind] = keptValue{text: r.want}
	}
}

// token keeps what a step picked for as long as it lasts, whatever comes of
// the update.
func (k *kept) token(r *run, s *Step) {
	if s.Lasts == 0 || s.Action != "" {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.values == nil {
		k.values = map[string]keptValue{}
	}
	until := r.p.now().Add(time.Duration(s.Lasts))
	for _, p := range s.form.pick {
		if text := r.vars[p.name]; text != "" {
			k.values[r.keptKey(p.name)] = keptValue{text, until}
		}
	}
}

// forget drops what a run was given.
func (k *kept) forget(r *run) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.drop(r, forAccount)
}

// drop takes away what holds for no more than the scope.
func (k *kept) drop(r *run, from scope) {
	for _, name := range r.d.keepable() {
		if r.d.forms.scopes[name] >= from {
			delete(k.values, r.keptKey(name))
		}
	}
}
