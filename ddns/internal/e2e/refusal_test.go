package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// replies are the answers of a dyndns2 provider and what becomes of a record;
// $IP stands for the address asked for. next is the least and the most time
// until the next attempt; both zero: there is none until something changes.
var replies = []struct {
	name, state, class string
	reply              lab.Reply
	next               [2]time.Duration
	says               string // in the error, or in the log where there is none
}{
	{name: "r1", state: "published", reply: lab.Reply{Body: "good $IP"}},
	{name: "r2", state: "published", reply: lab.Reply{Body: "good"}},
	{name: "r3", state: "published", reply: lab.Reply{Body: "nochg $IP"}},
	{name: "r4", state: "published", reply: lab.Reply{Body: "good 192.0.2.99"}, says: "192.0.2.99"},
	{name: "r5", state: "blocked", class: "badagent", reply: lab.Reply{Body: "good 127.0.0.1"}},
	{name: "r6", state: "published", reply: lab.Reply{Body: " good $IP\r\n"}},
	{name: "r7", state: "published", reply: lab.Reply{Body: "GOOD $IP"}},
	{name: "r8", state: "published", reply: lab.Reply{Raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\ngo\r\n3\r\nod \r\n0\r\n\r\n"}},
	{name: "r9", state: "blocked", class: "badauth", reply: lab.Reply{Body: "badauth"}, says: "badauth"},
	{name: "r10", state: "blocked", class: "badauth", reply: lab.Reply{Status: 401, Body: "badauth"}},
	{name: "r11", state: "blocked", class: "badauth", reply: lab.Reply{Status: 403}},
	{name: "r12", state: "blocked", class: "nohost", reply: lab.Reply{Body: "nohost"}},
	{name: "r13", state: "blocked", class: "notfqdn", reply: lab.Reply{Body: "notfqdn"}},
	{name: "r14", state: "blocked", class: "badrequest", reply: lab.Reply{Body: "numhost"}},
	{name: "r15", state: "blocked", class: "abuse", reply: lab.Reply{Body: "abuse"}},
	{name: "r16", state: "blocked", class: "badagent", reply: lab.Reply{Body: "badagent"}},
	{name: "r17", state: "blocked", class: "badrequest", reply: lab.Reply{Body: "badsys"}},
	{name: "r18", state: "blocked", class: "paid-feature", reply: lab.Reply{Body: "!donator"}},
	{name: "r19", state: "blocked", class: "wrong-owner", reply: lab.Reply{Body: "!yours"}},
	{name: "r20", state: "blocked", class: "nohost", reply: lab.Reply{Body: "!active"}},
	{name: "r21", state: "retrying", class: "servererror", reply: lab.Reply{Body: "dnserr"}, next: halfHour},
	{name: "r22", state: "retrying", class: "servererror", reply: lab.Reply{Body: "911"}, next: halfHour},
	{name: "r23", state: "retrying", class: "servererror", reply: lab.Reply{Status: 500, Body: "911"}, next: halfHour},
	{name: "r24", state: "retrying", class: "servererror", reply: lab.Reply{Status: 503, Header: http.Header{"Retry-After": {"2400"}}}, next: about(40 * time.Minute)},
	{name: "r25", state: "retrying", class: "toomany", reply: lab.Reply{Status: 429, Header: http.Header{"Retry-After": {"1200"}}}, next: about(20 * time.Minute)},
	{name: "r26", state: "retrying", class: "toomany", reply: lab.Reply{Body: "w5m please wait"}, next: about(5 * time.Minute)},
	{name: "r27", state: "retrying", class: "unknown", reply: lab.Reply{Body: "wait 60"}, next: soon, says: "wait 60"},
	{name: "r28", state: "retrying", class: "unknown", reply: lab.Reply{}, next: soon, says: "empty"},
	{name: "r29", state: "retrying", class: "unknown", next: soon,
		reply: lab.Reply{Header: http.Header{"Content-Type": {"text/html"}}, Body: "<html><title>Log in</title>good OK\ngood $IP\n</html>"}},
	{name: "r30", state: "retrying", class: "unknown", reply: lab.Reply{Body: "update not good: quota"}, next: soon, says: "not good"},
	{name: "r31", state: "retrying", class: "unknown", reply: lab.Reply{Body: "OK"}, next: soon},
	{name: "r32", state: "retrying", class: "unknown", reply: lab.Reply{Status: 204}, next: soon},
	{name: "r33", state: "blocked", class: "badrequest", reply: lab.Reply{Status: 301, Header: http.Header{"Location": {"http://elsewhere.test/"}}}, says: "elsewhere.test"},
	{name: "r34", state: "blocked", class: "badrequest", reply: lab.Reply{Status: 400}},
	{name: "r35", state: "retrying", class: "unknown", reply: lab.Reply{Status: 404}, next: soon, says: "404"},
	{name: "r37", state: "retrying", class: "network", reply: lab.Reply{Close: true}, next: about(5 * time.Second)},
	{name: "escapes", state: "retrying", class: "unknown", reply: lab.Reply{Body: "\x1b[31mred\x07 and bell"}, next: soon, says: `\x1b`},
	{name: "long", state: "retrying", class: "unknown", reply: lab.Reply{Body: strings.Repeat("long ", 500)}, next: soon},
}

var (
	halfHour = about(30 * time.Minute)
	soon     = about(30 * time.Second)
)

// about allows for jitter and for the time that the test takes.
func about(d time.Duration) [2]time.Duration {
	return [2]time.Duration{d*85/100 - 20*time.Second, d*111/100 + time.Second}
}

// Each reply comes to a record with an account of its own. Then the address
// changes, which only those records may tell that are neither blocked nor
// waiting for the provider.
func TestReplies(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.online("11.22.33.7")
	var config strings.Builder
	byUser := map[string]lab.Reply{}
	for _, c := range replies {
		fmt.Fprintf(&config, "[provider.%s]\ntype = \"dyn\"\nusername = %q\npassword = \"s3cret-word\"\nserver = %q\ninsecure_http = true\n",
			c.name, c.name, s.p.URL)
		config.WriteString(record(c.name+".dyn.test", c.name))
		byUser[c.name] = c.reply
	}
	var mu sync.Mutex
	count := map[string]int{}
	s.p.Handle(func(r *lab.Request) lab.Reply {
		mu.Lock()
		defer mu.Unlock()
		count[r.User+" "+r.URL.Query().Get("myip")]++
		reply := byUser[r.User]
		reply.Body = strings.ReplaceAll(reply.Body, "$IP", r.URL.Query().Get("myip"))
		return reply
	})
	s.start(config.String())
	s.quiet()
	now := time.Now()
	st := status(t, s.d)
	for _, c := range replies {
		r, _ := st.Record(c.name+".dyn.test", "ipv4")
		if r.State != c.state || r.ErrorClass != c.class {
			t.Errorf("%s: %s %q %q, want %s %q", c.name, r.State, r.ErrorClass, r.Error, c.state, c.class)
		}
		where := r.Error
		if c.state == "published" {
			where = s.d.Output()
		}
		if !strings.Contains(where, c.says) || len(r.Error) > 300 {
			t.Errorf("%s: the error is %q, want %q in it", c.name, r.Error, c.says)
		}
		wait := time.Duration(0)
		if r.NextAttempt != "" {
			at, err := time.Parse(time.RFC3339, r.NextAttempt)
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			wait = at.Sub(now)
		}
		if wait < c.next[0] && c.next[1] > 0 || wait > c.next[1] {
			t.Errorf("%s: next attempt in %v, want %v", c.name, wait, c.next)
		}
		published := ""
		if c.state == "published" {
			published = "11.22.33.7"
		}
		if r.Published != published || r.Wanted != "11.22.33.7" {
			t.Errorf("%s: published %q, wanted %q", c.name, r.Published, r.Wanted)
		}
	}

	s.online("11.22.33.8")
	s.record("r1.dyn.test", "ipv4", "the address changed", func(r lab.RecordStatus) bool { return r.Published == "11.22.33.8" })
	s.p.Until(t.Context(), func(r *lab.Request) bool { return r.User == "r37" && lab.Says("11.22.33.8")(r) }) // within a second
	s.quiet()
	mu.Lock()
	defer mu.Unlock()
	for _, c := range replies {
		want := 0
		if c.state == "published" || c.class == "network" {
			want = 1
		}
		if n := count[c.name+" 11.22.33.8"]; n != want {
			t.Errorf("%s: %d requests with the new address, want %d", c.name, n, want)
		}
		if n := count[c.name+" 11.22.33.7"]; n != 1 && c.class != "network" {
			t.Errorf("%s: %d requests with the first address", c.name, n)
		}
	}
	if log := s.d.Output(); strings.Contains(log, "\x1b") || strings.Contains(log, "s3cret") {
		t.Errorf("the log:\n%s", log)
	}
}

// quiet waits until no request is under way or due now.
func (s *site) quiet() {
	s.t.Helper()
	eventually(s.t, "nothing is under way", func() bool {
		for _, r := range status(s.t, s.d).Records {
			if r.State == "updating" || r.State == "pending" || r.State == "waiting" {
				return false
			}
		}
		return true
	})
}

// What a restart, `update -force`, a reload with another password make of a
// block: only abuse and badagent, the provider's own, outlive the first two.
func TestBlocks(t *testing.T) {
	for _, c := range []struct {
		word    string
		lasting bool
	}{{"badauth", false}, {"nohost", false}, {"abuse", true}, {"badagent", true}} {
		t.Run(c.word, func(t *testing.T) {
			s := newSite(t, lab.ProviderOptions{})
			s.online("11.22.33.7")
			s.p.Handle(func(*lab.Request) lab.Reply { return lab.Reply{Body: c.word} })
			s.start(s.plain())
			s.expect("11.22.33.7")
			r := s.state(home, "ipv4", "blocked")
			if r.ErrorClass != c.word || r.NextAttempt != "" || !strings.Contains(r.Error, c.word) {
				t.Errorf("blocked: %+v", r)
			}
			line := s.d.WaitLog(t.Context(), "refused by dyn").Text
			if !strings.HasPrefix(line, "error: "+home+": ipv4 refused by dyn: ") || !strings.HasSuffix(line, "blocked until the configuration changes") {
				t.Errorf("log: %s", line)
			}
			if r := s.d.Command("status"); r.Status != 1 {
				t.Errorf("exit status %d of status with a blocked record", r.Status)
			}
			requests := 1
			again := func(what string, more bool) {
				t.Helper()
				if more {
					requests++
				}
				s.state(home, "ipv4", "blocked")
				if n := len(s.p.Requests()); n != requests {
					t.Errorf("%d requests after %s, want %d", n, what, requests)
				}
			}
			s.d.Command("update")
			again("update", false)
			s.d.Command("update", "-force")
			again("update -force", !c.lasting)
			s.d.Reload(s.plain())
			s.d.WaitLog(t.Context(), "configuration reloaded")
			again("a reload of the same", false)
			s.online("11.22.33.8")
			s.record(home, "ipv4", "new address", func(r lab.RecordStatus) bool { return r.Wanted == "11.22.33.8" })
			again("a new address", false)

			if c.lasting {
				eventually(t, "the block is saved", func() bool { return s.savedText(c.word) })
			}
			s.d.Kill()
			s.d.Start()
			s.started()
			s.record(home, "ipv4", "tried or blocked", func(r lab.RecordStatus) bool { return r.State == "blocked" })
			again("kill and start", !c.lasting)

			s.p.Handle(nil)
			s.p.Account("user", "better", home)
			s.d.Mark()
			s.d.Reload(strings.Replace(s.plain(), "s3cret-word", "better", 1))
			s.state(home, "ipv4", "published")
			again2 := len(s.p.Requests())
			if again2 != requests+1 {
				t.Errorf("%d requests after another password, want %d", again2, requests+1)
			}
		})
	}
}

// M13: the first name is refused, the second one is published all the same.
func TestSecondNameAfterRefusal(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.online("11.22.33.7")
	s.start(account("dyn", s.p) + record("foreign.dyn.test", "dyn") + record(home, "dyn"))
	s.state("foreign.dyn.test", "ipv4", "blocked")
	s.state(home, "ipv4", "published")
	s.online("11.22.33.8")
	_, r := s.p.Until(t.Context(), lab.Says("11.22.33.8"))
	if got := r.URL.Query().Get("hostname"); got != home {
		t.Errorf("the new address for %s", got)
	}
}

// Several names of an account share a request; the user's request is one, too.
func TestNamesShareARequest(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.online("11.22.33.7")
	s.start(account("dyn", s.p) + record(home, "dyn") + record("nas.dyn.test", "dyn") + record("third.dyn.test", "dyn"))
	r := s.expect("11.22.33.7")
	if got := r.URL.Query().Get("hostname"); got != home+",nas.dyn.test,third.dyn.test" {
		t.Errorf("hostname=%s", got)
	}
	s.state("third.dyn.test", "ipv4", "published")
	if n := len(s.p.Connected()); n != 1 {
		t.Errorf("%d connections", n)
	}
}
