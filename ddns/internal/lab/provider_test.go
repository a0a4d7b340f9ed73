package lab_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// get asks the provider, with basic authentication if user is given.
func get(t *testing.T, c *http.Client, url, user, pass string) (status int, body string, err error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		r.SetBasicAuth(user, pass)
	}
	response, err := c.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// here is a laboratory for what needs no namespace but its methods.
func here(t *testing.T, o lab.ProviderOptions) *lab.Provider {
	t.Helper()
	return lab.Loopback(t).Provider(nil, o)
}

// resolver asks one name server only.
func resolver(s *lab.NameServer, network string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, s.Addr.String())
	}}
}

func TestProviderRepliesAndServesDNS(t *testing.T) {
	p := here(t, lab.ProviderOptions{})
	p.Account("user", "secret", "home.dyn.test", "nas.dyn.test")
	for _, c := range []struct{ name, query, user, pass, want string }{
		{"new", "/nic/update?hostname=home.dyn.test&myip=198.18.0.7", "user", "secret", "good 198.18.0.7\n"},
		{"same", "/nic/update?hostname=home.dyn.test&myip=198.18.0.7", "user", "secret", "nochg 198.18.0.7\n"},
		{"both families", "/nic/update?hostname=nas.dyn.test&myip=198.18.0.7,2001:db8::7", "user", "secret", "good 198.18.0.7,2001:db8::7\n"},
		{"two hosts", "/nic/update?hostname=home.dyn.test,nas.dyn.test&myip=198.18.0.8", "user", "secret", "good 198.18.0.8\ngood 198.18.0.8\n"},
		{"own address", "/nic/update?hostname=nas.dyn.test", "user", "secret", "good 127.0.0.1\n"},
		{"password", "/nic/update?hostname=home.dyn.test&myip=198.18.0.9", "user", "wrong", "badauth\n"},
		{"foreign host", "/nic/update?hostname=other.dyn.test&myip=198.18.0.9", "user", "secret", "nohost\n"},
		{"no domain", "/nic/update?hostname=home&myip=198.18.0.9", "user", "secret", "notfqdn\n"},
		{"duck", "/update?domains=home&token=secret&ip=198.18.0.10&verbose=true", "", "", "OK\n198.18.0.10\n\nUPDATED"},
		{"duck again", "/update?domains=home&token=secret&ip=198.18.0.10", "", "", "OK"},
		{"duck token", "/update?domains=home&token=x&ip=198.18.0.10", "", "", "KO"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, got, err := get(t, http.DefaultClient, p.URL+c.query, c.user, c.pass); got != c.want || err != nil {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
		})
	}
	for _, network := range []string{"udp", "tcp"} {
		got, err := resolver(p.DNS, network).LookupHost(t.Context(), "home.dyn.test.")
		if err != nil || len(got) != 1 || got[0] != "198.18.0.10" {
			t.Errorf("DNS over %s: %v, %v", network, got, err)
		}
	}
	ns, err := resolver(p.DNS, "udp").LookupNS(t.Context(), "dyn.test.")
	if err != nil || len(ns) != 1 || ns[0].Host != "ns1.dyn.test." {
		t.Errorf("NS: %v, %v", ns, err)
	}
	var dnsError *net.DNSError
	if _, err := resolver(p.DNS, "udp").LookupHost(t.Context(), "none.dyn.test."); !errors.As(err, &dnsError) || !dnsError.IsNotFound {
		t.Errorf("unknown name: %v", err)
	}
	p.DNS.Break(lab.Truncate)
	if got, err := resolver(p.DNS, "tcp").LookupHost(t.Context(), "nas.dyn.test."); err != nil || len(got) != 2 {
		t.Errorf("truncated: %v, %v", got, err)
	}
	p.DNS.Break(lab.ServFail)
	if _, err := resolver(p.DNS, "tcp").LookupHost(t.Context(), "nas.dyn.test."); err == nil {
		t.Error("SERVFAIL is no error")
	}
}

func TestProviderRecords(t *testing.T) {
	p := here(t, lab.ProviderOptions{})
	before := lab.Now()
	for _, q := range []string{"/one", "/two", "/three"} {
		get(t, http.DefaultClient, p.URL+q, "u", "p")
	}
	r := p.NextRequest(t.Context())
	if r.URL.Path != "/one" || r.User != "u" || r.Pass != "p" || r.Number != 1 || !strings.HasPrefix(r.Raw, "GET /one HTTP/1.1\r\n") {
		t.Errorf("first: %+v", r)
	}
	if r.FirstByte < before || r.Accepted > r.FirstByte || r.FirstByte > lab.Now() {
		t.Errorf("times: %d, accepted %d, first byte %d", before, r.Accepted, r.FirstByte)
	}
	passed, hit := p.Until(t.Context(), lab.Says("three"))
	if len(passed) != 1 || passed[0].URL.Path != "/two" || hit.URL.Path != "/three" {
		t.Errorf("%d passed, then %v", len(passed), hit.URL)
	}
	if hit.Conn != r.Conn {
		t.Error("the connection was not kept")
	}
	if n := len(p.Requests()); n != 3 {
		t.Errorf("%d requests", n)
	}
	p.NoRequestWithin(t.Context(), 10*time.Millisecond)
}

