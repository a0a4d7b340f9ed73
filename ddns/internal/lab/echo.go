package lab

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// Echo is the echo services of the world, in a laboratory: HTTPS, DNS and STUN
// at the names and addresses of the real ones. They tell the address that the
// test says.
type Echo struct {
	CA    *CA
	Hosts map[string]string // for the resolver

	mu   sync.Mutex
	seen netip.Addr
	page string     // what HTTPS answers instead
	lie  netip.Addr // what DNS answers instead, while STUN is silent; zero: no portal

	asked feed[Asked]
}

// Asked is a question that a service got.
type Asked struct {
	At   Instant
	What string // "https api.ipify.org", "dns o-o.myaddr.l.google.com", "stun"
	From netip.AddrPort
}

// Where HTTPS and STUN are.
const (
	echoHost  = "45.67.90.1"
	echoHost6 = "2a00:db8:90::1"
)

// Echo starts the services in a namespace: those by IPv6 if they are to tell an
// IPv6 address, else those by IPv4.
func (l *Lab) Echo(ns *Namespace, seen string) *Echo {
	l.Helper()
	echoHost, bits := echoHost, []string{"/32"}
	web := []string{"api.ipify.org", "ipv4.icanhazip.com", "checkip.amazonaws.com", "4.ident.me", "own.example.org"}
	servers := []string{"216.239.32.10", "208.67.222.222", "193.108.88.1"}
	if strings.Contains(seen, ":") {
		echoHost, bits = echoHost6, []string{"/128", "nodad"}
		web = []string{"api6.ipify.org", "ipv6.icanhazip.com", "6.ident.me", "own.example.org"}
		servers = []string{"2001:4860:4802:32::a", "2620:119:35::35"}
	}
	e := &Echo{CA: l.CA(), Hosts: map[string]string{}}
	e.Tells(seen)
	for _, name := range append(web, "stun.cloudflare.com", "stun.l.google.com", "stun.nextcloud.com") {
		e.Hosts[name] = echoHost
	}
	lo := ns.Link("lo")
	for _, a := range append([]string{echoHost}, servers...) {
		lo.Add(a+bits[0], bits[1:]...)
	}
	listener, err := ns.Listen("tcp", net.JoinHostPort(echoHost, "443"))
	if err != nil {
		l.Fatalf("lab: echo: %v", err)
	}
	cert := e.CA.Server(false, web...)
	s := &http.Server{Handler: http.HandlerFunc(e.serveHTTP)}
	go s.Serve(tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{cert}}))
	l.Cleanup(func() { s.Close() })
	serve := func(addr string, answer func(packet []byte) (what string, reply []byte)) {
		conn, err := ns.ListenPacket("udp", addr)
		if err != nil {
			l.Fatalf("lab: echo: %v", err)
		}
		l.Cleanup(func() { conn.Close() })
		go func() {
			buf := make([]byte, 1500)
			for {
				n, from, err := conn.ReadFrom(buf)
				if err != nil {
					return
				}
				if what, reply := answer(buf[:n]); what != "" {
					e.asked.add(Asked{Now(), what, from.(*net.UDPAddr).AddrPort()})
					conn.WriteTo(reply, from)
				}
			}
		}()
	}
	for _, a := range servers {
		serve(net.JoinHostPort(a, "53"), e.whoami)
	}
	for _, port := range []string{"3478", "19302", "443"} {
		serve(net.JoinHostPort(echoHost, port), e.stun)
	}
	return e
}

// Tells changes the address that the services tell; "": they are silent by DNS
// and STUN, and answer errors by HTTPS.
func (e *Echo) Tells(addr string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seen = netip.Addr{}
	if addr != "" {
		e.seen = netip.MustParseAddr(addr)
	}
}

// Page makes the web services answer with a text instead, %s being the address.
func (e *Echo) Page(text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.page = text
}

// Portal makes the network answer as one whose captive portal is in the way:
// DNS tells the portal's address whoever is asked, and no STUN gets through.
// Whether its web server is believed is a matter of its certificate.
func (e *Echo) Portal(addr string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lie = netip.MustParseAddr(addr)
}

// Asked returns all questions so far.
func (e *Echo) Asked() []Asked { return e.asked.all() }

func (e *Echo) serveHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	seen, page := e.seen, e.page
	e.mu.Unlock()
	e.asked.add(Asked{Now(), "https " + r.Host, netip.MustParseAddrPort(r.RemoteAddr)})
	switch {
	case !seen.IsValid():
		w.WriteHeader(http.StatusServiceUnavailable)
	case page != "":
		io.WriteString(w, strings.ReplaceAll(page, "%s", seen.String()))
	default:
		io.WriteString(w, seen.String()+"\n")
	}
}

func (e *Echo) whoami(packet []byte) (string, []byte) {
	e.mu.Lock()
	seen := e.seen
	if e.lie.IsValid() {
		seen = e.lie
	}
	e.mu.Unlock()
	var m dnsmessage.Message
	if m.Unpack(packet) != nil || len(m.Questions) != 1 || !seen.IsValid() {
		return "", nil
	}
	q := m.Questions[0]
	head := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 60}
	m.Response, m.Additionals = true, nil
	if q.Type == dnsmessage.TypeTXT {
		m.Answers = []dnsmessage.Resource{{Header: head, Body: &dnsmessage.TXTResource{TXT: []string{seen.String()}}}}
	} else if q.Type == dnsmessage.TypeAAAA && seen.Is6() {
		m.Answers = []dnsmessage.Resource{{Header: head, Body: &dnsmessage.AAAAResource{AAAA: seen.As16()}}}
	} else if q.Type == dnsmessage.TypeA && seen.Is4() {
		m.Answers = []dnsmessage.Resource{{Header: head, Body: &dnsmessage.AResource{A: seen.As4()}}}
	}
	reply, _ := m.Pack()
	return "dns " + strings.ToLower(strings.TrimSuffix(q.Name.String(), ".")), reply
}

// stun answers a binding request (RFC 8489).
func (e *Echo) stun(packet []byte) (string, []byte) {
	e.mu.Lock()
	seen := e.seen
	if e.lie.IsValid() {
		seen = netip.Addr{}
	}
	e.mu.Unlock()
	if len(packet) < 20 || binary.BigEndian.Uint16(packet) != 1 || !seen.IsValid() {
		return "", nil
	}
	addr, family := seen.AsSlice(), byte(1)
	if seen.Is6() {
		family = 2
	}
	b := append([]byte{1, 1, 0, byte(8 + len(addr))}, packet[4:20]...)
	b = append(b, 0, 0x20, 0, byte(4+len(addr)), 0, family, 0, 0)
	for i, c := range addr {
		b = append(b, c^packet[4+i])
	}
	return "stun", b
}
