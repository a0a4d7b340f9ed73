package provider

import (
	"context"
	"fmt"
	"time"
)

// Answer codes (RFC 1035 section 4.1.1, RFC 2136 section 2.2).
const (
	rcodeFormErr  uint16 = 1
	rcodeServFail uint16 = 2
	rcodeNXDomain uint16 = 3
	rcodeNotImp   uint16 = 4
	rcodeRefused  uint16 = 5
	rcodeYXDomain uint16 = 6
	rcodeYXRRSet  uint16 = 7
	rcodeNXRRSet  uint16 = 8
	rcodeNotAuth  uint16 = 9
	rcodeNotZone  uint16 = 10
)

var rcodeNames = [...]string{
	"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
	"YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE",
}

func rcodeName(rcode uint16) string {
	if int(rcode) < len(rcodeNames) {
		return rcodeNames[rcode]
	}
	return "RCODE " + itoa(int(rcode))
}

// clockFormat is how both clocks are shown when they differ.
const clockFormat = "2006-01-02 15:04:05 UTC"

// ask signs a message, sends it and returns the answer. When the server says,
// signed, that our clock is wrong, it is asked once more by the server's
// clock: routers without a battery start at a time long past, and set their
// clock over the network that has just come up. clock is how far the server's
// is ahead of ours, 0 unless that was needed.
func (u *dnsUpdater) ask(ctx context.Context, x dnsExchanger, to dnsPeer, key *tsigKey, make func(id uint16) []byte, question dnsQuestion) (a *dnsAnswer, clock time.Duration, failed *Outcome) {
	for {
		now := func() time.Time { return u.now().Add(clock) }
		q := &dnsQuery{msg: make(randomID()), question: question, key: key, now: now}
		if key != nil {
			q.msg, q.mac = key.sign(q.msg, now())
		}
		a, note, err := x.exchange(ctx, to, q)
		if err != nil {
			o := u.p.failure(err)
			o.Warning = note
			return nil, clock, &o
		}
		if a.fault == nil && a.tsig != nil && clock == 0 {
			if at, ok := a.tsig.serverTime(); ok && a.rcode() == rcodeNotAuth {
				clock = at.Sub(u.now())
				continue
			}
		}
		if a.fault != nil && (a.rcode() == 0 || a.fault != errUnsigned) {
			o := Outcome{Class: Network, Sent: true, Warning: note}
			o.Text = u.p.masker.own(fmt.Sprintf("the answer of %s is not to be trusted: %v", to, a.fault))
			return nil, clock, &o
		}
		if note != "" {
			u.mu.Lock()
			u.note = note
			u.mu.Unlock()
		}
		return a, clock, nil
	}
}

// outcome says what an answer means.
func (u *dnsUpdater) outcome(a *dnsAnswer, at dnsPlace, clock time.Duration) Outcome {
	o := Outcome{Sent: true}
	o.Class, o.Text = u.judge(a, at)
	o.Account = o.Class == BadAuth
	if o.Class == ServerError {
		o.Wait = u.p.def.serverErrorWait()
	}
	u.mu.Lock()
	o.Warning, u.note = u.note, ""
	u.mu.Unlock()
	if clock != 0 && o.Class.Done() {
		o.Warning = "check the router's clock: it says " + u.clocks(u.now().Add(clock))
	}
	o.Text, o.Warning = u.p.masker.own(o.Text), u.p.masker.own(o.Warning)
	return o
}

func (u *dnsUpdater) judge(a *dnsAnswer, at dnsPlace) (Class, string) {
	if a.rcode() == rcodeNotAuth && a.tsig != nil {
		switch a.tsig.err {
		case tsigBadKey:
			return BadAuth, "BADKEY: the server knows no key " + u.key.name + " with " + u.key.alg.name
		case tsigBadSig:
			return BadAuth, "BADSIG: the key's secret is not the server's"
		case tsigBadTrunc:
			return BadAuth, "BADTRUNC: the server wants longer signatures"
		case tsigBadTime:
			text := "BADTIME: check the router's clock"
			if server, ok := a.tsig.serverTime(); ok {
				text += ": it says " + u.clocks(server)
			}
			return BadAuth, text
		}
	}
	name := rcodeName(a.rcode())
	switch a.rcode() {
	case 0:
		if u.key == nil {
			return Updated, name + ", unsigned"
		}
		return Updated, name
	case rcodeNotAuth:
		return NoHost, name + ": the server is not authoritative for the zone " + at.zone
	case rcodeNotZone:
		return NoHost, name + ": the name is not in the zone " + at.zone
	case rcodeRefused:
		if u.key == nil {
			return WrongOwner, name + ": the server refuses this name without a key"
		}
		return WrongOwner, name + ": the server refuses this name for the key " + u.key.name
	case rcodeServFail:
		return ServerError, name
	case rcodeFormErr, rcodeNotImp:
		return BadRequest, name + ": the server does not understand the update"
	case rcodeNXDomain:
		return NoHost, name
	case rcodeYXRRSet, rcodeYXDomain:
		return BadRequest, name + ": other records stand at this name, a CNAME has to be alone"
	}
	return Unknown, name
}

// clocks shows our time and the server's.
func (u *dnsUpdater) clocks(server time.Time) string {
	return u.now().UTC().Format(clockFormat) + ", the server's " + server.UTC().Format(clockFormat)
}
