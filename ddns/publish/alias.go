package publish

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/provider"
	"github.com/wanbeacon/wanbeacon/ddns/witness"
)

// Alias is a name that is kept a CNAME of one of several records' names.
type Alias struct {
	Hostname, Provider     string
	Targets                []string // in order of preference
	FailAfter, ReturnAfter time.Duration
	TTL                    time.Duration
	Identity               string // changes when the name or the account does
}

// CNAMEWriter is a Provider that can write CNAME.
type CNAMEWriter interface {
	SetCNAME(ctx context.Context, from provider.Origin, hostname, target string, ttl time.Duration) provider.Outcome
}

// alias is an Alias with everything known about it. Its entry has no address:
// the target stands in the place of one.
type alias struct {
	entry
	Alias
	steer   steering
	started time.Time
	why     string // it leads where it leads
}

// aliasSaved is what stands for the family of an alias in the saved state.
const aliasSaved = "alias"

// SetAliases replaces the aliases, after Configure; those that stay keep
// everything.
func (c *Core) SetAliases(now time.Time, list []Alias, saved []Saved) {
	old := c.aliases
	c.aliases = nil
	for _, want := range list {
		a := &alias{started: now}
		a.Key = Key{Hostname: want.Hostname, Provider: want.Provider}
		for _, o := range old {
			if o.Key == a.Key {
				a = o
			}
		}
		if a.Alias.Hostname == "" {
			a.restore(saved, now)
		}
		if a.Alias.Identity != want.Identity {
			a.clearFailure()
		}
		if !slices.Equal(a.Alias.Targets, want.Targets) {
			a.steer = steering{targets: make([]heading, len(want.Targets)), current: slices.Index(want.Targets, a.cname)}
			a.started = now
		}
		a.Alias, a.Record.Identity, a.Enabled = want, want.Identity, true
		a.steer.failAfter, a.steer.returnAfter, a.steer.settled = want.FailAfter, want.ReturnAfter, a.started.Add(want.FailAfter)
		c.aliases = append(c.aliases, a)
	}
	for _, o := range old {
		if !slices.Contains(c.aliases, o) {
			if o.flight != nil {
				o.flight.stale = true
			}
			c.dirty = true
		}
	}
}

func (a *alias) restore(saved []Saved, now time.Time) {
	for _, s := range saved {
		if s.Hostname != a.Key.Hostname || s.Provider != a.Key.Provider || s.Family != aliasSaved || s.Target == "" {
			continue
		}
		a.cname, a.publishedAs, a.publishedAt = s.Target, s.Identity, s.Published
		if a.publishedAt.After(now) || a.publishedAt.Before(clockIsSet) {
			a.publishedAt = now
		}
		a.sight.restore(s, a.publishedAt, now)
	}
}

func (a *alias) saved() Saved {
	s := Saved{Hostname: a.Key.Hostname, Provider: a.Key.Provider, Family: aliasSaved, Identity: a.publishedAs,
		Target: a.cname, Published: a.publishedAt.UTC().Truncate(time.Second)}
	a.sight.save(&s)
	return s
}

// target is where the alias is to lead; "": nothing is known to be good yet.
func (a *alias) target() string {
	if a.steer.current < 0 {
		return ""
	}
	return a.Targets[a.steer.current]
}

// steerAliases decides where each alias leads, and returns when the mere
// passing of time may change that.
func (c *Core) steerAliases(now time.Time) (next time.Time) {
	for _, a := range c.aliases {
		for i, host := range a.Targets {
			h, since, at := c.health(host, a.FailAfter, now)
			if h != pausing {
				a.steer.see(i, h, since)
			}
			next = sooner(next, at)
		}
		to, at := a.steer.next(now)
		why := ""
		if to < 0 {
			// Where the DNS cannot be asked, an alias of something is better
			// than none.
			if at = a.started.Add(a.FailAfter); !at.After(now) {
				to, at, why = 0, time.Time{}, "no target could be verified, so it is the first one"
			}
		}
		next = sooner(next, at)
		if to == a.steer.current {
			continue
		}
		from := a.target()
		if a.steer.current = to; why == "" {
			why = c.reason(a, from)
		}
		a.why = why
		if from == "" {
			c.log.Infof("%s: leads to %s: %s", a.Key.Hostname, a.target(), why)
		} else {
			c.log.Warnf("%s: moves from %s to %s: %s", a.Key.Hostname, from, a.target(), why)
		}
	}
	return next
}

