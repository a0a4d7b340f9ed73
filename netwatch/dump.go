package netwatch

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// dumpTries is how often a dump that the kernel calls interrupted, because the
// table changed meanwhile, is begun anew before others get their turn.
const dumpTries = 8

// dumper asks the kernel for whole tables, over a socket of its own that stays
// open: so that it always asks about the namespace it was opened in. It sets
// no time limit: the kernel always answers, and the limit's timer would wake
// the process long after the answer.
type dumper struct {
	seq uint32

	mu     sync.Mutex // guards the rest against stop
	socket *nl.NetlinkSocket
	ended  bool
}

// open gives the socket, which it makes if there is none.
func (d *dumper) open() (*nl.NetlinkSocket, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return nil, os.ErrClosed
	}
	if d.socket == nil {
		socket, err := nl.Subscribe(unix.NETLINK_ROUTE) // to no group
		if err != nil {
			return nil, fmt.Errorf("opening a netlink socket: %w", err)
		}
		d.socket = socket
	}
	return d.socket, nil
}

// reset closes the socket; the next dump makes a new one.
func (d *dumper) reset() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.socket != nil {
		d.socket.Close()
		d.socket = nil
	}
}

// stop ends a dump that another goroutine may be waiting for, and all later ones.
func (d *dumper) stop() {
	d.mu.Lock()
	d.ended = true
	d.mu.Unlock()
	d.reset()
}

// dump asks for one table (RTM_GETLINK …) and calls take for each of its
// messages, then done. begin is called before each new try. The error
// wraps nl.ErrDumpInterrupted if all tries were interrupted: what was taken
// from the last one is true, but some may be missing.
func (d *dumper) dump(kind, answer int, family uint8, begin func(), take func(body []byte)) error {
	var err error
	for range dumpTries {
		begin()
		if err = d.dumpOnce(kind, answer, family, take); !errors.Is(err, nl.ErrDumpInterrupted) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("reading the kernel's tables: %w", err)
	}
	return nil
}

func (d *dumper) dumpOnce(kind, answer int, family uint8, take func(body []byte)) error {
	socket, err := d.open()
	if err != nil {
		return err
	}
	req := nl.NewNetlinkRequest(kind, unix.NLM_F_DUMP)
	req.AddData(dumpHeader(kind, family))
	req.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: {Seq: d.seq, Socket: socket}}
	d.seq++
	err = req.ExecuteIter(unix.NETLINK_ROUTE, uint16(answer), func(body []byte) bool {
		take(body)
		return true
	})
	if err != nil && !errors.Is(err, nl.ErrDumpInterrupted) {
		d.reset() // the rest of the answer may still come: not to the next question
	}
	return err
}

// dumpHeader is the fixed part that the kernel wants after nlmsghdr.
func dumpHeader(kind int, family uint8) nl.NetlinkRequestData {
	switch kind {
	case unix.RTM_GETLINK:
		return nl.NewIfInfomsg(int(family))
	case unix.RTM_GETADDR:
		return nl.NewIfAddrmsg(int(family))
	default:
		return &nl.RtMsg{RtMsg: unix.RtMsg{Family: family}}
	}
}

// tables is what a dump of everything has brought.
type tables struct {
	links  []Link
	addrs  []Addr
	routes []Route

	neighbors []neighborMessage

	odd error // a message that was not understood and is left out
}

func (t *tables) readLinks(d *dumper) error {
	return d.dump(unix.RTM_GETLINK, unix.RTM_NEWLINK, unix.AF_UNSPEC, func() { t.links = nil }, func(body []byte) {
		l, ok, err := parseLink(body)
		if err != nil {
			t.odd = err
		} else if ok && l.Name != "" {
			t.links = append(t.links, l)
		}
	})
}

func (t *tables) readAddrs(d *dumper, now time.Time) error {
	return d.dump(unix.RTM_GETADDR, unix.RTM_NEWADDR, unix.AF_UNSPEC, func() { t.addrs = nil }, func(body []byte) {
		a, ok, err := parseAddr(body, now)
		if err != nil {
			t.odd = err
		} else if ok {
			t.addrs = append(t.addrs, a)
		}
	})
}

// readNeighbors keeps those of the hosts, and those that do not answer, whose
// hardware address the kernel has forgotten.
func (t *tables) readNeighbors(d *dumper, hosts []MAC) error {
	return d.dump(unix.RTM_GETNEIGH, unix.RTM_NEWNEIGH, unix.AF_INET6, func() { t.neighbors = nil }, func(body []byte) {
		n, ok, err := parseNeighbor(body)
		if err != nil {
			t.odd = err
		} else if ok && (n.nud&unix.NUD_FAILED != 0 || follows(hosts, n.MAC)) {
			t.neighbors = append(t.neighbors, n)
		}
	})
}

func (t *tables) readRoutes(d *dumper, which families) error {
	var m routeMessage
	read := func(family uint8) error {
		before := len(t.routes)
		return d.dump(unix.RTM_GETROUTE, unix.RTM_NEWROUTE, family, func() { t.routes = t.routes[:before] }, func(body []byte) {
			// A kernel without IPv6 answers with the routes of all families.
			if len(body) > 0 && body[0] != family || !isDefault(body) {
				return
			}
			if err := parseRoute(body, &m); err != nil {
				t.odd = err
			} else if m.inSnapshots() {
				t.routes = append(t.routes, m.hops...)
			}
		})
	}
	var err4, err6 error
	if which&family4 != 0 {
		err4 = read(unix.AF_INET)
	}
	if which&family6 != 0 {
		err6 = read(unix.AF_INET6)
	}
	return errors.Join(err4, err6)
}
