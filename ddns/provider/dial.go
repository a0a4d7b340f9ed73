package provider

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/socket"
	"github.com/wanbeacon/wanbeacon/netwatch"
)

// connectStagger is between two attempts to connect (RFC 8305 section 5).
const connectStagger = 250 * time.Millisecond

// maxConnections bounds how often one exchange connects anew because of TLS.
const maxConnections = 4

const noDeviceNote = "the kernel does not let this program bind to a device: the source address alone says which way requests take"

// open connects to the request's host, TLS included. Without TLS, the first
// bytes of text may have been sent: sent says how many. note: as of roundTrip.
func (t *transport) open(ctx context.Context, from Origin, bind string, req *request, text []byte) (conn net.Conn, sent int, note string, err error) {
	c := t.candidates(ctx, req, config.FamilyOf(from.Addr))
	defer c.stop()
	var roots *rootsLoad
	if req.secure {
		roots = t.tls.load(req.host)
	}
	d := dialer{t: t, from: from, bind: bind, port: req.port, host: req.host}
	if !req.secure {
		d.first = text
	}
	for n := 1; ; n++ {
		raw, addr, err := d.race(ctx, c)
		if d.refused.Load() && t.noDevice.CompareAndSwap(false, true) {
			note = noDeviceNote
		}
		if err != nil {
			return nil, 0, note, &failure{err: socket.CtxOr(ctx, err), doing: "connecting", lookup: c.failed, timedOutLookup: !c.resolved}
		}
		if !req.secure {
			t.resolver.worked(req.host, addr)
			return raw, raw.Early, note, nil
		}
		secured, err := t.tls.handshake(ctx, raw, req.host, roots)
		if err == nil {
			t.resolver.worked(req.host, addr)
			return secured, 0, note, nil
		}
		raw.Close()
		if roots.small && isUnknownAuthority(err) {
			roots = t.tls.reload(req.host)
			c.queue = append([]netip.Addr{addr}, c.queue...)
			continue
		}
		err = &failure{err: socket.CtxOr(ctx, err), doing: "setting up TLS"}
		if n == maxConnections || ctx.Err() != nil || !c.more(ctx) {
			return nil, 0, note, err
		}
	}
}

// candidates are the addresses to connect to: those known, then those that a
// fresh look-up finds.
type candidates struct {
	queue    []netip.Addr
	tried    []netip.Addr
	prefer   config.Family
	family   config.Family // 0: both
	lookup   chan answer   // of the look-up; nil: there is none, or it is over
	look     func()        // starts it; nil: done
	failed   error         // of the look-up
	resolved bool          // there was at least one address
	stop     context.CancelFunc
}

func (t *transport) candidates(ctx context.Context, req *request, prefer config.Family) *candidates {
	if prefer == 0 {
		prefer = config.IPv6
	}
	c := &candidates{prefer: prefer, family: req.family, stop: func() {}}
	if addr, err := netip.ParseAddr(req.host); err == nil {
		c.add([]netip.Addr{addr.Unmap()})
		return c
	}
	if t.reroute != nil || req.host == "localhost" {
		c.queue, c.resolved = []netip.Addr{loopback, netip.IPv6Loopback()}, true
		return c
	}
	if known := t.resolver.known(req.host); len(known) > 0 {
		c.add(known[:1]) // what worked last comes first
		c.add(known[1:])
	}
	lookupCtx, cancel := context.WithCancel(ctx)
	done := make(chan answer, 1)
	c.lookup, c.stop = done, cancel
	c.look = func() {
		go func() {
			addrs, err := t.resolver.lookup(lookupCtx, req.host, req.family)
			done <- answer{addrs, err}
		}()
	}
	return c
}

// begin starts the fresh look-up if it is not running.
func (c *candidates) begin() {
	if c.look != nil {
		c.look()
		c.look = nil
	}
}

// add queues addresses not yet tried, families in turn, the preferred first.
func (c *candidates) add(addrs []netip.Addr) {
	var first, second []netip.Addr
	for _, a := range addrs {
		f := config.FamilyOf(a)
		switch {
		case c.family != 0 && f != c.family, slices.Contains(c.tried, a), slices.Contains(c.queue, a):
		case f == c.prefer:
			first = append(first, a)
		default:
			second = append(second, a)
		}
	}
	for len(first)+len(second) > 0 {
		if len(first) > 0 {
			c.queue, first = append(c.queue, first[0]), first[1:]
		}
		if len(second) > 0 {
			c.queue, second = append(c.queue, second[0]), second[1:]
		}
	}
	c.resolved = c.resolved || len(c.queue) > 0
}

func (c *candidates) take(a answer) {
	c.lookup = nil
	c.failed = a.err
	c.add(a.addrs)
}

// more reports whether there is another address, and waits for the look-up to
// know that.
func (c *candidates) more(ctx context.Context) bool {
	if len(c.queue) == 0 && c.lookup != nil {
		c.begin()
		select {
		case a := <-c.lookup:
			c.take(a)
		case <-ctx.Done():
		}
	}
	return len(c.queue) > 0
}

type dialed struct {
	conn *socket.Conn
	addr netip.Addr
	err  error
}

