package provider

import (
	"context"
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

// dnsPeer is a DNS server: host is a name or an address.
type dnsPeer struct {
	host string
	port uint16
}

func (s dnsPeer) String() string { return net.JoinHostPort(s.host, itoa(int(s.port))) }

// dnsQuery is a message that wants an answer.
type dnsQuery struct {
	msg      []byte // as it is sent
	question dnsQuestion
	key      *tsigKey // nil: msg is unsigned
	mac      []byte   // of msg
	now      func() time.Time
}

// dnsAnswer is what came back. Over UDP it is a verified one, or was followed
// by nothing better.
type dnsAnswer struct {
	*dnsMessage
	raw   []byte
	tsig  *tsigRecord // nil: none
	fault error       // why the signature does not hold; nil: it does, or none was asked for
}

// read reads an answer. false: it answers something else, which has nothing
// to say here.
func (q *dnsQuery) read(packet []byte) (*dnsAnswer, bool) {
	m, err := parseDNS(packet)
	if err != nil {
		return nil, false
	}
	sent := binary.BigEndian.Uint16(q.msg[2:])
	if m.id != binary.BigEndian.Uint16(q.msg) || m.flags&flagResponse == 0 || (m.flags^sent)&opcodeMask != 0 {
		return nil, false
	}
	// Servers may leave the zone out of the answer to an update; a question
	// only if they could not read it.
	if m.question != q.question && (m.question != dnsQuestion{} || sent&opcodeMask == opcodeQuery && m.rcode() == 0) {
		return nil, false
	}
	a := &dnsAnswer{dnsMessage: m, raw: packet}
	if q.key != nil {
		a.tsig, a.fault = q.key.verify(packet, m, q.mac, q.now())
	}
	return a, true
}

// dnsExchanger asks one server on behalf of one origin.
type dnsExchanger struct {
	t    *transport
	from Origin
	bind string
	unit time.Duration // the first wait for an answer over UDP
}

// exchange sends a query until there is an answer: over UDP three times at
// most, and over TCP when that gave none, or none that one can believe, or
// not all of it. An unsigned answer to a signed query over UDP, which anybody
// can send, ends no more than the waiting for a better one. note and err are
// those of transport.roundTrip.
func (x dnsExchanger) exchange(ctx context.Context, to dnsPeer, q *dnsQuery) (a *dnsAnswer, note string, err error) {
	var doubtful *dnsAnswer
	sent, doing := false, ""
	if len(q.msg) <= maxUDP {
		a, sent, note = x.overUDP(ctx, to, q)
		switch {
		case a == nil:
			doing = "no answer over UDP; over TCP: "
		case a.flags&flagTruncated != 0:
		case a.fault == nil:
			return a, note, nil
		default:
			doubtful = a
		}
	}
	a, tcpNote, err := x.overTCP(ctx, to, q)
	if tcpNote != "" {
		note = tcpNote
	}
	if err == nil {
		return a, note, nil
	}
	if doubtful != nil && ctx.Err() != context.Canceled {
		return doubtful, note, nil
	}
	if f, ok := errors.AsType[*failure](err); ok && sent {
		f.sent, f.doing = true, doing+f.doing
	}
	return nil, note, err
}

// overUDP sends to one address after the other, and again to the last one.
func (x dnsExchanger) overUDP(ctx context.Context, to dnsPeer, q *dnsQuery) (a *dnsAnswer, sent bool, note string) {
	unit := x.unit
	if deadline, ok := ctx.Deadline(); ok { // half of the time is TCP's
		unit = min(unit, time.Until(deadline)/10)
	}
	waits := [...]time.Duration{unit, 2 * unit, 2 * unit}
	c := x.t.candidates(ctx, &request{target: target{host: to.host, port: to.port}}, config.FamilyOf(x.from.Addr))
	defer c.stop()
	d := dialer{t: x.t, from: x.from, bind: x.bind, port: to.port, host: to.host}
	var conn net.Conn
	hangUp := func() {
		if conn != nil {
			conn.Close()
			conn = nil
		}
	}
	defer hangUp()
	for try := 0; try < len(waits) && ctx.Err() == nil; {
		if conn == nil {
			if !c.more(ctx) {
				break
			}
			addr := c.queue[0]
			c.queue, c.tried[addr] = c.queue[1:], true
			conn, _ = d.udp(ctx, addr)
			if d.refused.Load() && x.t.noDevice.CompareAndSwap(false, true) {
				note = noDeviceNote
			}
			if conn == nil {
				continue
			}
		}
		if _, err := conn.Write(q.msg); err != nil {
			hangUp()
			continue
		}
		sent = true
		c.begin()
		answer, err := receive(ctx, conn, q, time.Now().Add(waits[try]))
		if answer != nil {
			x.t.resolver.worked(to.host, remoteAddr(conn))
			return answer, sent, note
		}
		if !isTimeout(err) { // nobody is there
			hangUp()
			continue
		}
		try++
		if c.hasNext() {
			hangUp()
		}
	}
	return nil, sent, note
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

// udp makes a socket for one address.
func (d *dialer) udp(ctx context.Context, addr netip.Addr) (net.Conn, error) {
	to := netip.AddrPortFrom(addr, d.port)
	return d.bound(ctx, to, func(device string, source netip.Addr) (*socket, bool, error) {
		return connectUDP(to, device, source)
	})
}

func remoteAddr(conn net.Conn) netip.Addr {
	if s, ok := conn.(*socket); ok {
		return s.remote.Addr()
	}
	return netip.Addr{}
}

// receive waits for an answer whose signature holds. When it comes to the end
// of the time it returns one whose signature does not, if there was any.
func receive(ctx context.Context, conn net.Conn, q *dnsQuery, until time.Time) (*dnsAnswer, error) {
	var doubtful *dnsAnswer
	buf := make([]byte, 4096)
	conn.SetReadDeadline(until)
	defer closeWithin(ctx, conn)()
	for {
		n, err := conn.Read(buf)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err == io.EOF: // an empty packet
			continue
		case err != nil && doubtful != nil:
			return doubtful, nil
		case err != nil:
			return nil, err
		}
		a, ok := q.read(append([]byte(nil), buf[:n]...))
		switch {
		case !ok:
		case a.fault == nil || a.flags&flagTruncated != 0:
			return a, nil
		case doubtful == nil || a.plausible() && !doubtful.plausible():
			doubtful = a
		}
	}
}

// closeWithin is closeWith for a connection whose deadline is set already.
func closeWithin(ctx context.Context, conn net.Conn) (stop func() bool) {
	return context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
}

// plausible reports whether an unverified answer is one that an honest server
// has to leave unsigned, as it does not know the key (RFC 8945 section 5.3.2).
func (a *dnsAnswer) plausible() bool {
	return a.fault == errUnsigned && a.tsig != nil && a.tsig.err != 0
}

// overTCP asks over a connection of its own (RFC 1035 section 4.2.2).
func (x dnsExchanger) overTCP(ctx context.Context, to dnsPeer, q *dnsQuery) (a *dnsAnswer, note string, err error) {
	conn, note, err := x.t.open(ctx, x.from, x.bind, &request{target: target{host: to.host, port: to.port}})
	if err != nil {
		return nil, note, err
	}
	defer conn.Close()
	defer closeWith(ctx, conn)()
	framed := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(q.msg)), uint16(len(q.msg)))
	if _, err := conn.Write(append(framed, q.msg...)); err != nil {
		return nil, note, &failure{err: ctxOr(ctx, err), sent: true, doing: "sending"}
	}
	for {
		packet, err := readFramed(conn)
		if err != nil {
			return nil, note, &failure{err: ctxOr(ctx, err), sent: true, doing: "waiting for the answer"}
		}
		if a, ok := q.read(packet); ok {
			return a, note, nil
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
