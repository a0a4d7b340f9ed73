package publish

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// TestWhatWasTriedIsOurs: of several addresses, those that a request which
// failed may have written are told as ours until a request succeeds, over a
// restart too, and even if what is wanted is again what was published.
func TestWhatWasTriedIsOurs(t *testing.T) {
	for _, c := range []struct {
		name    string
		outcome provider.Outcome
		tried   bool
	}{
		{"it failed halfway", provider.Outcome{Class: provider.ServerError, Sent: true, Partly: true}, true},
		{"it was refused halfway", provider.Outcome{Class: provider.BadAuth, Sent: true, Partly: true}, true},
		{"no reply came", provider.Outcome{Class: provider.Network, Sent: true}, true},
		{"it failed before anything was written", provider.Outcome{Class: provider.ServerError, Sent: true}, false},
		{"it never left", provider.Outcome{Class: provider.Network}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
			core, e := everywhere(t, now, savedSet(now.Add(-time.Hour), "W"))
			core.Saved()
			core.Observe(now, links("WL-"))
			jobs := core.Due(now)
			if len(jobs) != 1 || !slices.Equal(jobs[0].Updates[0].Published, setOf("W").All()) {
				t.Fatalf("%+v", jobs)
			}
			core.Finish(now, jobs[0], []provider.Outcome{c.outcome})
			saved, changed := core.Saved()
			if changed != c.tried || changed && !slices.Equal(saved[0].Tried, setOf("WL").All()) {
				t.Errorf("saved %+v", saved)
			}

			// The other line is gone again: there is something to be mended only
			// if its address may be there.
			for range 2 {
				now = now.Add(time.Hour)
				core.Demand(now, nil, e.blocked)
				core.Observe(now, links("W--"))
				now = now.Add(2 * failback) // longer than a line that has just come may take
				core.Observe(now, links("W--"))
				jobs = core.Due(now)
				if !c.tried && !core.entries[0].forced {
					if len(jobs) != 0 {
						t.Errorf("sent: %+v", jobs[0].Updates)
					}
					return
				}
				if len(jobs) != 1 {
					t.Fatalf("%d requests", len(jobs))
				}
				u := jobs[0].Updates[0]
				if u.Addr != ip("8.8.8.1") || u.More != nil || !slices.Equal(u.Published, setOf("WL").All()) {
					t.Errorf("%+v", u)
				}
				if core, e = everywhere(t, now, saved); e.tried.String() != "8.8.8.1 8.8.8.2" { // a restart
					t.Errorf("after the restart: tried %v", e.tried)
				}
			}
			core.Observe(now, links("W--"))
			now = now.Add(2 * failback)
			core.Observe(now, links("W--"))
			jobs = core.Due(now)
			core.Finish(now, jobs[0], []provider.Outcome{good("good")})
			if saved, changed = core.Saved(); !changed || saved[0].Tried != nil || saved[0].Address != ip("8.8.8.1") {
				t.Errorf("saved at last %+v", saved)
			}
			if jobs = core.Due(now.Add(time.Hour)); len(jobs) != 0 {
				t.Errorf("sent again: %+v", jobs[0].Updates)
			}
		})
	}
}

// TestWhatWasTriedIsRemoved: remove_on_exit takes it away too.
func TestWhatWasTriedIsRemoved(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	saved := savedSet(now.Add(-time.Hour), "W")
	saved[0].Tried = []netip.Addr{ip("8.8.8.3"), ip("8.8.8.1")}
	core, e := everywhere(t, now, saved)
	e.RemoveOnExit = true
	jobs := core.Removals(now)
	if u := jobs[0].Updates[0]; !slices.Equal(append([]netip.Addr{u.Addr}, u.More...), setOf("WS").All()) {
		t.Errorf("%+v", u)
	}
}
