package witness

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/dns"
	"github.com/wanbeacon/wanbeacon/ddns/socket"
	"github.com/wanbeacon/wanbeacon/netwatch"
)

// Net asks over the network. It may be used by several goroutines at the same
// time, and must not be copied.
type Net struct {
	// Resolvers are who is asked where authoritative servers cannot be, in
	// order. They are looked up each time, as they change with the WAN.
	Resolvers func() []netip.AddrPort

	// HTTPS asks a resolver over HTTPS (RFC 8484) in place of Resolvers, if it
	// is not nil: it posts a message, from a device and source as of Via, and
	// returns the answer. URL names it.
	HTTPS func(ctx context.Context, device string, source netip.Addr, message []byte) ([]byte, error)
	URL   string

	sent     atomic.Int64
	noDevice atomic.Bool // the kernel does not let us bind to devices

	mu  sync.Mutex
	one map[netip.AddrPort]bool // servers that do not keep the case of letters
}

// Sent is how many messages were sent.
func (n *Net) Sent() int64 { return n.sent.Load() }

// Via returns the way out through a device, "": any, from a source address,
// the zero one: the kernel's choice. Servers of the other family are asked from
// an address of the kernel's choice, through another device if the route to
// them does not lead through this one, and those on this side of the WAN by
// whatever way leads there.
func (n *Net) Via(device string, source netip.Addr) Asker { return &way{n, device, source} }

// way asks through one device and from one address.
type way struct {
	n      *Net
	device string
	source netip.Addr
}

// maxOne bounds what is remembered about servers.
const maxOne = 200

// Ask asks an authoritative server.
func (w *way) Ask(ctx context.Context, server netip.AddrPort, name string, typ uint16) (*dns.Message, error) {
	how := dns.EDNS | dns.MixedCase
	w.n.mu.Lock()
	if w.n.one[server] {
		how = dns.EDNS
	}
	w.n.mu.Unlock()
	a, err := w.ask(ctx, server, dns.NewQuestion(name, typ, how))
	if err != nil {
		return nil, err
	}
	if a.Fault == dns.ErrCase {
		w.n.mu.Lock()
		if w.n.one == nil || len(w.n.one) == maxOne {
			w.n.one = map[netip.AddrPort]bool{}
		}
		w.n.one[server] = true
		w.n.mu.Unlock()
	}
	return a.Message, nil
}

var errNoResolver = errors.New("there is no resolver")

// Resolve asks the resolvers one after the other until one answers.
func (w *way) Resolve(ctx context.Context, name string, typ uint16) (m *dns.Message, who string, err error) {
	if w.n.HTTPS != nil {
		q := dns.NewQuestion(name, typ, dns.Recursive)
		q.Msg[0], q.Msg[1] = 0, 0 // RFC 8484 section 4.1
		w.n.sent.Add(1)
		packet, err := w.n.HTTPS(ctx, w.device, w.source, q.Msg)
		if err != nil {
			return nil, w.n.URL, err
		}
		a := q.Read(packet)
		if a == nil {
			return nil, w.n.URL, errors.New("it answers no DNS message")
		}
		return a.Message, w.n.URL, nil
	}
	err = errNoResolver
	if w.n.Resolvers == nil {
		return nil, "", err
	}
	servers := w.n.Resolvers()
	for i, server := range servers {
		var a *dns.Answer
		who = server.String()
		if server.Port() == 53 {
			who = server.Addr().String()
		}
		fair, cancel := context.WithTimeout(ctx, left(ctx)/time.Duration(len(servers)-i))
		a, err = w.ask(fair, server, dns.NewQuestion(name, typ, dns.Recursive|dns.EDNS))
		cancel()
		if err == nil && a.RCode() != dns.Refused {
			return a.Message, who, nil
		}
		if err == nil {
			m = a.Message
		}
	}
	if m != nil {
		return m, who, nil
	}
	return nil, who, err
}

// ask takes three fifths of its time for UDP: a tenth for the first answer,
// longer for the next two.
func (w *way) ask(ctx context.Context, server netip.AddrPort, q *dns.Query) (*dns.Answer, error) {
	limit := min(left(ctx), askLimit)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	x := dns.Exchange{Dial: w.dial, Wait: limit / 10, Sent: func() { w.n.sent.Add(1) }}
	return x.Ask(ctx, server, q)
}

// left is how much time ctx has.
func left(ctx context.Context) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return time.Until(deadline)
	}
	return usualTime
}

func (w *way) dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	device, source := w.device, w.source
	a := to.Addr()
	local := a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast()
	if local || w.n.noDevice.Load() {
		device = ""
	}
	if other := source.Is4() != a.Is4(); local || other {
		if device != "" && other && source.IsValid() && !netwatch.Leads(device, a) {
			device = ""
		}
		source = netip.Addr{}
	}
	var c *socket.Conn
	var refused bool
	var err error
	if network == "udp" {
		c, refused, err = socket.UDP(to, device, source)
	} else {
		c, refused, err = socket.TCP(ctx, to, device, source, nil, func() {})
	}
	if refused {
		w.n.noDevice.Store(true)
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}