// reason says why an alias has just left a target.
func (c *Core) reason(a *alias, from string) string {
	if from == "" {
		return "it is the first that is healthy"
	}
	if slices.Index(a.Targets, from) > a.steer.current && a.steer.targets[slices.Index(a.Targets, from)].health != ailing {
		return a.target() + " has been well again for " + short(a.ReturnAfter)
	}
	return fmt.Sprintf("%s has been bad for %s (%s)", from, short(a.FailAfter), c.complaint(from))
}

// complaint says what is wrong with a record, in a few words.
func (c *Core) complaint(host string) string {
	for _, e := range c.entries {
		if e.Hostname != host || !e.Enabled {
			continue
		}
		v, note, _ := c.verdict(e)
		switch {
		case v != witness.OK && v != "":
			return string(v) + ": " + note
		case e.text != "":
			return e.text
		}
	}
	return "not published"
}

// pausing: what was known about a target's health holds on.
const pausing health = -1

// health is that of the records of a hostname, the worst one's. since is when
// it began, as far as that is known, else now; at is when it may change by the
// mere passing of time.
func (c *Core) health(host string, failAfter time.Duration, now time.Time) (h health, since, at time.Time) {
	h, since = unsure, now
	found := false
	for _, e := range c.entries {
		if e.Hostname != host || !e.Enabled {
			continue
		}
		one, from, again := c.healthOf(e, failAfter, now)
		at = sooner(at, again)
		switch {
		case one == ailing:
			return ailing, from, time.Time{}
		case !found || one == unsure || one == pausing && h == healthy:
			h, since = one, from
		}
		found = true
	}
	return h, since, at
}

func (c *Core) healthOf(e *entry, failAfter time.Duration, now time.Time) (h health, since, at time.Time) {
	a := c.accounts[e.Provider]
	verdict, _, _ := c.verdict(e)
	switch {
	case a == nil || !e.wanted.IsValid() || !e.published.IsValid() && e.class == "" && a.class == "":
		return unsure, now, time.Time{}
	case e.wanted != e.published:
		if e.class == "" && a.class == "" {
			return pausing, now, time.Time{} // the request is under way, or about to be
		}
		return ailing, now, time.Time{}
	case verdict == witness.OK:
		return healthy, now, time.Time{}
	case verdict == witness.Pending:
		if end := e.sight.since.Add(failAfter); end.After(now) {
			return pausing, now, end
		}
		return ailing, e.sight.since, time.Time{}
	case verdict == witness.Stale || verdict == witness.Dark || verdict == witness.Diverted:
		return ailing, e.sight.since, time.Time{}
	case verdict == "":
		return pausing, now, time.Time{}
	}
	return unsure, now, time.Time{}
}

// aliasAt says whether an alias needs a request, and from when on.
func (c *Core) aliasAt(a *alias) (time.Time, bool) {
	acct := c.accounts[a.Key.Provider]
	if acct == nil || acct.class != "" || a.blocked || a.flight != nil || a.target() == "" || !a.unlike() {
		return time.Time{}, false
	}
	at := later(a.notBefore, acct.notBefore)
	if l := acct.Provider.Limits(); l.MinInterval > 0 && !a.accepted.IsZero() {
		at = later(at, a.accepted.Add(l.MinInterval))
	}
	return at, true
}

// unlike says whether the provider has something else than is wanted.
func (a *alias) unlike() bool {
	return a.forced || a.doubt || a.cname != a.target() || a.publishedAs != a.Alias.Identity
}

// dueAliases starts the requests for aliases that may be made now.
func (c *Core) dueAliases(now time.Time, jobs []*Job) []*Job {
	for _, a := range c.aliases {
		at, ok := c.aliasAt(a)
		acct := c.accounts[a.Key.Provider]
		if !ok || at.After(now) || acct.flights >= acct.limit() {
			continue
		}
		j := &Job{Provider: acct.Provider, Origin: provider.Origin{Device: acct.Bind}, Started: now, account: acct,
			Hostname: a.Key.Hostname, Target: a.target(), TTL: a.Alias.TTL,
			items: []item{{key: a.Key, identity: a.Alias.Identity, path: a.answer.Path}}}
		a.flight = j
		acct.flights++
		jobs = append(jobs, j)
	}
	return jobs
}

