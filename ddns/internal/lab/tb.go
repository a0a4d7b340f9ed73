package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Patience is how long a wait lasts whose context has no deadline of its own.
const Patience = 30 * time.Second

// TB is what the laboratory needs of a test; *testing.T and *testing.B have
// it, and Run gives one to a program. Fatalf ends the calling goroutine.
type TB interface {
	Helper()
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
	Failed() bool
	Cleanup(func())
	TempDir() string
}

// packages names the Debian package of each program that the laboratory uses.
var packages = map[string]string{
	"busybox":   "busybox",
	"dhclient":  "isc-dhcp-client",
	"dnsmasq":   "dnsmasq-base",
	"ip":        "iproute2",
	"kea-dhcp6": "kea-dhcp6-server",
	"knotd":     "knot",
	"named":     "bind9",

	"miniupnpd":  "miniupnpd-nftables",
	"nft":        "nftables",
	"nsd":        "nsd",
	"radvd":      "radvd",
	"turnserver": "coturn",
	"unbound":    "unbound",
}

// Tool returns the path of a program of the laboratory, looking in the usual
// system directories too. A missing one fails the test and names its package.
func Tool(tb TB, name string) string {
	tb.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, dir := range []string{"/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path
		}
	}
	pkg := packages[name]
	if pkg == "" {
		pkg = name
	}
	tb.Fatalf("lab: %s is missing: apt-get install %s", name, pkg)
	return ""
}

// Main runs the tests of a package that uses the laboratory, and exits.
// Without root it runs them as root of a user namespace of their own.
func Main(m *testing.M) { asRoot(m.Run) }

// MainOf is Main for tests of the wanbeacon binary, built with the race
// detector: its path goes to binary.
func MainOf(m *testing.M, binary *string) {
	asRoot(func() int {
		dir, err := os.MkdirTemp("", "wanbeacon-tests-")
		if err == nil {
			defer os.RemoveAll(dir)
			*binary, err = Build(dir, "-race")
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	})
}

func asRoot(run func() (status int)) {
	if err := BecomeRoot(); err != nil {
		fmt.Fprintln(os.Stderr, "lab: neither root nor allowed a user namespace:", err)
		os.Exit(1)
	}
	os.Exit(run())
}

// inside marks the process that BecomeRoot started.
const inside = "WANBEACON_LAB_INSIDE"

// BecomeRoot returns at once for root. For anybody else it starts the program
// again in new user, mount and network namespaces, as their root and with a
// tmpfs on /run, and exits with its exit status.
func BecomeRoot() error {
	if os.Getenv(inside) != "" {
		os.Unsetenv(inside)
		if err := unix.Mount("tmpfs", "/run", "tmpfs", 0, "mode=755"); err != nil {
			return fmt.Errorf("tmpfs on /run: %w", err)
		}
		lo, err := netlink.LinkByName("lo")
		if err == nil {
			err = netlink.LinkSetUp(lo)
		}
		return err
	}
	if os.Geteuid() == 0 {
		return nil
	}
	runtime.LockOSThread() // the child is killed when this thread ends
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   unix.SIGKILL,
	}
	signal.Ignore(os.Interrupt) // the child is asked by the terminal too
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return err
	}
	if code := cmd.ProcessState.ExitCode(); code >= 0 {
		os.Exit(code)
	}
	os.Exit(1) // by a signal
	return nil
}

// Run gives a program what a test has: it calls f, then everything that f
// registered with Cleanup, whatever happened in f: an end, a Fatalf, a panic,
// SIGINT or SIGTERM. Messages go to standard error. It returns the exit status.
func Run(f func(tb TB)) int {
	p := &program{}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer func() {
			if r := recover(); r != nil {
				p.fail("panic: %v\n%s", r, debug.Stack())
			}
		}()
		f(p)
	}()
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(asked)
	select {
	case <-ended:
	case s := <-asked:
		p.fail("stopped by %v", s)
	}
	p.clean()
	if p.Failed() {
		return 1
	}
	return 0
}

// program is Run's TB.
type program struct {
	mu       sync.Mutex
	failed   bool
	cleanups []func()
}

func (p *program) Helper() {}

func (p *program) Logf(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func (p *program) fail(format string, args ...any) {
	p.mu.Lock()
	p.failed = true
	p.mu.Unlock()
	p.Logf(format, args...)
}

func (p *program) Fatalf(format string, args ...any) {
	p.fail(format, args...)
	runtime.Goexit()
}

func (p *program) Failed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failed
}

func (p *program) Cleanup(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cleanups = append(p.cleanups, f)
}

func (p *program) TempDir() string {
	dir, err := os.MkdirTemp("", "wanbeacon-lab-")
	if err != nil {
		p.Fatalf("lab: %v", err)
	}
	p.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// clean runs the cleanups, the last one first; each on its own goroutine, as
// a Fatalf within must not keep the others from running.
func (p *program) clean() {
	for {
		p.mu.Lock()
		n := len(p.cleanups) - 1
		if n < 0 {
			p.mu.Unlock()
			return
		}
		f := p.cleanups[n]
		p.cleanups = p.cleanups[:n]
		p.mu.Unlock()
		done := make(chan struct{})
		go func() {
			defer close(done)
			f()
		}()
		<-done
	}
}
