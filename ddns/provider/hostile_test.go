package provider

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestHostileServers: whatever a server does, there is one outcome, in time,
// with a harmless text, and little memory is used.
func TestHostileServers(t *testing.T) {
	megabytes := strings.Repeat("good 203.0.113.250 ", 10<<20/19)
	forever := func(piece string) func(net.Conn, string, int) {
		return func(conn net.Conn, _ string, _ int) {
			for {
				if _, err := conn.Write([]byte(piece)); err != nil {
					return
				}
			}
		}
	}
	// drip writes until the client goes away, a byte at a time.
	drip := func(text string) func(net.Conn, string, int) {
		return func(conn net.Conn, _ string, _ int) {
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			for i := 0; ; i++ {
				<-tick.C
				if _, err := conn.Write([]byte{text[i%len(text)]}); err != nil {
					return
				}
			}
		}
	}
	for _, c := range []struct {
		name  string
		serve func(net.Conn, string, int)
		want  Class
		text  string
	}{
		{"10 MB body", raw(answerOf("200 OK", "", megabytes)), Updated, "good"},
		{"10 MB body without a length", raw("HTTP/1.1 200 OK\r\n\r\n" + megabytes), Updated, "good"},
		{"10 MB chunk", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na00000\r\n" + megabytes), Updated, "good"},
		{"endless chunk size", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;" + strings.Repeat("x", 1<<20)), Network, "too long"},
		{"negative chunk size", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\ngood"), Network, "chunk size"},
		{"endless header", forever("X-More: and more\r\n"), Network, "not HTTP"},
		{"endless header after the status", func(conn net.Conn, _ string, _ int) {
			conn.Write([]byte("HTTP/1.1 200 OK\r\n"))
			forever("X-More: and more\r\n")(conn, "", 0)
		}, Network, "header is too long"},
		{"endless header line", func(conn net.Conn, _ string, _ int) {
			conn.Write([]byte("HTTP/1.1 200 OK\r\nX-More: "))
			forever("more")(conn, "", 0)
		}, Network, "header is too long"},
		{"interim answers without end", forever("HTTP/1.1 100 Continue\r\n\r\n"), Network, "too long"},
		{"slow drip of a header", drip("HTTP/1.1 200 OK\r\nX-More: more\r\n"), Network, "no answer within"},
		{"slow drip of a body", func(conn net.Conn, _ string, _ int) {
			conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n"))
			drip("good ")(conn, "", 0)
		}, Network, "no answer within"},
		{"R38 never an answer", func(conn net.Conn, _ string, _ int) { conn.Read(make([]byte, 1)) }, Network, "no answer within"},
		{"gzip uninvited", raw(answerOf("200 OK", "Content-Encoding: gzip\r\n", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03")), Unknown, "compressed"},
		{"control characters", raw(answerOf("200 OK", "", "a\x1b[2Jb\x00c\nd\u202e")), Unknown, `"a\x1b[2Jb\x00c\nd\u202e"`},
		{"invalid UTF-8", raw(answerOf("200 OK", "", "a\xff\xfeb")), Unknown, `"a\xff\xfeb"`},
		{"the secret in the answer", raw(answerOf("200 OK", "", "abc123:secret YWJjMTIzOnNlY3JldA== SECRET")), Unknown, `"abc123:*** *** ***"`},
		{"absurd length", raw("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\ngood"), Network, "content length"},
		{"huge length", raw("HTTP/1.1 200 OK\r\nContent-Length: 4611686018427387903\r\n\r\ngood"), Network, "middle"},
		{"closed in the status line", raw("HTTP/1."), Network, "middle"},
		{"closed in the header", raw("HTTP/1.1 200 OK\r\nServer: x"), Network, "middle"},
		{"closed in a chunk", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ngood"), Network, "middle"},
		{"no status", raw("HTTP/1.1 \r\n\r\n"), Network, "not HTTP"},
		{"status 99", raw("HTTP/1.1 099 X\r\n\r\n"), Network, "not HTTP"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newPeer(t, c.serve)
			p := account(t, "dyn", "http://"+s.addr, nil)
			if p.opt.Timeout = time.Minute; c.text == "no answer within" {
				p.opt.Timeout = 300 * time.Millisecond
			}
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			o := p.Send(t.Context(), Origin{}, update4("a.dyndns.org"))[0]
			runtime.ReadMemStats(&after)
			if o.Class != c.want || !strings.Contains(o.Text, c.text) || o.Text == "" {
				t.Errorf("%q: %s; want %q with %q", o.Class, o.Text, c.want, c.text)
			}
			if hasControl(o.Text) || len([]rune(o.Text)) > maxText || !o.Sent {
				t.Errorf("%+v", o)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 && !strings.Contains(c.name, "without end") {
				t.Errorf("%d bytes used", used)
			}
		})
	}
}

// TestCancellation: Send returns when its context ends, at whatever stage.
func TestCancellation(t *testing.T) {
	ca := newTestCA(t)
	for _, scheme := range []string{"http", "https"} {
		t.Run(scheme, func(t *testing.T) {
			l, err := net.Listen("tcp4", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			reached := make(chan net.Conn, 1)
			go func() {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				conn.Read(make([]byte, 1)) // the request, or the TLS greeting, has come
				reached <- conn
			}()
			p := account(t, "dyn", fmt.Sprintf("%s://%s", scheme, l.Addr()), nil)
			p.opt.Timeout = time.Minute
			p.transport.tls.caFile = ca.file
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan Outcome)
			go func() { done <- p.Send(ctx, Origin{}, update4("a.dyndns.org"))[0] }()
			conn := <-reached
			defer conn.Close()
			start := time.Now()
			cancel()
			o := <-done
			if d := time.Since(start); d > time.Second {
				t.Errorf("took %v", d)
			}
			checkOutcome(t, o, Outcome{Class: Network, Text: "interrupted", Sent: scheme == "http"})
		})
	}
}
