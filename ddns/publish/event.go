package publish

import (
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/provider"
	"github.com/wanbeacon/wanbeacon/ddns/witness"
)

// Event is something that the user wants to be told of when it happens, as
// [notify] sends it.
type Event struct {
	Event     string    `json:"event"`
	Hostname  string    `json:"hostname"`
	Family    string    `json:"family,omitempty"` // none: an alias
	Provider  string    `json:"provider"`
	Address   string    `json:"address,omitempty"` // published, of a record
	Target    string    `json:"target,omitempty"`  // of an alias
	OldTarget string    `json:"old_target,omitempty"`
	Message   string    `json:"message"` // a sentence for people
	Time      time.Time `json:"time"`
}

// The kinds of events.
const (
	EventBlocked  = "blocked"
	EventDark     = "dark"
	EventDiverted = "diverted"
	EventStale    = "stale" // and publishing once more has not helped
	EventWell     = "well"  // one of the others is over
	Moved         = "moved"
)

// event notes an event for Events.
func (c *Core) event(now time.Time, e Event) {
	e.Time = now.Round(0).Truncate(time.Second)
	c.events = append(c.events, e)
}

// Events gives what has happened since the last call.
func (c *Core) Events() []Event {
	list := c.events
	c.events = nil
	return list
}

// report notes an event about a record or an alias.
func (c *Core) report(now time.Time, e *entry, kind, message string) {
	x := Event{Event: kind, Hostname: e.Hostname, Provider: e.Provider, Message: message}
	if e.Family == 0 {
		x.Target = e.cname
	} else {
		x.Family, x.Address = e.Family.String(), e.published.String()
	}
	if kind == EventWell {
		e.troubled = ""
	} else {
		e.troubled = kind
	}
	c.event(now, x)
}

// recovered reports the end of a block, if there was one.
func (c *Core) recovered(now time.Time, e *entry, o provider.Outcome) {
	if e.troubled == EventBlocked && !o.Pretend {
		c.report(now, e, EventWell, e.Hostname+": "+e.Label()+" is accepted again by "+e.Provider)
	}
}

// turned reports a verdict that has changed.
func (c *Core) turned(now time.Time, e *entry, v witness.Verdict, note string) {
	switch {
	case v == witness.Dark:
		c.report(now, e, EventDark, e.Hostname+" does not resolve: "+note)
	case v == witness.Diverted:
		c.report(now, e, EventDiverted, e.Hostname+" is diverted: "+note)
	case v == witness.OK && (e.troubled == EventDark || e.troubled == EventDiverted || e.troubled == EventStale):
		c.report(now, e, EventWell, e.Hostname+" is well again: "+note)
	}
}

// stuck reports a record whose verdict is stale, when that has been so for the
// provider's delay after it was published once more; until then it says when
// that is to be looked at. A provider that takes addresses and forgets them
// would not be noticed otherwise.
func (c *Core) stuck(now time.Time, e *entry, delay time.Duration, note string) (at time.Time) {
	if e.troubled == EventStale || e.troubled == EventBlocked {
		return at
	}
	if e.sight.verdict == witness.Stale {
		if at = e.sight.since.Add(delay); !at.After(now) {
			c.report(now, e, EventStale, e.Hostname+" is stale, and publishing it once more has not helped: "+note)
			return time.Time{}
		}
		return at
	}
	return now.Add(delay)
}
