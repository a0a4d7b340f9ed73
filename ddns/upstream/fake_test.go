package upstream

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// fake is a gateway on the loopback device, at an address of its own. What it
// speaks and how it lies is the test's choice.
type fake struct {
	t    *testing.T
	gw   Gateway
	http *httpSide

	mu     sync.Mutex
	addr   netip.Addr // outside
	result byte       // of NAT-PMP's answers
	speaks string     // words of: natpmp pcp ssdp
	epoch  uint32
	asked  map[string]int // by kind of question
	pcp    []mapping      // MAP requests
	spoil  func(packet []byte) [][]byte
	late   <-chan struct{} // answers to a search come after this; nil: at once
}

type mapping struct {
	seconds uint32
	port    uint16
}

var fakes atomic.Int32

const (
	outside1 = "11.22.33.7"
	outside2 = "11.22.33.8"
)

func newFake(t *testing.T, speaks string) *fake {
	t.Helper()
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	n := byte(fakes.Add(1))
	f := &fake{t: t, speaks: speaks, addr: netip.MustParseAddr(outside1), asked: map[string]int{}, epoch: 1000}
	f.gw = Gateway{Device: "lo", Link: lo.Index, Addr: netip.AddrFrom4([4]byte{127, 77, n, 1}), Local: netip.AddrFrom4([4]byte{127, 77, n, 2})}
	f.serveUDP(serverPort, f.answerPort)
	if strings.Contains(speaks, "ssdp") {
		f.http = newHTTPSide(f)
		f.serveUDP(ssdpPort, f.answerSearch)
	}
	return f
}

func (f *fake) serveUDP(port int, answer func(packet []byte) [][]byte) {
	f.t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: f.gw.Addr.AsSlice(), Port: port})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 2048)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			for _, a := range answer(buf[:n]) {
				conn.WriteToUDPAddrPort(a, from)
			}
		}
	}()
}

func (f *fake) answerPort(b []byte) [][]byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.spoil != nil {
		return f.spoil(b)
	}
	return f.honest(b)
}

func (f *fake) honest(b []byte) [][]byte {
	switch {
	case b[0] == versionNATPMP:
		f.asked[natpmp]++
		if strings.Contains(f.speaks, "natpmp") {
			return [][]byte{f.natpmp()}
		}
		if strings.Contains(f.speaks, "pcp") {
			return [][]byte{{versionNATPMP, 0x80, 0, 1, 0, 0, 0, 9}}
		}
	case b[0] == versionPCP && strings.Contains(f.speaks, "pcp"):
		f.asked[pcp]++
		a := append([]byte(nil), b...)
		a[1] |= opResponse
		a[3] = 0
		binary.BigEndian.PutUint32(a[8:], f.epoch)
		clear(a[12:pcpHeader])
		if b[1] == opMap {
			f.pcp = append(f.pcp, mapping{binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint16(b[pcpHeader+16:])})
			outside := f.addr.As16()
			copy(a[pcpHeader+20:], outside[:])
		}
		return [][]byte{a}
	}
	return nil
}

func (f *fake) natpmp() []byte {
	a := []byte{versionNATPMP, 0x80, 0, f.result, 0, 0, 0, 0, 0, 0, 0, 0}
	binary.BigEndian.PutUint32(a[4:], f.epoch)
	if f.result == 0 {
		copy(a[8:], f.addr.AsSlice())
	}
	return a
}

func (f *fake) answerSearch(b []byte) [][]byte {
	if !strings.HasPrefix(string(b), "M-SEARCH * HTTP/1.1\r\n") {
		return nil
	}
	f.mu.Lock()
	late := f.late
	f.mu.Unlock()
	if late != nil {
		<-late
	}
	return [][]byte{[]byte("HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: x\r\nLocation: " + f.http.url("/rootDesc.xml") + "\r\n\r\n")}
}

func (f *fake) set(addr string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.addr = netip.MustParseAddr(addr)
}

// change changes how it behaves.
func (f *fake) change(how func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	how()
}

func (f *fake) count(kind string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[kind]
}

// multicast sends a packet to all hosts of the loopback device, from the
// gateway or from somebody else.
func (f *fake) multicast(from netip.Addr, packet []byte) {
	f.t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		f.t.Fatal(err)
	}
	defer unix.Close(fd)
	for _, err := range []error{
		unix.Bind(fd, &unix.SockaddrInet4{Addr: from.As4()}),
		unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, &unix.IPMreqn{Ifindex: int32(f.gw.Link), Address: from.As4()}),
		unix.Sendto(fd, packet, 0, &unix.SockaddrInet4{Addr: allHosts.As4(), Port: clientPort}),
	} {
		if err != nil {
			f.t.Fatal(err)
		}
	}
}

// groupOfSearches hears the searches that somebody on the loopback device
// sends to all. Bound to the group alone, as the net package would not be: the
// fakes have the port at addresses of their own.
func (f *fake) groupOfSearches() net.PacketConn {
	f.t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		f.t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "searches")
	defer file.Close()
	for _, err := range []error{
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1),
		unix.Bind(fd, &unix.SockaddrInet4{Addr: ssdpGroup.As4(), Port: ssdpPort}),
		unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, &unix.IPMreqn{Multiaddr: ssdpGroup.As4(), Ifindex: int32(f.gw.Link)}),
	} {
		if err != nil {
			f.t.Fatal(err)
		}
	}
	conn, err := net.FilePacketConn(file)
	if err != nil {
		f.t.Fatal(err)
	}
	return conn
}

