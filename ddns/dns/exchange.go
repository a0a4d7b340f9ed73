package dns

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/socket"
)

// Exchange asks servers.
type Exchange struct {
	// Dial connects to a server, network "udp" or "tcp".
	Dial func(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error)

	Wait  time.Duration // for the first answer over UDP, longer for the next ones; 0: a second
	Tries int           // over UDP; 0: three

	Sent func() // called for each message sent, if it is not nil
}

// Ask sends a query to one server until there is an answer: over UDP, first
// with EDNS if the query has it, then without; then over TCP, when that gave
// none, or none that one can believe, or not all of it. An answer that cannot
// be believed is returned, with its Fault, when there is no better one.
func (x *Exchange) Ask(ctx context.Context, server netip.AddrPort, q *Query) (*Answer, error) {
	first, err := x.overUDP(ctx, server, q)
	if first != nil && first.Fault == nil && !first.Truncated() {
		return first, nil
	}
	if first == nil && (socket.NoPath(err) || ctx.Err() != nil) {
		return nil, err
	}
	a, errTCP := x.overTCP(ctx, server, q)
	switch {
	case errTCP == nil:
		return a, nil
	case first != nil:
		return first, nil
	case socket.IsTimeout(err):
		return nil, err
	}
	return nil, errTCP
}

func (x *Exchange) overUDP(ctx context.Context, server netip.AddrPort, q *Query) (*Answer, error) {
	conn, err := x.Dial(ctx, "udp", server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	unit, tries := x.Wait, x.Tries
	if unit == 0 {
		unit = time.Second
	}
	if tries == 0 {
		tries = 3
	}
	msg := q.Msg
	for try := 1; ; try++ {
		if _, err = conn.Write(msg); err != nil {
			return nil, err
		}
		x.count()
		var a *Answer
		a, err = Receive(ctx, conn, q, time.Duration(try)*unit)
		if a != nil && len(msg) == len(q.Msg) && q.wantsPlain(a) {
			msg = q.plain
			if try < tries {
				continue
			}
		}
		// A refusal to talk says nothing about an address where a server may
		// just be starting, but another try at once would not tell more.
		if a != nil || try == tries || !socket.IsTimeout(err) || ctx.Err() != nil {
			return a, err
		}
		if q.plain != nil { // what is on the way may drop what it does not know
			msg = q.plain
		}
	}
}

func (x *Exchange) count() {
	if x.Sent != nil {
		x.Sent()
	}
}

func (x *Exchange) overTCP(ctx context.Context, server netip.AddrPort, q *Query) (*Answer, error) {
	conn, err := x.Dial(ctx, "tcp", server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	x.count()
	a, err := Stream(ctx, conn, q)
	if err == nil && q.wantsPlain(a) {
		x.count()
		plain := *q
		plain.Msg, plain.plain = q.plain, nil
		if b, err := Stream(ctx, conn, &plain); err == nil {
			return b, nil
		}
	}
	return a, err
}

// Receive waits for an answer without fault on a connected UDP socket. When it
// comes to the end of the time it returns one with a fault, if there was any.
// An answer in the wrong case is returned at once: waiting proves nothing.
func Receive(ctx context.Context, conn net.Conn, q *Query, wait time.Duration) (doubtful *Answer, err error) {
	until := time.Now().Add(wait)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(until) {
		until = deadline
	}
	conn.SetReadDeadline(until)
	defer context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Unix(1, 0)) })()
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil && err != io.EOF { // which is an empty packet
			return doubtful, err
		}
		a := q.Read(buf[:n])
		if a == nil {
			continue
		}
		if a.Fault == nil || a.Fault == ErrCase || a.Truncated() {
			return a, nil
		}
		doubtful = a
		buf = make([]byte, 4096) // which the answer's records lie in
	}
}

// errForeign says that a server keeps sending what was not asked for.
var errForeign = errors.New("the server answers something else")

// maxForeign is how many messages on a connection may answer something else.
const maxForeign = 10

// Stream asks over a connection (RFC 1035 section 4.2.2), which is to be closed
// then. Its deadline is that of ctx.
func Stream(ctx context.Context, conn net.Conn, q *Query) (*Answer, error) {
	defer socket.CloseWith(ctx, conn)()
	var framed Writer
	framed.Sized(q.Msg)
	if _, err := conn.Write(framed.Buf); err != nil {
		return nil, socket.CtxOr(ctx, err)
	}
	for range maxForeign {
		packet, err := readFramed(conn)
		if err != nil {
			return nil, socket.CtxOr(ctx, err)
		}
		if a := q.Read(packet); a != nil {
			return a, nil
		}
	}
	return nil, errForeign
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
