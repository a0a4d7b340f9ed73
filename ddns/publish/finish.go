package publish

import (
	"fmt"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// Change says that a provider has accepted a new address for a record.
type Change struct {
	Record
	Old, New Addrs
}

// Finish takes the outcomes of a job, one per update, and returns the records
// whose published address has changed.
func (c *Core) Finish(now time.Time, j *Job, outcomes []provider.Outcome) (changes []Change) {
	j.account.flights--
	if j.Target != "" {
		c.finishAlias(now, j, outcomes[0])
		return nil
	}
	for n, it := range j.items {
		e := c.find(it.key)
		if e == nil || e.flight != j {
			continue
		}
		e.flight, e.ended = nil, now
		o := outcomes[n]
		if o.Sent || o.Class.Done() {
			e.sent = j.Started
		}
		switch {
		case o.Class.Done():
			old := e.published
			c.accepted(now, e, j, it, o)
			if old != e.published {
				changes = append(changes, Change{e.Record, old, e.published})
			}
		case o.Class.Permanent() && (it.identity != e.Identity || c.accounts[e.Provider] != j.account):
			// The configuration has changed meanwhile: the refusal of the old one
			// says nothing about the new one.
			c.unsure(e, it, o)
		case j.stale && o.Class == provider.Network:
			// Given up because something newer is wanted: no failure, but the
			// provider may have heard it.
			c.unsure(e, it, o)
			e.sent = j.Started
		default:
			c.failed(now, e, j, it, o)
		}
	}
	return changes
}

// accepted notes that the provider has now what was sent.
func (c *Core) accepted(now time.Time, e *entry, j *Job, it item, o provider.Outcome) {
	addr := it.sent
	if e.published != addr || e.publishedAs != it.identity || e.Force > 0 {
		c.dirty = true
	}
	if !o.Pretend {
		e.sight.published(now, e.published, addr)
	}
	tries := e.fails + 1
	c.recovered(now, e, o)
	repeated := e.forced || e.published == addr // there was no event
	e.clearFailure()
	e.published, e.publishedAs, e.publishedAt = addr, it.identity, now
	c.dirty = c.dirty || e.tried.IsValid()
	e.accepted, e.doubt, e.forced, e.tried = now, false, false, Addrs{}
	j.account.proven = true

	if o.Pretend {
		c.log.Infof("%s: %v %v would be published at %s", e.Hostname, e.Family, addr, e.Provider)
		return
	}
	since := it.event
	if since.IsZero() || tries > 1 || repeated {
		since = j.Started
	}
	c.log.Infof("%s: %v %v published at %s in %s (%s)%s", e.Hostname, e.Family, addr, e.Provider,
		short(now.Sub(since)), o.Text, attempts(tries))
	if o.Warning != "" {
		c.log.Warnf("%s: %v: %s", e.Hostname, e.Family, o.Warning)
	}
}

func attempts(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(", attempt %d", n)
}

// unsure notes what a request that failed may have changed. Of several addresses
// those that it may have left there are ours: the next request that succeeds
// takes away what is not wanted any more.
func (c *Core) unsure(e *entry, it item, o provider.Outcome) {
	if !o.Partly && (!o.Sent || o.Class != provider.Network) {
		return
	}
	e.doubt = true
	if e.All {
		before := e.tried
		e.tried = before.and(it.sent)
		c.dirty = c.dirty || e.tried != before
	}
}

// failed notes a failure and decides when, if ever, the next attempt is.
func (c *Core) failed(now time.Time, e *entry, j *Job, it item, o provider.Outcome) {
	c.unsure(e, it, o)
	repeated := e.class == o.Class && e.text == o.Text
	e.class, e.text, e.noPath = o.Class, o.Text, o.NoPath
	e.fails++
	if !o.Endpoint {
		e.missing = 0
	}
	a := c.accounts[e.Provider]

	var wait time.Duration
	switch {
	case o.Class.Permanent():
		c.block(now, e, o)
		return
	case o.Endpoint && e.missing+1 >= endpointTries:
		e.class = provider.BadRequest
		c.block(now, e, o)
		return
	case o.Class == provider.Network:
		if wait = c.networkWait(now, e, it, o); e.deaf(now) {
			wait = 0
			defer c.apply(c.answers, now)
		}
	case o.Class == provider.ServerError:
		// A provider that names a shorter wait than its usual one knows better.
		wait = o.Wait
		if usual := j.Provider.Limits().ServerErrorWait; wait == 0 || wait >= usual {
			wait = double(max(wait, usual), e.fails, refusalWaitMax)
		}
	case o.Wait > 0:
		wait = o.Wait
	case o.Class == provider.TooMany:
		wait = double(max(j.Provider.Limits().MinInterval, tooManyDefault), e.fails, refusalWaitMax)
	default:
		if o.Endpoint {
			e.missing++
		}
		wait = c.jitter(double(unknownBackoff, e.fails, unknownBackoffMax))
	}
	e.notBefore = now.Add(wait)
	if o.Account && a != nil {
		a.notBefore = later(a.notBefore, e.notBefore)
	}
	if !repeated || now.Sub(e.logged) >= remindAfter {
		e.logged = now
		c.log.Warnf("%s: %s update at %s failed: %s; next attempt in %s%s", e.Hostname, e.Label(), e.Provider, o.Text, short(wait), attempts(e.fails))
		return
	}
	c.log.Debugf("%s: %s update at %s failed again: %s; next attempt in %s, attempt %d", e.Hostname, e.Label(), e.Provider, o.Text, short(wait), e.fails)
}

// block ends all attempts for a record, or for all of its account, until the
// configuration changes or the user forces one.
func (c *Core) block(now time.Time, e *entry, o provider.Outcome) {
	e.blocked = true
	c.dirty = c.dirty || lasting(e.class)
	a := c.accounts[e.Provider]
	if !o.Account || a == nil {
		c.report(now, e, EventBlocked, e.Hostname+": "+e.Label()+" refused by "+e.Provider+": "+o.Text)
		c.log.Errorf("%s: %s refused by %s: %s; blocked until the configuration changes", e.Hostname, e.Label(), e.Provider, o.Text)
		return
	}
	if a.class != "" {
		return // told for another record of the same request
	}
	a.class, a.text = e.class, e.text
	c.report(now, e, EventBlocked, e.Hostname+": "+e.Label()+" refused by "+e.Provider+": "+o.Text+"; all records there are blocked")
	for _, other := range c.entries {
		if lasting(e.class) && other.Provider == e.Provider && !other.blocked {
			other.class, other.text, other.blocked = e.class, e.text, true
		}
	}
	c.log.Errorf("%s: %s refused by %s: %s; all records at %s are blocked until the configuration changes", e.Hostname, e.Label(), e.Provider, o.Text, e.Provider)
}

// lasting says whether a block outlives a restart: the provider has shut this
// client out, and asking again makes it worse.
func lasting(c provider.Class) bool {
	return c == provider.Abuse || c == provider.BadAgent
}

// networkWait is how long to wait after an attempt that got no reply.
func (c *Core) networkWait(now time.Time, e *entry, it item, o provider.Outcome) time.Duration {
	switch {
	case o.NoPath && e.answer.Path != it.path:
		e.fails = 0
		return 0 // the network has changed meanwhile
	case !o.Sent && now.Sub(e.pathSince) < quickPeriod:
		return c.jitter(quickRetry)
	}
	return c.jitter(double(networkBackoff, e.fails, networkBackoffMax))
}

// double is base doubled for each failure after the first, at most limit.
func double(base time.Duration, fails int, limit time.Duration) time.Duration {
	for ; fails > 1 && base < limit; fails-- {
		base *= 2
	}
	return min(base, max(limit, base/2))
}

// jitter spreads a wait by a tenth either way, so that the clients of a
// provider that comes back do not arrive together.
func (c *Core) jitter(d time.Duration) time.Duration {
	return d - d/10 + time.Duration(c.random()*float64(d/5))
}

// short writes a duration for people: 850 µs, 182 ms, 1.4 s, 30m0s.
func short(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// Removals makes the requests that take away the published records with
// remove_on_exit, one a record.
func (c *Core) Removals(now time.Time) []*Job {
	var jobs []*Job
	for _, e := range c.entries {
		a := c.accounts[e.Provider]
		if !e.RemoveOnExit || !e.Enabled || !e.published.IsValid() || a == nil || c.state(e) == Blocked {
			continue
		}
		list := []*entry{e}
		there := e.published.and(e.tried)
		updates := []provider.Update{{Hostname: e.Hostname, Family: e.Family, Addr: there.first, More: there.further(), TTL: e.TTL, Other: c.sibling(e)}}
		jobs = append(jobs, a.job(now, a.device(e), list, updates, []int{0}))
	}
	return jobs
}

// Removed takes the outcomes of removals.
func (c *Core) Removed(j *Job, outcomes []provider.Outcome) {
	for n, it := range j.items {
		e := c.find(it.key)
		o := outcomes[n]
		if !o.Class.Done() {
			c.log.Warnf("%s: %v could not be removed at %s: %s", e.Hostname, e.Family, e.Provider, o.Text)
			continue
		}
		if o.Pretend {
			continue
		}
		c.log.Infof("%s: %v removed at %s", e.Hostname, e.Family, e.Provider)
		e.published, e.tried, e.publishedAs, c.dirty = Addrs{}, Addrs{}, "", true
	}
}
