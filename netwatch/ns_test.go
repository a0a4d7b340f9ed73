package netwatch

import (
	"errors"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// inNamespace runs the test in a network namespace of its own. The thread is
// never unlocked: the runtime throws it away with the goroutine, so that no
// other test finds itself in there. It needs root, or root in a user
// namespace as `unshare -Urn` makes.
func inNamespace(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			t.Errorf("unshare: %v (run as root or inside `unshare -Urn`)", err)
			return
		}
		test(t)
	}()
	<-finished
}

// ip runs one line of iproute2's ip in the namespace of the calling thread;
// a child inherits it from the thread that starts it.
func ip(t *testing.T, line string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
		t.Errorf("ip %s: %v: %s", line, err, out)
		runtime.Goexit()
	}
}

// addTunnel makes a point-to-point link, as pppd would. Where the machine does
// not let us have one it is a veth, which takes far ends as well.
func addTunnel(t *testing.T, name string) (pointToPoint bool) {
	t.Helper()
	if exec.Command("ip", "tuntap", "add", name, "mode", "tun").Run() == nil {
		return true
	}
	ip(t, "link add "+name+" type veth peer name "+name+"x")
	return false
}

// ipBatch runs many lines in one process.
func ipBatch(t *testing.T, lines []string) {
	t.Helper()
	cmd := exec.Command("ip", "-batch", "-")
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("ip -batch: %v: %.300s", err, out)
		runtime.Goexit()
	}
}

// watch opens a Watcher whose log lines fail the test unless they are expected.
func watch(t *testing.T) *Watcher {
	t.Helper()
	w, err := Open(func(format string, args ...any) { t.Errorf("logged: "+format, args...) })
	if err != nil {
		t.Error(err)
		runtime.Goexit()
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// until reads snapshots up to the first that is as wanted.
func until(t *testing.T, w *Watcher, what string, wanted func(s *Snapshot) bool) *Snapshot {
	t.Helper()
	limit := time.After(10 * time.Second)
	var last *Snapshot
	for {
		select {
		case s, ok := <-w.Snapshots():
			if !ok {
				t.Errorf("closed while waiting for %s", what)
				runtime.Goexit()
			}
			last = s
			if wanted(s) {
				return s
			}
		case <-limit:
			t.Errorf("no snapshot with %s; the last was %+v", what, last)
			runtime.Goexit()
		}
	}
}

func addrOn(s *Snapshot, link, addr string) (Addr, bool) {
	l, ok := s.LinkByName(link)
	if !ok {
		return Addr{}, false
	}
	for _, a := range s.Addrs {
		if a.Link == l.Index && a.Addr.String() == addr {
			return a, true
		}
	}
	return Addr{}, false
}

func has(link, addr string) func(*Snapshot) bool {
	return func(s *Snapshot) bool { _, ok := addrOn(s, link, addr); return ok }
}

func hasNot(link, addr string) func(*Snapshot) bool {
	return func(s *Snapshot) bool { _, ok := addrOn(s, link, addr); return !ok }
}

// wanWithRoutes makes wan, with carrier, an address and a default route of each family.
func wanWithRoutes(t *testing.T) {
	t.Helper()
	ip(t, "link add wan type veth peer name isp")
	ip(t, "link set isp up")
	ip(t, "link set wan up")
	ip(t, "addr add 203.0.113.5/24 dev wan")
	ip(t, "route add default via 203.0.113.1")
	ip(t, "addr add 2001:db8::5/64 dev wan nodad")
	ip(t, "-6 route add default via 2001:db8::1")
}

// equalRoutes compares in any order.
func equalRoutes(a, b []Route) bool {
	if len(a) != len(b) {
		return false
	}
	for _, r := range a {
		if !slices.Contains(b, r) {
			return false
		}
	}
	return true
}

// sameAsTaken compares a snapshot made from events with one read afresh. Since
// the kernel goes on by itself, detecting duplicates of link-local addresses,
// both views are taken again until they agree.
func sameAsTaken(t *testing.T, w *Watcher, s *Snapshot) {
	t.Helper()
	var fresh *Snapshot
	for limit := time.Now().Add(5 * time.Second); time.Now().Before(limit); {
		var err error
		if fresh, err = Take(); err != nil {
			t.Error(err)
			return
		}
		if sameState(s, fresh) {
			return
		}
		select {
		case s = <-w.Snapshots():
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Errorf("watched %+v\nbut the kernel has %+v", s, fresh)
}

func sameState(a, b *Snapshot) bool {
	return slices.Equal(a.Links, b.Links) && slices.Equal(a.Routes, b.Routes) &&
		slices.EqualFunc(a.Addrs, b.Addrs, func(x, y Addr) bool { return sameAddr(&x, &y, b.At) })
}

func wantErrno(t *testing.T, what string, err error, want syscall.Errno) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}
