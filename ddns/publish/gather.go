package publish

import (
	"net/netip"
	"time"
)

// gather is what a record with the addresses of all its sources is to have. A
// new address is in it at once, in the place of the source's old one. One that
// has gone stays for failover; one that is still to come stays for failback: at
// the start, and after an outage of all, the lines come up one after the other.
// When all have gone there is nothing to be had, and what was published stands.
// Requests leave through the first source that is good.
func (e *entry) gather(now time.Time) Addrs {
	if !e.wanted.IsValid() {
		e.there = now
	}
	if e.source == "" {
		e.source = e.Source
	}
	some, alive := false, false
	for i := range e.options {
		if o := &e.options[i]; o.usable {
			o.gone = o.gone && e.waits(now, o.since, failback)
			some, alive = true, alive || !o.gone
		}
	}
	if !some {
		return Addrs{}
	}
	var list []netip.Addr
	source := ""
	for i := range e.options {
		o := &e.options[i]
		since, long := o.since, failover
		if !since.After(e.there) {
			since, long = e.there, failback
		}
		switch {
		case o.usable && (!o.gone || !alive):
			if o.held, o.gone = o.answer.Addr, false; source == "" {
				source = o.source
			}
		case !o.held.IsValid(), e.waits(now, since, long):
		default:
			o.held, o.gone = netip.Addr{}, true
		}
		if o.held.IsValid() {
			list = append(list, o.held)
		}
	}
	e.source = source
	return addrsOf(list)
}
