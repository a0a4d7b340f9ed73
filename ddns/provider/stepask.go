package provider

import (
	"context"
	"fmt"
	"time"
)

// ask makes the requests of a step, page by page. found: all that is picked
// was there.
func (r *run) ask(ctx context.Context, from Origin, s *Step) (o *Outcome, found bool) {
	f := &s.form
	var records []any
	if s.Walk {
		for _, p := range f.pick {
			delete(r.vars, p.name)
		}
	}
	r.page, r.offset = s.Pages.First, 0
	if s.Pages.Items != "" {
		r.page = "1"
	}
	for n := 1; ; n++ {
		o, tree, missing := r.reply(ctx, from, s)
		if o != nil && (!o.Class.Done() || s.Action != "" && o.Class == Unchanged) {
			return o, false
		}
		if missing && s.Walk {
			return nil, false
		}
		if missing && !s.hasRecords() {
			return nil, true
		}
		if missing {
			break
		}
		for _, p := range f.pick {
			if text := p.path.text(tree, r.value); text != "" && n == 1 || text != "" && r.vars[p.name] == "" {
				r.pick(p.name, text)
			}
		}
		records = append(records, flat(f.list.find(tree, r.value))...)
		if !r.turnPage(s, tree, n) {
			if s.Action != "" {
				return o, true
			}
			break
		}
	}
	if o := r.each(ctx, from, s, records); o != nil {
		return o, false
	}
	if s.hasRecords() {
		return r.choose(s, records), true
	}
	for _, p := range f.pick {
		if r.vars[p.name] != "" || s.Optional {
			continue
		}
		if s.Walk {
			return nil, false
		}
		return &Outcome{Class: Unknown, Text: r.masker.own(fmt.Sprintf("%s: the answer has no %s", s.Name, p.name)), Sent: true}, false
	}
	r.p.kept.token(r, s)
	return nil, true
}

// each puts records in the place of their ids.
func (r *run) each(ctx context.Context, from Origin, s *Step, records []any) *Outcome {
	if s.form.each.empty() {
		return nil
	}
	one := *s
	one.form.url = s.form.each
	for i, id := range records {
		r.vars["item"], _ = jsonText(id)
		o, tree, _ := r.reply(ctx, from, &one)
		if o != nil && !o.Class.Done() {
			return o
		}
		records[i] = tree
	}
	return nil
}

func (s *Step) hasRecords() bool {
	return s.Records.List != "" || s.Records.Address != "" || len(s.Records.Pick) > 0
}

// turnPage reports whether there is another page, and makes {page} that.
func (r *run) turnPage(s *Step, tree any, n int) bool {
	switch {
	case s.Pages.Next != "":
		next := s.form.next.text(tree, r.value)
		if next == "" || next == r.page {
			return false
		}
		r.page = next
	case s.Pages.Items != "":
		if len(flat(s.form.items.find(tree, r.value))) < s.Pages.Size {
			return false
		}
		r.page, r.offset = itoa(n+1), n*s.Pages.Size
	default:
		return false
	}
	return true
}

// reply makes one request, asking again where the step says so. o is the
// outcome of an answer to a step that writes, or of a failure.
func (r *run) reply(ctx context.Context, from Origin, s *Step) (o *Outcome, tree any, missing bool) {
	for n := 0; ; n++ {
		resp, failed := r.fetch(ctx, from, s)
		if failed != nil {
			return failed, nil, false
		}
		subject := newSubject(resp.status, resp.body, r.value)
		subject.form = s.Reads
		page := isHTML(resp.body)
		if matchAny(s.form.again, subject, page) && n < maxAgain {
			if o := r.wait(ctx, time.Duration(s.Every)); o != nil {
				return o, nil, false
			}
			continue
		}
		if matchAny(s.form.missing, subject, page) {
			return nil, nil, true
		}
		if r.kept && matchAny(r.d.forms.forgetOn, subject, page) {
			r.gone = true
			return &Outcome{Class: Unknown, Text: prefixed(s.Name, "what was kept from an earlier update is gone"), Sent: true}, nil, false
		}
		v := r.verdict(s, resp, subject, page)
		if v.class.Done() {
			var err error
			if tree, err = r.tree(s, resp); err != nil {
				v = verdict{class: Unknown, own: err.Error()}
			}
		}
		if v.class.Done() {
			v.own = fmt.Sprintf("HTTP status %d", resp.status)
		} else if v.own == "" {
			v.words = r.words(s, resp)
		}
		out := r.d.outcome(v, resp, r.p.now(), r.masker)
		if !out.Class.Done() {
			out.Text = prefixed(s.Name, out.Text)
		}
		return &out, tree, false
	}
}

// wait pauses; the outcome is for when it took too long.
func (r *run) wait(ctx context.Context, d time.Duration) *Outcome {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		o := r.p.failure(&failure{err: ctx.Err(), doing: "waiting for the provider to finish", sent: true})
		return &o
	}
}

// fetch makes the request of a step. That which was made just before is not
// made again.
func (r *run) fetch(ctx context.Context, from Origin, s *Step) (*response, *Outcome) {
	req, err := r.request(s)
	if err != nil {
		return nil, &Outcome{Class: BadRequest, Text: r.masker.own(s.Name + ": " + err.Error()), Sent: r.requests > 0}
	}
	text := string(req.bytes())
	if s.Walk && text == r.last {
		return r.answer, nil
	}
	if r.requests++; r.requests > maxRequests {
		return nil, &Outcome{Class: Unknown, Text: fmt.Sprintf("%s: more than %d requests for one update", s.Name, maxRequests), Sent: true}
	}
	if err := r.sign(s, req); err != nil {
		return nil, &Outcome{Class: BadAuth, Text: r.masker.own(err.Error()), Account: true, Sent: r.requests > 1}
	}
	req.limit = maxListBody
	resp, warning, failed := r.p.fetch(ctx, from, req)
	r.wrote = r.wrote || s.Action != "" && (failed == nil || failed.Sent)
	if warning != "" {
		r.warning = warning
	}
	if failed != nil {
		failed.Sent = failed.Sent || r.requests > 1
		failed.NoPath = failed.NoPath && !failed.Sent
		failed.Text = prefixed(s.Name, failed.Text)
		return nil, failed
	}
	r.last, r.answer = text, resp
	return resp, nil
}

// sign signs a request.
func (r *run) sign(s *Step, req *request) error {
	g := s.form.sign
	if g == nil {
		return nil
	}
	plain := func(t template) string { return r.expand(t, escapeNone) }
	return g.with(&signing{req: req, id: plain(g.id), secret: plain(g.secret), scope: plain(g.scope), now: r.p.now(), nonce: r.p.nonce()})
}
