package publish

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
	"github.com/wanbeacon/wanbeacon/netwatch"
)

// jealous deletes the family that a request does not name, as INWX does.
type jealous struct {
	*simProvider
	has  map[config.Family]string
	seen []string // what it has after each request: "IPV4 IPV6"
}

func (p *jealous) Group(u []provider.Update) [][]int {
	var all []int
	for i := range u {
		all = append(all, i)
	}
	return [][]int{all}
}

func (p *jealous) Send(ctx context.Context, from provider.Origin, updates []provider.Update) []provider.Outcome {
	outcomes := p.simProvider.Send(ctx, from, updates)
	p.mu.Lock()
	defer p.mu.Unlock()
	has := map[config.Family]string{config.IPv4: "-", config.IPv6: "-"}
	for _, u := range updates {
		if u.Other.IsValid() {
			has[config.FamilyOf(u.Other)] = u.Other.String()
		}
	}
	for _, u := range updates {
		has[u.Family] = u.Addr.String()
	}
	p.has, p.seen = has, append(p.seen, has[config.IPv4]+" "+has[config.IPv6])
	return outcomes
}

// withJealous runs f with a record of both families there, of which only IPv6
// has an address.
func withJealous(t *testing.T, saved []Saved, f func(b *bench, p *jealous)) {
	inVirtualTime(t, always(good("good")), func(b *bench) {
		b.stop()
		b.net.set(v6("2a02:99::1"))
		p := &jealous{simProvider: newSimProvider(t, b.net, 1)}
		p.reply = func(string, int) (provider.Outcome, time.Duration) { return good("good"), time.Millisecond }
		p.limits.Both = true
		b.prov = p.simProvider
		b.plan.Accounts[0].Provider = p
		b.plan.Records = append(b.plan.Records, Record{Key: Key{host, "p", config.IPv6}, Source: "wan", Enabled: true, Identity: "1"})
		b.start(saved)
		f(b, p)
	})
}

func v6(s string) netwatch.Addr { return netwatch.Addr{Addr: ip(s), Bits: 64} }

func (p *jealous) want(t *testing.T, seen ...string) {
	t.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Equal(p.seen, seen) {
		t.Errorf("the provider had, one after another, %q, want %q", p.seen, seen)
	}
}

func TestFirstFamilyWaitsForTheOther(t *testing.T) {
	withJealous(t, nil, func(b *bench, p *jealous) {
		time.Sleep(20 * time.Second)
		p.want(t)
		b.net.set(v6("2a02:99::1"), v4("8.8.4.4"))
		time.Sleep(2 * time.Millisecond)
		p.want(t, "8.8.4.4 2a02:99::1")

		// From then on each goes out at once, and the other with it.
		time.Sleep(time.Minute)
		b.net.set(v6("2a02:99::1"))
		time.Sleep(time.Minute)
		b.net.set(v6("2a02:99::2"))
		time.Sleep(2 * time.Millisecond)
		p.want(t, "8.8.4.4 2a02:99::1", "8.8.4.4 2a02:99::2")
	})
}

func TestFamilyWithoutTheOtherIsSentAfterAMinute(t *testing.T) {
	withJealous(t, nil, func(b *bench, p *jealous) {
		time.Sleep(partnerWait - time.Millisecond)
		p.want(t)
		time.Sleep(2 * time.Millisecond)
		p.want(t, "- 2a02:99::1")

		// There is nothing to lose now: no second wait, after a gap neither.
		time.Sleep(time.Minute)
		b.net.set()
		time.Sleep(time.Minute)
		b.net.set(v6("2a02:99::2"))
		time.Sleep(2 * time.Millisecond)
		p.want(t, "- 2a02:99::1", "- 2a02:99::2")
	})
}

func TestWhatWasPublishedGoesAlong(t *testing.T) {
	saved := []Saved{{Hostname: host, Provider: "p", Family: "ipv4", Identity: "1", Address: ip("8.8.4.4"), Published: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)}}
	withJealous(t, saved, func(b *bench, p *jealous) {
		time.Sleep(2 * time.Millisecond)
		p.want(t, "8.8.4.4 2a02:99::1")
	})
}

func TestForceDoesNotWaitForTheOtherFamily(t *testing.T) {
	withJealous(t, nil, func(b *bench, p *jealous) {
		time.Sleep(time.Second)
		b.update(true)
		p.want(t, "- 2a02:99::1")
	})
}

// What was published last is told, so that our record is known among others of
// the name after a restart too.
func TestUpdatesSayWhatWasPublished(t *testing.T) {
	core := NewCore(new(quiet), func() float64 { return 0 })
	prov := newSimProvider(t, newSimNet(), 1)
	saved := []Saved{{Hostname: host, Provider: "p", Family: "ipv4", Identity: "1", Address: ip("8.8.4.4"), Published: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)}}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	core.Configure(now, []Record{{Key: Key{host, "p", config.IPv4}, Source: "wan", Enabled: true, Identity: "1"}},
		[]Account{{Name: "p", Identity: "1", Provider: prov}}, saved)
	e := core.entries[0]
	e.wanted.first = ip("8.8.8.8")
	jobs := core.Due(now)
	if len(jobs) != 1 || !slices.Equal(jobs[0].Updates[0].Published, []netip.Addr{ip("8.8.4.4")}) || jobs[0].Updates[0].Addr != ip("8.8.8.8") {
		t.Errorf("%+v", jobs)
	}
}
