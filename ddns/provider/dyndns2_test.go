package provider

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// peer is a server on loopback that answers with bytes as they are.
type peer struct {
	addr string
	mu   sync.Mutex
	got  []string // request lines
}

// newPeer serves one connection after the other; serve gets the request's
// head and number and writes whatever it likes. The connection is closed after.
func newPeer(t testing.TB, serve func(conn net.Conn, head string, n int)) *peer {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{addr: l.Addr().String()}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				in := bufio.NewReader(conn)
				var head strings.Builder
				for {
					line, err := in.ReadString('\n')
					head.WriteString(line)
					if err != nil || line == "\r\n" {
						break
					}
				}
				p.mu.Lock()
				first, _, _ := strings.Cut(head.String(), "\r\n")
				p.got = append(p.got, first)
				n := len(p.got)
				p.mu.Unlock()
				serve(conn, head.String(), n)
			})
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return p
}

func (p *peer) requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.got...)
}

// raw serves the same bytes each time.
func raw(answer string) func(net.Conn, string, int) {
	bytes := []byte(answer)
	return func(conn net.Conn, _ string, _ int) { conn.Write(bytes) }
}

// http makes an answer.
func answerOf(status, headers, body string) string {
	return fmt.Sprintf("HTTP/1.1 %s\r\nContent-Length: %d\r\n%sConnection: close\r\n\r\n%s", status, len(body), headers, body)
}

// account makes a provider that talks to the server.
func account(t testing.TB, name, server string, fields map[string]string) *Provider {
	t.Helper()
	cat, _ := Open("")
	def, err := cat.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	acct := config.Provider{Name: name, Type: name, Server: server, Fields: map[string]config.Secret{}}
	if fields == nil {
		fields = def.Sample.Config
	}
	for k, v := range fields {
		acct.Fields[k] = config.NewSecret(v)
	}
	p, problems := New(def, acct, Options{Version: "1.2.3", Timeout: 5 * time.Second})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return p
}

var wanted = netip.MustParseAddr("203.0.113.250")

func update4(hosts ...string) []Update {
	var list []Update
	for _, h := range hosts {
		list = append(list, Update{Hostname: h, Family: config.IPv4, Addr: wanted})
	}
	return list
}

