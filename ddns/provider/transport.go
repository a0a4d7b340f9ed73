package provider

import (
	"bufio"
	"context"
	"crypto/tls"
	"net"
	"sync/atomic"

	"github.com/wanbeacon/wanbeacon/ddns/socket"
)

// transport makes HTTP/1.1 exchanges (HTTP/2, if opt says so), each on a connection of its own: one
// write, one answer, closed. Between exchanges it keeps addresses that worked,
// TLS sessions and the certificate authorities that vouched, and no connection.
type transport struct {
	opt      Options
	resolver *resolver
	tls      *tlsClient

	noDevice atomic.Bool // the kernel does not let us bind to devices

	// reroute, in tests, gives the address to connect to instead of a host's.
	reroute func(host string, port uint16) string
}

func newTransport(opt Options) *transport {
	t := &transport{opt: opt, resolver: newResolver(), tls: newTLSClient(opt.CAFile)}
	if opt.HTTP2 {
		t.tls.protocols = []string{"h2", "http/1.1"}
	}
	return t
}

// roundTrip sends the request and reads the answer. It ends as soon as ctx is
// done. note is for the user and does not depend on the outcome; err is a
// *failure.
func (t *transport) roundTrip(ctx context.Context, from Origin, bind string, req *request) (r *response, note string, err error) {
	text := req.bytes()
	conn, sent, note, err := t.open(ctx, from, bind, req, text)
	if err != nil {
		return nil, note, err
	}
	defer conn.Close()
	if c, ok := conn.(*tls.Conn); ok && c.ConnectionState().NegotiatedProtocol == "h2" {
		defer socket.CloseWith(ctx, conn)()
		if r, err = exchange2(conn, req); err != nil {
			return nil, note, &failure{err: socket.CtxOr(ctx, err), sent: true, doing: "waiting for the answer"}
		}
		return r, note, nil
	}
	if len(text) > neverBlocks {
		defer socket.CloseWith(ctx, conn)()
	}
	if _, err := conn.Write(text[sent:]); err != nil {
		return nil, note, &failure{err: socket.CtxOr(ctx, err), sent: true, doing: "sending"}
	}
	if len(text) <= neverBlocks {
		defer socket.CloseWith(ctx, conn)()
	}
	r, err = readResponse(newReader(conn), max(req.limit, maxBody))
	if err != nil {
		return nil, note, &failure{err: socket.CtxOr(ctx, err), sent: true, doing: "waiting for the answer"}
	}
	return r, note, nil
}

// neverBlocks is what a new socket takes at once, so that nothing needs to be
// prepared for the case that it does not.
const neverBlocks = 8 << 10

func newReader(conn net.Conn) *bufio.Reader { return bufio.NewReaderSize(conn, 4096) }

// bytes is the request as it goes over the wire (RFC 9112).
func (r *request) bytes() []byte {
	b := make([]byte, 0, 512+len(r.path)+len(r.body))
	b = put(b, r.method, " ", r.path, " HTTP/1.1\r\n", r.ready)
	if r.ready == "" {
		b = put(b, r.hostLine(), r.lines())
	}
	if r.body != "" || r.method != "GET" && r.method != "DELETE" {
		b = put(b, "Content-Length: ", itoa(len(r.body)), "\r\n")
	}
	return put(b, "Connection: close\r\n\r\n", r.body)
}

// hostLine is the first header.
func (r *request) hostLine() string { return "Host: " + r.authority() + "\r\n" }

// lines are the request's own headers as they go over the wire.
func (r *request) lines() string {
	var b []byte
	for _, h := range r.header {
		b = put(b, h.name, ": ", h.value, "\r\n")
	}
	return string(b)
}

func put(b []byte, texts ...string) []byte {
	for _, t := range texts {
		b = append(b, t...)
	}
	return b
}
