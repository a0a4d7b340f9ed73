package publish

import (
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// Due starts every request that may be made now and returns them.
func (c *Core) Due(now time.Time) []*Job {
	var jobs []*Job
	for _, e := range c.entries {
		if !e.chooseAt.IsZero() && !e.chooseAt.After(now) {
			c.apply(c.answers, now)
			break
		}
	}
	for _, e := range c.entries {
		if at, ok := c.ready(e); ok && !at.After(now) {
			jobs = c.start(c.accounts[e.Provider], now, jobs)
		}
	}
	c.steerAt = c.steerAliases(now)
	return c.dueAliases(now, jobs)
}

// start makes the requests that an account may make now.
func (c *Core) start(a *account, now time.Time, jobs []*Job) []*Job {
	for _, first := range c.entries {
		if !c.due(a, first, now) {
			continue
		}
		// Together goes what leaves by the same device.
		var list []*entry
		var updates []provider.Update
		d := a.device(first)
		for _, e := range c.entries {
			if c.due(a, e, now) && a.device(e) == d {
				list = append(list, e)
				updates = append(updates, provider.Update{Hostname: e.Hostname, Family: e.Family, Addr: e.wanted.first, More: e.wanted.further(),
					TTL: e.TTL, Published: e.published.and(e.tried).All(), Other: c.sibling(e)})
			}
		}
		for _, group := range a.Provider.Group(updates) {
			if a.flights >= a.limit() {
				return jobs
			}
			jobs = append(jobs, a.job(now, d, list, updates, group))
		}
	}
	return jobs
}

// due says whether a record of the account needs a request now.
func (c *Core) due(a *account, e *entry, now time.Time) bool {
	if e.Provider != a.Name {
		return false
	}
	at, ok := c.ready(e)
	return ok && !at.After(now)
}

// limit is how many requests an account may have under way: one until its
// credentials have proved good, so that a wrong password is tried once.
func (a *account) limit() int {
	if a.proven {
		return parallel
	}
	return 1
}

// device is the one that a record's request must leave through; "": any.
func (a *account) device(e *entry) string {
	switch {
	case a.Bind != "":
		return a.Bind
	case e.answer.Named:
		return e.answer.Interface
	}
	return ""
}

func (a *account) job(now time.Time, device string, list []*entry, updates []provider.Update, group []int) *Job {
	j := &Job{Provider: a.Provider, Origin: provider.Origin{Device: device}, Started: now, account: a}
	for _, n := range group {
		e := list[n]
		j.Updates = append(j.Updates, updates[n])
		j.items = append(j.items, item{key: e.Key, sent: e.wanted, identity: e.Identity, path: e.answer.Path, event: e.changed})
		if e.answer.Named && !j.Origin.Addr.IsValid() && (a.Bind == "" || a.Bind == e.answer.Interface) {
			j.Origin.Addr = e.answer.From // another device has other addresses
		}
		j.Origin.Unrouted = j.Origin.Unrouted || e.answer.Unrouted && a.Bind == ""
		e.flight = j
	}
	a.flights++
	return j
}

// Next is when Due may have something to start that is not due now; zero when
// only an event can bring that about.
func (c *Core) Next(now time.Time) time.Time {
	var next time.Time
	for _, e := range c.entries {
		next = sooner(next, e.chooseAt)
		at, ok := c.ready(e)
		if !ok || !at.After(now) {
			continue // nothing to do, or waiting for another request of the account
		}
		next = sooner(next, at)
	}
	return sooner(next, sooner(c.nextAlias(now), c.steerAt))
}
