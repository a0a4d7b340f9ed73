package provider

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithCancel(t.Context())
		p, release := withPatience(parent, time.Minute)
		start := time.Now()
		if d, ok := p.Deadline(); !ok || d.Sub(start) != time.Minute {
			t.Error(d, ok)
		}
		time.Sleep(20 * time.Second) // before anybody waits
		child, stop := context.WithCancel(p)
		<-child.Done()
		if d := time.Since(start); d != time.Minute || p.Err() != context.DeadlineExceeded {
			t.Error(d, p.Err())
		}
		stop()
		release()

		p, release = withPatience(parent, time.Minute)
		cancel()
		<-p.Done()
		if p.Err() != context.Canceled {
			t.Error(p.Err())
		}
		release()

		p, release = withPatience(t.Context(), time.Minute)
		release()
		<-p.Done()
		if p.Err() != context.Canceled {
			t.Error(p.Err())
		}
	})
}
