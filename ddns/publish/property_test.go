package publish

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
	"github.com/wanbeacon/wanbeacon/netwatch"
)

// TestRulesUnderRandomEvents throws random kernel events, provider faults,
// user's demands, reloads, restarts and crashes at the loop in virtual time.
// simProvider checks every request against the rules; at the end, with a
// healthy provider and a steady address, everything must be published.
func TestRulesUnderRandomEvents(t *testing.T) {
	for seed := range uint64(150) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			dir, err := os.MkdirTemp("/dev/shm", "wanbeacon-state-")
			if err != nil {
				dir = t.TempDir()
			}
			t.Cleanup(func() { os.RemoveAll(dir) })
			synctest.Test(t, func(t *testing.T) { newWorld(t, seed, dir).live() })
		})
	}
}

// world is one random run.
type world struct {
	t    *testing.T
	dir  string
	rng  *rand.Rand
	net  *simNet
	a, b *simProvider
	ver  int // of the configuration
	loop *Loop
	stop func()
}

func newWorld(t *testing.T, seed uint64, dir string) *world {
	w := &world{t: t, dir: dir, rng: rand.New(rand.NewPCG(seed, 0)), net: newSimNet()}
	w.a, w.b = newSimProvider(t, w.net, seed), newSimProvider(t, w.net, seed+1000)
	w.a.joined = seed%2 == 0
	for _, r := range w.plan().Records { // known from the start, so that each can be excused
		w.a.key(provider.Update{Hostname: r.Hostname, Family: r.Family})
		w.b.key(provider.Update{Hostname: r.Hostname, Family: r.Family})
	}
	return w
}

func (w *world) plan() Plan {
	var records []Record
	add := func(host, prov string, f config.Family) {
		records = append(records, Record{Key: Key{host, prov, f}, Source: "wan", Enabled: true, Identity: fmt.Sprint(host, w.ver)})
	}
	add("one.example.net", "a", config.IPv4)
	add("one.example.net", "a", config.IPv6)
	add("two.example.net", "a", config.IPv4)
	add("one.example.net", "b", config.IPv4)
	return Plan{
		Sources: []config.Source{{Name: "wan", Method: "auto", Interface: "auto"}},
		Records: records,
		Accounts: []Account{
			{Name: "a", Identity: fmt.Sprint("a", w.ver), Provider: w.a},
			{Name: "b", Identity: fmt.Sprint("b", w.ver), Provider: w.b},
		},
	}
}

// start runs a loop with what the state file holds.
func (w *world) start() {
	store, saved, warning, err := OpenStore(w.dir, "salt")
	if err != nil || warning != "" {
		w.t.Fatalf("state: %v %s", err, warning)
	}
	w.net.deliver()
	w.loop = NewLoop(new(quiet), store, saved, w.plan(), w.net.ch)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { w.loop.Run(ctx); close(done) }()
	w.stop = func() { cancel(); <-done }
}

