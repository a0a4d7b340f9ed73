package provider

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// maxUDP is the largest message that goes over UDP (RFC 1035 section 4.2.1).
const maxUDP = 512

// dnsQuery is a message that wants an answer.
type dnsQuery struct {
	msg  []byte   // as it is sent
	name string   // of its question, or zone
	typ  uint16   // of its question
	key  *tsigKey // nil: msg is unsigned
	mac  []byte   // of msg
	now  time.Time
}

// dnsAnswer is what came back.
type dnsAnswer struct {
	*dnsMessage
	tsig  *tsigRecord // nil: none
	fault error       // why the signature does not hold; nil: it does, or none was asked for
}

// newDNSQuery completes a message: an id that a stranger would have to guess,
// and, with a key, a signature.
func newDNSQuery(msg []byte, name string, typ uint16, key *tsigKey, now time.Time) *dnsQuery {
	rand.Read(msg[:2])
	q := &dnsQuery{msg: msg, name: name, typ: typ, key: key, now: now}
	if key != nil {
		q.msg, q.mac = key.sign(msg, now)
	}
	return q
}

// read reads an answer; nil: the packet answers something else, which has
// nothing to say here.
func (q *dnsQuery) read(packet []byte) *dnsAnswer {
	m, err := parseDNS(packet)
	if err != nil {
		return nil
	}
	sent := binary.BigEndian.Uint16(q.msg[2:])
	if m.id != binary.BigEndian.Uint16(q.msg) || m.flags&flagResponse == 0 || (m.flags^sent)&opcodeMask != 0 {
		return nil
	}
	// Servers may leave the zone out of the answer to an update, but the
	// question only when they could not read it.
	empty := m.name == "" && m.typ == 0
	if (m.name != q.name || m.typ != q.typ) && !(empty && (sent&opcodeMask != opcodeQuery || m.rcode() != 0)) {
		return nil
	}
	a := &dnsAnswer{dnsMessage: m}
	if q.key != nil {
		a.tsig, a.fault = q.key.verify(m, q.mac, q.now)
	}
	return a
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
func (x *dnsExchanger) exchange(ctx context.Context, q *dnsQuery) (*dnsAnswer, error) {
	var first *dnsAnswer
	if len(q.msg) <= maxUDP {
		first = x.overUDP(ctx, q)
	}
	truncated := first != nil && first.flags&flagTruncated != 0
	if first != nil && first.fault == nil && !truncated {
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
func (x *dnsExchanger) overUDP(ctx context.Context, q *dnsQuery) *dnsAnswer {
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
			c.tried[addr] = true
			if conn = x.dialUDP(ctx, addr); conn == nil {
				continue
			}
			defer conn.Close()
		}
		_, err := conn.Write(q.msg)
		c.begin()
		if err == nil {
			x.sent = true
			var a *dnsAnswer
			if a, err = receive(ctx, conn, q, wait); a != nil {
				x.t.resolver.worked(x.host, addr)
				return a
			}
		}
		if !isTimeout(err) || c.hasNext() { // nobody is there
			conn = nil
		}
		if isTimeout(err) {
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
	conn, err := x.bound(ctx, to, func(device string, source netip.Addr) (*socket, bool, error) {
		return connectUDP(to, device, source)
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

// receive waits for an answer whose signature holds. When it comes to the end
// of the time it returns one whose signature does not, if there was any.
func receive(ctx context.Context, conn net.Conn, q *dnsQuery, wait time.Duration) (doubtful *dnsAnswer, err error) {
	conn.SetReadDeadline(time.Now().Add(wait))
	defer context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Unix(1, 0)) })()
	for {
		buf := make([]byte, 4096)
		n, err := conn.Read(buf)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil && err != io.EOF { // which is an empty packet
			return doubtful, err
		}
		switch a := q.read(buf[:n]); {
		case a == nil:
		case a.fault == nil || a.flags&flagTruncated != 0:
			return a, nil
		default:
			doubtful = a
		}
	}
}

// overTCP asks over a connection of its own (RFC 1035 section 4.2.2).
func (x *dnsExchanger) overTCP(ctx context.Context, q *dnsQuery) (*dnsAnswer, error) {
	conn, note, err := x.t.open(ctx, x.from, x.bind, x.request())
	if note != "" {
		x.note = note
	}
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer closeWith(ctx, conn)()
	x.sent = true
	var framed dnsWriter
	framed.sized(q.msg)
	if _, err = conn.Write(framed.buf); err != nil {
		return nil, &failure{err: ctxOr(ctx, err), sent: true, doing: "sending"}
	}
	for {
		packet, err := readFramed(conn)
		if err != nil {
			return nil, &failure{err: ctxOr(ctx, err), sent: true, doing: "waiting for the answer"}
		}
		if a := q.read(packet); a != nil {
			return a, nil
		}
	}
}

// readFramed reads a message with its length before it.
func readFramed(r io.Reader) ([]byte, error) {
	var size [2]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	packet := make([]byte, binary.BigEndian.Uint16(size[:]))
	_, err := io.ReadFull(r, packet)
	return packet, err
}
