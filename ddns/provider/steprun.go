package provider

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

const (
	maxRequests = 20 // for one update, all steps, pages and zones together
	maxAgain    = 10
)

// run is one pass through the steps, for one record.
type run struct {
	p      *Provider
	d      *Definition
	update Update
	action string // "update" or "remove"
	kind   string // "A", "AAAA" or "CNAME"
	want   string // the content wanted; "" to remove
	show   bool   // nothing is sent: secrets are masked

	vars     map[string]string
	page     string // {page} and {offset} of the request being made
	offset   int
	base     func(string) string
	kept     bool // some value is from the cache
	gone     bool // the provider says that such a value holds no longer
	requests int
	last     string // the request before, and its answer
	answer   *response
	warning  string
	masker   masker
	changes  []change // planned, not yet begun
	wrote    bool     // a request that writes may have reached the provider
}

func (p *Provider) newRun(u Update, action, kind, want string) *run {
	r := &run{p: p, d: p.def, update: u, action: action, kind: kind, want: want, vars: map[string]string{}, masker: p.masker}
	r.base = p.values([]Update{u}, u.Family, false)
	for _, t := range r.d.Texts { // such as a hash of several fields
		if form := r.d.forms.texts[t.Name]; p.hasSecret(form.yes) || p.hasSecret(form.not) {
			r.masker = masker{append(newMasker([]string{r.value(t.Name)}).forms, r.masker.forms...)}
		}
	}
	return r
}

// hasSecret reports whether a template has a secret field of the account.
func (p *Provider) hasSecret(t template) bool {
	for _, f := range p.def.Fields {
		if f.Secret && t.uses(f.Key) {
			return true
		}
	}
	return false
}

// sendSteps publishes, or takes away, each of the updates.
func (p *Provider) sendSteps(ctx context.Context, from Origin, updates []Update, action string) []Outcome {
	outcomes := make([]Outcome, len(updates))
	for i, u := range updates {
		kind, want := "A", addrText(u.Addr)
		if u.Family == config.IPv6 {
			kind = "AAAA"
		}
		if action == "remove" {
			u.Published, u.More, want = u.all(), nil, ""
		} else if err := p.def.fits(&u); err != nil {
			outcomes[i] = Outcome{Class: BadRequest, Text: p.masker.own(err.Error())}
			continue
		}
		outcomes[i] = p.runSteps(ctx, from, u, action, kind, want)
	}
	return outcomes
}

// runSteps runs the steps, and once more from the beginning if what was kept
// from an earlier update holds no longer.
func (p *Provider) runSteps(ctx context.Context, from Origin, u Update, action, kind, want string) Outcome {
	limited, release := withPatience(ctx, p.opt.Timeout)
	defer release()
	sent, wrote := 0, false
	for again := false; ; again = true {
		r := p.newRun(u, action, kind, want)
		r.requests = sent
		if !again {
			p.kept.load(r)
		}
		o := r.all(limited, from, 0)
		sent, wrote = r.requests, wrote || r.wrote
		if r.gone && !again {
			p.kept.forget(r)
			continue
		}
		if o.Class.Done() {
			p.kept.keep(r)
		} else if r.apart() {
			o.Partly = wrote
		}
		o.Sent = o.Sent || sent > 1
		if o.Warning == "" {
			o.Warning = r.warning
		}
		return o
	}
}

// all runs the steps that apply, from number first on.
func (r *run) all(ctx context.Context, from Origin, first int) Outcome {
	var wrote *Outcome
	for i := first; i < len(r.d.Steps); i++ {
		s := &r.d.Steps[i]
		if !r.applies(s) {
			continue
		}
		o := r.step(ctx, from, s)
		if len(r.changes) > 0 {
			return r.carryOut(ctx, from, s, i+1)
		}
		if o == nil {
			continue
		}
		if !o.Class.Done() || s.Done || s.Action == "" {
			return *o
		}
		wrote = o
	}
	switch {
	case wrote != nil:
		return *wrote
	case r.action == "remove":
		return Outcome{Class: Unchanged, Text: noSuchRecord, Sent: r.requests > 0}
	case !r.d.Record.Creates:
		return Outcome{Class: NoHost, Text: r.masker.own(fmt.Sprintf("there is no %s record of %s", r.kind, r.update.Hostname)), Sent: r.requests > 0}
	}
	return Outcome{Class: Unknown, Text: "none of the steps that write could be taken", Sent: r.requests > 0}
}

