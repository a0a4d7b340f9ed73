package publish

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/address"
	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
	"github.com/wanbeacon/wanbeacon/ddns/ubus"
	"github.com/wanbeacon/wanbeacon/ddns/witness"
	"github.com/wanbeacon/wanbeacon/netwatch"
)

// Plan is a configuration in the terms of this package.
type Plan struct {
	Sources  []config.Source
	Records  []Record
	Accounts []Account
	Aliases  []Alias

	Messengers []Messenger
	Outside    Outside // nil: only the kernel is asked
	Verify     config.Verify
	Verifier   Verifier // nil: the DNS is not looked at
}

// Verifier looks at the DNS.
type Verifier interface {
	// Verify makes a check; it ends soon after ctx does.
	Verify(context.Context, *Check) *witness.Facts
}

// Loop runs the reconciler: it owns the Core and the sources.
type Loop struct {
	log       Logger
	store     *Store // nil: nothing is saved
	snapshots <-chan *netwatch.Snapshot

	core *Core
	set  *address.Set
	plan Plan
	snap *netwatch.Snapshot
	said map[answerKey]netip.Addr // what the log said last
	lost map[answerKey]time.Time  // since when an address is missing, the log not yet told

	messages chan struct{} // as many as are on their way to the user

	calls   chan func()
	results chan result
	checks  chan checked

	outside   Outside // nil: only the kernel is asked
	external  chan address.External
	inquiries map[address.Place]*inquiry
	networks  networks

	waiters []waiter

	ctx    context.Context
	flying []*Job         // requests under way
	idle   chan<- task    // of a worker that waits for the next request; nil: none does
	work   sync.WaitGroup // requests and hooks under way
	untidy int            // quiet moments since garbage was collected
	freeAt time.Time      // when memory goes back; zero: it has, or requests are under way
	saver  saver
}

type answerKey struct {
	source string
	family config.Family
}

// waiter is told when a condition on the loop's state holds.
type waiter struct {
	holds func() bool
	done  chan struct{}
}

type result struct {
	job      *Job
	outcomes []provider.Outcome
	worker   chan<- task // who made the request, and waits
}

// checked is a check that has been made.
type checked struct {
	check *Check
	facts *witness.Facts
}

// NewLoop prepares a loop over the snapshots of a watcher. saved is what the
// store held.
func NewLoop(log Logger, store *Store, saved []Saved, plan Plan, snapshots <-chan *netwatch.Snapshot) *Loop {
	l := &Loop{
		log: log, store: store, snapshots: snapshots,
		core: NewCore(log, rand.Float64), set: address.NewSet(plan.Sources), plan: plan,
		said:      map[answerKey]netip.Addr{},
		lost:      map[answerKey]time.Time{},
		messages:  make(chan struct{}, maxMessages),
		calls:     make(chan func()),
		results:   make(chan result),
		checks:    make(chan checked),
		outside:   plan.Outside,
		external:  make(chan address.External),
		inquiries: map[address.Place]*inquiry{},
		saver:     saver{store: store, log: log},
		networks:  networks{told: make(chan ubus.Networks)},
	}
	for source, addrs := range Taken(plan.Records, saved) {
		for _, a := range addrs {
			l.set.Remember(source, a)
		}
	}
	l.core.Verify(plan.Verify)
	l.core.Configure(time.Now(), plan.Records, plan.Accounts, saved)
	l.core.SetAliases(time.Now(), plan.Aliases, saved)
	return l
}

// Run publishes until ctx ends, then takes away the records that ask for it.
// It returns within a second, or a few if records are to be removed.
func (l *Loop) Run(ctx context.Context) {
	l.run(ctx, func() bool { return false })
	l.removeOnExit()
}

// Once publishes what is due, waits for the answers and returns. It reports
// whether every record is as wanted; one without an address waits and counts
// as such.
func (l *Loop) Once(ctx context.Context) bool {
	l.run(ctx, func() bool { return l.snap != nil && !l.asking() && l.networks.known() && l.core.Settled(nil, true) })
	return !l.core.Failed()
}

