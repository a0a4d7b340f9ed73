package upstream

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestEachProtocolTellsTheAddress(t *testing.T) {
	for _, c := range []struct{ speaks, by string }{
		{"natpmp", natpmp}, {"natpmp pcp", natpmp}, {"pcp", pcp}, {"ssdp", upnp}, {"natpmp pcp ssdp", natpmp},
	} {
		t.Run(c.speaks, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, c.speaks)
			w := f.watch()
			if x := w.address(outside1); x.By != c.by || x.Err != nil {
				t.Errorf("found by %q, %v; want %s", x.By, x.Err, c.by)
			}
			if strings.Contains(c.speaks, "ssdp") { // its first notice would tell of the change
				w.until("the notice that comes with the subscription", func(x Finding) bool { return x.Events })
			}
			f.set(outside2)
			w.again <- struct{}{}
			if x := w.address(outside2); x.By != c.by || x.Round != 1 || x.Announced {
				t.Errorf("asked again: %+v", x)
			}
		})
	}
}

// PCP has no question that leaves nothing behind: what is mapped to learn the
// address is a port of our own, and is taken away at once.
func TestNoMappingIsLeftBehind(t *testing.T) {
	f := newFake(t, "pcp")
	f.watch().address(outside1)
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.pcp) != 2 || f.pcp[0].seconds != mapSeconds || f.pcp[1].seconds != 0 || f.pcp[0].port != f.pcp[1].port || f.pcp[0].port == 0 {
		t.Errorf("mappings asked for: %+v", f.pcp)
	}
}

func TestAnnouncementMakesItAsk(t *testing.T) {
	for _, speaks := range []string{"natpmp", "pcp", "ssdp"} {
		t.Run(speaks, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, speaks)
			w := f.watch()
			w.address(outside1)
			if speaks == "ssdp" { // the notice that comes with the subscription
				w.until("the proof that notices come through", func(x Finding) bool { return x.Events })
			}
			f.set(outside2)
			switch speaks {
			case "natpmp":
				f.announce()
			case "pcp": // says that something has changed, not what
				f.multicast(f.gw.Addr, []byte{versionPCP, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 3, 232, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
			case "ssdp":
				if status := f.http.notify(<-f.http.subscribed, outside2); status != http.StatusOK {
					t.Errorf("the notice was answered with %d", status)
				}
			}
			if x := w.address(outside2); !x.Announced {
				t.Errorf("not by the announcement: %+v", x)
			}
			if speaks != "ssdp" {
				w.until("that it knows of announcements now", func(x Finding) bool { return x.Events })
			}
		})
	}
}

