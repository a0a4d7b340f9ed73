package publish

import (
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/witness"
)

// That nothing comes back through a line that is up shows only when something
// is sent. Of a record with several sources the checks of the DNS, which are
// made anyway, tell: when nobody answers one any more through a device where
// somebody did before, the next leaves at once through that of another source.
// If that gets answers, the first counts as without a way out. After each check
// it is asked one question more, which tells when it is good again.

// checkedVia is the source whose device the next check is to leave through;
// nil: there is one source, or it names no device.
func (e *entry) checkedVia() *option {
	var found *option
	for i := range e.options {
		o := &e.options[i]
		switch {
		case !o.usable || !o.answer.Named || o.source == e.sight.mute:
		case e.sight.mute != "":
			return o
		case !e.All && o.source == e.source, e.All && e.sight.facts == nil && o.source == e.sight.via: // a doubt is looked into where it arose
			return o
		case e.All && (found == nil || e.sight.turn%len(e.options) == i): // each in its turn
			found = o
		}
	}
	return found
}

// silent takes what a check says about the lines. It reports whether it says
// nothing about the name: it is to be made again through another line.
func (c *Core) silent(now time.Time, e *entry, k *Check, f *witness.Facts) bool {
	s := &e.sight
	mute := s.mute
	s.mute = ""
	var via, first *option
	for i := range e.options {
		o := &e.options[i]
		if o.source == k.via {
			via = o
		}
		if o.source == mute {
			first = o
		}
	}
	switch {
	case via == nil:
	case !f.Silent():
		via.heard = via.heard || answered(f)
		if first != nil && first.usable {
			first.line, first.silent = first.answer.Line, true
			c.avoid(now, first)
			c.log.Warnf("%s: nobody answers through %s, but name servers do through %s", mute, first.answer.Interface, via.answer.Interface)
			c.apply(c.answers, now)
		}
	case mute == "" && via.heard:
		s.mute = k.via
		if e.checkedVia() == nil {
			s.mute = "" // there is no other line
			return false
		}
		s.facts, s.next = nil, now
		return true
	}
	return false
}

// answered reports whether a name server was heard.
func answered(f *witness.Facts) bool {
	return f.Resolver == "" && len(f.Servers) > 0 && f.Servers[0].Said != witness.Silent
}

// avoid passes a silent source over until it is known to be good, or two more
// questions could not be asked.
func (c *Core) avoid(now time.Time, o *option) {
	o.avoid = now.Add(max(avoidFor, 3*c.verify.Interval))
}

// passedOver is the source that is to be asked whether it is good again; nil:
// there is none.
func (e *entry) passedOver(now time.Time) *option {
	for i := range e.options {
		if o := &e.options[i]; o.silent && o.avoid.After(now) && o.answer.Addr.IsValid() && !o.answer.Offline {
			return o
		}
	}
	return nil
}

// probed takes what a source that is passed over was asked.
func (c *Core) probed(now time.Time, e *entry, k *Check, f *witness.Facts) {
	e.sight.next = now.Add(c.jitter(c.verify.Interval))
	o := e.passedOver(now)
	switch {
	case o == nil || o.source != k.via || o.answer.Line != o.line:
	case answered(f):
		o.avoid = time.Time{}
		c.log.Infof("%s: name servers answer through %s again", o.source, o.answer.Interface)
		c.apply(c.answers, now)
	default:
		c.avoid(now, o)
	}
}
