package publish

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/address"
	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/dns"
	"github.com/wanbeacon/wanbeacon/ddns/internal/dnsworld"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
	"github.com/wanbeacon/wanbeacon/ddns/witness"
)

// lines are a core with a published record of two sources, each with a device,
// and what answers through them.
type lines struct {
	t    *testing.T
	core *Core
	e    *entry
	log  *quiet
	now  time.Time
	up   []address.Answer
	dead map[string]bool // by device
	via  []string        // devices of the checks
}

func newLines(t *testing.T, all bool) *lines {
	n := &lines{t: t, log: new(quiet), now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC), dead: map[string]bool{}}
	n.up = links("WL")
	n.up[0].Interface, n.up[1].Interface = "wan0", "lte0"
	n.core = NewCore(n.log, func() float64 { return 0.5 })
	n.core.Verify(config.Verify{Enabled: true, Interval: 10 * time.Minute, Roots: dnsworld.Roots})
	r := Record{Key: Key{"home.example.org", "p", config.IPv4}, Source: "wan", Fallbacks: []string{"lte"}, All: all, Enabled: true, Identity: "1"}
	n.core.Configure(n.now, []Record{r}, []Account{{Name: "p", Identity: "1", Provider: newSimProvider(t, newSimNet(), 1)}}, nil)
	n.e = n.core.entries[0]
	n.core.Observe(n.now, n.up)
	n.publish()
	return n
}

// publish makes the requests that are due.
func (n *lines) publish() {
	for _, j := range n.core.Due(n.now) {
		n.core.Finish(n.now, j, []provider.Outcome{good("good")})
	}
}

// silence is an Asker that gets no answers.
type silence struct{ witness.Asker }

func (silence) Ask(context.Context, netip.AddrPort, string, uint16) (*dns.Message, error) {
	return nil, dnsworld.ErrSilent
}

// pass lets time pass, with all that becomes due.
func (n *lines) pass(d time.Duration) {
	n.t.Helper()
	end := n.now.Add(d)
	for range 1000 {
		n.publish()
		checks := n.core.Checks(n.now)
		for _, k := range checks {
			n.via = append(n.via, k.Origin.Device)
			w := dnsworld.Usual()
			w.Set("home.example.org A", strings.Fields(n.e.value()), dnsworld.Five...)
			var x witness.Asker = w
			if n.dead[k.Origin.Device] {
				x = silence{w}
			}
			n.core.Checked(n.now, k, k.Run(n.t.Context(), x))
		}
		if len(checks) > 0 {
			continue // there may be more at once
		}
		next := sooner(n.core.Next(n.now), n.core.NextCheck(n.now))
		if next.IsZero() || next.After(end) {
			n.now = end
			return
		}
		n.now = later(n.now, next)
	}
	n.t.Fatal("it never comes to rest")
}

// TestLineThatIsDeadFurtherOn: nothing is to be published, and nothing is sent
// but the checks, which tell.
func TestLineThatIsDeadFurtherOn(t *testing.T) {
	n := newLines(t, false)
	n.pass(time.Hour)
	if letters(n.e.published) != "W" || n.e.sight.verdict != witness.OK {
		t.Fatalf("published %s, %s %s", letters(n.e.published), n.e.sight.verdict, n.e.sight.note)
	}
	n.dead["wan0"] = true
	n.pass(11*time.Minute + failover)
	if letters(n.e.published) != "L" || n.e.source != "lte" {
		t.Errorf("published %s by %s\n%v", letters(n.e.published), n.e.source, n.log.lines)
	}
	if text := strings.Join(n.log.lines, "\n"); !strings.Contains(text, "warning: wan: nobody answers through wan0, but name servers do through lte0") ||
		strings.Contains(text, "unverifiable") {
		t.Error(text)
	}
	if n.pass(time.Minute); n.e.sight.verdict != witness.OK {
		t.Errorf("%s %s", n.e.sight.verdict, n.e.sight.note)
	}
}

// TestLineIsGoodAgain: while a line is dead it is asked once an interval, and
// nothing is sent through it; it takes back when it has answered for a minute.
func TestLineIsGoodAgain(t *testing.T) {
	for name, c := range map[string]struct {
		all        bool
		dead, good string // what is published
	}{"one": {false, "L", "W"}, "all": {true, "L", "WL"}} {
		t.Run(name, func(t *testing.T) {
			n := newLines(t, c.all)
			n.pass(time.Hour)
			n.dead["wan0"] = true
			n.pass(22*time.Minute + failover)
			n.via, n.log.lines = nil, nil
			n.pass(5 * time.Hour)
			count := map[string]int{}
			for _, d := range n.via {
				count[d]++
			}
			if letters(n.e.published) != c.dead || len(n.log.lines) != 0 || count["wan0"] < 25 || count["wan0"] > 35 || count["lte0"] > 45 {
				t.Errorf("published %s after %v checks\n%v", letters(n.e.published), count, n.log.lines)
			}
			n.dead["wan0"] = false
			before := n.now
			for !strings.Contains(strings.Join(n.log.lines, "\n"), "wan: name servers answer through wan0 again") && n.now.Sub(before) < 12*time.Minute {
				n.pass(time.Second)
			}
			if n.pass(failback - 2*time.Second); letters(n.e.published) != c.dead {
				t.Errorf("published %s within a minute\n%v", letters(n.e.published), n.log.lines)
			}
			if n.pass(3 * time.Second); letters(n.e.published) != c.good || n.e.sight.verdict == witness.Unverifiable {
				t.Errorf("published %s, %s\n%v", letters(n.e.published), n.e.sight.verdict, n.log.lines)
			}
			n.log.lines = nil
			if n.pass(2 * time.Hour); letters(n.e.published) != c.good || n.e.sight.verdict != witness.OK {
				t.Errorf("published %s, %s\n%v", letters(n.e.published), n.e.sight.verdict, n.log.lines)
			}
		})
	}
}

// TestBothLinesAreSilent: that is no reason to change lines; nor is a line
// where the DNS has been blocked from the beginning.
func TestBothLinesAreSilent(t *testing.T) {
	for name, c := range map[string]struct{ before, after []string }{
		"both":             {nil, []string{"wan0", "lte0"}},
		"DNS is blocked":   {[]string{"wan0"}, []string{"wan0"}},
		"the other one is": {nil, []string{"lte0"}},
	} {
		n := newLines(t, false)
		for _, d := range c.before {
			n.dead[d] = true
		}
		n.pass(time.Hour)
		for _, d := range c.after {
			n.dead[d] = true
		}
		if n.pass(3 * time.Hour); letters(n.e.published) != "W" || n.e.source != "wan" {
			t.Errorf("%s: published %s by %s\n%v", name, letters(n.e.published), n.e.source, n.log.lines)
		}
	}
}

// TestSilentLineOfAll: each line is looked at in its turn, and the address of
// the one that is dead is taken out.
func TestSilentLineOfAll(t *testing.T) {
	for i, dead := range []string{"wan0", "lte0"} {
		n := newLines(t, true)
		n.pass(time.Hour)
		n.dead[dead] = true
		if n.pass(21*time.Minute + failover); letters(n.e.published) != []string{"L", "W"}[i] {
			t.Errorf("%s: published %s\n%v\n%v", dead, letters(n.e.published), n.via, n.log.lines)
		}
	}
}