func (w *world) live() {
	w.start()
	for range 60 {
		w.event()
		w.pause()
	}
	// From now on all is well.
	for _, p := range []*simProvider{w.a, w.b} {
		p.mu.Lock()
		p.healthy = true
		p.mu.Unlock()
	}
	w.net.snap.Links[0].Carrier = true
	w.net.routes(true)
	w.net.set(v4("9.9.9.9"), netwatch.Addr{Addr: ip("2a02:99::9"), Bits: 64})
	w.ver++ // lifts what needs the user
	w.a.excuseAll(true)
	w.b.excuseAll(true)
	if err := w.loop.Reload(context.Background(), w.plan()); err != nil {
		w.t.Fatal(err)
	}
	time.Sleep(8 * time.Hour)
	records, _, _, err := w.loop.Status(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range records {
		if r.State != Published || r.Published != r.Wanted {
			w.t.Errorf("%v ended as %s: wanted %v, published %v, %s", r.Key, r.State, r.Wanted, r.Published, r.Error)
		}
	}
	for name, p := range map[string]*simProvider{"a": w.a, "b": w.b} {
		for host, k := range p.keys {
			if !k.accepted.IsValid() {
				continue // a name that this provider does not have
			}
			if want := map[bool]netip.Addr{true: ip("9.9.9.9"), false: ip("2a02:99::9")}[k.accepted.Is4()]; k.actual != want {
				w.t.Errorf("%s has %v for %s, want %v", name, k.actual, host, want)
			}
		}
	}
	w.stop()
}

// pause lets virtual time pass: often milliseconds, sometimes an hour.
func (w *world) pause() {
	scale := []time.Duration{time.Millisecond, 50 * time.Millisecond, time.Second, time.Minute, time.Hour}[w.rng.IntN(5)]
	time.Sleep(time.Duration(w.rng.Int64N(int64(scale))))
}

var pool = []string{"8.8.4.4", "8.8.8.8", "9.9.9.10"}

func (w *world) event() {
	pick := func() string { return pool[w.rng.IntN(len(pool))] }
	six := netwatch.Addr{Addr: ip("2a02:99::9"), Bits: 64}
	n := w.rng.IntN(14)
	if n == 9 || n == 10 {
		w.a.ask()
		w.b.ask()
	}
	switch n {
	case 0, 1, 2:
		w.net.set(v4(pick()))
	case 3:
		w.net.set(v4(pick()), v4(pick()), v4("192.168.1.1"))
	case 4:
		w.net.set(v4("100.64.0.1"), v4("10.0.0.1"), netwatch.Addr{Addr: ip("fd00::1"), Bits: 64})
	case 5:
		w.net.set()
	case 6:
		six.Flags = []netwatch.Flags{0, netwatch.Tentative, netwatch.Deprecated, netwatch.Temporary, netwatch.DADFailed}[w.rng.IntN(5)]
		w.net.set(v4(pick()), six)
	case 7:
		w.net.routes(w.rng.IntN(3) > 0)
		w.net.deliver()
	case 8:
		w.net.snap.Links[0].Carrier = w.rng.IntN(3) > 0
		w.net.deliver()
	case 9:
		w.a.excuseAll(false)
		w.b.excuseAll(false)
		w.unblockForced()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		w.loop.Update(ctx, nil, true)
	case 10:
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		w.loop.Update(ctx, nil, false)
	case 11:
		if w.rng.IntN(2) == 0 {
			w.ver++
			w.a.excuseAll(true)
			w.b.excuseAll(true)
		}
		if err := w.loop.Reload(context.Background(), w.plan()); err != nil {
			w.t.Error(err)
		}
	case 12:
		w.restart()
	case 13:
		for range 20 {
			w.net.set(v4(pick()))
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// unblockForced: a forced update may try again what was refused.
func (w *world) unblockForced() {
	for _, p := range []*simProvider{w.a, w.b} {
		p.mu.Lock()
		for _, k := range p.keys {
			k.blocked = false
		}
		p.mu.Unlock()
	}
}

// restart ends the loop and starts another from the state file. What a request
// under way did is not known afterwards, and waits and refusals that do not
// outlive a restart are forgotten; the wait that a restart takes is real.
func (w *world) restart() {
	synctest.Wait() // the state is written beside the loop
	path := filepath.Join(w.dir, "state.json")
	before, err := os.ReadFile(path)
	w.stop()
	if err == nil && w.rng.IntN(2) == 0 { // a power cut: nothing was written on the way down
		if err := os.WriteFile(path, before, 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
	for _, p := range []*simProvider{w.a, w.b} {
		p.mu.Lock()
		for _, k := range p.keys {
			k.blocked, k.until, k.started = false, time.Time{}, time.Time{}
			if k.doubt {
				k.excuse, k.excused = 1, time.Now()
			}
		}
		p.mu.Unlock()
	}
	time.Sleep(time.Second)
	w.start()
}
