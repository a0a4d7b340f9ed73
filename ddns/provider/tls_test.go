package provider

import (
	"crypto/tls"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// tlsPeer answers good over TLS with one certificate.
func tlsPeer(t *testing.T, config *tls.Config) string {
	t.Helper()
	l, err := tls.Listen("tcp4", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "good") })}
	s.ErrorLog = quiet
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return l.Addr().String()
}

// TestR39Certificates: with a bad certificate nothing is sent, and the text
// says what is wrong with it.
func TestR39Certificates(t *testing.T) {
	ca, other := newTestCA(t), newTestCA(t)
	hour := time.Hour
	for _, c := range []struct {
		name, host  string
		by          *testCA
		from, until time.Duration
		text        string
	}{
		{"good", "members.dyndns.org", ca, -hour, hour, ""},
		{"expired", "members.dyndns.org", ca, -2 * hour, -hour, "expired on"},
		{"not yet valid", "members.dyndns.org", ca, hour, 2 * hour, "clock"},
		{"another name", "elsewhere.example", ca, -hour, hour, "another name"},
		{"unknown authority", "members.dyndns.org", other, -hour, hour, "unknown authority"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cert, err := c.by.leaf(c.host, time.Now().Add(c.from), time.Now().Add(c.until))
			if err != nil {
				t.Fatal(err)
			}
			addr := tlsPeer(t, &tls.Config{Certificates: []tls.Certificate{*cert}})
			p := account(t, "dyn", "", nil)
			p.transport.tls.caFile = ca.file
			p.transport.reroute = func(string, uint16) string { return addr }
			o := p.Send(t.Context(), Origin{}, update4("a.dyndns.org"))[0]
			if c.text == "" {
				checkOutcome(t, o, Outcome{Class: Updated, Sent: true})
				return
			}
			checkOutcome(t, o, Outcome{Class: Network, Text: c.text})
		})
	}
}

// TestOldTLS: TLS 1.1 is refused.
func TestOldTLS(t *testing.T) {
	ca := newTestCA(t)
	cert, err := ca.leaf("members.dyndns.org", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	addr := tlsPeer(t, &tls.Config{Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	p := account(t, "dyn", "", nil)
	p.transport.tls.caFile = ca.file
	p.transport.reroute = func(string, uint16) string { return addr }
	checkOutcome(t, p.Send(t.Context(), Origin{}, update4("a.dyndns.org"))[0], Outcome{Class: Network, Text: "protocol version"})
}

// TestTLSMemory: the second connection resumes the session and reads no
// bundle; a changed authority is noticed and the bundle read again.
func TestTLSMemory(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			first, second := newTestCA(t), newTestCA(t)
			bundle := filepath.Join(t.TempDir(), "bundle.pem")
			text, _ := os.ReadFile(first.file)
			more, _ := os.ReadFile(second.file)
			if err := os.WriteFile(bundle, append(text, more...), 0o600); err != nil {
				t.Fatal(err)
			}
			var by atomic.Pointer[testCA]
			by.Store(first)
			var resumed atomic.Int32
			server := &tls.Config{
				MaxVersion: version,
				GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
					return by.Load().leaf(h.ServerName, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
				},
				VerifyConnection: func(s tls.ConnectionState) error {
					if s.DidResume {
						resumed.Add(1)
					}
					return nil
				},
			}
			addr := tlsPeer(t, server)
			p := account(t, "dyn", "", nil)
			p.transport.tls.caFile = bundle
			p.transport.reroute = func(string, uint16) string { return addr }
			for i := range int32(3) {
				checkOutcome(t, p.Send(t.Context(), Origin{}, update4("a.dyndns.org"))[0], Outcome{Class: Updated, Sent: true})
				if resumed.Load() != i {
					t.Errorf("request %d: %d resumed", i, resumed.Load())
				}
				if l := p.transport.tls.load("members.dyndns.org"); !l.small {
					t.Error("the authority was not kept")
				}
			}
			by.Store(second)
			p.transport.tls.sessions.Put("members.dyndns.org", nil)
			checkOutcome(t, p.Send(t.Context(), Origin{}, update4("a.dyndns.org"))[0], Outcome{Class: Updated, Sent: true})
		})
	}
}

func TestNoAuthorities(t *testing.T) {
	ca := newTestCA(t)
	addr := ca.server(t, http.NotFoundHandler())
	p := account(t, "dyn", "", nil)
	p.transport.reroute = func(string, uint16) string { return addr }
	p.transport.tls.caFile = filepath.Join(t.TempDir(), "missing.pem")
	checkOutcome(t, p.Send(t.Context(), Origin{}, update4("a.dyndns.org"))[0], Outcome{Class: Network, Text: "no such file"})
	defer func(old []string) { bundles = old }(bundles)
	bundles = []string{filepath.Join(t.TempDir(), "missing.pem")}
	p.transport.tls.caFile = ""
	if _, err := readRoots("", false); err == nil {
		return // this machine has single certificates in /etc/ssl/certs
	}
	checkOutcome(t, p.Send(t.Context(), Origin{}, update4("a.dyndns.org"))[0], Outcome{Class: Network, Text: "ca-bundle"})
}

// TestCredentialsOnlyOverTLS: plain http needs to be asked for.
func TestCredentialsOnlyOverTLS(t *testing.T) {
	cat, _ := Open("")
	def, err := cat.Lookup("noip")
	if err != nil {
		t.Fatal(err)
	}
	for server, ok := range map[string]bool{
		"https://dyn.example.net": true, "http://127.0.0.1:8080": true, "http://[::1]": true, "http://localhost": true,
		"http://dyn.example.net": false, "http://192.168.1.1": false, "http://127.0.0.1.example.net": false,
		"http://127.0.0.1@example.net": false, "dyn.example.net": false, "https://dyn.example.net/path": false,
		"ftp://dyn.example.net": false, "https://": false,
	} {
		acct := accountOf(def.Sample.Config)
		acct.Server = server
		_, problems := New(def, acct, Options{})
		if (len(problems) == 0) != ok {
			t.Errorf("%s: %v", server, problems)
		}
		acct.InsecureHTTP = true
		if _, problems := New(def, acct, Options{}); server == "http://dyn.example.net" && len(problems) > 0 {
			t.Errorf("%s: %v, though allowed", server, problems)
		}
	}
}

// goodTLS is a server that answers good, with a certificate for every name.
func goodTLS(t *testing.T, ca *testCA) string {
	t.Helper()
	return ca.server(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "good") }))
}
