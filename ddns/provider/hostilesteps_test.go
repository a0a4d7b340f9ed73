package provider

import (
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestHostileServersOfSteps: whatever a server of several requests does, there
// is one outcome, in time, of few requests, with a harmless text; little memory
// is used, and nothing that it says leads a request elsewhere.
func TestHostileServersOfSteps(t *testing.T) {
	const zones = `{"success":true,"result":[{"id":"z1","name":"example.org"}]}`
	list := func(records string) string {
		return answerOf("200 OK", "", `{"success":true,"result":[`+records+`]}`)
	}
	// then answers the look-up of the zone well and everything else so.
	then := func(answer string) func(net.Conn, string, int) {
		return func(conn net.Conn, head string, _ int) {
			if strings.Contains(head, "/zones?") {
				answer := answerOf("200 OK", "", zones)
				conn.Write([]byte(answer))
				return
			}
			conn.Write([]byte(answer))
		}
	}
	many := strings.Repeat(`{"id":"r","name":"home.example.org","type":"A","content":"198.51.100.4"},`, 10<<20/74)
	for _, c := range []struct {
		name  string
		serve func(net.Conn, string, int)
		want  Class
		text  string
	}{
		{"10 MB of records", then(list(strings.TrimSuffix(many, ","))), Unknown, "record: "},
		{"10 MB of an id", then(list(`{"id":"` + strings.Repeat("r", 10<<20) + `","content":"198.51.100.4"}`)), Unknown, "record: "},
		{"an id that is too long to be one", then(list(`{"id":"` + strings.Repeat("r", 10<<10) + `","content":"198.51.100.4"}`)), Unknown, "no record_id"},
		{"a million brackets", then(answerOf("200 OK", "", strings.Repeat("[", 1<<20))), Unknown, ""},
		{"nested objects", then(list(strings.Repeat(`{"id":`, 30000) + "1" + strings.Repeat("}", 30000))), Unknown, ""},
		{"invalid UTF-8 in an error", then(answerOf("400 Bad Request", "", "{\"success\":false,\"errors\":[{\"code\":1,\"message\":\"a\xff\xfeb\"}]}")), BadRequest, "record: "},
		{"control characters in an error", then(answerOf("400 Bad Request", "", `{"success":false,"errors":[{"code":1,"message":"a\u001b[2J\u0000\n\u202eb"}]}`)), BadRequest, `\x1b[2J`},
		{"control characters in an id", then(list(`{"id":"r1\r\nX: y","content":"198.51.100.4"}`)), Unknown, "no record_id"},
		{"an id that is a path", onePath(t, then(list(`{"id":"../../../user?x#","content":"198.51.100.4"}`))), Updated, ""},
		{"an id that is an object", then(list(`{"id":{"a":1},"content":"198.51.100.4"}`)), Unknown, "no record_id"},
		{"a list that is a number", then(answerOf("200 OK", "", `{"success":true,"result":7}`)), Unknown, "no record_id"},
		{"gzip uninvited", then(answerOf("200 OK", "Content-Encoding: gzip\r\n", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03")), Unknown, "compressed"},
		{"a redirect to itself", func(conn net.Conn, head string, _ int) {
			_, rest, _ := strings.Cut(head, " ")
			path, _, _ := strings.Cut(rest, " ")
			conn.Write([]byte(answerOf("302 Found", "Location: "+path+"\r\n", "")))
		}, BadRequest, "more than three times"},
		{"a redirect to another server", raw(answerOf("302 Found", "Location: https://203.0.113.1/\r\n", "")), BadRequest, "another server"},
		{"the token in an error", then(answerOf("400 Bad Request", "", `{"success":false,"errors":[{"code":1,"message":"secret-token is c2VjcmV0LXRva2Vu"}]}`)), BadRequest, "***"},
		{"an answer a byte at a time", func(conn net.Conn, _ string, _ int) {
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			for text := answerOf("200 OK", "", zones+strings.Repeat(" ", 60000)); text != ""; text = text[1:] {
				<-tick.C
				if _, err := conn.Write([]byte(text[:1])); err != nil {
					return
				}
			}
		}, Network, "no answer within"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newPeer(t, c.serve)
			p := account(t, "cloudflare", "http://"+s.addr, nil)
			p.opt.Timeout = 2 * time.Second
			if c.want == Network {
				p.opt.Timeout = 300 * time.Millisecond
			}
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			o := p.Send(t.Context(), Origin{}, update4("home.example.org"))[0]
			runtime.ReadMemStats(&after)
			if o.Class != c.want || !strings.Contains(o.Text, c.text) || o.Text == "" || !o.Sent {
				t.Errorf("%q: %s; want %q with %q", o.Class, o.Text, c.want, c.text)
			}
			checkText(t, o)
			if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
				t.Errorf("%d bytes used", used)
			}
		})
	}
}

// onePath serves on, and fails the test for a path that an id has broken out of.
func onePath(t *testing.T, serve func(net.Conn, string, int)) func(net.Conn, string, int) {
	return func(conn net.Conn, head string, n int) {
		if !strings.Contains(head, " /client/v4/zones") || strings.Contains(head, "/../") {
			t.Errorf("a request for %.100q", head)
		}
		serve(conn, head, n)
	}
}

// TestEndlessLists: pages without end, and a change that is never finished, are
// given up.
func TestEndlessLists(t *testing.T) {
	for _, c := range []struct {
		name, provider string
		reply          func(n int, head string) string
		most           int
		text           string
	}{
		{"cursors", "vultr", func(n int, _ string) string {
			return fmt.Sprintf(`{"records":[],"meta":{"links":{"next":"c%d"}}}`, n)
		}, maxRequests, "more than 20 requests"},
		{"full pages", "digitalocean", func(int, string) string {
			return `{"domain_records":[` + strings.TrimSuffix(strings.Repeat(`{"id":1},`, 200), ",") + `]}`
		}, maxRequests, "more than 20 requests"},
		{"the same cursor again", "vultr", func(int, string) string { return `{"records":[],"meta":{"links":{"next":"c"}}}` }, maxRequests, ""},
		{"a zone for each label", "hetzner-cloud", func(int, string) string { return `{"zone":{}}` }, maxRequests, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var requests atomic.Int32
			s := newPeer(t, func(conn net.Conn, head string, _ int) {
				n := int(requests.Add(1))
				conn.Write([]byte(answerOf("200 OK", "", c.reply(n, head))))
			})
			p := account(t, c.provider, "http://"+s.addr, nil)
			o := p.Send(t.Context(), Origin{}, update4("a.b.c.d.e.f.g.h.i.j.k.example.org"))[0]
			if n := int(requests.Load()); n > c.most || !strings.Contains(o.Text, c.text) {
				t.Errorf("%d requests: %q: %s", n, o.Class, o.Text)
			}
			checkText(t, o)
		})
	}
}
