package bench

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

func TestMain(m *testing.M) {
	if text := os.Getenv(role); text != "" {
		play(text)
		return
	}
	lab.Main(m)
}

const (
	runs     = 300 // of each program
	wans     = 6   // of each router
	attempts = 3

	// slot is the time for one run. The two programs take turns, so a WAN has
	// its turn every 2*wans slots, longer than a record's requests are held
	// apart.
	slot = 200 * time.Millisecond

	medianGoal, tailGoal = 1.3, 2.0
)

func BenchmarkEventToRequest(b *testing.B) {
	for n := 1; ; n++ {
		bare, ours := measured(b, false)
		median, tail := ratios(bare, ours)
		report(bare, ours)
		b.ReportMetric(median, "median-ratio")
		b.ReportMetric(tail, "p99-ratio")
		if median <= medianGoal && tail <= tailGoal {
			fmt.Printf("goal: median within %.1f, p99 within %.1f: pass\n", medianGoal, tailGoal)
			return
		}
		fmt.Printf("goal: median within %.1f, p99 within %.1f: FAIL, attempt %d of %d\n", medianGoal, tailGoal, n, attempts)
		if n == attempts {
			b.Fatalf("wanbeacon is slower than the goal allows")
		}
	}
}

func BenchmarkEventToRequestTLS(b *testing.B) {
	bare, ours := measured(b, true)
	median, tail := ratios(bare, ours)
	fmt.Println("over TLS, for information:")
	report(bare, ours)
	b.ReportMetric(median, "median-ratio")
	b.ReportMetric(tail, "p99-ratio")
}

// measured makes all runs in a laboratory of its own, which is gone afterwards.
func measured(b *testing.B, secure bool) (bare, ours []time.Duration) {
	binary := build(b)
	if lab.Run(func(tb lab.TB) { bare, ours = measure(b.Context(), lab.New(tb), binary, secure) }) != 0 {
		b.FailNow()
	}
	return bare, ours
}

func measure(ctx context.Context, l *lab.Lab, binary string, secure bool) (bare, ours []time.Duration) {
	server := netip.MustParseAddrPort("11.20.0.1:80")
	l.ISP.Link("lo").Add("11.20.0.1/32")
	ca, url, program := l.CA(), "http://", "bare"
	if secure {
		server = netip.AddrPortFrom(server.Addr(), 443)
		url, program = "https://", "bareTLS"
	}
	routers := [2]*router{
		newRouter(l, l.Namespace("bare"), "a", 21),
		newRouter(l, l.Router, "b", 22),
	}
	var arrivals <-chan arrival
	if secure {
		arrivals = tlsServer(l, server, ca)
	} else {
		arrivals = plainServer(l, server)
	}
	start(l, routers[0].ns, program, server, programs)
	daemon := routers[1].ns.Daemon(binary, config(url+server.Addr().String(), ca.File))
	daemon.WaitLog(ctx, "started")
	pin(daemon.PID, programs)
	pin(os.Getpid(), measuring)

	var took [2][]time.Duration
	due := time.Now()
	for turn := range 2 * (wans + runs) {
		r := routers[turn%2]
		next := routers[(turn+1)%2]
		at, addr := r.add()
		select {
		case a := <-arrivals:
			if a.from != addr {
				l.Fatalf("bench: a request from %v, not from %v", a.from, addr)
			}
			if turn >= 2*wans { // the first round is for the programs to settle
				took[turn%2] = append(took[turn%2], time.Duration(a.at-at))
			}
		case <-time.After(10 * time.Second):
			l.Fatalf("bench: no request from %v", addr)
		}
		pause(&due, slot/2)
		next.clear()
		pause(&due, slot/2)
	}
	return took[0], took[1]
}

// pause waits until some time after the last one ended. Requests that are not
// answered at once delay what follows.
func pause(due *time.Time, d time.Duration) {
	*due = due.Add(d)
	if now := time.Now(); due.Before(now) {
		*due = now
	}
	time.Sleep(time.Until(*due))
}

// router is a router with its WANs. Each WAN keeps a private address and,
// through it, a default route, and gets and loses public addresses.
type router struct {
	ns      *lab.Namespace
	network int // second byte of its addresses
	inject  [wans]*lab.Injector
	now     [wans]string // the public address, with its length; "" for none
	turn    int          // the next WAN's, counting on
}

func newRouter(l *lab.Lab, ns *lab.Namespace, isp string, network int) *router {
	r := &router{ns: ns, network: network}
	for n := range wans {
		wan, far := l.Wire(ns, fmt.Sprintf("wan%d", n), l.ISP, fmt.Sprintf("isp%s%d", isp, n))
		far.Add(fmt.Sprintf("10.%d.%d.1/24", network, n))
		far.Add(fmt.Sprintf("11.%d.%d.1/24", network, n))
		wan.Add(fmt.Sprintf("10.%d.%d.2/24", network, n))
		wan.DefaultVia(fmt.Sprintf("10.%d.%d.1", network, n), "metric", fmt.Sprint(1+n))
		r.inject[n] = wan.Injector()
	}
	return r
}

// add gives the next WAN a new address, and says when it began to.
func (r *router) add() (lab.Instant, netip.Addr) {
	n := r.turn % wans
	addr := netip.AddrFrom4([4]byte{11, byte(r.network), byte(n), byte(2 + r.turn/wans)})
	r.now[n] = addr.String() + "/24"
	r.turn++
	return r.inject[n].Add(r.now[n], 0, nil), addr
}

// clear takes the old address of the next WAN away.
func (r *router) clear() {
	if n := r.turn % wans; r.now[n] != "" {
		r.inject[n].Del(r.now[n])
	}
}

// config has a source and a record for each WAN.
func config(server, ca string) string {
	var t strings.Builder
	fmt.Fprintf(&t, "[daemon]\nstate_dir = \"$DIR/state\"\nsocket = \"$DIR/socket\"\nca_file = %q\n", ca)
	fmt.Fprintf(&t, "[provider.noip]\nusername = \"user\"\npassword = \"secret\"\nserver = %q\ninsecure_http = true\n", server)
	for n := range wans {
		fmt.Fprintf(&t, "[source.wan%d]\nmethod = \"interface\"\ninterface = \"wan%d\"\n", n, n)
		fmt.Fprintf(&t, "[[record]]\nhostname = \"home%d.ddns.net\"\nprovider = \"noip\"\nsource = \"wan%d\"\nfamilies = [\"ipv4\"]\n", n, n)
	}
	return t.String()
}

// build gives the program as it is released, unless the environment names one.
func build(b *testing.B) string {
	path, err := lab.Release(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	return path
}
