package echo

import (
	"context"
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/dns"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// world is what services say, by operator and kind; "" is silence.
type world struct {
	*Services
	mu    sync.Mutex
	says  map[string]string
	asked []string
	when  map[string][]time.Time
}

func newWorld(says map[string]string) *world {
	w := &world{Services: New(nil), says: says, when: map[string][]time.Time{}}
	for i := range w.ask {
		w.ask[i] = func(_ context.Context, _ *provider.Client, s *service, q Question) (netip.Addr, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.asked = append(w.asked, s.name())
			w.when[s.host(q.Family)] = append(w.when[s.host(q.Family)], time.Now())
			text, ok := w.says[s.name()]
			if !ok {
				text = w.says[""]
			}
			if text == "" {
				return netip.Addr{}, unanswered{errors.New("no answer")}
			}
			return netip.ParseAddr(text)
		}
	}
	return w
}

func question(known string) Question {
	q := Question{Family: config.IPv4, Refused: func(a netip.Addr) string {
		if a.IsPrivate() {
			return "private"
		}
		return ""
	}}
	if known != "" {
		q.Known = netip.MustParseAddr(known)
	}
	return q
}

func TestTwoMustAgree(t *testing.T) {
	const here, there = "11.22.33.7", "66.6.6.6"
	for _, c := range []struct {
		name, known string
		says        map[string]string
		want        string // "": none
		problem     string
	}{
		{"all agree", "", map[string]string{"": here}, here, ""},
		{"known, one says so", here, map[string]string{"": here}, here, ""},
		{"one lies", "", map[string]string{"": here, "ipify by HTTPS": there}, here, ""},
		{"one lies about a change", here, map[string]string{"": here, "ipify by HTTPS": there}, here, ""},
		{"another address", there, map[string]string{"": here}, here, ""},
		{"only DNS answers, from within the network", "", map[string]string{"Google by DNS": there, "OpenDNS by DNS": there, "Akamai by DNS": there}, "", "by DNS alone; two operators must agree"},
		{"DNS is taken over", "", map[string]string{"": here, "Google by DNS": there, "OpenDNS by DNS": there, "Akamai by DNS": there}, here, ""},
		{"one operator, two ways", "", map[string]string{"Cloudflare by HTTPS": there, "Cloudflare by STUN": there}, "", " alone; two operators must agree"},
		{"one alone", "", map[string]string{"ipify by HTTPS": here}, "", "11.22.33.7 is told by ipify by HTTPS alone"},
		{"two differ", "", map[string]string{"ipify by HTTPS": here, "Google by STUN": there}, "", "do not agree"},
		{"nobody", "", nil, "", "no echo service answers"},
		{"private", "", map[string]string{"": "192.168.1.5"}, "", "is private"},
		{"wrong family", "", map[string]string{"": "2a02::1"}, "", "no ipv4 address"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for turn := range builtin { // whoever's turn it is
				w := newWorld(c.says)
				w.turn = turn
				a, by, err := w.Ask(t.Context(), question(c.known))
				switch {
				case c.want != "" && (err != nil || a.String() != c.want || by == ""):
					t.Errorf("%v by %q, %v; want %s", a, by, err, c.want)
				case c.want == "" && (err == nil || a.IsValid() || !strings.Contains(err.Error(), c.problem)):
					t.Errorf("%v, error %v; want one with %q", a, err, c.problem)
				}
			}
		})
	}
}

func TestOneIsAskedToConfirm(t *testing.T) {
	w := newWorld(map[string]string{"": "11.22.33.7"})
	var first []string
	for range 10 {
		before := len(w.asked)
		if _, _, err := w.Ask(t.Context(), question("11.22.33.7")); err != nil {
			t.Fatal(err)
		}
		if n := len(w.asked) - before; n != 1 {
			t.Errorf("%d asked", n)
		}
		first = append(first, w.asked[before])
	}
	if slices.Sort(first); len(slices.Compact(first)) < 8 {
		t.Errorf("always the same are asked: %v", first)
	}
}

