package publish

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/address"
	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// others are everybody who can be asked beyond the kernel, with a clock.
type others struct {
	mu      sync.Mutex
	asked   map[string][]time.Time // by kind and family
	running map[string]int
	takes   time.Duration // of one question
	says    func(q address.Question) address.External
	above   chan address.External // what the router above reports
	looks   int                   // how often it was made to look again
}

func (w *others) Ask(ctx context.Context, q address.Question) address.External {
	kind := q.Kind + " " + q.Family.String()
	w.mu.Lock()
	w.asked[kind] = append(w.asked[kind], time.Now())
	w.running[kind]++
	if w.running[kind] > 1 {
		panic(kind + " is asked twice at once")
	}
	w.mu.Unlock()
	select {
	case <-time.After(w.takes):
	case <-ctx.Done():
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running[kind]--
	x := w.says(q)
	x.Place = q.Place
	return x
}

func (w *others) Watch(ctx context.Context, q address.Question, again <-chan struct{}, report func(address.External)) {
	round := 0
	for {
		select {
		case x := <-w.above:
			x.Place, x.Round = q.Place, round
			report(x)
		case <-again:
			w.mu.Lock()
			w.looks++
			w.mu.Unlock()
			round++
			report(address.External{Place: q.Place, Round: round, Err: errors.New("silence")})
		case <-ctx.Done():
			return
		}
	}
}

// since are the questions of a kind in the time that the function takes.
func (w *others) since(kind string, f func()) (pauses []time.Duration) {
	w.mu.Lock()
	before := len(w.asked[kind])
	w.mu.Unlock()
	start := time.Now()
	f()
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, at := range w.asked[kind][before:] {
		pauses = append(pauses, at.Sub(start))
		start = at
	}
	return pauses
}

func tells(addr string) func(address.Question) address.External {
	return func(address.Question) address.External {
		return address.External{Addrs: []netip.Addr{ip(addr)}, By: "somebody"}
	}
}

// beyond runs f with a loop of one source, whose WAN has a private address.
func beyond(t *testing.T, source config.Source, f func(w *others, n *simNet)) {
	synctest.Test(t, func(t *testing.T) {
		w := &others{asked: map[string][]time.Time{}, running: map[string]int{}, takes: time.Second, says: tells("11.22.33.7"), above: make(chan address.External)}
		n := newSimNet()
		n.set(v4("192.168.1.50"))
		source.Name = "wan"
		l := NewLoop(new(quiet), nil, nil, Plan{Sources: []config.Source{source}, Outside: w}, n.ch)
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { l.Run(ctx); close(done) }()
		synctest.Wait()
		f(w, n)
		cancel()
		<-done
	})
}

func same(t *testing.T, what string, got []time.Duration, want ...time.Duration) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: asked after %v, want %v", what, got, want)
	}
}

const echo4 = "echo ipv4"

// Who tells nothing by himself is asked at a modest interval, at once when the
// network changes, and after a failure sooner, but ever more rarely.
func TestPaceOfAsking(t *testing.T) {
	for _, c := range []struct {
		kind   string
		source config.Source
	}{
		{"command ", config.Source{Method: "command", Command: []string{"/bin/x"}}},
		{echo4, config.Source{Method: "echo", Interface: "auto"}},
	} {
		t.Run(c.kind, func(t *testing.T) {
			kind := c.kind
			if kind == "command " {
				kind += config.Family(0).String()
			}
			beyond(t, c.source, func(w *others, n *simNet) {
				if c.kind == echo4 { // it waits for the word of the router above, which has none
					w.above <- address.External{Err: errors.New("silence")}
					synctest.Wait()
				}
				time.Sleep(2 * time.Second)
				pause := askEvery + w.takes // from one question to the next
				same(t, "in an hour", w.since(kind, func() { time.Sleep(time.Hour) }), pause-2*time.Second, pause, pause, pause, pause)

				same(t, "the network changes", w.since(kind, func() { n.set(v4("192.168.1.50"), v4("192.168.1.51")) }), 0)
				// Another change while it is being asked: once more, after the answer.
				same(t, "it changes twice more", w.since(kind, func() {
					for i := range 2 {
						n.set(v4("192.168.1.50"), v4(fmt.Sprintf("192.168.1.%d", 60+i)))
						synctest.Wait()
					}
					time.Sleep(3 * time.Second)
				}), w.takes)

				w.says = func(address.Question) address.External { return address.External{Err: errors.New("no answer")} }
				n.set(v4("192.168.1.50"), v4("192.168.1.70"))
				time.Sleep(w.takes)
				got := w.since(kind, func() { time.Sleep(time.Hour) })
				if len(got) < 2 || got[0] != askFailed || got[1] != 2*askFailed+w.takes || got[len(got)-1] != pause || len(got) > 15 {
					t.Errorf("after failures: asked after %v", got)
				}
			})
		})
	}
}

