package lab

import (
	"context"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// Instant is a reading of CLOCK_MONOTONIC in nanoseconds; readings of
// different processes of one machine compare.
type Instant int64

// Now reads CLOCK_MONOTONIC.
func Now() Instant {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic(err) // cannot fail: the clock exists and the address is good
	}
	return Instant(ts.Nano())
}

// feed is a list that only grows and that can be waited on.
type feed[T any] struct {
	mu      sync.Mutex
	items   []T
	changed chan struct{} // closed at the next add; nil while nobody waits
}

func (f *feed[T]) add(v T) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.items = append(f.items, v)
	if f.changed != nil {
		close(f.changed)
		f.changed = nil
	}
}

// from returns the items from index i on, and what is closed when more come.
func (f *feed[T]) from(i int) ([]T, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.changed == nil {
		f.changed = make(chan struct{})
	}
	return slices.Clone(f.items[min(i, len(f.items)):]), f.changed
}

func (f *feed[T]) all() []T {
	items, _ := f.from(0)
	return items
}

func (f *feed[T]) len() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.items)
}

// wait returns the index of the first item at i or later that matches; over
// ends the wait early when it is closed.
func (f *feed[T]) wait(ctx context.Context, i int, over <-chan struct{}, match func(T) bool) (int, T, error) {
	for {
		var ended bool
		select {
		case <-over:
			ended = true // before the look, so that the last item is seen
		default:
		}
		items, changed := f.from(i)
		for n, v := range items {
			if match(v) {
				return i + n, v, nil
			}
		}
		i += len(items)
		var zero T
		if ended {
			return 0, zero, errOver
		}
		select {
		case <-changed:
		case <-over:
		case <-ctx.Done():
			return 0, zero, ctx.Err()
		}
	}
}