// However often the network changes, nobody is asked more often than he allows.
func TestTermsAreKept(t *testing.T) {
	for url, pause := range map[string]time.Duration{"": usual, "http://CheckIP.dyndns.com/": 10 * time.Minute, "https://ip.example.net/x": usual} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(map[string]string{"": "11.22.33.7"})
			q := question("")
			q.URL = url
			for range 3000 {
				w.Ask(t.Context(), q)
				synctest.Wait()
				time.Sleep(time.Second)
			}
			for host, times := range w.when {
				for i := 1; i < len(times); i++ {
					if d := times[i].Sub(times[i-1]); d < pause {
						t.Fatalf("%s was asked again after %v", host, d)
					}
				}
			}
			if len(w.when) == 0 {
				t.Error("nobody was asked")
			}
		})
	}
}

func TestBuiltinServices(t *testing.T) {
	for _, f := range []config.Family{config.IPv4, config.IPv6} {
		operators := map[int]map[string]bool{byHTTPS: {}, byDNS: {}, bySTUN: {}}
		for i := range builtin {
			if s := &builtin[i]; s.host(f) != "" {
				operators[s.kind][s.operator] = true
			}
		}
		for kind, of := range operators {
			if len(of) < 2 {
				t.Errorf("%v: kind %d has the operators %v", f, kind, of)
			}
		}
	}
	for i := range builtin {
		if s := &builtin[i]; s.kind == byHTTPS && !strings.HasPrefix(s.v4, "https://") {
			t.Errorf("%s is not asked by https", s.name())
		}
	}
}

func TestFind(t *testing.T) {
	const dyn = "<html><head><title>Current IP Check</title></head><body>Current IP Address: 11.22.33.7</body></html>\r\n"
	for _, c := range []struct{ body, pattern, want, problem string }{
		{"11.22.33.7\n", "", "11.22.33.7", ""},
		{"2a02::1", "", "2a02::1", ""},
		{dyn, "", "", "web page"}, // D19, D20
		{"11.22.33.7 and more", "", "", "no address"},
		{"", "", "", "no address"},
		{"fe80::1%eth0", "", "", "no address"},
		{"\x1b[2J11.22.33.7", "", "", `\x1b`},
		{dyn, "Address: {address}", "11.22.33.7", ""},
		{dyn, "Address: {address}</body>", "11.22.33.7", ""},
		{dyn, "{address}</body>", "11.22.33.7", ""},
		{dyn, "Address: {address}</p>", "", "does not fit"},
		{`{"ip":"11.22.33.7"}`, `"ip":"{address}"`, "11.22.33.7", ""},
		{`{"ip":"x","ip":"2a02::1"}`, `"ip":"{address}"`, "2a02::1", ""},
		{"You are 11.22.33.7.", "are {address}", "11.22.33.7", ""},
		{"You are 11.22.33.7.", "are {address}.", "11.22.33.7", ""},
		{"1111.22.33.7 ok", "{address} ok", "", "does not fit"},
		{"", "{address}", "", "does not fit"},
		{dyn, "current ip*{address}", "11.22.33.7", ""},
		{dyn, "*{address}", "11.22.33.7", ""},
		{dyn, "TITLE>*BODY>*{address}<", "11.22.33.7", ""},
		{dyn, "Address:*of {address}", "", "does not fit"},
		{dyn, "Adresse*{address}", "", "does not fit"},
		{"LAN 192.168.1.2, WAN 11.22.33.7", "WAN*{address}", "11.22.33.7", ""},
		{"WAN 11.22.33.7, LAN 192.168.1.2", "wan*{address}", "11.22.33.7", ""},
		{"IP: 2A02::AB", "ip: {address}", "2a02::ab", ""},
		{"nothing", "x{address}", "", "does not fit"},
	} {
		a, err := Find(c.body, c.pattern)
		if c.want != "" && (err != nil || a.String() != c.want) || c.want == "" && (err == nil || !strings.Contains(err.Error(), c.problem)) {
			t.Errorf("%q, pattern %q: %v, %v", c.body, c.pattern, a, err)
		}
	}
}

var testID = []byte{0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}

// stun is a success with a mapped address.
func stun(id []byte, a netip.Addr, kind uint16) []byte {
	raw := a.AsSlice()
	b := binary.BigEndian.AppendUint16(nil, stunSuccess)
	b = binary.BigEndian.AppendUint16(b, uint16(8+len(raw)+8))
	b = append(b, id...)
	b = append(b, 0x80, 0x22, 0, 3, 'a', 'b', 'c', 0) // SOFTWARE, padded
	b = binary.BigEndian.AppendUint16(b, kind)
	b = binary.BigEndian.AppendUint16(b, uint16(4+len(raw)))
	family := byte(familyOfIPv4)
	if a.Is6() {
		family = familyOfIPv6
	}
	b = append(b, 0, family, 9, 9)
	for i, c := range raw {
		b = append(b, c^id[i])
	}
	return b
}