// Where the router above announces its changes nothing is asked while it
// announces none, and echo services at once when it does.
func TestEchoIsNotAskedWhileNothingCanHaveChanged(t *testing.T) {
	beyond(t, config.Source{Method: "echo", Interface: "auto"}, func(w *others, n *simNet) {
		told := func(addr string) address.External {
			return address.External{Addrs: []netip.Addr{ip(addr)}, By: "NAT-PMP at 8.8.4.1", Events: true, Announced: true}
		}
		same(t, "before the router above has spoken", w.since(echo4, func() { time.Sleep(time.Minute) }))
		same(t, "it has an address", w.since(echo4, func() { w.above <- told("11.22.33.7") }), 0)
		same(t, "in a week", w.since(echo4, func() { time.Sleep(7 * 24 * time.Hour) }))
		same(t, "it announces the same again", w.since(echo4, func() { w.above <- told("11.22.33.7"); time.Sleep(time.Hour) }))
		same(t, "it announces another address", w.since(echo4, func() { w.above <- told("11.22.33.8"); time.Sleep(time.Hour) }), 0)
		// What it has is not what the world sees, so that it may change unseen.
		pause := askEvery + w.takes
		same(t, "it is behind another NAT", w.since(echo4, func() { w.above <- told("100.64.1.7"); time.Sleep(30 * time.Minute) }), 0, pause, pause)
		same(t, "no more", w.since(echo4, func() { w.above <- told("11.22.33.8"); time.Sleep(time.Hour) })[1:])
	})
}

// The kernel's own address, which is what the world sees, cannot change unseen.
func TestEchoConfirmsTheKernelsAddressOnce(t *testing.T) {
	beyond(t, config.Source{Method: "echo", Interface: "auto"}, func(w *others, n *simNet) {
		n.set(v4("11.22.33.7"))
		synctest.Wait()
		time.Sleep(2 * time.Second)
		same(t, "in a day", w.since(echo4, func() { time.Sleep(24 * time.Hour) }))
		w.says = tells("11.22.33.8")
		same(t, "it changes", w.since(echo4, func() { n.set(v4("11.22.33.8")); time.Sleep(24 * time.Hour) }), 0)
		// Another one is seen outside: a NAT is between, whose address may change.
		w.says = tells("11.99.99.9")
		if got := w.since(echo4, func() { n.set(v4("11.22.33.9")); time.Sleep(time.Hour) }); len(got) != 6 {
			t.Errorf("behind a NAT of public addresses: asked after %v", got)
		}
	})
}

// auto asks echo services only when the router above has no answer of use.
func TestAutoAsksTheNearestFirst(t *testing.T) {
	beyond(t, config.Source{Method: "auto", Interface: "auto"}, func(w *others, n *simNet) {
		same(t, "the router above tells", w.since(echo4, func() {
			w.above <- address.External{Addrs: []netip.Addr{ip("11.22.33.7")}, By: "NAT-PMP at 8.8.4.1"}
			time.Sleep(24 * time.Hour)
		}))
		same(t, "it has none", w.since(echo4, func() {
			w.above <- address.External{By: "NAT-PMP at 8.8.4.1", Err: errors.New("it has no public address outside")}
			synctest.Wait()
		}), 0)
		w.mu.Lock()
		defer w.mu.Unlock()
		for kind := range w.asked {
			if strings.Contains(kind, "ipv6") {
				t.Errorf("%s is asked, of which there is no address", kind)
			}
		}
	})
}
