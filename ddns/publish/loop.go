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
	"github.com/wanbeacon/wanbeacon/ddns/witness"
	"github.com/wanbeacon/wanbeacon/netwatch"
)

// Plan is a configuration in the terms of this package.
type Plan struct {
	Sources  []config.Source
	Records  []Record
	Accounts []Account
	Verify   config.Verify
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

	calls    chan func()
	results  chan result
	checks   chan checked
	external chan address.External
	asking   map[string]bool // programs that run; true: to be run again
	asked    time.Time

	waiters  []waiter
	verifier Verifier // nil: the DNS is not looked at

	ctx     context.Context
	cancels map[*Job]context.CancelFunc
	work    sync.WaitGroup // requests and hooks under way
	saver   saver
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
}

// checked is a check that has been made.
type checked struct {
	check *Check
	facts *witness.Facts
}

// askEvery is how often the program of a `command` source is asked while the
// network stays the same: what it sees outside the router sends no events.
const askEvery = 10 * time.Minute

// NewLoop prepares a loop over the snapshots of a watcher. saved is what the
// store held.
func NewLoop(log Logger, store *Store, saved []Saved, plan Plan, snapshots <-chan *netwatch.Snapshot) *Loop {
	l := &Loop{
		log: log, store: store, snapshots: snapshots,
		core: NewCore(log, rand.Float64), set: address.NewSet(plan.Sources), plan: plan,
		said:     map[answerKey]netip.Addr{},
		lost:     map[answerKey]time.Time{},
		calls:    make(chan func()),
		results:  make(chan result),
		checks:   make(chan checked),
		external: make(chan address.External),
		asking:   map[string]bool{},
		cancels:  map[*Job]context.CancelFunc{},
		saver:    saver{store: store, log: log},
	}
	for source, addrs := range Taken(plan.Records, saved) {
		for _, a := range addrs {
			l.set.Remember(source, a)
		}
	}
	l.core.Verify(plan.Verify)
	l.core.Configure(time.Now(), plan.Records, plan.Accounts, saved)
	return l
}

// Witness makes the loop look at the DNS with v. To be called before Run.
func (l *Loop) Witness(v Verifier) { l.verifier = v }

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
	l.run(ctx, func() bool { return l.snap != nil && len(l.asking) == 0 && l.core.Settled(nil, true) })
	return !l.core.Failed()
}

func (l *Loop) run(ctx context.Context, finished func() bool) {
	var cancel context.CancelFunc
	l.ctx, cancel = context.WithCancel(ctx)
	l.saver.start()
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
		case f := <-l.calls:
			f()
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		l.step(timer)
	}
}

// drain waits for what is under way; everything has been cancelled.
func (l *Loop) drain() {
	for j := range l.cancels {
		j.stale = true
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
	first := l.snap == nil
	l.snap = snap
	before := l.core.answers
	l.decide()
	if first || moved(before, l.core.answers) {
		l.ask()
	}
}

// decide brings the sources' answers up to date and starts what is due.
func (l *Loop) decide() {
	if l.snap == nil {
		return
	}
	now := time.Now()
	for _, j := range l.core.Observe(now, l.set.Answers(l.snap)) {
		l.cancels[j]()
	}
	l.send(now)
}

// moved says whether any source's way out has changed.
func moved(a, b []address.Answer) bool {
	if len(a) != len(b) {
		return true
	}
	for i := range a {
		if a[i].Path != b[i].Path {
			return true
		}
	}
	return false
}

func (l *Loop) send(now time.Time) {
	jobs := l.core.Due(now)
	for _, j := range jobs {
		ctx, cancel := context.WithCancel(l.ctx)
		l.cancels[j] = cancel
		l.work.Go(func() {
			l.results <- result{j, j.Provider.Send(ctx, j.Origin, j.Updates)}
		})
	}
	if len(jobs) > 0 {
		// The request goes first, on this thread: waking another one for it,
		// and the log, would delay its first byte.
		runtime.Gosched()
	}
}

// step starts what has become due, saves, and sets the timer for what comes.
func (l *Loop) step(timer *time.Timer) {
	now := time.Now()
	l.send(now)
	l.save()
	l.waiters = slices.DeleteFunc(l.waiters, func(w waiter) bool {
		if w.holds() {
			close(w.done)
			return true
		}
		return false
	})
	next := sooner(l.core.Next(now), sooner(l.tell(now), l.look(now)))
	if l.polls() {
		at := l.asked.Add(askEvery)
		if !at.After(now) {
			l.ask()
			at = l.asked.Add(askEvery)
		}
		next = sooner(next, at)
	}
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
	l.cancels[r.job]()
	delete(l.cancels, r.job)
	for _, c := range l.core.Finish(time.Now(), r.job, r.outcomes) {
		l.changed(c)
	}
	if len(l.cancels) == 0 {
		go giveBack()
	}
}

// keep is how much memory stays for the next request when all is quiet: pages
// given back are slow to get again on the way from event to request.
const keep = 2 << 20

// giveBack returns what the first TLS exchange, or many of any kind, leave
// behind: megabytes that a router can use.
func giveBack() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.HeapSys-m.HeapReleased > keep {
		debug.FreeOSMemory()
	}
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
		if told && was == a.Addr || !l.used(k) {
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
		if r.Enabled && r.Source == k.source && r.Family == k.family {
			return true
		}
	}
	return false
}

// ask runs the programs of the sources that have one.
func (l *Loop) ask() {
	l.asked = time.Now()
	for _, s := range l.plan.Sources {
		if s.Method != "command" {
			continue
		}
		if _, running := l.asking[s.Name]; running {
			l.asking[s.Name] = true
			continue
		}
		l.asking[s.Name] = false
		l.work.Go(func() { l.external <- address.Ask(l.ctx, s.Name, s.Command) })
	}
}

func (l *Loop) polls() bool {
	for _, s := range l.plan.Sources {
		if s.Method == "command" {
			return true
		}
	}
	return false
}

func (l *Loop) answered(x address.External) {
	again := l.asking[x.Source]
	delete(l.asking, x.Source)
	if x.Err != nil && l.ctx.Err() == nil {
		l.log.Warnf("%s: %v", x.Source, x.Err)
	}
	l.set.Put(x)
	l.decide()
	if again {
		l.ask()
	}
}
