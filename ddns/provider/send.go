package provider

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Send publishes updates, which are one group of Group's, and returns when
// there is an outcome for each, in their order: after the timeout at the
// latest, and at once when ctx is done.
func (p *Provider) Send(ctx context.Context, from Origin, updates []Update) []Outcome {
	if p.dns != nil {
		return p.dns.send(ctx, from, updates)
	}
	if p.def.Family == "steps" {
		return p.sendSteps(ctx, from, updates, "update")
	}
	return p.send(ctx, from, updates, p.updateRequest)
}

// Remove takes the addresses of updates away. It fails where CanRemove is
// false, or when the protocol would take the other family away as well.
func (p *Provider) Remove(ctx context.Context, from Origin, updates []Update) []Outcome {
	if p.dns != nil {
		return p.dns.remove(ctx, from, updates)
	}
	if p.def.Family == "steps" {
		return p.sendSteps(ctx, from, updates, "remove")
	}
	hosts := make([]Update, len(updates))
	for i, u := range updates {
		u.Addr = netip.Addr{} // none is sent
		hosts[i] = u
	}
	return p.send(ctx, from, hosts, p.removeRequest)
}

type requestMaker func(updates []Update, show bool) (*request, error)

func (p *Provider) send(ctx context.Context, from Origin, updates []Update, build requestMaker) []Outcome {
	outcomes, split := p.exchange(ctx, from, updates, build)
	if !split {
		return outcomes
	}
	outcomes = outcomes[:0]
	for _, host := range byHost(updates) {
		one, _ := p.exchange(ctx, from, host, build)
		outcomes = append(outcomes, one...)
	}
	return outcomes
}

// maxRedirects bounds how often an answer may lead elsewhere on its own host.
const maxRedirects = 3

// exchange makes one request and interprets the answer.
func (p *Provider) exchange(ctx context.Context, from Origin, updates []Update, build requestMaker) (outcomes []Outcome, split bool) {
	if len(updates) == 0 {
		return nil, false
	}
	req, err := build(updates, false)
	if err != nil {
		return p.all(updates, Outcome{Class: BadRequest, Text: p.masker.own(err.Error())}), false
	}
	limited, release := withPatience(ctx, p.opt.Timeout)
	defer release()
	r, warning, failed := p.fetch(limited, from, req)
	if failed != nil {
		return p.all(updates, *failed), false
	}
	outcomes, split = p.def.interpret(r, updates, time.Now(), p.masker)
	for i := range outcomes {
		if outcomes[i].Warning == "" {
			outcomes[i].Warning = warning
		}
	}
	return outcomes, split
}

// fetch makes one request and follows redirects. failed is the outcome if no
// answer came that could be interpreted.
func (p *Provider) fetch(ctx context.Context, from Origin, req *request) (r *response, warning string, failed *Outcome) {
	for redirects := 0; ; redirects++ {
		r, note, err := p.transport.roundTrip(ctx, from, p.bind, req)
		if note != "" {
			warning = note
		}
		if err != nil {
			o := p.failure(err)
			o.Warning = warning
			o.Sent = o.Sent || redirects > 0
			return nil, warning, &o
		}
		if !isRedirect(r) {
			return r, warning, nil
		}
		to, why := p.redirect(req, r)
		if why == "" && redirects == maxRedirects {
			why = "led elsewhere more than three times"
		}
		if why != "" {
			text := fmt.Sprintf("HTTP status %d, to %s: not followed, it %s", r.status, p.masker.peer(r.header["location"]), why)
			return nil, warning, &Outcome{Class: BadRequest, Text: p.masker.own(text), Sent: true, Warning: warning}
		}
		next := *req
		next.target = to
		req = &next
	}
}

func isRedirect(r *response) bool {
	switch r.status {
	case 301, 302, 303, 307, 308:
		return true
	}
	return false
}

// redirect returns where an answer leads; why says why one must not go there.
// Only the same scheme, host and port are followed: credentials go nowhere
// else, and a request that changes something is repeated only if it is a GET.
func (p *Provider) redirect(req *request, r *response) (to target, why string) {
	location := r.header["location"]
	if req.method != "GET" {
		return to, "answers a " + req.method
	}
	switch {
	case location == "":
		return to, "leads nowhere"
	case strings.HasPrefix(location, "//"):
		location = strings.TrimSuffix(req.origin(), "//"+req.authority()) + location
	case strings.HasPrefix(location, "/"):
		location = req.origin() + location
	case strings.HasPrefix(location, "?"):
		path, _, _ := strings.Cut(req.path, "?")
		location = req.origin() + path + location
	case !strings.Contains(location, "://"):
		path, _, _ := strings.Cut(req.path, "?")
		location = req.origin() + path[:strings.LastIndexByte(path, '/')+1] + location
	}
	location, _, _ = strings.Cut(location, "#")
	to, err := parseTarget(location)
	switch {
	case err != nil:
		return to, "is not a URL of http or https"
	case to.host != req.host || to.port != req.port || to.secure != req.secure:
		return to, "leads to another server"
	}
	return to, ""
}

func (p *Provider) all(updates []Update, o Outcome) []Outcome {
	outcomes := make([]Outcome, len(updates))
	for i := range outcomes {
		outcomes[i] = o
	}
	return outcomes
}
