package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// echoed is a site behind a NAT that tells nothing, with echo services beyond.
func echoed(t *testing.T, seen string) (*site, *lab.Echo) {
	t.Helper()
	t.Parallel()
	s := bareSite(t)
	s.p = s.provider(lab.ProviderOptions{})
	e := s.Echo(s.ISP, seen)
	s.Resolver(s.Router, "127.0.0.1", e.Hosts, s.p.Zone)
	s.ISPLink.Flush(4)
	s.ISPLink.Add(gateway2 + "/24")
	s.WAN.Add(inside + "/24")
	s.WAN.DefaultVia(gateway2)
	return s, e
}

func (s *site) trustingEcho(e *lab.Echo) string {
	return s.plain() + fmt.Sprintf("[daemon]\nstate_dir = \"$DIR/state\"\nsocket = \"$DIR/socket\"\nca_file = %q\n", e.CA.File)
}

// Where no router above answers, echo services tell the address: two that
// agree, asked through the source's device; a change of the network makes them
// be asked again.
func TestEchoIsTheLastWay(t *testing.T) {
	for name, source := range map[string]string{"auto": "", "echo": "[source.wan]\nmethod = \"echo\"\ninterface = \"wan\"\n"} {
		t.Run(name, func(t *testing.T) {
			s, e := echoed(t, "11.22.33.7")
			s.start(source + s.trustingEcho(e))
			s.settled("11.22.33.7")
			src := status(t, s.d).Sources[0]
			if src.Method != "echo" || src.Interface != "wan" || !strings.Contains(src.Note, inside+" is private") ||
				!strings.Contains(src.Note, "found by ") || !strings.Contains(src.Note, " and ") {
				t.Errorf("status: %+v", src)
			}
			asked := e.Asked()
			if len(asked) < 2 || len(asked) > 4 {
				t.Errorf("asked: %+v", asked)
			}
			for _, a := range asked {
				if a.From.Addr().String() != inside {
					t.Errorf("%s from %v", a.What, a.From)
				}
			}
			e.Tells("11.22.33.8")
			s.WAN.Add("192.168.1.51/24") // the network changes
			s.settled("11.22.33.8")
		})
	}
}

// Questions leave through the source's device and from its address, wherever
// the default route leads.
func TestEchoLeavesThroughItsOwnDevice(t *testing.T) {
	s, e := echoed(t, "11.22.33.7")
	lte, isp2 := s.AddWAN("lte", "isp2")
	isp2.Add("192.168.2.1/24")
	lte.Add("192.168.2.50/24")
	lte.DefaultVia("192.168.2.1", "metric", "700")
	s.start("[source.wan]\nmethod = \"echo\"\ninterface = \"lte\"\n" + s.trustingEcho(e))
	if r := s.settled("11.22.33.7"); r.Remote.Addr().String() != "192.168.2.50" {
		t.Errorf("the update came from %v", r.Remote)
	}
	for _, a := range e.Asked() {
		if a.From.Addr().String() != "192.168.2.50" {
			t.Errorf("%s from %v", a.What, a.From)
		}
	}
}

// The update of a user who asks for one includes a fresh look.
func TestUpdateAsksEchoServices(t *testing.T) {
	s, e := echoed(t, "11.22.33.7")
	s.start("[source.wan]\nmethod = \"echo\"\n" + s.trustingEcho(e))
	s.settled("11.22.33.7")
	e.Tells("11.22.33.8")
	if r := s.d.Command("update"); r.Status != 0 || !strings.Contains(r.Stdout, "11.22.33.8") {
		t.Errorf("update: %+v", r)
	}
	s.settled("11.22.33.8")
}

// D19, D20: a web page, an address of the wrong family or of no use are passed
// over, and one's own URL is read with a pattern.
func TestOwnEchoService(t *testing.T) {
	const own = "[source.wan]\nmethod = \"echo\"\nurl = \"https://own.example.org/ip\"\n"
	for name, c := range map[string]struct{ source, page, seen, problem string }{
		"the address alone": {own, "", "11.22.33.7", ""},
		"pattern":           {own + "pattern = \"Address: {address}</b>\"\n", "<html><b>Current IP Address: %s</b></html>", "11.22.33.7", ""},
		"web page":          {own, "<html>%s</html>", "11.22.33.7", "answers with a web page"},
		"wrong family":      {own, "2a02::1", "11.22.33.7", "no ipv4 address"},
		"zero":              {own, "0.0.0.0", "11.22.33.7", "0.0.0.0, which is reserved"},
		"private":           {own, "", "192.168.9.9", "192.168.9.9, which is private"},
		"an error":          {own, "", "", "HTTP status 503"},
	} {
		t.Run(name, func(t *testing.T) {
			s, e := echoed(t, c.seen)
			e.Page(c.page)
			s.start(c.source + s.trustingEcho(e))
			if c.problem == "" {
				s.settled(c.seen)
			} else {
				s.d.WaitLog(t.Context(), c.problem)
				s.state(home, "ipv4", "waiting")
				if n := len(s.p.Requests()); n != 0 {
					t.Errorf("%d requests", n)
				}
			}
			for _, a := range e.Asked() {
				if a.What != "https own.example.org" {
					t.Errorf("asked: %+v", a)
				}
			}
		})
	}
}

