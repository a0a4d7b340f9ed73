package provider

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// http2Server serves HTTP/2 with the standard library's server, and HTTP/1.1.
func http2Server(t *testing.T, h http.HandlerFunc) (*Client, string) {
	t.Helper()
	ca := newTestCA(t)
	cert, err := ca.leaf("127.0.0.1", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{*cert}}
	s.StartTLS()
	t.Cleanup(s.Close)
	return NewClient(Options{CAFile: ca.file, Timeout: 10 * time.Second, HTTP2: true}), s.URL
}

func TestHTTP2(t *testing.T) {
	client, url := http2Server(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if r.Proto != "HTTP/2.0" || r.Method == "POST" && r.Header.Get("Content-Type") != "application/dns-message" || r.Host != strings.TrimPrefix(r.Header.Get("Origin"), "https://") {
			t.Errorf("%s %s %v", r.Proto, r.Host, r.Header)
		}
		switch r.URL.Path {
		case "/early":
			w.WriteHeader(http.StatusEarlyHints)
		case "/trailer":
			w.Header().Set("Trailer", "X-Late")
			defer w.Header().Set("X-Late", strings.Repeat("x", 300))
		case "/large":
			w.Write(bytes.Repeat([]byte("0123456789abcdef"), 1<<13)) // more than the window, too
			return
		case "/long-header":
			w.Header().Set("X-Long", strings.Repeat("x", 25<<10)) // in a continuation
		case "/too-long-header":
			w.Header().Set("X-Long", strings.Repeat("~", 80<<10))
		case "/abort":
			panic(http.ErrAbortHandler)
		default:
			if n := len(r.URL.Path); n == len("/status/000") {
				status := 0
				for _, c := range r.URL.Path[n-3:] {
					status = 10*status + int(c-'0')
				}
				w.WriteHeader(status)
			}
		}
		w.Write(append([]byte(r.URL.RequestURI()+" "), body...))
	})
	for path, want := range map[string]struct {
		status int
		body   string // "": there has to be an error
	}{
		"/dns-query?a=b":                  {200, "/dns-query?a=b question"},
		"/early":                          {200, "/early question"},
		"/trailer":                        {200, "/trailer question"},
		"/long-header":                    {200, "/long-header question"},
		"/large":                          {200, strings.Repeat("0123456789abcdef", maxBody/16)[:maxBody-1]},
		"/" + strings.Repeat("long", 200): {200, "/" + strings.Repeat("long", 200) + " question"},
		"/status/201":                     {201, "/status/201 question"},
		"/status/400":                     {400, "/status/400 question"},
		"/status/415":                     {415, "/status/415 question"},
		"/status/429":                     {429, "/status/429 question"},
		"/status/503":                     {503, "/status/503 question"},
		"/status/599":                     {599, "/status/599 question"},
		"/abort":                          {},
		"/too-long-header":                {},
	} {
		r, err := client.Do(t.Context(), Call{Method: "POST", URL: url + path, Body: "question",
			Header: [][2]string{{"Content-Type", "application/dns-message"}, {"Origin", url}}})
		switch {
		case want.body == "":
			if err == nil {
				t.Errorf("%s: %d %.80q; want an error", path, r.Status, r.Body)
			} else {
				t.Log(err)
			}
		case err != nil:
			t.Errorf("%s: %v", path, err)
		case r.Status != want.status || r.Body != want.body:
			t.Errorf("%s: %d %.80q", path, r.Status, r.Body)
		}
	}
	if r, err := client.Do(t.Context(), Call{Method: "GET", URL: url + "/get", Header: [][2]string{{"Origin", url}}}); err != nil || r.Body != "/get " {
		t.Error(r, err)
	}
}

// TestHTTP2IsTheServersChoice, and 1.1 will do.
func TestHTTP2IsTheServersChoice(t *testing.T) {
	ca := newTestCA(t)
	cert, err := ca.leaf("127.0.0.1", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{*cert}}
	s.StartTLS()
	defer s.Close()
	r, err := NewClient(Options{CAFile: ca.file, HTTP2: true}).Do(t.Context(), Call{Method: "POST", URL: s.URL, Body: "question"})
	if err != nil || r.Body != "HTTP/1.1" {
		t.Error(r, err)
	}
}

// TestHTTP2EndsWithTheContext when a server says nothing.
func TestHTTP2EndsWithTheContext(t *testing.T) {
	entered := make(chan struct{})
	client, url := http2Server(t, func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-entered; cancel() }()
	if _, err := client.Do(ctx, Call{Method: "POST", URL: url, Body: "question"}); err == nil || ctx.Err() == nil {
		t.Error(err)
	}
}

func TestStatusOfHTTP2(t *testing.T) {
	for block, want := range map[string]int{
		"\x88": 200, "\x89": 204, "\x8d": 404, "\x8e": 500,
		"\x20\x88": 200, "\x3f\xe1\x1f\x88": 200, // a table of no bytes, of 4096
		"\x48\x03415": 415, "\x08\x03503": 503, "\x18\x03307": 307,
		"\x48\x82\x64\x02": 302, "\x48\x82\x10\x03": 201, // RFC 7541 appendix C.6.1; 15 bits
		"\x48\x83\x64\x0e\xff": 307, // appendix C.6.2
		"":                     0, "\x20": 0, "\x3f\xff\xff": 0, "\x48": 0, "\x48\x03": 0, "\x48\x0341": 0, "\x48\x03xyz": 0, "\x87": 0, "\x8f": 0, "\x40\x03abc": 0,
	} {
		if got := h2Status([]byte(block)); got != want {
			t.Errorf("%x: %d, want %d", block, got, want)
		}
	}
}

// FuzzHTTP2: whatever a server sends, reading ends, within its bounds.
func FuzzHTTP2(f *testing.F) {
	f.Add(h2Frame(h2Frame(h2Frame(nil, h2Settings, 0, 0, nil), h2Headers, h2EndHeaders, 1, []byte("\x88")), h2Data, h2EndStream, 1, []byte("answer")))
	f.Add(h2Frame(h2Frame(nil, h2Headers, h2Padded|h2Priority, 1, []byte("\x02\x00\x00\x00\x00\x00\x48pp")), h2Continuation, h2EndHeaders|h2EndStream, 1, []byte("\x03415")))
	f.Add(h2Frame(h2Frame(nil, h2Ping, 0, 0, []byte("12345678")), h2Reset, 0, 1, []byte{0, 0, 0, 2}))
	f.Add(h2Frame(nil, h2GoAway, 0, 0, []byte{0, 0, 0, 0, 0, 0, 0, 13}))
	f.Fuzz(func(t *testing.T, sent []byte) {
		var out bytes.Buffer
		r, err := readHTTP2(bufio.NewReader(bytes.NewReader(sent)), &out, 1000)
		if err == nil && (r.status < 200 || r.status > 999 || len(r.body) > 1000) {
			t.Fatalf("%+v", r)
		}
		if out.Len() > 2*len(sent) {
			t.Fatalf("%d bytes for %d", out.Len(), len(sent))
		}
	})
}
