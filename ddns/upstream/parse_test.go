package upstream

import (
	"net/netip"
	"strings"
	"testing"
)

func TestDescriptions(t *testing.T) {
	gw := &Gateway{Addr: netip.MustParseAddr("192.168.1.1")}
	service := func(kind, control string) string {
		return "<service><serviceType>urn:schemas-upnp-org:service:" + kind + "</serviceType><controlURL>" + control + "</controlURL><eventSubURL>e</eventSubURL></service>"
	}
	const base = "http://192.168.1.1:5000/dir/desc.xml"
	for _, c := range []struct{ name, xml, control, events string }{
		{"absolute path", service("WANIPConnection:1", "/ctl/IPConn"), "http://192.168.1.1:5000/ctl/IPConn", "http://192.168.1.1:5000/dir/e"},
		{"relative", service("WANIPConnection:2", "ctl?x=1&amp;y=2"), "http://192.168.1.1:5000/dir/ctl?x=1&y=2", "http://192.168.1.1:5000/dir/e"},
		{"whole URL", service("WANPPPConnection:1", "http://192.168.1.1:99/c"), "http://192.168.1.1:99/c", "http://192.168.1.1:5000/dir/e"},
		{"the second service", service("WANCommonInterfaceConfig:1", "/a") + service("WANPPPConnection:1", "/b"), "http://192.168.1.1:5000/b", "http://192.168.1.1:5000/dir/e"},
		{"prefixes, attributes, blanks", strings.NewReplacer("<service>", "<d:service x='1'>", "</service", "</d:service", "<controlURL>", "<controlURL >").Replace(service("WANIPConnection:1", "\n /c \n")),
			"http://192.168.1.1:5000/c", "http://192.168.1.1:5000/dir/e"},
		{"comment", "<!-- " + service("WANIPConnection:1", "/no") + " -->" + service("WANIPConnection:1", "/c"), "http://192.168.1.1:5000/c", "http://192.168.1.1:5000/dir/e"},
		{"elsewhere", service("WANIPConnection:1", "http://6.6.6.6/c"), "", ""},
		{"none", service("Layer3Forwarding:1", "/c"), "", ""},
		{"cut off", service("WANIPConnection:1", "/c")[:60], "", ""},
		{"no XML", "404 Not Found", "", ""},
	} {
		d := &igd{gw: gw}
		if ok := d.find(c.xml, base); ok != (c.control != "") || ok && (d.control != c.control || d.events != c.events) {
			t.Errorf("%s: %v, control %q, events %q; want %q, %q", c.name, ok, d.control, d.events, c.control, c.events)
		}
	}
}

func TestURLsLeadToTheGateway(t *testing.T) {
	host := netip.MustParseAddr("192.168.1.1")
	for url, want := range map[string]bool{
		"http://192.168.1.1/x": true, "http://192.168.1.1:5000/x": true, "http://192.168.1.1": true,
		"https://192.168.1.1/x": false, "http://192.168.1.10/x": false, "http://192.168.1.1@6.6.6.6/x": false,
		"http://192.168.1.1:pw@6.6.6.6/x": false, "http://192.168.1.1:80@6.6.6.6/x": false, "http://6.6.6.6/192.168.1.1": false,
		"http://192.168.1.1:80?@6.6.6.6/": false, "http://192.168.1.1/a b": false, "http://192.168.1.1/a\r\nX: y": false, "": false,
	} {
		if got := leadsTo(url, host); got != want {
			t.Errorf("%q: %v", url, got)
		}
	}
}

func TestAnswersToASearch(t *testing.T) {
	for packet, want := range map[string]string{
		"HTTP/1.1 200 OK\r\nST: x\r\nLOCATION: http://192.168.1.1/d\r\n\r\n": "http://192.168.1.1/d",
		"HTTP/1.0 200 OK\nlocation:http://192.168.1.1/d\n\n":                 "http://192.168.1.1/d",
		"HTTP/1.1 404 no\r\nLOCATION: http://192.168.1.1/d\r\n\r\n":          "",
		"NOTIFY * HTTP/1.1\r\nLOCATION: http://192.168.1.1/d\r\n\r\n":        "",
		"HTTP/1.1 200 OK\r\n\r\nLOCATION: http://192.168.1.1/d\r\n":          "",
		"": "",
	} {
		if got := location([]byte(packet)); got != want {
			t.Errorf("%q: %q", packet, got)
		}
	}
}

func FuzzPacket(f *testing.F) {
	f.Add([]byte{0, 0x80, 0, 0, 0, 0, 0, 9, 11, 22, 33, 7})
	f.Add([]byte{0, 0x80, 0, 3, 0, 0, 0, 9, 0, 0, 0, 0})
	f.Add([]byte{0, 0x80, 0, 1, 0, 0, 0, 9})
	f.Add(append([]byte{2, 0x81, 0, 0, 0, 0, 0, 120}, make([]byte, 52)...))
	f.Add(append([]byte{2, 0x80, 0, 0, 0, 0, 0, 0}, make([]byte, 16)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, ok := parse(b)
		if m.addr.IsValid() && (!m.addr.Is4() || m.addr.IsUnspecified() || m.addr.IsMulticast()) {
			t.Errorf("address %v", m.addr)
		}
		if ok && m.op != opAnnounce && m.op != opMap || ok && m.problem() == "" {
			t.Errorf("%+v", m)
		}
	})
}

func FuzzSSDP(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nLOCATION: http://192.168.1.1:5000/rootDesc.xml\r\n\r\n"))
	f.Add([]byte("NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n"))
	gw := netip.MustParseAddr("192.168.1.1")
	f.Fuzz(func(t *testing.T, b []byte) {
		if url := location(b); leadsTo(url, gw) && (!visible(url) || !strings.HasPrefix(url, "http://192.168.1.1")) {
			t.Errorf("URL %q", url)
		}
	})
}

func FuzzDescription(f *testing.F) {
	f.Add(description("/ctl", "/evt"), "http://192.168.1.1:5000/rootDesc.xml")
	f.Add("<URLBase>http://192.168.1.1</URLBase><a:service/><service><!-- x", "http://192.168.1.1")
	gw := &Gateway{Addr: netip.MustParseAddr("192.168.1.1")}
	f.Fuzz(func(t *testing.T, xml, url string) {
		if !leadsTo(url, gw.Addr) {
			return
		}
		d := &igd{gw: gw}
		if d.find(xml, url) && (!leadsTo(d.control, gw.Addr) || d.events != "" && !leadsTo(d.events, gw.Addr) || !plain(d.service)) {
			t.Errorf("%+v", d)
		}
	})
}

func FuzzNotify(f *testing.F) {
	f.Add("NOTIFY /p HTTP/1.1\r\nContent-Length: 49\r\n\r\n<e:x><ExternalIPAddress>11.22.33.7</ExternalIPAddress></e:x>", 7)
	f.Add("NOTIFY /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 1)
	f.Fuzz(func(t *testing.T, s string, step int) {
		step = max(1, step)
		rest := s
		got, ok := readNotify(func(b []byte) (int, error) {
			n := copy(b, rest[:min(step, len(rest))])
			rest = rest[n:]
			return n, nil
		})
		if ok && !strings.HasPrefix(s, got) {
			t.Errorf("read %q of %q", got, s)
		}
		if a, _ := parseNotify(got, "/p"); a.IsValid() && !a.Is4() {
			t.Errorf("address %v", a)
		}
	})
}
