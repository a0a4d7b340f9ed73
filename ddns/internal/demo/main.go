// Command demo shows wanbeacon's main job with real parts: a router in a
// network namespace gets its address by DHCP, a provider with an update server
// and an authoritative name server lives behind it, the lease changes, and the
// world's DNS follows.
//
//	go run ./ddns/internal/demo bin/wanbeacon
//
// It needs root (or user namespaces) and cleans up after itself.
package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
	"github.com/wanbeacon/wanbeacon/netwatch"
)

const (
	home   = "home.dyn.test"
	first  = "203.0.113.50"
	second = "198.51.100.60"
	server = "192.0.2.80" // the provider's, in the world behind the ISP

	// The first change after a quiet while goes out at once; one that follows
	// within two seconds would be taken for a flapping link's.
	quiet = 2500 * time.Millisecond
)

func main() { lab.Show(demo) }

func demo(tb lab.TB, binary string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	say("A router, its ISP with a DHCP server, and a DNS provider, in network namespaces.")
	l := lab.New(tb)
	l.ISPLink.Add("203.0.113.1/24")
	l.ISPLink.Add("198.51.100.1/24")
	l.ISPLink.Add(server + "/32")
	p := l.Provider(l.ISP, lab.ProviderOptions{Zone: "dyn.test", Addr: server, TLS: true})
	p.Account("ian", "s3cret", home)
	l.Resolver(l.Router, "127.0.0.1", map[string]string{p.Host: server})
	dhcp := l.ISPLink.DHCPServer(ctx, lab.Pool{First: first})
	watch := watchWAN(tb, l.Router)

	config := adapted(tb, p)
	d := l.Router.Daemon(binary, config)
	log := &journal{daemon: d}
	say("\nThe daemon runs. The router now asks for its first address by DHCP.")
	client := l.WAN.DHCPClient(lab.AddFirst)
	r := p.NextRequest(ctx)
	d.WaitLog(ctx, "published")
	log.show()
	report(watch, first, r)
	resolve(tb, l, p)

	time.Sleep(quiet)
	say("\nAfter %v of quiet the ISP renumbers: another pool, and the client asks again.", quiet)
	dhcp.Switch(ctx, lab.Pool{First: second})
	d.Mark()
	client.Rediscover(ctx)
	_, r = p.Until(ctx, lab.Says(second))
	d.WaitLog(ctx, "published")
	log.show()
	report(watch, second, r)
	resolve(tb, l, p)

	say("\nThe lease is renewed: the same address goes and comes back. Nothing may be sent.")
	l.WAN.Del(second + "/24")
	l.WAN.Add(second + "/24")
	l.WAN.DefaultVia("198.51.100.1")
	before := len(p.Requests())
	d.Command("status") // answered after the events: they have been dealt with
	log.show()
	fmt.Printf("  requests since: %d\n", len(p.Requests())-before)

	say("\n$ wanbeacon status")
	fmt.Print(indent(d.Command("status").Stdout))
	status, took := d.Stop()
	say("\nSIGTERM: ended with status %d after %v.", status, took.Round(time.Millisecond))
}

// adapted is the shipped configuration with the lines changed that a user
// changes. The addresses here are documentation ranges, hence allow_private.
func adapted(tb lab.TB, p *lab.Provider) string {
	shipped, err := os.ReadFile("config.toml")
	if err != nil {
		tb.Fatalf("run from the top of the repository: %v", err)
	}
	text := string(shipped)
	for _, c := range []struct{ line, becomes string }{
		{`#[provider.noip]`, `[provider.noip]`},
		{`#username = "abc123"`, `username = "ian"`},
		{`#password = "secret"`, `password = "s3cret"`},
		{`# server = "http://dyn.example.net"`, `server = "` + p.URL + `"`},
		{`#[[record]]`, `[[record]]`},
		{`#hostname = "home.ddns.net"`, `hostname = "` + home + `"`},
		{`#provider = "noip"`, `provider = "noip"`},
		{`#[source.wan]`, `[source.wan]`},
		{`#allow_private = false`, `allow_private = true`},
		{`#state_dir = "/var/lib/wanbeacon"`, `state_dir = "$DIR/state"`},
		{`#socket = "/var/run/wanbeacon.sock"`, `socket = "$DIR/wanbeacon.sock"`},
		{`#ca_file = ""`, `ca_file = "` + p.CA.File + `"`},
	} {
		if !strings.Contains(text, "\n"+c.line+"\n") {
			tb.Fatalf("config.toml has no line %s", c.line)
		}
		text = strings.Replace(text, "\n"+c.line+"\n", "\n"+c.becomes+"\n", 1)
	}
	return text
}

// watchWAN notes when the kernel announces each address of the router.
func watchWAN(tb lab.TB, ns *lab.Namespace) *watch {
	w := &watch{seen: make(chan sight, 64)}
	err := ns.Do(func() error {
		watcher, err := netwatch.Open(tb.Logf)
		if err != nil {
			return err
		}
		tb.Cleanup(func() { watcher.Close() })
		go func() {
			known := map[netip.Addr]bool{}
			for snap := range watcher.Snapshots() {
				now := lab.Now()
				for _, a := range snap.Addrs {
					if !known[a.Addr] {
						known[a.Addr] = true
						w.seen <- sight{a.Addr, now}
					}
				}
			}
		}()
		return nil
	})
	if err != nil {
		tb.Fatalf("watch: %v", err)
	}
	return w
}

type watch struct{ seen chan sight }

type sight struct {
	addr netip.Addr
	at   lab.Instant
}

// report prints how long the request took from the kernel's event on.
func report(w *watch, addr string, r *lab.Request) {
	for s := range w.seen {
		if s.addr == netip.MustParseAddr(addr) {
			fmt.Printf("  kernel announced %s; request at the provider %.2f ms later (TCP, TLS 1.3 and the DHCP script's default route included):\n    %s %s\n",
				addr, float64(r.FirstByte-s.at)/1e6, r.Method, r.URL)
			return
		}
	}
}

// resolve asks the provider's name server as the world would.
func resolve(tb lab.TB, l *lab.Lab, p *lab.Provider) {
	res := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (c net.Conn, err error) {
		err = l.ISP.Do(func() (err error) {
			c, err = new(net.Dialer).DialContext(ctx, network, p.DNS.Addr.String())
			return err
		})
		return c, err
	}}
	addrs, err := res.LookupNetIP(context.Background(), "ip4", home+".")
	if err != nil {
		tb.Fatalf("DNS: %v", err)
	}
	fmt.Printf("  the world's DNS: %s A %v\n", home, addrs)
}

// journal prints the daemon's log lines since its last call.
type journal struct {
	daemon  *lab.Daemon
	printed int
}

func (j *journal) show() {
	lines := j.daemon.Lines()
	for ; j.printed < len(lines); j.printed++ {
		fmt.Printf("  log: %s\n", lines[j.printed].Text)
	}
}

func say(format string, args ...any) { fmt.Printf(format+"\n", args...) }

func indent(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n  ") + "\n"
}
