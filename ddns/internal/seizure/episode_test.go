package seizure_test

import (
	"bufio"
	"encoding/json"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
	"github.com/wanbeacon/wanbeacon/ddns/internal/seizure"
)

var binary string

func TestMain(m *testing.M) {
	flag.Parse()
	flag.Set("test.parallel", "4") // they wait for most of the time
	lab.MainOf(m, &binary)
}

// The pace of all episodes. What a loaded machine may add to a bound, slack,
// is the ten seconds that a resolver is granted, too.
const (
	interval    = 4 * time.Second
	failAfter   = 5 * time.Second
	returnAfter = 5 * time.Second
	ttl         = 5 * time.Second // of what the neutral resolver keeps
	aliasTTL    = time.Minute     // of the alias, which others may keep
	slack       = 10 * time.Second
	early       = time.Second // by which a line may be read late, and the next one not
)

// tale is a world in which one thing after another goes wrong.
type tale struct {
	*seizure.World
	t    *testing.T
	addr string       // of the router
	told map[int]bool // notifications that have been dealt with
}

// begin waits until all is well at the given address of the router.
func begin(t *testing.T) *tale {
	t.Helper()
	t.Parallel()
	w := &tale{World: seizure.New(t), t: t, addr: "11.22.33.7", told: map[int]bool{}}
	w.Online(w.addr)
	w.Start(binary, seizure.Pace{Interval: interval.String(), FailAfter: failAfter.String(), ReturnAfter: returnAfter.String()}, "GORACE=atexit_sleep_ms=0")
	w.log("home.dyn.net: ipv4 seen by all 5 name servers after ")
	w.log("home.example.org: alias of home.dyn.net published at own")
	w.log("home.example.org: alias seen by the one name server after ")
	w.wellKnown(seizure.HomeA)
	if a, err := w.Neutral.LookAt(seizure.Own(), seizure.Alias); err != nil || time.Duration(a.TTL)*time.Second != aliasTTL {
		t.Errorf("the alias is served with a TTL of %d s: %v %v", a.TTL, a, err)
	}
	return w
}

// end holds for every tale.
func (w *tale) end() {
	w.t.Helper()
	status, _ := w.Daemon.Stop()
	if out := w.Daemon.Output(); status != 0 || strings.Contains(out, "DATA RACE") || strings.Contains(out, "s3cret") || strings.Contains(out, "t0ken") {
		w.t.Errorf("exit %d\n%s", status, out)
	}
}

// log waits for a line of the daemon's.
func (w *tale) log(text string) lab.Line {
	w.t.Helper()
	return w.Daemon.WaitLog(w.t.Context(), text)
}

// move gives the router another address, and waits until A has said `good`.
func (w *tale) move(addr string) {
	w.t.Helper()
	w.addr = addr
	w.Online(addr)
}

// episode is one thing that goes wrong and is put right again.
type episode struct {
	name   string
	strike func(w *tale)
	says   string        // the log, when it is noticed
	after  time.Duration // that this takes by design, beside two check intervals

	verdict, note string // in the status
	notified      string // event about A's record; "": none
	well          string // the log, when A is well again
	repair        func(w *tale)
	reason        string // of the move away, in the log
}

// happen plays an episode through in which the alias moves, and moves back.
func (w *tale) happen(e episode) {
	w.t.Helper()
	w.Daemon.Mark()
	struck := lab.Now()
	e.strike(w)
	noticed := w.log(e.says)
	w.within(e.name+": noticed", struck, noticed.At, 0, 2*interval+e.after)
	if e.verdict != "" {
		r, _ := w.Daemon.Status().Record(seizure.HomeA, "ipv4")
		if r.Verdict != e.verdict || !strings.Contains(r.VerdictNote, e.note) || r.State != "published" {
			w.t.Errorf("%s: status: %+v", e.name, r)
		}
	}
	if e.notified != "" {
		w.notification(e.notified, seizure.HomeA)
	}
	left := w.log("home.example.org: moves from home.dyn.net to home.duckdns.org: home.dyn.net has been bad for 5.0 s (" + e.reason)
	w.within(e.name+": the alias moves after the verdict", noticed.At, left.At, failAfter-early, failAfter+slack)
	w.log("home.example.org: alias of home.duckdns.org published at own")
	w.notification("moved", seizure.Alias)
	w.reached(e.name, seizure.HomeB, noticed.At, failAfter+ttl+slack)
	if a := w.Daemon.Status().Aliases[0]; a.Target != seizure.HomeB || a.State != "published" || !strings.Contains(a.Reason, e.reason) {
		w.t.Errorf("%s: status: %+v", e.name, a)
	}

	repaired := lab.Now()
	e.repair(w)
	well := w.log(e.well)
	w.within(e.name+": well again", repaired, well.At, 0, 2*interval+e.after)
	if e.notified != "" {
		w.notification("well", seizure.HomeA)
	}
	back := w.log("home.example.org: moves from home.duckdns.org to home.dyn.net: home.dyn.net has been well again for 5.0 s")
	w.within(e.name+": the alias returns", well.At, back.At, returnAfter-early, returnAfter+slack)
	w.log("home.example.org: alias of home.dyn.net published at own")
	w.notification("moved", seizure.Alias)
	w.wellKnown(seizure.HomeA)
	w.noMore(e.name)
}

