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
	page string // what HTTPS answers instead

	asked feed[Asked]
}

// Asked is a question that a service got.
type Asked struct {
	At   Instant
	What string // "https api.ipify.org", "dns o-o.myaddr.l.google.com", "stun"
	From netip.AddrPort
}

const echoHost = "45.67.90.1" // of HTTPS and STUN

// Echo starts the services in a namespace.
func (l *Lab) Echo(ns *Namespace, seen string) *Echo {
	l.Helper()
	web := []string{"api.ipify.org", "ipv4.icanhazip.com", "checkip.amazonaws.com", "4.ident.me", "own.example.org"}
	e := &Echo{CA: l.CA(), Hosts: map[string]string{}}
	e.Tells(seen)
	for _, name := range append(web, "stun.cloudflare.com", "stun.l.google.com", "stun.nextcloud.com") {
		e.Hosts[name] = echoHost
	}
	lo := ns.Link("lo")
	servers := []string{"216.239.32.10", "208.67.222.222", "193.108.88.1"}
	for _, a := range append([]string{echoHost}, servers...) {
		lo.Add(a + "/32")
	}
	listener, err := ns.Listen("tcp", echoHost+":443")
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
		serve(a+":53", e.whoami)
	}
	for _, port := range []string{"3478", "19302"} {
		serve(echoHost+":"+port, e.stun)
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
	} else {
		m.Answers = []dnsmessage.Resource{{Header: head, Body: &dnsmessage.AResource{A: seen.As4()}}}
	}
	reply, _ := m.Pack()
	return "dns " + strings.ToLower(strings.TrimSuffix(q.Name.String(), ".")), reply
}

// stun answers a binding request (RFC 8489) of IPv4.
func (e *Echo) stun(packet []byte) (string, []byte) {
	e.mu.Lock()
	seen := e.seen
	e.mu.Unlock()
	if len(packet) < 20 || binary.BigEndian.Uint16(packet) != 1 || !seen.Is4() {
		return "", nil
	}
	b := append([]byte{1, 1, 0, 12}, packet[4:20]...)
	b = append(b, 0, 0x20, 0, 8, 0, 1, 0, 0)
	for i, c := range seen.As4() {
		b = append(b, c^packet[4+i])
	}
	return "stun", b
}