func TestProviderMisbehaves(t *testing.T) {
	p := here(t, lab.ProviderOptions{})
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	gate := make(chan struct{})
	close(gate)
	for _, c := range []struct {
		name   string
		reply  lab.Reply
		status int // 0: an error
		body   string
	}{
		{"status", lab.Reply{Status: 503, Body: "911"}, 503, "911"},
		{"header", lab.Reply{Status: 429, Header: http.Header{"Retry-After": {"60"}}}, 429, ""},
		{"raw", lab.Reply{Raw: "HTTP/1.0 200 OK\r\n\r\ngood", Close: true}, 200, "good"},
		{"gate", lab.Reply{Body: "good", After: gate}, 200, "good"},
		{"drip", lab.Reply{Body: "good", Drip: time.Microsecond}, 200, "good"},
		{"close", lab.Reply{Close: true}, 0, ""},
		{"reset", lab.Reply{Reset: true}, 0, ""},
		{"garbage", lab.Reply{Raw: "\x00\x01\x02\r\n\r\n", Close: true}, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.Queue(c.reply)
			status, body, err := get(t, client, p.URL+"/nic/update", "", "")
			if status != c.status || body != c.body || (c.status == 0) != (err != nil) {
				t.Errorf("got %d %q %v", status, body, err)
			}
		})
	}
	hanging := func(t *testing.T, accepted func(ctx context.Context)) {
		ctx, cancel := context.WithCancel(t.Context())
		r, _ := http.NewRequestWithContext(ctx, "GET", p.URL, nil)
		done := make(chan error)
		go func() { _, err := client.Do(r); done <- err }()
		accepted(t.Context())
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("answered: %v", err)
		}
	}
	t.Run("hang", func(t *testing.T) {
		p.Queue(lab.Reply{Hang: true})
		n := len(p.Requests())
		hanging(t, func(ctx context.Context) {
			for p.NextRequest(ctx).Number <= n {
			}
		})
	})
	t.Run("mute", func(t *testing.T) {
		p.Connections(lab.Mute)
		n := len(p.Connected())
		hanging(t, func(ctx context.Context) { p.WaitConnected(ctx, n+1) })
	})
	t.Run("hang up", func(t *testing.T) {
		p.Connections(lab.HangUp)
		if _, _, err := get(t, client, p.URL, "", ""); err == nil {
			t.Error("no error")
		}
	})
}

func TestProviderTLSResumes(t *testing.T) {
	p := here(t, lab.ProviderOptions{TLS: true})
	p.Handle(func(r *lab.Request) lab.Reply { return lab.Reply{Body: "good", Close: true} })
	text, err := os.ReadFile(p.CA.File)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
		RootCAs: pool, ServerName: p.Host, ClientSessionCache: tls.NewLRUClientSessionCache(1)}}}
	for i := range 2 {
		if _, body, err := get(t, client, p.URL, "", ""); body != "good" || err != nil {
			t.Fatalf("got %q, %v", body, err)
		}
		if r := p.NextRequest(t.Context()); r.TLS == nil || r.Resumed != (i == 1) {
			t.Errorf("request %d: resumed is %v", i, r.Resumed)
		}
	}
	if _, _, err := get(t, http.DefaultClient, p.URL, "", ""); err == nil {
		t.Error("a client without the CA trusts it")
	}
}

func TestResolverOfRouter(t *testing.T) {
	l := lab.New(t)
	l.ISPLink.Add("198.18.0.1/24")
	l.WAN.Add("198.18.0.7/24")
	p := l.Provider(l.ISP, lab.ProviderOptions{Addr: "198.18.0.1"})
	p.Account("user", "secret", "home.dyn.test")
	s := l.Resolver(l.Router, "127.0.0.1", map[string]string{"echo.test": "198.18.0.1"}, p.Zone)
	p.Zone.Set("home.dyn.test", netip.MustParseAddr("198.18.0.7"))
	for _, name := range []string{"members.dyn.test", "home.dyn.test", "echo.test"} {
		l.Router.Run("getent", "hosts", name)
	}
	s.WaitQuery(t.Context(), "echo.test")
}
