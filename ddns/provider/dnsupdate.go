package provider

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// setCNAME makes hostname an alias of target, whatever it was an alias of
// before. Other records at the name are not touched, and make it fail.
func (u *dnsUpdater) setCNAME(ctx context.Context, from Origin, hostname, target string, ttl time.Duration) Outcome {
	hostname, target = strings.ToLower(strings.TrimSuffix(hostname, ".")), strings.TrimSuffix(target, ".")
	c := dnsChange{name: hostname, typ: typeCNAME, data: []byte{}, ttl: u.ttl(ttl), without: besideCNAME[:]}
	for _, err := range []error{u.p.CheckHost(hostname), checkDNSName(target)} {
		if c.err == nil {
			c.err = err
		}
	}
	if c.err == nil {
		c.data = appendDNSName(nil, target)
	}
	return u.apply(ctx, from, []dnsChange{c})[0]
}

// besideCNAME are the types that a name is likely to have. A server silently
// leaves a CNAME out that would stand beside one of them (RFC 2136 section
// 3.4.2.2), so that there must be none of them.
var besideCNAME = [...]uint16{typeA, typeAAAA, typeMX, typeTXT, typeNS, typeSRV, typeCAA, typeSVCB, typeHTTPS}

// apply makes changes, those of one zone in one message. There is one outcome
// for each, in their order.
func (u *dnsUpdater) apply(ctx context.Context, from Origin, changes []dnsChange) []Outcome {
	limited, release := withPatience(ctx, u.p.opt.Timeout)
	defer release()
	outcomes := make([]Outcome, len(changes))
	type batch struct {
		place   dnsPlace
		cached  bool
		members []int
	}
	var batches []*batch
next:
	for i, c := range changes {
		if c.err == nil {
			c.err = checkDNSName(c.name)
		}
		if c.err != nil {
			outcomes[i] = Outcome{Class: BadRequest, Text: u.p.masker.own(c.err.Error())}
			continue
		}
		place, cached, failed := u.place(limited, from, c.name)
		if failed != nil {
			outcomes[i] = *failed
			continue
		}
		for _, b := range batches {
			if b.place == place && b.cached == cached {
				b.members = append(b.members, i)
				continue next
			}
		}
		batches = append(batches, &batch{place, cached, []int{i}})
	}
	for _, b := range batches {
		part := make([]dnsChange, len(b.members))
		for i, m := range b.members {
			part[i] = changes[m]
		}
		for i, o := range u.applyTo(limited, from, b.place, b.cached, part) {
			outcomes[b.members[i]] = o
		}
	}
	return outcomes
}

// applyTo makes changes in one zone. A server takes all of a message or
// nothing, so that names which it refuses together are tried one by one. Where
// zone and server were remembered, they are asked for anew before a refusal
// counts.
func (u *dnsUpdater) applyTo(ctx context.Context, from Origin, place dnsPlace, cached bool, changes []dnsChange) []Outcome {
	outcomes := make([]Outcome, len(changes))
	o, single := u.update(ctx, from, place, changes)
	if o.Class.Done() || !single && !cached {
		for i := range outcomes {
			outcomes[i] = o
		}
	} else {
		for start, end := 0, 0; start < len(changes); start = end {
			for end < len(changes) && changes[end].name == changes[start].name {
				end++
			}
			host, one := changes[start:end], o
			if single && len(host) < len(changes) {
				one, _ = u.update(ctx, from, place, host)
			}
			if cached && one.Class.Permanent() {
				u.forget(host[0].name)
				fresh, _, failed := u.place(ctx, from, host[0].name)
				switch {
				case failed != nil:
					one = *failed
				case fresh != place:
					one, _ = u.update(ctx, from, fresh, host)
				}
			}
			for i := start; i < end; i++ {
				outcomes[i] = one
			}
		}
	}
	for i, o := range outcomes {
		if !o.Class.Done() {
			u.forget(changes[i].name)
		}
	}
	return outcomes
}

// update sends one message. single: the outcome may be that of one name among
// the others.
func (u *dnsUpdater) update(ctx context.Context, from Origin, place dnsPlace, changes []dnsChange) (o Outcome, single bool) {
	for _, c := range changes {
		if !inZone(c.name, place.zone) {
			return Outcome{Class: NoHost, Text: u.p.masker.own(fmt.Sprintf("%q is not in the zone %q", c.name, place.zone))}, len(changes) > 1
		}
	}
	a, clock, failed := u.ask(ctx, u.exchanger(from, u.p.bind), place.server, u.key, func(id uint16) []byte {
		return updateMessage(id, place.zone, changes)
	}, dnsQuestion{place.zone, typeSOA, classIN})
	if failed != nil {
		return *failed, false
	}
	switch a.rcode() {
	case rcodeRefused, rcodeNotZone, rcodeYXDomain, rcodeYXRRSet, rcodeNXRRSet, rcodeNXDomain:
		single = true
	}
	return u.outcome(a, place, clock), single
}

// updateMessage writes an update (RFC 2136 section 2): each RRset is deleted
// (section 2.5.2) and, with data, added anew (section 2.5.1).
func updateMessage(id uint16, zone string, changes []dnsChange) []byte {
	w := newDNSWriter(id, opcodeUpdate, zone, typeSOA)
	for _, c := range changes {
		for _, typ := range c.without {
			w.record(sectionAnswer, c.name, typ, classNone, 0, nil) // section 2.4.3
		}
	}
	for _, c := range changes {
		w.record(sectionAuthority, c.name, c.typ, classAny, 0, nil)
		if c.data != nil {
			w.record(sectionAuthority, c.name, c.typ, classIN, c.ttl, c.data)
		}
	}
	return w.buf
}

func (u *dnsUpdater) exchanger(from Origin, bind string) dnsExchanger {
	return dnsExchanger{t: u.p.transport, from: from, bind: bind, unit: u.unit}
}
