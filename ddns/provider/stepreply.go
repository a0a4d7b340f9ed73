package provider

// verdict is what a reply says.
func (r *run) verdict(s *Step, resp *response, subject *subject, page bool) verdict {
	find := func(c Class, reply map[Class][]pattern) bool {
		for _, p := range reply[c] {
			if page && !p.onStatus() || c.Done() && resp.status/100 != 2 && !p.onStatus() {
				continue
			}
			if p.match(subject) {
				return true
			}
		}
		return false
	}
	said := false // that a success must look so
	for _, reply := range []map[Class][]pattern{s.form.reply, r.d.forms.reply} {
		for _, c := range errorClasses {
			if find(c, reply) {
				return verdict{class: c, known: true}
			}
		}
		if s.Action != "" && !page && find(Unchanged, reply) {
			return verdict{class: Unchanged, known: true}
		}
		if !said && len(reply[Updated]) > 0 && !page && find(Updated, reply) {
			return verdict{class: Updated, known: true}
		}
		said = said || len(reply[Updated]) > 0
	}
	if !said && resp.status/100 == 2 && !page {
		return verdict{class: Updated}
	}
	return byStatus(resp, page)
}

func matchAny(patterns []pattern, s *subject, page bool) bool {
	for _, p := range patterns {
		if (!page || p.onStatus()) && p.match(s) {
			return true
		}
	}
	return false
}

// tree reads an answer, if the step takes anything from it.
func (r *run) tree(s *Step, resp *response) (any, error) {
	if len(s.form.pick) == 0 && !s.hasRecords() && s.Pages == (PagesForm{}) {
		return nil, nil
	}
	if resp.cut {
		return nil, errTooLong
	}
	tree, err := readTree(s.Reads, resp.body)
	if err != nil && s.Action != "" && resp.body == "" {
		return nil, nil // stored; there is nothing to pick
	}
	return tree, err
}

// words are what the provider says of an error; "": the body as it is.
func (r *run) words(s *Step, resp *response) string {
	if r.d.Reply.Message == "" {
		return ""
	}
	tree, err := readTree(s.Reads, resp.body)
	if err != nil {
		return ""
	}
	return r.d.forms.message.text(tree, r.value)
}
