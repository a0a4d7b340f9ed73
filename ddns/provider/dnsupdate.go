package provider

import (
	"context"
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/dns"
)

// setCNAME makes hostname an alias of target, whatever it was an alias of
// before. Other records at the name are not touched, and make it fail.
func (u *dnsUpdater) setCNAME(ctx context.Context, from Origin, hostname, target string, ttl time.Duration) Outcome {
	target = strings.TrimSuffix(target, ".")
	c := &dnsChange{name: strings.ToLower(strings.TrimSuffix(hostname, ".")), typ: dns.TypeCNAME, ttl: u.ttl(ttl)}
	if c.err = u.p.CheckHost(c.name); c.err == nil {
		c.err = dns.CheckName(target)
	}
	if c.err == nil {
		var data dns.Writer
		data.Name(target)
		c.data = [][]byte{data.Buf}
	}
	return u.apply(ctx, from, []*dnsChange{c})[0]
}

// besideCNAME are the types that a name is likely to have. A server silently
// leaves a CNAME out that would stand beside one of them (RFC 2136 section
// 3.4.2.2), so that there must be none of them.
var besideCNAME = [...]uint16{dns.TypeA, dns.TypeAAAA, dns.TypeMX, dns.TypeTXT, dns.TypeNS, dns.TypeSRV, dns.TypeCAA, dns.TypeSVCB, dns.TypeHTTPS}

// dnsChange replaces one RRset, or takes it away.
type dnsChange struct {
	name string
	typ  uint16
	data [][]byte // of each new record; none: it is taken away
	ttl  uint32
	err  error // why it cannot be sent

	at      *dnsPlace // where it goes
	cached  bool      // which was remembered
	outcome *Outcome
}

// apply makes changes, those of one place in one message. There is one outcome
// for each, in their order.
func (u *dnsUpdater) apply(ctx context.Context, from Origin, changes []*dnsChange) []Outcome {
	limited, release := withPatience(ctx, u.p.opt.Timeout)
	defer release()
	for _, c := range changes {
		if c.err == nil {
			c.err = dns.CheckName(c.name)
		}
		if c.err != nil {
			c.outcome = &Outcome{Class: BadRequest, Text: u.p.masker.own(c.err.Error())}
			continue
		}
		c.at, c.cached, c.outcome = u.place(limited, from, c.name)
	}
	for i, first := range changes {
		if first.outcome != nil {
			continue
		}
		batch := changes[i : i+1 : i+1]
		for _, c := range changes[i+1:] {
			if c.outcome == nil && *c.at == *first.at {
				batch = append(batch, c)
			}
		}
		u.applyTo(limited, from, batch)
	}
	outcomes := make([]Outcome, len(changes))
	for i, c := range changes {
		outcomes[i] = *c.outcome
		if !c.outcome.Class.Done() {
			u.forget(c.name)
		}
	}
	return outcomes
}

// applyTo makes the changes of one place. A server takes all of a message or
// nothing, so that what it refuses together is tried one by one. A place that
// was remembered is asked for anew before a refusal counts.
func (u *dnsUpdater) applyTo(ctx context.Context, from Origin, changes []*dnsChange) {
	c := changes[0]
	o, one := u.ask(ctx, from, c.at, updateMessage(c.at.zone, changes))
	again := c.cached && o.Class.Permanent()
	switch {
	case len(changes) > 1 && (one || again):
		for i := range changes {
			u.applyTo(ctx, from, changes[i:i+1])
		}
		return
	case again:
		old := *c.at
		u.forget(c.name)
		var failed *Outcome
		if c.at, c.cached, failed = u.place(ctx, from, c.name); failed != nil {
			o = failed
		} else if *c.at != old {
			o, _ = u.ask(ctx, from, c.at, updateMessage(c.at.zone, changes))
		}
	}
	for _, c := range changes {
		c.outcome = o
	}
}

// updateMessage writes an update (RFC 2136 section 2): each RRset is deleted
// (section 2.5.2) and, with data, added anew, record by record (section 2.5.1).
func updateMessage(zone string, changes []*dnsChange) []byte {
	w := dns.NewWriter(dns.OpcodeUpdate, zone, dns.TypeSOA)
	for _, c := range changes {
		if c.typ == dns.TypeCNAME {
			for _, typ := range besideCNAME {
				w.Record(dns.SectionAnswer, c.name, typ, dns.ClassNone, 0, nil) // section 2.4.3
			}
		}
	}
	for _, c := range changes {
		w.Record(dns.SectionAuthority, c.name, c.typ, dns.ClassAny, 0, nil)
		for _, data := range c.data {
			w.Record(dns.SectionAuthority, c.name, c.typ, dns.ClassIN, c.ttl, data)
		}
	}
	return w.Buf
}

func (u *dnsUpdater) exchanger(from Origin, bind string, at *dnsPlace) *dnsExchanger {
	x := &dnsExchanger{unit: u.unit}
	x.t, x.from, x.bind, x.host, x.port = u.p.transport, from, bind, at.host, at.port
	return x
}