func (l *Loop) run(ctx context.Context, finished func() bool) {
	var cancel context.CancelFunc
	l.ctx, cancel = context.WithCancel(ctx)
	l.saver.start()
	l.followNetworks()
	defer func() {
		cancel()
		l.drain()
		l.save()
		l.saver.stop()
	}()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for !finished() {
		select {
		case snap, ok := <-l.snapshots:
			if !ok {
				l.log.Errorf("lost the kernel's events for good; stopping")
				return
			}
			l.observe(snap)
		case r := <-l.results:
			l.finish(r)
		case k := <-l.checks:
			l.core.Checked(time.Now(), k.check, k.facts)
		case x := <-l.external:
			l.answered(x)
		case n := <-l.networks.told:
			l.onNetworks(n)
		case f := <-l.calls:
			f()
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		l.step(timer)
	}
}

// drain cancels what is under way, and waits for it.
func (l *Loop) drain() {
	for _, j := range l.flying {
		j.stale = true
		j.cancel()
	}
	if l.idle != nil {
		close(l.idle)
		l.idle = nil
	}
	done := make(chan struct{})
	go func() { l.work.Wait(); close(done) }()
	for {
		select {
		case r := <-l.results:
			l.finish(r)
		case <-l.external:
		case <-l.checks:
		case <-done:
			return
		}
	}
}

// observe is the path from the kernel's event to the request: nothing slow
// belongs here.
func (l *Loop) observe(snap *netwatch.Snapshot) {
	l.snap = snap
	l.decide()
	l.follow()
}

// decide brings the sources' answers up to date and starts what is due.
func (l *Loop) decide() {
	if l.snap == nil {
		return
	}
	now := time.Now()
	for _, j := range l.core.Observe(now, l.set.Answers(l.snap)) {
		j.cancel()
	}
	l.send(now)
}

func (l *Loop) send(now time.Time) {
	jobs := l.core.Due(now)
	for _, j := range jobs {
		var ctx context.Context
		ctx, j.cancel = context.WithCancel(context.Background()) // drain ends it
		l.flying = append(l.flying, j)
		l.begin(task{j, ctx})
	}
	if len(jobs) > 0 {
		l.freeAt = time.Time{}
		// The request goes first, on this thread: waking another one for it,
		// and the log, would delay its first byte.
		runtime.Gosched()
	}
}

// run makes the request.
func (j *Job) run(ctx context.Context) []provider.Outcome {
	if j.Target == "" {
		return j.Provider.Send(ctx, j.Origin, j.Updates)
	}
	return []provider.Outcome{j.Provider.(CNAMEWriter).SetCNAME(ctx, j.Origin, j.Hostname, j.Target, j.TTL)}
}

// step starts what has become due, saves, and sets the timer for what comes.
func (l *Loop) step(timer *time.Timer) {
	now := time.Now()
	l.send(now)
	l.save()
	for _, e := range l.core.Events() {
		l.notify(e)
	}
	l.free(now)
	l.waiters = slices.DeleteFunc(l.waiters, func(w waiter) bool {
		if w.holds() {
			close(w.done)
			return true
		}
		return false
	})
	next := sooner(sooner(l.core.Next(now), l.freeAt), sooner(l.tell(now), sooner(l.look(now), l.askDue(now))))
	if next.IsZero() {
		timer.Stop()
		return
	}
	timer.Reset(next.Sub(now))
}

// sooner is the earlier of two times, of which a zero one never comes.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func (l *Loop) finish(r result) {
	l.rest(r.worker)
	r.job.cancel()
	for i, j := range l.flying {
		if j == r.job {
			l.flying = append(l.flying[:i], l.flying[i+1:]...)
			break
		}
	}
	now := time.Now()
	for _, c := range l.core.Finish(now, r.job, r.outcomes) {
		l.changed(c)
	}
	if len(l.flying) > 0 {
		return
	}
	l.freeAt = now.Add(freeAfter)
	if l.untidy++; l.untidy >= tidyEvery {
		l.untidy = 0
		go runtime.GC()
	}
}

// Memory that has been used before is there at once; what is new the kernel
// must find and clear, a page at a time, on the way to the first byte. So while
// requests follow each other, garbage is collected when all is quiet, after
// every fourth: the collector itself takes from the next request what it
// allocates from. When none has followed for freeAfter, all that is not in use
// goes back to the router, and Go's own periodic collection finds nothing to do.
const (
	tidyEvery = 4
	freeAfter = 5 * time.Second
)

// free gives unused memory back when it is time.
func (l *Loop) free(now time.Time) {
	if l.freeAt.IsZero() || l.freeAt.After(now) {
		return
	}
	l.freeAt, l.untidy = time.Time{}, 0
	go debug.FreeOSMemory()
}

func (l *Loop) save() {
	if records, changed := l.core.Saved(); changed {
		l.saver.save(records)
	}
}

// lossAfter is how long an address must be missing before the log says so: a
// renewal takes it away for a moment.
const lossAfter = 2 * time.Second

// tell logs each source's answer that has changed and that a record uses, and
// returns when it has more to say.
func (l *Loop) tell(now time.Time) (next time.Time) {
	for _, a := range l.core.answers {
		k := answerKey{a.Source, a.Family}
		was, told := l.said[k]
		if told && was == a.Addr || a.Untold || !l.used(k) {
			delete(l.lost, k)
			continue
		}
		if told && !a.Addr.IsValid() {
			since, waiting := l.lost[k]
			if !waiting {
				since = now
				l.lost[k] = now
			}
			if at := since.Add(lossAfter); at.After(now) {
				if next.IsZero() || at.Before(next) {
					next = at
				}
				continue
			}
		}
		delete(l.lost, k)
		l.said[k] = a.Addr
		on := ""
		if a.Interface != "" {
			on = " on " + a.Interface
		}
		if a.By != "" {
			on = ", found by " + a.By
			if a.Announced {
				on = ", announced by " + a.By
			}
		}
		switch {
		case !a.Addr.IsValid() && told:
			l.log.Infof("%s: %v has no address now: %s (was %v)", a.Source, a.Family, a.Note, was)
		case !a.Addr.IsValid():
			l.log.Infof("%s: %v has no address yet: %s", a.Source, a.Family, a.Note)
		case told && was.IsValid():
			l.log.Infof("%s: %v %v%s (was %v)", a.Source, a.Family, a.Addr, on, was)
		default:
			l.log.Infof("%s: %v %v%s", a.Source, a.Family, a.Addr, on)
		}
	}
	return next
}

func (l *Loop) used(k answerKey) bool {
	for _, r := range l.plan.Records {
		if r.Enabled && r.Family == k.family && (r.Source == k.source || slices.Contains(r.Fallbacks, k.source)) {
			return true
		}
	}
	return false
}
