package provider

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/socket"
)

// Client makes requests that belong to no account: of routers and of services
// that tell one's address. It follows no redirects, sends no credentials, and
// may be used by several goroutines at the same time.
type Client struct {
	t       *transport
	timeout time.Duration
}

// Call is one request of a Client.
type Call struct {
	Method, URL string
	Header      [][2]string // name, value
	Body        string
	Device      string        // kernel device that it leaves through; "": the kernel's choice
	From        netip.Addr    // address of ours that it leaves from; zero: the kernel's choice
	Family      config.Family // of the connection; 0: any
	Loose       bool          // another device will do for a host of another family than From's, or on this side of the WAN
}

// Reply is the answer to a Call: any status, and at most 64 kB of the body.
type Reply struct {
	Status int
	Header map[string]string // by name in lower case
	Body   string
}

// NewClient returns a client that gives a request the time of opt.
func NewClient(opt Options) *Client {
	if opt.Timeout <= 0 {
		opt.Timeout = 20 * time.Second
	}
	return &Client{newTransport(opt), opt.Timeout}
}

// Do makes a request. The error says what could not be done, in words for
// users; [context.Canceled] is wrapped.
func (c *Client) Do(ctx context.Context, call Call) (*Reply, error) {
	to, err := parseTarget(call.URL)
	if err != nil {
		return nil, err
	}
	req := &request{method: call.Method, target: to, body: call.Body, family: call.Family}
	for _, h := range call.Header {
		req.header = append(req.header, field{h[0], h[1]})
	}
	ctx, release := withPatience(ctx, c.timeout)
	defer release()
	bind := call.Device
	if call.Loose {
		bind = ""
	}
	r, _, err := c.t.roundTrip(ctx, Origin{Device: call.Device, Addr: call.From}, bind, req)
	if err != nil {
		return nil, c.words(err)
	}
	return &Reply{r.status, r.header, r.body}, nil
}

// UDP returns a socket that sends to one port of a host, and receives from
// there alone, bound as the call says; its method, URL and header do not matter.
func (c *Client) UDP(ctx context.Context, host string, port uint16, call Call) (net.Conn, error) {
	to := c.t.candidates(ctx, &request{target: target{host: host, port: port}, family: call.Family}, call.Family)
	defer to.stop()
	if !to.more(ctx) {
		return nil, c.words(&failure{err: socket.CtxOr(ctx, errNoAddress), doing: "looking up " + host, lookup: to.failed, timedOutLookup: true})
	}
	at := netip.AddrPortFrom(to.queue[0], port)
	d := &dialer{t: c.t, from: Origin{Device: call.Device, Addr: call.From}, bind: call.Device}
	conn, err := d.bound(ctx, at, func(device string, source netip.Addr) (*socket.Conn, bool, error) {
		return socket.UDP(at, device, source)
	})
	if err != nil {
		return nil, c.words(&failure{err: err, doing: "connecting"})
	}
	return conn, nil
}

// words are an error's for users.
func (c *Client) words(err error) error {
	p := Provider{opt: c.t.opt}
	return &clientError{p.failure(err).Text, err}
}

type clientError struct {
	text string
	err  error
}

func (e *clientError) Error() string { return e.text }
func (e *clientError) Unwrap() error { return e.err }

// Quote makes text of a peer fit to be shown: quoted, cut to 200 characters,
// with its control characters escaped.
func Quote(s string) string { return masker{}.peer(s) }
