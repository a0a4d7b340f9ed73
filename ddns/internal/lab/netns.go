package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Lab is one laboratory: a router and its provider of internet access, joined
// by one wire. All of it goes when the test ends.
type Lab struct {
	TB
	Router, ISP *Namespace
	WAN         *Link // the router's end, "wan": up, without addresses
	ISPLink     *Link // the provider's end, "isp0"

	id    string // "wb-PID-N"
	world *Namespace
}

// count numbers the laboratories of this process.
var count atomic.Int64

// killAll ends every process in a namespace of a laboratory, whoever their
// parents were: a program may leave children behind.
func killAll(tb TB, namespace string) {
	tb.Helper()
	out, _ := exec.Command(Tool(tb, "ip"), "netns", "pids", namespace).Output()
	for _, word := range strings.Fields(string(out)) {
		if pid, err := strconv.Atoi(word); err == nil && pid != os.Getpid() {
			unix.Kill(pid, unix.SIGKILL) // an error says that it has ended
		}
	}
}

// New makes a laboratory. It fails the test when it cannot.
func New(tb TB) *Lab {
	tb.Helper()
	l := &Lab{TB: tb, id: fmt.Sprintf("wb-%d-%d", os.Getpid(), count.Add(1))}
	removeStale(tb)
	l.Router = l.Namespace("router")
	l.ISP = l.Namespace("isp")
	l.WAN, l.ISPLink = l.Wire(l.Router, "wan", l.ISP, "isp0")
	return l
}

// Loopback returns a laboratory without namespaces: for providers and name
// servers where the test runs, with nil for the namespace. It needs no root.
func Loopback(tb TB) *Lab { return &Lab{TB: tb} }

// removeStale removes the namespaces of laboratories whose process is gone.
// What was started in them died with that process; its children may not have.
func removeStale(tb TB) {
	tb.Helper()
	paths, _ := filepath.Glob("/run/netns/wb-*-*-*")
	for _, path := range paths {
		name := filepath.Base(path)
		pid, err := strconv.Atoi(strings.Split(name, "-")[1])
		if err != nil || unix.Kill(pid, 0) == nil || errors.Is(unix.Kill(pid, 0), unix.EPERM) {
			continue
		}
		killAll(tb, name)
		// Another process may be removing it too: only what remains counts.
		out, err := exec.Command(Tool(tb, "ip"), "netns", "del", name).CombinedOutput()
		if _, gone := os.Stat(path); err != nil && gone == nil {
			tb.Logf("lab: stale namespace %s stays: %v: %s", name, err, out)
		}
	}
}

// ip runs ip(8) outside of all namespaces of the laboratory.
func (l *Lab) ip(args ...string) {
	l.Helper()
	if out, err := exec.Command(Tool(l, "ip"), args...).CombinedOutput(); err != nil {
		l.Fatalf("lab: ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// Wire joins two namespaces by a veth pair, both ends up and without addresses.
func (l *Lab) Wire(a *Namespace, nameA string, b *Namespace, nameB string) (*Link, *Link) {
	l.Helper()
	l.ip("link", "add", nameA, "netns", a.Name, "type", "veth", "peer", "name", nameB, "netns", b.Name)
	left, right := a.Link(nameA), b.Link(nameB)
	left.peer, right.peer = right, left
	right.Up()
	left.Up()
	return left, right
}

// AddWAN gives the router one more wire to the provider of internet access:
// wanN there, ispN here, from "wan2" and "isp2" on if named so.
func (l *Lab) AddWAN(router, isp string) (*Link, *Link) {
	l.Helper()
	return l.Wire(l.Router, router, l.ISP, isp)
}

// World returns the namespace behind the provider of internet access. The
// first call makes it, with the wire from "core0" in the ISP to "net0" in the
// world, and lets the ISP forward; addresses and routes are the caller's.
func (l *Lab) World() *Namespace {
	l.Helper()
	if l.world == nil {
		l.world = l.Namespace("world")
		l.Wire(l.ISP, "core0", l.world, "net0")
		l.ISP.Sysctl("net/ipv4/ip_forward", "1")
		l.ISP.Sysctl("net/ipv6/conf/all/forwarding", "1")
	}
	return l.world
}

// Namespace is a network namespace with a file of its own over
// /etc/resolv.conf for the processes that are started in it.
type Namespace struct {
	Name string // as `ip netns` lists it

	lab    *Lab
	fd     int // of the network namespace
	resolv string
	jobs   chan func() // run by the thread that starts processes
	handle *netlink.Handle
}

// Namespace makes one more namespace, with its loopback up.
func (l *Lab) Namespace(role string) *Namespace {
	l.Helper()
	ns := &Namespace{Name: l.id + "-" + role, lab: l, fd: -1, jobs: make(chan func())}
	l.ip("netns", "add", ns.Name)
	l.Cleanup(ns.remove)
	var err error
	if ns.fd, err = unix.Open("/run/netns/"+ns.Name, unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		l.Fatalf("lab: %s: %v", ns.Name, err)
	}
	ns.resolv = filepath.Join(l.TempDir(), "resolv.conf")
	if err := os.WriteFile(ns.resolv, nil, 0o644); err != nil {
		l.Fatalf("lab: %v", err)
	}
	ready := make(chan error)
	onThread(func() { ns.work(ready) })
	if err := <-ready; err != nil {
		l.Fatalf("lab: %s: %v", ns.Name, err)
	}
	if err := ns.Do(func() (err error) {
		ns.handle, err = netlink.NewHandle(unix.NETLINK_ROUTE)
		return err
	}); err != nil {
		l.Fatalf("lab: %s: netlink: %v", ns.Name, err)
	}
	ns.IP("link", "set", "lo", "up")
	return ns
}

// remove ends what still runs in the namespace, and takes it away.
func (ns *Namespace) remove() {
	killAll(ns.lab, ns.Name)
	close(ns.jobs)
	if ns.handle != nil {
		ns.handle.Close()
	}
	if ns.fd >= 0 {
		unix.Close(ns.fd)
	}
	if out, err := exec.Command(Tool(ns.lab, "ip"), "netns", "del", ns.Name).CombinedOutput(); err != nil {
		ns.lab.Logf("lab: ip netns del %s: %v: %s", ns.Name, err, out)
	}
}

// onThread runs f on a thread of its own that ends with f, so that f may
// leave it in any namespace. It is never the main thread, whose namespaces
// /proc/self shows.
func onThread(f func()) {
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() != unix.Getpid() {
			f()
			return // still locked: the thread ends here
		}
		onOther := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			close(onOther)
			f()
		}()
		<-onOther
		runtime.UnlockOSThread()
	}()
}

// work is the life of the thread that starts the namespace's processes. It
// has a mount namespace, in which resolv.conf is the laboratory's.
func (ns *Namespace) work(ready chan<- error) {
	ready <- func() error {
		if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
			return fmt.Errorf("new mount namespace: %w", err)
		}
		if err := unix.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("mounts: %w", err)
		}
		target, err := resolvTarget()
		if err != nil {
			return err
		}
		if err := unix.Mount(ns.resolv, target, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount over %s: %w", target, err)
		}
		return unix.Setns(ns.fd, unix.CLONE_NEWNET)
	}()
	for job := range ns.jobs {
		job()
	}
}

