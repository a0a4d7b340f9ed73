package netwatch

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// Watcher follows the kernel's network state. Make one with [Open].
type Watcher struct {
	snapshots chan *Snapshot
	logf      func(format string, args ...any)
	done      chan struct{} // closed by Close
	ended     chan struct{} // closed when the goroutine has ended

	mu      sync.Mutex // guards events against Close, and what Follow asks for
	events  *eventSocket
	asked   []MAC
	pending bool // asked is not in force yet

	// The rest belongs to the goroutine, and before it runs to Open.
	mirror  mirror
	dumper  dumper
	buf     []byte
	lost    error         // why the mirror may differ from the kernel, or nil
	behind  error         // the same after a full dump did not mend it; another is due then
	wait    time.Duration // from behind was set to that next full dump
	failed  error         // why the event socket cannot be read any more
	trouble episode
}

// Open subscribes to the kernel's events, reads its tables, and follows them
// until Close. The first snapshot is in the channel when it returns. Snapshots
// hold the neighbours with the hosts' hardware addresses. Trouble
// that Watcher deals with by itself is told to logf, which may be nil, with
// one line for each time it starts.
func Open(logf func(format string, args ...any), hosts ...MAC) (*Watcher, error) {
	w, err := prepare(logf, hosts...)
	if err != nil {
		return nil, err
	}
	w.publish()
	go w.run()
	return w, nil
}

// Take gives one coherent snapshot, with the neighbours that have the hosts'
// hardware addresses. Its Seq is 1.
func Take(hosts ...MAC) (*Snapshot, error) {
	w, err := prepare(nil, hosts...)
	if err != nil {
		return nil, err
	}
	defer w.release()
	if w.behind != nil {
		return nil, fmt.Errorf("the network changes faster than it can be read: %w", w.behind)
	}
	return w.mirror.snapshot(time.Now()), nil
}

// Snapshots gives the channel of snapshots. It holds one, the newest: a slow
// reader misses those between, and delays nobody. It is closed after Close.
// A snapshot differs from the one before in something that a Snapshot holds;
// that lifetimes were renewed counts, if they moved by more than two seconds.
func (w *Watcher) Snapshots() <-chan *Snapshot { return w.snapshots }

// Close ends the watching, and returns when the goroutine has ended. The last
// snapshot can still be read. Close may be called again.
func (w *Watcher) Close() error {
	w.mu.Lock()
	events := w.events
	if !w.closed() {
		close(w.done)
	}
	w.mu.Unlock()
	events.file.Close() // waits for calls in [Watcher.run] to end, which may need the lock
	w.dumper.stop()
	<-w.ended
	return nil
}

// prepare makes a Watcher whose mirror is complete, without its goroutine.
func prepare(logf func(format string, args ...any), hosts ...MAC) (*Watcher, error) {
	if logf == nil {
		logf = func(string, ...any) {}
	}
	w := &Watcher{
		snapshots: make(chan *Snapshot, 1),
		logf:      logf,
		done:      make(chan struct{}),
		ended:     make(chan struct{}),
		buf:       make([]byte, datagramBytes),
		asked:     hosts,
	}
	// Subscribe first: what changes while the tables are read is then in the queue.
	events, err := subscribe()
	if err != nil {
		return nil, err
	}
	w.events = events
	var dumpErr error
	err = events.raw.Control(func(fd uintptr) { dumpErr = w.resync(fd) })
	if err = errors.Join(err, dumpErr, w.failed); err != nil {
		w.release()
		return nil, err
	}
	return w, nil
}

// release closes the sockets.
func (w *Watcher) release() {
	if w.events != nil {
		w.events.file.Close()
	}
	w.dumper.stop()
}

// run is the goroutine. It sleeps in the runtime's poller, not in a select,
// so that from the kernel's message to the snapshot in the channel nothing
// has to be scheduled in between.
func (w *Watcher) run() {
	defer close(w.ended)
	defer close(w.snapshots)
	defer w.release()
	for {
		err := w.events.raw.Read(w.wake)
		if w.closed() {
			return
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = w.catchUp()
		}
		if w.failed != nil {
			err = w.failed
		}
		if err != nil && !w.reopen(err) {
			return
		}
	}
}

func (w *Watcher) closed() bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

// wake is called when the socket may be readable, and with its result says
// whether the waiting is to end.
func (w *Watcher) wake(fd uintptr) bool {
	for more := true; more; {
		more = w.drain(fd)
		if w.failed != nil {
			return true
		}
		w.settle(fd)
	}
	return w.failed != nil
}

// publish puts the state into the channel if it differs from the last, in the
// place of one that nobody has taken yet.
func (w *Watcher) publish() {
	s := w.mirror.snapshot(time.Now())
	if s == nil {
		return
	}
	for {
		select {
		case w.snapshots <- s:
			return
		default:
		}
		select {
		case <-w.snapshots:
		default:
		}
	}
}

// episode keeps lasting trouble from filling the log.
type episode struct{ last time.Time }

// quiet is how long after the last trouble the next is news again.
const quiet = time.Minute

// begins tells whether trouble at the moment now is news.
func (e *episode) begins(now time.Time) bool {
	news := e.last.IsZero() || now.Sub(e.last) >= quiet
	e.last = now
	return news
}
