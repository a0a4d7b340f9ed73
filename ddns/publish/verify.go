package publish

import (
	"net/netip"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/dns"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
	"github.com/wanbeacon/wanbeacon/ddns/witness"
)

// Pace of verification.
const (
	firstGap     = 500 * time.Millisecond // after a publication, doubling
	usualDelay   = time.Minute            // of a provider whose definition names none
	walkEvery    = time.Hour              // the delegation, when all is well
	confirmAfter = 20 * time.Second       // a bad verdict is looked at again before it counts
	checkTime    = 15 * time.Second       // that one check may take
	acceptAfter  = 24 * time.Hour         // a new delegation that has been good for so long is the usual one

	// Where the interval is short, both are no more than these parts of it: then
	// two checks that find nothing but silence, after one that raises a doubt,
	// still end within two intervals of whatever is wrong.
	checkPart   = 4
	confirmPart = 8

	maxChecks  = 4 // at a time
	maxHistory = 8 // earlier addresses that are remembered as ours
)

// sight is what the world's DNS shows of a record.
type sight struct {
	verdict witness.Verdict // "": not checked yet
	note    string
	since   time.Time // when the verdict became what it is

	facts  *witness.Facts // of the last check of all servers
	looked time.Time      // when that was
	walked time.Time      // when the last one from the root down was
	asked  time.Time      // when the last one began that asks for the delegation
	unsure bool           // the next one has to be from the root down
	next   time.Time      // when it is due
	flight *Check
	turn   int           // which server is asked next
	first  time.Time     // when what is published was published first
	gap    time.Duration // until the next check after a publication; 0: the world has seen it
	doubts int           // bad checks in a row that do not count yet
	resent bool          // the stale record has been published again
	via    string        // the source through whose device the last check left, of several
	mute   string        // the source through whose device nobody answered last, another is to be tried
	probe  bool          // the next one asks a source that is passed over

	older   []netip.Addr // what was published before, the newest last
	known   witness.Delegation
	moved   witness.Delegation // another one than known, good so far
	movedAt time.Time
}

// Check is one look at a record's name in the DNS, to be made.
type Check struct {
	witness.Check
	Origin provider.Origin

	key     Key
	via     string // the source whose device it leaves through, of several; "": it is all the same
	probe   bool   // it is about that source, which is passed over, and not about the name
	want    string
	started time.Time
}

// Turn says that the verdict about a record has changed.
type Turn struct {
	Record
	Old, New witness.Verdict
	Note     string
}

// Verify sets what verification may do; without it, nothing is asked.
func (c *Core) Verify(v config.Verify) { c.verify = v }

// Checks starts the checks that are due and returns them.
func (c *Core) Checks(now time.Time) []*Check {
	var checks []*Check
	for _, e := range c.all() {
		if at, ok := c.checkAt(e); ok && !at.After(now) && c.checking < maxChecks && !c.follows(e, now) {
			checks = append(checks, c.check(e, now))
		}
	}
	return checks
}