// finishAlias takes the outcome of a request for an alias.
func (c *Core) finishAlias(now time.Time, j *Job, o provider.Outcome) {
	a := c.findAlias(j.items[0].key)
	if a == nil || a.flight != j {
		return
	}
	a.flight, a.ended = nil, now
	switch it := j.items[0]; {
	case o.Class.Done():
		old := a.cname
		tries := a.fails + 1
		c.recovered(now, &a.entry, o)
		a.clearFailure()
		a.cname, a.publishedAs, a.publishedAt = j.Target, it.identity, now
		a.accepted, a.doubt, a.forced = now, false, false
		j.account.proven, c.dirty = true, true
		if o.Pretend {
			c.log.Infof("%s: alias of %s would be published at %s", a.Key.Hostname, j.Target, a.Key.Provider)
			return
		}
		c.log.Infof("%s: alias of %s published at %s in %s (%s)%s", a.Key.Hostname, j.Target, a.Key.Provider,
			short(now.Sub(j.Started)), o.Text, attempts(tries))
		if o.Warning != "" {
			c.log.Warnf("%s: %s", a.Key.Hostname, o.Warning)
		}
		a.sight.aliased(now, old != j.Target)
		if old != "" && old != j.Target {
			c.event(now, Event{Event: Moved, Hostname: a.Key.Hostname, Provider: a.Key.Provider, Target: j.Target, OldTarget: old,
				Message: fmt.Sprintf("%s leads to %s now, no longer to %s: %s", a.Key.Hostname, j.Target, old, a.why)})
		}
	case o.Class.Permanent() && (it.identity != a.Alias.Identity || c.accounts[a.Key.Provider] != j.account):
	default:
		c.failed(now, &a.entry, j, it, o)
	}
}

func (c *Core) findAlias(k Key) *alias {
	for _, a := range c.aliases {
		if a.Key == k {
			return a
		}
	}
	return nil
}

// nextAlias is when dueAliases may have something to start that is not due now.
func (c *Core) nextAlias(now time.Time) (next time.Time) {
	for _, a := range c.aliases {
		if at, ok := c.aliasAt(a); ok && at.After(now) {
			next = sooner(next, at)
		}
	}
	return next
}

// aliased makes the DNS be looked at after an alias was published.
func (s *sight) aliased(now time.Time, moved bool) {
	if !moved && s.verdict == witness.OK {
		return
	}
	s.gap, s.next = firstGap, now
	if moved {
		s.first, s.resent, s.doubts = now, false, 0
		s.verdict, s.note, s.since = witness.Pending, "published just now", now
	}
}

// AliasStatus is what the user is told about one alias.
type AliasStatus struct {
	Hostname, Provider string
	Target             string // published; "": none yet
	Wanted             string
	State              State
	Reason             string
	Verdict            witness.Verdict
	VerdictNote        string
}

func (c *Core) aliasStatus() []AliasStatus {
	var list []AliasStatus
	for _, a := range c.aliases {
		s := AliasStatus{Hostname: a.Key.Hostname, Provider: a.Key.Provider, Target: a.cname, Wanted: a.target(), Reason: a.why}
		s.Verdict, s.VerdictNote, _ = c.verdict(&a.entry)
		acct := c.accounts[a.Key.Provider]
		switch {
		case a.flight != nil:
			s.State = Updating
		case a.blocked || acct != nil && acct.class != "":
			s.State = Blocked
		case a.target() == "":
			s.State, s.Reason = Waiting, "no target has been verified yet"
		case a.class != "":
			s.State = Retrying
		case a.unlike():
			s.State = Pending
		default:
			s.State = Published
		}
		switch {
		case a.text != "":
			s.Reason = a.text
		case acct != nil && acct.class != "":
			s.Reason = acct.text
		case s.Reason == "" && a.cname != "":
			s.Reason = "as before the start"
		}
		list = append(list, s)
	}
	return list
}
