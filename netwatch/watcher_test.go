package netwatch

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestSlowReaderGetsTheNewest(t *testing.T) {
	w := &Watcher{snapshots: make(chan *Snapshot, 1)}
	for i := range 5 {
		w.mirror.setLink(Link{Index: i + 1})
		w.publish()
		w.publish() // no news
	}
	if s := <-w.snapshots; s.Seq != 5 || len(s.Links) != 5 {
		t.Errorf("got %+v", s)
	}
	select {
	case s := <-w.snapshots:
		t.Errorf("and then %+v", s)
	default:
	}
}

// TestOverrun (D17) lets the kernel queue far more than fits while nobody reads.
func TestOverrun(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		ip(t, "link set lo up")
		var log lines
		w, err := prepare(log.add)
		if err != nil {
			t.Error(err)
			return
		}
		w.publish()
		var flood []string
		for i := range 6000 {
			flood = append(flood, fmt.Sprintf("addr add 10.0.%d.%d/32 dev lo", i/250, i%250+1))
		}
		for i := range 500 { // these are lost for certain
			flood = append(flood, fmt.Sprintf("addr del 10.0.%d.%d/32 dev lo", i/250, i%250+1))
		}
		ipBatch(t, flood)
		go w.run()
		defer w.Close()
		s := until(t, w, "all addresses", func(s *Snapshot) bool { return len(s.Addrs) == 5502 }) // 127.0.0.1, ::1
		sameAsTaken(t, w, s)
		if log.count() != 1 {
			t.Errorf("logged %q", log.all)
		}
		// The socket goes on working.
		ip(t, "addr add 203.0.113.5/32 dev lo")
		until(t, w, "the next event", has("lo", "203.0.113.5"))
	})
}

func TestCutMessage(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		var log lines
		w, err := prepare(log.add)
		if err != nil {
			t.Error(err)
			return
		}
		w.publish()
		w.buf = w.buf[:64] // any link message is longer
		go w.run()
		defer w.Close()
		ip(t, "link add wan type veth peer name isp")
		ip(t, "addr add 203.0.113.5/24 dev wan")
		sameAsTaken(t, w, until(t, w, "what was cut off", has("wan", "203.0.113.5")))
		if log.count() != 1 {
			t.Errorf("logged %q", log.all)
		}
	})
}

func TestForgedMessagesAreIgnored(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		ip(t, "link add wan type veth peer name isp")
		w := watch(t)
		var port uint32
		if err := w.events.raw.Control(func(fd uintptr) {
			if sa, err := unix.Getsockname(int(fd)); err == nil {
				port = sa.(*unix.SockaddrNetlink).Pid
			}
		}); err != nil || port == 0 {
			t.Errorf("no port: %v", err)
			return
		}
		fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
		if err != nil {
			t.Error(err)
			return
		}
		defer unix.Close(fd)
		link, _ := (<-w.Snapshots()).LinkByName("wan")
		forged := addrMessage(unix.RTM_NEWADDR, uint32(link.Index), "198.51.100.66/24", 0, forever, forever)
		for _, b := range [][]byte{forged, {1, 2, 3}} {
			if err := unix.Sendto(fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Pid: port}); err != nil {
				t.Errorf("sending: %v", err)
			}
		}
		ip(t, "addr add 203.0.113.5/24 dev wan")
		s := until(t, w, "the true address", has("wan", "203.0.113.5"))
		if s.Seq != 2 || len(s.Addrs) != 1 {
			t.Errorf("got %+v", s)
		}
	})
}

