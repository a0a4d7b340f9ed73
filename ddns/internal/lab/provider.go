package lab

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// ProviderOptions say what kind of provider it is.
type ProviderOptions struct {
	Addr string // address it listens on; default 127.0.0.1
	Zone string // zone of its hostnames; default "dyn.test"
	Host string // name of its update server; default "members." + Zone
	TLS  bool   // https, with a certificate of CA
	CA   *CA    // default: one of its own, if TLS
	Cert *tls.Certificate
	NS   []string // names of the zone's servers; default "ns1." + Zone
}

// Provider is a dynamic-DNS provider: an update server that speaks the
// dyndns2 and the DuckDNS protocol, or any script, and records each request;
// and the authoritative name server that serves what it was told.
type Provider struct {
	URL  string         // "http://members.dyn.test": scheme and host, without path; by address where the test runs
	Host string         // of its update server
	Addr netip.AddrPort // where it listens
	CA   *CA            // nil without TLS
	Zone *Zone
	DNS  *NameServer

	lab      *Lab
	tls      *tls.Config
	requests feed[*Request]
	conns    feed[Instant]
	next     int // index of what NextRequest returns next

	mu       sync.Mutex
	accounts []account
	queue    []Reply
	script   func(*Request) Reply
	plan     ConnPlan
}

// Request is one request to the provider, as it came.
type Request struct {
	*http.Request         // its Body was read: see Text
	Number        int     // from 1
	Conn          int     // number of the connection, from 1
	Accepted      Instant // when its connection was accepted
	FirstByte     Instant // when its first byte was read (after TLS)
	Remote        netip.AddrPort
	Raw           string // all bytes, header and body
	Text          string // the body
	User, Pass    string // of HTTP basic authentication
	Resumed       bool   // its TLS session was resumed
}

// Says returns a match for requests with the text in their URL or body.
func Says(text string) func(*Request) bool {
	return func(r *Request) bool {
		return strings.Contains(r.URL.String(), text) || strings.Contains(r.Text, text)
	}
}

// Reply is an answer of the provider. The zero value is an empty 200.
type Reply struct {
	Status int         // default 200
	Header http.Header // Content-Type is text/plain unless given
	Body   string

	Raw   string          // exactly these bytes instead of all above
	After <-chan struct{} // nothing before this is closed
	Hang  bool            // no answer, until the client goes
	Close bool            // the connection is closed: without an answer, or after it
	Reset bool            // as Close without an answer, by RST
	Drip  time.Duration   // one byte, then this long until the next
}

// ConnPlan is what happens to a new connection.
type ConnPlan int

// The plans for new connections.
const (
	Serve   ConnPlan = iota
	Mute             // TCP connects, then nothing ever: a TLS handshake hangs
	HangUp           // closed at once
	HangUpR          // reset at once
)

// Provider starts a provider in the namespace, at ports 80 or 443, and 53; in
// the nil namespace, where the test runs, at free ports.
func (l *Lab) Provider(ns *Namespace, o ProviderOptions) *Provider {
	l.Helper()
	if o.Addr == "" {
		o.Addr = "127.0.0.1"
	}
	if o.Zone == "" {
		o.Zone = "dyn.test"
	}
	if o.Host == "" {
		o.Host = "members." + o.Zone
	}
	p := &Provider{lab: l, Host: o.Host, CA: o.CA, Zone: &Zone{Origin: o.Zone, NS: o.NS}}
	scheme, port := "http", 80
	if o.TLS {
		scheme, port = "https", 443
		if p.CA == nil {
			p.CA = l.CA()
		}
		if o.Cert == nil {
			c := p.CA.Server(false, o.Host, o.Addr)
			o.Cert = &c
		}
		p.tls = &tls.Config{Certificates: []tls.Certificate{*o.Cert}, NextProtos: []string{"http/1.1"}}
	}
	if ns == nil {
		port = 0
	}
	listener, err := ns.Listen("tcp", net.JoinHostPort(o.Addr, fmt.Sprint(port)))
	if err != nil {
		l.Fatalf("lab: provider: %v", err)
	}
	p.Addr = listener.Addr().(*net.TCPAddr).AddrPort()
	p.URL = scheme + "://" + o.Host
	if ns == nil {
		p.URL = scheme + "://" + p.Addr.String()
	}
	if a, err := netip.ParseAddr(o.Addr); err == nil {
		p.Zone.Set(o.Host, a)
		if len(o.NS) == 0 {
			p.Zone.Set("ns1."+o.Zone, a)
		}
	}
	p.DNS = l.NameServer(ns, o.Addr, p.Zone)
	p.serve(listener)
	return p
}