// D19: where every web service answers with a page, an address of the other
// family or one of no use, the next services are asked, and those by DNS and
// STUN tell the address.
func TestEchoPassesOverWhatIsNoAnswer(t *testing.T) {
	for name, page := range map[string]string{
		"web page": "<html><body>%s</body></html>", "wrong family": "2a02::1", "zero": "0.0.0.0", "private": "192.168.1.1", "nothing": " ",
	} {
		t.Run(name, func(t *testing.T) {
			s, e := echoed(t, "11.22.33.7")
			e.Page(page)
			s.start("[source.wan]\nmethod = \"echo\"\n" + s.trustingEcho(e))
			s.settled("11.22.33.7")
			if note := status(t, s.d).Sources[0].Note; strings.Contains(note, "HTTPS") || !strings.Contains(note, "STUN") {
				t.Errorf("note: %s", note)
			}
		})
	}
}

// D20: a captive portal answers all DNS with its address and serves its page
// for every name, with a certificate of its own. Nothing of it is believed.
func TestCaptivePortalIsNotBelieved(t *testing.T) {
	s, e := echoed(t, "66.6.6.6")
	e.Portal("66.6.6.6")
	s.start("[source.wan]\nmethod = \"echo\"\n" + s.plain()) // which does not trust its CA
	s.d.WaitLog(t.Context(), "66.6.6.6 is told by ")
	if line := s.d.Output(); !strings.Contains(line, "by DNS alone") {
		t.Errorf("log:\n%s", line)
	}
	s.state(home, "ipv4", "waiting")
	if n := len(s.p.Requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
	for _, a := range e.Asked() {
		if strings.HasPrefix(a.What, "https") {
			t.Errorf("its page was read: %+v", a)
		}
	}
}

// By IPv6 it is the same: the services there are, of each kind, are asked by
// IPv6 through the source's device, and tell what the world sees of a network
// whose prefix is translated on the way.
func TestEchoByIPv6(t *testing.T) {
	t.Parallel()
	s := bareSite(t)
	s.p = s.provider(lab.ProviderOptions{Addr: server6})
	e := s.Echo(s.ISP, "2a00:db8:77::7")
	s.Resolver(s.Router, "127.0.0.1", e.Hosts, s.p.Zone)
	const local = "2a00:db8:1::7"
	s.WAN.Add(local+"/64", "nodad")
	s.WAN.DefaultVia(gateway6)
	s.start("[source.wan]\nmethod = \"echo\"\ninterface = \"wan\"\n" + strings.Replace(s.trustingEcho(e), home+"\"\n", home+"\"\n"+v6+"\n", 1))
	s.settled("2a00:db8:77::7")
	for range 10 { // nobody is asked twice within a minute
		s.d.Command("update")
	}
	kinds := map[string]int{}
	for _, a := range e.Asked() {
		kind, _, _ := strings.Cut(a.What, " ")
		kinds[kind]++
		if a.From.Addr().String() != local {
			t.Errorf("%s from %v", a.What, a.From)
		}
	}
	// One may be given up, unheard, when two others have agreed at the start; no
	// other is left out, and nobody is asked twice.
	for kind, n := range map[string]int{"https": 3, "dns": 2, "stun": 3} {
		if kinds[kind] > n || kinds[kind] < n-1 || len(e.Asked()) < 7 {
			t.Errorf("%s asked %d times: %+v", kind, kinds[kind], e.Asked())
		}
	}
	if r := s.state(home, "ipv6", "published"); r.Published != "2a00:db8:77::7" {
		t.Errorf("published %s", r.Published)
	}
	if n := len(s.p.Requests()); n != 1 {
		t.Errorf("%d requests", n)
	}
}
