package bench

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// arrival is a request at the server.
type arrival struct {
	from netip.Addr
	at   lab.Instant // when its first byte was there
}

const answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\ngood "

// serve is the server's program: one connection after the other, and a line
// for each request. It never returns.
func serve(addr netip.AddrPort) {
	runtime.LockOSThread()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must("socket", err)
	must("bind", unix.Bind(fd, &unix.SockaddrInet4{Addr: addr.Addr().As4(), Port: int(addr.Port())}))
	must("listen", unix.Listen(fd, 64))
	buf := make([]byte, 4096)
	fmt.Println("ready")
	for {
		var from unix.RawSockaddrInet4
		size := uint32(unix.SizeofSockaddrInet4)
		c, _, errno := unix.RawSyscall(unix.SYS_ACCEPT, uintptr(fd), uintptr(unsafe.Pointer(&from)), uintptr(unsafe.Pointer(&size)))
		if errno != 0 {
			continue
		}
		n, errno := raw(unix.SYS_READ, int(c), unsafe.Pointer(&buf[0]), uintptr(len(buf)))
		at := lab.Now()
		if errno == 0 && n > 0 {
			peer := netip.AddrFrom4(from.Addr)
			text := answer + peer.String()
			unix.Write(int(c), []byte(text))
			fmt.Println(int64(at), peer)
		}
		unix.Close(int(c))
	}
}

// plainServer starts it in a process of its own.
func plainServer(l *lab.Lab, addr netip.AddrPort) <-chan arrival {
	lines := start(l, l.ISP, "server", addr, measuring)
	arrivals := make(chan arrival, 16)
	go func() {
		for line := range lines {
			var at int64
			var from string
			if _, err := fmt.Sscan(line, &at, &from); err == nil {
				arrivals <- arrival{netip.MustParseAddr(from), lab.Instant(at)}
			}
		}
	}()
	return arrivals
}

// tlsServer serves beside the measurement, with a certificate of ca.
func tlsServer(l *lab.Lab, addr netip.AddrPort, ca *lab.CA) <-chan arrival {
	listener, err := l.ISP.Listen("tcp", addr.String())
	if err != nil {
		l.Fatalf("bench: %v", err)
	}
	l.Cleanup(func() { listener.Close() })
	config := &tls.Config{Certificates: []tls.Certificate{ca.Server(false, addr.Addr().String())}}
	arrivals := make(chan arrival, 16)
	go func() {
		buf := make([]byte, 4096)
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			peer := c.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Unmap()
			conn := tls.Server(c, config)
			if _, err := conn.Read(buf); err == nil {
				at := lab.Now()
				conn.Write([]byte(answer + peer.String()))
				arrivals <- arrival{peer, at}
			}
			conn.Close()
		}
	}()
	return arrivals
}

// role, in the environment, makes the test binary one of the programs here;
// its arguments follow after commas.
const role = "WANBEACON_BENCH_ROLE"

// play is what the test binary does as one of them.
func play(text string) {
	name, addr, _ := strings.Cut(text, ",")
	at := netip.MustParseAddrPort(addr)
	switch name {
	case "bare", "bareTLS":
		bare(at, name == "bareTLS")
	case "server":
		serve(at)
	}
}

// start starts a role in a namespace, waits until it is ready and returns
// what it prints from then on.
func start(l *lab.Lab, ns *lab.Namespace, name string, addr netip.AddrPort, processor int) <-chan string {
	self, err := os.Executable()
	if err != nil {
		l.Fatalf("bench: %v", err)
	}
	cmd := exec.Command(self)
	// A thread that is in a raw system call cannot be preempted: no signals.
	cmd.Env = append(os.Environ(), role+"="+name+","+addr.String(), "GODEBUG=asyncpreemptoff=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = ns.Start(cmd)
	}
	if err != nil {
		l.Fatalf("bench: %s: %v", name, err)
	}
	l.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	pin(cmd.Process.Pid, processor)
	lines := make(chan string, 16)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
	}()
	if _, ok := <-lines; !ok {
		l.Fatalf("bench: %s has ended", name)
	}
	return lines
}
