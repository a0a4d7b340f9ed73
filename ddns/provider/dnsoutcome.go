package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/dns"
)

// dnsCodes is what the codes of answers mean, and those of TSIG that come with
// NOTAUTH.
var dnsCodes = [...]struct {
	code  uint16
	class Class
	one   bool // may be because of one name among others
	text  string
}{
	{0, Updated, false, "NOERROR"},
	{1, BadRequest, false, "FORMERR: the server does not understand the update"},
	{dns.ServFail, ServerError, false, "SERVFAIL"},
	{dns.NXDomain, NoHost, true, "NXDOMAIN"},
	{4, BadRequest, false, "NOTIMP: the server takes no updates"},
	{dns.Refused, WrongOwner, true, "REFUSED: the server does not let this key change this name"},
	{6, BadRequest, true, "YXDOMAIN: other records stand at this name"},
	{7, BadRequest, true, "YXRRSET: other records stand at this name, and a CNAME has to be alone"},
	{dns.NotAuth, NoHost, false, "NOTAUTH: the server is not authoritative for the zone"},
	{10, NoHost, true, "NOTZONE: the name is not in the zone"},
	{tsigBadSig, BadAuth, false, "BADSIG: the key's secret is not the server's"},
	{tsigBadKey, BadAuth, false, "BADKEY: the server does not know this key with this algorithm, or not for this name"},
	{tsigBadTrunc, BadAuth, false, "BADTRUNC: the server wants longer signatures"},
}

// ask signs a message, sends it and judges the answer. When the server says,
// signed, that our clock is wrong, it is asked once more by the server's
// clock: routers without a battery start at a time long past, and set their
// clock over the network that has just come up. one: the outcome may be
// because of one name among others.
func (u *dnsUpdater) ask(ctx context.Context, from Origin, at *dnsPlace, msg []byte) (o *Outcome, one bool) {
	x := u.exchanger(from, u.p.bind, at)
	now := u.now()
	a, err := x.exchange(ctx, newDNSQuery(msg, at.zone, u.key, now))
	server := int64(0)
	if err == nil && a.tsig != nil && a.Fault == nil {
		if server = a.tsig.serverTime(); server != 0 {
			a, err = x.exchange(ctx, newDNSQuery(msg, at.zone, u.key, time.Unix(server, 0)))
		}
	}
	o = &Outcome{Class: Network, Sent: true}
	switch {
	case err != nil:
		*o = u.p.failure(err)
	case a.Fault == nil && a.tsig != nil && a.tsig.err == tsigBadTime:
		o.Class, o.Account = BadAuth, true
		o.Text = "BADTIME: " + clocks(now, a.tsig.serverTime())
	case a.Fault != nil && (a.Fault != errUnsigned || a.RCode() == 0):
		o.Text = "the answer is not to be trusted: " + a.Fault.Error()
	case a.Fault != nil && a.RCode() == dns.Refused:
		// Nobody vouches for it, and a clock that is wrong now may soon be right.
		o.Class = Unknown
		o.Text = "REFUSED, unsigned: the key's name, algorithm or secret is not the server's, or the clock is wrong: here it is " + clock(now)
	default:
		one = u.judge(o, a)
		if server != 0 {
			o.Warning = clocks(now, server)
		}
	}
	if o.Warning == "" {
		o.Warning = x.note
	}
	if !o.Class.Done() && err == nil {
		key := "no key"
		if u.key != nil {
			key = "key " + u.key.name
		}
		o.Text = fmt.Sprintf("%s (%s, zone %s, server %s)", o.Text, key, at.zone, at.host)
	}
	o.Text = u.p.masker.own(o.Text)
	return o, one
}

// judge looks an answer's code up.
func (u *dnsUpdater) judge(o *Outcome, a *dnsAnswer) (one bool) {
	code := a.RCode()
	if code == dns.NotAuth && a.tsig != nil && a.tsig.err != 0 {
		code = a.tsig.err
	}
	o.Class, o.Text = Unknown, "RCODE "+itoa(int(code))
	for i := range dnsCodes {
		if c := &dnsCodes[i]; c.code == code {
			o.Class, o.Text, one = c.class, c.text, c.one
		}
	}
	switch {
	case o.Class == BadAuth:
		o.Account = true
	case o.Class == ServerError:
		o.Wait = u.p.def.serverErrorWait()
	case u.key == nil && o.Class.Done():
		o.Text += ", unsigned"
	}
	return one
}

// clocks shows ours and the server's, if that is known.
func clocks(now time.Time, server int64) string {
	text := "check the router's clock: it says " + clock(now)
	if server != 0 {
		text += ", the server's " + clock(time.Unix(server, 0))
	}
	return text
}

// clock shows a time as people read it.
func clock(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05 UTC") }
