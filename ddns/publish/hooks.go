package publish

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/program"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

const (
	hookTimeout   = 30 * time.Second
	removeTimeout = 4 * time.Second // procd kills after 5 s
)

// changed runs a record's on_change program, by argv, with the facts in its
// environment. It delays nothing and is killed after 30 s.
func (l *Loop) changed(c Change) {
	if len(c.OnChange) == 0 {
		return
	}
	l.work.Go(func() {
		ctx, cancel := context.WithTimeout(l.ctx, hookTimeout)
		defer cancel()
		_, complaint, err := program.Run(ctx, c.OnChange, append(os.Environ(),
			"WANBEACON_HOSTNAME="+c.Hostname,
			"WANBEACON_FAMILY="+c.Family.String(),
			"WANBEACON_ADDRESS="+c.New.String(),
			"WANBEACON_OLD_ADDRESS="+c.Old.String(),
			"WANBEACON_PROVIDER="+c.Provider), nil)
		if err != nil && l.ctx.Err() == nil {
			first, _, _ := strings.Cut(strings.TrimSpace(string(complaint)), "\n")
			l.log.Warnf("%s: on_change %s: %v %.200q", c.Hostname, c.OnChange[0], err, first)
		}
	})
}

// removeOnExit takes away the published records that ask for it.
func (l *Loop) removeOnExit() {
	ctx, cancel := context.WithTimeout(context.Background(), removeTimeout)
	defer cancel()
	jobs := l.core.Removals(time.Now())
	if len(jobs) == 0 {
		return
	}
	type answer struct {
		job      *Job
		outcomes []provider.Outcome
	}
	answers := make(chan answer)
	for _, j := range jobs {
		go func() { answers <- answer{j, j.Provider.Remove(ctx, j.Origin, j.Updates)} }()
	}
	for range jobs {
		a := <-answers
		l.core.Removed(a.job, a.outcomes)
	}
	if records, changed := l.core.Saved(); changed && l.store != nil {
		if err := l.store.Save(records); err != nil {
			l.log.Warnf("%v", err)
		}
	}
}
