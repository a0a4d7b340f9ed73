package publish

import (
	"net/netip"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/address"
	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// links says which of wan, lte and sat have an address (a letter, capital if
// there is also a way out): "WL-".
func links(s string) []address.Answer {
	answers := make([]address.Answer, len(s))
	for i, c := range s {
		a := address.Answer{Source: []string{"wan", "lte", "sat"}[i], Family: config.IPv4, Named: true, Path: uint64(i) + 1, Line: uint64(i) + 1}
		if c != '-' {
			a.Addr = netip.AddrFrom4([4]byte{8, 8, 8, byte(i + 1)})
			a.Offline = c >= 'a'
		}
		answers[i] = a
	}
	return answers
}

// step is what happens to the links, and what is wanted then.
type step struct {
	after time.Duration // since the step before
	links string        // "": only time has passed
	want  string
}

func TestSourceInUse(t *testing.T) {
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"the preferred one at once", []step{{0, "WL-", "wan"}}},
		{"at the start the first that is good", []step{{0, "-L-", "lte"}}},
		{"an address without a way out", []step{{0, "wL-", "lte"}}},
		{"none: waits for the preferred one", []step{{0, "---", "wan"}, {time.Second, "W--", "wan"}}},
		{"none, then another comes first", []step{{0, "---", "wan"}, {time.Second, "-L-", "wan"}, {failover - time.Second, "", "lte"}}},
		{"a redial", []step{{0, "WL-", "wan"}, {time.Hour, "-L-", "wan"}, {4 * time.Second, "WL-", "wan"}, {time.Hour, "", "wan"}}},
		{"a loss, and back when it has been good for long enough", []step{
			{0, "WL-", "wan"}, {time.Hour, "-L-", "wan"}, {failover - 1, "", "wan"}, {1, "", "lte"},
			{time.Hour, "WL-", "lte"}, {failback - 1, "", "lte"}, {1, "", "wan"}}},
		{"flapping is not good", []step{
			{0, "-L-", "lte"}, {time.Hour, "WL-", "lte"}, {failback - 1, "-L-", "lte"}, {time.Second, "WL-", "lte"}, {failback - 1, "", "lte"}, {1, "", "wan"}}},
		{"back sooner when the other fails", []step{
			{0, "-L-", "lte"}, {time.Second, "WL-", "lte"}, {time.Second, "W--", "lte"}, {failover, "", "wan"}}},
		{"down the list", []step{
			{0, "WLS", "wan"}, {time.Hour, "--S", "wan"}, {failover, "", "sat"}, {time.Hour, "-LS", "sat"}, {failback, "", "lte"}}},
		{"all are gone: stays", []step{{0, "-L-", "lte"}, {time.Hour, "---", "lte"}, {time.Hour, "", "lte"}}},
		{"the route alone is gone", []step{{0, "WL-", "wan"}, {time.Hour, "wL-", "wan"}, {failover, "", "lte"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Record{Key: Key{"h", "p", config.IPv4}, Source: "wan", Fallbacks: []string{"lte", "sat"}}
			e := &entry{Record: r, options: r.options(nil)}
			now, last := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC), links("---")
			for i, s := range c.steps {
				now = now.Add(s.after)
				if s.links != "" {
					last = links(s.links)
				} else if e.source != s.want && (e.chooseAt.IsZero() || e.chooseAt.After(now)) {
					t.Errorf("step %d: not looked at before %v", i, e.chooseAt)
				}
				e.choose(last, now)
				if e.source != s.want {
					t.Errorf("step %d: %s, want %s", i, e.source, s.want)
				}
			}
		})
	}
}

// TestSourceInUseIsExplained: why not one of those before it.
func TestSourceInUseIsExplained(t *testing.T) {
	r := Record{Key: Key{"h", "p", config.IPv4}, Source: "wan", Fallbacks: []string{"lte", "sat"}}
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct{ links, want string }{
		{"WLS", ""}, {"-LS", "wan: eth1 is down"}, {"w-S", "wan: no default route through eth1; lte: no address"}, {"---", ""},
	} {
		e := &entry{Record: r, options: r.options(nil)}
		answers := links(c.links)
		if answers[0].Interface = "eth1"; c.links[0] == '-' {
			answers[0].Note = "eth1 is down"
		}
		e.choose(answers, now)
		if got := e.why(now); got != c.want {
			t.Errorf("%s: %q, want %q", c.links, got, c.want)
		}
	}
	e := &entry{Record: r, options: r.options(nil)}
	e.choose(links("-LS"), now)
	e.choose(links("WLS"), now.Add(time.Hour))
	if got := e.why(now.Add(time.Hour)); got != "wan: good again, and used when it has been for a minute" {
		t.Errorf("%q", got)
	}
}

// TestNothingIsChosenBeforeOpenWrtAnswers: in a moment it is known which is good.
func TestNothingIsChosenBeforeOpenWrtAnswers(t *testing.T) {
	r := Record{Key: Key{"h", "p", config.IPv4}, Source: "wan", Fallbacks: []string{"lte"}}
	e := &entry{Record: r, options: r.options(nil)}
	now, answers := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC), links("-L")
	answers[0].Untold = true
	if e.choose(answers, now); e.source != "" || !e.chooseAt.IsZero() {
		t.Errorf("%q, looked at again %v", e.source, e.chooseAt)
	}
	if e.choose(links("-L"), now); e.source != "lte" {
		t.Errorf("%q", e.source)
	}
	if e.choose(answers, now); e.source != "lte" {
		t.Errorf("%q: what is in use stays", e.source)
	}
}

// TestDeafSourceIsPassedOver: nobody answers through wan, which looks good.
func TestDeafSourceIsPassedOver(t *testing.T) {
	r := Record{Key: Key{"h", "p", config.IPv4}, Source: "wan", Fallbacks: []string{"lte"}, Enabled: true}
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	both := links("WL")
	both[0].Interface = "eth1"
	e := &entry{Record: r, options: r.options(nil)}
	e.choose(both, now)
	e.answer, e.pathSince, e.class = both[0], now, provider.Network
	now = now.Add(quickPeriod - 1)
	if e.fails = deafTries; e.deaf(now) {
		t.Error("given up before the way out had time to work")
	}
	now = now.Add(1)
	if e.fails = deafTries - 1; e.deaf(now) {
		t.Error("given up too soon")
	}
	if e.fails = deafTries; !e.deaf(now) {
		t.Error("not given up")
	}
	if got := e.why(now); got != "" {
		t.Errorf("before another is chosen: %q", got)
	}
	if e.choose(both, now); e.source != "lte" || e.why(now) != "wan: nobody answers through eth1" || !e.chooseAt.Equal(now.Add(avoidFor)) {
		t.Errorf("%s, looked at again %v", e.source, e.chooseAt)
	}
	e.answer = both[1]
	if e.deaf(now) {
		t.Error("the last good one was given up")
	}
	// Another line's way out changes, which says nothing about this one.
	both[0].Path = 77
	if e.choose(both, now); e.options[0].usable {
		t.Error("good again for nothing")
	}
	// Its own does: it is good again, after the usual time.
	both[0].Line = 77
	if e.choose(both, now); e.source != "lte" {
		t.Error("back at once")
	}
	if e.choose(both, now.Add(failback)); e.source != "wan" {
		t.Error("not back")
	}
}
