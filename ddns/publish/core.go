package publish

import (
	"context"
	"slices"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/address"
	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
	"github.com/wanbeacon/wanbeacon/ddns/witness"
)

// Logger receives lines for the user.
type Logger interface {
	Debugf(format string, args ...any)
	Infof(format string, args ...any)
	Warnf(format string, args ...any)
	Errorf(format string, args ...any)
}

// Core is the reconciler. It is owned by one goroutine.
type Core struct {
	log      Logger
	random   func() float64 // in [0,1), for jitter
	entries  []*entry       // in the order of the configuration
	aliases  []*alias       // likewise
	steerAt  time.Time      // when an alias may have to move by the mere passing of time
	events   []Event        // not yet taken
	accounts map[string]*account
	answers  []address.Answer
	verify   config.Verify
	checking int  // checks under way
	dirty    bool // something that is saved has changed
}

// entry is a record with everything known about it.
type entry struct {
	Record
	source    string    // in use
	options   []option  // nil: there is one source
	chooseAt  time.Time // when another may have to be used by the mere passing of time
	wanted    Addrs
	answer    address.Answer // of the source in use
	pathSince time.Time      // when the way out last changed

	published   Addrs  // what the provider last accepted
	publishedAs string // Identity at that time
	publishedAt time.Time
	cname       string // of an alias, in place of published
	doubt       bool   // a request failed after it was sent: the provider may have either address
	tried       Addrs  // of several: what requests that failed since may have left there

	flight   *Job
	forced   bool      // the user asked for a request although nothing changed
	changed  time.Time // when wanted last changed
	there    time.Time // when there was an address after there had been none
	sent     time.Time // start of the last request that may have reached the provider
	accepted time.Time // last accepted request of this run, for the provider's minimum interval

	class     provider.Class // of the last failure; "" after a success
	text      string
	fails     int // in a row
	missing   int // "endpoint not found" in a row
	notBefore time.Time
	noPath    bool      // the last failure was that nothing could leave the router
	ended     time.Time // of the last attempt
	blocked   bool
	logged    time.Time // when this failure was last logged
	troubled  string    // the event that was told last and is not over

	sight sight
}

type account struct {
	Account
	flights   int
	proven    bool // a request has succeeded since the account was configured
	notBefore time.Time
	class     provider.Class // not "": every record of the account is blocked
	text      string
}

// Job is one request to be made.
type Job struct {
	Provider Provider
	Origin   provider.Origin
	Updates  []provider.Update
	Started  time.Time

	// Instead of Updates: an alias, and where it is to lead.
	Hostname, Target string
	TTL              time.Duration

	account *account
	items   []item
	stale   bool
	cancel  context.CancelFunc
}

// item is one update of a job, with what was true when it started.
type item struct {
	_        [0]func() // never compared: == would be code
	key      Key
	sent     Addrs
	identity string
	path     uint64
	event    time.Time
}

// NewCore returns a reconciler without records. random gives values in [0,1).
func NewCore(log Logger, random func() float64) *Core {
	return &Core{log: log, random: random, accounts: map[string]*account{}}
}

// Configure replaces the configuration. Records that are the same in both keep
// everything; a changed one keeps what is published under its key and loses
// its waits and blocks. Requests for records that are gone become stale.
func (c *Core) Configure(now time.Time, records []Record, accounts []Account, saved []Saved) {
	old := c.entries
	oldAccounts := c.accounts
	c.entries, c.accounts = nil, map[string]*account{}
	for _, a := range accounts {
		if o := oldAccounts[a.Name]; o != nil && o.Identity == a.Identity {
			a.Provider = o.Provider // keeps what it has cached
			o.Account = a
			c.accounts[a.Name] = o
			continue
		}
		c.accounts[a.Name] = &account{Account: a}
	}
	for _, r := range records {
		i := slices.IndexFunc(old, func(e *entry) bool { return e.Key == r.Key })
		if i < 0 {
			c.entries = append(c.entries, restore(r, saved, now))
			continue
		}
		e := old[i]
		old = slices.Delete(old, i, i+1)
		if e.Identity != r.Identity {
			e.clearFailure()
		}
		if e.Source != r.Source || e.All != r.All || !slices.Equal(e.Fallbacks, r.Fallbacks) {
			e.wanted, e.answer, e.source = Addrs{}, address.Answer{}, ""
			e.options = r.options(e.options)
		}
		e.Record = r
		c.entries = append(c.entries, e)
	}
	for _, e := range old {
		if e.flight != nil {
			e.flight.stale = true
		}
		c.dirty = c.dirty || e.published.IsValid() || e.blocked
	}
	if c.answers != nil {
		c.apply(c.answers, now)
	}
}

