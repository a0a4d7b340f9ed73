package publish

import (
	"context"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/address"
)

// Outside asks beyond the kernel.
type Outside interface {
	// Ask asks a program or echo services, once.
	Ask(context.Context, address.Question) address.External
	// Watch follows the router above until ctx ends, and looks again after
	// each receive from again.
	Watch(ctx context.Context, q address.Question, again <-chan struct{}, report func(address.External))
}

// Pace of questions that nothing answers by itself.
const (
	askEvery  = 10 * time.Minute // while the network stays the same
	askFailed = 5 * time.Second  // after a failure, doubling to askEvery
)

// inquiry is a question being asked: again and again, or once and for all with
// whoever tells of changes by himself.
type inquiry struct {
	address.Question
	cancel  context.CancelFunc
	running bool      // of those asked again and again: right now
	stale   bool      // once more when this is answered
	next    time.Time // when to ask again; zero: not before something changes
	fails   int
	said    string // the log's last word about it

	events          bool          // it was heard to announce changes
	again           chan struct{} // of those that are followed
	asked, answered int           // how often it was made to look again
}

func (i *inquiry) follows() bool { return i.Kind == address.Upstream }

// owes says whether an answer is still to come.
func (i *inquiry) owes() bool { return i.running || i.asked > i.answered }

// follow makes the inquiries those that the sources want. It is off the path
// from event to request.
func (l *Loop) follow() {
	if l.outside == nil {
		return
	}
	wanted := l.set.Questions()
	for at, i := range l.inquiries {
		gone := true
		for _, q := range wanted {
			gone = gone && q.Place != at
		}
		if gone {
			i.cancel()
			delete(l.inquiries, at)
		}
	}
	for _, q := range wanted {
		i := l.inquiries[q.Place]
		if i == nil {
			ctx, cancel := context.WithCancel(l.ctx)
			i = &inquiry{Question: q, cancel: cancel, again: make(chan struct{}, 1)}
			l.inquiries[q.Place] = i
			if i.follows() {
				i.answered = -1 // its first report
				l.work.Go(func() { l.outside.Watch(ctx, q, i.again, func(x address.External) { l.external <- x }) })
			} else {
				l.inquire(i)
			}
			continue
		}
		changed := q.Path != i.Path || q.Hint != i.Hint
		if i.Question = q; changed {
			l.inquire(i)
		} else if !q.Poll && i.fails == 0 {
			i.next = time.Time{}
		} else if i.next.IsZero() && !i.running {
			i.next = time.Now().Add(askEvery)
		}
	}
}

// inquire asks now.
func (l *Loop) inquire(i *inquiry) {
	switch {
	case i.follows():
		select {
		case i.again <- struct{}{}:
			i.asked++
		default: // it is about to
		}
	case i.running:
		i.stale = true
	default:
		i.running, i.stale = true, false
		ctx, q := l.ctx, i.Question
		l.work.Go(func() { l.external <- l.outside.Ask(ctx, q) })
	}
}

// ask asks everybody again.
func (l *Loop) ask() {
	for _, i := range l.inquiries {
		l.inquire(i)
	}
}

// asking says whether an answer is still to come.
func (l *Loop) asking() bool {
	for _, i := range l.inquiries {
		if i.owes() {
			return true
		}
	}
	return false
}

// askDue asks those whose time has come, and returns when the next one's comes.
func (l *Loop) askDue(now time.Time) (next time.Time) {
	for _, i := range l.inquiries {
		if i.running || i.next.IsZero() {
			continue
		}
		if !i.next.After(now) {
			i.next = time.Time{}
			l.inquire(i)
		} else if next.IsZero() || i.next.Before(next) {
			next = i.next
		}
	}
	return next
}

// answered takes an answer. One that nobody waits for any more is dropped.
func (l *Loop) answered(x address.External) {
	i := l.inquiries[x.Place]
	if i == nil {
		return
	}
	again := false
	if i.follows() {
		i.answered = x.Round
	} else {
		i.running, again = false, i.stale
		i.fails++
		if x.Err == nil {
			i.fails = 0
		}
	}
	text := ""
	switch {
	case x.Err != nil:
		text = x.Err.Error()
	case i.follows() && len(x.Addrs) > 0:
		text = address.Behind(x.Addrs[0], i.Source.AllowPrivate)
	}
	if text != i.said && text != "" && l.ctx.Err() == nil {
		l.log.Warnf("%s: %s", i.Source.Name, text)
	}
	i.said = text
	if x.Events && !i.events {
		l.log.Debugf("%s: %v announces changes", i.Source.Name, i.Gateway)
	}
	i.events = x.Events
	l.set.Put(x)
	l.decide()
	l.follow()
	if again {
		l.inquire(i)
	} else if !i.follows() && (i.Poll || i.fails > 0) {
		i.next = time.Now().Add(askEvery)
		if i.fails > 0 {
			i.next = time.Now().Add(double(askFailed, i.fails, askEvery))
		}
	}
}