// resolvTarget returns the file that /etc/resolv.conf leads to. Where a
// tmpfs hides what it points to in /run, that is made.
func resolvTarget() (string, error) {
	const path = "/etc/resolv.conf"
	target, err := filepath.EvalSymlinks(path)
	if err == nil {
		return target, nil
	}
	link, err2 := os.Readlink(path)
	if err2 != nil {
		return "", err
	}
	if !filepath.IsAbs(link) {
		link = filepath.Join(filepath.Dir(path), link)
	}
	if !strings.HasPrefix(link, "/run/") {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
		return "", err
	}
	return link, os.WriteFile(link, nil, 0o644)
}

// Do runs f on a thread inside the network namespace: what it opens belongs
// there and can be used from anywhere afterwards. f must not fail the test.
func (ns *Namespace) Do(f func() error) error {
	done := make(chan error, 1)
	onThread(func() {
		if err := unix.Setns(ns.fd, unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("enter %s: %w", ns.Name, err)
			return
		}
		done <- f()
	})
	return <-done
}

// Start starts a command inside the namespace. It is killed when the
// namespace goes, or when this process ends. Waiting for it is the caller's.
func (ns *Namespace) Start(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = unix.SIGKILL
	done := make(chan error)
	ns.jobs <- func() { done <- cmd.Start() }
	return <-done
}

// Output runs a command inside the namespace and returns its standard output
// and standard error, and the error of its exit status, if any.
func (ns *Namespace) Output(name string, args ...string) (stdout, stderr string, err error) {
	cmd := exec.Command(name, args...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err = ns.Start(cmd); err == nil {
		err = cmd.Wait()
	}
	return out.String(), errs.String(), err
}

// Run runs a program of the system inside the namespace and returns what it
// printed. An exit status other than 0 fails the test.
func (ns *Namespace) Run(name string, args ...string) string {
	ns.lab.Helper()
	stdout, stderr, err := ns.Output(Tool(ns.lab, name), args...)
	if err != nil {
		ns.lab.Fatalf("lab: %s: %s %s: %v: %s", ns.Name, name, strings.Join(args, " "), err, stderr)
	}
	return stdout
}

// IP runs ip(8) inside the namespace.
func (ns *Namespace) IP(args ...string) string {
	ns.lab.Helper()
	return ns.Run("ip", args...)
}

// Sysctl writes a setting below /proc/sys, such as
// "net/ipv6/conf/wan/accept_dad", inside the namespace.
func (ns *Namespace) Sysctl(key, value string) {
	ns.lab.Helper()
	if err := ns.Do(func() error { return os.WriteFile("/proc/sys/"+key, []byte(value), 0) }); err != nil {
		ns.lab.Fatalf("lab: %s: sysctl: %v", ns.Name, err)
	}
}

// ResolvConf replaces the text of /etc/resolv.conf as the namespace's
// processes see it; it is empty at first. It is written in place.
func (ns *Namespace) ResolvConf(text string) {
	ns.lab.Helper()
	if err := os.WriteFile(ns.resolv, []byte(text), 0o644); err != nil {
		ns.lab.Fatalf("lab: %v", err)
	}
}

// Listen is net.Listen inside the namespace; nil is where the test runs.
func (ns *Namespace) Listen(network, address string) (l net.Listener, err error) {
	var c net.ListenConfig
	listen := func() (err error) {
		l, err = c.Listen(context.Background(), network, address)
		return err
	}
	if ns == nil {
		return l, listen()
	}
	err = ns.Do(listen)
	return l, err
}

// ListenPacket is net.ListenPacket inside the namespace; nil is where the
// test runs.
func (ns *Namespace) ListenPacket(network, address string) (c net.PacketConn, err error) {
	listen := func() (err error) {
		c, err = net.ListenPacket(network, address)
		return err
	}
	if ns == nil {
		return c, listen()
	}
	err = ns.Do(listen)
	return c, err
}