// TestFailedSocketIsReplaced runs itself again as a process whose threads are
// all in one namespace, since any of them may open the new socket.
func TestFailedSocketIsReplaced(t *testing.T) {
	const inside = "NETWATCH_TEST_INSIDE"
	if os.Getenv(inside) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), inside+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	var log lines
	w, err := Open(log.add)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	<-w.Snapshots()
	for i := range 3 {
		name := fmt.Sprintf("wan%d", i)
		w.mu.Lock()
		w.events.file.Close()
		w.mu.Unlock()
		ip(t, "link add "+name+" type veth peer name isp")
		ip(t, "addr add 203.0.113.5/24 dev "+name)
		sameAsTaken(t, w, until(t, w, "what happened meanwhile", has(name, "203.0.113.5")))
		ip(t, "link del "+name)
		until(t, w, "its end", hasNot(name, "203.0.113.5"))
	}
	if log.count() != 1 {
		t.Errorf("logged %q", log.all)
	}
	// Close does not wait for the back-off.
	w.mu.Lock()
	w.events.file.Close()
	w.mu.Unlock()
	w.Close()
}

// TestCloseDuringDump: a dump that fails sets when it is tried again, while
// Close waits for it.
func TestCloseDuringDump(t *testing.T) {
	w, err := prepare(nil)
	if err != nil {
		t.Fatal(err)
	}
	closing := make(chan error, 1)
	err = w.events.raw.Control(func(uintptr) {
		go func() { closing <- w.Close() }()
		<-w.done
		w.setDeadline(time.Now().Add(firstWait))
	})
	if err != nil {
		t.Error(err)
	}
	w.run()
	if err := <-closing; err != nil {
		t.Error(err)
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		goroutines, files := runtime.NumGoroutine(), openFiles(t)
		for range 20 {
			w, err := Open(nil)
			if err != nil {
				t.Error(err)
				return
			}
			ip(t, "link set lo up")
			ip(t, "link set lo down") // events that nobody reads
			var closers sync.WaitGroup
			for range 3 {
				closers.Go(func() { w.Close() })
			}
			closers.Wait()
			if _, ok := <-w.Snapshots(); !ok {
				t.Error("the last snapshot was not kept")
			}
			if _, ok := <-w.Snapshots(); ok {
				t.Error("the channel is still open")
			}
		}
		for range 20 {
			if _, err := Take(); err != nil {
				t.Error(err)
			}
		}
		// Ended goroutines are counted until they are off their stack.
		for range 1000 {
			if runtime.NumGoroutine() <= goroutines {
				break
			}
			runtime.Gosched()
		}
		if n := runtime.NumGoroutine(); n > goroutines {
			t.Errorf("%d goroutines, %d before", n, goroutines)
		}
		if n := openFiles(t); n > files {
			t.Errorf("%d files open, %d before", n, files)
		}
	})
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Error(err)
	}
	return len(entries)
}

// TestOpenWhileTablesChange makes dumps that the kernel calls interrupted.
func TestOpenWhileTablesChange(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		ip(t, "link set lo up")
		var start, churn []string
		for i := range 1500 {
			start = append(start, fmt.Sprintf("addr add 10.0.%d.%d/32 dev lo", i/250, i%250+1))
		}
		ipBatch(t, start)
		for i := range 4000 {
			churn = append(churn, fmt.Sprintf("addr add 10.9.%d.%d/32 dev lo", i/250, i%250+1),
				fmt.Sprintf("addr del 10.0.%d.%d/32 dev lo", i%1500/250, i%250+1),
				fmt.Sprintf("addr add 10.0.%d.%d/32 dev lo", i%1500/250, i%250+1))
		}
		churn = append(churn, "addr add 203.0.113.5/32 dev lo")
		cmd := exec.Command("ip", "-force", "-batch", "-")
		cmd.Stdin = strings.NewReader(strings.Join(churn, "\n"))
		if err := cmd.Start(); err != nil {
			t.Error(err)
			return
		}
		w, err := Open(nil) // it may log: an overrun is likely
		if err != nil {
			t.Error(err)
			return
		}
		defer w.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		sameAsTaken(t, w, until(t, w, "the end of the churn", func(s *Snapshot) bool {
			return len(s.Addrs) == 1500+4000+1+2
		}))
	})
}