func (f *fake) announce() {
	f.mu.Lock()
	packet := f.natpmp()
	f.mu.Unlock()
	f.multicast(f.gw.Addr, packet)
}

// watched is a Watch of the fake, with what it reported.
type watched struct {
	t     *testing.T
	again chan struct{}
	found chan Finding
}

func (f *fake) watch() *watched {
	f.t.Helper()
	w := &watched{f.t, make(chan struct{}, 1), make(chan Finding, 100)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		Watch(f.t.Context(), f.gw, provider.NewClient(provider.Options{}), w.again, func(x Finding) { w.found <- x })
	}()
	f.t.Cleanup(func() { <-done })
	return w
}

// until returns the first report that is good.
func (w *watched) until(what string, good func(Finding) bool) Finding {
	w.t.Helper()
	late := time.After(20 * time.Second)
	for {
		select {
		case x := <-w.found:
			if good(x) {
				return x
			}
		case <-late:
			w.t.Fatalf("waited in vain for %s", what)
		}
	}
}

func (w *watched) address(addr string) Finding {
	w.t.Helper()
	return w.until(addr, func(x Finding) bool { return x.Addr.IsValid() && x.Addr.String() == addr })
}

// httpSide is a gateway's web server: description, control, events.
type httpSide struct {
	f    *fake
	port int

	mu         sync.Mutex
	desc       string
	callback   string
	requests   []string
	subscribed chan string // CALLBACK or SID
	deaf       bool        // no notice comes with a subscription
}

func newHTTPSide(f *fake) *httpSide {
	h := &httpSide{f: f, subscribed: make(chan string, 100)}
	l, err := net.Listen("tcp4", f.gw.Addr.String()+":0")
	if err != nil {
		f.t.Fatal(err)
	}
	h.port = l.Addr().(*net.TCPAddr).Port
	h.desc = description("/ctl", "/evt")
	s := &http.Server{Handler: h}
	go s.Serve(l)
	f.t.Cleanup(func() { s.Close() })
	return h
}

func description(control, events string) string {
	return `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><!-- <service> --><device><serviceList>
<service><serviceType>urn:schemas-upnp-org:service:Layer3Forwarding:1</serviceType><controlURL>/l3</controlURL></service></serviceList>
<deviceList><device><serviceList><service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:2</serviceType>
<controlURL>` + control + `</controlURL><eventSubURL>` + events + `</eventSubURL></service></serviceList></device></deviceList></device></root>`
}

func (h *httpSide) url(path string) string {
	return fmt.Sprintf("http://%v:%d%s", h.f.gw.Addr, h.port, path)
}

func (h *httpSide) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	h.f.mu.Lock()
	addr := h.f.addr
	h.f.asked[r.Method]++
	h.f.mu.Unlock()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.requests = append(h.requests, r.Method+" "+r.URL.Path)
	switch r.Method + " " + r.URL.Path {
	case "GET /rootDesc.xml":
		io.WriteString(w, h.desc)
	case "POST /ctl":
		if !strings.Contains(r.Header.Get("SOAPAction"), "WANIPConnection:2#GetExternalIPAddress") || !strings.Contains(string(body), "GetExternalIPAddress") {
			w.WriteHeader(401)
			return
		}
		io.WriteString(w, `<s:Envelope><s:Body><u:GetExternalIPAddressResponse><NewExternalIPAddress>`+addr.String()+
			`</NewExternalIPAddress></u:GetExternalIPAddressResponse></s:Body></s:Envelope>`)
	case "SUBSCRIBE /evt":
		if sid := r.Header.Get("SID"); sid != "" {
			w.Header().Set("SID", sid)
			h.subscribed <- sid
			break
		}
		h.callback = strings.Trim(r.Header.Get("CALLBACK"), "<>")
		w.Header().Set("SID", "uuid:1")
		w.Header().Set("TIMEOUT", "Second-1800")
		h.subscribed <- h.callback
		if !h.deaf {
			go h.notify(h.callback, addr.String())
		}
	case "UNSUBSCRIBE /evt":
	default:
		w.WriteHeader(404)
	}
}

// notify sends an event, and returns the status of the answer.
func (h *httpSide) notify(callback, addr string) int {
	r, err := http.NewRequest("NOTIFY", callback, strings.NewReader(
		`<e:propertyset><e:property><ExternalIPAddress>`+addr+`</ExternalIPAddress></e:property></e:propertyset>`))
	if err != nil {
		return 0
	}
	r.Header.Set("NT", "upnp:event")
	r.Header.Set("SID", "uuid:1")
	from := &net.TCPAddr{IP: h.f.gw.Addr.AsSlice()}
	client := http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{LocalAddr: from}).DialContext, DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		return 0
	}
	answer.Body.Close()
	return answer.StatusCode
}
