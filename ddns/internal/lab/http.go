package lab

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// serve accepts until the test ends.
func (p *Provider) serve(listener net.Listener) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	p.lab.Cleanup(func() {
		cancel()
		listener.Close()
		running.Wait()
	})
	running.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			at := Now()
			p.conns.add(at)
			number := p.conns.len()
			running.Go(func() {
				defer c.Close()
				stop := context.AfterFunc(ctx, func() { c.Close() })
				defer stop()
				p.serveConn(ctx, c.(*net.TCPConn), number, at)
			})
		}
	})
}

// serveConn answers the requests of one connection. HTTP is spoken by hand,
// to see the first byte and to be free to break every rule.
func (p *Provider) serveConn(ctx context.Context, tcp *net.TCPConn, number int, accepted Instant) {
	p.mu.Lock()
	plan := p.plan
	p.mu.Unlock()
	switch plan {
	case Mute:
		<-ctx.Done()
		return
	case HangUp:
		return
	case HangUpR:
		tcp.SetLinger(0)
		return
	}
	var conn net.Conn = tcp
	if p.tls != nil {
		conn = tls.Server(tcp, p.tls)
	}
	var raw bytes.Buffer
	reader := bufio.NewReader(conn)
	for {
		if _, err := reader.Peek(1); err != nil {
			return
		}
		first := Now()
		raw.Reset()
		r := &Request{Conn: number, Accepted: accepted, FirstByte: first}
		if !p.read(r, reader, &raw, conn) {
			return
		}
		r.Remote = tcp.RemoteAddr().(*net.TCPAddr).AddrPort()
		r.Remote = netip.AddrPortFrom(r.Remote.Addr().Unmap(), r.Remote.Port())
		reply := p.record(r)
		if !reply.send(ctx, r, conn, tcp) {
			return
		}
	}
}

// read reads one request, and false for what is none.
func (p *Provider) read(r *Request, reader *bufio.Reader, raw *bytes.Buffer, conn net.Conn) bool {
	tee := bufio.NewReaderSize(io.TeeReader(oneByOne{reader}, raw), 16)
	request, err := http.ReadRequest(tee)
	if err != nil {
		return false
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return false
	}
	r.Request, r.Text, r.Raw = request, string(body), raw.String()
	r.User, r.Pass, _ = request.BasicAuth()
	if c, ok := conn.(*tls.Conn); ok {
		state := c.ConnectionState()
		r.TLS, r.Resumed = &state, state.DidResume
	}
	return true
}

// oneByOne hands out single bytes, so that a reader on top of it takes
// nothing of the next request.
type oneByOne struct{ r *bufio.Reader }

func (o oneByOne) Read(b []byte) (int, error) {
	if len(b) > 1 {
		b = b[:1]
	}
	return o.r.Read(b)
}

// record notes the request and decides about its answer.
func (p *Provider) record(r *Request) Reply {
	p.mu.Lock()
	defer p.mu.Unlock()
	r.Number = p.requests.len() + 1
	var reply Reply
	switch {
	case len(p.queue) > 0:
		reply, p.queue = p.queue[0], p.queue[1:]
	case p.script != nil:
		script := p.script
		p.mu.Unlock() // it may call Answer
		reply = script(r)
		p.mu.Lock()
		r.Number = p.requests.len() + 1
	default:
		reply = p.answer(r)
	}
	p.requests.add(r)
	return reply
}

// send writes the answer, and says whether the connection goes on.
func (reply Reply) send(ctx context.Context, r *Request, conn net.Conn, tcp *net.TCPConn) bool {
	if reply.After != nil {
		select {
		case <-reply.After:
		case <-ctx.Done():
			return false
		}
	}
	switch {
	case reply.Hang:
		io.Copy(io.Discard, conn) // until the client goes
		return false
	case reply.Reset:
		tcp.SetLinger(0)
		return false
	case reply.Close && reply.Raw == "" && reply.Body == "" && reply.Status == 0:
		return false
	}
	text := reply.Raw
	goesOn := !reply.Close && !r.Close
	if text == "" {
		response := http.Response{StatusCode: reply.Status, ProtoMajor: 1, ProtoMinor: 1, Request: r.Request,
			Header: http.Header{}, Body: io.NopCloser(strings.NewReader(reply.Body)), ContentLength: int64(len(reply.Body)), Close: !goesOn}
		if response.StatusCode == 0 {
			response.StatusCode = http.StatusOK
		}
		response.Header.Set("Content-Type", "text/plain")
		for key, values := range reply.Header {
			response.Header[key] = values
		}
		var b strings.Builder
		response.Write(&b)
		text = b.String()
	}
	if reply.Drip == 0 {
		_, err := io.WriteString(conn, text)
		return err == nil && goesOn
	}
	tick := time.NewTicker(reply.Drip)
	defer tick.Stop()
	for i := range len(text) {
		if _, err := io.WriteString(conn, text[i:i+1]); err != nil {
			return false
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
	return goesOn
}
