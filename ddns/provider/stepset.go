package provider

import (
	"context"
	"fmt"
	"net/netip"
)

// change is one thing to be done to the records of a name and type, where each
// has one address.
type change struct {
	_      [0]func() // never compared: == would be code
	action string    // "update" or "remove"
	want   string    // the address to be written
	record any       // of the list; nil: one is made
}

// apart reports whether several records of the name and type are, or were, ours.
func (r *run) apart() bool { return r.d.Record.Several && r.set() }

// plan finds out what has to be done to the records of the name and type. Those
// whose address is wanted stay. Others of ours get an address that is missing,
// what still misses is made, and what is left over of ours is deleted at last:
// so a right address is there all the time, and whatever comes to be left
// undone is seen by the next attempt. Ours is what was published; the only
// record is taken over, as for a single address; all others stay. The outcome
// is for when nothing has to be done.
func (r *run) plan(s *Step, records []any) *Outcome {
	var wants []netip.Addr
	if r.action == "update" {
		wants = r.update.all()
	}
	var changes []change
	write := func(i int, record any) {
		changes = append(changes, change{action: "update", want: addrText(wants[i]), record: record})
	}
	if len(records) > 1 {
		r.vars["several"] = itoa(len(records) - 1)
	}
	have := make([]any, len(wants))
	var spare []any
	var again []int
	others := 0
	for _, record := range records {
		text := s.addressOf(r, record)
		i := indexOf(text, wants)
		switch {
		case i >= 0 && have[i] == nil:
			if o := r.take(s, record); o != nil {
				return o
			}
			if have[i] = record; r.otherTTL() {
				again = append(again, i)
			}
		case among(text, r.update.Published), len(records) == 1 && len(wants) > 0:
			spare = append(spare, record)
		default:
			others++
		}
	}
	if others > 0 {
		r.warning = r.leftAlone(max(len(records), others+len(wants)))
	}
	for i := range wants {
		if have[i] == nil {
			if len(spare) > 0 {
				have[i], spare = spare[0], spare[1:]
			}
			write(i, have[i])
		}
	}
	for _, i := range again {
		write(i, have[i])
	}
	for _, record := range spare {
		changes = append(changes, change{action: "remove", record: record})
	}
	if len(changes) == 0 && len(wants) > 0 && s.Records.Always {
		write(0, have[0])
	}
	r.changes = changes
	switch {
	case len(changes) > 0:
		return nil
	case len(wants) == 0:
		return &Outcome{Class: Unchanged, Text: noSuchRecord, Sent: true}
	}
	return &Outcome{Class: Unchanged, Text: "the name has these addresses already", Sent: true}
}

// carryOut makes the changes that were planned, each by the steps from number
// next on.
func (r *run) carryOut(ctx context.Context, from Origin, s *Step, next int) (o Outcome) {
	changes, action, want := r.changes, r.action, r.want
	r.changes = nil
	for _, c := range changes {
		r.action, r.want = c.action, c.want
		if bad := r.take(s, c.record); bad != nil {
			o = *bad
		} else {
			o = r.all(ctx, from, next)
		}
		if !o.Class.Done() {
			break
		}
	}
	r.action, r.want = action, want
	return o
}

// take makes known what the step picks from a record. With none it forgets what
// tells the steps that there is one; the rest, such as the TTL, stays as it is
// of another one of ours.
func (r *run) take(s *Step, record any) *Outcome {
	for _, p := range s.form.recordPick {
		if record == nil && !r.d.looksAt(p.name) {
			continue
		}
		delete(r.vars, p.name)
		if record == nil {
			continue
		}
		if text := p.path.text(record, r.value); text != "" {
			r.pick(p.name, text)
		}
		if r.vars[p.name] == "" && r.d.inURL(p.name) { // else it would be taken for missing, and made anew
			return &Outcome{Class: Unknown, Text: r.masker.own(fmt.Sprintf("%s: the answer has no %s", s.Name, p.name)), Sent: true}
		}
	}
	r.vars["current"] = ""
	if record != nil {
		if r.vars["current"] = s.addressOf(r, record); sameContent(r.vars["current"], r.want) {
			r.vars["current"] = r.want // so that "current != {address}" compares them as addresses
		}
	}
	return nil
}

// addressOf is the address of a record; "": it is not in the reply.
func (s *Step) addressOf(r *run, record any) string {
	if s.Records.Address == "" {
		return ""
	}
	return s.form.address.text(record, r.value)
}

// otherTTL reports whether our record has a TTL that is not the user's.
func (r *run) otherTTL() bool {
	ttl := r.vars["ttl"]
	return r.update.TTL != 0 && ttl != "" && ttl != r.base("ttl")
}

// looksAt reports whether a condition of a step has the value.
func (d *Definition) looksAt(name string) bool {
	for i := range d.Steps {
		f := &d.Steps[i].form
		for _, c := range append(f.when[:len(f.when):len(f.when)], f.unless...) {
			if c.path[0] == name {
				return true
			}
		}
	}
	return false
}