// Handle makes a function answer the requests from now on, instead of the
// protocols that the provider speaks; nil is back to these. It may call Answer.
func (p *Provider) Handle(f func(*Request) Reply) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.script = f
}

// Queue adds answers for the next requests, one each, before anything else.
func (p *Provider) Queue(replies ...Reply) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = append(p.queue, replies...)
}

// Connections sets what happens to new connections from now on.
func (p *Provider) Connections(plan ConnPlan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan = plan
}

// Connected returns when each connection so far was accepted.
func (p *Provider) Connected() []Instant { return p.conns.all() }

// WaitConnected waits for connection number n, from 1.
func (p *Provider) WaitConnected(ctx context.Context, n int) Instant {
	p.lab.Helper()
	ctx, cancel := patient(ctx)
	defer cancel()
	_, at, err := p.conns.wait(ctx, n-1, nil, func(Instant) bool { return true })
	if err != nil {
		p.lab.Fatalf("lab: provider: no connection %d: %v", n, err)
	}
	return at
}

// Requests returns all requests so far. A request is in it before its answer
// leaves.
func (p *Provider) Requests() []*Request { return p.requests.all() }

// NextRequest waits for the next request: each call returns another one, from
// the first on. The test fails when there is none.
func (p *Provider) NextRequest(ctx context.Context) *Request {
	p.lab.Helper()
	before, r := p.Until(ctx, func(*Request) bool { return true })
	if len(before) != 0 {
		panic("a request that does not match anything")
	}
	return r
}

// Until waits for the next request that matches, and returns it and what came
// before it since the last NextRequest or Until.
func (p *Provider) Until(ctx context.Context, match func(*Request) bool) (before []*Request, r *Request) {
	p.lab.Helper()
	ctx, cancel := patient(ctx)
	defer cancel()
	i, r, err := p.requests.wait(ctx, p.next, nil, match)
	if err != nil {
		var seen strings.Builder
		for _, r := range p.Requests() {
			fmt.Fprintf(&seen, "\n\t%d. %s %s", r.Number, r.Method, r.URL)
		}
		p.lab.Fatalf("lab: provider: waited in vain for a request (%v); all so far:%s", err, seen.String())
	}
	all := p.Requests()
	before, p.next = all[p.next:i], i+1
	return before, r
}

// NoRequestWithin fails the test at the first request, or connection, that
// comes before the time is over. Prefer a sentinel: see the package comment.
func (p *Provider) NoRequestWithin(ctx context.Context, d time.Duration) {
	p.lab.Helper()
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	_, _, err := p.conns.wait(ctx, p.conns.len(), p.anyRequest(ctx), func(Instant) bool { return true })
	if !errors.Is(err, context.DeadlineExceeded) {
		last := ""
		if all := p.Requests(); len(all) > 0 {
			last = all[len(all)-1].URL.String()
		}
		p.lab.Fatalf("lab: provider: a connection or request came; the last request is %q", last)
	}
}

// anyRequest is closed at the next request on whatever connection.
func (p *Provider) anyRequest(ctx context.Context) <-chan struct{} {
	came, from := make(chan struct{}), p.requests.len()
	go func() {
		if _, _, err := p.requests.wait(ctx, from, nil, func(*Request) bool { return true }); err == nil {
			close(came)
		}
	}()
	return came
}
