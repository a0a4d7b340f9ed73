package publish

import "context"

// task is a request to be made.
type task struct {
	job *Job
	ctx context.Context
}

// begin gives a task to the worker that waits, or to a new one.
func (l *Loop) begin(t task) {
	w := l.idle
	if l.idle = nil; w == nil {
		tasks := make(chan task, 1)
		l.work.Go(func() { l.worker(tasks) })
		w = tasks
	}
	w <- t
}

// rest keeps one worker waiting for the next request; others end.
func (l *Loop) rest(w chan<- task) {
	if l.idle == nil && l.ctx.Err() == nil {
		l.idle = w
		return
	}
	close(w)
}

// worker makes requests, one after the other. A new goroutine would do for
// each, but its stack would have to grow on the way to the first byte, and all
// that it holds be copied each time. Room keeps the stack large: the collector
// halves one of which less than a quarter is in use.
func (l *Loop) worker(tasks chan task) {
	var room [6 << 10]byte
	for t := range tasks {
		outcomes := t.job.run(t.ctx)
		l.results <- result{t.job, outcomes, tasks}
	}
	use(&room)
}

//go:noinline
func use(*[6 << 10]byte) {}
