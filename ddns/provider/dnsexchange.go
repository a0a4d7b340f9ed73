package provider

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/dns"
	"github.com/wanbeacon/wanbeacon/ddns/socket"
)

// dnsAnswer is what came back.
type dnsAnswer struct {
	*dns.Answer
	tsig *tsigRecord // nil: none
}

// newDNSQuery completes a message: an id that a stranger would have to guess,
// and, with a key, a signature, which the answer must have too.
func newDNSQuery(msg []byte, name string, key *tsigKey, now time.Time) *tsigQuery {
	rand.Read(msg[:2])
	q := &tsigQuery{Query: dns.Query{Msg: msg, Name: name, Type: dns.TypeSOA}, key: key, now: now}
	if key != nil {
		q.Msg, q.mac = key.sign(msg, now)
		q.Verify = func(m *dns.Message) error {
			_, err := key.verify(m, q.mac, now)
			return err
		}
	}
	return q
}

// tsigQuery is a query with what its answer is verified by.
type tsigQuery struct {
	dns.Query
	key *tsigKey // nil: it is unsigned
	mac []byte   // of Msg
	now time.Time
}

// judged adds the signature's record to an answer.
func (q *tsigQuery) judged(a *dns.Answer) *dnsAnswer {
	if a == nil {
		return nil
	}
	judged := &dnsAnswer{Answer: a}
	if q.key != nil {
		judged.tsig, _ = q.key.verify(a.Message, q.mac, q.now)
	}
	return judged
}

// dnsExchanger asks one server on behalf of one origin.
type dnsExchanger struct {
	dialer
	unit time.Duration // the first wait for an answer over UDP
	note string        // of the transport, for the user
	sent bool          // a packet has left
}

// exchange sends a query until there is an answer: over UDP three times at
// most, and over TCP when that gave none, or none that one can believe, or
// not all of it. An unsigned answer to a signed query over UDP, which anybody
// can send, ends no more than the waiting for a better one. The error is a
// *failure.
func (x *dnsExchanger) exchange(ctx context.Context, q *tsigQuery) (*dnsAnswer, error) {
	a, err := x.exchangePlain(ctx, q)
	return q.judged(a), err
}

func (x *dnsExchanger) exchangePlain(ctx context.Context, q *tsigQuery) (*dns.Answer, error) {
	var first *dns.Answer
	if len(q.Msg) <= dns.MaxPlain {
		first = x.overUDP(ctx, q)
	}
	truncated := first != nil && first.Truncated()
	if first != nil && first.Fault == nil && !truncated {
		return first, nil
	}
	a, err := x.overTCP(ctx, q)
	if f, ok := errors.AsType[*failure](err); ok && x.sent {
		if f.sent = true; first == nil {
			f.doing = "no answer over UDP; over TCP: " + f.doing
		}
	}
	if err != nil && first != nil && !truncated && ctx.Err() != context.Canceled {
		return first, nil
	}
	return a, err
}

// overUDP sends to one address after the other, and again to the last one.
// nil: there was no answer.
func (x *dnsExchanger) overUDP(ctx context.Context, q *tsigQuery) *dns.Answer {
	wait := x.unit
	if deadline, ok := ctx.Deadline(); ok { // half of the time is TCP's
		wait = min(wait, time.Until(deadline)/10)
	}
	c := x.t.candidates(ctx, x.request(), config.FamilyOf(x.from.Addr))
	defer c.stop()
	var conn net.Conn
	var addr netip.Addr
	for try := 0; try < 3 && ctx.Err() == nil; {
		if conn == nil {
			if !c.more(ctx) {
				break
			}
			addr, c.queue = c.queue[0], c.queue[1:]
			c.tried = append(c.tried, addr)
			if conn = x.dialUDP(ctx, addr); conn == nil {
				continue
			}
			defer conn.Close()
		}
		_, err := conn.Write(q.Msg)
		c.begin()
		if err == nil {
			x.sent = true
			var a *dns.Answer
			if a, err = dns.Receive(ctx, conn, &q.Query, wait); a != nil {
				x.t.resolver.worked(x.host, addr)
				return a
			}
		}
		if !socket.IsTimeout(err) || c.hasNext() { // nobody is there
			conn = nil
		}
		if socket.IsTimeout(err) {
			if try++; try == 1 {
				wait *= 2
			}
		}
	}
	return nil
}

// hasNext reports whether another address is known by now.
func (c *candidates) hasNext() bool {
	select {
	case a := <-c.lookup:
		c.take(a)
	default:
	}
	return len(c.queue) > 0
}

// dialUDP makes a socket for one address; nil: there is no way.
func (x *dnsExchanger) dialUDP(ctx context.Context, addr netip.Addr) net.Conn {
	to := netip.AddrPortFrom(addr, x.port)
	conn, err := x.bound(ctx, to, func(device string, source netip.Addr) (*socket.Conn, bool, error) {
		return socket.UDP(to, device, source)
	})
	if x.refused.Load() && x.t.noDevice.CompareAndSwap(false, true) {
		x.note = noDeviceNote
	}
	if err != nil {
		return nil
	}
	return conn
}

// request stands for the server where the transport connects.
func (x *dnsExchanger) request() *request {
	return &request{target: target{host: x.host, port: x.port}}
}

// overTCP asks over a connection of its own (RFC 1035 section 4.2.2).
func (x *dnsExchanger) overTCP(ctx context.Context, q *tsigQuery) (*dns.Answer, error) {
	conn, _, note, err := x.t.open(ctx, x.from, x.bind, x.request(), nil)
	if note != "" {
		x.note = note
	}
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	x.sent = true
	a, err := dns.Stream(ctx, conn, &q.Query)
	if err != nil {
		return nil, &failure{err: err, sent: true, doing: "waiting for the answer"}
	}
	return a, nil
}
