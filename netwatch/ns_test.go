package netwatch

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
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

func setSysctl(t *testing.T, name, value string) {
	t.Helper()
	// /proc/thread-self: the namespace of this thread, not of the process.
	path := "/proc/sys/net/" + name
	if err := os.WriteFile(path, []byte(value), 0o644); err != nil {
		t.Errorf("sysctl: %v", err)
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