// clearFailure forgets why a record failed and how long it was to wait.
func (e *entry) clearFailure() {
	e.class, e.text, e.blocked, e.noPath = "", "", false, false
	e.fails, e.missing = 0, 0
	e.notBefore, e.logged = time.Time{}, time.Time{}
}

// Observe takes the sources' answers to a new snapshot. It returns the jobs
// under way that have become pointless.
func (c *Core) Observe(now time.Time, answers []address.Answer) (stale []*Job) {
	c.answers = answers
	c.apply(answers, now)
	for _, e := range c.entries {
		j := e.flight
		if j == nil || j.stale || !e.wanted.IsValid() {
			continue
		}
		if !slices.ContainsFunc(j.items, c.current) {
			j.stale = true
			stale = append(stale, j)
		}
	}
	return stale
}

// current says whether what a job sends for an item is still what is wanted.
// No address at all does not make it pointless: a removal alone does nothing.
func (c *Core) current(i item) bool {
	e := c.find(i.key)
	if e == nil {
		return false
	}
	return !e.wanted.IsValid() || e.wanted == i.sent
}

func (c *Core) find(k Key) *entry {
	for _, e := range c.entries {
		if e.Key == k {
			return e
		}
	}
	if a := c.findAlias(k); a != nil {
		return &a.entry
	}
	return nil
}

// value is what the provider last accepted, as the DNS has it; "": nothing.
func (e *entry) value() string {
	if e.Family == 0 {
		return e.cname
	}
	return e.published.String()
}

func (c *Core) apply(answers []address.Answer, now time.Time) {
	for _, e := range c.entries {
		before := e.source
		all := e.choose(answers, now)
		if before != "" && before != e.source && !e.All {
			c.log.Infof("%s: %v now by source %s instead of %s", e.Hostname, e.Family, e.source, before)
		}
		for i := range answers {
			a := &answers[i]
			if a.Family != e.Family || a.Source != e.source {
				continue
			}
			if a.Path != e.answer.Path {
				e.pathSince = now
				if e.class == provider.Network {
					e.retryAfterChange(now)
				}
				if e.sight.verdict != witness.OK && e.sight.verdict != "" {
					e.sight.next = now.Add(confirmAfter / 2) // there may be a way to ask now
				}
			}
			if !e.All {
				all.first = a.Addr
			}
			if all != e.wanted {
				e.changed = now
			}
			if !e.wanted.IsValid() {
				e.there = now
			}
			e.wanted, e.answer = all, *a
		}
	}
	var path uint64
	for i := range answers {
		path = path*31 + answers[i].Path
	}
	for _, a := range c.aliases {
		if a.answer.Path != path {
			a.answer.Path, a.pathSince = path, now
			if a.class == provider.Network {
				a.retryAfterChange(now)
			}
		}
	}
}

// retryAfterChange lifts a network error's wait: the network is another one
// now. What did reach the provider's host is not repeated within a second.
func (e *entry) retryAfterChange(now time.Time) {
	e.fails = 0
	e.notBefore = now
	if !e.noPath {
		e.notBefore = later(now, e.ended.Add(quickRetry))
	}
}

