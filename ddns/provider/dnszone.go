package provider

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/dns"
	"github.com/wanbeacon/wanbeacon/ddns/socket"
)

// dnsPlace is where a name is updated.
type dnsPlace struct {
	zone string
	host string // of the server: name or address
	port uint16
}

// place returns where a hostname is updated. What the account does not say is
// asked for, and kept until an update fails; cached: it was known.
func (u *dnsUpdater) place(ctx context.Context, from Origin, hostname string) (at *dnsPlace, cached bool, failed *Outcome) {
	if u.zone != "" && u.host != "" {
		return &u.dnsPlace, false, nil
	}
	u.mu.Lock()
	at = u.places[hostname]
	u.mu.Unlock()
	if at != nil {
		return at, true, nil
	}
	if at, failed = u.find(ctx, from, hostname); failed == nil {
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

// find asks for the SOA of the zone or of the name, and of the names above it
// while there is none: it names the zone, and the zone's primary server. The
// account's server is asked, if it has one, else the system's name servers.
// The questions are not signed, as not every server can answer that before it
// knows the time; a false answer gains nothing, as what follows it is signed.
func (u *dnsUpdater) find(ctx context.Context, from Origin, hostname string) (*dnsPlace, *Outcome) {
	name := strings.TrimPrefix(hostname, "*.")
	if u.zone != "" {
		name = u.zone
	}
	// By the resolver no zone of a single label is right: that is the
	// registry's, which says that there is no such domain.
	for u.host != "" && name != "" || strings.Contains(name, ".") {
		a, err := u.askSOA(ctx, from, name)
		if err != nil {
			o := u.p.failure(err)
			return nil, &o
		}
		if zone, primary := a.soa(name); zone != "" && (u.zone == "" || zone == u.zone) {
			switch {
			case u.host != "":
				return &dnsPlace{zone, u.host, u.port}, nil
			case strings.Contains(zone, ".") && checkName(primary) == nil:
				return &dnsPlace{zone, primary, u.primaryPort}, nil
			}
			break
		}
		if u.zone != "" {
			break
		}
		_, name, _ = strings.Cut(name, ".")
	}
	return nil, &Outcome{Class: NoHost, Sent: true, Text: "no zone found for this name: set `zone` and `server`"}
}

// askSOA asks until there is an answer or ctx is done.
func (u *dnsUpdater) askSOA(ctx context.Context, from Origin, name string) (*dnsAnswer, error) {
	if u.host != "" {
		msg := dns.NewWriter(dns.OpcodeQuery, name, dns.TypeSOA).Buf
		return u.exchanger(from, u.p.bind, &u.dnsPlace).exchange(ctx, newDNSQuery(msg, name, nil, time.Time{}))
	}
	r := u.p.transport.resolver
	failed := &lookupError{host: name}
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		failed.unreachable = true
		for _, server := range nameservers(r.path, r.port) {
			msg := dns.NewWriter(dns.OpcodeQuery|dns.FlagRecursionDesired, name, dns.TypeSOA).Buf
			attempt, release := withPatience(ctx, lookupAttempt)
			x := u.exchanger(Origin{}, "", &dnsPlace{"", server.Addr().String(), server.Port()})
			a, err := x.exchange(attempt, newDNSQuery(msg, name, nil, time.Time{}))
			release()
			if err == nil && (a.RCode() == 0 || a.RCode() == dns.NXDomain) {
				return a, nil
			}
			if err == nil {
				err = errors.New("the name server says RCODE " + itoa(int(a.RCode())))
			}
			failed.err, failed.unreachable = err, failed.unreachable && socket.NoPath(err)
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, &failure{err: socket.CtxOr(ctx, failed), doing: "looking for the zone's server", timedOutLookup: true}
		case <-timer.C:
		}
		if failed.unreachable {
			return nil, &failure{err: failed, doing: "looking for the zone's server"}
		}
	}
}

// soa returns the zone of a name and its primary server, if the answer has
// the SOA: of the name itself, or, beside "no such name" and "no such record",
// of the zone above it (RFC 2308 section 3). The SOA of what a CNAME leads to
// says nothing.
func (a *dnsAnswer) soa(name string) (zone, primary string) {
	for i := range a.Records {
		rr := &a.Records[i]
		if rr.Type != dns.TypeSOA || rr.Class != dns.ClassIN || rr.Name == "" || !dns.InZone(name, rr.Name) ||
			rr.Section != dns.SectionAuthority && (rr.Section != dns.SectionAnswer || rr.Name != name) {
			continue
		}
		primary, _ = a.Target(rr)
		return rr.Name, primary
	}
	return "", ""
}
