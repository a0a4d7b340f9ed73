package publish

import (
	"net/netip"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/address"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// A record may name several sources, in order of preference. The first that
// has an address and a way out is used. Another takes over when it has had none
// for failover: a redial takes 4 s. A preferred one takes back when it has had
// both for failback. Of a record with the addresses of all of them, one that has
// had none for failover is taken out, and put back after failback.
const (
	failover = 5 * time.Second
	failback = time.Minute

	// After so many attempts in a row that got no reply through the device of
	// a source, the last of them past quickPeriod, the source counts as without
	// a way out: until that changes, or for avoidFor.
	deafTries = 3
	avoidFor  = 10 * time.Minute
)

// option is one of the sources of a record.
type option struct {
	_      [0]func() // never compared: == would be code
	source string
	usable bool
	since  time.Time // of usable
	avoid  time.Time // it is not usable before, unless its line changes
	line   uint64
	silent bool // avoid is so because no name server answered
	answer address.Answer
	heard  bool // a check of the DNS through its device has got answers

	// Of a record with the addresses of all its sources:
	held netip.Addr // what it has of this one; zero: nothing
	gone bool       // it has been taken out, and is to be good for a while first
}

// options makes those of a record that has several sources, of which some were
// there before.
func (r *Record) options(before []option) []option {
	if len(r.Fallbacks) == 0 {
		return nil
	}
	list := []option{{source: r.Source}}
	for _, s := range r.Fallbacks {
		list = append(list, option{source: s})
	}
	for i := range list {
		for _, b := range before {
			if b.source == list[i].source {
				list[i].held, list[i].gone, list[i].heard = b.held, b.gone, b.heard
			}
		}
	}
	return list
}

// choose brings the options up to date and picks the source to use. A record
// with one source has no options. all are the addresses of a record with those
// of all its sources.
func (e *entry) choose(answers []address.Answer, now time.Time) (all Addrs) {
	if e.options == nil {
		e.source = e.Source
		return all
	}
	current, untold := -1, false
	e.chooseAt = time.Time{}
	for i := range e.options {
		o := &e.options[i]
		for n := range answers {
			if a := &answers[n]; a.Family == e.Family && a.Source == o.source {
				o.answer = *a
			}
		}
		if o.answer.Line != o.line {
			o.avoid = time.Time{}
		}
		usable := o.answer.Addr.IsValid() && !o.answer.Offline && !o.avoid.After(now)
		if o.since.IsZero() || usable != o.usable {
			o.usable, o.since = usable, now
		}
		if o.source == e.source {
			current = i
		}
		untold = untold || o.answer.Untold
		e.waits(now, o.avoid, 0)
	}
	switch {
	case untold && current < 0:
		return all // in a moment it is known which of them is good
	case e.All:
		return e.gather(now)
	}
	for i := range e.options {
		o := &e.options[i]
		switch {
		case !o.usable, i < current && e.waits(now, o.since, failback) && (e.options[current].usable || e.waits(now, e.options[current].since, failover)):
			continue
		case i > current && current >= 0 && !e.options[current].avoid.After(now) && e.waits(now, e.options[current].since, failover):
			return all
		}
		e.source = o.source
		return all
	}
	if current < 0 {
		e.source = e.Source
	}
	return all
}

// waits says whether it is not yet so long since then; it is then looked at again.
func (e *entry) waits(now, since time.Time, long time.Duration) bool {
	at := since.Add(long)
	if at.After(now) {
		e.chooseAt = sooner(e.chooseAt, at)
		return true
	}
	return false
}

// why says what the sources before the one in use lack; "" if none is before it.
// With the addresses of all, it says what those without one lack.
func (e *entry) why(now time.Time) string {
	text := ""
	for i := range e.options {
		o := &e.options[i]
		switch {
		case e.All && o.held.IsValid() && o.usable:
			continue
		case !e.All && o.source == e.source:
			return text
		}
		if text != "" {
			text += "; "
		}
		text += o.source + ": "
		switch {
		case o.usable:
			text += "good again, and used when it has been for a minute"
		case o.avoid.After(now):
			text += "nobody answers through " + o.answer.Interface
		case o.answer.Addr.IsValid():
			text += "no default route through " + o.answer.Interface
		case o.answer.Note != "":
			text += o.answer.Note
		default:
			text += "no address"
		}
	}
	if e.All {
		return text
	}
	return ""
}

// deaf notes that nobody answers through the device of the source in use, if
// another could do better. It reports whether the record is to be looked at again.
func (e *entry) deaf(now time.Time) bool {
	if e.options == nil || e.class != provider.Network || e.fails < deafTries || !e.answer.Named || now.Sub(e.pathSince) < quickPeriod {
		return false
	}
	for i := range e.options {
		o := &e.options[i]
		if o.source != e.source || !o.usable {
			continue
		}
		for n := range e.options {
			if n != i && e.options[n].usable {
				o.avoid, o.line, o.silent = now.Add(avoidFor), o.answer.Line, false
				return true
			}
		}
	}
	return false
}