// NextCheck is when Checks may have something to start that is not due now;
// zero when only an event can bring that about.
func (c *Core) NextCheck(now time.Time) time.Time {
	var next time.Time
	for _, e := range c.all() {
		if at, ok := c.checkAt(e); ok && at.After(now) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

// checkAt says whether a record is to be checked, and from when on. Without an
// address there is no way to ask, and what was never published nobody has.
func (c *Core) checkAt(e *entry) (time.Time, bool) {
	a := c.accounts[e.Provider]
	if !c.verify.Enabled || a == nil || a.Unverifiable != "" || !e.Enabled || e.sight.flight != nil ||
		e.value() == "" || e.Family != 0 && !e.wanted.IsValid() || e.Family == 0 && !c.online() {
		return time.Time{}, false
	}
	return e.sight.next, true
}

// online says whether any record has an address, so that there is a way to ask.
func (c *Core) online() bool {
	for _, e := range c.entries {
		if e.wanted.IsValid() {
			return true
		}
	}
	return false
}

// check starts a check of a record.
func (c *Core) check(e *entry, now time.Time) *Check {
	s := &e.sight
	k := &Check{key: e.Key, want: e.value(), started: now}
	k.Check = witness.Check{Name: e.Hostname, Type: dns.TypeA, Roots: c.verify.Roots, Turn: s.turn, Expected: c.expected(now, e),
		Time: min(checkTime, c.verify.Interval/checkPart)}
	switch e.Family {
	case config.IPv6:
		k.Type = dns.TypeAAAA
	case 0:
		k.Type = dns.TypeCNAME
	}
	if a := c.accounts[e.Provider]; a != nil {
		by := &e.answer
		k.Origin.Device = a.device(e)
		if o := e.checkedVia(); a.Bind == "" && o != nil {
			by, k.via, k.Origin.Device = &o.answer, o.source, o.answer.Interface
			s.via = k.via
		}
		if by.Named && k.Origin.Device == by.Interface {
			k.Origin.Addr = by.From
		}
	}
	k.How, k.Last, k.Alone = c.how(e, now)
	if o := e.passedOver(now); s.probe && o != nil && k.How == witness.Light {
		k.via, k.Origin, k.probe = o.source, provider.Origin{Device: o.answer.Interface, Addr: o.answer.From}, true
	}
	s.probe = false
	if k.How == witness.Walk || k.How == witness.Light && !k.Alone {
		s.asked = now
	}
	if !k.probe {
		s.turn++
	}
	s.flight = k
	c.checking++
	return k
}

// published makes the DNS be looked at: old is what was published before.
func (s *sight) published(now time.Time, old, addr Addrs) {
	if old == addr && s.verdict == witness.OK {
		return
	}
	s.gap, s.next = firstGap, now
	if old == addr {
		return
	}
	for _, a := range old.All() {
		s.remember(a)
	}
	for _, a := range addr.All() {
		s.forget(a)
	}
	s.first, s.resent, s.doubts = now, false, 0
	if s.verdict == witness.OK || s.verdict == "" {
		s.verdict, s.note, s.since = witness.Pending, "published just now", now
	}
}

// remember notes that an address was ours.
func (s *sight) remember(a netip.Addr) {
	s.forget(a)
	if s.older = append(s.older, a); len(s.older) > maxHistory {
		s.older = s.older[1:]
	}
}

// forget leaves out what is ours now.
func (s *sight) forget(a netip.Addr) {
	var kept []netip.Addr
	for _, o := range s.older {
		if o != a {
			kept = append(kept, o)
		}
	}
	s.older = kept
}

// Checked takes what a check found. It returns the change of the verdict, if
// there is one.
func (c *Core) Checked(now time.Time, k *Check, f *witness.Facts) *Turn {
	c.checking--
	e := c.find(k.key)
	if e == nil || e.sight.flight != k {
		return nil
	}
	e.sight.flight = nil
	if e.value() != k.want || e.publishedAt.After(k.started) {
		return nil // it looked for what was published before
	}
	switch {
	case k.probe:
		c.probed(now, e, k, f)
		return nil
	case c.silent(now, e, k, f):
		return nil
	}
	t := c.judge(now, e, k.How, f)
	if s := &e.sight; s.verdict == witness.OK && s.facts != nil && !s.unsure && e.passedOver(now) != nil {
		s.probe, s.next = true, now
	}
	return t
}

// judge weighs a check of what is published.
func (c *Core) judge(now time.Time, e *entry, how witness.How, f *witness.Facts) *Turn {
	s := &e.sight
	x := c.expected(now, e)
	v, note := witness.Judge(f, x)
	s.next = now.Add(c.jitter(c.verify.Interval))
	switch {
	case how == witness.Walk:
		s.unsure, s.walked = false, now
		if f.Why == "" {
			c.spread(now, e, f.Parent)
		}
	case s.unsure:
		s.next = now
		return nil
	case how == witness.Light && v == witness.OK:
		return nil
	case how == witness.Light || v != witness.OK && v != witness.Pending:
		s.facts, s.unsure, s.next = nil, true, now // doubt: from the root down
		return nil
	}
	s.facts, s.looked = f, now
	switch {
	case v == witness.OK:
		c.world(now, e, f)
		s.doubts, s.resent = 0, false
	case v == witness.Pending:
		s.doubts = 0
		c.predecessor(e, f, x)
		s.gap = max(s.gap, firstGap)
		s.next = now.Add(s.gap)
		if last := now.Add(x.Delay - x.Age); s.next.After(last) && last.After(now) {
			s.next = last
		}
		s.gap = min(2*s.gap, c.verify.Interval)
	case s.verdict != v && s.doubts == 0:
		s.doubts++
		s.next = now.Add(min(confirmAfter, c.verify.Interval/confirmPart))
		return nil
	default:
		s.doubts, s.gap = 1, 0
		if v != witness.Unverifiable {
			s.moved = witness.Delegation{}
		}
		if v == witness.Stale {
			if at := c.stuck(now, e, x.Delay, note); at.Before(s.next) && !at.IsZero() {
				s.next = at
			}
			if !s.resent {
				s.resent, e.forced = true, true
			}
		}
	}
	return c.turn(now, e, v, note)
}

// expected is what is known about a record.
func (c *Core) expected(now time.Time, e *entry) witness.Expected {
	x := witness.Expected{Want: e.value(), Whole: e.All, Known: e.sight.known, Age: now.Sub(e.sight.first), Delay: usualDelay}
	for _, a := range e.sight.older {
		x.Older = append(x.Older, a.String())
	}
	if a := c.findAlias(e.Key); a != nil {
		x.Older = append(x.Older, a.Targets...)
	}
	if a := c.accounts[e.Provider]; a != nil {
		x.Unverifiable = a.Unverifiable
		if d := a.Provider.Limits().Delay; d > 0 {
			x.Delay = d
		}
	}
	return x
}

// predecessor takes for ours what the servers gave before our first
// publication had reached them.
func (c *Core) predecessor(e *entry, f *witness.Facts, x witness.Expected) {
	if len(e.sight.older) > 0 || e.Family == 0 {
		return
	}
	for _, server := range f.Servers {
		for _, v := range server.Values {
			if a, err := netip.ParseAddr(v); err == nil && !e.published.has(a) {
				e.sight.remember(a)
				c.dirty = true
			}
		}
	}
}

// world notes that the world sees what was published.
func (c *Core) world(now time.Time, e *entry, f *witness.Facts) {
	s := &e.sight
	if s.gap > 0 {
		s.gap = 0
		c.log.Infof("%s: %s seen by %s after %s", e.Hostname, e.Label(), f.Seen(e.value()), short(now.Sub(e.publishedAt)))
	}
	if f.Resolver != "" || f.Light || len(f.Parent.Servers) == 0 {
		return
	}
	switch {
	case s.known.Zone == "" && len(s.known.Servers) == 0:
		s.known, c.dirty = f.Parent, true
	case f.Parent.Equal(s.known):
		if len(s.moved.Servers) > 0 {
			s.moved, c.dirty = witness.Delegation{}, true
			c.log.Infof("%s: the delegation is as it was: %v", e.Hostname, s.known)
		}
	case !f.Parent.Equal(s.moved):
		s.moved, s.movedAt, c.dirty = f.Parent, now, true
		c.log.Warnf("%s: %s; they give our address", e.Hostname, witness.Moved(s.known, f.Parent))
	case now.Sub(s.movedAt) >= acceptAfter:
		s.known, s.moved, c.dirty = f.Parent, witness.Delegation{}, true
		c.log.Infof("%s: the new delegation has been good for a day and is the usual one now: %v", e.Hostname, s.known)
	}
}

// turn makes a verdict the one in force.
func (c *Core) turn(now time.Time, e *entry, v witness.Verdict, note string) *Turn {
	s := &e.sight
	old := s.verdict
	s.verdict, s.note = v, note
	if old == v {
		return nil
	}
	s.since = now
	c.turned(now, e, v, note)
	switch {
	case v == witness.OK && old != "" && old != witness.Pending:
		c.log.Infof("%s: %s ok again: %s", e.Hostname, e.Label(), note)
	case v == witness.Stale && e.forced:
		c.log.Warnf("%s: stale: %s; publishing it once more", e.Hostname, note)
	case v != witness.OK && v != witness.Pending:
		c.log.Warnf("%s: %s: %s", e.Hostname, v, note)
	}
	return &Turn{e.Record, old, v, note}
}

// Verdict is what the user is told about a record.
func (c *Core) verdict(e *entry) (v witness.Verdict, note string, delegation []string) {
	if a := c.accounts[e.Provider]; c.verify.Enabled && a != nil && a.Unverifiable != "" && e.value() != "" {
		return witness.Unverifiable, a.Unverifiable, nil
	}
	s := &e.sight
	if !c.verify.Enabled || e.value() == "" {
		return "", "", nil
	}
	servers := s.known.Servers
	if s.facts != nil && len(s.facts.Parent.Servers) > 0 {
		servers = s.facts.Parent.Servers
	}
	for _, name := range servers {
		delegation = append(delegation, name+".")
	}
	return s.verdict, s.note, delegation
}
