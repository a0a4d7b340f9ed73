package provider

import (
	"context"
	"errors"
	"strings"
	"time"
)

// dnsPlace is where a name is updated.
type dnsPlace struct {
	zone   string
	server dnsPeer
}

// place returns the zone and the server of a hostname. What the account does
// not say is asked for, and kept until an update fails; cached: it was known.
func (u *dnsUpdater) place(ctx context.Context, from Origin, hostname string) (at dnsPlace, cached bool, failed *Outcome) {
	if u.zone != "" && u.server.host != "" {
		return dnsPlace{u.zone, u.server}, false, nil
	}
	u.mu.Lock()
	at, cached = u.places[hostname]
	u.mu.Unlock()
	if cached {
		return at, true, nil
	}
	if u.server.host != "" {
		at, failed = u.zoneAtServer(ctx, from, hostname)
	} else {
		at, failed = u.zoneByResolver(ctx, hostname)
	}
	if failed == nil {
		u.mu.Lock()
		u.places[hostname] = at
		u.mu.Unlock()
	}
	return at, false, failed
}

// forget makes place ask again.
func (u *dnsUpdater) forget(hostname string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.places, hostname)
}

// zoneAtServer asks the account's server for the SOA of the name, and of the
// names above it while it has none to tell.
func (u *dnsUpdater) zoneAtServer(ctx context.Context, from Origin, hostname string) (dnsPlace, *Outcome) {
	x := u.exchanger(from, u.p.bind)
	for name := strings.TrimPrefix(hostname, "*."); name != ""; name = parentName(name) {
		a, clock, failed := u.ask(ctx, x, u.server, u.key, func(id uint16) []byte {
			return newDNSWriter(id, opcodeQuery, name, typeSOA).buf
		}, dnsQuestion{name, typeSOA, classIN})
		if failed != nil {
			return dnsPlace{}, failed
		}
		switch zone, _, ok := a.soa(name); {
		case ok:
			return dnsPlace{zone, u.server}, nil
		case a.rcode() != 0 && a.rcode() != rcodeNXDomain && a.rcode() != rcodeRefused:
			o := u.outcome(a, dnsPlace{name, u.server}, clock)
			return dnsPlace{}, &o
		}
	}
	return dnsPlace{}, &Outcome{Class: NoHost, Sent: true, Text: u.p.masker.own("the server " + u.server.String() + " has no zone for this name")}
}

// zoneByResolver asks the system's name servers: for the zone, and for its
// primary server, which the SOA names.
func (u *dnsUpdater) zoneByResolver(ctx context.Context, hostname string) (dnsPlace, *Outcome) {
	name := u.zone
	if name == "" {
		name = strings.TrimPrefix(hostname, "*.")
	}
	// No zone of a single label: that is the registry's, which says that the
	// domain does not exist.
	for ; strings.Contains(name, "."); name = parentName(name) {
		a, err := u.resolve(ctx, name)
		if err != nil {
			o := u.p.failure(&failure{err: err, doing: "looking for the zone's server"})
			return dnsPlace{}, &o
		}
		zone, primary, ok := a.soa(name)
		switch {
		case !ok && u.zone == "":
			continue
		case !ok || !strings.Contains(zone, ".") || u.zone != "" && zone != u.zone:
		case checkName(primary) != nil:
			return dnsPlace{}, &Outcome{Class: NoHost, Text: u.p.masker.own("the zone " + zone + " does not name its primary server: set `server`")}
		default:
			return dnsPlace{zone, dnsPeer{primary, dnsPort}}, nil
		}
		break
	}
	text := "the DNS knows no zone for this name: set `zone` and `server`"
	if u.zone != "" {
		text = "the DNS does not know the zone " + u.zone + ": is it right? If so, set `server`"
	}
	return dnsPlace{}, &Outcome{Class: NoHost, Text: u.p.masker.own(text)}
}

// resolve asks the system's name servers in turn for an SOA, until there is an
// answer or ctx is done.
func (u *dnsUpdater) resolve(ctx context.Context, name string) (*dnsAnswer, error) {
	r := u.p.transport.resolver
	x := u.exchanger(Origin{}, "")
	q := &dnsQuery{question: dnsQuestion{name, typeSOA, classIN}}
	pause := 100 * time.Millisecond
	for {
		failed := &lookupError{host: name, unreachable: true}
		for _, server := range nameservers(r.path) {
			q.msg = newDNSWriter(randomID(), opcodeQuery|flagRecursionDesired, name, typeSOA).buf
			attempt, release := withPatience(ctx, lookupAttempt)
			a, _, err := x.exchange(attempt, dnsPeer{server, parsePort(r.port)}, q)
			release()
			if err == nil && (a.rcode() == 0 || a.rcode() == rcodeNXDomain) {
				return a, nil
			}
			if err == nil {
				err = errors.New("the name server says " + rcodeName(a.rcode()))
			}
			failed.err, failed.unreachable = err, failed.unreachable && noPath(err)
		}
		if failed.unreachable {
			return nil, failed
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			if ctx.Err() == context.Canceled {
				return nil, ctx.Err()
			}
			return nil, failed
		case <-timer.C:
		}
		pause = min(2*pause, time.Second)
	}
}

// soa returns the zone of a name and its primary server, if the answer has
// the SOA: of the name itself, or, beside "no such name" and "no such record",
// of the zone above it (RFC 2308 section 3). The SOA of what a CNAME leads to
// says nothing.
func (a *dnsAnswer) soa(name string) (zone, primary string, ok bool) {
	for _, rr := range a.records {
		if rr.typ != typeSOA || rr.class != classIN || !inZone(name, rr.name) || rr.name == "" ||
			rr.section != sectionAuthority && (rr.section != sectionAnswer || rr.name != name) {
			continue
		}
		primary, _, err := readDNSName(a.raw[:rr.end], rr.data)
		if err != nil {
			return "", "", false
		}
		return rr.name, primary, true
	}
	return "", "", false
}

// parentName is the name without its first label; "" above the last one.
func parentName(name string) string {
	_, parent, _ := strings.Cut(name, ".")
	return parent
}