// The first announcement after a change may have the old address.
func TestAnnouncedAddressIsNotBelieved(t *testing.T) {
	f := newFake(t, "natpmp")
	w := f.watch()
	w.address(outside1)
	asked := f.count(natpmp)
	f.mu.Lock()
	lie := f.natpmp()
	f.mu.Unlock()
	copy(lie[8:], []byte{66, 6, 6, 6})
	f.multicast(f.gw.Addr, lie)
	for f.count(natpmp) < asked+2 { // at once, and a moment later
		select {
		case x := <-w.found:
			if x.Addr.String() != outside1 {
				t.Fatalf("took %v", x.Addr)
			}
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func TestStrangersAreNotHeard(t *testing.T) {
	f := newFake(t, "natpmp ssdp")
	w := f.watch()
	w.address(outside1)
	callback := <-f.http.subscribed
	w.until("the proof that notices come through", func(x Finding) bool { return x.Events })
	asked, posts := f.count(natpmp), f.count("POST")

	stranger := netip.AddrFrom4([4]byte{127, 77, 200, 1})
	f.mu.Lock()
	packet := f.natpmp()
	f.mu.Unlock()
	copy(packet[8:], []byte{66, 6, 6, 6})
	f.multicast(stranger, packet)
	r, _ := http.NewRequest("NOTIFY", callback, strings.NewReader("<ExternalIPAddress>66.6.6.6</ExternalIPAddress>"))
	if answer, err := http.DefaultClient.Do(r); err == nil {
		t.Errorf("a stranger's notice was answered: %v", answer.Status)
	}
	wrong := callback[:strings.LastIndexByte(callback, '/')] + "/guess"
	if status := f.http.notify(wrong, "66.6.6.6"); status != http.StatusPreconditionFailed {
		t.Errorf("a notice to a wrong path was answered with %d", status)
	}
	if n := f.count(natpmp); n != asked || f.count("POST") != posts {
		t.Errorf("asked %d times more", n-asked)
	}
	f.set(outside2) // it still works
	f.announce()
	w.address(outside2)
}

// Somebody else on the link answers a search first, with a page of his own and
// with one of the gateway's that is not its description.
func TestStrangersAnswerToASearchIsNotHeard(t *testing.T) {
	f := newFake(t, "ssdp")
	answered := make(chan struct{})
	f.change(func() { f.late = answered })
	stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the stranger's page was read") }))
	defer stranger.Close()
	conn := f.groupOfSearches()
	defer conn.Close()
	go func() {
		var buf [2048]byte
		for done := false; ; {
			n, from, err := conn.ReadFrom(buf[:])
			if err != nil {
				return
			}
			if from.(*net.UDPAddr).AddrPort().Addr() != f.gw.Local || !strings.HasPrefix(string(buf[:n]), "M-SEARCH") {
				continue
			}
			for _, url := range []string{stranger.URL + "/rootDesc.xml", f.http.url("/evil.xml")} {
				conn.WriteTo([]byte("HTTP/1.1 200 OK\r\nST: x\r\nLocation: "+url+"\r\n\r\n"), from)
			}
			if !done {
				done = true
				close(answered)
			}
		}
	}()
	if x := f.watch().address(outside1); x.By != upnp {
		t.Errorf("found by %s", x.By)
	}
	f.http.mu.Lock()
	defer f.http.mu.Unlock()
	for _, r := range f.http.requests {
		if strings.Contains(r, "evil") {
			t.Errorf("requests: %v", f.http.requests)
		}
	}
}

func TestMalformedAnswersArePassedOver(t *testing.T) {
	f := newFake(t, "natpmp")
	f.change(func() {
		f.spoil = func(b []byte) [][]byte {
			honest := f.honest(b)
			if len(honest) == 0 {
				return nil
			}
			return [][]byte{{}, {0}, {0, 0, 0, 0, 1, 2, 3, 4, 66, 6, 6, 6}, {0, 0x81, 0, 0, 1, 2, 3, 4, 66, 6, 6, 6},
				{9, 0x80, 0, 0, 1, 2, 3, 4, 66, 6, 6, 6}, make([]byte, 2000), honest[0][:11], honest[0]}
		}
	})
	f.watch().address(outside1)
}

// A PCP answer with another nonce is not the answer to our question.
func TestNonceIsChecked(t *testing.T) {
	f := newFake(t, "pcp")
	f.change(func() {
		f.spoil = func(b []byte) [][]byte {
			honest := f.honest(b)
			if b[0] != versionPCP || b[1] != opMap {
				return honest
			}
			forged := slices.Clone(honest[0])
			forged[pcpHeader] ^= 1
			copy(forged[pcpHeader+32:], []byte{66, 6, 6, 6})
			return [][]byte{forged, honest[0]}
		}
	})
	w := f.watch()
	x := w.until("an address", func(x Finding) bool { return x.Addr.IsValid() })
	if x.Addr.String() != outside1 {
		t.Errorf("took %v", x.Addr)
	}
}

func TestDescriptionLeadsNowhereElse(t *testing.T) {
	for name, control := range map[string]string{
		"another host": "http://127.77.199.1/ctl", "user": "http://GW:x@127.77.199.1/ctl", "https": "https://GW/ctl",
		"header": "/ctl&#13; HTTP/1.1\r\nX: y", "nothing": "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, "ssdp")
			f.http.mu.Lock()
			f.http.desc = description(strings.ReplaceAll(control, "GW", f.gw.Addr.String()), "/evt")
			f.http.mu.Unlock()
			x := f.watch().until("an answer", func(Finding) bool { return true })
			if x.Addr.IsValid() || x.Err == nil || x.By != "" || f.count("POST") != 0 {
				t.Errorf("found %+v, %d requests to control", x, f.count("POST"))
			}
		})
	}
}

// A gateway that is behind a NAT itself says so, and which address it has.
func TestPrivateOutside(t *testing.T) {
	t.Run("named", func(t *testing.T) {
		f := newFake(t, "natpmp")
		f.set("100.64.1.7")
		if x := f.watch().address("100.64.1.7"); x.By != natpmp {
			t.Errorf("%+v", x)
		}
	})
	t.Run("network failure, and UPnP knows more", func(t *testing.T) {
		f := newFake(t, "natpmp ssdp")
		f.set("100.64.1.7")
		f.change(func() { f.result = 3 })
		w := f.watch()
		if x := w.address("100.64.1.7"); x.By != upnp {
			t.Errorf("%+v", x)
		}
	})
	t.Run("network failure", func(t *testing.T) {
		f := newFake(t, "natpmp")
		f.change(func() { f.result = 3 })
		x := f.watch().until("an answer", func(Finding) bool { return true })
		if x.By != natpmp || x.Err == nil || !strings.Contains(x.Err.Error(), "no public address") || x.Addr.IsValid() {
			t.Errorf("%+v", x)
		}
	})
}

func TestSilentGateway(t *testing.T) {
	f := newFake(t, "")
	w := f.watch()
	x := w.until("an answer", func(Finding) bool { return true })
	if x.By != "" || x.Err == nil || !strings.Contains(x.Err.Error(), f.gw.Addr.String()) {
		t.Errorf("%+v", x)
	}
	// It is switched on, and says so.
	f.change(func() { f.speaks = "natpmp" })
	f.announce()
	if x := w.address(outside1); !x.Announced {
		t.Errorf("%+v", x)
	}
}

// Where the subscription's own notice does not come (a firewall), it is not
// counted on.
func TestDeafCallbackIsNoProof(t *testing.T) {
	f := newFake(t, "natpmp ssdp")
	f.http.mu.Lock()
	f.http.deaf = true
	f.http.mu.Unlock()
	w := f.watch()
	w.address(outside1)
	<-f.http.subscribed
	w.again <- struct{}{}
	if x := w.until("another look", func(x Finding) bool { return x.Round == 1 }); x.Events {
		t.Errorf("%+v", x)
	}
}

// A flood of announcements in the gateway's name makes it ask a bounded
// number of times.
func TestFloodOfAnnouncements(t *testing.T) {
	f := newFake(t, "natpmp")
	w := f.watch()
	w.address(outside1)
	for range 300 {
		f.announce()
	}
	w.again <- struct{}{}
	w.until("the look after the flood", func(x Finding) bool { return x.Round == 1 })
	if n := f.count(natpmp); n > noticeBurst+5 {
		t.Errorf("asked %d times", n)
	}
}

func TestSubscriptionEnds(t *testing.T) {
	f := newFake(t, "ssdp")
	t.Run("watch", func(t *testing.T) {
		f.t = t
		w := f.watch()
		w.until("the proof that notices come through", func(x Finding) bool { return x.Events })
	})
	if f.count("UNSUBSCRIBE") != 1 {
		t.Errorf("requests: %v", f.http.requests)
	}
}

func TestPaceOfPolling(t *testing.T) {
	total := func(answers, events bool, start time.Duration) (looks int, last time.Duration) {
		pause := start
		for sum := pause; sum < 24*time.Hour; sum += pause {
			pause = nextPoll(pause, answers, events)
			looks++
		}
		return looks, pause
	}
	for _, c := range []struct {
		answers, events bool
		start           time.Duration
		most            int
		last            time.Duration
	}{
		{true, false, firstPoll, 24 * 31, slowPoll},
		{true, true, noticePoll, 24*2 + 15, quietPoll},
		{false, false, firstPoll, 24 + 10, absentPoll},
	} {
		if n, last := total(c.answers, c.events, c.start); n > c.most || last != c.last {
			t.Errorf("%+v: %d looks a day, the last pause %v", c, n, last)
		}
	}
}

func TestRestart(t *testing.T) {
	for _, c := range []struct {
		before, now, elapsed uint32
		want                 bool
	}{
		{1000, 1010, 10, false}, {1000, 1009, 11, false}, {1000, 0, 10, true}, {1000, 1000, 1, false}, {0, 5000, 10, true},
		{1000, 2000, 1001, false}, {1000, 1500, 1000, true},
	} {
		if got := restarted(c.before, c.now, c.elapsed); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
