package upstream

import (
	"context"
	"crypto/rand"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// notice is what a gateway sent without being asked.
type notice struct {
	by    string
	addr  netip.Addr // as it claims; zero: it names none
	epoch *message   // nil: it has none
}

// notices hears a gateway's announcements until ctx ends. What cannot be heard
// is left to polling.
func notices(ctx context.Context, gw *Gateway, to chan<- notice) {
	for _, group := range [...]netip.Addr{allHosts, allHosts6} {
		s, err := joined(gw, group)
		if err != nil {
			continue
		}
		go func() {
			defer s.Close()
			defer s.until(ctx)()
			var buf [1100]byte // PCP's longest message
			for {
				n, from, err := s.receive(buf[:])
				if err != nil {
					return
				}
				if from != gw.Addr && from.WithZone("") != gw.Addr6 {
					continue // anybody on the link can send to the group
				}
				if m, ok := parse(buf[:n]); ok && m.op == opAnnounce {
					send(ctx, to, notice{by: [...]string{natpmp, "", pcp}[m.version], addr: m.addr, epoch: &m})
				}
			}
		}()
	}
}

func send(ctx context.Context, to chan<- notice, n notice) {
	select {
	case to <- n:
	case <-ctx.Done():
	}
}

// callback is where a UPnP gateway sends its notices: a listening socket, and
// a path that nobody else knows.
type callback struct {
	*socket
	gw   *Gateway
	path string
	port uint16
}

// listen opens the socket, at the port that the documentation tells users to
// open in their firewall, or at any other.
func listen(gw *Gateway) (*callback, error) {
	var s *socket
	var err error
	for _, port := range [...]uint16{clientPort, 0} {
		if s, err = open(unix.SOCK_STREAM, gw, netip.AddrPortFrom(gw.Local, port)); err != nil {
			continue
		}
		if err = s.control(func(fd int) error { return unix.Listen(fd, 4) }); err == nil {
			return &callback{s, gw, "/" + rand.Text(), s.port()}, nil
		}
		s.Close()
	}
	return nil, err
}

func (c *callback) url() string {
	return "http://" + netip.AddrPortFrom(c.gw.Local, c.port).String() + c.path
}

const (
	maxNotify     = 8 << 10 // bytes of a NOTIFY that are read
	notifyTimeout = 5 * time.Second
)

// serve hears notices until ctx ends.
func (c *callback) serve(ctx context.Context, to chan<- notice) {
	defer c.Close()
	defer c.until(ctx)()
	for {
		conn, from, err := c.accept()
		if err != nil {
			return
		}
		// One at a time: the gateway is the only one that is heard.
		if from == c.gw.Addr {
			conn.SetDeadline(time.Now().Add(notifyTimeout))
			if text, ok := readNotify(conn.Read); ok {
				if addr, ok := parseNotify(text, c.path); ok {
					conn.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
					send(ctx, to, notice{by: upnp, addr: addr})
				} else {
					conn.WriteString("HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
				}
			}
		}
		conn.Close()
	}
}

// readNotify reads a request with its body.
func readNotify(read func([]byte) (int, error)) (string, bool) {
	buf := make([]byte, 0, maxNotify)
	for len(buf) < maxNotify {
		n, err := read(buf[len(buf):maxNotify])
		buf = buf[:len(buf)+n]
		if head, body, whole := strings.Cut(string(buf), "\r\n\r\n"); whole {
			length, bad := strconv.ParseUint(header(head, "content-length"), 10, 16)
			if bad != nil && strings.EqualFold(header(head, "transfer-encoding"), "chunked") {
				if strings.HasSuffix(body, "0\r\n\r\n") { // its frames are no part of any element
					return string(buf), true
				}
			} else if uint64(len(body)) >= length {
				return string(buf), bad == nil || err != nil
			}
		}
		if err != nil || n == 0 {
			break
		}
	}
	return "", false
}

// parseNotify reads a notice of an event (UPnP Device Architecture 1.1, section
// 4.3.2). addr is zero if it is about something else; false: it is not ours.
func parseNotify(request, path string) (addr netip.Addr, ok bool) {
	line, fields, _ := strings.Cut(request, "\r\n")
	if method, rest, _ := strings.Cut(line, " "); method != "NOTIFY" || !strings.HasPrefix(rest, path+" ") {
		return addr, false
	}
	_, body, _ := strings.Cut(fields, "\r\n\r\n")
	a, err := netip.ParseAddr(text(body, "ExternalIPAddress"))
	if err != nil {
		return netip.Addr{}, true
	}
	return address(a), true
}
