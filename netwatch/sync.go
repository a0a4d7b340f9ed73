package netwatch

import (
	"errors"
	"fmt"
	"time"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

const (
	// drainLimit is how many datagrams are applied at most before the state is
	// published, so that an endless stream cannot hide it.
	drainLimit = 4096

	// rounds is how often a full dump is repeated at once when more events
	// were lost while it ran.
	rounds = 3

	// Waits before trying again what did not work, doubling from the first to the last.
	firstWait = 100 * time.Millisecond
	lastWait  = 10 * time.Second
)

var (
	errCut  = errors.New("message longer than the buffer")
	errGone = errors.New("no buffer space in the kernel")
)

// drain applies everything that is queued. It returns true if there may be
// more, having reached its limit.
func (w *Watcher) drain(fd uintptr) bool {
	now := time.Now()
	for range drainLimit {
		size, port, errno := receive(fd, w.buf)
		switch errno {
		case 0:
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			return false
		case unix.ENOBUFS:
			// What is still queued is good, and the socket goes on working.
			w.lost = errGone
			continue
		default:
			w.failed = fmt.Errorf("reading the kernel's network events: %w", errno)
			return false
		}
		if port != 0 {
			continue // sent by another process
		}
		if size > len(w.buf) {
			w.lost = errCut
			continue
		}
		w.applyAll(w.buf[:size], now)
	}
	return true
}

// applyAll applies the messages of one datagram.
func (w *Watcher) applyAll(b []byte, now time.Time) {
	for len(b) > 0 {
		msg, rest, err := nextMessage(b)
		if err == nil {
			err = w.mirror.apply(msg, now)
		}
		if err != nil {
			w.lost = err
		}
		b = rest
	}
}

// settle brings the mirror in step with the kernel after a batch of events,
// and publishes what differs.
//
// News that the events tell fully goes out at once. When they may have taken
// default routes away silently, those are read first: a removal is never
// urgent, but a route that is gone must not be shown. When default routes
// themselves changed they are read after the news is out, since the message
// does not always tell which others it replaced.
func (w *Watcher) settle(fd uintptr) {
	if w.lost != nil {
		w.tell("kernel network events were lost (%v); everything is read again", w.lost)
		if w.behind == nil {
			if err := w.resync(fd); err != nil {
				w.tell("%v; it is tried again", err)
			}
		}
		w.lost = nil // if behind is set, its next full dump covers this
	} else if w.mirror.suspect != 0 {
		w.rereadRoutes(w.mirror.suspect)
	}
	w.publish()
	if w.mirror.confirm != 0 {
		w.rereadRoutes(w.mirror.confirm)
		w.publish()
	}
}

// resync reads all tables, applies what was queued meanwhile, and begins
// again if that lost something too. If it did not end in step with the kernel,
// behind says why, and the event socket's deadline is set to the next attempt.
// The error is of a dump that did not work at all.
func (w *Watcher) resync(fd uintptr) error {
	w.adopt(fd)
	var err error
	for range rounds {
		w.lost = nil
		if err = w.dumpAll(); err != nil {
			w.lost = err
			if !errors.Is(err, nl.ErrDumpInterrupted) {
				break
			}
			err = nil
		}
		for w.drain(fd) {
		}
		if w.lost == nil || w.failed != nil {
			break
		}
	}
	switch {
	case w.lost != nil:
		w.behind, w.lost = w.lost, nil
		w.wait = min(max(2*w.wait, firstWait), lastWait)
		w.setDeadline(time.Now().Add(w.wait))
	case w.behind != nil:
		w.behind, w.wait = nil, 0
		w.setDeadline(time.Time{})
	}
	return err
}

// catchUp makes the full dump that is due, because it is time to try again or
// because other hosts are to be followed.
func (w *Watcher) catchUp() error {
	err := w.events.raw.Control(func(fd uintptr) {
		if err := w.resync(fd); err != nil {
			w.tell("%v; it is tried again", err)
		}
	})
	if w.behind == nil {
		w.setDeadline(time.Time{}) // Follow may have set one
	}
	w.publish()
	return err
}

// setDeadline sets when the next full dump is due; zero: never.
func (w *Watcher) setDeadline(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pending {
		w.events.wakeUp()
		return
	}
	_ = w.events.file.SetReadDeadline(at) // fails only on a closed file, which Read tells too
}

// tell logs trouble if it is news.
func (w *Watcher) tell(format string, args ...any) {
	if !w.closed() && w.trouble.begins(time.Now()) {
		w.logf(format, args...)
	}
}

// dumpAll reads all tables into the mirror. If that was interrupted by too
// many changes then what did come is true, and is added; what is gone shows
// with the next attempt.
func (w *Watcher) dumpAll() error {
	var t tables
	now := time.Now()
	errs := [4]error{t.readLinks(&w.dumper), t.readAddrs(&w.dumper, now), t.readRoutes(&w.dumper, bothFamilies), nil}
	if len(w.mirror.follow) > 0 || len(w.mirror.neighbors) > 0 {
		errs[3] = t.readNeighbors(&w.dumper, w.mirror.follow)
	}
	for _, err := range errs {
		if err != nil && !errors.Is(err, nl.ErrDumpInterrupted) {
			return err
		}
	}
	m := &w.mirror
	if errs[0] == nil {
		m.replaceLinks(t.links)
	} else {
		for _, l := range t.links {
			m.setLink(l)
		}
	}
	if errs[1] == nil {
		m.replaceAddrs(t.addrs, now)
	} else {
		for _, a := range t.addrs {
			m.setAddr(a, now)
		}
	}
	if errs[2] == nil {
		m.replaceRoutes(bothFamilies, t.routes)
		m.suspect, m.confirm = 0, 0
	} else {
		for _, r := range t.routes {
			m.setRoute(r)
		}
	}
	if errs[3] == nil {
		m.replaceNeighbors(t.neighbors)
	} else {
		for i := range t.neighbors {
			m.setNeighbor(&t.neighbors[i])
		}
	}
	w.noteOdd(t.odd)
	return errors.Join(errs[:]...)
}

// rereadRoutes reads the default routes of some families anew.
func (w *Watcher) rereadRoutes(which families) {
	var t tables
	err := t.readRoutes(&w.dumper, which)
	w.mirror.suspect &^= which
	w.mirror.confirm &^= which
	if err == nil {
		w.mirror.replaceRoutes(which, t.routes)
		w.noteOdd(t.odd)
		return
	}
	w.tell("%v; it is tried again", err)
	if w.behind == nil {
		w.behind, w.wait = err, firstWait
		w.setDeadline(time.Now().Add(firstWait))
	}
}

func (w *Watcher) noteOdd(err error) {
	if err != nil {
		w.tell("the kernel's tables hold something not understood, which is left out: %v", err)
	}
}

// reopen replaces an event socket that has failed, and reads everything again
// since nothing is known of the time between. It returns false when Close was called.
func (w *Watcher) reopen(reason error) bool {
	w.tell("%v; subscribing again", reason)
	w.dumper.reset()
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		w.events.file.Close()
		select {
		case <-w.done:
			return false
		case <-time.After(wait):
		}
		if err := w.resubscribe(); err != nil {
			w.tell("%v; it is tried again", err)
			continue
		}
		w.publish()
		return true
	}
}

// resubscribe makes one attempt at a new event socket and a full dump.
func (w *Watcher) resubscribe() error {
	events, err := subscribe()
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.events = events
	if w.closed() { // then Close has closed the old one
		events.file.Close()
	}
	w.mu.Unlock()
	w.failed, w.lost, w.behind, w.wait = nil, nil, nil, 0
	var dumpErr error
	err = events.raw.Control(func(fd uintptr) { dumpErr = w.resync(fd) })
	return errors.Join(err, dumpErr, w.failed)
}
