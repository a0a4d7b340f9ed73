package publish

import (
	"context"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/witness"
)

// look starts the checks that are due, after the requests, and returns when
// the next one is.
func (l *Loop) look(now time.Time) time.Time {
	v := l.plan.Verifier
	if v == nil {
		return time.Time{}
	}
	for _, k := range l.core.Checks(now) {
		l.work.Go(func() {
			l.checks <- checked{k, v.Verify(l.ctx, k)}
		})
	}
	return l.core.NextCheck(now)
}

// Finding is what a check at the user's request found about one record.
type Finding struct {
	Subject
	Facts   *witness.Facts // nil: there was nothing to look for
	Verdict witness.Verdict
	Note    string
	Took    time.Duration
}

// Look checks the records of the named hosts from the root down, all if none
// is named, and returns when all are done. The hosts that no record has are
// returned.
func (l *Loop) Look(ctx context.Context, hosts []string) (findings []Finding, unknown []string, err error) {
	var subjects []Subject
	var v Verifier
	err = l.call(ctx, func() {
		v = l.plan.Verifier
		subjects, unknown = l.core.Subjects(time.Now(), hosts)
	})
	if err != nil || len(unknown) > 0 {
		return nil, unknown, err
	}
	findings = LookAt(ctx, v, subjects)
	for _, f := range findings {
		if f.Facts != nil && ctx.Err() == nil {
			err = l.call(ctx, func() { l.core.Told(time.Now(), f.Subject, f.Facts) })
		}
	}
	return findings, nil, err
}

// LookAt checks subjects, some at a time.
func LookAt(ctx context.Context, v Verifier, subjects []Subject) []Finding {
	findings := make([]Finding, len(subjects))
	slots := make(chan struct{}, maxChecks)
	done := make(chan struct{})
	for i, s := range subjects {
		findings[i] = Finding{Subject: s}
		go func() {
			defer func() { done <- struct{}{} }()
			slots <- struct{}{}
			defer func() { <-slots }()
			f := &findings[i]
			x := s.Check.Expected
			if v != nil && x.Want != "" && x.Unverifiable == "" {
				start := time.Now()
				f.Facts = v.Verify(ctx, s.Check)
				f.Took = time.Since(start)
			}
			facts := f.Facts
			if facts == nil {
				facts = &witness.Facts{}
			}
			f.Verdict, f.Note = witness.Judge(facts, x)
		}()
	}
	for range subjects {
		<-done
	}
	return findings
}

// LookAlone checks the records of the named hosts, all if none is named, by
// what was saved, without a loop. The hosts that no record has are returned.
func LookAlone(ctx context.Context, plan Plan, saved []Saved, hosts []string) (findings []Finding, unknown []string) {
	c := NewCore(nil, nil)
	c.Verify(plan.Verify)
	c.Configure(time.Now(), plan.Records, plan.Accounts, saved)
	subjects, unknown := c.Subjects(time.Now(), hosts)
	if len(unknown) > 0 {
		return nil, unknown
	}
	return LookAt(ctx, plan.Verifier, subjects), nil
}
