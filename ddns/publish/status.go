package publish

import (
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/address"
	"github.com/wanbeacon/wanbeacon/ddns/witness"
)

// RecordStatus is what the user is told about one record.
type RecordStatus struct {
	Key
	Source      string // in use; "" before the sources were looked at
	SourceNote  string // why not one that comes before it; with All, what others lack
	All         bool   // it is about the addresses of all its sources
	Wanted      Addrs
	Published   Addrs
	State       State
	Error       string
	ErrorClass  string
	LastChange  time.Time
	NextAttempt time.Time
	Attempts    int // failed in a row

	Verdict      witness.Verdict // "": not checked yet, or verification is off
	VerdictNote  string
	VerdictSince time.Time
	Delegation   []string // the parent's name servers, with the last dot
}

// Status tells about every record and every source's answer.
func (c *Core) Status(now time.Time) ([]RecordStatus, []address.Answer) {
	list := make([]RecordStatus, 0, len(c.entries))
	for _, e := range c.entries {
		s := RecordStatus{Key: e.Key, Source: e.source, SourceNote: e.why(now), All: e.All, Wanted: e.wanted, Published: e.published,
			State: c.state(e), Error: e.text, ErrorClass: string(e.class), Attempts: e.fails}
		if !e.publishedAt.IsZero() {
			// A router's clock is set after it has published its address.
			s.LastChange = now.Add(e.publishedAt.Sub(now))
		}
		if a := c.accounts[e.Provider]; e.class == "" && a != nil && a.class != "" {
			s.Error, s.ErrorClass = a.text, string(a.class)
		}
		if at, ok := c.ready(e); ok && at.After(now) {
			s.NextAttempt = at
		}
		s.Verdict, s.VerdictNote, s.Delegation = c.verdict(e)
		s.VerdictSince = e.sight.since
		list = append(list, s)
	}
	return list, c.answers
}

func (c *Core) state(e *entry) State {
	a := c.accounts[e.Provider]
	switch {
	case !e.Enabled:
		return Disabled
	case e.flight != nil:
		return Updating
	case e.blocked || a != nil && a.class != "":
		return Blocked
	case !e.wanted.IsValid():
		return Waiting
	case e.class != "":
		return Retrying
	case e.differs():
		return Pending
	}
	return Published
}