// applies reports whether a step is to be taken.
func (r *run) applies(s *Step) bool {
	if s.Action != "" && s.Action != r.action {
		return false
	}
	return r.hold(s.form.when) && (len(s.form.unless) == 0 || !r.hold(s.form.unless))
}

// hold reports whether all conditions do.
func (r *run) hold(conditions []condition) bool {
	for _, c := range conditions {
		text := r.value(c.path[0])
		if !c.holds(text, text != "", r.value) {
			return false
		}
	}
	return true
}

// step takes one step. nil: go on with the next one.
func (r *run) step(ctx context.Context, from Origin, s *Step) *Outcome {
	if !s.Walk {
		o, _ := r.ask(ctx, from, s)
		return o
	}
	zones := r.zones()
	for _, zone := range zones {
		r.vars["zone"] = zone
		o, found := r.ask(ctx, from, s)
		if found || o != nil && o.Class != NoHost {
			return o
		}
	}
	delete(r.vars, "zone")
	text := "no zone of this account holds " + r.update.Hostname
	if len(zones) == 1 {
		text = "there is no zone " + zones[0] + " in this account"
	}
	return &Outcome{Class: NoHost, Text: r.masker.own(text), Sent: true}
}

// zones are the names that a walk tries.
func (r *run) zones() []string {
	if zone := r.value("zone"); zone != "" { // told by the user, or kept
		return []string{zone}
	}
	name := strings.TrimPrefix(r.update.Hostname, "*.")
	var zones []string
	for strings.Contains(name, ".") {
		zones = append(zones, name)
		_, name, _ = strings.Cut(name, ".")
	}
	return zones
}

// previewSteps shows the first request of each update.
func (p *Provider) previewSteps(updates []Update) []string {
	lines := make([]string, len(updates))
	for i, u := range updates {
		kind := "A"
		if u.Family == config.IPv6 {
			kind = "AAAA"
		}
		r := p.newRun(u, "update", kind, addrText(u.Addr))
		p.kept.load(r)
		r.show = true
		for j := range r.d.Steps {
			s := &r.d.Steps[j]
			if !r.applies(s) {
				continue
			}
			if zones := r.zones(); s.Walk && len(zones) > 0 {
				r.vars["zone"] = zones[0]
			}
			r.page = s.Pages.First
			if s.Pages.Items != "" {
				r.page = "1"
			}
			lines[i] = r.preview(s)
			break
		}
	}
	return lines
}

func (r *run) preview(s *Step) string {
	req, err := r.request(s)
	if err != nil {
		return r.masker.own(err.Error())
	}
	line := req.method + " " + req.origin() + req.path
	if req.body != "" {
		line += " body " + strconv.Quote(req.body)
	}
	if !s.Done {
		line += fmt.Sprintf(" and, as the answers ask for, up to %d more requests", maxRequests-1)
	}
	return r.masker.mask(line)
}

// prefixed says which step a text is of.
func prefixed(name, text string) string {
	text = name + ": " + text
	if utf8.RuneCountInString(text) > maxText {
		text = string([]rune(text)[:maxText-1]) + "…"
	}
	return text
}

// sameContent compares addresses as such, and names without their last dot.
func sameContent(a, b string) bool {
	x, err := netip.ParseAddr(a)
	if y, err2 := netip.ParseAddr(b); err == nil && err2 == nil {
		return x.Unmap() == y.Unmap()
	}
	return strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, "."))
}
