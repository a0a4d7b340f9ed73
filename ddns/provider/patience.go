package provider

import (
	"context"
	"sync"
	"time"
)

// patience is a context that ends after a time, as context.WithTimeout makes
// one, but sets its clock only when somebody waits for its end. A new timer
// wakes another thread of the runtime, which on a router's single core comes
// before the first packet leaves.
type patience struct {
	context.Context
	cancel   context.CancelCauseFunc
	deadline time.Time
	once     sync.Once
	timer    *time.Timer
}

// withPatience returns a context that ends after d. release must be called.
func withPatience(ctx context.Context, d time.Duration) (p *patience, release func()) {
	p = &patience{deadline: time.Now().Add(d)}
	p.Context, p.cancel = context.WithCancelCause(ctx)
	return p, func() {
		p.once.Do(func() {})
		if p.timer != nil {
			p.timer.Stop()
		}
		p.cancel(context.Canceled)
	}
}

// Deadline returns the end of the time, or that of the parent if that is earlier.
func (p *patience) Deadline() (time.Time, bool) {
	if d, ok := p.Context.Deadline(); ok && d.Before(p.deadline) {
		return d, true
	}
	return p.deadline, true
}

// Done sets the clock.
func (p *patience) Done() <-chan struct{} {
	p.once.Do(func() {
		p.timer = time.AfterFunc(time.Until(p.deadline), func() { p.cancel(context.DeadlineExceeded) })
	})
	return p.Context.Done()
}

// Err tells the end of the time from a cancellation.
func (p *patience) Err() error {
	err := p.Context.Err()
	if err != nil && context.Cause(p.Context) == context.DeadlineExceeded {
		return context.DeadlineExceeded
	}
	return err
}
