package provider

import (
	"bufio"
	"context"
	"crypto/tls"
	"net"
	"strings"
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
	var b strings.Builder
	b.Grow(512 + len(r.body))
	b.WriteString(r.method + " " + r.path + " HTTP/1.1\r\nHost: " + r.authority() + "\r\n")
	for _, h := range r.header {
		b.WriteString(h.name + ": " + h.value + "\r\n")
	}
	if r.body != "" || r.method != "GET" && r.method != "DELETE" {
		b.WriteString("Content-Length: " + itoa(len(r.body)) + "\r\n")
	}
	b.WriteString("Connection: close\r\n\r\n")
	b.WriteString(r.body)
	return []byte(b.String())
}
