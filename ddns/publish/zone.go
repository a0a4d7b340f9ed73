package publish

import (
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/dns"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
	"github.com/wanbeacon/wanbeacon/ddns/witness"
)

// Records of one zone share what is found out about its delegation, as long as
// they are looked at on the same way out: one of them walks from the root each
// hour, and one asks for the delegation each interval. What the zone's servers
// say of its name each record asks by itself.

// way is where the checks of a record leave from, as its requests do.
func (c *Core) way(e *entry) (from provider.Origin) {
	if a := c.accounts[e.Provider]; a != nil {
		if from.Device = a.device(e); e.answer.Named && from.Device == e.answer.Interface {
			from.Addr = e.answer.From
		}
	}
	return from
}

// several reports whether a record is looked at through several lines in turn.
// Such a one shares nothing: what goes for one line may not for another.
func (e *entry) several() bool { return len(e.options) > 1 }

// inZoneOf reports whether facts of another record tell the way to the servers
// of a name.
func inZoneOf(name string, f *witness.Facts) bool {
	return f != nil && f.Why == "" && len(f.Chain) == 0 && len(f.Parent.Servers) > 0 && strings.Contains(f.Parent.Zone, ".") && dns.InZone(name, f.Parent.Zone)
}

// how decides what a check of a record asks, and from which facts it starts;
// alone: a check of another record has asked for the delegation.
func (c *Core) how(e *entry, now time.Time) (how witness.How, from *witness.Facts, alone bool) {
	s := &e.sight
	from = s.facts
	walked, asked := s.walked, s.asked
	for _, o := range c.all() {
		n := &o.sight
		if o == e || e.several() || o.several() || n.verdict != witness.OK && n.verdict != witness.Pending || n.doubts > 0 || !inZoneOf(e.Hostname, n.facts) || c.way(o) != c.way(e) ||
			from != nil && !from.Parent.Equal(n.facts.Parent) {
			continue
		}
		from = n.facts
		walked, asked = later(walked, n.walked), later(asked, n.asked)
	}
	if s.facts != nil {
		from = s.facts
	}
	switch {
	case from == nil || from.Why != "" || s.doubts > 0 || s.unsure || now.Sub(walked) >= walkEvery:
		return witness.Walk, nil, false
	case s.facts == nil || s.gap > 0 || s.verdict != witness.OK || now.Sub(s.looked) >= walkEvery:
		return witness.All, from, false
	}
	return witness.Light, from, now.Sub(asked) < c.verify.Interval*8/10 // the jitter is a tenth
}

// follows reports whether a walk is under way that may spare a record its own.
// Where one has found trouble, each goes its own way.
func (c *Core) follows(e *entry, now time.Time) bool {
	if e.sight.unsure || e.sight.doubts > 0 || e.several() {
		return false
	}
	walking := false
	for _, o := range c.all() {
		if o.several() || upper(o.Hostname) != upper(e.Hostname) || c.way(o) != c.way(e) {
			continue
		}
		if o.sight.doubts > 0 {
			return false
		}
		walking = walking || o.sight.flight != nil && o.sight.flight.How == witness.Walk
	}
	if !walking {
		return false
	}
	how, _, _ := c.how(e, now)
	return how == witness.Walk
}

// upper is what a name has in common with those beside it.
func upper(name string) string {
	_, rest, _ := strings.Cut(name, ".")
	return rest
}

// spread makes the records of a zone be looked at again, from the root down,
// when a walk for one of them has found another delegation.
func (c *Core) spread(now time.Time, e *entry, found witness.Delegation) {
	for _, o := range c.all() {
		s := &o.sight
		if o == e || o.several() || e.several() || !inZoneOf(e.Hostname, s.facts) || s.facts.Parent.Equal(found) || len(found.Zone) > len(s.facts.Parent.Zone) ||
			now.Sub(s.walked) < c.verify.Interval/2 || c.way(o) != c.way(e) {
			continue
		}
		s.facts, s.unsure, s.next = nil, true, now
	}
}