func TestSTUN(t *testing.T) {
	for _, text := range []string{"11.22.33.7", "2a02::1:2"} {
		want := netip.MustParseAddr(text)
		if a, ok := parseSTUN(stun(testID, want, mappedXOR), testID); !ok || a != want {
			t.Errorf("%v, %v", a, ok)
		}
	}
	good := stun(testID, netip.MustParseAddr("11.22.33.7"), mappedXOR)
	other := slices.Clone(testID)
	other[15]++
	for name, b := range map[string][]byte{
		"another's transaction": stun(other, netip.MustParseAddr("66.6.6.6"), mappedXOR), "cut off": good[:len(good)-1], "longer": append(slices.Clone(good), 0),
		"no address": stun(testID, netip.MustParseAddr("66.6.6.6"), 0x8023), "nothing": nil, "error answer": append([]byte{1, 0x11}, good[2:]...),
	} {
		if a, ok := parseSTUN(b, testID); ok {
			t.Errorf("%s: took %v", name, a)
		}
	}
}

func FuzzSTUN(f *testing.F) {
	f.Add(stun(testID, netip.MustParseAddr("11.22.33.7"), mappedXOR))
	f.Add(stun(testID, netip.MustParseAddr("2a02::1"), mappedXOR))
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, ok := parseSTUN(b, testID); ok != a.IsValid() {
			t.Errorf("%v, %v", a, ok)
		}
	})
}

func FuzzFind(f *testing.F) {
	f.Add("Current IP Address: 11.22.33.7</body>", "Address: {address}<")
	f.Add(`{"ip":"2a02::1"}`, `{address}`)
	f.Add("IP 1, WAN*IP: 11.22.33.7", "ip*wan*{address}")
	f.Fuzz(func(t *testing.T, body, pattern string) {
		if a, err := Find(body, pattern); err == nil && (!a.IsValid() || a.Zone() != "") {
			t.Errorf("%v", a)
		}
	})
}

func FuzzWhoami(f *testing.F) {
	w := dns.NewWriter(dns.FlagResponse, "whoami.test", dns.TypeTXT)
	w.Record(dns.SectionAnswer, "whoami.test", dns.TypeTXT, dns.ClassIN, 60, append([]byte{10}, "11.22.33.7"...))
	f.Add(w.Buf)
	w = dns.NewWriter(dns.FlagResponse, "whoami.test", dns.TypeA)
	w.Record(dns.SectionAnswer, "whoami.test", dns.TypeA, dns.ClassIN, 60, []byte{11, 22, 33, 7})
	f.Add(w.Buf)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := dns.Parse(b)
		if err != nil {
			return
		}
		if a, err := fromDNS(m, "whoami.test"); (err == nil) != a.IsValid() {
			t.Errorf("%v, %v", a, err)
		}
	})
}

// A service that both families ask at one name is left alone after one has
// asked, also when the other's question to it gets no answer.
func TestSilenceOfOneFamilyForgetsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(nil)
		for i := range w.ask {
			w.ask[i] = func(_ context.Context, _ *provider.Client, s *service, q Question) (netip.Addr, error) {
				if q.Family == config.IPv4 {
					time.Sleep(3 * time.Second)
					return netip.Addr{}, unanswered{errors.New("no answer")}
				}
				w.mu.Lock()
				defer w.mu.Unlock()
				w.when[s.name()] = append(w.when[s.name()], time.Now())
				return netip.MustParseAddr("2a02::1"), nil
			}
		}
		for range 200 {
			done := make(chan struct{})
			go func() { w.Ask(t.Context(), question("")); close(done) }()
			q := question("2a02::1")
			q.Family = config.IPv6
			time.Sleep(time.Second)
			w.Ask(t.Context(), q)
			<-done
		}
		for name, times := range w.when {
			for i := 1; i < len(times); i++ {
				if d := times[i].Sub(times[i-1]); d < usual {
					t.Errorf("%s was asked again after %v", name, d)
				}
			}
		}
		if len(w.when) != 8 {
			t.Errorf("%d services were asked", len(w.when))
		}
	})
}