// ready says whether a record needs a request, and from when on it may be
// made. Waits that only an event ends give false.
func (c *Core) ready(e *entry) (time.Time, bool) {
	var at time.Time
	if !e.wanted.IsValid() || !e.differs() && e.Force <= 0 || !e.Enabled || e.flight != nil || e.blocked {
		return at, false
	}
	a := c.accounts[e.Provider]
	if a == nil || a.class != "" {
		return at, false
	}
	if !e.differs() {
		at = e.publishedAt.Add(e.Force)
	}
	l := a.Provider.Limits()
	if l.MinInterval > 0 && !e.accepted.IsZero() {
		at = later(at, e.accepted.Add(l.MinInterval))
	}
	if l.Both && !e.forced && !e.published.IsValid() && c.lonely(e) {
		at = later(at, e.there.Add(partnerWait))
	}
	return later(at, later(e.settled(), later(e.notBefore, a.notBefore))), true
}

// settled is when the next request may follow the last one.
func (e *entry) settled() time.Time {
	if e.sent.IsZero() {
		return e.sent
	}
	at := e.sent.Add(settle)
	if quiet := e.changed.Add(steady); e.changed.After(e.sent) && quiet.Before(at) {
		return quiet
	}
	return at
}

// differs says whether what is wanted is not what the provider has.
func (e *entry) differs() bool {
	return e.forced || e.doubt || e.wanted != e.published || e.publishedAs != e.Identity
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Demand asks for a request now for the named hosts (all if none is named).
// Network back-off is lifted, the providers' own waits are not. With force, an
// unchanged address is sent too, and a record that was refused is tried again
// unless the provider itself has blocked it. The hosts that no record has are
// returned.
func (c *Core) Demand(now time.Time, hosts []string, force bool) (unknown []string) {
	for _, h := range hosts {
		if !slices.ContainsFunc(c.all(), func(e *entry) bool { return e.Hostname == h }) {
			unknown = append(unknown, h)
		}
	}
	for _, e := range c.all() {
		if len(hosts) > 0 && !slices.Contains(hosts, e.Hostname) {
			continue
		}
		if e.class == provider.Network || e.class == provider.Unknown {
			e.notBefore = now
		}
		if !force {
			continue
		}
		e.forced = true
		if e.blocked && !lasting(e.class) {
			e.clearFailure()
			c.dirty = true
		}
		if a := c.accounts[e.Provider]; a != nil && a.class != "" && !lasting(a.class) {
			a.class, a.text, a.proven = "", "", false
		}
	}
	return unknown
}

// all are the records, then the aliases.
func (c *Core) all() []*entry {
	list := c.entries[:len(c.entries):len(c.entries)]
	for _, a := range c.aliases {
		list = append(list, &a.entry)
	}
	return list
}

// Settled says whether nothing is under way for the named hosts (all if none
// is named) and nothing due is left that has not been tried. With patience, an
// attempt that could not even leave the router does not count as tried.
func (c *Core) Settled(hosts []string, patience bool) bool {
	for _, e := range c.all() {
		if len(hosts) > 0 && !slices.Contains(hosts, e.Hostname) {
			continue
		}
		if e.flight != nil {
			return false
		}
		var due bool
		if a := c.findAlias(e.Key); a != nil {
			_, due = c.aliasAt(a)
		} else if _, due = c.ready(e); due {
			due = e.differs()
		}
		if due && (e.class == "" || patience && e.noPath) {
			return false
		}
	}
	return true
}

// Failed says whether any record is not as wanted for want of success.
func (c *Core) Failed() bool {
	return slices.ContainsFunc(c.all(), func(e *entry) bool { return e.Enabled && c.failure(e) != "" })
}

func (c *Core) failure(e *entry) provider.Class {
	if a := c.accounts[e.Provider]; a != nil && a.class != "" {
		return a.class
	}
	return e.class
}
