package provider

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/socket"
)

// nameServer is a DNS server over UDP on loopback.
type nameServer struct {
	conn net.PacketConn
	// answer gives the addresses; nil addresses: no answer at all.
	answer func(name string) ([]netip.Addr, dnsmessage.RCode)
	asked  chan string // names, as they come in; never full in these tests
}

func newNameServer(t *testing.T, addr string, answer func(string) ([]netip.Addr, dnsmessage.RCode)) *nameServer {
	t.Helper()
	conn, err := net.ListenPacket("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{conn: conn, answer: answer, asked: make(chan string, 1000)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.serve()
	}()
	t.Cleanup(func() { conn.Close(); <-done })
	return s
}

func (s *nameServer) port() uint16 { return uint16(s.conn.LocalAddr().(*net.UDPAddr).Port) }

func (s *nameServer) serve() {
	buf := make([]byte, 1500)
	for {
		n, from, err := s.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
			continue
		}
		q := m.Questions[0]
		s.asked <- q.Name.String()
		addrs, rcode := s.answer(q.Name.String())
		if addrs == nil && rcode == 0 {
			continue
		}
		m.Header.Response, m.Header.RCode, m.Header.RecursionAvailable = true, rcode, true
		m.Additionals = nil
		for _, a := range addrs {
			h := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 60}
			if a.Is4() && q.Type == dnsmessage.TypeA {
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: a.As4()}})
			}
			if a.Is6() && q.Type == dnsmessage.TypeAAAA {
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
			}
		}
		if out, err := m.Pack(); err == nil {
			s.conn.WriteTo(out, from)
		}
	}
}

func gives(addrs ...string) func(string) ([]netip.Addr, dnsmessage.RCode) {
	list := []netip.Addr{}
	for _, a := range addrs {
		list = append(list, netip.MustParseAddr(a))
	}
	return func(string) ([]netip.Addr, dnsmessage.RCode) { return list, 0 }
}

func refuses(rcode dnsmessage.RCode) func(string) ([]netip.Addr, dnsmessage.RCode) {
	return func(string) ([]netip.Addr, dnsmessage.RCode) { return nil, rcode }
}

func silent(string) ([]netip.Addr, dnsmessage.RCode) { return nil, 0 }

// resolvConf writes a resolv.conf with these servers.
func resolvConf(t *testing.T, path string, servers ...string) string {
	t.Helper()
	if path == "" {
		path = filepath.Join(t.TempDir(), "resolv.conf")
	}
	text := "# made by a test\nsearch lan\n"
	for _, s := range servers {
		text += "nameserver " + s + "\n"
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLookup(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(string) ([]netip.Addr, dnsmessage.RCode)
		family config.Family
		want   string
	}{
		{"both families", gives("203.0.113.1", "2001:db8::1"), 0, "203.0.113.1 2001:db8::1"},
		{"one family asked for", gives("203.0.113.1", "2001:db8::1"), config.IPv6, "2001:db8::1"},
		{"no such name is final", refuses(dnsmessage.RCodeNameError), 0, "did not resolve"},
		{"no address is final", gives(), 0, "did not resolve"},
		{"SERVFAIL is repeated until the time is over", refuses(dnsmessage.RCodeServerFailure), 0, "did not resolve"},
		{"silence", silent, 0, "no name server answers"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newNameServer(t, "127.0.0.1:0", c.answer)
			r := newResolver()
			r.path, r.port = resolvConf(t, "", "127.0.0.1"), s.port()
			ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
			defer cancel()
			addrs, err := r.lookup(ctx, "dyn.example.net", c.family)
			got := strings.Trim(fmt.Sprint(addrs), "[]")
			if err != nil {
				got = err.Error()
			}
			for _, part := range strings.Fields(c.want) {
				if !strings.Contains(got, part) {
					t.Errorf("%q, want %q", got, c.want)
				}
			}
			if name := <-s.asked; name != "dyn.example.net." {
				t.Errorf("asked for %s", name)
			}
		})
	}
}

