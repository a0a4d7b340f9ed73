package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// soak is a site with the binary as it is released, published and quiet; or
// the end of the test where time is short.
func soak(t *testing.T) *site {
	t.Helper()
	if os.Getenv("WANBEACON_SOAK") != "1" {
		t.Skip("NOT RUN: takes long, and is part of `make soak` (WANBEACON_SOAK=1)")
	}
	release, err := lab.Release(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := bareSite(t)
	s.p = s.provider(lab.ProviderOptions{TLS: true})
	s.Resolver(s.Router, "127.0.0.1", nil, s.p.Zone)
	s.online("11.22.33.7")
	s.WAN.Add("2a00:db8:1::7/64", "nodad")
	s.d = s.Router.Daemon(release, s.plain(both)+trusting(s.p))
	s.settled("11.22.33.7")
	s.state(home, "ipv4", "published")
	return s
}

// TestSoakIdle: while nothing changes, nothing is logged, written or sent.
// WANBEACON_IDLE sets the time, ten minutes if it is not there.
func TestSoakIdle(t *testing.T) {
	s := soak(t)
	idle := idleTime(t, 10*time.Minute)
	s.WAN.WaitAddr(t.Context(), "fe80::/10")
	s.quietWire()

	lines, file := len(s.d.Lines()), s.file()
	before := s.d.Activity()
	received, sent := s.WAN.Packets()
	conns := len(s.p.Connected())
	select {
	case <-time.After(idle):
	case <-s.d.Ended():
		t.Fatalf("the daemon ended:\n%s", s.d.Output())
	}
	after := s.d.Activity()
	receivedThen, sentThen := s.WAN.Packets()
	minutes := idle.Minutes()
	t.Logf("%v idle: %d voluntary and %d involuntary context switches (%.1f a minute), %d ticks of CPU, %d write calls, %d bytes written, %d packets sent, %d received",
		idle, after.Voluntary-before.Voluntary, after.Involuntary-before.Involuntary,
		float64(after.Voluntary-before.Voluntary+after.Involuntary-before.Involuntary)/minutes,
		after.CPU-before.CPU, after.Writes-before.Writes, after.Written-before.Written, sentThen-sent, receivedThen-received)

	for _, l := range s.d.Lines()[lines:] {
		t.Errorf("logged: %s", l.Text)
	}
	if s.file() != file || after.Written != before.Written {
		t.Errorf("%d bytes written; state file %s, was %s", after.Written-before.Written, s.file(), file)
	}
	if sentThen != sent || len(s.p.Connected()) != conns {
		t.Errorf("%d packets left by the WAN, %d connections", sentThen-sent, len(s.p.Connected())-conns)
	}
	// Go's runtime alone wakes up about twice a minute (its forced collection
	// of garbage every two minutes, and what follows from it).
	if n := after.Voluntary - before.Voluntary; float64(n) > 20+6*minutes {
		t.Errorf("%d wake-ups in %v", n, idle)
	}
	if n := after.CPU - before.CPU; float64(n) > 1+minutes {
		t.Errorf("%d ticks of CPU in %v", n, idle)
	}
	s.online("11.22.33.8") // it still works
	s.settled("11.22.33.8")
}

// quietWire waits until the kernels have ended what they say of themselves
// when a link is new (router solicitations, multicast reports, ARP), and keeps
// them from more.
func (s *site) quietWire() {
	s.t.Helper()
	s.Router.Sysctl("net/ipv6/conf/wan/router_solicitations", "0")
	s.Router.IP("neigh", "replace", gateway, "dev", "wan", "lladdr", s.mac(s.ISPLink), "nud", "permanent")
	s.ISP.IP("neigh", "replace", "11.22.33.7", "dev", "isp0", "lladdr", s.mac(s.WAN), "nud", "permanent")
	s.silence()
}

// silence waits until nothing has left by the WAN for six seconds.
func (s *site) silence() {
	s.t.Helper()
	_, last := s.WAN.Packets()
	since := time.Now()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for time.Since(since) < 6*time.Second {
		<-tick.C
		if _, sent := s.WAN.Packets(); sent != last {
			last, since = sent, time.Now()
		}
	}
}

// mac is a device's hardware address.
func (s *site) mac(k *lab.Link) string {
	s.t.Helper()
	for word := range strings.FieldsSeq(k.NS.IP("-o", "link", "show", "dev", k.Name)) {
		if strings.Count(word, ":") == 5 && len(word) == 17 {
			return word
		}
	}
	s.t.Fatalf("%s has no hardware address", k.Name)
	return ""
}

// TestSoakChanges (L9): ten thousand changes of the address leave no trace in
// memory, files, threads or the state directory.
func TestSoakChanges(t *testing.T) {
	s := soak(t)
	s.WAN.Flush(4)
	s.bare()
	in := s.WAN.Injector()
	var early usage
	const changes = 10000
	pace := time.NewTicker(10 * time.Millisecond) // each is seen by itself
	defer pace.Stop()
	last := ""
	for n := range changes {
		if last != "" {
			in.Del(last)
		}
		last = fmt.Sprintf("11.22.%d.%d/32", 100+n/250%100, 1+n%250)
		in.Add(last, 0, nil)
		<-pace.C
		if n == changes/5 {
			early = s.usage()
		}
	}
	s.ends(strings.TrimSuffix(last, "/32"), 1)
	late := s.usage()
	requests := len(s.p.Requests())
	t.Logf("after %d changes: %+v; after %d and %d requests: %+v", changes/5, early, changes, requests, late)
	if late.rss > early.rss+early.rss/10+512 || late.files > early.files+2 || late.threads > early.threads+2 {
		t.Errorf("it has grown: %+v, was %+v", late, early)
	}
	if requests < 10 {
		t.Errorf("only %d requests", requests)
	}
	if left, _ := filepath.Glob(s.d.Dir + "/state/*"); len(left) != 1 {
		t.Errorf("files: %v", left)
	}
}

// usage is what the daemon holds.
type usage struct {
	rss, threads int // kB, number
	files        int
}

func (s *site) usage() usage {
	s.t.Helper()
	base := "/proc/" + strconv.Itoa(s.d.PID)
	text, err := os.ReadFile(base + "/status")
	if err != nil {
		s.t.Fatal(err)
	}
	var u usage
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "VmRSS:"):
			u.rss, _ = strconv.Atoi(f[1])
		case strings.HasPrefix(line, "Threads:"):
			u.threads, _ = strconv.Atoi(f[1])
		}
	}
	list, _ := os.ReadDir(base + "/fd")
	u.files = len(list)
	return u
}

// idleTime is WANBEACON_IDLE, or usual.
func idleTime(t *testing.T, usual time.Duration) time.Duration {
	t.Helper()
	text := os.Getenv("WANBEACON_IDLE")
	if text == "" {
		return usual
	}
	idle, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return idle
}