// race connects to the first candidate that answers. The first one is tried
// here and now, which is all there is to do in most cases; the others join in
// when it has failed or is late.
func (d *dialer) race(ctx context.Context, c *candidates) (*socket.Conn, netip.Addr, error) {
	if len(c.queue) == 0 {
		return d.raceRest(ctx, c, nil)
	}
	addr := c.queue[0]
	c.queue, c.tried = c.queue[1:], append(c.tried, addr)
	if len(c.queue) == 0 && c.lookup == nil {
		conn, err := d.connect(ctx, addr, d.first, func() {})
		return conn, addr, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	rest := make(chan dialed, 1)
	var late *time.Timer
	conn, err := d.connect(ctx, addr, d.first, func() {
		c.begin()
		// From when the timer fires, c belongs to its function.
		late = time.AfterFunc(connectStagger, func() {
			conn, addr, err := d.raceRest(ctx, c, nil)
			if err == nil {
				cancel() // ends the first attempt
			}
			rest <- dialed{conn, addr, err}
		})
	})
	if late == nil || late.Stop() {
		if err == nil {
			return conn, addr, nil
		}
		return d.raceRest(ctx, c, err)
	}
	if err == nil {
		cancel() // ends the others
	}
	other := <-rest
	switch {
	case err == nil && other.conn != nil:
		other.conn.Close()
	case err != nil && (other.err == nil || socket.NoPath(err)):
		return other.conn, other.addr, other.err
	}
	return conn, addr, err
}

// raceRest is race without a first attempt; failed is why that one failed.
func (d *dialer) raceRest(ctx context.Context, c *candidates, failed error) (*socket.Conn, netip.Addr, error) {
	c.begin()
	ctx, cancel := context.WithCancel(ctx)
	results := make(chan dialed, 2*maxAddresses+1)
	running := 0
	defer func() {
		cancel()
		if n := running; n > 0 {
			go func() {
				for range n {
					if r := <-results; r.conn != nil {
						r.conn.Close()
					}
				}
			}()
		}
	}()
	stagger := time.NewTimer(connectStagger)
	defer stagger.Stop()
	for due := true; ; {
		if due && len(c.queue) > 0 && len(c.tried) < 2*maxAddresses {
			addr := c.queue[0]
			c.queue, c.tried = c.queue[1:], append(c.tried, addr)
			running++
			go func() {
				conn, err := d.connect(ctx, addr, nil, func() {})
				results <- dialed{conn, addr, err}
			}()
			stagger.Reset(connectStagger)
			due = false
		}
		if running == 0 && c.lookup == nil && len(c.queue) == 0 {
			if failed == nil {
				failed = c.failed
			}
			if failed == nil {
				failed = errNoAddress
			}
			return nil, netip.Addr{}, failed
		}
		select {
		case r := <-results:
			running--
			if r.err == nil {
				return r.conn, r.addr, nil
			}
			if failed == nil || socket.NoPath(failed) {
				failed = r.err
			}
			due = true
		case a := <-c.lookup:
			c.take(a)
			due = due || running == 0
		case <-stagger.C:
			due = true
		case <-ctx.Done():
			if failed == nil {
				failed = ctx.Err()
			}
			return nil, netip.Addr{}, failed
		}
	}
}

// errNoAddress: the host has none in the family that is needed.
var errNoAddress = errors.New("the provider's host has no address in that family")

// The kernel announces an address a moment before it can be used as a source
// and before the route of its network stands: an attempt is repeated this
// often, after this pause.
const (
	freshTries = 10
	freshPause = 100 * time.Microsecond
)

// connect makes one TCP connection, bound as the origin says; first and waiting
// as of socket.TCP. Of attempts that run at the same time none may send.
func (d *dialer) connect(ctx context.Context, addr netip.Addr, first []byte, waiting func()) (*socket.Conn, error) {
	to := netip.AddrPortFrom(addr, d.port)
	if d.t.reroute != nil {
		var err error
		if to, err = netip.ParseAddrPort(d.t.reroute(d.host, d.port)); err != nil {
			return nil, err
		}
	}
	return d.bound(ctx, to, func(device string, source netip.Addr) (*socket.Conn, bool, error) {
		return socket.TCP(ctx, to, device, source, first, waiting)
	})
}

// bound connects to an address with the origin's device and source.
func (d *dialer) bound(ctx context.Context, to netip.AddrPort, connect func(device string, source netip.Addr) (*socket.Conn, bool, error)) (*socket.Conn, error) {
	device, source := d.binding(to.Addr())
	if device != "" && device != d.bind && d.from.Addr.IsValid() && !source.IsValid() && !netwatch.Leads(device, to.Addr()) {
		device = ""
	}
	for try := 1; ; try++ {
		conn, err := d.boundOnce(to, device, source, connect)
		if err == nil {
			return conn, nil
		}
		fresh := errors.Is(err, unix.EADDRNOTAVAIL) || d.from.Unrouted && errors.Is(err, unix.ENETUNREACH)
		if try == freshTries || !fresh || ctx.Err() != nil {
			return nil, err
		}
		time.Sleep(freshPause)
	}
}

func (d *dialer) boundOnce(to netip.AddrPort, device string, source netip.Addr, connect func(string, netip.Addr) (*socket.Conn, bool, error)) (*socket.Conn, error) {
	if device != "" && d.from.Unrouted {
		if _, err := netwatch.RouteTo(to.Addr(), source, device); err != nil {
			return nil, &socket.ConnectError{To: to, Err: err}
		}
	}
	conn, notPermitted, err := connect(device, source)
	if notPermitted {
		d.refused.Store(true)
	}
	if err != nil {
		return nil, err
	}
	return conn, nil
}
