package lab_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

func TestMain(m *testing.M) { lab.Main(m) }

func TestRouterReachesISP(t *testing.T) {
	l := lab.New(t)
	l.ISPLink.Add("198.18.0.1/24")
	l.WAN.Add("198.18.0.7/24")
	l.WAN.DefaultVia("198.18.0.1")
	if a := l.WAN.WaitAddr(t.Context(), "198.18.0.0/24"); a.Prefix.String() != "198.18.0.7/24" {
		t.Errorf("address is %v", a.Prefix)
	}
	l.WAN.WaitDefault(t.Context(), 4)
	listener, err := l.ISP.Listen("tcp", "198.18.0.1:80")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go l.Router.Output("sh", "-c", "busybox wget -q -O - http://198.18.0.1/")
	c, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := c.RemoteAddr().String(); !strings.HasPrefix(got, "198.18.0.7:") {
		t.Errorf("connection from %s", got)
	}
}

func TestResolvConfIsTheNamespaces(t *testing.T) {
	l := lab.New(t)
	l.Router.ResolvConf("nameserver 198.18.0.53\n")
	if got := l.Router.Run("cat", "/etc/resolv.conf"); got != "nameserver 198.18.0.53\n" {
		t.Errorf("router sees %q", got)
	}
	if got := l.ISP.Run("cat", "/etc/resolv.conf"); got != "" {
		t.Errorf("ISP sees %q", got)
	}
	if own, err := os.ReadFile("/etc/resolv.conf"); err == nil && strings.Contains(string(own), "198.18.0.53") {
		t.Error("the test itself sees the router's")
	}
}

func TestNothingIsLeft(t *testing.T) {
	var router, isp string
	var p *lab.Process
	var orphan int
	t.Run("inner", func(t *testing.T) {
		l := lab.New(t)
		router, isp = l.Router.Name, l.ISP.Name
		p = l.Router.Spawn("sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo pid $!; wait")
		pid, err := strconv.Atoi(strings.TrimPrefix(p.WaitLine(t.Context(), "pid").Text, "pid "))
		if err != nil {
			t.Fatal(err)
		}
		if orphan, err = unix.PidfdOpen(pid, 0); err != nil {
			t.Fatal(err)
		}
	})
	defer unix.Close(orphan)
	for _, name := range []string{router, isp} {
		if _, err := os.Stat("/run/netns/" + name); err == nil {
			t.Errorf("%s is left", name)
		}
	}
	select {
	case <-p.Ended():
	default:
		t.Error("what was started is left")
	}
	if n, err := unix.Poll([]unix.PollFd{{Fd: int32(orphan), Events: unix.POLLIN}}, 5000); n != 1 {
		t.Errorf("its child is left (%v)", err)
	}
}

func TestStaleNamespacesGo(t *testing.T) {
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	name := "wb-" + strconv.Itoa(gone.Process.Pid) + "-1-router"
	if out, err := exec.Command(lab.Tool(t, "ip"), "netns", "add", name).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	lab.New(t)
	if _, err := os.Stat(filepath.Join("/run/netns", name)); err == nil {
		t.Error("stale namespace is left")
	}
}