// TestResolvConfIsReadEachTime: when the WAN comes up the file changes.
func TestResolvConfIsReadEachTime(t *testing.T) {
	old := newNameServer(t, "127.0.0.1:0", refuses(dnsmessage.RCodeServerFailure))
	s := newNameServer(t, fmt.Sprint("127.0.0.2:", old.port()), gives("203.0.113.1"))
	r := newResolver()
	r.path, r.port = resolvConf(t, "", "127.0.0.1"), s.port()
	done := make(chan error, 1)
	go func() {
		_, err := r.lookup(t.Context(), "dyn.example.net", 0)
		done <- err
	}()
	<-old.asked
	resolvConf(t, r.path, "127.0.0.2")
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := r.known("dyn.example.net"); len(got) != 1 {
		t.Errorf("%v", got)
	}
}

// TestServersAreAskedBesideEachOther: a silent first server costs little.
func TestServersAreAskedBesideEachOther(t *testing.T) {
	first := newNameServer(t, "127.0.0.1:0", silent)
	newNameServer(t, fmt.Sprint("127.0.0.2:", first.port()), gives("203.0.113.1"))
	r := newResolver()
	r.path, r.port = resolvConf(t, "", "127.0.0.1", "127.0.0.2"), first.port()
	ctx, cancel := context.WithTimeout(t.Context(), lookupAttempt)
	defer cancel()
	if _, err := r.lookup(ctx, "dyn.example.net", 0); err != nil {
		t.Fatal(err)
	}
}

func TestHostsFileComesFirst(t *testing.T) {
	s := newNameServer(t, "127.0.0.1:0", gives("203.0.113.1", "2001:db8::1"))
	path := filepath.Join(t.TempDir(), "hosts")
	text := "127.0.0.1 localhost\n# 192.0.2.1 dyn.example.net\n192.0.2.7\tx dyn.example.net # y\n::ffff:192.0.2.8 dyn.example.net\nnot an dyn.example.net\n" +
		"192.0.2.9 not.dyn.example.net\n2001:db8::7 only6.example.net\n\n  \n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		host   string
		family config.Family
		want   string
		asked  bool
	}{
		{"dyn.example.net", 0, "[192.0.2.7 192.0.2.8]", false},
		{"dyn.example.net", config.IPv4, "[192.0.2.7 192.0.2.8]", false},
		{"dyn.example.net", config.IPv6, "[2001:db8::1]", true},
		{"only6.example.net", config.IPv6, "[2001:db8::7]", false},
		{"only6.example.net", config.IPv4, "[203.0.113.1]", true},
		{"example.net", config.IPv4, "[203.0.113.1]", true},
	} {
		r := newResolver()
		r.hosts, r.path, r.port = path, resolvConf(t, "", "127.0.0.1"), s.port()
		addrs, err := r.lookup(t.Context(), c.host, c.family)
		if err != nil || fmt.Sprint(addrs) != c.want || (len(s.asked) > 0) != c.asked {
			t.Errorf("%s %v: %v %v, asked %d times", c.host, c.family, addrs, err, len(s.asked))
		}
		for len(s.asked) > 0 {
			<-s.asked
		}
	}
}