// within states a bound of the contract, with the slack of a loaded machine.
func (w *tale) within(what string, from, to lab.Instant, least, most time.Duration) {
	w.t.Helper()
	took := time.Duration(to - from).Round(10 * time.Millisecond)
	w.t.Logf("%s after %v (%.1f intervals)", what, took, float64(took)/float64(interval))
	if took < least || took > most+slack {
		w.t.Errorf("%s after %v; it should be between %v and %v", what, took, least, most)
	}
}

// reached waits until the neutral resolver leads people to the router by a
// name, for no longer than bound since an instant.
func (w *tale) reached(what, by string, from lab.Instant, bound time.Duration) {
	w.t.Helper()
	w.reachedThrough(w.Neutral, what, by, from, bound)
}

func (w *tale) reachedThrough(r *lab.Recursor, what, by string, from lab.Instant, bound time.Duration) {
	w.t.Helper()
	want := netip.MustParseAddr(w.addr)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		a, err := r.Look(seizure.Alias)
		if err == nil && a.CNAME == by && len(a.Addrs) == 1 && a.Addrs[0] == want {
			w.within(what+": people reach us by "+by, from, lab.Now(), 0, bound-slack)
			return
		}
		if time.Duration(lab.Now()-from) > bound+lab.Patience {
			w.t.Fatalf("%s: people do not reach us by %s: %v %v", what, by, a, err)
		}
		<-tick.C
	}
}

// wellKnown waits until all is well from everybody's point of view.
func (w *tale) wellKnown(by string) {
	w.t.Helper()
	w.reached("steady", by, lab.Now(), ttl+slack)
	w.until("the records and the alias are ok", func() bool {
		s := w.Daemon.Status()
		for _, r := range s.Records {
			if r.Verdict != "ok" || r.Published != w.addr {
				return false
			}
		}
		return s.Aliases[0].Target == by && s.Aliases[0].State == "published"
	})
}

// until is for what sends no event.
func (w *tale) until(what string, cond func() bool) {
	w.t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(lab.Patience); !cond(); <-tick.C {
		if time.Now().After(end) {
			w.t.Fatalf("waited in vain until %s\n%s", what, w.Daemon.Command("status", "-json").Stdout)
		}
	}
}

// notified are the notifications so far that are not about Office, whose lot
// depends on chance.
func (w *tale) notified() (list []event) {
	w.t.Helper()
	f, err := os.Open(filepath.Join(w.Daemon.Dir, "notified"))
	if err != nil {
		return nil
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			w.t.Fatalf("%v: %s", err, lines.Bytes())
		}
		if e.Hostname != seizure.Office {
			list = append(list, e)
		}
	}
	return list
}

type event struct {
	Event, Hostname, Message, Target, Time string
	OldTarget                              string `json:"old_target"`
}

// notification waits for one that has not been dealt with.
func (w *tale) notification(kind, hostname string) {
	w.t.Helper()
	w.until(kind+" of "+hostname+" is notified", func() bool {
		for i, e := range w.notified() {
			if w.told[i] || e.Event != kind || e.Hostname != hostname {
				continue
			}
			w.told[i] = true
			if e.Message == "" || e.Time == "" || kind == "moved" && (e.Target == "" || e.OldTarget == "") {
				w.t.Errorf("notified: %+v", e)
			}
			return true
		}
		return false
	})
}

// noMore fails if anything was notified that was not expected.
func (w *tale) noMore(what string) {
	w.t.Helper()
	for i, e := range w.notified() {
		if !w.told[i] {
			w.t.Errorf("%s: notified: %+v", what, e)
		}
		w.told[i] = true
	}
}

// requests are those to A about its first record and the router's address.
func (w *tale) requests() (n int) {
	for _, r := range w.A.Requests() {
		if lab.Says(w.addr)(r) && lab.Says(seizure.HomeA)(r) {
			n++
		}
	}
	return n
}

// hold lets a time go by in which nothing may happen.
func (w *tale) hold(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.t.Context().Done():
	}
}
