package publish

import (
	"context"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/json"
)

// Messenger takes events to the user, one way of [notify].
type Messenger struct {
	Name    string // for the log: the program, or the host of the URL
	Deliver func(ctx context.Context, message []byte) error
}

// A message that cannot be delivered is tried again after these waits: what is
// wrong is often the very network that the event is about.
var notifyAgain = []time.Duration{5 * time.Second, time.Minute, 10 * time.Minute}

const (
	notifyTimeout = 30 * time.Second
	maxMessages   = 16 // under way; more than that would be a flood
)

// notify takes an event to the user, beside everything else.
func (l *Loop) notify(e Event) {
	text, err := json.Marshal(e)
	if err != nil {
		l.log.Errorf("notify: %v", err)
		return
	}
	for _, m := range l.plan.Messengers {
		select {
		case l.messages <- struct{}{}:
		default:
			l.log.Warnf("notify %s: %d messages are waiting; not sent: %s", m.Name, maxMessages, e.Message)
			continue
		}
		l.work.Go(func() {
			defer func() { <-l.messages }()
			l.deliver(m, text)
		})
	}
}

func (l *Loop) deliver(m Messenger, text []byte) {
	for try := 0; ; try++ {
		ctx, cancel := context.WithTimeout(l.ctx, notifyTimeout)
		err := m.Deliver(ctx, text)
		cancel()
		switch {
		case err == nil || l.ctx.Err() != nil:
			return
		case try == len(notifyAgain):
			l.log.Warnf("notify %s: %v; given up", m.Name, err)
			return
		}
		l.log.Warnf("notify %s: %v; next attempt in %s", m.Name, err, short(notifyAgain[try]))
		timer := time.NewTimer(notifyAgain[try])
		select {
		case <-timer.C:
		case <-l.ctx.Done():
			timer.Stop()
			return
		}
	}
}
