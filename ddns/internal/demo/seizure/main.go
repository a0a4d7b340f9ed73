// Command seizure shows what wanbeacon does when a provider's zone is taken
// away, as that of No-IP was on 30 June 2014: the registry delegates it to
// servers that answer SERVFAIL, while the provider's update interface goes on
// saying `good`. All servers are real, in network namespaces.
//
//	go run ./ddns/internal/demo/seizure bin/wanbeacon
//
// It needs root (or user namespaces) and cleans up after itself.
package main

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
	"github.com/wanbeacon/wanbeacon/ddns/internal/seizure"
)

const addr = "11.22.33.7"

// What takes minutes by default takes seconds here.
var pace = seizure.Pace{Interval: "4s", FailAfter: "6s", ReturnAfter: "8s"}

func main() { lab.Show(show) }

func show(tb lab.TB, binary string) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()

	say("A root, two top-level domains, provider A (dyn.net, five name servers), provider B (duckdns.org), the zone example.org")
	say("of the user's own, and a resolver somewhere in the world: Knot, NSD, BIND, Unbound, in network namespaces.")
	s := &story{World: seizure.New(tb), start: time.Now()}
	s.Online(addr)
	s.Start(binary, pace)
	s.wait(ctx, seizure.Alias+": alias seen by ")
	s.people(seizure.HomeA)

	say("\nThe registry delegates dyn.net to other servers, which answer SERVFAIL. A's own five servers are all right, and:")
	s.Daemon.Mark()
	s.Seize(lab.ServFail)
	s.start = time.Now()
	s.Daemon.Command("update", "-force", seizure.HomeA)
	s.wait(ctx, seizure.HomeA+": ipv4 "+addr+" published at a")
	s.wait(ctx, seizure.HomeA+": diverted: ")
	s.command("verify", seizure.HomeA)
	s.look(func(a lab.Answer) bool { return len(a.Addrs) == 0 })
	s.wait(ctx, seizure.Alias+": alias of "+seizure.HomeB+" published")
	s.people(seizure.HomeB)
	s.command("status")

	say("\ndyn.net is given back. (In 2014 that took two days.)")
	s.Daemon.Mark()
	s.Delegate(seizure.Usual)
	s.start = time.Now()
	s.wait(ctx, seizure.HomeA+": ipv4 ok again")
	s.wait(ctx, seizure.Alias+": alias of "+seizure.HomeA+" published")
	s.people(seizure.HomeA)

	say("\nWhat the program of [notify] was told, but for the times:")
	for _, line := range s.notified(4) {
		before, _, _ := strings.Cut(line, `,"time"`)
		fmt.Printf("  %s}\n", before)
	}
	status, took := s.Daemon.Stop()
	say("\nSIGTERM: ended with status %d after %v.", status, took.Round(time.Millisecond))
}

// story tells what happens in a world.
type story struct {
	*seizure.World
	start time.Time
	told  int // lines of the log
}

// wait waits for a line of the daemon's, and shows the log up to it.
func (s *story) wait(ctx context.Context, text string) {
	s.Daemon.WaitLog(ctx, text)
	lines := s.Daemon.Lines()
	for found := false; s.told < len(lines) && !found; s.told++ {
		line := lines[s.told].Text
		found = strings.Contains(line, text)
		if !strings.Contains(line, seizure.Office) {
			fmt.Printf("  log, %4.1f s: %s\n", time.Since(s.start).Seconds(), line)
		}
	}
}

// people waits until the neutral resolver leads to the router by a name.
func (s *story) people(by string) {
	s.look(func(a lab.Answer) bool {
		return a.CNAME == by && len(a.Addrs) == 1 && a.Addrs[0] == netip.MustParseAddr(addr)
	})
}

// look asks the neutral resolver, and shows what changes, until it is so.
func (s *story) look(until func(lab.Answer) bool) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	shown := ""
	for end := time.Now().Add(lab.Patience); time.Now().Before(end); <-tick.C {
		a, err := s.Neutral.Look(seizure.Alias)
		text := a.String()
		if err != nil {
			text = err.Error()
		}
		if text != shown {
			fmt.Printf("  somewhere in the world, %4.1f s: %s is %s\n", time.Since(s.start).Seconds(), seizure.Alias, text)
		}
		shown = text
		if err == nil && until(a) {
			return
		}
	}
	s.Fatalf("that is not what was to be shown")
}

// notified waits for so many notifications and returns them. Those about Office
// say the same as the others.
func (s *story) notified(n int) (list []string) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(lab.Patience); time.Now().Before(end); <-tick.C {
		text, _ := os.ReadFile(filepath.Join(s.Daemon.Dir, "notified")) // none yet
		list = nil
		for line := range strings.Lines(string(text)) {
			if !strings.Contains(line, seizure.Office) {
				list = append(list, line)
			}
		}
		if len(list) >= n {
			return list
		}
	}
	s.Fatalf("%d notifications, not %d", len(list), n)
	return nil
}

// command shows what a subcommand prints.
func (s *story) command(args ...string) {
	say("\n$ wanbeacon %s", strings.Join(args, " "))
	r := s.Daemon.Command(args[0], args[1:]...)
	fmt.Print("  " + strings.ReplaceAll(strings.TrimRight(r.Stdout+r.Stderr, "\n"), "\n", "\n  ") + "\n\n")
}

func say(format string, args ...any) { fmt.Printf(format+"\n", args...) }
