package provider

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// patience is a context that ends after a time, as context.WithTimeout makes
// one, but comes to life only when somebody waits for its end. A new timer
// wakes another thread of the runtime, which on a router's single core comes
// before the first packet leaves.
type patience struct {
	parent   context.Context
	deadline time.Time
	once     sync.Once
	alive    atomic.Pointer[living]
}

// living is what waiting for the end needs.
type living struct {
	context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

// withPatience returns a context that ends after d. release must be called.
func withPatience(ctx context.Context, d time.Duration) (p *patience, release func()) {
	p = &patience{parent: ctx, deadline: time.Now().Add(d)}
	return p, p.release
}

func (p *patience) release() {
	l := p.life()
	l.timer.Stop()
	l.cancel(context.Canceled)
}

// life begins it if it has not begun.
func (p *patience) life() *living {
	p.once.Do(func() {
		l := new(living)
		l.Context, l.cancel = context.WithCancelCause(p.parent)
		l.timer = time.AfterFunc(time.Until(p.deadline), func() { l.cancel(context.DeadlineExceeded) })
		p.alive.Store(l)
	})
	return p.alive.Load()
}

// now is the context that stands for it at this moment.
func (p *patience) now() context.Context {
	if l := p.alive.Load(); l != nil {
		return l
	}
	return p.parent
}

// Deadline returns the end of the time, or that of the parent if that is earlier.
func (p *patience) Deadline() (time.Time, bool) {
	if d, ok := p.parent.Deadline(); ok && d.Before(p.deadline) {
		return d, true
	}
	return p.deadline, true
}

// Done sets the clock.
func (p *patience) Done() <-chan struct{} { return p.life().Done() }

// Value is the parent's.
func (p *patience) Value(key any) any { return p.now().Value(key) }

// Err tells the end of the time from a cancellation.
func (p *patience) Err() error {
	c := p.now()
	err := c.Err()
	if err != nil && context.Cause(c) == context.DeadlineExceeded {
		return context.DeadlineExceeded
	}
	return err
}
