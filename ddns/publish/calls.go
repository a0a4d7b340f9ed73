package publish

import (
	"context"
	"errors"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/address"
	"github.com/wanbeacon/wanbeacon/netwatch"
)

// errStopped answers a call that comes after the loop has ended.
var errStopped = errors.New("the daemon is stopping")

// call runs f in the loop's goroutine and waits for it.
func (l *Loop) call(ctx context.Context, f func()) error {
	done := make(chan struct{})
	select {
	case l.calls <- func() { f(); close(done) }:
		<-done
		return nil
	case <-ctx.Done():
		return errStopped
	}
}

// Status tells about every record and alias and every source's answer.
func (l *Loop) Status(ctx context.Context) (records []RecordStatus, aliases []AliasStatus, answers []address.Answer, err error) {
	err = l.call(ctx, func() {
		records, answers = l.core.Status(time.Now())
		aliases = l.core.aliasStatus()
	})
	return records, aliases, answers, err
}

// Update asks for a request now, see [Core.Demand], and waits until the named
// records have been tried or ctx ends.
func (l *Loop) Update(ctx context.Context, hosts []string, force bool) (unknown []string, err error) {
	tried := make(chan struct{})
	err = l.call(ctx, func() {
		unknown = l.core.Demand(time.Now(), hosts, force)
		l.ask()
		l.waiters = append(l.waiters, waiter{
			holds: func() bool { return !l.asking() && l.core.Settled(hosts, false) },
			done:  tried,
		})
	})
	if err != nil || len(unknown) > 0 {
		return unknown, err
	}
	select {
	case <-tried:
	case <-ctx.Done():
	}
	return nil, nil
}

// Reload replaces the configuration. Records that are the same in both are
// not touched.
func (l *Loop) Reload(ctx context.Context, plan Plan) error {
	return l.call(ctx, func() {
		set := address.NewSet(plan.Sources)
		set.Inherit(l.set)
		l.set, l.plan, l.outside = set, plan, plan.Outside
		l.followNetworks()
		l.core.Verify(plan.Verify)
		l.core.Configure(time.Now(), plan.Records, plan.Accounts, nil)
		l.core.SetAliases(time.Now(), plan.Aliases, nil)
		l.decide()
		l.follow()
	})
}

// Explain tells about every address that was considered.
func (l *Loop) Explain(ctx context.Context) (snap *netwatch.Snapshot, list map[string][]address.Candidate, answers []address.Answer, err error) {
	err = l.call(ctx, func() {
		if snap = l.snap; snap != nil {
			list, answers = l.set.Explain(snap)
		}
	})
	return snap, list, answers, err
}
