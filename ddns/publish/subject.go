package publish

import (
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/witness"
)

// A Subject is a record to be checked at the user's request.
type Subject struct {
	Key
	Published string // address, or target of an alias; "": nothing
	Check     *Check
}

// Subjects are the records of the named hosts, all if none is named; the hosts
// that no record has are returned.
func (c *Core) Subjects(now time.Time, hosts []string) (list []Subject, unknown []string) {
	for _, h := range hosts {
		found := false
		for _, e := range c.all() {
			found = found || e.Hostname == h
		}
		if !found {
			unknown = append(unknown, h)
		}
	}
	for _, e := range c.all() {
		named := len(hosts) == 0
		for _, h := range hosts {
			named = named || e.Hostname == h
		}
		if !named {
			continue
		}
		saved := e.sight
		e.sight.facts, e.sight.unsure = nil, true
		k := c.check(e, now)
		c.checking--
		e.sight = saved
		list = append(list, Subject{e.Key, e.value(), k})
	}
	return list, unknown
}

// Told takes what a check at the user's request found.
func (c *Core) Told(now time.Time, s Subject, f *witness.Facts) *Turn {
	e := c.find(s.Key)
	if e == nil || e.sight.flight != nil || e.value() != s.Check.want || e.publishedAt.After(s.Check.started) ||
		e.value() == "" || !c.verify.Enabled || s.Check.Expected.Unverifiable != "" {
		return nil
	}
	return c.judge(now, e, witness.Walk, f)
}

// restore takes what was saved of a record.
func (s *sight) restore(from Saved, published, now time.Time) {
	s.older, s.first = from.Before, published
	if from.Zone != "" && len(from.Servers) > 0 {
		s.known = witness.Delegation{Zone: from.Zone, Servers: from.Servers}
	}
	if len(from.MovedTo) > 1 {
		s.moved = witness.Delegation{Zone: from.MovedTo[0], Servers: from.MovedTo[1:]}
		if s.movedAt = from.MovedAt; s.movedAt.After(now) || s.movedAt.Before(clockIsSet) {
			s.movedAt = now
		}
	}
}

// save writes what a restart must not forget.
func (s *sight) save(to *Saved) {
	to.Before, to.Zone, to.Servers = s.older, s.known.Zone, s.known.Servers
	if len(s.moved.Servers) > 0 {
		to.MovedTo = append([]string{s.moved.Zone}, s.moved.Servers...)
		to.MovedAt = s.movedAt.UTC().Truncate(time.Second)
	}
}
