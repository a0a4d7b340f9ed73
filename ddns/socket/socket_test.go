package socket

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// TestTCP has a peer on the same machine, which answers before connect returns.
func TestTCP(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan []byte, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		b, _ := io.ReadAll(conn)
		got <- b
	}()
	to := l.Addr().(*net.TCPAddr).AddrPort()
	message := []byte("GET / HTTP/1.1\r\n\r\n")
	conn, notPermitted, err := TCP(t.Context(), to, "", netip.MustParseAddr("127.0.0.2"), message, func() {})
	if err != nil || notPermitted {
		t.Fatal(err, notPermitted)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		if on, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NODELAY); err != nil || on != 1 {
			t.Errorf("TCP_NODELAY is %d, %v", on, err)
		}
	})
	if _, err := conn.Write(message[conn.Early:]); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if b := <-got; !bytes.Equal(b, message) {
		t.Errorf("the peer got %q, of which %d bytes early", b, conn.Early)
	}
}

func TestTCPRefused(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	to := l.Addr().(*net.TCPAddr).AddrPort()
	l.Close()
	conn, _, err := TCP(t.Context(), to, "", netip.Addr{}, []byte("x"), func() {})
	if err == nil {
		conn.Close()
		t.Fatal("connected to nobody")
	}
	if NoPath(err) {
		t.Errorf("%v counts as no way out", err)
	}
}