// TestNameServerStartsLate: the look-up goes on until it is there (case L5).
func TestNameServerStartsLate(t *testing.T) {
	placeholder, err := net.ListenPacket("udp", "127.0.0.3:0")
	if err != nil {
		t.Fatal(err)
	}
	at := placeholder.LocalAddr().(*net.UDPAddr).AddrPort()
	placeholder.Close() // nobody is there: ICMP port unreachable
	r := newResolver()
	r.path, r.port = resolvConf(t, "", "127.0.0.3"), at.Port()
	if _, err := r.ask(t.Context(), "dyn.example.net", 0); err == nil || err.final || err.unreachable {
		t.Fatalf("%+v", err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := r.lookup(t.Context(), "dyn.example.net", 0)
		done <- err
	}()
	newNameServer(t, at.String(), gives("203.0.113.1"))
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// TestUnreachableNameServerEndsTheLookup: without a route there is no point in
// asking again before the network changes.
func TestUnreachableNameServerEndsTheLookup(t *testing.T) {
	r := newResolver()
	r.path = resolvConf(t, "", "fe80::1%nosuchdevice", "240.0.0.1")
	_, err := r.ask(t.Context(), "dyn.example.net", 0)
	if err == nil {
		t.Fatal("an answer from nowhere")
	}
	f := &failure{err: err, doing: "connecting"}
	p := account(t, "dyn", "", nil)
	if o := p.failure(f); !o.NoPath || o.Sent || o.Class != Network {
		t.Errorf("%+v", o)
	}
}

// TestKnownAddressIsUsedWhileTheResolverHangs: the request goes out at once.
func TestKnownAddressIsUsedWhileTheResolverHangs(t *testing.T) {
	dns := newNameServer(t, "127.0.0.1:0", silent)
	s := newPeer(t, raw(answerOf("200 OK", "", "good")))
	p, to := namedPeer(t, s.addr, dns)
	p.transport.resolver.last[to] = []netip.Addr{loopback}
	o := p.Send(t.Context(), Origin{}, update4("a.dyndns.org"))[0]
	checkOutcome(t, o, Outcome{Class: Updated, Sent: true})
}

// TestKnownAddressThatIsDeadGivesWayToTheFreshOne.
func TestKnownAddressThatIsDeadGivesWayToTheFreshOne(t *testing.T) {
	dns := newNameServer(t, "127.0.0.1:0", gives("127.0.0.1"))
	s := newPeer(t, raw(answerOf("200 OK", "", "good")))
	p, to := namedPeer(t, s.addr, dns)
	p.transport.resolver.last[to] = []netip.Addr{netip.MustParseAddr("127.0.0.99")}
	o := p.Send(t.Context(), Origin{}, update4("a.dyndns.org"))[0]
	checkOutcome(t, o, Outcome{Class: Updated, Sent: true})
	if got := p.transport.resolver.known(to); len(got) == 0 || got[0] != loopback {
		t.Errorf("kept %v", got)
	}
}

// TestTLSFailureWithKnownAddressTriesTheFreshOne: an address that was given to
// somebody else.
func TestTLSFailureWithKnownAddressTriesTheFreshOne(t *testing.T) {
	ca := newTestCA(t)
	_, port, _ := net.SplitHostPort(goodTLS(t, ca))
	stranger, err := net.Listen("tcp4", "127.0.0.2:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	go func() {
		for {
			conn, err := stranger.Accept()
			if err != nil {
				return
			}
			conn.Write([]byte("not TLS\r\n"))
			conn.Close()
		}
	}()
	dns := newNameServer(t, "127.0.0.1:0", gives("127.0.0.1"))
	p := account(t, "dyn", "https://dyn.example.net:"+port, nil)
	p.transport.tls.caFile = ca.file
	p.transport.resolver.path, p.transport.resolver.port = resolvConf(t, "", "127.0.0.1"), dns.port()
	p.transport.resolver.last["dyn.example.net"] = []netip.Addr{netip.MustParseAddr("127.0.0.2")}
	o := p.Send(t.Context(), Origin{}, update4("a.dyndns.org"))[0]
	checkOutcome(t, o, Outcome{Class: Updated, Sent: true})
}

// TestR40NameDoesNotResolve.
func TestR40NameDoesNotResolve(t *testing.T) {
	dns := newNameServer(t, "127.0.0.1:0", refuses(dnsmessage.RCodeNameError))
	p, _ := namedPeer(t, "127.0.0.1:1", dns)
	o := p.Send(t.Context(), Origin{}, update4("a.dyndns.org"))[0]
	checkOutcome(t, o, Outcome{Class: Network, NoPath: true, Text: "dyn.example.net did not resolve"})
}

// TestR40ResolverNeverAnswers: the deadline ends it, as a name that did not resolve.
func TestR40ResolverNeverAnswers(t *testing.T) {
	dns := newNameServer(t, "127.0.0.1:0", silent)
	p, _ := namedPeer(t, "127.0.0.1:1", dns)
	p.opt.Timeout = 200 * time.Millisecond
	o := p.Send(t.Context(), Origin{}, update4("a.dyndns.org"))[0]
	checkOutcome(t, o, Outcome{Class: Network, NoPath: true, Text: "did not resolve"})
}

// namedPeer makes a provider that must look up the name of its server.
func namedPeer(t *testing.T, addr string, dns *nameServer) (*Provider, string) {
	t.Helper()
	cat, _ := Open("")
	def, err := cat.Lookup("dyn")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(addr)
	acct := accountOf(def.Sample.Config)
	acct.Server, acct.InsecureHTTP = "http://dyn.example.net:"+port, true
	p, problems := New(def, acct, Options{Version: "1.2.3", Timeout: 5 * time.Second})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	p.transport.resolver.path, p.transport.resolver.port = resolvConf(t, "", "127.0.0.1"), dns.port()
	return p, "dyn.example.net"
}

func TestNoPathErrors(t *testing.T) {
	for errno, want := range map[error]bool{
		syscall.ENETUNREACH: true, syscall.EHOSTUNREACH: true, syscall.EADDRNOTAVAIL: true, syscall.ENETDOWN: true,
		syscall.ENODEV: true, syscall.ECONNREFUSED: false, syscall.ETIMEDOUT: false, errors.New("other"): false,
	} {
		if got := socket.NoPath(&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", errno)}); got != want {
			t.Errorf("%v: %v", errno, got)
		}
	}
}

// TestSourceAddressNotThereYet: nothing is sent and the next kernel event counts.
func TestSourceAddressNotThereYet(t *testing.T) {
	p := account(t, "dyn", "http://127.0.0.1:9", nil)
	p.bind = "lo"
	from := Origin{Device: "lo", Addr: netip.MustParseAddr("203.0.113.77")}
	o := p.Send(t.Context(), from, update4("a.dyndns.org"))[0]
	o.Warning = "" // without the right to bind to devices there is one
	checkOutcome(t, o, Outcome{Class: Network, NoPath: true, Text: "cannot assign requested address"})
}

func TestBinding(t *testing.T) {
	v4, v6 := netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("2001:db8::7")
	for _, c := range []struct {
		name, bind string
		from       Origin
		to         string
		device     string
		source     netip.Addr
	}{
		{"nothing asked", "", Origin{}, "198.51.100.1", "", netip.Addr{}},
		{"public destination", "", Origin{Device: "eth1", Addr: v4}, "198.51.100.1", "eth1", v4},
		{"loopback", "", Origin{Device: "eth1", Addr: v4}, "127.0.0.1", "", netip.Addr{}},
		{"private", "", Origin{Device: "eth1", Addr: v4}, "192.168.1.1", "", netip.Addr{}},
		{"unique local", "", Origin{Device: "eth1", Addr: v6}, "fd00::1", "", netip.Addr{}},
		{"link local", "", Origin{Device: "eth1", Addr: v6}, "fe80::1", "", netip.Addr{}},
		{"other family", "", Origin{Device: "eth1", Addr: v4}, "2606::1", "eth1", netip.Addr{}},
		{"the account's device", "wan2", Origin{Device: "eth1", Addr: v4}, "198.51.100.1", "wan2", netip.Addr{}},
		{"the account's device, private", "eth1", Origin{Device: "eth1", Addr: v4}, "192.168.1.1", "eth1", v4},
	} {
		d := &dialer{t: newTransport(Options{}), from: c.from, bind: c.bind}
		if device, source := d.binding(netip.MustParseAddr(c.to)); device != c.device || source != c.source {
			t.Errorf("%s: %q %v", c.name, device, source)
		}
	}
}