// TestReplies has the reply cases of one hostname.
func TestReplies(t *testing.T) {
	const host = "home.dyndns.org"
	ok := func(body string) string { return answerOf("200 OK", "", body) }
	for _, c := range []struct {
		name   string
		answer string
		want   Outcome // Text and Warning: parts that they must have
	}{
		{"R1 good with address", ok("good 203.0.113.250"), Outcome{Class: Updated}},
		{"R2 good alone", ok("good"), Outcome{Class: Updated}},
		{"R3 nochg", ok("nochg 203.0.113.250"), Outcome{Class: Unchanged}},
		{"R4 another address", ok("good 192.0.2.99"), Outcome{Class: Updated, Warning: "provider stored 192.0.2.99"}},
		{"R5 loopback unasked", ok("good 127.0.0.1"), Outcome{Class: BadAgent, Account: true}},
		{"R6 blanks around", ok("  good 203.0.113.250 \r\n"), Outcome{Class: Updated}},
		{"R7 capitals", ok("GOOD 203.0.113.250"), Outcome{Class: Updated}},
		{"R8 chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\ngood \r\nd\r\n203.0.113.250\r\n0\r\n\r\n", Outcome{Class: Updated}},
		{"R9 badauth", ok("badauth"), Outcome{Class: BadAuth, Account: true}},
		{"R10 401 with badauth", answerOf("401 Unauthorized", "", "badauth"), Outcome{Class: BadAuth, Account: true}},
		{"R11 403", answerOf("403 Forbidden", "", ""), Outcome{Class: BadAuth, Account: true}},
		{"R12 nohost", ok("nohost"), Outcome{Class: NoHost}},
		{"R13 notfqdn", ok("notfqdn"), Outcome{Class: NotFQDN}},
		{"R14 numhost for one", ok("numhost"), Outcome{Class: BadRequest}},
		{"R15 abuse", ok("abuse"), Outcome{Class: Abuse}},
		{"R16 badagent", ok("badagent"), Outcome{Class: BadAgent, Account: true}},
		{"R17 badsys", ok("badsys"), Outcome{Class: BadRequest}},
		{"R18 donator", ok("!donator"), Outcome{Class: PaidFeature}},
		{"R19 yours", ok("!yours"), Outcome{Class: WrongOwner}},
		{"R20 active", ok("!active"), Outcome{Class: NoHost}},
		{"R21 dnserr", ok("dnserr"), Outcome{Class: ServerError, Wait: 30 * time.Minute}},
		{"R22 911", ok("911"), Outcome{Class: ServerError, Wait: 30 * time.Minute}},
		{"R23 500 with 911", answerOf("500 Oops", "", "911"), Outcome{Class: ServerError, Wait: 30 * time.Minute}},
		{"R24 503", answerOf("503 Busy", "", ""), Outcome{Class: ServerError}},
		{"R24 503 with a time", answerOf("503 Busy", "Retry-After: 120\r\n", ""), Outcome{Class: ServerError, Wait: 2 * time.Minute}},
		{"R25 429", answerOf("429 Slow", "Retry-After: 1800\r\n", ""), Outcome{Class: TooMany, Wait: 30 * time.Minute, Account: true}},
		{"R25 429 for ever", answerOf("429 Slow", "Retry-After: 99999999999\r\n", ""), Outcome{Class: TooMany, Wait: 24 * time.Hour, Account: true}},
		{"R26 w60s", ok("w60s"), Outcome{Class: TooMany, Wait: time.Minute}},
		{"R26 w5m with words", ok("w5m please wait"), Outcome{Class: TooMany, Wait: 5 * time.Minute}},
		{"R26 w60", ok("w60"), Outcome{Class: TooMany, Wait: time.Minute}},
		{"R26 w999h", ok("w999h"), Outcome{Class: TooMany, Wait: 24 * time.Hour}},
		{"R27 wait", ok("wait 60"), Outcome{Class: Unknown, Text: `"wait 60"`}},
		{"R28 empty", ok(""), Outcome{Class: Unknown, Text: "empty"}},
		{"R29 captive portal", ok("<!DOCTYPE html><html><body>All good! OK</body></html>"), Outcome{Class: Unknown, Text: "web page"}},
		{"R29 captive portal that begins with good", ok("good <html> page"), Outcome{Class: Unknown}},
		{"R30 not good", ok("update not good: quota"), Outcome{Class: Unknown}},
		{"R31 OK", ok("OK"), Outcome{Class: Unknown}},
		{"R32 204", "HTTP/1.1 204 No Content\r\n\r\n", Outcome{Class: Unknown}},
		{"R33 to another server", answerOf("301 Moved", "Location: https://elsewhere.example/login?token=secret\r\n", ""), Outcome{Class: BadRequest, Text: "elsewhere.example/login?token=***"}},
		{"R33 nowhere", answerOf("302 Found", "", ""), Outcome{Class: BadRequest, Text: "nowhere"}},
		{"R34 400", answerOf("400 Bad", "", "what?"), Outcome{Class: BadRequest, Text: "what?"}},
		{"R34 400 with a word", answerOf("400 Bad", "", "notfqdn"), Outcome{Class: NotFQDN}},
		{"R35 404", answerOf("404 Not Found", "", "no such page"), Outcome{Class: Unknown, Endpoint: true}},
		{"R37 no reply", "", Outcome{Class: Network, Text: "without an answer"}},
		{"cut off", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\ngood", Outcome{Class: Network, Text: "middle"}},
		{"good with 500", answerOf("500 Oops", "", "good 203.0.113.250"), Outcome{Class: ServerError}},
		{"not HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n", Outcome{Class: Network, Text: "not HTTP"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newPeer(t, raw(c.answer))
			p := account(t, "dyn", "http://"+s.addr, nil)
			o := p.Send(t.Context(), Origin{}, update4(host))[0]
			c.want.Sent = true
			checkOutcome(t, o, c.want)
			if n := len(s.requests()); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// checkOutcome compares; of texts, want has a part.
func checkOutcome(t *testing.T, got, want Outcome) {
	t.Helper()
	if !strings.Contains(got.Text, want.Text) || got.Text == "" || len([]rune(got.Text)) > maxText || hasControl(got.Text) {
		t.Errorf("text %q, want %q in it", got.Text, want.Text)
	}
	if !strings.Contains(got.Warning, want.Warning) || want.Warning == "" && got.Warning != "" {
		t.Errorf("warning %q, want %q in it", got.Warning, want.Warning)
	}
	got.Text, want.Text, got.Warning, want.Warning = "", "", "", ""
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestRepliesToSeveralHostnames has the cases of several names in a request.
func TestRepliesToSeveralHostnames(t *testing.T) {
	const a, b, c = "a.dyndns.org", "b.dyndns.org", "c.dyndns.org"
	both := func(host string) []Update {
		return []Update{
			{Hostname: host, Family: config.IPv4, Addr: wanted},
			{Hostname: host, Family: config.IPv6, Addr: netip.MustParseAddr("2001:db8::7")},
		}
	}
	for _, x := range []struct {
		name    string
		updates []Update
		body    string
		query   string
		want    []Class
		warning string // of the last
	}{
		{"M1 good", update4(a), "good 203.0.113.250", "", []Class{Updated}, ""},
		{"M2 nochg", update4(a), "nochg 203.0.113.250", "", []Class{Unchanged}, ""},
		{"M3 nohost", update4(a), "nohost", "", []Class{NoHost}, ""},
		{"M4 unknown word", update4(a), "blah", "", []Class{Unknown}, ""},
		{"M5 two lines", update4(a, b), "good 203.0.113.250\ngood\n", a + "," + b, []Class{Updated, Updated}, ""},
		{"M6 three lines", update4(a, b, c), "good\nnochg\ndnserr", "", []Class{Updated, Unchanged, ServerError}, ""},
		{"M7 IPv6 alone", both(a)[1:], "good 2001:db8::7", "myip=2001:db8::7", []Class{Updated}, ""},
		{"M8 both families", both(a), "good 203.0.113.250,2001:db8::7", "myip=203.0.113.250,2001:db8::7", []Class{Updated, Updated}, ""},
		{"M9 more lines than hostnames", update4(a, b), "good\ngood\nWARNING\n", "", []Class{Updated, Updated}, "more lines"},
		{"M10 one abuse for two", update4(a, b), "abuse", "", []Class{Abuse, Abuse}, ""},
		{"M11 one good for two", update4(a, b), "good", "", []Class{Updated, Updated}, "one line"},
		{"M12 a line missing", update4(a, b, c), "good\ngood", "", []Class{Updated, Updated, Unknown}, ""},
		{"M13 first refused", update4(a, b), "nohost\ngood", "", []Class{NoHost, Updated}, ""},
		{"M16 a line for each family", both(a), "good 203.0.113.250\nnochg 2001:db8::7", "", []Class{Updated, Unchanged}, ""},
		{"M16 families of two hostnames", append(both(a), both(b)...), "good\nnochg\nnohost\ngood", "", []Class{Updated, Unchanged, NoHost, Updated}, ""},
		{"an outage after the first", update4(a, b, c), "good\n911", "", []Class{Updated, ServerError, ServerError}, ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			s := newPeer(t, raw(answerOf("200 OK", "", x.body)))
			p := account(t, "dyn", "http://"+s.addr, nil)
			groups := p.Group(x.updates)
			if len(groups) != 1 {
				t.Fatalf("groups %v", groups)
			}
			outcomes := p.Send(t.Context(), Origin{}, pick(x.updates, groups[0]))
			for i, o := range outcomes {
				if o.Class != x.want[i] {
					t.Errorf("%d: %q (%s), want %q", i, o.Class, o.Text, x.want[i])
				}
			}
			if last := outcomes[len(outcomes)-1]; !strings.Contains(last.Warning, x.warning) || x.warning == "" && last.Warning != "" {
				t.Errorf("warning %q, want %q in it", last.Warning, x.warning)
			}
			if got := s.requests(); len(got) != 1 || !strings.Contains(got[0], x.query) {
				t.Errorf("requests %q", got)
			}
		})
	}
}

func TestM14MoreThanTwentyHostnames(t *testing.T) {
	var hosts []string
	for i := range 45 {
		hosts = append(hosts, fmt.Sprintf("h%d.dyndns.org", i))
	}
	p := account(t, "dyn", "", nil)
	groups := p.Group(update4(hosts...))
	if len(groups) != 3 || len(groups[0]) != 20 || len(groups[1]) != 20 || len(groups[2]) != 5 {
		t.Fatalf("%d groups: %v", len(groups), groups)
	}
}

func TestM15DifferentAddressesNeverShareARequest(t *testing.T) {
	updates := update4("a.dyndns.org", "b.dyndns.org", "c.dyndns.org")
	updates[1].Addr = netip.MustParseAddr("203.0.113.9")
	p := account(t, "dyn", "", nil)
	if got := fmt.Sprint(p.Group(updates)); got != "[[0 2] [1]]" {
		t.Fatal(got)
	}
}

func TestR14NumhostSplitsOnce(t *testing.T) {
	s := newPeer(t, func(conn net.Conn, head string, n int) {
		body := "numhost"
		if n == 2 {
			body = "good"
		}
		conn.Write([]byte(answerOf("200 OK", "", body)))
	})
	p := account(t, "dyn", "http://"+s.addr, nil)
	o := p.Send(t.Context(), Origin{}, update4("a.dyndns.org", "b.dyndns.org"))
	if len(o) != 2 || o[0].Class != Updated || o[1].Class != BadRequest {
		t.Errorf("%+v", o)
	}
	if got := s.requests(); len(got) != 3 {
		t.Errorf("%q", got)
	}
}

func TestR33RedirectsStayOnTheServer(t *testing.T) {
	var s *peer
	s = newPeer(t, func(conn net.Conn, head string, n int) {
		if !strings.Contains(head, "\r\nAuthorization: Basic ") {
			t.Errorf("no credentials in %q", head)
		}
		answer := answerOf("200 OK", "", "good")
		switch n {
		case 1:
			answer = answerOf("301 Moved", "Location: /other?a=b\r\n", "")
		case 2:
			answer = answerOf("307 Moved", "Location: http://"+s.addr+"/third\r\n", "")
		}
		conn.Write([]byte(answer))
	})
	p := account(t, "dyn", "http://"+s.addr, nil)
	o := p.Send(t.Context(), Origin{}, update4("a.dyndns.org"))[0]
	if o.Class != Updated {
		t.Errorf("%+v", o)
	}
	if got := fmt.Sprint(s.requests()[1:]); got != "[GET /other?a=b HTTP/1.1 GET /third HTTP/1.1]" {
		t.Error(got)
	}
}

func TestR33EndlessRedirects(t *testing.T) {
	s := newPeer(t, raw(answerOf("302 Found", "Location: /again\r\n", "")))
	p := account(t, "dyn", "http://"+s.addr, nil)
	o := p.Send(t.Context(), Origin{}, update4("a.dyndns.org"))[0]
	checkOutcome(t, o, Outcome{Class: BadRequest, Text: "more than three times", Sent: true})
	if n := len(s.requests()); n != 4 {
		t.Errorf("%d requests", n)
	}
}

func TestR36ConnectionRefused(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	p := account(t, "dyn", "http://"+l.Addr().String(), nil)
	o := p.Send(t.Context(), Origin{}, update4("a.dyndns.org"))[0]
	checkOutcome(t, o, Outcome{Class: Network, Text: "connection refused"})
}