// TestRandomChanges lets the kernel do what it does, silently or not, and
// then asks whether we noticed.
func TestRandomChanges(t *testing.T) {
	const seed = 20
	random := rand.New(rand.NewPCG(seed, seed))
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	command := func() string {
		link, table := pick("wan", "lte", "dsl"), pick("main", "7", "1001")
		host, metric := random.IntN(3)+1, random.IntN(2)*10
		switch random.IntN(30) {
		case 0:
			return fmt.Sprintf("link add %s type veth peer name %s", link, link+"x")
		case 1:
			return "link del " + link
		case 2, 3:
			return fmt.Sprintf("link set %s %s", pick(link, link+"x"), pick("up", "up", "up", "down"))
		case 4:
			return fmt.Sprintf("link set %s %s", link, pick("master br0", "nomaster"))
		case 5, 6, 7, 8, 9:
			return fmt.Sprintf("addr %s 203.0.113.%d/%s dev %s", pick("add", "add", "del"), host, pick("24", "32"), link)
		case 10, 11, 12:
			return fmt.Sprintf("addr %s 2001:db8::%d/64 dev %s nodad", pick("add", "add", "del"), host, link)
		case 13, 14, 15, 16, 17, 18:
			return fmt.Sprintf("route %s 0.0.0.0/0 dev %s table %s metric %d src 203.0.113.%d", pick("add", "replace", "append"), link, table, metric, host)
		case 19, 20, 21, 22:
			return fmt.Sprintf("route %s 0.0.0.0/0 table %s metric %d nexthop via 203.0.113.%d nexthop via 203.0.113.200", pick("add", "replace", "del"), table, metric, host+100)
		case 23, 24, 25, 26, 27:
			return fmt.Sprintf("route %s ::/0 via 2001:db8::%d dev %s table %s metric %d", pick("add", "replace", "append", "del"), host, link, table, metric+1)
		default:
			return fmt.Sprintf("route %s 0.0.0.0/0 table %s", pick("del", "flush"), table)
		}
	}
	inNamespace(t, func(t *testing.T) {
		ip(t, "link add br0 type bridge")
		ip(t, "link set lo up")
		for _, link := range []string{"wan", "lte", "dsl"} {
			ip(t, fmt.Sprintf("link add %s type veth peer name %sx", link, link))
			ip(t, "link set "+link+" up")
			ip(t, "link set "+link+"x up")
		}
		w := watch(t)
		routes := 0
		for round := range 25 {
			var commands []string
			for range 40 {
				commands = append(commands, strings.Replace(command(), " nodad", pick(" nodad", ""), 1))
			}
			marker := fmt.Sprintf("198.51.100.%d", round+1)
			cmd := exec.Command("ip", "-force", "-batch", "-")
			cmd.Stdin = strings.NewReader(strings.Join(commands, "\n"))
			_ = cmd.Run() // many are refused, and should be
			ip(t, "addr add "+marker+"/32 dev lo")
			s := until(t, w, "the last change", has("lo", marker))
			routes += len(s.Routes)
			if sameAsTaken(t, w, s); t.Failed() {
				t.Logf("after round %d:\n%s", round, strings.Join(commands, "\n"))
				return
			}
		}
		if routes < 20 {
			t.Errorf("only %d default routes seen: the test does not test", routes)
		}
	})
}

func TestTakeIsTheWholeTruth(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		wanWithRoutes(t)
		s, err := Take()
		if err != nil {
			t.Error(err)
			return
		}
		if a, ok := addrOn(s, "wan", "203.0.113.5"); !ok || a.Addr != netip.MustParseAddr("203.0.113.5") || s.Seq != 1 || len(s.Routes) != 2 || s.At.IsZero() {
			t.Errorf("got %+v", s)
		}
	})
}

// lines collects what is logged.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) add(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, fmt.Sprintf(format, args...))
}

func (l *lines) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.all)
}
